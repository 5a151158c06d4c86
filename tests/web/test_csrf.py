from __future__ import annotations

import re

import pytest
from flask import Flask, render_template_string, request
from flask.testing import FlaskClient

from techex import paths
from techex.web import csrf, policy
from tests.cast import Browser


@pytest.fixture
def writing(app: Flask) -> list[str]:
    """What was written by a form at /write."""
    written: list[str] = []

    def write() -> str:
        if request.method == "POST":
            written.append(request.form["what"])
            return "written"
        return str(csrf.field())

    app.add_url_rule("/write", "write", policy.open_to(policy.everyone)(write), methods=["GET", "POST"])
    return written


def plain(app: Flask) -> FlaskClient:
    return FlaskClient(app, app.response_class, use_cookies=True)


def test_a_form_with_its_token_is_accepted(app: Flask, writing: list[str]) -> None:
    browser = plain(app)
    token = re.search(r'value="([^"]+)"', browser.get("/write").text)
    assert token
    assert browser.post("/write", data={"what": "a", "csrf_token": token[1]}).status_code == 200
    assert writing == ["a"]


def test_htmx_may_send_the_token_as_a_header(app: Flask, writing: list[str]) -> None:
    browser = Browser(app, app.response_class, use_cookies=True)
    token = browser.csrf_token()
    FlaskClient.post(browser, "/write", data={"what": "a"}, headers={"X-CSRFToken": token})
    assert writing == ["a"]


@pytest.mark.parametrize("token", ["", "wrong", None])
def test_a_form_without_the_token_writes_nothing(app: Flask, writing: list[str], token: str | None) -> None:
    browser = plain(app)
    browser.get("/write")
    data = {"what": "a"} | ({} if token is None else {"csrf_token": token})
    reply = browser.post("/write", data=data, headers={"Accept-Language": "en"})
    assert (reply.status_code, writing) == (403, [])
    assert "This form is no longer good" in reply.text


def test_the_token_of_another_browser_is_not_accepted(app: Flask, writing: list[str]) -> None:
    stolen = Browser(app, app.response_class, use_cookies=True).csrf_token()
    browser = plain(app)
    browser.get("/write")
    assert browser.post("/write", data={"what": "a", "csrf_token": stolen}).status_code == 403
    assert writing == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_what_another_site_sends_is_refused_even_with_a_token(
    app: Flask, writing: list[str], headers: dict[str, str]
) -> None:
    browser = Browser(app, app.response_class, use_cookies=True)
    assert browser.post("/write", data={"what": "a"}, headers=headers).status_code == 403
    assert writing == []


def test_every_form_that_posts_carries_the_token() -> None:
    without = []
    for path in sorted(paths.templates_dir().rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        macros = re.findall(r"{% macro (\w+)\(.*?%}(.*?){% endmacro", text, re.DOTALL)
        fields = ["csrf()", *(f"{{{{ {name}()" for name, body in macros if "csrf()" in body)]
        for form in re.finditer(r"<form\b[^>]*method=\"post\".*?</form>", text, re.DOTALL):
            reads = "url_for('matching.search')" in form.group() and path.parent.name == "matching"
            if not any(field in form.group() for field in fields) and not reads:
                without.append(str(path.relative_to(paths.templates_dir())))
    assert without == []


def test_the_length_of_a_page_with_a_token_is_blurred(app: Flask) -> None:
    def long_form() -> str:
        return render_template_string("{{ csrf() }}" + "text " * 1_000)

    app.add_url_rule("/long", "long", policy.open_to(policy.everyone)(long_form))
    browser = app.test_client()
    sizes = {len(browser.get("/long", headers={"Accept-Encoding": "gzip"}).data) for _ in range(20)}
    assert len(sizes) > 5


def test_pages_without_a_form_that_writes_set_no_cookie(app: Flask) -> None:
    assert "Set-Cookie" not in app.test_client().get("/needs").headers

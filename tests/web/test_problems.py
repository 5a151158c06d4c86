from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from techex import errors
from techex.app import create_app
from techex.settings import Settings
from techex.web import policy, problems


def all_errors(root: type[errors.TechexError]) -> list[type[errors.TechexError]]:
    return [root, *(found for sub in root.__subclasses__() for found in all_errors(sub))]


@pytest.mark.parametrize("kind", all_errors(errors.TechexError))
def test_every_error_of_ours_has_a_status_with_words(kind: type[errors.TechexError]) -> None:
    error = kind.__new__(kind)
    assert problems.status_of(error) in problems.WORDS


@pytest.mark.parametrize(("code", "title"), [("vi", "Không có gì ở đây"), ("en", "There is nothing here")])
def test_a_missing_page_is_explained_in_the_readers_language(client: FlaskClient, code: str, title: str) -> None:
    reply = client.get("/nowhere", headers={"Accept-Language": code})
    assert reply.status_code == 404
    assert title in reply.text
    assert 'class="masthead"' in reply.text


def test_a_machine_gets_the_problem_as_json(client: FlaskClient) -> None:
    reply = client.get("/nowhere", headers={"Accept": "application/json"})
    assert reply.content_type == "application/problem+json"
    assert reply.get_json()["status"] == 404


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    reply = client.post("/")
    assert reply.status_code == 405
    assert "GET" in reply.headers["Allow"]


def test_too_much_is_refused_with_a_sentence(client: FlaskClient) -> None:
    reply = client.post("/matches", data={"text": "x" * 2_000_000}, headers={"Accept-Language": "en"})
    assert reply.status_code == 413
    assert "Too much was sent" in reply.text


@pytest.mark.parametrize("text", ["a\x00b", "a\x07b", "\ufffe"])
def test_what_is_not_text_is_refused_with_a_sentence(client: FlaskClient, text: str) -> None:
    reply = client.get("/matches", query_string={"text": text}, headers={"Accept-Language": "en"})
    assert reply.status_code == 422
    assert "U+" in reply.text


def test_what_is_wrong_is_said_in_the_readers_language_too(client: FlaskClient) -> None:
    for path, vietnamese, english in (
        ("/needs/999999", "Ở đây không có tin số 999999.", "There is no listing number 999999 here."),
        ("/matches?text=a%00b", "ký tự điều khiển", "a control character"),
        ("/language/xx", "Ở đây không có trang nào bằng “xx”.", "There are no pages in “xx” here."),
    ):
        said = client.get(path, headers={"Accept-Language": "vi"}).text
        assert vietnamese in said, path
        assert 'lang="en"' not in said.split("<main")[1].split("</main>")[0], path
        assert english in client.get(path, headers={"Accept-Language": "en"}).text, path


def test_several_wrong_fields_are_each_explained_in_the_readers_language(app: Flask) -> None:
    wrong = errors.FieldErrors({"title": errors.Sentence("Choose a reason of the list."), "trl": "odd"})
    with app.test_request_context(headers={"Accept-Language": "vi"}):
        assert problems.said(wrong) == "title: Hãy chọn một lý do trong danh sách.; trl: odd"


def test_what_an_installation_lacks_stays_english_for_whoever_runs_it(app: Flask) -> None:
    lacking = errors.ModelNotPrepared("There is no model. Run `techex models prepare`.")
    with app.test_request_context(headers={"Accept-Language": "vi"}):
        assert problems.said(lacking) == "There is no model. Run `techex models prepare`."


def broken() -> str:
    raise ZeroDivisionError("a detail that is nobody's business")


def test_an_error_nobody_expected_shows_no_detail(settings: Settings) -> None:
    app: Flask = create_app(settings)
    app.add_url_rule("/broken", "broken", policy.open_to(policy.everyone)(broken))
    reply = app.test_client().get("/broken", headers={"Accept-Language": "en"})
    assert reply.status_code == 500
    assert "Something went wrong on our side" in reply.text
    assert "nobody's business" not in reply.text

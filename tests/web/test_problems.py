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


def broken() -> str:
    raise ZeroDivisionError("a detail that is nobody's business")


def test_an_error_nobody_expected_shows_no_detail(settings: Settings) -> None:
    app: Flask = create_app(settings)
    app.add_url_rule("/broken", "broken", policy.open_to(policy.everyone)(broken))
    reply = app.test_client().get("/broken", headers={"Accept-Language": "en"})
    assert reply.status_code == 500
    assert "Something went wrong on our side" in reply.text
    assert "nobody's business" not in reply.text

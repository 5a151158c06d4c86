from __future__ import annotations

import pytest
from flask import Flask

from techex.app import create_app
from techex.core.context import Actor
from techex.settings import Settings
from techex.web import policy


def forgetful() -> str:
    return "secret"


def nobody(actor: Actor) -> bool:
    return False


@pytest.fixture
def forgetting_app(settings: Settings) -> Flask:
    app = create_app(settings, testing=True)
    app.add_url_rule("/forgetful", "forgetful", forgetful)
    app.add_url_rule("/closed", "closed", policy.open_to(nobody)(forgetful))
    return app


def test_a_view_that_forgot_the_policy_is_caught_in_tests(forgetting_app: Flask) -> None:
    with pytest.raises(policy.NobodyAsked, match="/forgetful"):
        forgetting_app.test_client().get("/forgetful")


def test_a_view_that_forgot_the_policy_tells_nothing_in_production(forgetting_app: Flask) -> None:
    forgetting_app.testing = False
    reply = forgetting_app.test_client().get("/forgetful")
    assert reply.status_code == 403
    assert "secret" not in reply.text


def test_a_closed_page_says_so_in_the_dress_of_the_site(forgetting_app: Flask) -> None:
    reply = forgetting_app.test_client().get("/closed", headers={"Accept-Language": "en"})
    assert reply.status_code == 403
    assert "This page is not open to you" in reply.text
    assert "secret" not in reply.text

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from techex.accounts import sessions
from techex.app import create_app
from techex.core.context import ANONYMOUS, COMMAND_LINE, Actor, Context
from techex.core.database import Database
from techex.settings import Settings
from techex.web import identity, policy
from tests.cast import Browser, enter, person_of, sign_in
from tests.conftest import NOW

SignedIn = Callable[[str], Browser]


@pytest.fixture
def asked(app: Flask) -> list[Actor]:
    """Who asked, as a page at /who notes it."""
    seen: list[Actor] = []

    def who() -> str:
        seen.append(identity.context().actor)
        return "noted"

    app.add_url_rule("/who", "who", policy.open_to(policy.everyone)(who))
    return seen


def test_somebody_without_a_cookie_is_anonymous(app: Flask, asked: list[Actor]) -> None:
    app.test_client().get("/who")
    assert asked == [ANONYMOUS]


def test_a_person_who_signed_in_is_known_by_name(signed_in: SignedIn, asked: list[Actor]) -> None:
    signed_in("engineer").get("/who")
    assert asked[0].name == "Nguyễn Thị Lan"
    assert asked[0].is_signed_in
    assert not asked[0].is_administrator


def test_an_administrator_acts_only_with_a_second_factor(signed_in: SignedIn, asked: list[Actor]) -> None:
    signed_in("administrator").get("/who")
    signed_in("unarmed_administrator").get("/who")
    assert [actor.is_administrator for actor in asked] == [True, False]


def test_a_cookie_of_a_suspended_person_is_worth_nothing(signed_in: SignedIn, asked: list[Actor]) -> None:
    signed_in("suspended").get("/who")
    assert asked == [ANONYMOUS]


def test_signing_out_everywhere_counts_for_the_next_request_in_another_worker(
    settings: Settings, app: Flask, asked: list[Actor], database: Database
) -> None:
    browser = sign_in(app, "engineer")
    browser.get("/who")
    other = create_app(settings, testing=True)
    with other.app_context(), identity.database().transaction() as session:
        sessions.end_all(session, person_of(session, "engineer").id)
    other.extensions["techex.database"].close()
    browser.get("/who")
    assert [actor.is_signed_in for actor in asked] == [True, False]


@pytest.mark.parametrize(
    ("name", "idle", "still"),
    [
        ("engineer", timedelta(hours=7, minutes=59), True),
        ("engineer", timedelta(hours=8), False),
        ("administrator", timedelta(minutes=29), True),
        ("administrator", timedelta(minutes=30), False),
    ],
)
def test_a_session_nobody_uses_ends(
    signed_in: SignedIn, asked: list[Actor], name: str, idle: timedelta, still: bool
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        browser = signed_in(name)
        clock.shift(idle)
        browser.get("/who")
    assert asked[0].is_signed_in == still


@pytest.mark.parametrize(("used_for", "still"), [(timedelta(hours=11, minutes=59), True), (timedelta(hours=12), False)])
def test_a_session_in_use_ends_after_twelve_hours(
    signed_in: SignedIn, asked: list[Actor], used_for: timedelta, still: bool
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        browser = signed_in("administrator")
        for _ in range(int(used_for / timedelta(minutes=25))):
            clock.shift(timedelta(minutes=25))
            browser.get("/who")
        clock.move_to(NOW + used_for)
        asked.clear()
        browser.get("/who")
    assert asked[0].is_signed_in == still


def test_the_database_holds_no_token_that_opens_a_session(database: Database) -> None:
    with database.transaction() as session:
        person = enter(session, Context(COMMAND_LINE, NOW), "engineer")["engineer"]
        token = sessions.start(session, Context(ANONYMOUS, NOW), person, second_factor=False)
    with database.reading() as session:
        kept = sessions.of_person(session, person.id, NOW)[0].token_hash
        assert sessions.find(session, token, NOW)
        assert sessions.find(session, kept, NOW) is None
        assert token not in kept

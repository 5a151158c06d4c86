"""A deal from a lead to a contract that both sides confirmed: pages, rules, ledger, and who sees nothing of it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from techex.accounts.service import House
from techex.brokering import course, deals, marks, pipeline, service
from techex.brokering.deal_tables import Deal, DealMessage, DealStep
from techex.brokering.pipeline import DONE, LABELS, STAGES, TRANSITIONS, Contract, Stage, Verb, rule_on
from techex.brokering.rules import Verb as InterestVerb
from techex.brokering.service import Draft
from techex.core.context import Context
from techex.core.database import Database
from techex.errors import BadInput, Conflict, NotAllowed, NotFound
from techex.listings.tables import Listing
from techex.organisations import service as organisations
from techex.regions import working_days
from techex.web import identity
from tests.cast import CAST, Browser, sign_in

from .stage import Pair, actor_of, stage

HOUSE = House("TechEx", lambda endpoint, **values: f"https://exchange.example/{endpoint}/{values}")
TEXTS = {"who": "We have forty people and study textile chemistry. " * 4, "why": "We look for a dye house. " * 8}
CONTRACT = {
    "value_band": "b", "currency": "VND", "transfer_form": "assignment", "origin": "VN-79", "application": "VN-33",
}  # fmt: skip
SECRET = "Canary of the deal: twelve grams a litre."  # noqa: S105 - a canary


def agreed(session: Any, context: Context, pair: Pair) -> Deal:
    """An accepted expression of interest of the university in the need of the firm, and the deal it opened."""
    actors = {name: actor_of(session, name) for name in ("officer", "operator", "engineer")}
    at = {name: Context(actor, context.now) for name, actor in actors.items()}
    sender = organisations.get_organisation(session, "dai-hoc-phuong-nam")
    interest = service.send(session, at["officer"], HOUSE, pair.need, sender, Draft(TEXTS, "en"), pair.offer)
    for name, verb in (("operator", "screen"), ("operator", "forward"), ("engineer", "accept")):
        service.take(session, at[name], HOUSE, interest.id, InterestVerb(verb))
    found = deals.of_interest(session, interest)
    assert found
    return found


@pytest.fixture
def deal(demo_app: Flask, pair: Pair, context: Context) -> int:
    with demo_app.app_context(), identity.database().transaction() as session:
        return agreed(session, context, pair).id


def _take(browser: Browser, number: int, verb: str, **data: Any) -> Any:
    page = browser.get(f"/deals/{number}").get_data(as_text=True)
    revision = re.search(r'name="revision" value="(\d+)"', page)
    return browser.post(f"/deals/{number}/{verb}", data={"revision": revision[1] if revision else 0} | data)


def _text(browser: Browser, number: int) -> str:
    return browser.get(f"/deals/{number}").get_data(as_text=True)


def test_from_the_introduction_to_a_contract_that_both_confirmed(demo_app: Flask, deal: int) -> None:
    officer, engineer, operator = (sign_in(demo_app, name) for name in ("officer", "engineer", "operator"))
    assert CAST["officer"].email not in _text(engineer, deal), "contacts come with the introduction"
    assert engineer.post(f"/deals/{deal}/messages", data={"text": "Too soon."}).status_code == 409
    assert _take(operator, deal, "introduce").status_code == 303
    assert CAST["officer"].email in _text(engineer, deal)
    assert CAST["engineer"].email in _text(officer, deal)
    assert officer.post(f"/deals/{deal}/messages", data={"text": SECRET}).status_code == 303
    assert SECRET in _text(engineer, deal)
    assert SECRET in engineer.get(f"/deals/{deal}?q=GRAMS+litre").get_data(as_text=True)
    assert SECRET not in engineer.get(f"/deals/{deal}?q=kilometres").get_data(as_text=True)
    assert _take(officer, deal, "keep_secret").status_code == 403, "first both accept an agreement"
    assert _take(engineer, deal, "negotiate").status_code == 303
    refused = _take(officer, deal, "draw_up", **CONTRACT | {"currency": "dong", "origin": "Mars"})
    assert refused.status_code == 422
    assert "Expected three letters" in refused.get_data(as_text=True)
    assert _take(officer, deal, "draw_up", **CONTRACT).status_code == 303
    assert _take(officer, deal, "confirm").status_code == 303
    assert "1 of 2 sides" in _text(engineer, deal), "one side alone signs nothing"
    assert _take(officer, deal, "confirm").status_code == 403
    assert _take(engineer, deal, "confirm").status_code == 303
    page = _text(engineer, deal)
    assert "both sides" in page
    assert "not required" in page
    assert _take(engineer, deal, "implement").status_code == 303


def test_a_changed_contract_makes_the_first_confirmation_void(demo_app: Flask, deal: int) -> None:
    officer, engineer, operator = (sign_in(demo_app, name) for name in ("officer", "engineer", "operator"))
    _take(operator, deal, "introduce")
    _take(officer, deal, "negotiate")
    _take(officer, deal, "draw_up", **CONTRACT)
    _take(officer, deal, "confirm")
    assert _take(engineer, deal, "draw_up", **CONTRACT | {"value_band": "e"}).status_code == 303
    assert _take(engineer, deal, "confirm").status_code == 303
    assert "1 of 2 sides" in _text(officer, deal)
    assert _take(officer, deal, "confirm").status_code == 303
    assert "Contract signed" in _text(officer, deal)


def test_of_two_who_act_at_once_exactly_one_wins(demo_app: Flask, deal: int) -> None:
    officer, engineer, operator = (sign_in(demo_app, name) for name in ("officer", "engineer", "operator"))
    _take(operator, deal, "introduce")
    revision = re.search(r'name="revision" value="(\d+)"', _text(officer, deal))
    assert revision
    first = officer.post(f"/deals/{deal}/evaluate", data={"revision": revision[1]})
    second = engineer.post(f"/deals/{deal}/lose", data={"revision": revision[1], "reason": "out_of_scope"})
    assert (first.status_code, second.status_code) == (303, 409)


@pytest.mark.parametrize("name", ["rival", "stranger", "other_operator", "unarmed_operator", "administrator"])
def test_nobody_else_learns_of_a_deal(demo_app: Flask, deal: int, name: str) -> None:
    operator, officer, browser = (sign_in(demo_app, who) for who in ("operator", "officer", name))
    _take(operator, deal, "introduce")
    officer.post(f"/deals/{deal}/messages", data={"text": SECRET})
    assert browser.get(f"/deals/{deal}").status_code == browser.get("/deals/999").status_code == 404
    assert "/deals/1" not in browser.get("/deals").get_data(as_text=True)
    for path in (f"/deals/{deal}/messages", f"/deals/{deal}/lose"):
        assert browser.post(path, data={"text": "I was here.", "reason": "other"}).status_code == 404
    with demo_app.app_context(), identity.database().reading() as session:
        assert session.scalar(select(func.count()).select_from(DealMessage)) == 1


def test_what_somebody_wrote_who_has_left_stands_under_their_organisation(demo_app: Flask, deal: int) -> None:
    officer = sign_in(demo_app, "officer")
    _take(sign_in(demo_app, "operator"), deal, "introduce")
    officer.post(f"/deals/{deal}/messages", data={"text": "Our dates for a trial.", "rung": "non_confidential"})
    head = r'class="messages"><li[^>]*><p class="small soft">([^·]+) ·'
    written = re.search(head, _text(officer, deal))
    assert written
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(DealMessage).values(person_id=None))
    left = re.search(head, _text(officer, deal))
    assert left
    assert written[1].endswith(f", {left[1]}")


def test_an_anonymous_owner_is_known_to_the_other_side_after_the_introduction_only(
    demo_app: Flask, pair: Pair, deal: int
) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(Listing).where(Listing.id == pair.need).values(anonymous=True))
    officer, operator = sign_in(demo_app, "officer"), sign_in(demo_app, "operator")
    assert "Dệt may Sông Hồng" not in officer.get(f"/needs/{pair.need}").get_data(as_text=True)
    assert "Dệt may Sông Hồng" not in _text(officer, deal)
    assert _take(operator, deal, "introduce").status_code == 303
    assert "Dệt may Sông Hồng" in officer.get(f"/needs/{pair.need}").get_data(as_text=True)
    rival = sign_in(demo_app, "rival").get(f"/needs/{pair.need}").get_data(as_text=True)
    assert "Dệt may Sông Hồng" not in rival


def test_a_ledger_that_somebody_changed_says_so(demo_app: Flask, deal: int) -> None:
    operator, officer = sign_in(demo_app, "operator"), sign_in(demo_app, "officer")
    _take(operator, deal, "introduce")
    assert "nobody can change one unseen" in _text(officer, deal)
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(DealStep).where(DealStep.verb == "introduce").values(verb="evaluate"))
    assert "has been changed" in _text(officer, deal)


@pytest.mark.parametrize(
    ("changed", "on", "obliged"),
    [
        ({}, date(2026, 11, 22), False),
        ({"origin": "NL"}, date(2026, 11, 22), True),
        ({"application": "KR"}, date(2026, 11, 22), True),
        ({"origin": "NL", "application": "KR"}, date(2026, 11, 22), False),
        ({"state_money": True}, date(2026, 11, 22), True),
        ({"state_money": True, "certified": True}, date(2026, 11, 22), False),
        ({"state_money": True}, date(2020, 1, 1), True),
    ],
)
def test_the_law_of_the_day_says_whether_a_contract_is_registered(
    changed: dict[str, Any], on: date, obliged: bool
) -> None:
    rule = rule_on(on)
    assert rule
    assert rule.obliges(Contract(**CONTRACT | changed)) is obliged  # type: ignore[arg-type]
    assert rule.text("vi") != rule.text("en")


def test_before_the_first_law_there_is_none() -> None:
    assert rule_on(date(2017, 1, 1)) is None
    new, old = rule_on(date(2026, 4, 1)), rule_on(date(2026, 3, 31))
    assert new
    assert old
    assert new.law != old.law


def test_a_foreign_contract_is_in_use_only_after_its_registration(demo_app: Flask, deal: int) -> None:
    officer, engineer, operator = (sign_in(demo_app, name) for name in ("officer", "engineer", "operator"))
    _take(operator, deal, "introduce")
    _take(officer, deal, "negotiate")
    _take(officer, deal, "draw_up", **CONTRACT | {"origin": "NL", "currency": "eur"})
    for side in (officer, engineer):
        _take(side, deal, "confirm")
    assert _take(officer, deal, "implement").status_code == 403
    assert _take(officer, deal, "register", registration="").status_code == 422
    assert _take(officer, deal, "register", registration="25/2026/GCN").status_code == 303
    assert "25/2026/GCN" in _text(engineer, deal)
    assert _take(officer, deal, "implement").status_code == 303


def test_everything_that_is_shown_has_words() -> None:
    assert set(STAGES) == set(Stage)
    assert set(LABELS) == set(Verb)
    assert set(DONE) == {"open", "message", *Verb, *course.DONE}
    assert {row.target for row in TRANSITIONS if row.target} | {Stage.LEAD} == set(Stage)


def test_a_silent_deal_is_asked_about_and_later_its_outcome(database: Database, context: Context) -> None:
    with database.transaction() as session:
        deal = agreed(session, context, stage(session, context))
        today = context.now.date()
        assert deals.is_due(deal, today + timedelta(days=400)) is None, "nobody was introduced yet"
        deals.take(session, Context(actor_of(session, "operator"), context.now), deal.id, Verb.INTRODUCE)
        assert deals.is_due(deal, today + timedelta(days=29)) is None
        assert deals.is_due(deal, today + timedelta(days=30)) == "reminder"
        deal.signed_at = context.now
        assert deals.is_due(deal, today + timedelta(days=100)) is None
        assert deals.is_due(deal, today + timedelta(days=190)) == "outcome"


def test_days_of_a_deal_begin_at_midnight_in_vietnam(database: Database, context: Context) -> None:
    introduced = datetime(2026, 6, 1, 10, tzinfo=UTC)  # five in the afternoon
    midnight = datetime(2026, 6, 30, 17, tzinfo=UTC)  # of the first of July: thirty days later there, not in Greenwich
    with database.transaction() as session:
        deal = agreed(session, Context(context.actor, introduced), stage(session, context))
        deals.take(session, Context(actor_of(session, "operator"), introduced), deal.id, Verb.INTRODUCE)
        letters = [
            deals.ask_after(session, Context(context.actor, moment), HOUSE)
            for moment in (midnight - timedelta(minutes=1), midnight, midnight + timedelta(hours=7))
        ]
        assert letters[0] == letters[2] == 0, "not a minute before, and once"
        assert letters[1] > 0
        deal.signed_at = introduced
        half_a_year = working_days.here(introduced) + timedelta(days=180)
        evening = datetime.combine(half_a_year, time(0, 1), working_days.HOME)
        assert marks.mark_of(deal, working_days.here(evening)) == 6
        assert marks.mark_of(deal, working_days.here(evening - timedelta(minutes=2))) == 0
        session.rollback()


PEOPLE = ("engineer", "viewer", "officer", "operator", "rival")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(Verb)), max_size=24))
def test_whatever_people_try_a_deal_moves_along_its_table_and_its_ledger_holds(
    database: Database, context: Context, tries: list[tuple[str, Verb]]
) -> None:
    with database.transaction() as session:
        deal = agreed(session, context, stage(session, context))
        actors = {name: actor_of(session, name) for name in PEOPLE}
        given = CONTRACT | {"reason": "out_of_scope", "outcome": "It runs.", "registration": "1/GCN"}
        for name, verb in tries:
            before, lines = Stage(deal.stage), len(deal.ledger)
            try:
                deals.take(session, Context(actors[name], context.now), deal.id, verb, given=given)
            except (Conflict, NotAllowed, NotFound, BadInput):
                assert (Stage(deal.stage), len(deal.ledger)) == (before, lines)
                continue
            rows = [row for row in TRANSITIONS if row.verb is verb and before in row.sources]
            assert Stage(deal.stage) in {before, *(row.target for row in rows)}
            assert name not in ("viewer", "rival")
        assert deals.broken_at(deal) is None
        confirmed = {step.organisation_id for step in deal.ledger if step.verb == Verb.CONFIRM}
        assert (deal.signed_at is not None) <= (len(confirmed) == 2), "no contract counts that one side confirmed alone"
        assert pipeline.may_see(actors["rival"], deals.standing(deal)) is False
        session.rollback()

"""The operator's desk: what waits in one's own places, by urgency, with filters and as a table."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from techex.accounts.service import House
from techex.admin import desk, desk_items
from techex.admin.desk import SORTS, TASKS, Asked, Item, Task
from techex.admin.desk_views import PAGES
from techex.brokering import deals, figures, funnel, gaps, listing_figures, service
from techex.brokering.deal_tables import Deal
from techex.brokering.pipeline import Verb
from techex.brokering.rules import Verb as InterestVerb
from techex.brokering.service import Draft
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.listings.lifecycle import Verb as ListingVerb
from techex.listings.rules import Kind
from techex.listings.service import do, post
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.regions.rules import Place
from techex.regions.working_days import until
from techex.web import identity
from tests.brokering.stage import NEED, Pair, actor_of, stage
from tests.cast import sign_in

HOUSE = House("TechEx", lambda endpoint, **values: f"https://exchange.example/{endpoint}/{values}")
TEXTS = {"who": "We have forty people and study textile chemistry. " * 4, "why": "We look for a dye house. " * 8}
CONTRACT = {
    "value_band": "b", "currency": "VND", "transfer_form": "assignment", "origin": "NL", "application": "VN-33",
}  # fmt: skip
SINCE = datetime(2026, 11, 2, 9, tzinfo=UTC)
TODAY = date(2026, 11, 18)  # a Wednesday
LINE = Item(Task.REVIEW, 1, "A pump", "en", desk.SUBMITTED, (Place("VN", "33"),), SINCE, date(2026, 11, 20))


@pytest.fixture
def pair(demo_app: Flask) -> Pair:
    with demo_app.app_context(), identity.database().transaction() as session:
        return stage(session, Context(COMMAND_LINE))


def _interest(app: Flask, pair: Pair, *steps: tuple[str, str], days_ago: int = 0) -> int:
    """The university's interest in the firm's need, so many steps on, all of them so many days ago."""
    with app.app_context(), identity.database().transaction() as session:
        now = datetime.now(UTC) - timedelta(days=days_ago)
        at = {name: Context(actor_of(session, name), now) for name in ("officer", "operator", "engineer")}
        sender = organisations.get_organisation(session, "dai-hoc-phuong-nam")
        found = service.send(session, at["officer"], HOUSE, pair.need, sender, Draft(TEXTS, "en"), pair.offer)
        for name, verb in steps:
            service.take(session, at[name], HOUSE, found.id, InterestVerb(verb))
        return found.id


ACCEPTED = (("operator", "screen"), ("operator", "forward"), ("engineer", "accept"))


def _deal(app: Flask, *steps: tuple[str, Verb], days_ago: int = 0) -> None:
    with app.app_context(), identity.database().transaction() as session:
        deal = session.scalars(select(Deal)).unique().one()
        now = datetime.now(UTC) - timedelta(days=days_ago)
        for name, verb in steps:
            deals.take(session, Context(actor_of(session, name), now), deal.id, verb, given=CONTRACT)


def _page(app: Flask, name: str = "operator", query: str = "") -> str:
    reply = sign_in(app, name).get(f"/desk{query}")
    assert reply.status_code == 200
    return str(reply.get_data(as_text=True))


def test_days_are_counted_in_working_days_and_what_is_past_is_late() -> None:
    assert until(date(2026, 11, 20), date(2026, 11, 23)) == 1, "a weekend lies between"
    assert until(date(2026, 11, 23), date(2026, 11, 20)) == -1
    days = {due: desk.dated([replace(LINE, due=due)], TODAY)[0] for due in (None, TODAY, date(2026, 11, 23))}
    assert [item.days_left for item in days.values()] == [None, 0, 3]
    saturday = desk.dated([replace(LINE, due=date(2026, 11, 21))], date(2026, 11, 22))[0]
    assert saturday.is_late, "a day that has passed is late, even if no office worked since"


def test_the_most_urgent_stands_first_and_what_has_no_day_last() -> None:
    lines = [
        replace(LINE, key=1, due=None),
        replace(LINE, key=2, due=date(2026, 12, 1)),
        replace(LINE, key=3, due=None, at_once=True),
        replace(LINE, key=4, due=date(2026, 11, 3), task=Task.SILENT, places=(Place("NL"),)),
    ]
    lines = desk.dated(lines, TODAY)
    assert [item.key for item in desk.chosen(lines, Asked())] == [3, 4, 2, 1]
    assert [item.key for item in desk.chosen(lines, Asked(late=True))] == [3, 4]
    assert [item.key for item in desk.chosen(lines, Asked(task="silent"))] == [4]
    assert [item.key for item in desk.chosen(lines, Asked(place="VN-33"))] == [3, 2, 1]
    assert desk.chosen(lines, Asked(sort="place"))[0].key == 4
    assert desk.counted(lines) == {Task.REVIEW: 3, Task.SILENT: 1}


def test_every_kind_of_work_has_words_and_a_page() -> None:
    assert set(TASKS) == set(PAGES) == set(Task)
    assert Asked().sort in SORTS


def test_an_expression_of_interest_waits_until_it_is_forwarded(demo_app: Flask, pair: Pair) -> None:
    number = _interest(demo_app, pair)
    page = _page(demo_app)
    assert f"/interests/{number}" in page
    assert "take it up" in page
    assert f"/interests/{number}" not in _page(demo_app, "other_operator"), "of other places"
    with demo_app.app_context(), identity.database().transaction() as session:
        context = Context(actor_of(session, "operator"))
        for verb in (InterestVerb.SCREEN, InterestVerb.FORWARD):
            service.take(session, context, HOUSE, number, verb)
    assert f"/interests/{number}" not in _page(demo_app)


def test_a_deal_waits_to_be_introduced_then_for_its_silence_and_its_registration(demo_app: Flask, pair: Pair) -> None:
    _interest(demo_app, pair, *ACCEPTED, days_ago=200)
    assert "Introduce two sides" in _page(demo_app, query="?task=introduce&late=1")
    _deal(demo_app, ("operator", Verb.INTRODUCE), ("officer", Verb.NEGOTIATE), days_ago=190)
    assert "nothing has happened for 30 days" in _page(demo_app)
    confirmed = (("officer", Verb.DRAW_UP), ("officer", Verb.CONFIRM), ("engineer", Verb.CONFIRM))
    _deal(demo_app, *confirmed, days_ago=3)
    page = _page(demo_app)
    assert "no registration is noted" in page
    assert "nothing has happened for 30 days" not in page
    assert "no registration is noted" not in _page(demo_app, "other_operator")


def test_listings_and_organisations_wait_too_and_reported_ones_now(demo_app: Flask, pair: Pair) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        context = Context(actor_of(session, "engineer"))
        firm = organisations.get_organisation(session, "det-may-song-hong")
        draft = checked_draft(Kind.NEED, NEED, language="en", country="VN", province="33")
        waiting = post(session, context, firm, draft)
        do(session, context, waiting, ListingVerb.SUBMIT)
        session.execute(update(Listing).where(Listing.id == pair.need).values(state="flagged"))
        numbers = waiting.id, pair.need
    page = _page(demo_app, query="?place=VN-33")
    assert all(f"/review/{number}" in page for number in numbers)
    assert page.index(f"/review/{numbers[1]}") < page.index(f"/review/{numbers[0]}")
    assert "/organisations/cong-ty-moi/verification" in page


def test_the_table_for_a_spreadsheet_holds_no_formula(demo_app: Flask, pair: Pair) -> None:
    _interest(demo_app, pair)
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(Listing).where(Listing.id == pair.need).values(title='=HYPERLINK("http://evil")'))
    reply = sign_in(demo_app, "operator").get("/desk.csv?task=interest")
    assert reply.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(reply.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [row["About"] for row in rows] == ['\'=HYPERLINK("http://evil")']
    assert rows[0]["Working days left"] in ("1", "2")


@pytest.mark.parametrize("query", ["?task=nonsense&sort=nonsense&place=nowhere&page=999", "?page=-1&late=yes"])
def test_an_odd_address_still_answers(demo_app: Flask, query: str) -> None:
    assert "Your desk" in _page(demo_app, query=query)


def test_it_is_for_operators_only(demo_app: Flask) -> None:
    for name in ("engineer", "administrator", "unarmed_operator"):
        assert sign_in(demo_app, name).get("/desk").status_code == 403
        assert "/desk" not in sign_in(demo_app, name).get("/needs").get_data(as_text=True)


def test_desk_and_figures_are_asked_alike_of_both_databases(each_database: Database) -> None:
    with each_database.transaction() as session:
        pair = stage(session, Context(COMMAND_LINE))
        at = {name: Context(actor_of(session, name)) for name in ("officer", "operator", "engineer")}
        sender = organisations.get_organisation(session, "dai-hoc-phuong-nam")
        one = service.send(session, at["officer"], HOUSE, pair.need, sender, Draft(TEXTS, "en"), pair.offer)
        found, _ = desk_items.items(session, at["operator"], 1, "en")
        assert [item.key for item in found if item.task is Task.INTEREST] == [one.id]
        for name, verb in ACCEPTED:
            service.take(session, at[name], HOUSE, one.id, InterestVerb(verb))
        found, _ = desk_items.items(session, at["operator"], 1, "en")
        assert [item.task for item in found if item.task is not Task.VERIFY] == [Task.INTRODUCE]
        assert [row.count for row in funnel.funnel(figures.ways(session, ["VN-33"], public=True))] == [1, 1, 1, 0, 0]
        assert figures.ways(session, ["NL"], public=False) == []
        narrowed = figures.Asked(date(2020, 1, 1), date(2099, 1, 1), "SOUTHEAST", "RED_RIVER_DELTA", kind="enterprise")
        steps = listing_figures.reached(session, at["operator"], narrowed, ["VN-33"])
        assert [row.count for row in steps] == [1, 0, 1, 0, 0]
        nothing_yet = gaps.gaps(session, at["operator"], ["VN-33"])
        assert (nothing_yet.needs, nothing_yet.results) == ([], [])

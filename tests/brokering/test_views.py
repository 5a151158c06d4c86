"""An expression of interest as its people see it: written, screened, forwarded, answered; and what nobody else sees."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from techex.brokering.jobs import lapse
from techex.brokering.rules import SENT_A_WEEK
from techex.brokering.tables import Interest
from techex.core.context import command_line_context
from techex.core.mail import Letter
from techex.listings.tables import Listing
from techex.settings import load_settings
from techex.web import identity
from tests.cast import CAST, Browser, sign_in

from .stage import Pair

WHO = "We study the chemistry of textile fibres, have forty people and have brought six processes into dye houses. " * 2
WHY = "Our enzymes lower the temperature of the bath. We look for a dye house that tries them on its own cloth. " * 2
SECRET = "Canary of the sender: the enzyme is called Zyphora."  # noqa: S105 - a canary


def _send(browser: Browser, pair: Pair, **changed: Any) -> Any:
    data = {"listing": pair.need, "own": pair.offer, "for": pair.university, "who": WHO, "why": f"{WHY} {SECRET}"}
    return browser.post("/interests/new", data=data | changed)


def _number(reply: Any) -> int:
    assert reply.status_code == 303, reply.get_data(as_text=True)
    found = re.search(r"/interests/(\d+)$", reply.headers["Location"])
    assert found
    return int(found[1])


def _take(browser: Browser, number: int, verb: str, **data: Any) -> Any:
    page = browser.get(f"/interests/{number}").get_data(as_text=True)
    revision = re.search(r'name="revision" value="(\d+)"', page)
    return browser.post(f"/interests/{number}/{verb}", data={"revision": revision[1] if revision else 0} | data)


def _forwarded(app: Flask, pair: Pair) -> int:
    number = _number(_send(sign_in(app, "officer"), pair))
    operator = sign_in(app, "operator")
    assert _take(operator, number, "screen").status_code == 303
    assert _take(operator, number, "forward").status_code == 303
    return number


def _letters(app: Flask, name: str) -> list[Letter]:
    with app.app_context(), identity.database().reading() as session:
        return list(session.scalars(select(Letter).where(Letter.recipient == CAST[name].email)))


def test_a_university_asks_the_operator_forwards_and_the_firm_agrees(demo_app: Flask, pair: Pair) -> None:
    officer, operator = sign_in(demo_app, "officer"), sign_in(demo_app, "operator")
    assert "Ask for an introduction" in officer.get(f"/needs/{pair.need}").get_data(as_text=True)
    number = _number(_send(officer, pair))
    engineer = sign_in(demo_app, "engineer")
    assert engineer.get(f"/interests/{number}").status_code == 404, "the receiver reads it once it is forwarded"
    assert f"/interests/{number}" in operator.get("/interests").get_data(as_text=True)
    assert _take(operator, number, "screen").status_code == 303
    assert _take(operator, number, "forward").status_code == 303
    page = engineer.get(f"/interests/{number}").get_data(as_text=True)
    assert SECRET in page
    assert "Đại học Phương Nam" not in page.replace("Because of", ""), "names come when both have agreed"
    assert _take(engineer, number, "accept").status_code == 303
    page = engineer.get(f"/interests/{number}").get_data(as_text=True)
    assert "Đại học Phương Nam" not in page, "and when an operator has introduced them"
    deal = re.search(r"/deals/(\d+)", page)
    assert deal
    assert operator.post(f"/deals/{deal[1]}/introduce", data={"revision": 1}).status_code == 303
    page = engineer.get(f"/interests/{number}").get_data(as_text=True)
    assert "Đại học Phương Nam" in page
    assert CAST["officer"].called in page
    assert "accepted" in officer.get(f"/interests/{number}").get_data(as_text=True)


def test_a_no_needs_a_reason_and_the_sender_reads_it_in_kind_words(demo_app: Flask, pair: Pair) -> None:
    number = _forwarded(demo_app, pair)
    engineer, officer = sign_in(demo_app, "engineer"), sign_in(demo_app, "officer")
    refused = _take(engineer, number, "decline", text="A sentence that stays.")
    assert refused.status_code == 422
    assert "A sentence that stays." in refused.get_data(as_text=True)
    assert _take(engineer, number, "decline", reason="benefit_unclear").status_code == 303
    assert "what it would gain them" in officer.get(f"/interests/{number}").get_data(as_text=True)
    own = officer.get(f"/results/{pair.offer}").get_data(as_text=True)
    assert "1 reader: The benefit is unclear" in own
    assert "Advantages over an alternative" in own
    assert "1 reader" not in engineer.get(f"/results/{pair.offer}").get_data(as_text=True)


@pytest.mark.parametrize("name", ["rival", "stranger", "unverified", "other_operator", "unarmed_operator"])
def test_nobody_else_learns_that_it_exists(demo_app: Flask, pair: Pair, name: str) -> None:
    number = _forwarded(demo_app, pair)
    browser = sign_in(demo_app, name)
    hidden, absent = browser.get(f"/interests/{number}"), browser.get("/interests/999")
    assert hidden.status_code == absent.status_code == 404
    shown = [
        re.sub(r"(number |interests(?:/|%2F))\d+", r"\1N", page.get_data(as_text=True)) for page in (hidden, absent)
    ]
    assert shown[0] == shown[1]
    assert SECRET not in browser.get("/interests").get_data(as_text=True)
    for verb in ("screen", "forward", "accept", "decline", "withdraw", "lapse"):
        assert browser.post(f"/interests/{number}/{verb}", data={"revision": 3}).status_code == 404


def test_letters_say_where_to_look_and_nothing_else(demo_app: Flask, pair: Pair) -> None:
    number = _forwarded(demo_app, pair)
    to_operator, to_firm = _letters(demo_app, "operator"), _letters(demo_app, "engineer")
    assert len(to_operator) == len(to_firm) == 1
    assert _letters(demo_app, "viewer") == [], "a viewer cannot answer"
    for letter in (*to_operator, *to_firm, *_letters(demo_app, "officer")):
        assert f"/interests/{number}" in letter.text
        for secret in (SECRET, "Zyphora", "Phương Nam", CAST["officer"].called):
            assert secret not in letter.text + letter.subject


def test_of_two_people_who_act_at_once_exactly_one_wins_and_the_other_is_told(demo_app: Flask, pair: Pair) -> None:
    number = _forwarded(demo_app, pair)
    engineer, editor = sign_in(demo_app, "engineer"), sign_in(demo_app, "editor")
    first = engineer.post(f"/interests/{number}/accept", data={"revision": 3})
    second = editor.post(f"/interests/{number}/decline", data={"revision": 3, "reason": "out_of_scope"})
    assert (first.status_code, second.status_code) == (303, 409)
    assert "quicker" in second.get_data(as_text=True)


def test_texts_that_are_too_short_come_back_with_what_was_typed(demo_app: Flask, pair: Pair) -> None:
    reply = _send(sign_in(demo_app, "officer"), pair, who="We are short.")
    assert reply.status_code == 422
    page = reply.get_data(as_text=True)
    assert "has 13 characters; expected 150 to 600." in page
    assert SECRET in page


def test_one_organisation_asks_once_about_a_listing_and_so_many_times_a_week(demo_app: Flask, pair: Pair) -> None:
    officer = sign_in(demo_app, "officer")
    assert _send(officer, pair).status_code == 303
    again = _send(officer, pair)
    assert again.status_code == 409
    assert SECRET in again.get_data(as_text=True), "nothing typed is lost"
    with demo_app.app_context(), identity.database().reading() as session:
        query = select(Listing.id).where(Listing.kind == "need", Listing.id != pair.need).order_by(Listing.id)
        others = list(session.scalars(query.limit(SENT_A_WEEK)))
    statuses = [_send(officer, pair, listing=other).status_code for other in others]
    assert statuses == [303] * (SENT_A_WEEK - 1) + [409]


@pytest.mark.parametrize(
    ("name", "sender"),
    [("unverified", "firm"), ("viewer", "firm"), ("stranger", "university"), ("rival", "university")],
)
def test_only_an_editor_of_a_verified_organisation_may_ask(demo_app: Flask, pair: Pair, name: str, sender: str) -> None:
    reply = _send(sign_in(demo_app, name), pair, **{"for": getattr(pair, sender)})
    assert reply.status_code == 403
    with demo_app.app_context(), identity.database().reading() as session:
        assert session.scalar(select(func.count()).select_from(Interest)) == 0


def test_what_is_not_answered_in_time_lapses_once_and_both_see_it(demo_app: Flask, pair: Pair) -> None:
    number = _forwarded(demo_app, pair)
    with demo_app.app_context():
        database = identity.database()
        with database.transaction() as session:
            session.execute(update(Interest).values(due=func.date("2020-01-03")))
        settings = load_settings(base_url="https://exchange.example")
        assert lapse(settings, database, command_line_context()) == "1 lapsed"
        assert lapse(settings, database, command_line_context()) is None
    for name in ("officer", "engineer"):
        assert "lapsed without an answer" in sign_in(demo_app, name).get(f"/interests/{number}").get_data(as_text=True)
    assert sign_in(demo_app, "engineer").post(f"/interests/{number}/accept").status_code == 409

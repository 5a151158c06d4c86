"""Workload and hand-overs as lists: filters, orders, and files that hold what their pages show."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from techex.admin import workload_list
from techex.admin.handing import Colleague
from techex.admin.tables import HandOver
from techex.admin.workload import Load
from techex.core.context import COMMAND_LINE, Actor, Context, Role
from techex.organisations.tables import OperatorPlace
from techex.web import identity
from tests.admin.test_desk import _interest
from tests.brokering.stage import Pair, stage
from tests.cast import Browser, person_of, sign_in


@pytest.fixture
def pair(demo_app: Flask) -> Pair:
    with demo_app.app_context(), identity.database().transaction() as session:
        found = stage(session, Context(COMMAND_LINE))
        other = person_of(session, "other_operator")
        for code in ("VN-33", "VN-01", "VN-79", "VN-92", "NL"):
            session.add(OperatorPlace(person_id=other.id, place_code=code, granted_at=Context(COMMAND_LINE).now))
        return found


def _rows(browser: Browser, address: str) -> list[dict[str, str]]:
    reply = browser.get(address)
    assert reply.status_code == 200
    return list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))


def _handed(app: Flask, pair: Pair) -> tuple[Browser, Browser]:
    """The operator has taken one thing, then given it and everything to the other."""
    number = _interest(app, pair)
    mine, theirs = sign_in(app, "operator"), sign_in(app, "other_operator")
    with app.app_context(), identity.database().reading() as session:
        to = person_of(session, "other_operator").id
    item = {"item": f"interest:{number}", "to": to, "note": "You know them."}
    assert mine.post("/desk/hand-over", data=item | {"take": "1", "note": ""}).status_code == 303
    assert mine.post("/desk/hand-over", data=item).status_code == 303
    assert mine.post("/desk/hand-over-everything", data={"to": to, "until": "2099-12-31"}).status_code == 303
    return mine, theirs


def test_the_file_of_the_workload_holds_the_colleagues_of_its_page(demo_app: Flask, pair: Pair) -> None:
    mine, _theirs = _handed(demo_app, pair)
    page, rows = mine.get("/desk/workload").text, _rows(mine, "/desk/workload.csv")
    assert [row["Operator"] for row in rows] == re.findall(r"data-line href=[^>]*>([^<]+)</a>", page)
    assert rows[-1]["Operator"] == "nobody yet"
    gave = next(row for row in rows if row["Everything is with"])
    assert (gave["Operator"], gave["Everything is with"], gave["Until"]) == ("Hoàng Mai", "Bùi Quang", "2099-12-31")
    got = rows[0]
    assert (got["Operator"], got["Open"]) == ("Bùi Quang", "1")
    assert got["Places"] == "Netherlands;Ha Noi;Hung Yen;Ho Chi Minh;and 2 more"
    assert "Netherlands, Ha Noi, Hung Yen, Ho Chi Minh, and 2 more" in page, "as many as in the file"


def test_the_workload_says_who_oneself_is_and_nobody_hands_anything_to_themselves(demo_app: Flask, pair: Pair) -> None:
    mine = sign_in(demo_app, "operator")
    page = mine.get("/desk/workload").text
    with demo_app.app_context(), identity.database().reading() as session:
        me = person_of(session, "operator").id
    assert re.search(rf'holder={me}">Hoàng Mai</a> <span class="soft">\(you\)', page)
    assert page.count("(you)") == 1
    choices = page[page.index('<select class="form-select" id="to"') : page.index('id="until"')]
    assert f'value="{me}"' not in choices


def test_a_place_narrows_the_workload_and_its_file_to_who_serves_it(demo_app: Flask, pair: Pair) -> None:
    mine = sign_in(demo_app, "operator")
    assert 'value="VN-33"' in mine.get("/desk/workload").text
    assert 'value="VN-79"' not in mine.get("/desk/workload").text, "only places that whoever reads serves"
    assert [row["Operator"] for row in _rows(mine, "/desk/workload.csv?place=VN-33")][-1] != "nobody yet"
    assert [row["Operator"] for row in _rows(mine, "/desk/workload.csv?q=quang")] == ["Bùi Quang"]
    page = mine.get("/desk/workload?q=zzz").text
    assert "No line is like that" in page
    assert "Hand everything over" in page, "the rest of the page stays"


def test_the_workload_comes_in_the_order_asked_for(demo_app: Flask) -> None:
    loads = [Load(1, 5, 0, 4, 2.0), Load(2, 9, 1, 0, None), Load(3, 1, 3, 3, 0.0), Load(None, 7, 0, 0, None)]
    people = {number: Colleague(_Person(f"P{number}"), frozenset({"NL"})) for number in (1, 2, 3)}  # type: ignore[arg-type]
    orders = {"name": [1, 2, 3, None], "open": [2, None, 1, 3], "late": [3, 2, 1, None], "slow": [1, 3, 2, None]}
    assert set(orders) == set(workload_list.TABLE.sorts)
    with demo_app.test_request_context():
        lines = workload_list.lines(_reader(), loads, people, [])
        for sort, numbers in orders.items():
            found = workload_list.TABLE.ask(lines, MultiDict({"sort": sort}))
            assert [line.load.person_id for line in found.rows] == numbers, sort


class _Person:
    def __init__(self, name: str) -> None:
        self.name = name


def _reader() -> Context:
    return Context(Actor("Me", Role.PERSON, 1, (), frozenset({"NL"}), True))


def test_hand_overs_are_listed_narrowed_and_taken_along_by_both_sides(demo_app: Flask, pair: Pair) -> None:
    mine, theirs = _handed(demo_app, pair)
    rows = _rows(mine, "/desk/hand-overs.csv")
    assert [(row["From"], row["To"]) for row in rows] == [("you", "Bùi Quang")] * 2 + [("nobody yet", "you")]
    assert [row["What"] == "everything" for row in rows] == [True, False, False], "the last first"
    assert [row["Until"] for row in rows] == ["2099-12-31", "for good", "for good"]
    assert [row["Note"] for row in rows] == ["", "You know them.", ""]
    assert [row["What"] for row in _rows(mine, "/desk/hand-overs.csv?sort=oldest")] == [
        row["What"] for row in reversed(rows)
    ]
    for path in ("/desk/hand-overs", "/desk/workload"):
        page = mine.get(path).text
        assert all(row["What"] in page and row["Note"] in page for row in rows)
    narrowed = mine.get("/desk/hand-overs?q=know").text
    assert narrowed.count("/end") == 1
    assert len(_rows(mine, "/desk/hand-overs.csv?q=know")) == 1
    assert len(_rows(mine, "/desk/hand-overs.csv?from=nobody+yet")) == 1
    assert "No line is like that" in mine.get("/desk/hand-overs?q=zzz").text
    assert [(row["From"], row["To"]) for row in _rows(theirs, "/desk/hand-overs.csv")] == [("Hoàng Mai", "you")] * 2


def test_nobody_else_reads_of_hand_overs_between_others(demo_app: Flask, pair: Pair) -> None:
    _handed(demo_app, pair)
    with demo_app.app_context(), identity.database().transaction() as session:
        third = person_of(session, "administrator")
        session.add(OperatorPlace(person_id=third.id, place_code="VN-33", granted_at=Context(COMMAND_LINE).now))
    browser = sign_in(demo_app, "administrator")
    assert _rows(browser, "/desk/hand-overs.csv") == []
    assert "Nothing is handed over" in browser.get("/desk/hand-overs").text
    for path in ("/desk/hand-overs", "/desk/hand-overs.csv", "/desk/workload.xlsx"):
        assert sign_in(demo_app, "engineer").get(path).status_code == 403


def test_what_ends_soonest_stands_first_and_what_is_for_good_last(demo_app: Flask) -> None:
    days = {1: date(2026, 12, 1), 2: None, 3: date(2026, 11, 1)}
    rows = [
        HandOver(id=number, person_id=1, to_id=9, task="", key="", note="", until=day) for number, day in days.items()
    ]
    with demo_app.test_request_context(headers={"Accept-Language": "en"}):
        lines = workload_list.given_lines(_reader(), rows, [], {})
        found = workload_list.GIVEN.ask(lines, MultiDict({"sort": "ends"}))
        assert [one.row.id for one in found.rows] == [3, 1, 2]
        assert {one.receiver for one in lines} == {"somebody else"}, "only colleagues are called by name"

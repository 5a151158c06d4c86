"""Deals as a list and as a table, and the reasons of a no summed up: each person sees only what they may know."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from techex.brokering import service
from techex.brokering.deal_list import GROUPS, SORTS, Asked, Line, chosen, stages_of
from techex.brokering.pipeline import Stage
from techex.brokering.rules import Verb
from techex.brokering.service import Draft
from techex.brokering.tables import Interest
from techex.core.context import Context
from techex.listings.tables import Listing
from techex.organisations import service as organisations
from techex.regions.rules import Place
from techex.web import identity
from tests.cast import sign_in

from .stage import Pair, actor_of
from .test_deals import HOUSE, TEXTS, agreed

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
HERE, THERE = Place("VN", "33"), Place("VN", "79")
LINE = Line(1, "A pump", "en", "need", Stage.LEAD, (THERE, HERE), "", "", AT, AT, False, None)


@pytest.fixture
def deal(demo_app: Flask, pair: Pair, context: Context) -> int:
    with demo_app.app_context(), identity.database().transaction() as session:
        return agreed(session, context, pair).id


def _text(app: Flask, name: str, path: str) -> str:
    reply = sign_in(app, name).get(path)
    assert reply.status_code == 200
    return str(reply.get_data(as_text=True))


def test_filters_and_orders_of_the_list() -> None:
    lines = [
        LINE,
        replace(LINE, number=2, stage=Stage.SIGNED, moved=AT.replace(day=1), due="outcome"),
        replace(LINE, number=3, stage=Stage.LOST, places=(THERE, Place("NL"))),
    ]

    def numbers(**asked: Any) -> list[int]:
        return [line.number for line in chosen(lines, Asked(**asked))]

    assert numbers() == [3, 2, 1]
    assert numbers(sort="silent") == [2, 1, 3]
    assert numbers(sort="stage") == [1, 2, 3]
    assert numbers(stage="open") == [1]
    assert numbers(stage="contracts") == [2]
    assert numbers(stage="lost") == [3]
    assert numbers(place="NL") == [3]
    assert numbers(waiting=True) == [2]
    assert Asked().sort in SORTS
    assert not stages_of(Asked("open")) & stages_of(Asked("contracts"))
    assert set(Stage) - {Stage.LOST} == {stage for _, stages in GROUPS.values() for stage in stages}


def test_a_side_reads_the_name_of_the_other_only_after_the_introduction(demo_app: Flask, deal: int) -> None:
    assert "Đại học Phương Nam" in _text(demo_app, "operator", "/deals?view=list")
    page = _text(demo_app, "engineer", "/deals?view=list")
    assert f"/deals/{deal}" in page
    assert "Đại học Phương Nam" not in page
    assert "Đại học Phương Nam" not in _text(demo_app, "engineer", "/deals.csv")
    operator = sign_in(demo_app, "operator")
    assert operator.post(f"/deals/{deal}/introduce", data={"revision": 1}).status_code == 303
    assert "Đại học Phương Nam" in _text(demo_app, "engineer", "/deals?view=list")


@pytest.mark.parametrize("name", ["rival", "stranger", "other_operator", "administrator"])
def test_nobody_else_reads_of_it_in_list_or_table(demo_app: Flask, deal: int, name: str) -> None:
    assert f"/deals/{deal}" not in _text(demo_app, name, "/deals?view=list")
    assert len(_text(demo_app, name, "/deals.csv").splitlines()) == 1


def test_the_table_disarms_formulas(demo_app: Flask, pair: Pair, deal: int) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(Listing).where(Listing.id == pair.need).values(title="+cmd|calc"))
    rows = list(csv.DictReader(io.StringIO(_text(demo_app, "operator", "/deals.csv?stage=lead").lstrip("\ufeff"))))
    assert [row["About"] for row in rows] == ["'+cmd|calc"]


@pytest.mark.parametrize("query", ["stage=nonsense&sort=x&place=Mars&page=77", "stage=lost&waiting=1"])
def test_an_odd_address_still_answers(demo_app: Flask, deal: int, query: str) -> None:
    assert "Deals" in _text(demo_app, "operator", f"/deals?view=list&{query}")


def test_reasons_of_a_no_are_summed_up_for_sender_and_operator(demo_app: Flask, pair: Pair, context: Context) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        at = {name: Context(actor_of(session, name), context.now) for name in ("officer", "operator", "engineer")}
        sender = organisations.get_organisation(session, "dai-hoc-phuong-nam")
        for reason in ("benefit_unclear", "benefit_unclear", "too_early"):
            one = service.send(session, at["officer"], HOUSE, pair.need, sender, Draft(TEXTS, "en"), pair.offer)
            for name, verb in (("operator", Verb.SCREEN), ("operator", Verb.FORWARD)):
                service.take(session, at[name], HOUSE, one.id, verb)
            service.take(session, at["engineer"], HOUSE, one.id, Verb.DECLINE, reason=reason)
    for name in ("officer", "operator"):
        page = _text(demo_app, name, "/interests")
        assert "3 readers said no" in page
        assert page.index("The benefit is unclear") < page.index("Too early for us")
    assert "said no" not in _text(demo_app, "engineer", "/interests")


def test_a_long_list_of_expressions_of_interest_has_pages(demo_app: Flask, pair: Pair, context: Context) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        whole = {"language": "en", "who": "", "why": "", "state": "withdrawn", "sent_at": context.now}
        ends = {"listing_id": pair.need, "sender_id": pair.university, "receiver_id": pair.firm}
        session.add_all(Interest(**ends, **whole) for _ in range(60))
    first, last = (_text(demo_app, "officer", f"/interests{query}") for query in ("", "?page=99"))
    assert "Page 1 of 3" in first
    assert "Page 3 of 3" in last
    assert (first.count('href="/interests/'), last.count('href="/interests/')) == (25, 10)

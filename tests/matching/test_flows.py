"""Matches are counted by the place where they lie, each pair once, and only those the reader may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from techex.core.context import ANONYMOUS, Context
from techex.core.database import Database
from techex.listings import service
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.matching.flows import FRESH_SECONDS, MOST_REMEMBERED, Flow, Remembered, flows
from techex.matching.rules import Band
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft
from techex.regions.rules import Place
from techex.regions.service import countries

HUNG_YEN, HO_CHI_MINH, NETHERLANDS = Place("VN", "33"), Place("VN", "79"), Place("NL")


class Everything:
    """Every need matches every offer."""

    def outline(
        self, session: Session, context: Context, listings: Sequence[Listing], most: int = 5
    ) -> list[tuple[int, int, int, Band]]:
        rows = session.query(Listing).all()
        return [(own.id, row.id, 50 + row.id, "review") for own in listings for row in rows if row.kind != own.kind]


@pytest.fixture
def reader(context: Context) -> Context:
    return Context(ANONYMOUS, context.now)


def _post(database: Database, context: Context, kind: Kind, place: Place, **over: Any) -> int:
    values = {"title": "Sấy nhãn bằng bơm nhiệt", "summary": "Cần hệ thống sấy nhãn giữ màu và mùi của quả nhãn."}
    if kind is Kind.OFFER:
        values |= {"description": values["summary"] * 4, "advantages": "So với cách làm cũ thì rẻ hơn một nửa."}
    draft = checked_draft(kind, values, language="vi", country=place.country, province=place.province, **over)
    with database.transaction() as session:
        owner, _ = organisations.upsert(session, context, OrganisationDraft("Hợp tác xã Phố Hiến"))
        listing = service.post(session, context, owner, draft)
        service.publish(session, context, listing)
        return listing.id


def test_each_pair_counts_once_in_its_direction(database: Database, context: Context, reader: Context) -> None:
    _post(database, context, Kind.NEED, HUNG_YEN)
    _post(database, context, Kind.OFFER, HUNG_YEN)
    _post(database, context, Kind.OFFER, HO_CHI_MINH)
    _post(database, context, Kind.OFFER, HO_CHI_MINH)
    last = _post(database, context, Kind.NEED, NETHERLANDS)
    with database.reading() as session:
        found = flows(session, reader, Everything(), [HUNG_YEN])
        assert list(found.elsewhere) == [Flow(HO_CHI_MINH, 2, 0, 54), Flow(NETHERLANDS, 0, 1, 50 + last)]
        assert (found.within, found.looked_at) == (1, 2)
        whole = flows(session, reader, Everything(), [Place("VN")])
        assert [(flow.place, flow.incoming, flow.outgoing) for flow in whole.elsewhere] == [(NETHERLANDS, 0, 3)]
        assert whole.within == 3


def test_a_match_that_the_reader_may_not_see_leaves_no_trace(
    database: Database, context: Context, reader: Context
) -> None:
    _post(database, context, Kind.NEED, HUNG_YEN)
    _post(database, context, Kind.OFFER, HO_CHI_MINH, visibility="members")
    with database.reading() as session:
        assert flows(session, reader, Everything(), [HUNG_YEN]).elsewhere == []
        assert flows(session, context, Everything(), [HUNG_YEN]).elsewhere[0].incoming == 1


class Counting(Everything):
    """Says how often it was asked."""

    asked = 0

    def outline(
        self, session: Session, context: Context, listings: Sequence[Listing], most: int = 5
    ) -> list[tuple[int, int, int, Band]]:
        self.asked += 1
        return super().outline(session, context, listings, most)


def test_flows_are_counted_again_when_anything_changes_and_after_a_while(
    database: Database, context: Context, reader: Context
) -> None:
    _post(database, context, Kind.NEED, HUNG_YEN)
    matcher, remembered = Counting(), Remembered()

    def asked(by: Context = reader, place: Place = HUNG_YEN) -> int:
        with database.reading() as session:
            remembered.flows(session, by, matcher, [place])
        return matcher.asked

    assert [asked(), asked(), asked()] == [1, 1, 1]
    _post(database, context, Kind.OFFER, HO_CHI_MINH)
    assert [asked(), asked()] == [2, 2]
    with database.reading() as session:
        assert remembered.flows(session, reader, matcher, [HUNG_YEN]).elsewhere[0].place == HO_CHI_MINH
    assert asked(replace(reader, now=reader.now + timedelta(seconds=FRESH_SECONDS))) == 3
    assert asked(context) == 4, "who may see more is not shown what was counted for others"
    for code in list(countries())[: MOST_REMEMBERED + 1]:
        asked(place=Place(code))
    before = matcher.asked
    assert asked() == before + 1, "what was not asked for long is forgotten"

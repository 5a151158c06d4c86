"""Evidence for one reader: what is hidden is not cited, a text has evidence too, and looking for gaps ends in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from techex.core.context import ANONYMOUS, Actor, MemberRole, Membership, Role
from techex.embedding.cards import load_card
from techex.embedding.encoders import load_encoder
from techex.errors import ModelNotPrepared
from techex.listings.tables import Listing, ListingTransferForm
from techex.matching.alignment import Vectors
from techex.matching.pairs import Pairs, SearchText
from techex.organisations.tables import Organisation
from techex.search.collection import Raw

MEMBER = Actor("a member", Role.PERSON, person_id=1, memberships=(Membership(7, MemberRole.VIEWER, verified=True),))


@pytest.fixture
def pairs() -> Pairs:
    encoder = load_encoder(load_card("hashing"), Path())
    return Pairs(lambda texts: encoder.encode(texts, "listing"), Raw)


def listing(number: int, kind: str, **values: Any) -> Listing:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    columns = {name: values.pop(name) for name in ("trl", "budget_max", "price", "currency") if name in values}
    forms = [ListingTransferForm(code=code) for code in values.pop("transfer_forms", ())]
    return Listing(
        id=number,
        kind=kind,
        organisation_id=number,
        organisation=Organisation(id=number, kind="enterprise"),
        language="en",
        title=f"A {kind} about drying fruit",
        summary="Drying fruit without loss of colour.",
        country="VN",
        created_at=now,
        updated_at=now,
        body=values,
        transfer_rows=forms,
        **columns,
    )


@pytest.fixture
def need() -> Listing:
    return listing(
        1, "need", required_result="Capacity of at least 900 kg of fruit per day.", budget_max=5000, currency="USD"
    )


@pytest.fixture
def offer() -> Listing:
    return listing(
        2,
        "offer",
        description="The capacity is 600 kg of fruit per day. The trays turn slowly.",
        ip_numbers="Capacity patent VN 1-0012345 for 950 kg of fruit per day",
        price=9000,
        currency="USD",
    )


def test_both_orders_of_a_pair_are_one_pair(pairs: Pairs, need: Listing, offer: Listing) -> None:
    one, other = pairs.evidence(ANONYMOUS, need, offer), pairs.evidence(ANONYMOUS, offer, need)
    assert one.table is not None
    assert one.table is other.table


def test_what_a_reader_may_not_read_is_neither_cited_nor_compared(pairs: Pairs, need: Listing, offer: Listing) -> None:
    stranger = pairs.evidence(ANONYMOUS, need, offer)
    assert "1-0012345" not in str(stranger)
    assert stranger.facts["budget"].verdict == "unknown"
    assert "9000" not in str(stranger.facts["budget"])
    assert pairs.evidence(MEMBER, need, offer).facts["budget"].verdict == "clash"


def test_open_requirements_become_questions(pairs: Pairs, offer: Listing) -> None:
    need = listing(1, "need", required_result="Noise below 60 dB at two metres.")
    evidence = pairs.evidence(ANONYMOUS, need, offer)
    assert [question.values["asked"] for question in evidence.questions] == ["Noise below 60 dB at two metres"]


def test_the_words_of_a_search_have_evidence_as_a_need_has(pairs: Pairs, offer: Listing) -> None:
    text = "We are a cooperative of forty families. We need a capacity of at least 900 kg of fruit per day."
    evidence = pairs.evidence(ANONYMOUS, SearchText(text), offer)
    assert evidence.need.language == "en"
    assert evidence.table is not None
    (row,) = evidence.table.rows
    assert (row.verdict, "families" in row.requirement.text) == ("contradicts", False)


def test_a_text_that_only_describes_is_compared_sentence_by_sentence(pairs: Pairs, offer: Listing) -> None:
    evidence = pairs.evidence(
        ANONYMOUS, SearchText("Our fruit loses its colour. 900 kg of fruit per day.", "en"), offer
    )
    assert evidence.table is not None
    assert len(evidence.table.rows) == 2


def test_a_text_about_a_technology_is_held_against_a_need(pairs: Pairs, need: Listing) -> None:
    evidence = pairs.evidence(ANONYMOUS, SearchText("Our dryer has a capacity of 600 kg of fruit per day.", "en"), need)
    assert evidence.table is not None
    assert [row.verdict for row in evidence.table.rows if row.requirement.field == "required_result"] == ["contradicts"]


def test_what_a_pair_lacks_names_the_figure_and_counts_the_rest(pairs: Pairs, need: Listing, offer: Listing) -> None:
    lack = pairs.lacks(ANONYMOUS, need, [offer])[offer.id]
    assert lack.gap is not None
    assert lack.gap.message.values["asked"] == "at least 900 kg of fruit per day"
    assert (lack.met, lack.left_open, lack.requirements) == (0, 0, 1)


def test_no_pair_is_begun_once_the_time_is_up(pairs: Pairs, need: Listing) -> None:
    offers = [listing(number, "offer", description="600 kg of fruit per day.") for number in range(10, 20)]
    hours = iter(range(100))
    assert list(pairs.lacks(ANONYMOUS, need, offers, seconds=2, clock=lambda: next(hours))) == [10, 11]


def test_without_a_model_there_is_no_evidence_and_no_error(need: Listing, offer: Listing) -> None:
    def missing(texts: Sequence[str]) -> Vectors:
        raise ModelNotPrepared("run techex models prepare")

    pairs = Pairs(missing, Raw)
    assert pairs.evidence(ANONYMOUS, need, offer).table is None
    assert pairs.evidence(ANONYMOUS, need, offer).questions == ()
    assert pairs.lacks(ANONYMOUS, need, [offer]) == {}

"""Where a listing stands in a list that it may not be in, by the numbers that made the list."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.core import changes
from techex.core.context import Context
from techex.core.database import Database
from techex.listings.rules import Kind, State, Visibility
from techex.listings.tables import Listing
from techex.matching import candidates
from techex.matching.rules import PAGE_SIZE, Filters, Standing
from techex.matching.service import Matcher
from tests.matching.test_service import TEXT


def need_with_matches(session: Session, matcher: Matcher, reader: Context) -> Listing:
    for need in session.scalars(select(Listing).where(Listing.kind == Kind.NEED).order_by(Listing.id)).unique():
        if matcher.matches_for(session, reader, need).suitable:
            return need
    raise AssertionError("no need of the demo has a match")


def offer_below(session: Session, matcher: Matcher, reader: Context, need: Listing) -> tuple[Listing, Standing]:
    for offer in session.scalars(select(Listing).where(Listing.kind == Kind.OFFER)).unique():
        standing = matcher.standing_for(session, reader, need, offer)
        if standing.obstacle == "mark":
            return offer, standing
    raise AssertionError("everything fits")


def test_what_is_listed_stands_where_the_list_says(matcher: Matcher, demo: Database, reader: Context) -> None:
    with demo.reading() as session:
        need = need_with_matches(session, matcher, reader)
        page = matcher.matches_for(session, reader, need)
        for match in page.matches:
            standing = matcher.standing_for(session, reader, need, match.listing)
            assert (standing.obstacle, standing.place, standing.strength, standing.band) == (
                "",
                match.rank,
                match.strength,
                match.band,
            )
            assert standing.fitting == page.total
            assert standing.score == pytest.approx(match.score)
            assert sum(standing.parts.values()) == pytest.approx(match.score)


def test_what_is_below_the_mark_says_which_parts_pull_it_down(
    matcher: Matcher, demo: Database, reader: Context
) -> None:
    with demo.reading() as session:
        need = need_with_matches(session, matcher, reader)
        _, standing = offer_below(session, matcher, reader, need)
    assert standing.place is not None
    assert standing.place > standing.fitting
    assert standing.strength is not None
    assert standing.strength <= standing.floor
    lacks = [lack for _, lack in standing.pulled_down]
    assert lacks == sorted(lacks)
    assert max(lacks) < 0


def test_filters_that_leave_it_out_are_named_one_by_one(matcher: Matcher, demo: Database, reader: Context) -> None:
    with demo.reading() as session:
        need = need_with_matches(session, matcher, reader)
        offer = matcher.matches_for(session, reader, need).matches[0].listing
        filters = Filters(countries=("FJ",), fields=tuple(offer.fields), provinces=("01", "96"), trl_min=1)
        standing = matcher.standing_for(session, reader, need, offer, filters)
        free = matcher.standing_for(session, reader, need, offer)
    assert standing.obstacle == "filters"
    assert "countries" in standing.filtered_by
    assert not {"fields", "trl_min"} & set(standing.filtered_by)
    assert replace(standing, obstacle="", filtered_by=()) == free


def test_a_listing_of_the_same_kind_or_house_is_not_compared(matcher: Matcher, demo: Database, reader: Context) -> None:
    with demo.transaction() as session:
        need, other = session.scalars(select(Listing).where(Listing.kind == Kind.NEED).limit(2)).unique().all()
        assert matcher.standing_for(session, reader, need, other) == Standing("kind")
        offer = session.scalars(select(Listing).where(Listing.kind == Kind.OFFER)).unique().first()
        assert offer is not None
        need.organisation_id, need.reach = offer.organisation_id, "world"
        assert matcher.standing_for(session, reader, need, offer) == Standing("organisation")


def test_what_the_readers_index_does_not_hold_has_no_numbers(
    matcher: Matcher, demo: Database, context: Context, reader: Context
) -> None:
    with demo.reading() as session:
        need = need_with_matches(session, matcher, reader).id
        hidden = matcher.matches_for(session, reader, session.get_one(Listing, need)).matches[0].listing.id
    with demo.transaction() as session:
        session.get_one(Listing, hidden).visibility = Visibility.RESTRICTED.value
        changes.record(session, context, "listing", hidden, "edited")
    with demo.reading() as session:
        pair = session.get_one(Listing, need), session.get_one(Listing, hidden)
        assert matcher.standing_for(session, reader, *pair) == Standing("unsearched")


def test_a_need_that_looks_nearby_only_is_not_compared_with_what_is_far(
    matcher: Matcher, demo: Database, reader: Context
) -> None:
    with demo.reading() as session:
        offers = session.scalars(select(Listing).where(Listing.kind == Kind.OFFER)).unique().all()
        need = need_with_matches(session, matcher, reader).id
        abroad = next(offer.id for offer in offers if offer.country != "VN")
    for reach, obstacles in (("province", {"reach"}), ("world", {"", "mark"})):
        with demo.transaction() as session:
            session.get_one(Listing, need).reach = reach
        with demo.reading() as session:
            pair = session.get_one(Listing, need), session.get_one(Listing, abroad)
            assert matcher.standing_for(session, reader, *pair).obstacle in obstacles


def test_a_result_that_is_offered_nearby_only_is_not_compared_with_needs_that_are_far(
    matcher: Matcher, demo: Database, context: Context, reader: Context
) -> None:
    with demo.reading() as session:
        needs = session.scalars(select(Listing).where(Listing.kind == Kind.NEED)).unique().all()
        offers = session.scalars(select(Listing).where(Listing.kind == Kind.OFFER, Listing.country == "VN")).unique()
        offer = next(offers).id
        abroad = next(need.id for need in needs if need.country != "VN" and need.reach in ("world", None))
    for reach, obstacles in (("country", {"reach"}), ("world", {"", "mark"}), (None, {"", "mark"})):
        with demo.transaction() as session:
            listing = session.get_one(Listing, offer)
            listing.reach = reach
            changes.record(session, context, "listing", offer, "edited")
        with demo.reading() as session:
            need, listing = session.get_one(Listing, abroad), session.get_one(Listing, offer)
            assert matcher.standing_for(session, reader, need, listing).obstacle in obstacles
            assert matcher.standing_for(session, reader, listing, need).obstacle in obstacles


def test_a_text_has_standings_too(matcher: Matcher, demo: Database, reader: Context) -> None:
    with demo.reading() as session:
        first = matcher.matches_for_text(session, reader, TEXT).matches[0]
        standing = matcher.standing_for_text(session, reader, TEXT, first.listing)
    assert (standing.obstacle in ("", "mark"), standing.place, standing.strength) == (True, 1, first.strength)


def test_among_very_many_one_beyond_the_candidates_is_scored_and_has_no_place(
    matcher: Matcher, demo: Database, reader: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo.reading() as session:
        need = need_with_matches(session, matcher, reader)
        offer, whole = offer_below(session, matcher, reader, need)
        monkeypatch.setattr(candidates, "SCORED_WHOLE", PAGE_SIZE)
        monkeypatch.setattr(candidates, "CANDIDATES", 1)
        standing = matcher.standing_for(session, reader, need, offer)
    assert standing.compared < whole.compared
    assert (standing.obstacle, standing.place) == ("mark", None)
    assert standing.parts["whole"] == pytest.approx(whole.parts["whole"])


def test_a_listing_that_is_not_in_the_index_yet_is_compared_by_its_words(
    matcher: Matcher, demo: Database, context: Context, reader: Context
) -> None:
    with demo.reading() as session:
        need = need_with_matches(session, matcher, reader).id
        offer = matcher.matches_for(session, reader, session.get_one(Listing, need)).matches[0].listing.id
    with demo.transaction() as session:
        session.get_one(Listing, need).state = State.DRAFT.value
        changes.record(session, context, "listing", need, "edited")
    with demo.reading() as session:
        pair = session.get_one(Listing, need), session.get_one(Listing, offer)
        standing = matcher.standing_for(session, reader, *pair)
        back = matcher.standing_for(session, reader, *reversed(pair))
    assert (standing.mode, standing.obstacle in ("", "mark")) == ("keywords", True)
    assert back == Standing("unsearched")

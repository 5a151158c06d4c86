"""Matching as pages and the command line ask for it: whole exchange, real index, the deterministic encoder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.cli import techex
from techex.core.context import Context
from techex.core.database import Database
from techex.listings import service as listings
from techex.listings.rules import Kind, Visibility
from techex.listings.tables import Listing
from techex.matching.rules import Filters, MatchPage
from techex.matching.service import Matcher
from techex.regions import service as regions
from techex.regions.rules import Place
from tests.matching.conftest import settings_in

TEXT = "drying longan with a heat pump below 60 °C to keep its colour"


def _ids(page: MatchPage) -> list[int]:
    return [match.listing.id for match in page.matches]


def _ask(matcher: Matcher, demo: Database, reader: Context, text: str = TEXT, **options: Any) -> MatchPage:
    with demo.reading() as session:
        return matcher.matches_for_text(session, reader, text, **options)


def _listing(session: Session, key: str) -> Listing:
    return session.scalars(select(Listing).where(Listing.external_id == key)).unique().one()


def test_a_text_finds_results_and_says_why(matcher: Matcher, demo: Database, reader: Context) -> None:
    page = _ask(matcher, demo, reader)
    assert page.mode == "vectors"
    assert page.understood.language == "en"
    assert any("60" in quantity for quantity in page.understood.quantities)
    assert [match.rank for match in page.matches] == list(range(1, len(page.matches) + 1))
    strengths = [match.strength for match in page.matches]
    assert strengths == sorted(strengths, reverse=True)
    assert all(0 <= strength <= 100 for strength in strengths)
    first = page.matches[0]
    quoted = " ".join([first.listing.title, first.listing.summary, *first.listing.texts.values()])
    for quote in first.reasons.quotes:
        assert quote.theirs.strip("… ")[:40] in quoted.replace("\n", " ")


def test_needs_and_results_look_for_each_other(matcher: Matcher, demo: Database, reader: Context) -> None:
    with demo.reading() as session:
        need = _listing(session, "da-n-01")
        found = matcher.matches_for(session, reader, need)
        assert {match.listing.kind for match in found.matches} == {Kind.OFFER.value}
        back = matcher.matches_for(session, reader, found.matches[0].listing)
        assert {match.listing.kind for match in back.matches} == {Kind.NEED.value}
        assert need.organisation_id not in {match.listing.organisation_id for match in found.matches}


def test_a_withdrawn_result_is_gone_at_once_and_a_new_one_is_there(
    matcher: Matcher, demo: Database, reader: Context, context: Context
) -> None:
    first = _ids(_ask(matcher, demo, reader))[0]
    with demo.transaction() as session:
        listings.withdraw(session, context, listings.get_visible(session, context, first))
    assert first not in _ids(_ask(matcher, demo, reader))
    with demo.transaction() as session:
        listings.publish(session, context, session.get_one(Listing, first))
    assert first in _ids(_ask(matcher, demo, reader))


@pytest.mark.parametrize("visibility", [Visibility.MEMBERS, Visibility.RESTRICTED])
def test_what_a_reader_may_not_see_moves_nothing_that_they_see(
    matcher: Matcher, demo: Database, reader: Context, context: Context, visibility: Visibility, tmp_path: Path
) -> None:
    """Two worlds: in one a listing is hidden, in the other it was never there."""
    hidden = _ids(_ask(matcher, demo, reader))[0]
    with demo.transaction() as session:
        listing = listings.get_visible(session, context, hidden)
        listings.withdraw(session, context, listing)
    absent = _ask(matcher, demo, reader)
    with demo.transaction() as session:
        listing = session.get_one(Listing, hidden)
        listing.visibility = visibility.value
        listings.publish(session, context, listing)
    there = _ask(matcher, demo, reader)
    assert [(m.listing.id, m.strength, m.score, m.rank) for m in there.matches] == [
        (m.listing.id, m.strength, m.score, m.rank) for m in absent.matches
    ]
    assert (there.total, there.facets, there.pages) == (absent.total, absent.facets, absent.pages)
    with demo.reading() as session:
        title = session.get_one(Listing, hidden).title
        assert hidden in _ids(matcher.matches_for_text(session, context, title))
        assert hidden not in _ids(matcher.matches_for_text(session, reader, title))


def test_filters_hold_for_every_match_and_counts_agree(matcher: Matcher, demo: Database, reader: Context) -> None:
    everything = _ask(matcher, demo, reader)
    for filters, holds in (
        (Filters(trl_min=7), lambda row: (row.trl or 0) >= 7),
        (Filters(countries=("NL", "TH")), lambda row: row.country in ("NL", "TH")),
        (Filters(fields=("211",)), lambda row: "211" in row.fields),
        (Filters(transfer_forms=("licence_nonexclusive",)), lambda row: "licence_nonexclusive" in row.transfer_forms),
        (Filters(verified=("yes",)), lambda row: row.organisation.verified_at is not None and not row.anonymous),
        (Filters(organisation_kinds=("university",)), lambda row: row.organisation.kind == "university"),
        (Filters(regions=("MEKONG_DELTA",)), lambda row: regions.region_of(row.province) == "MEKONG_DELTA"),
    ):
        page = _ask(matcher, demo, reader, filters=filters)
        assert all(holds(match.listing) for match in page.matches), filters
        assert page.total <= max(everything.total, 3) or not page.suitable


def test_only_other_regions_than_mine(matcher: Matcher, demo: Database, reader: Context) -> None:
    here = Place("VN", "33")
    page = _ask(matcher, demo, reader, place=here, filters=Filters(elsewhere=True))
    assert page.matches
    home = regions.region_of("33")
    assert all(regions.region_of(match.listing.province) != home for match in page.matches)
    assert all(match.distance_km for match in page.matches if match.listing.province)


def test_without_the_model_words_are_searched_and_the_page_says_so(
    demo: Database, reader: Context, tmp_path: Path
) -> None:
    page = _ask(Matcher(settings_in(tmp_path, "multilingual-e5-small"), demo), demo, reader, "longan dryer heat pump")
    assert page.mode == "keywords"
    assert page.notes
    assert page.matches


@pytest.mark.parametrize(
    "text", ["🙂🙂", "…", "a", "công nghệ " * 400, "<script>alert(1)</script>", '" OR col:x NEAR(']
)
def test_odd_texts_get_an_answer(matcher: Matcher, demo: Database, reader: Context, text: str) -> None:
    assert _ask(matcher, demo, reader, text).page == 1


@pytest.mark.parametrize("page", [0, -3, 10**9])
def test_pages_beyond_either_end_are_the_nearest(matcher: Matcher, demo: Database, reader: Context, page: int) -> None:
    found = _ask(matcher, demo, reader, page=page)
    assert 1 <= found.page <= found.pages


def test_the_command_line_prints_what_a_script_needs(
    embedded_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(embedded_file, tmp_path / "techex.db")
    monkeypatch.setenv("TECHEX_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TECHEX_CARD", "hashing")
    monkeypatch.setenv("TECHEX_INDEXES_DIR", str(tmp_path))
    done = CliRunner().invoke(techex, ["match", TEXT, "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    rows = json.loads(done.stdout)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert {"rank", "kind", "title", "organisation", "region", "strength", "reasons", "url"} <= set(rows[0])
    far = CliRunner().invoke(
        techex, ["match", TEXT, "--region", "Mekong River Delta", "--json"], catch_exceptions=False
    )
    assert {row["region"] for row in json.loads(far.stdout)} == {"Mekong River Delta"}

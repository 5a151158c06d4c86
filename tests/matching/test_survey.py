"""The look over the whole exchange: it says what the pages say, knows no more than its readers, and can be repeated."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from techex.core.context import Context
from techex.core.database import Database
from techex.listings.rules import Kind, Visibility
from techex.listings.tables import Listing
from techex.matching import batch, survey, surveyed
from techex.matching.service import Matcher
from techex.matching.strength import EXPLORE
from techex.matching.survey_tables import Survey, SurveyedListing, SurveyedPair

from .conftest import settings_in


def test_it_finds_what_the_pages_find(
    demo: Database,
    tmp_path: Path,
    matcher: Matcher,
    context: Context,
    reader: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "FEW", 200)  # all results: a page lets its best two hundred speak for their neighbours
    assert "public: 89 needs" in str(survey.look_over(settings_in(tmp_path), demo, context))
    with demo.reading() as session:
        for need in session.scalars(select(Listing).where(Listing.kind == Kind.NEED).limit(6)).unique():
            page = matcher.matches_for(session, reader, need)
            found = surveyed.nearest(session, reader, [need.id])[need.id]
            assert [(one.listing.id, one.strength) for one in page.matches[:3]] == found[: len(page.matches[:3])]
            row = session.get_one(SurveyedListing, (survey.PUBLIC, need.id))
            assert (row.best >= EXPLORE) is page.suitable
            assert row.suitable == (page.total if page.suitable else 0)


def test_a_second_look_waits_until_something_has_changed(demo: Database, tmp_path: Path, context: Context) -> None:
    settings = settings_in(tmp_path)
    assert survey.look_over(settings, demo, context)
    assert survey.look_over(settings, demo, context) is None
    with demo.transaction() as session:
        session.execute(update(Survey).values(change=-1, seconds=60.0))
    assert survey.look_over(settings, demo, context) is None, "it rests after a long look"
    later = Context(context.actor, context.now + timedelta(hours=1))
    with demo.reading() as session:
        before = session.scalar(select(func.count()).select_from(SurveyedPair))
    assert survey.look_over(settings, demo, later)
    with demo.reading() as session:
        assert session.scalar(select(func.count()).select_from(SurveyedPair)) == before


def test_what_not_everybody_reads_is_in_no_public_figure(demo: Database, tmp_path: Path, context: Context) -> None:
    with demo.transaction() as session:
        offers = session.scalars(select(Listing.id).where(Listing.kind == Kind.OFFER).order_by(Listing.id)).all()
        hidden, gone = offers[:20], offers[20:]
        session.execute(update(Listing).where(Listing.id.in_(hidden)).values(visibility=Visibility.RESTRICTED.value))
        session.execute(update(Listing).where(Listing.id.in_(gone[:5])).values(state="withdrawn"))
    survey.look_over(settings_in(tmp_path), demo, context)
    with demo.reading() as session:
        for scope, wanted in ((survey.PUBLIC, 0), (survey.ALL, 20)):
            asked = SurveyedListing.scope == scope, SurveyedListing.listing_id.in_(hidden)
            assert session.scalar(select(func.count()).where(*asked)) == wanted
        shown = set(session.scalars(select(SurveyedPair.offer_id).where(SurveyedPair.scope == survey.PUBLIC)))
        assert not shown & set(hidden)
        assert not shown & set(gone[:5])

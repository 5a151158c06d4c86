"""Figures of verdicts that everybody may see: of public pairs, nothing below five."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from techex.core.context import Context
from techex.core.database import Database
from techex.listings.rules import Kind, Visibility
from techex.matching import verdicts
from techex.matching.tables import PairVerdict
from techex.matching.verdict_figures import VerdictFigures, verdict_figures
from techex.matching.verdicts import Judgement, Refusal, Shown
from tests.matching.test_verdicts import listed


def judged(
    database: Database,
    context: Context,
    pair: tuple[int, int],
    judgement: Judgement,
    strength: float,
    times: int,
    reason: Refusal | None = None,
) -> None:
    """Verdicts of as many people."""
    shown = Shown(score=1.0, parts={}, raw_strength=strength, strength=strength)
    with database.transaction() as session:
        verdicts.give(session, context, *pair, judgement, shown, reason)
        session.flush()
        one = session.query(PairVerdict).order_by(PairVerdict.id.desc()).first()
        assert one is not None
        one.given_by = f"{judgement} 0 {strength}"
        for number in range(1, times):
            copied = {name: getattr(one, name) for name in ("need_id", "offer_id", "judgement", "reason", "shown")}
            session.add(PairVerdict(**copied, given_by=f"{judgement} {number} {strength}", given_at=context.now))


def figures(database: Database) -> VerdictFigures | None:
    with database.reading() as session:
        return verdict_figures(session)


@pytest.fixture
def pair(database: Database, context: Context) -> tuple[int, int]:
    return listed(database, context, Kind.NEED), listed(database, context, Kind.OFFER)


def test_four_verdicts_are_no_figure(database: Database, context: Context, pair: tuple[int, int]) -> None:
    judged(database, context, pair, Judgement.FIT, 90, 4)
    assert figures(database) is None


def test_what_is_rarer_than_five_is_left_out(database: Database, context: Context, pair: tuple[int, int]) -> None:
    judged(database, context, pair, Judgement.FIT, 90, 6)
    judged(database, context, pair, Judgement.NO, 85, 2, Refusal.TOO_EARLY)
    judged(database, context, pair, Judgement.NO, 45, 5, Refusal.OUT_OF_SCOPE)
    judged(database, context, pair, Judgement.PARTLY, 65, 3)
    found = figures(database)
    assert found is not None
    assert found.verdicts == 16
    assert [(one.band, one.verdicts, one.fit, one.partly, one.no) for one in found.bands] == [
        ("introduce", 8, 6, None, None),
        ("explore", 5, None, None, 5),
    ]
    assert found.reasons == {"out_of_scope": 5}


def test_pairs_that_not_everybody_may_see_are_not_counted(
    database: Database, context: Context, pair: tuple[int, int]
) -> None:
    hidden = listed(database, context, Kind.OFFER, Visibility.RESTRICTED)
    judged(database, context, (pair[0], hidden), Judgement.FIT, 90, 9)
    assert figures(database) is None


def test_the_quality_page_shows_them(
    database: Database, context: Context, pair: tuple[int, int], client: FlaskClient
) -> None:
    english = {"Accept-Language": "en"}
    assert "Fewer than 5 pairs" in client.get("/quality", headers=english).text
    judged(database, context, pair, Judgement.NO, 45, 5, Refusal.OUT_OF_SCOPE)
    page = client.get("/quality", headers=english).text
    assert "judged 5 pairs" in page
    assert "out of scope" in page

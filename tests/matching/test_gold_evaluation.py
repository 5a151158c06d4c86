"""The demo exchange is measured as a whole: strengths on needs left out, languages side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from techex.embedding.cards import load_card
from techex.embedding.encoders import load_encoder
from techex.matching import evaluated
from techex.matching.evaluated import Measured
from techex.matching.gold_evaluation import evaluate_demo
from techex.matching.strength import WEIGHTS

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """By words alone: no figure is good, every figure is there."""
    encoder = load_encoder(load_card("hashing"), tmp_path_factory.mktemp("models"))
    return evaluate_demo(encoder, "hashing", NOW, ablate=False)


def test_every_need_is_judged_by_a_curve_that_does_not_know_it(measured: Measured) -> None:
    found = measured.reliability
    assert found is not None
    assert found.abstention is not None
    assert found.pairs == 10 * measured.needs
    assert sum(point.pairs for point in found.curve) == found.pairs
    assert found.error < 0.1
    assert (found.abstention.unmatched, found.abstention.matched) == (10, 79)
    assert found.in_use["figures"] == pytest.approx(WEIGHTS["figures"])
    assert set(found.fitted) == set(found.in_use)


def test_languages_with_enough_fitting_pairs_stand_side_by_side(measured: Measured) -> None:
    found = measured.parity
    assert found is not None
    pairs = {(pair.need, pair.result): pair for pair in found.pairs}
    assert ("vi", "en") in pairs
    assert ("vi", "vi") in pairs
    assert all(pair.right >= 5 for pair in found.pairs)


def test_what_was_measured_can_be_kept(measured: Measured, tmp_path: Path) -> None:
    evaluated.save(measured, tmp_path)
    assert evaluated.load(tmp_path) == measured

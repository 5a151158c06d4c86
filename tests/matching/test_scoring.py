from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from techex.embedding.centring import unit
from techex.matching import scoring
from techex.matching.scoring import (
    Scale,
    coverage,
    evened,
    feedback_weights,
    lexical_weight,
    neighbours,
    noise,
    order,
    scale,
)
from techex.matching.strength import band, falling, strength, strength_of_pair, strength_of_words

FLOATS = st.floats(-10, 10, allow_nan=False)


def test_a_reference_of_a_few_listings_is_drawn_to_what_is_usual() -> None:
    few = scale(np.array([0.5, 0.5]), (0.0, 0.07))
    many = scale(np.full(10_000, 0.5), (0.0, 0.07))
    assert 0 < few.mean < 0.1 < many.mean
    assert few.spread > 0.05


def test_without_any_reference_the_usual_scale_holds() -> None:
    assert scale(np.array([]), (0.1, 0.07)) == Scale(0.1, 0.07)
    assert scale(np.array([-np.inf, -np.inf]), (0.1, 0.07)) == Scale(0.1, 0.07)


def test_a_need_is_covered_when_all_its_passages_are_answered() -> None:
    half = coverage(np.array([[0.8, 0.6], [0.1, 0.6]]))
    assert half[1] > half[0]
    assert coverage(np.array([[0.3, 0.8]])).tolist() == pytest.approx([0.3, 0.8])


def test_the_own_language_is_no_merit() -> None:
    own, other = evened(np.array([0.7, 0.6]), np.array([True, False]))
    assert own < other


def test_a_listing_without_vectors_counts_as_average() -> None:
    whole, passages = scoring.dense(np.array([np.nan, 2.0]), np.array([-np.inf, 2.0]))
    assert (whole + passages).tolist() == pytest.approx([0.0, 2.0])


def test_words_count_more_in_a_long_need_and_less_in_two_words() -> None:
    assert lexical_weight(2) < lexical_weight(20) < lexical_weight(400)
    assert lexical_weight(400) == pytest.approx(lexical_weight(100_000), rel=0.02)


def test_words_shared_by_chance_are_expected_within_a_language_only() -> None:
    chance = np.array([0.05, 0.1, 0.08])
    assert noise(chance, True) > noise(np.zeros(3), False)


@given(st.lists(FLOATS, min_size=1, max_size=20))
def test_feedback_weights_are_shares(scores: list[float]) -> None:
    weights = feedback_weights(np.array(scores))
    assert weights.sum() == pytest.approx(1)
    assert weights[np.argmax(scores)] == weights.max()


@given(st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=1, max_size=30))
def test_equal_scores_stand_in_the_order_of_their_ids(scores: list[float]) -> None:
    ids = np.arange(len(scores))[::-1].copy()
    places = order(ids, np.array(scores))
    keys = [(-scores[place], ids[place]) for place in places]
    assert keys == sorted(keys)


@given(st.lists(FLOATS, min_size=2, max_size=30), st.integers(0, 500))
def test_strength_grows_with_the_score_from_0_to_100(scores: list[float], words: int) -> None:
    ordered = np.sort(np.array(scores))
    for curve in (strength(ordered, words), strength_of_pair(ordered), strength_of_words(ordered)):
        assert (np.diff(curve) >= 0).all()
        assert curve.min() >= 0
        assert curve.max() <= 100


@given(st.lists(st.floats(0, 100), max_size=30))
def test_strengths_never_rise_along_a_list(strengths: list[float]) -> None:
    shown = falling(np.array(strengths))
    assert (np.diff(shown) <= 1e-9).all()
    assert shown.sum() == pytest.approx(sum(strengths))


def test_bands_have_words() -> None:
    assert [band(value) for value in (95, 80, 79.9, 60, 59, 40, 39.9)] == [
        *("introduce", "introduce", "review", "review", "explore", "explore", "none"),
    ]


def test_good_neighbours_speak_for_a_listing_and_bad_ones_against_it() -> None:
    two_groups = unit(np.array([[1.0, 0.1], [1.0, 0.0], [0.1, 1.0], [0.0, 1.0]], np.float32))
    languages = np.arange(4, dtype=np.int32)
    gained = neighbours(np.array([2.0, 5.0, 2.0, 1.0]), two_groups, languages)
    assert gained[0] > 0 > gained[2]
    assert gained[0] <= scoring.NEIGHBOUR_SHARE * (5.0 - 2.0) + 1e-6
    assert np.allclose(neighbours(np.full(4, 3.0), two_groups, languages), 0)


def test_a_listing_alone_has_no_neighbours() -> None:
    assert neighbours(np.array([3.0]), np.ones((1, 2), np.float32), np.zeros(1, np.int32)).tolist() == [0.0]
    assert len(neighbours(np.empty(0), np.empty((0, 2), np.float32), np.empty(0, np.int32))) == 0

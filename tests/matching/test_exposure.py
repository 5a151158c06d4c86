"""Hubs are counted, and a correction takes them out of lists they do not belong in."""

from __future__ import annotations

import numpy as np

from techex.matching.exposure import corrected, occurrences, skewness

RANDOM = np.random.default_rng(3)


def scores_with_a_hub() -> np.ndarray:
    scores = RANDOM.normal(size=(60, 40))
    scores[:, 7] += 2.5
    return scores


def test_an_offer_in_every_list_is_counted_and_makes_counts_skew() -> None:
    even, hub = RANDOM.normal(size=(60, 40)), scores_with_a_hub()
    assert occurrences(hub).sum() == 600
    assert occurrences(hub).argmax() == 7
    assert skewness(occurrences(hub)) > 1 > skewness(occurrences(even))


def test_the_correction_lowers_a_hub_and_keeps_a_true_pair() -> None:
    scores = scores_with_a_hub()
    scores[5, 3] = 6.0
    after = corrected(scores, share=1.0)
    assert occurrences(after)[7] < occurrences(scores)[7] / 2
    assert after[5].argmax() == 3


def test_even_counts_are_not_skew() -> None:
    assert skewness(np.full(9, 4)) == 0

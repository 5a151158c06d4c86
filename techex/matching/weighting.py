"""How much each part of a score should count, learned from pairs of offers that people told apart. Pure.

Regularised pairwise logistic regression (Joachims 2002 for the pairs): an offer that fits should score above one that
does not, the difference being  sum over parts of factor * (contribution of the one - of the other).  Factors are drawn
towards 1, so that a part of which the verdicts say nothing keeps its weight.

Two kinds of pairs are needed. Offers above the first fit are refused, those below are often not judged at all; from the
judged alone one would learn that whatever scores high is bad. So a fit is also compared with unjudged listings of the
same list: most of them would have been refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# Unjudged listings from the head of a list that a fit is compared with.
UNJUDGED = 30
# A factor outside these would mean that a part is broken, not that it counts more or less.
LEAST_FACTOR, MOST_FACTOR = 0.1, 4.0


@dataclass(frozen=True)
class Comparisons:
    """`differences` (p, k) of contributions, better minus worse, and `weights` (p,)."""

    differences: Numbers
    weights: Numbers


def comparisons(contributions: Numbers, grades: Mapping[int, float]) -> Comparisons:
    """What one list teaches: contributions (k, n), best first, and grades 0-1 by place for what was judged.

    Each kind of pair weighs one in all, however long the list, so that every need has the same voice.
    """
    rows, weights = [], []
    told_apart = [(a, b, x - y) for a, x in grades.items() for b, y in grades.items() if x > y]
    for better, worse, apart in told_apart:
        rows.append(contributions[:, better] - contributions[:, worse])
        weights.append(apart / len(told_apart))
    fits = [(place, grade) for place, grade in grades.items() if grade > 0]
    others = [place for place in range(min(UNJUDGED, contributions.shape[1])) if not grades.get(place)]
    for better, grade in fits:
        for worse in others:
            rows.append(contributions[:, better] - contributions[:, worse])
            weights.append(grade / len(fits) / len(others))
    parts = contributions.shape[0]
    return Comparisons(np.array(rows).reshape(len(rows), parts), np.array(weights))


def together(lists: list[Comparisons]) -> Comparisons:
    """The comparisons of several needs in one; at least one must be given."""
    return Comparisons(
        np.concatenate([each.differences for each in lists]), np.concatenate([each.weights for each in lists])
    )


def same_scale(contributions: Numbers, factors: Numbers) -> float:
    """What to multiply factors (k,) with, so that pairs with these contributions (k, n) keep their mean score.

    The scale changes no order, and strength is read off the score.
    """
    before, after = float(contributions.sum(axis=0).mean()), float((factors @ contributions).mean())
    return before / after if before > 0 and after > 0 else 1.0


def fit_factors(given: Comparisons, firmness: float) -> Numbers:
    """(k,) factors; the greater `firmness`, the nearer to 1. A part that never differs keeps 1."""

    from scipy.optimize import minimize  # only learning needs to wait for it

    def loss(factors: Numbers) -> tuple[float, Numbers]:
        margins = given.differences @ factors
        value = given.weights @ np.logaddexp(0, -margins) + firmness / 2 * ((factors - 1) ** 2).sum()
        pull = given.weights * 0.5 * (1 - np.tanh(margins / 2))
        return float(value), firmness * (factors - 1) - pull @ given.differences

    parts = given.differences.shape[1]
    found = minimize(loss, np.ones(parts), jac=True, method="L-BFGS-B", bounds=[(LEAST_FACTOR, MOST_FACTOR)] * parts)
    factors: Numbers = found.x
    return factors

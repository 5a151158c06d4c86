"""How evenly offers and places are shown: hubs that sit in everybody's list, cities that fill a list. Pure.

A correction of hubs is measured here and not served: see DECISIONS.md.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from techex.matching import metrics, ranking
from techex.matching.evaluated import Exposure, Hubs, Spread
from techex.matching.gold import GoldSet
from techex.matching.spread import BOUND, spread

Numbers = NDArray[np.float64]

FIRST = 10
# Cross-domain similarity local scaling (Conneau et al. 2018): half of the mean score that an offer has with the needs
# that like it most is taken off. On the demo neighbours of 5 and 20 and shares of .25 and 1 give nDCG@10 within .005.
NEIGHBOURS = 10
SHARE = 0.5


def occurrences(scores: Numbers) -> NDArray[np.int64]:
    """(n,) in how many of the first tens of (q, n) scores each offer stands."""
    first = np.argsort(-scores, axis=1, kind="stable")[:, :FIRST]
    return np.bincount(first.ravel(), minlength=scores.shape[1])


def skewness(counts: NDArray[np.int64]) -> float:
    """The third standardised moment: about 0 without hubs, above 1 with a few (Radovanović et al. 2010)."""
    apart = counts - counts.mean()
    return float((apart**3).mean() / max(float(counts.std()), 1e-9) ** 3)


def corrected(scores: Numbers, neighbours: int = NEIGHBOURS, share: float = SHARE) -> Numbers:
    """(q, n) scores less `share` of what each offer scores with those of the other queries that like it most."""
    found = np.empty_like(scores)
    for row in range(len(scores)):
        others = np.sort(np.delete(scores, row, axis=0), axis=0)[-neighbours:]
        found[row] = scores[row] - share * others.mean(axis=0)
    return found


def demo_exposure(gold: GoldSet) -> Exposure:
    """Measured on the lists of all needs; quality on those for which something fits."""
    scores = np.full((len(gold.needs), len(gold.names)), -np.inf)
    for row, need in enumerate(gold.needs):
        found = ranking.rank([gold.offers], need.query)
        scores[row, found.ids - 1] = found.scores
    facts = [gold.offers.facts(number) for number in range(1, len(gold.names) + 1)]
    places = [(each.country, each.province) if each else ("", None) for each in facts]
    orders = [np.argsort(-row, kind="stable").tolist() for row in scores]
    spread_out = [_spread(row, order, places) for row, order in zip(scores, orders, strict=True)]
    return Exposure(
        served=_hubs(gold, scores),
        corrected=_hubs(gold, corrected(scores)),
        spread=Spread(
            bound=BOUND,
            ndcg=_ndcg(gold, orders),
            ndcg_spread=_ndcg(gold, spread_out),
            places=_places(orders, places),
            places_spread=_places(spread_out, places),
        ),
    )


def _hubs(gold: GoldSet, scores: Numbers) -> Hubs:
    counts = occurrences(scores)
    orders = [np.argsort(-row, kind="stable").tolist() for row in scores]
    return Hubs(
        ndcg=_ndcg(gold, orders),
        skewness=skewness(counts),
        most=int(counts.max()),
        never=float(np.mean(counts == 0)),
    )


def _ndcg(gold: GoldSet, orders: Sequence[Sequence[int]]) -> float:
    told = [
        metrics.ndcg([gold.names[at] for at in order], need.grades)
        for need, order in zip(gold.needs, orders, strict=True)
        if not need.unmatched
    ]
    return float(np.mean(told))


def _spread(scores: Numbers, order: Sequence[int], places: Sequence[Hashable]) -> list[int]:
    return [order[at] for at in spread([float(scores[at]) for at in order], [(places[at],) for at in order])]


def _places(orders: Sequence[Sequence[int]], places: Sequence[Hashable]) -> float:
    """How many places a list's first ten come from, on average."""
    return float(np.mean([len({places[at] for at in order[:FIRST]}) for order in orders]))

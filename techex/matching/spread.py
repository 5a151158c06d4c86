"""A list in which no place crowds out the others: a re-ordering whose price is bounded. Pure.

From the first place on, the listing is shown next whose score is greatest after PENALTY has been taken off for every
listing from the same place that was shown before, MOST times at most. So wherever a listing stands, none behind it is
better by more than PENALTY * MOST, and a list in which all places are different stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from techex.matching.best_pairs import Pair

# In spreads of random pairs, as scores are. On the demo exchange nDCG@10 falls from .9328 to .9326, and to .9310 where
# six of ten offers are said to lie in one city: of the first ten there 4.3 instead of 5.5 come from it.
PENALTY = 0.3
MOST = 3
BOUND = PENALTY * MOST

# For pairs, in points of strength, for either end: at most 12 of 100.
PAIR_PENALTY = 2.0


def spread(
    scores: Sequence[float], places: Sequence[Sequence[Hashable]], *, penalty: float = PENALTY, most: int = MOST
) -> list[int]:
    """The order in which to show what has these scores, as indices; each belongs to one or several places.

    Equal ones keep their order.
    """
    seen: Counter[Hashable] = Counter()
    left = sorted(range(len(scores)), key=lambda at: -scores[at])
    order: list[int] = []
    while left:
        best, where = float("-inf"), 0
        for index, at in enumerate(left):
            if scores[at] <= best:
                break  # those behind are weaker still
            value = scores[at] - penalty * sum(min(seen[place], most) for place in places[at])
            if value > best:
                best, where = value, index
        chosen = left.pop(where)
        order.append(chosen)
        seen.update(places[chosen])
    return order


def spread_pairs(pairs: Sequence[Pair]) -> list[int]:
    """The order in which to show pairs, strength first: neither the places of needs nor of results crowd the list."""
    ends = [(("need", pair.need.place.code), ("result", pair.offer.place.code)) for pair in pairs]
    return spread([pair.strength for pair in pairs], ends, penalty=PAIR_PENALTY)

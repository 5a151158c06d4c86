"""Whether an offered quantity satisfies an asked one, and by how much it misses. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from techex.quantities.measured import Better, better_of, kinds_of
from techex.quantities.reading import Quantity
from techex.quantities.units import COUNTED, TIME_NAMES
from techex.quantities.words import Relation

Holds = Literal["met", "contradicts", "open"]

# Rounding in two texts ("0.3 m", "30 cm") must not decide.
EQUAL = 1e-6
# An asked bare figure of which no direction is known ("60 °C") is met by what is this near.
NEAR = 0.05
# Figures that differ by more measure different things, whatever their words say: seconds of work, years of life.
SAME_SIZE = 12.0
# "20 t a day" and "2 t an hour" depend on the hours worked: between these, a lower capacity is not a contradiction.
HOURS_WORKED = 4.0


@dataclass(frozen=True)
class Agreement:
    """How an offered quantity stands to an asked one; `gap` is the miss as a share of what is asked, 0 if none."""

    holds: Holds
    gap: float = 0.0


OPEN = Agreement("open")
MET = Agreement("met")


def comparable(asked: Quantity, offered: Quantity) -> bool:
    """Whether the two measure the same kind of thing by unit, words and size; meaning is for others to judge."""
    if offered.baseline or not _same_unit(asked, offered):
        return False
    if offered.reached and "reduction" in kinds_of(asked):
        return False
    own, theirs = kinds_of(asked), kinds_of(offered)
    if own and theirs and not own & theirs:
        return False
    if asked.unit.over == "degC":
        return True
    small, large = sorted((abs(asked.value), abs(offered.value)))
    return large <= SAME_SIZE * small if small else large == 0


def _same_unit(asked: Quantity, offered: Quantity) -> bool:
    if asked.unit.dimension == offered.unit.dimension:
        return True
    # "10 minutes per module" and "8 minutes" are the same claim where the thing is counted.
    unders = {asked.unit.under, offered.unit.under}
    same_over = asked.unit.dimension.partition(" per ")[0] == offered.unit.dimension.partition(" per ")[0]
    return same_over and all(not under or under in COUNTED for under in unders) and asked.unit.over not in COUNTED


def compare(asked: Quantity, offered: Quantity, surroundings: bool = False) -> Agreement:
    """What an offered quantity says about an asked one that it is comparable with.

    `surroundings` is True where the asked figure describes the place (a constraint) and not a result: then only an
    explicit bound ("at most 25 kW") can be contradicted, and no duration (of power cuts, of seasons).
    """
    low, high = asked_ends(asked)
    first, last = _offered_ends(asked, offered)
    below = low is not None and last is not None and last < low - EQUAL * abs(low)
    above = high is not None and first is not None and first > high + EQUAL * abs(high)
    # A guarantee of "at least 90" does not satisfy "at least 95", though 96 would be at least 90. Sizes are different:
    # who marks tools "from 3 mm" also marks those "from 4 mm".
    if high is None and last is None and low is not None and first is not None and first < low - EQUAL * abs(low):
        if _FROM.match(asked.text) and better_of(asked) is not Better.HIGHER:
            return MET
        below = True
    if low is None and first is None and high is not None and last is not None:
        above = last > high + EQUAL * abs(high)
    if below or above:
        bound = low if below else high
        reached = (last if last is not None else first) if below else (first if first is not None else last)
        if surroundings and (asked.relation not in _EXPLICIT or asked.unit.over in TIME_NAMES):
            return OPEN
        return _missed(asked, offered, bound or 0.0, reached or 0.0)
    inside = (low is None or (first is not None and first >= low - EQUAL * abs(low))) and (
        high is None or (last is not None and last <= high + EQUAL * abs(high))
    )
    covers = None not in (low, high, first, last) and first <= low and last >= high  # type: ignore[operator]
    reaches = offered.relation is Relation.UP_TO and high is None
    return MET if inside or covers or reaches else OPEN


_FROM = re.compile(r"(?:từ|from|mulai|vanaf|ab|à partir)\b", re.I)
_EXPLICIT = (Relation.AT_LEAST, Relation.AT_MOST)


def asked_ends(asked: Quantity) -> tuple[float | None, float | None]:
    """The ends of what satisfies; a bare figure gets the open end that lies in the better direction."""
    low, high = asked.base
    if asked.relation is Relation.UP_TO:
        return (None, high) if better_of(asked) is Better.LOWER else (high, None)
    if asked.relation not in (Relation.EXACTLY, Relation.ABOUT) or low is None or high is None:
        return low, high
    match better_of(asked):
        case Better.HIGHER:
            return low, None
        case Better.LOWER:
            return None, high
        case _:
            return low - NEAR * abs(low), high + NEAR * abs(high)


def _offered_ends(asked: Quantity, offered: Quantity) -> tuple[float | None, float | None]:
    first, last = offered.base
    # The far end of an ability ("up to 500 kg/h") is what it reaches.
    if (
        offered.relation is Relation.UP_TO
        and better_of(asked) is not Better.LOWER
        and asked.relation is Relation.AT_MOST
    ):
        return None, None
    return first, last


def _missed(asked: Quantity, offered: Quantity, bound: float, reached: float) -> Agreement:
    # A bare figure without a direction says what is usual ("30 mm tubes", "120 people"): only of a temperature is it
    # plain that another one is not meant.
    bare = asked.relation in (Relation.EXACTLY, Relation.ABOUT)
    if bare and better_of(asked) is Better.NEITHER and asked.unit.over != "degC":
        return OPEN
    both_rates = asked.unit.under in TIME_NAMES and offered.unit.under in TIME_NAMES
    if both_rates and asked.unit.under != offered.unit.under and reached < bound < HOURS_WORKED * reached:
        return OPEN
    return Agreement("contradicts", abs(reached - bound) / abs(bound) if bound else 1.0)

"""Whether strengths keep their word: grounds refitted and checked on needs left out, error, curve, abstention. Pure.

The curve of `strength` has its weights from judged pairs. Here they are fitted again without each need in turn, and
that need's list is judged by the curve of the others: what comes out is what a new need may expect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from techex.matching import calibration
from techex.matching.strength import MIDDLE, WEIGHTS, WIDTH, falling

Numbers = NDArray[np.float64]

# Grounds that are fitted; "text" is the same for all listings, and set by hand.
FITTED = tuple(name for name in WEIGHTS if name != "text")
# Pairs of each list that are judged: the first page.
JUDGED = 10
# Weights are drawn to nothing as firmly as by one pair each, so that a ground that never varies gets none.
FIRMNESS = 0.5
ROUNDS, SETTLED = 60, 1e-9


@dataclass(frozen=True)
class JudgedList:
    """The list of one need, best first: grounds (n, len(FITTED)), and what was said of the first ones (0 no, one half
    partly, 1 fits); whether nothing fits it. Lists of one `group` are the same need in several languages."""

    group: str
    grounds: Numbers
    outcomes: Numbers
    unmatched: bool

    @classmethod
    def of(cls, group: str, grounds: Mapping[str, Numbers], outcomes: Sequence[float], unmatched: bool) -> JudgedList:
        """From the grounds of a ranking; outcomes of its first JUDGED listings."""
        return cls(group, np.stack([grounds[name] for name in FITTED], axis=1), np.array(outcomes[:JUDGED]), unmatched)


@dataclass(frozen=True)
class Curve:
    """Weights of FITTED grounds and an offset: the logit of a strength."""

    weights: Numbers
    offset: float

    def strengths(self, grounds: Numbers) -> Numbers:
        """(n, len(FITTED)) grounds in the order of a list -> (n,) strengths 0 to 100 as a reader sees them."""
        return falling(100 * _sigmoid(grounds @ self.weights + self.offset))

    @property
    def as_constants(self) -> dict[str, float]:
        """The curve in the form of `strength`: weights with meaning 1, middle, width."""
        width = 1 / float(self.weights[0])
        weights = {name: float(weight) * width for name, weight in zip(FITTED, self.weights, strict=True)}
        return weights | {"middle": -self.offset * width, "width": width}


def shipped() -> Curve:
    """The curve that `strength` has for a listing."""
    return Curve(np.array([WEIGHTS[name] for name in FITTED]) / WIDTH, -MIDDLE / WIDTH)


def fit(lists: Sequence[JudgedList]) -> Curve:
    """The curve that says best what was said of these lists (logistic regression, Newton's steps)."""
    grounds = np.concatenate([each.grounds[: len(each.outcomes)] for each in lists])
    outcomes = np.concatenate([each.outcomes for each in lists])
    spreads = np.maximum(grounds.std(axis=0), 1e-9)
    columns = np.column_stack([np.ones(len(grounds)), grounds / spreads])
    firmness = np.diag([1e-6, *np.full(len(FITTED), FIRMNESS)])
    found = np.zeros(columns.shape[1])
    for _ in range(ROUNDS):
        shares = _sigmoid(columns @ found)
        slope = columns.T @ (shares - outcomes) + firmness @ found
        bend = (columns * (shares * (1 - shares))[:, None]).T @ columns + firmness
        step = np.linalg.solve(bend, slope)
        found -= step
        if np.abs(step).max() < SETTLED:
            break
    return Curve(found[1:] / spreads, float(found[0]))


@dataclass(frozen=True)
class Bin:
    """Pairs of about equal strength: what the strength promises and what readers said, 0 to 1."""

    pairs: int
    promised: float
    found: float


@dataclass(frozen=True)
class Checked:
    """Lists with the strengths that were shown with them."""

    lists: Sequence[JudgedList]
    strengths: Sequence[Numbers]

    @cached_property
    def _pairs(self) -> tuple[Numbers, Numbers]:
        shown = [own[: len(each.outcomes)] for each, own in zip(self.lists, self.strengths, strict=True)]
        return np.concatenate(shown), np.concatenate([each.outcomes for each in self.lists])

    @property
    def pairs(self) -> int:
        """How many pairs were judged."""
        return len(self._pairs[0])

    @property
    def error(self) -> float:
        """Expected calibration error, 0 to 1."""
        return calibration.calibration_error(*self._pairs)

    def error_from(self, floor: float) -> float | None:
        """The same among pairs of this strength and more; None where there are none."""
        strengths, outcomes = self._pairs
        strong = strengths >= floor
        return calibration.calibration_error(strengths[strong], outcomes[strong]) if strong.any() else None

    @property
    def brier(self) -> float:
        """Mean squared distance of what was promised and what was said."""
        return calibration.brier(*self._pairs)

    def curve(self, edges: Sequence[float] = (0, 5, 15, 30, 45, 60, 80, 90, 100)) -> list[Bin]:
        """What was promised and found between these strengths; empty bins are left out."""
        strengths, outcomes = self._pairs
        found = []
        for low, high in pairwise(edges):
            inside = (strengths >= low) & ((strengths < high) | (high >= edges[-1]))
            if inside.any():
                promised, said = float(strengths[inside].mean()) / 100, float(outcomes[inside].mean())
                found.append(Bin(int(inside.sum()), promised, said))
        return found

    def told_nothing(self, floor: float) -> tuple[int, int, int, int]:
        """Needs without a fit and how many of them are told so under this floor; needs with one and how many are."""
        counted = {True: [0, 0], False: [0, 0]}
        for each, own in zip(self.lists, self.strengths, strict=True):
            counted[each.unmatched][0] += 1
            counted[each.unmatched][1] += bool(not len(own) or own[0] < floor)
        return counted[True][0], counted[True][1], counted[False][0], counted[False][1]


def as_shipped(lists: Sequence[JudgedList]) -> Checked:
    """The lists with the strengths that pages show."""
    curve = shipped()
    return Checked(lists, [curve.strengths(each.grounds) for each in lists])


def cross_validated(lists: Sequence[JudgedList], of: Sequence[JudgedList] | None = None) -> Checked:
    """The lists (`of`, or all) with the strengths of curves fitted to the lists of the other needs."""
    of = lists if of is None else of
    curves = {group: fit([each for each in lists if each.group != group]) for group in {each.group for each in of}}
    return Checked(of, [curves[each.group].strengths(each.grounds) for each in of])


def _sigmoid(margins: Numbers) -> Numbers:
    share: Numbers = 0.5 * (1 + np.tanh(margins / 2))
    return share

"""How much it speaks for a pair that figures of the one satisfy what the other asks for. Pure functions of arrays.

Of an asked figure is known how often a result satisfies it by chance: 95 % is reached by every third one, 0.3 mg/l by
hardly any. A result that fits satisfies it by chance or because it fits, so what one more figure says is

    ln(1 + FITTING (1 - chance) / chance)   where it is satisfied,   ln(1 - FITTING)   where it is not

and the sum over all figures is a likelihood ratio: nothing where nothing is asked, more the more is known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from techex.quantities import compact
from techex.quantities.compact import FigureRows
from techex.search.dense import IntArray

Numbers = NDArray[np.float64]

# How often a result that fits satisfies an asked figure because it fits: .48 of them are satisfied in the fits of the
# demo exchange, .13 by chance. The log-likelihood of strengths there moves by less than a hundredth from .2 to .5.
FITTING = 0.3
# The chance where little is known, and how many listings of the reference that is worth.
CHANCE, PRIOR_LISTINGS = 0.13, 20
# Figures of one text are no independent witnesses: all together say no more than this.
MOST_SAID = 6.0
NOT_SATISFIED = float(np.log1p(-FITTING))


def said_of_offers(
    asked: FigureRows, held: FigureRows, owners: IntArray, count: int, reference: tuple[FigureRows, IntArray, int]
) -> Numbers:
    """(count,) what figures say of offers for a need that asks for `asked` (k,).

    `held` (m,) are the figures that the offers state, `owners` (m,) whose they are; the same of the reference sample.
    An offer without any figure says nothing.
    """
    if not len(asked) or not len(held):
        return np.zeros(count)
    rows, places, listings = reference
    by_chance = _satisfied(asked, rows, places, listings).sum(axis=1)
    chance = (by_chance + PRIOR_LISTINGS * CHANCE) / (listings + PRIOR_LISTINGS)
    gained = _gained(chance) - NOT_SATISFIED
    said = gained @ _satisfied(asked, held, owners, count) + len(asked) * NOT_SATISFIED
    return np.where(np.bincount(owners, minlength=count) > 0, _bounded(said), 0.0)


def said_of_needs(stated: FigureRows, held: FigureRows, owners: IntArray, count: int) -> Numbers:
    """(count,) what figures say of needs for an offer that states `stated` (k,).

    `held` (m,) is what the needs ask for, `owners` (m,) whose it is. How often results satisfy it is not known here.
    """
    if not len(stated) or not len(held):
        return np.zeros(count)
    met = np.zeros(len(held), np.bool_)
    met[compact.satisfying(held, stated)[0]] = True
    each = np.where(met, _gained(np.array(CHANCE)), NOT_SATISFIED)
    return _bounded(np.bincount(owners, weights=each, minlength=count).astype(np.float64))


def _satisfied(asked: FigureRows, held: FigureRows, owners: IntArray, count: int) -> NDArray[np.float64]:
    """(k, count) 1 where a listing states a figure that satisfies an asked one."""
    found = np.zeros((len(asked), count))
    own, theirs = compact.satisfying(asked, held)
    found[own, owners[theirs]] = 1.0
    return found


def _gained(chance: Numbers) -> Numbers:
    gained: Numbers = np.log1p(FITTING * (1 - chance) / chance)
    return gained


def _bounded(said: Numbers) -> Numbers:
    bounded: Numbers = np.clip(said, -MOST_SAID, MOST_SAID)
    return bounded

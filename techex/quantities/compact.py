"""Quantities of a text as rows of an array: kept with a listing, compared with those of many others at once. Pure.

Of a quantity is kept what it measures and between which figures it lies, in the common unit; the words beside it, which
tell an accuracy from a share of errors, are not: that is for a table of two texts (`agreement`).
"""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from techex.quantities.agreement import EQUAL, SAME_SIZE, asked_ends
from techex.quantities.reading import Quantity, find_quantities

# Names what is read and how it is kept: rows made by another version are made again.
VERSION = "1"

FIGURES = np.dtype([("dimension", np.uint16), ("low", np.float32), ("high", np.float32)])  # an open end is infinite
FigureRows = NDArray[np.void]
IntArray = NDArray[np.int64]
Ends = NDArray[np.float32]

# The first ones of a text: the demo's results have 19 on average, a tender may have hundreds.
MOST = 40
LARGEST = 1e30  # beyond it nothing is told apart
_ROWS_KEPT = 256  # texts that are asked for again and again


@lru_cache(maxsize=_ROWS_KEPT)
def stated(text: str, language: str) -> FigureRows:
    """(k,) what a text states, figures of what it is compared with left out. Not to be written to."""
    return _rows([(found, *found.base) for found in find_quantities(text, language) if not found.baseline])


@lru_cache(maxsize=_ROWS_KEPT)
def asked(text: str, language: str) -> FigureRows:
    """(k,) what satisfies a text that asks: a bare figure is open towards the better side. Not to be written to."""
    return _rows([(found, *asked_ends(found)) for found in find_quantities(text, language) if not found.baseline])


def satisfying(wanted: FigureRows, offered: FigureRows) -> tuple[IntArray, IntArray]:
    """The pairs in which an offered figure satisfies a wanted one, as places (p,) in both.

    The two measure the same kind of thing and are not of quite another size; what is offered lies within what is
    wanted, or reaches over it.
    """
    order = np.argsort(offered["dimension"], kind="stable")
    kinds = offered["dimension"][order]
    firsts = np.searchsorted(kinds, wanted["dimension"])
    counts = np.searchsorted(kinds, wanted["dimension"], side="right") - firsts
    own = np.repeat(np.arange(len(wanted)), counts)
    theirs = order[np.arange(len(own)) + np.repeat(firsts - (np.cumsum(counts) - counts), counts)]
    low, high, size = _columns(wanted)
    first, last, other = (column[theirs] for column in _columns(offered))
    slack_low, slack_high = low - EQUAL * np.abs(low), high + EQUAL * np.abs(high)
    # What lies inside has ends on the right sides; "up to 90" satisfies "at least 80", and 20 to 80 covers 30 to 60.
    good = (first >= slack_low[own]) & (last <= slack_high[own])
    covers = (first <= low[own]) & (last >= high[own]) & np.isfinite(first) & np.isfinite(last)
    reaches = np.isinf(first) & (last >= low[own]) & np.isinf(high)[own]
    asked, any_size = size[own], (wanted["dimension"] == TEMPERATURE)[own]
    near = np.maximum(asked, other) <= SAME_SIZE * np.minimum(asked, other)
    good = (good | covers | reaches) & (near | any_size)
    return own[good], theirs[good]


def _rows(found: list[tuple[Quantity, float | None, float | None]]) -> FigureRows:
    rows = [
        (_code(one.unit.dimension), -np.inf if low is None else _kept(low), np.inf if high is None else _kept(high))
        for one, low, high in found[:MOST]
        if low is not None or high is not None
    ]
    made = np.array(rows, FIGURES)
    made.flags.writeable = False
    return made


def _kept(figure: float) -> float:
    return max(-LARGEST, min(LARGEST, figure))


def _code(dimension: str) -> int:
    """A number for a dimension. Two of some hundred may share one, and are then told apart by their size at best."""
    return crc32(dimension.encode()) & 0xFFFF


TEMPERATURE = _code("[temperature]")


def _columns(rows: FigureRows) -> tuple[Ends, Ends, Ends]:
    """Both ends, and one figure for the size: the bound, or the middle of a range."""
    low, high = np.ascontiguousarray(rows["low"]), np.ascontiguousarray(rows["high"])
    open_low, open_high = np.isinf(low), np.isinf(high)
    size: Ends = np.abs(np.where(open_low, high, np.where(open_high, low, low / 2 + high / 2)))
    return low, high, size

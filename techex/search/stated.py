"""The figures of a segment's listings, side by side, and of some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from techex.quantities.compact import FIGURES, FigureRows
from techex.search.dense import BoolArray, IntArray
from techex.search.stretches import stretches


@dataclass(frozen=True)
class Stated:
    """`rows` (k,) of FIGURES, listing by listing; those of listing i are rows[starts[i] : starts[i + 1]]."""

    rows: FigureRows
    starts: NDArray[np.int32]

    @classmethod
    def of(cls, listings: Sequence[FigureRows]) -> Stated:
        """The figures of these listings, in this order."""
        starts = np.cumsum([0, *(len(each) for each in listings)], dtype=np.int32)
        return cls(np.concatenate([np.zeros(0, FIGURES), *listings]), starts)

    @classmethod
    def nothing(cls, listings: int) -> Stated:
        """So many listings without any figure."""
        return cls(np.zeros(0, FIGURES), np.zeros(listings + 1, np.int32))

    def of_listings(self, rows: IntArray) -> tuple[FigureRows, IntArray]:
        """The figures of the listings in these rows, and for each the place of its listing among them."""
        places, owners = stretches(self.starts, rows)
        return self.rows[places], owners

    def merged(self, keep: BoolArray, other: Stated, order: IntArray) -> Stated:
        """Those of the listings in `keep` (n,), then those of `other`, put in this order."""
        kept, owners = self.of_listings(np.flatnonzero(keep))
        count = int(np.count_nonzero(keep))
        more, theirs = other.of_listings(np.arange(len(other.starts) - 1))
        joined = Stated.at(np.concatenate([kept, more]), np.concatenate([owners, theirs + count]), len(order))
        rows, places = joined.of_listings(order)
        return Stated.at(rows, places, len(order))

    @classmethod
    def at(cls, rows: FigureRows, owners: IntArray, listings: int) -> Stated:
        """Rows that lie listing by listing, `owners` (k,) saying of which."""
        counts = np.bincount(owners, minlength=listings)
        return cls(rows, np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))

    @property
    def resident_bytes(self) -> int:
        """Bytes of memory."""
        return self.rows.nbytes + self.starts.nbytes

"""Names as small numbers: an append-only table that all partitions of a collection share.

Only the one who builds the next state of a collection adds to it; readers look up what was there before. A number
never changes its meaning, so columns and postings are merged without being recoded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1  # the number of a name that was never seen
RECENT_BYTES = 150  # of a term that is kept by its name, in lists and tables of Python
NOTHING = 0  # the number of the empty name: a fact that is not stated


class Names:
    """A table of distinct names, numbered from 0, which is the empty one."""

    def __init__(self, names: Sequence[str] = ("",)) -> None:
        self._names = list(names)
        self._numbers = {name: number for number, name in enumerate(self._names)}

    def add(self, name: str) -> int:
        """The number of `name`, a new one if it has none yet."""
        number = self._numbers.get(name)
        if number is None:
            number = len(self._names)
            self._names.append(name)
            self._numbers[name] = number
        return number

    def number(self, name: str) -> int:
        """The number of `name`; UNKNOWN if it has none."""
        return self._numbers.get(name, UNKNOWN)

    def numbers(self, names: Iterable[str]) -> NDArray[np.int32]:
        """The numbers of those names that have one."""
        found = (self._numbers.get(name, UNKNOWN) for name in names)
        return np.array([number for number in found if number != UNKNOWN], np.int32)

    def name(self, number: int) -> str:
        """The name of a number that this table gave."""
        return self._names[number]

    def all(self) -> list[str]:
        """Every name in the order of the numbers."""
        return list(self._names)


class Vocabulary:
    """Terms as small numbers, from 0 on. What was read long ago is kept by its hash alone, 12 bytes a term.

    Hashes have 64 bits: of a million terms two are the same once in thirty million collections, and would then be
    found by each other.
    """

    def __init__(self, hashes: NDArray[np.uint64] | None = None) -> None:
        """From the hashes of the terms in the order of their numbers."""
        self._kept = _ordered(np.empty(0, np.uint64) if hashes is None else hashes)
        self._recent: dict[str, int] = {}
        self._count = len(self._kept[0])

    def add(self, term: str) -> int:
        """The number of `term`, a new one if it has none yet."""
        number = self._recent.get(term, UNKNOWN)
        if number == UNKNOWN and len(self._kept[0]):
            number = int(_looked_up(self._kept, [term])[0])
        if number == UNKNOWN:
            number = self._recent[term] = self._count
            self._count += 1
        return number

    def numbers(self, terms: Sequence[str]) -> NDArray[np.int32]:
        """(t,) the number of each term; UNKNOWN for one that has none."""
        recent = self._recent  # before `_kept`: what leaves the one is in the other already
        found = _looked_up(self._kept, terms)
        for place, term in enumerate(terms) if recent else ():
            if term in recent:
                found[place] = recent[term]
        return found

    def settle(self) -> None:
        """Keep all terms by their hashes; for the one who adds. Readers may go on meanwhile."""
        self._kept = _ordered(self.hashes())
        self._recent = {}

    def hashes(self) -> NDArray[np.uint64]:
        """The hashes of all terms in the order of their numbers."""
        hashes, numbers = self._kept
        found = np.empty(self._count, np.uint64)
        found[numbers] = hashes
        for term, number in self._recent.items():
            found[number] = _hash(term)
        return found

    @property
    def recent(self) -> int:
        """How many terms were added since the last `settle`."""
        return len(self._recent)

    @property
    def resident_bytes(self) -> int:
        """Bytes of memory it holds."""
        return sum(array.nbytes for array in self._kept) + RECENT_BYTES * len(self._recent)

    def __len__(self) -> int:
        return self._count


def _ordered(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Ascending hashes and the number of each."""
    order = np.argsort(hashes, kind="stable")
    return hashes[order], order.astype(np.int32)


def _looked_up(kept: tuple[NDArray[np.uint64], NDArray[np.int32]], terms: Sequence[str]) -> NDArray[np.int32]:
    hashes, numbers = kept
    if not len(hashes):
        return np.full(len(terms), UNKNOWN, np.int32)
    asked = np.fromiter(map(_hash, terms), np.uint64, len(terms))
    at = np.minimum(np.searchsorted(hashes, asked), len(hashes) - 1)
    return np.where(hashes[at] == asked, numbers[at], UNKNOWN).astype(np.int32)


@lru_cache(maxsize=8_192)
def _hash(term: str) -> int:
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")

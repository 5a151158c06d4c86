"""Names as small numbers: an append-only table that all partitions of a collection share.

Only the one who builds the next state of a collection adds to it; readers look up what was there before. A number
never changes its meaning, so columns and postings are merged without being recoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1  # the number of a name that was never seen
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

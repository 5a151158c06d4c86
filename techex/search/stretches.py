"""Tables in which each listing has a stretch of rows, one stretch after another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from techex.search.dense import IntArray


def stretches(starts: NDArray[Any], listings: IntArray) -> tuple[IntArray, IntArray]:
    """For these listings (m,) the rows of their stretches, and for each row the place of its listing among them.

    The stretch of listing i are the rows from starts[i] up to, not with, starts[i + 1].
    """
    begins = starts[listings].astype(np.int64)
    counts = starts[listings + 1] - begins
    owners = np.repeat(np.arange(len(listings)), counts)
    return np.arange(len(owners)) + np.repeat(begins - (np.cumsum(counts) - counts), counts), owners

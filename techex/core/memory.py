"""How often the garbage collector looks for cycles."""

from __future__ import annotations

import gc

# Objects made and not yet gone before the young ones are looked through: Python's own 700 are reached many times a
# page, and nearly all that a page makes goes by itself.
YOUNG = 50_000


def settle() -> None:
    """What is loaded by now is not looked through again, and what pages make more rarely.

    An index that gives way to a newer one still goes at once: nothing in it is part of a cycle (a test says so).
    """
    gc.collect()
    gc.freeze()
    _, older, oldest = gc.get_threshold()
    gc.set_threshold(YOUNG, older, oldest)

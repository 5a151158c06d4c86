"""How often the garbage collector looks for cycles."""

from __future__ import annotations

import gc

# Objects made and not yet gone before the young ones are looked through. A page makes some ten thousand that go by
# themselves: at Python's 700 they are looked through twenty times a page, which is 7 % of its time.
YOUNG = 50_000


def settle() -> None:
    """What is loaded by now is not looked through again, and what pages make more rarely.

    An index that gives way to a newer one still goes at once: nothing in it is part of a cycle (a test says so).
    """
    gc.collect()
    gc.freeze()
    _, older, oldest = gc.get_threshold()
    gc.set_threshold(YOUNG, older, oldest)

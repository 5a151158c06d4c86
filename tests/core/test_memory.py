"""The garbage collector of a served worker: rare, and still at work."""

import subprocess
import sys

WORKER = """
import gc, weakref
from techex.core import memory

class Loaded: ...

loaded = [Loaded() for _ in range(1000)]
memory.settle()
print(gc.get_freeze_count() >= 1000, gc.get_threshold()[0] == memory.YOUNG)

class Cycle:
    def __init__(self):
        self.itself = self

first = weakref.ref(Cycle())
kept = []
print(first() is not None)
while first() is not None and len(kept) < 3 * memory.YOUNG:
    kept.append([])
print(first() is None)
"""


def test_what_is_loaded_is_left_alone_and_cycles_of_pages_still_go() -> None:
    ran = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True"] * 4

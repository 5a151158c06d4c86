"""The bench measures what it says, on a collection small enough for a test."""

from __future__ import annotations

import numpy as np
import pytest

from techex.search import bench
from techex.search.facts import Filters

from .listings import unit


@pytest.fixture
def source() -> bench.Source:
    rng = np.random.default_rng(0)
    vectors = unit(rng.normal(size=(200, 32)))
    sentences = [{f"word{number}": 1 for number in rng.integers(0, 300, 12)} for _ in range(100)]
    searches = [(vectors[number][None], {f"word{number}": 1.0}) for number in range(20)]
    return bench.Source(vectors, sentences, searches)


def test_filters_let_pass_the_share_they_are_named_for(source: bench.Source) -> None:
    partition = bench.made_collection(source, 5_000).partitions[bench.OFFERS]
    for share, filters in bench.SHARES.values():
        allowed = partition.allowed(filters)
        assert allowed is not None
        assert len(allowed) / 5_000 == pytest.approx(share, rel=0.3, abs=0.001)
    assert partition.allowed(Filters()) is None


def test_every_step_is_timed_and_the_nearest_are_found(source: bench.Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "ROUNDS", 5)
    found = bench.measure(source, 1_500)
    assert found.passages == 6_000
    steps = {timing.step: timing for timing in found.timings}
    assert len(steps) == len(found.timings) == 4 + 3 * 5
    assert all(0 < timing.p50 <= timing.p95 for timing in found.timings)
    assert all(timing.recall == 1 for timing in found.timings if timing.recall is not None)

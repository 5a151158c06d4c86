"""The benchmark runs, and the promises that do not depend on what else the machine does are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from techex.embedding import bench
from techex.embedding.cards import ModelCard
from techex.embedding.encoders import Encoder, OpenVINOEncoder


@pytest.mark.model
def test_the_texts_measured_are_as_long_as_passages(serving: Encoder) -> None:
    assert isinstance(serving, OpenVINOEncoder)
    texts = bench._texts(serving)
    assert len(set(texts)) == bench.TEXTS
    assert all(bench.SHORTEST <= len(serving.tokens("query: " + text)) <= bench.LONGEST for text in texts)


@pytest.mark.model
@pytest.mark.slow
def test_serving_beats_the_reference_and_fits_its_memory(
    card: ModelCard, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "TEXTS", 8)
    monkeypatch.setattr(bench, "TURNS", 1)
    monkeypatch.setattr(bench, "SEARCHES_A_TURN", 3)
    figures = bench.measure(card, models_dir)
    assert figures.least_cosine >= 0.99
    assert figures.resident_mb <= 600
    assert figures.speed_up > 1
    assert figures.latency_share < 1

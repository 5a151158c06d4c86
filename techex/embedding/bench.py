"""How fast the serving engine is against sentence-transformers with its defaults (torch, fp32) on the same weights.

Run by `make bench`, or alone: ``python -m techex.embedding.bench``. The engines take turns, so that what else the
machine does meets both alike; the figures of a turn are compared with each other and the median turn is reported.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from techex.embedding.cards import ModelCard, load_card
from techex.embedding.encoders import OpenVINOEncoder, load_encoder
from techex.embedding.golden import cosines, golden_texts
from techex.settings import load_settings

# Passages of listings have this many tokens; a search has about a dozen.
SHORTEST, LONGEST = 110, 170
TEXTS = 40
TURNS = 3
SEARCHES_A_TURN = 20
SEARCH = "công nghệ xử lý nước thải dệt nhuộm"


@dataclass(frozen=True)
class EncoderFigures:
    """`speed_up` and `latency_share` compare with sentence-transformers' defaults; memory is in megabytes."""

    card: str
    precision: str
    threads: int
    texts_per_second: float
    reference_texts_per_second: float
    speed_up: float
    search_ms: float
    reference_search_ms: float
    latency_share: float
    least_cosine: float
    ready_seconds: float
    resident_mb: float


def measure(card: ModelCard, models_dir: Path) -> EncoderFigures:
    """The figures of a prepared card whose engine is openvino; takes about a minute on two cores."""
    from sentence_transformers import SentenceTransformer

    threads = os.cpu_count() or 1
    ready_seconds, resident_mb = _worker(card, models_dir)
    serving = load_encoder(card, models_dir, engine="openvino", threads=threads)
    assert isinstance(serving, OpenVINOEncoder)  # noqa: S101 - asked for by name
    single = load_encoder(card, models_dir, engine="openvino", threads=1)
    reference = SentenceTransformer(str(models_dir / card.name), device="cpu", local_files_only=True)
    texts = _texts(serving)
    prefixed = [card.prefixes.listing + text for text in texts]
    cosine = cosines(serving.encode(texts, "listing"), np.asarray(reference.encode(prefixed)))
    batches, searches = [], []
    for _ in range(TURNS):
        batches.append(
            (_seconds(lambda: serving.encode(texts, "listing")), _seconds(lambda: reference.encode(prefixed)))
        )
        searches.append(
            (
                _typical(lambda: single.encode([SEARCH], "search")),
                _typical(lambda: reference.encode([card.prefixes.search + SEARCH])),
            )
        )
    ours, theirs = _median(batches)
    search, reference_search = _median(searches)
    return EncoderFigures(
        card=card.name,
        precision=serving.precision,
        threads=threads,
        texts_per_second=round(TEXTS / ours, 1),
        reference_texts_per_second=round(TEXTS / theirs, 1),
        speed_up=round(theirs / ours, 2),
        search_ms=round(1000 * search, 2),
        reference_search_ms=round(1000 * reference_search, 2),
        latency_share=round(search / reference_search, 3),
        least_cosine=round(float(cosine.min()), 5),
        ready_seconds=ready_seconds,
        resident_mb=resident_mb,
    )


def _texts(encoder: OpenVINOEncoder) -> list[str]:
    """TEXTS texts of SHORTEST to LONGEST tokens with their prefix, joined from the golden texts in turning order."""
    parts = [golden.text for golden in golden_texts() if len(golden.text) < 200]
    texts = []
    for start in range(TEXTS):
        text = ""
        for step in range(len(parts)):
            longer = f"{text} {parts[(start * 7 + step) % len(parts)]}".strip()
            if len(encoder.tokens(encoder.card.prefixes.listing + longer)) <= LONGEST:
                text = longer
            if len(encoder.tokens(text)) >= SHORTEST:
                break
        texts.append(text)
    return texts


_WORKER = """
import json, sys, time
started = time.perf_counter()
from pathlib import Path
from techex.embedding.cards import load_card
from techex.embedding.encoders import load_encoder
encoder = load_encoder(load_card(sys.argv[1]), Path(sys.argv[2]), engine="openvino", threads=1)
encoder.encode([sys.argv[3]], "search")
seconds = time.perf_counter() - started
status = Path("/proc/self/status").read_text()
resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
heavy = [name for name in ("torch", "transformers", "sentence_transformers") if name in sys.modules]
print(json.dumps({"seconds": seconds, "resident": resident, "heavy": heavy}))
"""


def _worker(card: ModelCard, models_dir: Path) -> tuple[float, float]:
    """Seconds until a fresh process has answered its first search, and its resident megabytes then."""
    command = [sys.executable, "-c", _WORKER, card.name, str(models_dir), SEARCH]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)  # noqa: S603
    answer: dict[str, Any] = json.loads(done.stdout)
    assert not answer["heavy"], answer["heavy"]  # noqa: S101 - what the figures are about
    return round(answer["seconds"], 2), round(answer["resident"], 0)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _typical(work: Callable[[], object]) -> float:
    return statistics.median(_seconds(work) for _ in range(SEARCHES_A_TURN))


def _median(turns: list[tuple[float, float]]) -> tuple[float, float]:
    return sorted(turns, key=lambda turn: turn[0] / turn[1])[len(turns) // 2]


@click.command()
@click.option("--card", "name", default=None, help="Model card; the one in use where none is given.")
def main(name: str | None) -> None:
    """Print the figures as one JSON object."""
    settings = load_settings()
    click.echo(json.dumps(asdict(measure(load_card(name or settings.card), settings.models_dir)), indent=1))


if __name__ == "__main__":
    main()

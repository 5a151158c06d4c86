"""`techex bench`: quality on judged sets and speed on a grown collection, as one set of tables.

The development sets are not part of the project: `--data` names the folder that holds them. Speed is that of the server
itself: requests go through the whole application, model, index, database and page included.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
from flask import Flask
from rich.console import Console
from rich.table import Table
from werkzeug.datastructures import MultiDict
from werkzeug.test import EnvironBuilder, run_wsgi_app

from techex.app import create_app
from techex.core import memory
from techex.core.database import Database
from techex.embedding import bench as engine_bench
from techex.embedding.cards import ModelCard, load_card
from techex.embedding.encoders import Encoder, load_encoder
from techex.interchange.demo import demo_exchange
from techex.listings.rules import Kind
from techex.matching import batch_bench, fresh_bench
from techex.matching.asked import text_query
from techex.matching.evaluation import evaluate
from techex.matching.judged import read_set
from techex.matching.service import Matcher
from techex.migrations import run
from techex.search import bench as search_bench
from techex.search.collection import Collection
from techex.settings import Settings, load_settings

ROUNDS = 3  # the median of which counts for a text: what else a shared machine does meanwhile is not asked about
REQUESTS = 100  # distinct texts asked for; each is a sentence or two of the demo's needs
WARM_UP = 70  # before them: a worker answers its first pages more slowly, while it meets statements and texts

# Filters of a page, by the share of the grown listings that passes them: places and readiness are drawn evenly there.
TEN_PROVINCES = ("01", "04", "08", "11", "12", "14", "15", "19", "20", "22")
FILTERS: Mapping[str, Mapping[str, str | tuple[str, ...]]] = {
    "56 %": {"trl": "5"},
    "29 %": {"province": TEN_PROVINCES},
    "2.9 %": {"province": "01"},
    "0.3 %": {"province": "01", "trl": "9"},
}


@dataclass(frozen=True)
class Goal:
    """A judged set, its folder and files, and the nDCG@10 to reach; `make compare` measures what others give."""

    name: str
    folder: str
    corpus: str
    queries: str
    reach: float


GOALS = (
    Goal("cranfield", "cranfield", "corpus", "queries", 0.580),
    Goal("SBIR, long needs", "pairs_sbir_dev", "corpus", "queries", 0.950),
    Goal("SBIR, short needs", "pairs_sbir_dev", "corpus", "queries_objective", 0.880),
    Goal("XQuAD vi → en", "xquad_dev", "corpus.en", "queries.vi", 0.915),
    Goal("XQuAD en → vi", "xquad_dev", "corpus.vi", "queries.en", 0.930),
    Goal("XQuAD vi → mixed", "xquad_dev", "corpus.mixed", "queries.vi", 0.900),
    Goal("XQuAD en → mixed", "xquad_dev", "corpus.mixed", "queries.en", 0.940),
)


@dataclass(frozen=True)
class PageFigures:
    """Milliseconds of a page of matches inside the server, with the model and beyond it, and how much was searched.

    `cpu` is the processor time beyond the model, which other work on the machine does not stretch as much. `filtered`
    has the first four figures under each of FILTERS.
    """

    listings: int
    passages: int
    filtered: Mapping[str, Sequence[float]]
    p50: float
    p95: float
    beyond_p50: float
    beyond_p95: float
    cpu_p50: float
    cpu_p95: float


def quality(data: Path, settings: Settings, report: Callable[[str], None]) -> list[dict[str, Any]]:
    """nDCG@10 on every set that lies in the folder. Raises UnreadableFile, ModelNotPrepared."""
    encoder = _encoder(settings)
    rows = []
    for goal in GOALS:
        folder = data / goal.folder
        paths = (folder / f"{goal.corpus}.jsonl", folder / f"{goal.queries}.jsonl", folder / "qrels.tsv")
        if not all(path.is_file() for path in paths):
            report(f"{goal.name}: not in {folder}, left out")
            continue
        report(goal.name)
        found = evaluate(read_set(*paths), encoder)
        rows.append({"set": goal.name, "ndcg@10": found.figures["ndcg@10"], **asdict(goal)})
    return rows


def _encoder(settings: Settings) -> Encoder:
    card = load_card(settings.card)
    return load_encoder(card, settings.models_dir, engine=settings.engine or None, threads=settings.threads)


def served(
    settings: Settings, listings: int, report: Callable[[str], None]
) -> tuple[PageFigures, fresh_bench.FreshFigures]:
    """A grown exchange with its database: pages of matches through the whole application, one text after another, and
    listings that are new in it."""
    report(f"growing {listings:,} listings")
    collection = search_bench.made_collection(search_bench.demo_source(), listings)
    with tempfile.TemporaryDirectory() as folder:
        own = settings.model_copy(update={"data_dir": Path(folder), "database_url": "", "secret_key": "bench"})
        card, database = load_card(own.card), Database(own.database_address)
        try:
            run.upgrade(database)
            report("storing them, with their passages and vectors")
            fresh_bench.store(database, collection, card)
            matcher = Matcher(own, database, _Grown(card, collection))
            app = create_app(own, matcher=lambda: matcher)
            report("asking for pages")
            memory.settle()  # as a worker of the server does
            texts = _texts()
            for _ in _times(app, matcher.encoder(), texts[:WARM_UP]):
                pass
            encoder, asked = matcher.encoder(), texts[WARM_UP:]
            figures = _figures([list(_times(app, encoder, asked)) for _ in range(ROUNDS)])
            filtered = {}
            for share, filters in FILTERS.items():
                report(f"asking for pages under a filter that {share} pass")
                filtered[share] = _figures([list(_times(app, encoder, asked, filters)) for _ in range(ROUNDS)])[:4]
            fresh = fresh_bench.measure(own, database, collection, report)
        finally:
            database.close()
    return PageFigures(listings, collection.passage_count, filtered, *figures), fresh


def _figures(rounds: Sequence[Sequence[tuple[float, float, float]]]) -> list[float]:
    """p50 and p95 of each series of times, a text counting with the median of its rounds."""
    series = np.median(rounds, axis=0).T
    return [round(float(figure), 1) for values in series for figure in np.percentile(values, [50, 95])]


@dataclass(frozen=True)
class _Grown:
    """An index that is there already."""

    card: ModelCard
    grown: Collection

    def collection(self) -> Collection:
        return self.grown

    def known(self) -> Collection:
        return self.grown


def _texts() -> list[str]:
    """What people might type: title and first sentence of needs, in all languages of the demo."""
    needs = [listing.draft.values for listing in demo_exchange().of_kind(Kind.NEED)]
    texts = [f"{need['title']}. {need['summary'][:160]}" for need in needs] + [need["summary"][:120] for need in needs]
    return texts[: REQUESTS + WARM_UP]


def _times(
    app: Flask, encoder: Encoder, texts: Sequence[str], filters: Mapping[str, str | tuple[str, ...]] | None = None
) -> Iterable[tuple[float, float, float]]:
    """Milliseconds of a page, of it without embedding (done once more, alone), and of the processor for the latter."""
    for text in texts:
        asked = EnvironBuilder(path="/matches", query_string=MultiDict({"text": text, **(filters or {})})).get_environ()
        began, worked = time.perf_counter(), time.thread_time()
        _, status, _ = run_wsgi_app(app, asked, buffered=True)
        answered, page = time.perf_counter(), time.thread_time()
        text_query(text, encoder)
        encoded, model = time.perf_counter(), time.thread_time()
        if not status.startswith("200"):
            raise click.ClickException(f"the server answered {status} to {text!r}")
        took, beyond = answered - began, answered - began - (encoded - answered)
        yield 1000 * took, 1000 * beyond, 1000 * (page - worked - (model - page))


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder with the judged sets.")
@click.option("--listings", default=search_bench.LISTINGS, show_default=True, help="How many listings to grow.")
@click.option(
    "--only", "chosen", multiple=True, type=click.Choice(("quality", "engine", "served", "batch", "candidates")),
    help="Measure this part alone; may be given several times.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench(data: Path | None, listings: int, chosen: Sequence[str], as_json: bool) -> None:
    """Measure quality and speed, as tables. Takes a quarter of an hour; nothing of the exchange is touched.

    Interrupting it prints what was measured until then.
    """
    settings = load_settings()
    began = time.monotonic()

    def report(what: str) -> None:
        minutes, seconds = divmod(round(time.monotonic() - began), 60)
        click.echo(f"{minutes:3d}:{seconds:02d} … {what}", err=True)

    def measured_served() -> dict[str, Any]:
        page, fresh = served(settings, listings, report)
        return {"page": asdict(page), "fresh": asdict(fresh)}

    def measured_engine() -> dict[str, Any]:
        report("the engine against sentence-transformers")
        return {"engine": asdict(engine_bench.measure(load_card(settings.card), settings.models_dir))}

    def measured_candidates() -> dict[str, Any]:
        return {"candidates": asdict(search_bench.measure(search_bench.demo_source(), listings, report))}

    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "engine": measured_engine,
        "served": measured_served,
        "batch": lambda: {"batch": asdict(batch_bench.measure(_encoder(settings), report=report))},
        "candidates": measured_candidates,
    }
    if data is not None:
        parts = {"quality": lambda: {"quality": quality(data, settings, report)}, **parts}
    found: dict[str, Any] = {"card": settings.card, "date": datetime.now(UTC).date().isoformat()}
    try:
        for name, part in parts.items():
            if not chosen or name in chosen:
                measured = part()
                found |= measured
                report(f"{name} is done: {json.dumps(measured, ensure_ascii=False)}")
    except KeyboardInterrupt:
        report("interrupted; this is what was measured")
        _print(found, as_json)
        raise
    _print(found, as_json)


def _print(found: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    console = Console()
    if found.get("quality"):
        table = Table("set", "nDCG@10", "to reach", title="Match quality")
        for row in found["quality"]:
            table.add_row(row["set"], f"{row['ndcg@10']:.3f}", f"{row['reach']:.3f}")
        console.print(table)
    table = Table("what", "figure", title="Speed")
    for name, rows in (
        ("engine", _engine_rows),
        ("page", _page_rows),
        ("fresh", _fresh_rows),
        ("batch", _batch_rows),
        ("candidates", _candidate_rows),
    ):
        for row in rows(found[name]) if name in found else ():
            table.add_row(*row)
    console.print(table)


def _engine_rows(engine: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield "texts a second against sentence-transformers (fp32)", f"{engine['speed_up']:.1f} ×"
    yield "time of a short query against it", f"{engine['latency_share']:.2f} ×"
    yield "least cosine to it", f"{engine['least_cosine']:.5f}"
    yield "worker ready", f"{engine['ready_seconds']:.1f} s, {engine['resident_mb']:.0f} MB"


def _page_rows(page: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield (
        f"page of matches, {page['listings']:,} listings ({page['passages']:,} passages)",
        f"p50 {page['p50']} ms, p95 {page['p95']} ms; beyond encoding p50 {page['beyond_p50']} ms, "
        f"p95 {page['beyond_p95']} ms (CPU {page['cpu_p50']} and {page['cpu_p95']} ms)",
    )
    for share, (p50, p95, beyond_p50, beyond_p95) in page["filtered"].items():
        said = f"p50 {p50} ms, p95 {p95} ms; beyond encoding p50 {beyond_p50} ms, p95 {beyond_p95} ms"
        yield f"the same under a filter that {share} of them pass", said


def _fresh_rows(fresh: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield "a new listing is found by its words after", "p50 {:.2f} s, p95 {:.2f} s".format(*fresh["by_words"])
    yield (
        "two new listings are found by their meaning after",
        "p50 {:.2f} s, p95 {:.2f} s".format(*fresh["by_meaning"])
        + " (CPU {:.2f} and {:.2f} s)".format(*fresh["cpu_seconds"]),
    )
    yield (
        "first page of matches of a new need",
        "p50 {:.0f} ms, p95 {:.0f} ms".format(*fresh["matches_ms"])
        + " (CPU {:.0f} and {:.0f} ms)".format(*fresh["matches_cpu_ms"]),
    )


def _batch_rows(batch: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield (
        f"best pairs of {batch['listings']:,} needs and as many results, {batch['workers']} processes",
        f"{batch['seconds']} s ({batch['cpu_seconds']} s of all cores); first ten as on the pages "
        f"{batch['as_pages']:.0%}, as if all were looked at {batch['as_all']:.0%}",
    )


def _candidate_rows(grown: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield (
        f"index of {grown['listings']:,} listings ({grown['passages']:,} passages)",
        f"{grown['bytes_per_passage']} bytes a passage, {grown['vector_bytes_per_passage']} more for exact vectors (in "
        f"a file, with a snapshot); a changed listing is found {grown['change_ms']} ms after its vectors are there",
    )
    for timing in grown["timings"]:
        recall = "" if timing["recall"] is None else f", recall@10 {timing['recall']:.3f}"
        yield (
            timing["step"],
            f"p50 {timing['p50']:.2f} ms, p95 {timing['p95']:.2f} ms (CPU {timing['cpu_p50']:.2f} and "
            f"{timing['cpu_p95']:.2f}){recall}",
        )

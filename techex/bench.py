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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert

from techex.app import create_app
from techex.core.context import command_line_context
from techex.core.database import Database
from techex.embedding import bench as engine_bench
from techex.embedding.cards import ModelCard, load_card
from techex.embedding.encoders import Encoder, load_encoder
from techex.interchange.demo import demo_exchange
from techex.listings.rules import Kind, State
from techex.listings.tables import Listing
from techex.matching import batch_bench
from techex.matching.asked import text_query
from techex.matching.evaluation import evaluate
from techex.matching.judged import read_set
from techex.matching.service import Matcher
from techex.migrations import run
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft
from techex.search import bench as search_bench
from techex.search.collection import Collection
from techex.settings import Settings, load_settings

REQUESTS = 100  # distinct texts asked for; each is a sentence or two of the demo's needs
WARM_UP = 5
ROWS_AT_ONCE = 2_000


@dataclass(frozen=True)
class Goal:
    """A judged set, its folder and files, and the nDCG@10 to reach; `make compare` measures what others give."""

    name: str
    folder: str
    corpus: str
    queries: str
    reach: float


GOALS = (
    Goal("cranfield", "cranfield", "corpus", "queries", 0.565),
    Goal("SBIR, long needs", "pairs_sbir_dev", "corpus", "queries", 0.950),
    Goal("SBIR, short needs", "pairs_sbir_dev", "corpus", "queries_objective", 0.860),
    Goal("XQuAD vi → en", "xquad_dev", "corpus.en", "queries.vi", 0.915),
    Goal("XQuAD en → vi", "xquad_dev", "corpus.vi", "queries.en", 0.930),
    Goal("XQuAD vi → mixed", "xquad_dev", "corpus.mixed", "queries.vi", 0.860),
    Goal("XQuAD en → mixed", "xquad_dev", "corpus.mixed", "queries.en", 0.925),
)


@dataclass(frozen=True)
class PageFigures:
    """Milliseconds of a page of matches inside the server, with the model and beyond it, and how much was searched."""

    listings: int
    passages: int
    p50: float
    p95: float
    beyond_p50: float
    beyond_p95: float


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


def page_speed(settings: Settings, listings: int, report: Callable[[str], None]) -> PageFigures:
    """Ask a whole application with a grown exchange for pages of matches, one text after another."""
    report(f"growing {listings:,} listings")
    collection = search_bench.made_collection(search_bench.demo_source(), listings)
    with tempfile.TemporaryDirectory() as folder:
        own = settings.model_copy(update={"data_dir": Path(folder), "database_url": "", "secret_key": "bench"})
        database = Database(own.database_address)
        run.upgrade(database)
        report("storing them")
        _store(database, listings)
        matcher = Matcher(own, database, _Grown(load_card(own.card), collection))
        client = create_app(own, matcher=lambda: matcher).test_client()
        report("asking")
        took, encoding = np.transpose(list(_times(client.get, matcher.encoder(), _texts())))
        database.close()
    figures = (*np.percentile(took, [50, 95]), *np.percentile(took - encoding, [50, 95]))
    return PageFigures(listings, collection.passage_count, *(round(float(figure), 1) for figure in figures))


@dataclass(frozen=True)
class _Grown:
    """An index that is there already."""

    card: ModelCard
    grown: Collection

    def collection(self) -> Collection:
        return self.grown

    def known(self) -> Collection:
        return self.grown


def _store(database: Database, listings: int) -> None:
    """Rows for the grown listings: the demo's results over and over, all public."""
    context = command_line_context()
    drafts = [listing.draft for listing in demo_exchange().of_kind(Kind.OFFER)]
    with database.transaction() as session:
        owner, _ = organisations.upsert(session, context, OrganisationDraft(name="Bench", province="01"))
        owner_id = owner.id
    now = datetime.now(UTC)
    with database.engine.begin() as connection:
        for start in range(1, listings + 1, ROWS_AT_ONCE):
            numbers = range(start, min(start + ROWS_AT_ONCE, listings + 1))
            connection.execute(
                insert(Listing), [_row(number, drafts[number % len(drafts)], owner_id, now) for number in numbers]
            )


def _row(number: int, draft: Any, owner: int, now: datetime) -> dict[str, Any]:
    values = draft.values
    return {
        "id": number,
        "kind": Kind.OFFER.value,
        "state": State.PUBLISHED.value,
        "visibility": "public",
        "organisation_id": owner,
        "language": draft.language,
        "title": values["title"],
        "summary": values["summary"],
        "body": {name: values[name] for name in ("problem_solved", "description", "advantages") if name in values},
        "trl": values.get("trl"),
        "country": draft.country,
        "province": draft.province,
        "open_for_interest": True,
        "illustrative": True,
        "created_at": now,
        "updated_at": now,
        "published_at": now - timedelta(seconds=number),
    }


def _texts() -> list[str]:
    """What people might type: title and first sentence of needs, in all languages of the demo."""
    needs = [listing.draft.values for listing in demo_exchange().of_kind(Kind.NEED)]
    texts = [f"{need['title']}. {need['summary'][:160]}" for need in needs] + [need["summary"][:120] for need in needs]
    return texts[: REQUESTS + WARM_UP]


def _times(get: Callable[..., Any], encoder: Encoder, texts: Sequence[str]) -> Iterable[tuple[float, float]]:
    """Milliseconds of a page, and of embedding its text once more, alone."""
    for number, text in enumerate(texts):
        began = time.perf_counter()
        reply = get("/matches", query_string={"text": text})
        answered = time.perf_counter()
        text_query(text, encoder)
        encoded = time.perf_counter()
        if reply.status_code != 200:
            raise click.ClickException(f"the server answered {reply.status} to {text!r}")
        if number >= WARM_UP:
            yield 1000 * (answered - began), 1000 * (encoded - answered)


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder with the judged sets.")
@click.option("--listings", default=search_bench.LISTINGS, show_default=True, help="How many listings to grow.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench(data: Path | None, listings: int, as_json: bool) -> None:
    """Measure quality and speed, as tables. Takes several minutes; nothing of the exchange is touched."""
    settings = load_settings()

    def report(what: str) -> None:
        click.echo(f"… {what}", err=True)

    found: dict[str, Any] = {"card": settings.card}
    if data is not None:
        found["quality"] = quality(data, settings, report)
    report("the engine against sentence-transformers")
    found["engine"] = asdict(engine_bench.measure(load_card(settings.card), settings.models_dir))
    found["page"] = asdict(page_speed(settings, listings, report))
    found["batch"] = asdict(batch_bench.measure(_encoder(settings), report=report))
    found["candidates"] = asdict(search_bench.measure(search_bench.demo_source(), listings, report))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        _show(found)


def _show(found: Mapping[str, Any]) -> None:
    console = Console()
    if found.get("quality"):
        table = Table("set", "nDCG@10", "to reach", title="Match quality")
        for row in found["quality"]:
            table.add_row(row["set"], f"{row['ndcg@10']:.3f}", f"{row['reach']:.3f}")
        console.print(table)
    engine, page = found["engine"], found["page"]
    table = Table("what", "figure", title="Speed")
    table.add_row("texts a second against sentence-transformers (fp32)", f"{engine['speed_up']:.1f} ×")
    table.add_row("time of a short query against it", f"{engine['latency_share']:.2f} ×")
    table.add_row("least cosine to it", f"{engine['least_cosine']:.5f}")
    table.add_row("worker ready", f"{engine['ready_seconds']:.1f} s, {engine['resident_mb']:.0f} MB")
    table.add_row(
        f"page of matches, {page['listings']:,} listings ({page['passages']:,} passages)",
        f"p50 {page['p50']} ms, p95 {page['p95']} ms; beyond encoding p50 {page['beyond_p50']} ms, "
        f"p95 {page['beyond_p95']} ms",
    )
    batch = found["batch"]
    table.add_row(
        f"best pairs of {batch['listings']:,} needs and as many results, {batch['workers']} threads",
        f"{batch['seconds']} s ({batch['cpu_seconds']} s of all cores); first ten as on the pages "
        f"{batch['as_pages']:.0%}, as if all were looked at {batch['as_all']:.0%}",
    )
    grown = found["candidates"]
    table.add_row(
        f"index of {grown['listings']:,} listings ({grown['passages']:,} passages)",
        f"{grown['bytes_per_passage']} bytes a passage, {grown['vector_bytes_per_passage']} more for exact vectors (in "
        f"a file, with a snapshot); a changed listing is found after {grown['change_ms']} ms",
    )
    for timing in grown["timings"]:
        recall = "" if timing["recall"] is None else f", recall@10 {timing['recall']:.3f}"
        table.add_row(timing["step"], f"p50 {timing['p50']:.2f} ms, p95 {timing['p95']:.2f} ms{recall}")
    console.print(table)

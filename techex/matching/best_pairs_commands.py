"""`techex pairs`: the best pairs of needs and results, in one batch."""

from __future__ import annotations

import heapq
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
from rich.console import Console

from techex.core.context import command_line_context
from techex.core.database import Database
from techex.core.terminal import bar
from techex.errors import BadInput, UnreadableFile
from techex.interchange.formats import write_csv
from techex.matching.best_pairs import COLUMNS, TOP, Asked, Count, Pair, territory
from techex.matching.service import Matcher
from techex.matching.spread import spread_pairs
from techex.matching.strength import EXPLORE
from techex.migrations import run
from techex.regions import service as regions
from techex.settings import load_settings

SHOWN = 30  # pairs on a terminal; the file has all


@click.command()
@click.option("--from", "origin", default="", help="Where results come from: a province, country or region.")
@click.option("--to", "application", default="", help="Where needs are: a province, country or region.")
@click.option("--between", "both", is_flag=True, help="Both directions: also needs there and results here.")
@click.option("--across", is_flag=True, help="Only pairs whose two ends lie in different regions (abroad: countries).")
@click.option("--top", type=click.IntRange(1, 50), default=TOP, show_default=True, help="Results a need, at most.")
@click.option("--min-strength", "least", type=click.IntRange(0, 100), default=EXPLORE, show_default=True, help="0-100.")
@click.option("--csv", "path", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), help="Write all here.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; as many as there are cores unless said.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of all, best first.")
def pairs(
    origin: str,
    application: str,
    both: bool,
    across: bool,
    top: int,
    least: int,
    path: Path | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """List the best pairs of needs and results, of two places or of the whole exchange.

    They are scored as the pages score them. A file is written while pairs are found, need by need; on the terminal the
    best are shown, the strongest first, no place crowding out others.
    """
    if path is not None and as_json:
        raise BadInput("Give --csv or --json, not both.")
    asked = Asked(territory(origin), territory(application), both, across, top, least)
    settings = load_settings()
    database = Database(settings.database_address)
    count = Count()
    try:
        run.require_current(database)
        with database.reading() as session, bar("Comparing needs", as_json) as progress:
            found = Matcher(settings, database).best_pairs(
                session,
                command_line_context(),
                asked,
                count,
                workers=workers or len(os.sched_getaffinity(0)),
                progress=progress,
            )
            if path is not None:
                with _opened(path) as out:
                    write_csv((pair.row(settings.base_url) for pair in found), COLUMNS, out)
            elif as_json:
                best = sorted(found, key=_strongest)
                click.echo(json.dumps([pair.row(settings.base_url) for pair in best], ensure_ascii=False))
            else:
                best = heapq.nsmallest(2 * SHOWN, found, key=_strongest)
        if path is None and not as_json:
            _show([best[place] for place in spread_pairs(best)[:SHOWN]])
    finally:
        database.close()
    if not as_json:
        waiting = f"; {count.without_vectors:,} needs wait for their vectors" if count.without_vectors else ""
        click.echo(f"{count.pairs:,} pairs of {count.needs:,} needs{waiting}.", err=path is not None)


def _strongest(pair: Pair) -> tuple[float, float, int, int]:
    return -pair.strength, -pair.score, pair.need.id, pair.offer.id


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    if str(path) == "-":
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as out:
            yield out
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be written ({error.strerror}). Name a file in a folder that is yours."
        ) from None


def _show(best: list[Pair]) -> None:
    console = Console()
    for pair in best:
        away = "" if pair.distance_km is None else f", {pair.distance_km:,.0f} km"
        need, result = (regions.place_name(head.place, "en") for head in (pair.need, pair.offer))
        console.print(
            f"[bold]{pair.strength:3} ({pair.band})[/bold]  need: {pair.need.title} · {need}", highlight=False
        )
        console.print(f"     result: {pair.offer.title} · {result}{away}", highlight=False)

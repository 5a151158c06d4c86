"""`techex index`: look after the search index."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.table import Table

from techex.core.database import Database
from techex.core.terminal import bar, spinner
from techex.migrations import run
from techex.search import service
from techex.search.service import Status
from techex.settings import load_settings

PROBLEMS_SHOWN = 20  # on a terminal; all of them are in the JSON
PARTLY = 1  # exit code: the command ran, and something is not as it should be


@click.group()
def index() -> None:
    """Look after the search index. It is made from the database and may be thrown away at any time."""


@index.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status_command(as_json: bool) -> None:
    """Show what is in the index, and how many listings still wait for their vectors."""
    settings = load_settings()
    with _database() as database, spinner("Loading the index", as_json):
        found = service.status(settings, database)
    _show(found, as_json)


@index.command("rebuild")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rebuild_command(as_json: bool) -> None:
    """Embed what is missing, learn the means again and build the index from the database.

    Interrupting it leaves the index as it was.
    """
    settings = load_settings()
    with _database() as database:
        with bar("Embedding texts", as_json) as update:
            service.embed_pending(settings, database, update)
        with spinner("Building the index", as_json):
            found = service.rebuild(settings, database)
    _show(found, as_json)


@index.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify_command(as_json: bool) -> None:
    """Compare the index with the database by ids and digests; exit 1 if anything differs."""
    settings = load_settings()
    with _database() as database, bar("Comparing", as_json) as update:
        found = service.verify(settings, database, update)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "sound": found.is_sound,
                    "listings": found.listings,
                    "passages": found.passages,
                    "problems": list(found.problems),
                }
            )
        )
    elif found.is_sound:
        click.echo(f"Sound: {found.listings} listings and {found.passages} passages are as the database has them.")
    else:
        for problem in found.problems[:PROBLEMS_SHOWN]:
            click.echo(problem)
        hidden = len(found.problems) - PROBLEMS_SHOWN
        if hidden > 0:
            click.echo(f"… and {hidden} more; --json prints all.")
        click.echo(f"{len(found.problems)} problems. Run `techex index rebuild`; if they stay, restore the database.")
    if not found.is_sound:
        sys.exit(PARTLY)


@contextmanager
def _database() -> Iterator[Database]:
    database = Database(load_settings().database_address)
    try:
        run.require_current(database)
        yield database
    finally:
        database.close()


def _show(status: Status, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(status.as_dict()))
        return
    click.echo(
        f"Model {status.card}, change {status.change} of {status.last_change}, means {status.centring}: "
        f"{status.listings} listings, {status.passages} passages, {status.bytes_per_passage} bytes a passage."
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("for whom", "kind", "listings", "words only", "passages", "search"):
        table.add_column(heading, justify="left" if heading in ("for whom", "kind", "search") else "right")
    for part in status.partitions:
        numbers = (part.listings, part.without_vectors, part.passages)
        table.add_row(part.visibility, part.kind, *(f"{number:,}" for number in numbers), part.search)
    Console().print(table)
    if status.without_vectors:
        click.echo(f"{status.without_vectors} listings are found by keywords only. Run `techex index rebuild`.")
    if status.snapshot:
        click.echo(f"Snapshot: {status.snapshot}")

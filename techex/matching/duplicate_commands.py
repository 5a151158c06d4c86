"""`techex duplicates`: listings that look like one listed twice, and what a person says of them."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from techex.core.context import command_line_context
from techex.core.database import Database
from techex.listings.tables import Listing
from techex.matching import duplicate_service as service
from techex.matching.duplicates import VERDICTS, Verdict
from techex.matching.tables import DuplicatePair
from techex.migrations import run
from techex.settings import load_settings


def _ready_database() -> Database:
    database = Database(load_settings().database_address)
    run.require_current(database)
    return database


@click.group()
def duplicates() -> None:
    """Find listings that are listed twice and decide about them; nothing is merged by itself."""


@duplicates.command("find")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def find(as_json: bool) -> None:
    """Compare all published listings: word for word, retold and translated."""
    database = _ready_database()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    quiet = as_json or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task("Comparing", total=None)
        checked = service.check(
            load_settings(),
            database,
            command_line_context(),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if as_json:
        counts = {"listings": checked.listings, "duplicates": checked.duplicates, "variants": checked.variants}
        click.echo(json.dumps(counts | {"without_vectors": checked.without_vectors}))
        return
    click.echo(
        f"{checked.listings} listings compared: {checked.duplicates} pairs look like one listing, "
        f"{checked.variants} are variants of one another. See techex duplicates list."
    )
    if checked.without_vectors:
        click.echo("Retold and translated twins were not looked for: no vectors yet (techex index rebuild).", err=True)


@duplicates.command("list")
@click.option("--variants", is_flag=True, help="Variants instead: nearly one text about something else.")
@click.option("--decided", is_flag=True, help="Pairs that were decided, instead of those that wait.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_pairs(variants: bool, decided: bool, as_json: bool) -> None:
    """List pairs that look like one listing, the most alike first."""
    with _ready_database().reading() as session:
        rows = service.listed(session, command_line_context(), variants=variants, decided=decided)
        for row in rows:
            click.echo(json.dumps(_as_dict(row), ensure_ascii=False) if as_json else _as_text(row))
    if not rows and not as_json:
        click.echo("No such pair. techex duplicates find compares all listings.")


@duplicates.command("decide")
@click.argument("one", type=int)
@click.argument("other", type=int)
@click.argument("decision", type=click.Choice(list(service.DECISIONS)))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def decide(one: int, other: int, decision: str, as_json: bool) -> None:
    """Say of listings ONE and OTHER that they are a duplicate or different; open takes it back. Both stay listed."""
    with _ready_database().transaction() as session:
        row = service.decide(session, command_line_context(), one, other, decision)
        session.flush()
        click.echo(
            json.dumps(_as_dict(row), ensure_ascii=False)
            if as_json
            else f"Listings {row.first_id} and {row.second_id}: {service.DECISIONS[decision]}."
        )


def _as_dict(row: DuplicatePair) -> dict[str, Any]:
    return {
        "first": _listing(row.first),
        "second": _listing(row.second),
        "verdict": row.verdict,
        "shared": round(row.shared, 3),
        "differences": row.differences,
        "found_at": row.found_at.isoformat(),
        "decision": row.decision,
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "decided_by": row.decided_by or None,
    }


def _listing(listing: Listing) -> dict[str, Any]:
    return {
        "id": listing.id,
        "kind": listing.kind,
        "language": listing.language,
        "title": listing.title,
        "organisation": listing.organisation.name,
    }


def _as_text(row: DuplicatePair) -> str:
    lines = [
        f"{row.first_id} {row.second_id}  {VERDICTS[Verdict(row.verdict)]} ({round(100 * row.shared)} %)"
        + (f" - {service.DECISIONS[row.decision]}, says {row.decided_by}" if row.decision else "")
    ]
    sides = zip((row.first, row.second), *(row.differences[name] for name in ("figures", "words")), strict=True)
    for listing, figures, words in sides:
        only = f"; only here: {', '.join([*words, *figures])}" if words or figures else ""
        lines.append(f"    {listing.id} [{listing.language}] {listing.title} ({listing.organisation.name}){only}")
    return "\n".join(lines)

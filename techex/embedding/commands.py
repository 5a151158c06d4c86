"""`techex models`: prepare, list and verify embedding models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console, JustifyMethod
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from techex.embedding.cards import ModelCard, all_cards, load_card
from techex.embedding.manifest import MANIFEST, bytes_of
from techex.embedding.prepare import Report, prepare, verify
from techex.settings import Settings, load_settings


@click.group()
def models() -> None:
    """Prepare, list and verify embedding models."""


@models.command("prepare")
@click.argument("names", nargs=-1, metavar="[CARD]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per card, as a list.")
def prepare_command(names: Sequence[str], as_json: bool) -> None:
    """Make the weights of the given cards ready (the card in use where none is given).

    What is ready and undamaged is left as it is, so running this again changes nothing. Interrupting it leaves the
    former state.
    """
    settings = load_settings()
    done = []
    for card in _chosen(settings, names):
        with _progress(as_json) as report:
            changed = prepare(card, settings.models_dir, report)
        done.append({"card": card.name, "key": card.key, "changed": changed, "folder": _folder(settings, card)})
        if not as_json:
            click.echo(
                f"{card.name}: " + (f"prepared in {done[-1]['folder']}." if changed else "ready; nothing to do.")
            )
    if as_json:
        click.echo(json.dumps(done))


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_command(as_json: bool) -> None:
    """Show all model cards, the one in use, and which are prepared."""
    settings = load_settings()
    rows = [_summary(settings, card) for card in all_cards()]
    if as_json:
        click.echo(json.dumps(rows))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("card", "source", "numbers", "tokens", "state", "on disk"):
        justify: JustifyMethod = "right" if heading in ("numbers", "tokens", "on disk") else "left"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=heading == "card")
    for row in rows:
        state = ("in use, " if row["in_use"] else "") + ("ready" if row["ready"] else "not prepared")
        size = f"{row['bytes'] / 1e6:,.0f} MB" if row["bytes"] else ""
        cells = [row[key] for key in ("card", "source", "dimension", "longest_input")]
        table.add_row(*map(str, cells), state, size)
    Console().print(table)


@models.command("verify")
@click.argument("names", nargs=-1, metavar="[CARD]...")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def verify_command(names: Sequence[str], as_json: bool) -> None:
    """Check every file of the given cards (the card in use where none is given) by its SHA-256; exit 3 on damage."""
    settings = load_settings()
    found = []
    for card in _chosen(settings, names):
        with _progress(as_json) as report:
            problems = verify(card, settings.models_dir, report)
        found.append({"card": card.name, "ok": not problems, "problems": problems})
        if not as_json:
            click.echo(
                f"{card.name}: " + ("every file is as it was prepared." if not problems else ""), nl=not problems
            )
            if problems:
                repair = f"Run `techex models prepare {card.name}`."
                click.echo("; ".join(problems) + ". " + repair)
    if as_json:
        click.echo(json.dumps(found))
    if not all(row["ok"] for row in found):
        raise click.exceptions.Exit(3)


def _chosen(settings: Settings, names: Sequence[str]) -> list[ModelCard]:
    return [load_card(name) for name in names or (settings.card,)]


def _folder(settings: Settings, card: ModelCard) -> str | None:
    return None if card.weights == "none" else str(settings.models_dir / card.name)


def _summary(settings: Settings, card: ModelCard) -> dict[str, Any]:
    folder = settings.models_dir / card.name
    ready = card.weights == "none" or _prepared_key(folder) == card.key
    return {
        "card": card.name,
        "source": card.source,
        "revision": card.revision,
        "licence": card.licence,
        "dimension": card.dimension,
        "longest_input": card.longest_input,
        "engine": card.engine.name,
        "in_use": card.name == settings.card,
        "ready": ready,
        "bytes": bytes_of(folder) if ready and card.weights != "none" else 0,
    }


def _prepared_key(folder: Path) -> str | None:
    path = folder / MANIFEST
    if not path.is_file():
        return None
    key: str | None = json.loads(path.read_text("utf-8")).get("card_key")
    return key


@contextmanager
def _progress(silent: bool) -> Iterator[Report]:
    """A bar per step on the terminal's error stream; nothing where the output is for a script."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=silent) as bars:
        steps: dict[str, TaskID] = {}

        def report(step: str, done: int, of: int) -> None:
            if step not in steps:
                steps[step] = bars.add_task(step, total=of)
            bars.update(steps[step], completed=done, total=of)

        yield report

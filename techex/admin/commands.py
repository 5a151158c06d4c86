"""`techex migrate · demo · import · export`: commands that need more than one domain."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from techex.brokering import demo as brokering_demo
from techex.brokering import demo_reports
from techex.core import changes
from techex.core.context import command_line_context
from techex.core.database import Database
from techex.core.terminal import bar
from techex.core.vocabulary import ORGANISATION_KINDS
from techex.interchange import demo as demo_exchange
from techex.interchange import formats, rules, service, texts
from techex.listings.rules import Kind
from techex.matching import duplicate_service as duplicates
from techex.matching import survey
from techex.migrations import run
from techex.organisations.rules import OrganisationDraft
from techex.search import service as search
from techex.settings import Settings, load_settings

# So many refused rows are listed on a terminal; all of them are in the JSON.
REFUSED_SHOWN = 20
NAMES_SHOWN = 10


def _ready_database(settings: Settings) -> Database:
    database = Database(settings.database_address)
    run.require_current(database)
    return database


def _embed(settings: Settings, database: Database, quiet: bool) -> int:
    with bar("Embedding texts", quiet) as update:
        return search.embed_pending(settings, database, update)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def migrate(as_json: bool) -> None:
    """Bring the database to the schema of this version; running it again changes nothing."""
    database = Database(load_settings().database_address)
    changed = run.upgrade(database)
    revision = run.current(database)
    if as_json:
        click.echo(json.dumps({"changed": changed, "revision": revision}))
    else:
        click.echo(f"Database is at revision {revision}" + ("." if changed else "; nothing to do."))


@click.group()
def demo() -> None:
    """Load or reset the demo exchange: invented organisations with needs and results in seven languages."""


@demo.command("load")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def demo_load(as_json: bool) -> None:
    """Bring the demo exchange in; running it again changes nothing."""
    _load_demo(as_json)


@demo.command("reset")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def demo_reset(as_json: bool) -> None:
    """Take everything illustrative out and load the demo exchange anew; what is real stays, and whom it names."""
    database = _ready_database(load_settings())
    with database.transaction() as session:
        demo_reports.remove(session)
        brokering_demo.remove(session)
        removed = demo_exchange.remove_in(session, command_line_context(), brokering_demo.named(session))
    if removed.kept:
        stay = (
            f"These invented organisations stay as they are, because something real names them: {_few(removed.kept)}."
        )
        click.echo(stay + " End that (a listing, a draft, a grant, a part in a deal) to have them made anew.", err=True)
    _load_demo(as_json)


def _few(names: Sequence[str]) -> str:
    """The first ten of them."""
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _load_demo(as_json: bool) -> None:
    settings = load_settings()
    database = _ready_database(settings)
    with bar("Loading the demo exchange", as_json) as update:
        report = demo_exchange.load(database, command_line_context(), update)
    asked = brokering_demo.load(database, command_line_context(), settings.data_dir)
    embedded = _embed(settings, database, as_json)
    survey.look_over(settings, database, command_line_context(), at_once=True)
    demo_reports.load(database, command_line_context())
    counts = {
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "interests": asked,
        "passages_embedded": embedded,
    }
    if as_json:
        click.echo(json.dumps(counts))
    elif report.created or report.updated or embedded or asked:
        click.echo(
            f"Demo exchange: {report.created} listings new, {report.updated} updated, {report.unchanged} as they "
            f"were; {asked} expressions of interest; {embedded} passages embedded."
        )
    else:
        click.echo(f"Demo exchange: all {report.unchanged} listings are there; nothing to do.")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), required=True, help="What the rows are.")
@click.option("--organisation", "name", required=True, help="Whose they are; made where there is none of this name.")
@click.option(
    "--organisation-kind", type=click.Choice(list(ORGANISATION_KINDS)), default="enterprise", show_default=True
)
@click.option("--country", default="VN", show_default=True, help="Country code of a new organisation.")
@click.option("--province", default="", help="Two-digit province code of a new organisation in Vietnam.")
@click.option(
    "--map", "map_file", type=click.Path(path_type=Path), help="TOML file that says which column is which field."
)
@click.option("--dry-run", is_flag=True, help="Check everything, keep nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_file(
    file: Path,
    kind: str,
    name: str,
    organisation_kind: str,
    country: str,
    province: str,
    map_file: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import needs or offers from FILE (.jsonl, .ndjson, .csv, .tsv or .xlsx).

    Rows are recognised by their id: a second run changes nothing, an edited row updates its listing. A row with an
    error is reported with its line and does not stop the others. Exit code 1 when some rows were refused.
    """
    from techex.embedding.languages import detect

    settings = load_settings()
    database = _ready_database(settings)
    mapping = rules.read_map(map_file, Kind(kind)) if map_file else None
    with database.reading() as session:
        before = changes.last(session)
    with bar(f"Reading {file.name}", as_json) as update:
        report = service.import_rows(
            database,
            command_line_context(),
            formats.read_rows(file),
            kind=Kind(kind),
            organisation=OrganisationDraft(
                name=name, kind=organisation_kind, country=country, province=province or None
            ),
            mapping=mapping,
            language_of=lambda text: detect(text)[0],
            dry_run=dry_run,
            progress=update,
        )
    embedded = 0 if dry_run else _embed(settings, database, as_json)
    alike = 0 if dry_run else _look_alike(settings, database, before, as_json)
    _tell(report, dry_run, embedded, alike, as_json)
    if report.refused:
        sys.exit(1)


def _look_alike(settings: Settings, database: Database, before: int, quiet: bool) -> int:
    """How many of the rows that came after change `before` look like a listing that is there."""
    with bar("Looking for duplicates", quiet) as update:
        checked = duplicates.check_since(
            settings, database, command_line_context(), before, lambda done, total: update(done, total)
        )
    return len(checked.alike)


def _tell(report: service.ImportReport, dry_run: bool, embedded: int, alike: int, as_json: bool) -> None:
    if as_json:
        refused = [{"line": p.line, "external_id": p.external_id, "reason": p.reason} for p in report.refused]
        counts = {"created": report.created, "updated": report.updated, "unchanged": report.unchanged}
        rest = {"refused": refused, "notes": report.notes, "dry_run": dry_run, "passages_embedded": embedded}
        rest["look_alike"] = alike
        click.echo(json.dumps(counts | rest, ensure_ascii=False))
        return
    click.echo(
        ("Nothing was kept (dry run). " if dry_run else "")
        + f"{report.rows} rows: {report.created} new, {report.updated} updated, {report.unchanged} as they were, "
        f"{len(report.refused)} refused" + (f"; {embedded} passages embedded." if embedded else ".")
    )
    if alike:
        click.echo(f"{alike} of the new rows look like listings that are there: see techex duplicates list.")
    if report.notes:
        click.echo(f"{len(report.notes)} texts were shortened to fit, the first: {report.notes[0]}.")
    for sentence in service.refused_sentences(report.refused[:REFUSED_SHOWN]):
        click.echo(f"  {sentence}", err=True)
    if len(report.refused) > REFUSED_SHOWN:
        click.echo(f"  … and {len(report.refused) - REFUSED_SHOWN} more; --json lists them all.", err=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="-")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), required=True, help="Which listings.")
@click.option(
    "--format", "format_", type=click.Choice(["jsonl", "csv"]), help="Format; by default the ending of FILE says."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object about the export.")
def export(file: Path, kind: str, format_: str | None, as_json: bool) -> None:
    """Export all published needs or offers to FILE (.jsonl or .csv), or to standard output with FILE = -.

    What is exported can be imported again as it is. Cells that a spreadsheet would run as formulas are disarmed.
    """
    database = _ready_database(load_settings())
    to_stdout = str(file) == "-"
    chosen = format_ or ("jsonl" if to_stdout else formats.format_of(file))
    with database.reading() as session:
        context = command_line_context()
        rows = service.export_rows(session, context, Kind(kind))
        columns = service.columns_of(Kind(kind), service.further_languages(session, context, Kind(kind)))
        if to_stdout:
            count = _write(rows, chosen, columns, sys.stdout)
        else:
            try:
                with file.open("w", encoding="utf-8", newline="") as out:
                    count = _write(rows, chosen, columns, out)
            except OSError as error:
                raise click.ClickException(f"{file} cannot be written: {error.strerror}. Name another file.") from None
    if as_json and not to_stdout:
        click.echo(json.dumps({"written": count, "file": str(file), "format": chosen}))
    elif not to_stdout:
        click.echo(f"{count} {kind}s written to {file}.")


def _write(rows: Iterator[dict[str, object]], chosen: str, columns: Sequence[str], out: object) -> int:
    if chosen == "csv":
        return formats.write_csv(map(texts.flat, rows), columns, out)  # type: ignore[arg-type]
    return formats.write_jsonl(rows, out)  # type: ignore[arg-type]

"""`techex audit`: look after the audit log and the ledgers of deals."""

from __future__ import annotations

import json
import sys

import click

from techex.brokering import ledgers
from techex.core import audit as log
from techex.core.database import Database
from techex.core.terminal import bar
from techex.migrations import run
from techex.settings import load_settings


@click.group()
def audit() -> None:
    """Check the audit log, and with `deals` the ledgers of deals: nobody has changed, removed or moved an entry."""


@audit.command("verify")
@click.option(
    "--noted",
    default="",
    metavar="HASH",
    help="A hash that an earlier run printed and that was kept elsewhere: the chain must still hold it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(noted: str, as_json: bool) -> None:
    """Walk the chain of hashes and name the first entry that does not follow.

    Exit code 1 where the chain is broken. Note the hash it prints somewhere else: whoever can write the whole database
    could write a whole new chain, but not one that holds this hash.
    """
    database = Database(load_settings().database_address)
    run.require_current(database)
    with database.reading() as session, bar("Walking the audit log", as_json) as update:
        walked = log.verify(session, update, noted.strip().lower())
    if as_json:
        found = {"entries": walked.entries, "hash": walked.hash, "broken": walked.broken, "reason": walked.reason}
        click.echo(json.dumps({"whole": walked.is_whole} | found))
    elif walked.is_whole:
        click.echo(f"The audit log is whole: {walked.entries} entries, the last with hash\n{walked.hash}")
    elif walked.broken is None:
        click.echo(f"The audit log is broken: {walked.reason}.", err=True)
    else:
        click.echo(f"The audit log is broken at entry {walked.broken}: {walked.reason}.", err=True)
    if not walked.is_whole:
        sys.exit(1)


@audit.command("deals")
@click.option("--deal", type=int, help="Look at this deal alone, by its number.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def deals(deal: int | None, as_json: bool) -> None:
    """Walk the ledgers of deals: every line follows from the one before it, the audit log knows each, and every paper
    has the content whose digest the ledger holds. Exit code 1 where something does not hold.
    """
    settings = load_settings()
    database = Database(settings.database_address)
    run.require_current(database)
    with database.reading() as session, bar("Walking the ledgers of deals", as_json) as update:
        walked = ledgers.verify(session, settings.data_dir, deal, update)
    if as_json:
        flaws = [{"deal": flaw.deal, "line": flaw.line, "reason": flaw.reason} for flaw in walked.flaws]
        counts = {"deals": walked.deals, "lines": walked.lines, "papers": walked.papers}
        click.echo(json.dumps({"whole": not flaws} | counts | {"flaws": flaws}))
    elif not walked.flaws:
        counted = f"{walked.deals} deals, {walked.lines} lines, {walked.papers} versions of papers"
        click.echo(f"The ledgers of deals are whole: {counted}.")
    for flaw in () if as_json else walked.flaws:
        where = f"line {flaw.line}: " if flaw.line else ""
        click.echo(f"Deal {flaw.deal}, {where}{flaw.reason}.", err=True)
    if walked.flaws:
        sys.exit(1)

"""`techex audit`: look after the audit log."""

from __future__ import annotations

import json
import sys

import click

from techex.core import audit as log
from techex.core.database import Database
from techex.core.terminal import bar
from techex.migrations import run
from techex.settings import load_settings


@click.group()
def audit() -> None:
    """Check the audit log: nobody has changed, removed or moved an entry."""


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

"""`techex migrate`."""

from __future__ import annotations

import json

import click

from techex.core.database import Database
from techex.migrations import run
from techex.settings import load_settings


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

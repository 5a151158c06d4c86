"""`techex listings`: what is done to single listings from the command line."""

from __future__ import annotations

import json

import click

from techex.core.context import command_line_context
from techex.core.database import Database
from techex.core.vocabulary import LANGUAGES
from techex.listings import correction, service
from techex.migrations import run
from techex.settings import load_settings


@click.group()
def listings() -> None:
    """Put right what is wrong with a listing."""


@listings.command("language")
@click.argument("listing_id", type=int, metavar="ID")
@click.argument("language", metavar="CODE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def language(listing_id: int, language: str, as_json: bool) -> None:
    """Say that listing ID is written in CODE (ISO 639-1), where that was detected or chosen wrongly.

    The change log carries it on: passages, words and vectors of the listing are made anew by whoever searches next.
    """
    database = Database(load_settings().database_address)
    try:
        run.require_current(database)
        context = command_line_context()
        with database.transaction() as session:
            listing = service.get_visible(session, context, listing_id, to_change=True)
            former = listing.language
            changed = correction.correct_language(session, context, listing, language)
    finally:
        database.close()
    if as_json:
        click.echo(json.dumps({"id": listing_id, "language": language, "former": former, "changed": changed}))
        return
    name = LANGUAGES[language]
    click.echo(
        f"Listing {listing_id} is now read as {name} ({language}), before as {former}."
        if changed
        else f"Listing {listing_id} was read as {name} ({language}) before. Nothing to do."
    )

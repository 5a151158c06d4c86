"""`techex people operator`: who serves which provinces and countries; joins the commands about people."""

from __future__ import annotations

import json

import click

from techex.accounts.commands import people
from techex.core.context import command_line_context
from techex.core.database import Database
from techex.migrations import run
from techex.organisations import operators, service
from techex.settings import load_settings

__all__ = ["people"]


@people.command("operator")
@click.argument("email")
@click.option(
    "--place",
    "places",
    multiple=True,
    required=True,
    metavar="CODE",
    help="A province (VN-33), a country (NL) or a region for all its provinces (SOUTHEAST); may be repeated.",
)
@click.option("--take-away", is_flag=True, help="They no longer serve these places.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def operator(email: str, places: tuple[str, ...], take_away: bool, as_json: bool) -> None:
    """Let EMAIL serve places as an operator: publish, verify and broker there and nowhere else.

    It counts from their next request, once they have a second factor. Running it again changes nothing.
    """
    database = Database(load_settings().database_address)
    run.require_current(database)
    context = command_line_context()
    deed = operators.take_away if take_away else operators.grant
    with database.transaction() as session:
        person = operators.find_person(session, email)
        changed = [code for place in places for code in deed(session, context, person, place)]
        session.flush()
        serves = sorted(service.belonging(session, person.id)[1])
        has_factor = person.factor_since is not None
    if as_json:
        click.echo(json.dumps({"changed": sorted(changed), "serves": serves, "second_factor": has_factor}))
        return
    what = "no longer serves" if take_away else "now serves"
    click.echo(f"{email} {what} {', '.join(sorted(changed))}." if changed else f"{email}: nothing to do.")
    click.echo(f"Places now: {', '.join(serves) or 'none'}.")
    if serves and not has_factor:
        click.echo("They can act once they have set up a second factor on their account page.")

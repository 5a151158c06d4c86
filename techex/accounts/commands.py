"""`techex people …`: the first administrator, and what needs no page because it is done when pages do not help."""

from __future__ import annotations

import json

import click
from sqlalchemy.orm import Session

from techex.accounts import demo, service
from techex.accounts.rules import checked_address
from techex.accounts.tables import Person
from techex.core.context import command_line_context
from techex.core.database import Database
from techex.errors import NotFound
from techex.migrations import run
from techex.settings import Settings, load_settings


def _open(settings: Settings) -> Database:
    database = Database(settings.database_address)
    run.require_current(database)
    return database


def _person(session: Session, email: str) -> Person:
    found = service.by_key(session, checked_address(email).key)
    if found is None:
        raise NotFound(f"Nobody has an account with {email}. `techex people list` shows who has.")
    return found


@click.group()
def people() -> None:
    """Look after accounts: the first administrator, lost second factors, closed accounts."""


@people.command()
@click.argument("email")
@click.option("--name", default="", help="How they are called; needed for somebody without an account.")
def administrator(email: str, name: str) -> None:
    """Make EMAIL an administrator and print the link with which they choose their password.

    The link is good once, for 24 hours, and is printed nowhere else. An administrator can act once they have set up a
    second factor. In a demo exchange this ends the demo: its invented people can no longer sign in.
    """
    settings, context = load_settings(), command_line_context()
    with _open(settings).transaction() as session:
        ended = demo.end(session, context)
        address = checked_address(email)
        token = service.make_administrator(
            session, context, address, name or address.written.split("@")[0], settings.language_list[0]
        )
    if ended:
        click.echo("The demo has ended: its people can no longer sign in. `techex demo reset` takes its listings out.")
    if token is None:
        click.echo(f"{address.written} is an administrator from now on and signs in as before.")
        return
    base = settings.base_url.rstrip("/") or "http://127.0.0.1:8000"
    click.echo("Open this page within 24 hours and choose a password; the link is good once:")
    click.echo(f"{base}/password/new/{token}")


@people.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_people(as_json: bool) -> None:
    """List everybody with an account."""
    with _open(load_settings()).reading() as session:
        rows = [
            {
                "email": person.email,
                "name": person.name,
                "administrator": person.administrator,
                "second_factor": person.factor_since is not None,
                "disabled": person.disabled_at is not None,
                "invented": person.illustrative,
            }
            for person in service.all_people(session)
        ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        notes = [name.replace("_", " ") for name in list(row)[2:] if row[name]]
        click.echo(f"{row['email']}  {row['name']}" + (f"  ({', '.join(notes)})" if notes else ""))
    if not rows:
        click.echo("Nobody has an account yet. `techex people administrator EMAIL` makes the first.")


@people.command()
@click.argument("email")
def disable(email: str) -> None:
    """Close the account of EMAIL, from the next request on; what belongs to it stays."""
    with _open(load_settings()).transaction() as session:
        service.disable(session, command_line_context(), _person(session, email))
    click.echo(f"{email} can no longer sign in and is signed out everywhere.")


@people.command()
@click.argument("email")
def enable(email: str) -> None:
    """Open a closed account again."""
    with _open(load_settings()).transaction() as session:
        service.enable(session, command_line_context(), _person(session, email))
    click.echo(f"{email} can sign in again.")


@people.command("reset-factor")
@click.argument("email")
def reset_factor(email: str) -> None:
    """Take the second factor off the account of EMAIL, whose phone and recovery codes are lost.

    Make sure by another way than mail that it is them who asks. They are signed out everywhere, and set up a new one
    when they sign in.
    """
    with _open(load_settings()).transaction() as session:
        service.reset_factor(session, command_line_context(), _person(session, email))
    click.echo(f"{email} signs in with the password alone until a new second factor is set up.")

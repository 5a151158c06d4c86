"""Who asks, and where the data are: what a view hands to a service.

with identity.database().reading() as session:
    listing = service.get_visible(session, identity.context(), listing_id)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask, current_app, g

from techex.core.context import ANONYMOUS, Actor, Context
from techex.core.database import Database

_KEY = "techex.database"
_ACTOR = "techex.actor"


def init_app(app: Flask, database: Database, actor: Callable[[], Actor] = lambda: ANONYMOUS) -> None:
    """Give the views of `app` this database, and a way to ask who asks."""
    app.extensions[_KEY] = database
    app.extensions[_ACTOR] = actor


def database() -> Database:
    """The database of the running exchange."""
    found = current_app.extensions[_KEY]
    assert isinstance(found, Database)  # noqa: S101 - only init_app writes it
    return found


def now() -> datetime:
    """One moment for the whole request."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    found = g.now
    assert isinstance(found, datetime)  # noqa: S101 - only this function writes it
    return found


def context() -> Context:
    """Who asks and when."""
    if "context" not in g:
        g.context = Context(current_app.extensions[_ACTOR](), now())
    found = g.context
    assert isinstance(found, Context)  # noqa: S101 - only this function writes it
    return found

"""Who asks, and where the data are: what a view hands to a service.

with identity.database().reading() as session:
    listing = service.get_visible(session, identity.context(), listing_id)
"""

from __future__ import annotations

from flask import Flask, current_app, g

from techex.core.context import ANONYMOUS, Context
from techex.core.database import Database

_KEY = "techex.database"


def init_app(app: Flask, database: Database) -> None:
    """Give the views of `app` this database."""
    app.extensions[_KEY] = database


def database() -> Database:
    """The database of the running exchange."""
    found = current_app.extensions[_KEY]
    assert isinstance(found, Database)  # noqa: S101 - only init_app writes it
    return found


def context() -> Context:
    """Who asks and when; one moment for the whole request."""
    if "context" not in g:
        g.context = Context(ANONYMOUS)
    found = g.context
    assert isinstance(found, Context)  # noqa: S101 - only this function writes it
    return found

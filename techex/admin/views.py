"""`/healthz`: is everything there, for machines."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from techex import __version__
from techex.core import changes
from techex.errors import TechexError
from techex.matching import views as matching_views
from techex.migrations import run
from techex.web import identity, policy

_COUNTS = ("listings", "change")  # of the index

blueprint = Blueprint("admin", __name__)


@blueprint.get("/healthz")
@policy.open_to(policy.everyone)
def health() -> Response:
    """200 while pages can be served; 503 with the reason when the database cannot.

    A missing model is told and is no failure: everything else works, and search goes by keywords. How much there is and
    how often it changes are for administrators: what nobody may see counts among it.
    """
    database, matching = _database(), _matching()
    if not identity.context().actor.is_administrator:
        database.pop("last_change", None)
        matching = {
            part: {key: value for key, value in said.items() if key not in _COUNTS} for part, said in matching.items()
        }
    response = jsonify(version=__version__, database=database, **matching)
    response.status_code = 200 if database["ok"] else 503
    response.headers["Cache-Control"] = "no-store"
    return response


def _matching() -> dict[str, Any]:
    try:
        return matching_views.state()
    except TechexError as error:
        return {"model": {"ok": False, "reason": str(error)}}


def _database() -> dict[str, Any]:
    database = identity.database()
    try:
        run.require_current(database)
        with database.reading() as session:
            session.execute(text("SELECT 1"))
            return {"ok": True, "last_change": changes.last(session)}
    except (TechexError, SQLAlchemyError) as error:
        return {"ok": False, "reason": str(error)}

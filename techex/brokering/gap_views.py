"""What is missing, for operators: needs without a suitable result in groups, and results that suit no need."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from techex.brokering import gaps
from techex.brokering.figure_views import places_of
from techex.brokering.gaps import FLOORS, Alone
from techex.core.context import Context
from techex.core.vocabulary import FIELDS, N_
from techex.matching import surveyed
from techex.regions import service as regions
from techex.regions.naming import place_called
from techex.web import identity, policy, replies, tables
from techex.web.addresses import whole
from techex.web.language import page_language
from techex.web.tables import Column, Filter, Table

blueprint = Blueprint("gaps", __name__)

SORTS: tables.Sorts = {
    "weakest": (N_("weakest match first"), lambda one: (one.best, one.id)),
    "place": (tables.BY_PLACE, lambda one: (one.place.code, one.id)),
    "title": (tables.BY_TITLE, lambda one: (one.title.casefold(), one.id)),
}


def _columns() -> tuple[Column, ...]:
    language = page_language()
    return (
        Column(N_("Number"), lambda one: one.id),
        Column(N_("Title"), lambda one: one.title),
        Column(N_("Place"), lambda one: regions.place_name(one.place, language)),
        Column(N_("Fields"), lambda one: list(one.fields)),
        Column(N_("Strongest match"), lambda one: one.best),
    )


def _table(of: str, floor: int, everywhere: bool) -> Table:
    always = {"of": of} | ({"floor": str(floor)} if floor != FLOORS[0] else {}) | ({"all": "1"} if everywhere else {})
    return Table(
        "gaps.index",
        "gaps.file",
        SORTS,
        _columns(),
        {
            "field": Filter(N_("Field"), lambda one: one.fields, lambda code: gettext(FIELDS[code])),
            "place": Filter(N_("Place"), lambda one: (one.place.code,), place_called),
        },
        lambda one: one.title,
        always=always,
    )


def _asked() -> tuple[str, int, bool]:
    of = "results" if request.args.get("of") == "results" else "needs"
    floor = whole(request.args.get("floor"), FLOORS[0])
    return of, floor if floor in FLOORS else FLOORS[0], request.args.get("all") == "1"


def _missing(session: Session, context: Context, floor: int, everywhere: bool) -> gaps.Gaps:
    """Of the operator's own places, or of all they may read."""
    return gaps.gaps(session, context, None if everywhere else places_of(context.actor), floor)


def _of_one_field(of: str, alone: list[list[Alone]]) -> list[list[Alone]]:
    field = request.args.get("field", "")
    return [group for group in alone if of == "needs" and (not field or all(field in one.fields for one in group))]


@blueprint.get("/gaps")
@policy.open_to(policy.operator)
def index() -> Response:
    """Needs that nothing suits, those alike together, to draft proposals from; or results that suit no need."""
    context = identity.context()
    of, floor, everywhere = _asked()
    with identity.database().reading() as session:
        missing = _missing(session, context, floor, everywhere)
        rows = missing.needs if of == "needs" else missing.results
        groups = _of_one_field(of, gaps.groups(session, context, missing.needs))
        near = surveyed.nearest(session, context, [one.id for one in missing.needs]) if of == "needs" else {}
        return replies.page(
            "brokering/gaps.html",
            of=of,
            floor=floor,
            floors=FLOORS,
            everywhere=everywhere,
            found=_table(of, floor, everywhere).ask(rows, request.args),
            missing=missing,
            groups=[(gaps.common_fields(group), group) for group in groups if len(group) > 1],
            nearest={need: found[0] for need, found in near.items() if found},
            looked=surveyed.looked_over(session, context),
        )


@blueprint.get(f"/gaps.{tables.FILE}")
@policy.open_to(policy.operator)
def file(suffix: str) -> Response:
    """The list of that page, with the same filters."""
    of, floor, everywhere = _asked()
    with identity.database().reading() as session:
        missing = _missing(session, identity.context(), floor, everywhere)
    rows = missing.needs if of == "needs" else missing.results
    return _table(of, floor, everywhere).file(rows, request.args, suffix)

"""The operator's desk: one page for a working day, and the same as a table for a spreadsheet."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, request, url_for
from flask_babel import gettext

from techex.admin import desk, desk_items
from techex.admin.desk import Asked, Item, Task
from techex.interchange.formats import write_csv
from techex.regions import service as regions
from techex.settings import Settings
from techex.web import addresses, identity, policy, replies
from techex.web.language import page_language

PAGE_SIZE = 25

# Kind of work -> the page on which it is done, and the parameter that names its subject.
PAGES: Mapping[Task, tuple[str, str]] = {
    Task.REVIEW: ("review.show", "listing_id"),
    Task.VERIFY: ("verification.organisation", "slug"),
    Task.INTEREST: ("brokering.interest", "interest_id"),
    Task.INTRODUCE: ("deals.show", "deal_id"),
    Task.SILENT: ("deals.show", "deal_id"),
    Task.REGISTRATION: ("deals.show", "deal_id"),
    Task.OUTCOME: ("deals.show", "deal_id"),
}

blueprint = Blueprint("desk", __name__)


@blueprint.get("/desk")
@policy.open_to(policy.operator)
def index() -> Response:
    """What waits for this operator."""
    from techex.matching import duplicate_service

    asked = _asked(request.args)
    with identity.database().reading() as session:
        context = identity.context()
        everything, elsewhere = desk_items.items(session, context, _settings().review_readers, page_language())
        twins = len(duplicate_service.listed(session, context))
    found = desk.chosen(everything, asked)
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(addresses.page_number(request.args), pages)
    parameters = _parameters(asked)
    return replies.page(
        "admin/desk.html",
        items=found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        total=len(found),
        waiting=len(everything),
        late=sum(item.at_once or item.is_late for item in everything),
        counts=desk.counted(everything),
        places=_places(everything),
        elsewhere=elsewhere,
        twins=twins,
        asked=asked,
        tasks=desk.TASKS,
        sorts=desk.SORTS,
        address_of=_address,
        page=page,
        pages=pages,
        at_page=lambda number: url_for("desk.index", **parameters, page=number),
        only=lambda task: url_for("desk.index", **parameters | {"task": task}),
        file_address=url_for("desk.file", **parameters),
    )


@blueprint.get("/desk.csv")
@policy.open_to(policy.operator)
def file() -> Response:
    """All lines of that page, with the same filters."""
    with identity.database().reading() as session:
        everything, _ = desk_items.items(session, identity.context(), _settings().review_readers, page_language())
    rows = [_row(item) for item in desk.chosen(everything, _asked(request.args))]
    out = io.StringIO()
    write_csv((dict(zip(_columns(), row, strict=True)) for row in rows), _columns(), out)
    reply = Response("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    reply.headers["Content-Disposition"] = "attachment; filename=techex-desk.csv"
    return reply


def _settings() -> Settings:
    found = current_app.extensions["techex.settings"]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return found


def _asked(arguments: Mapping[str, str]) -> Asked:
    """What an address asks for; a word that nobody knows asks for nothing."""
    task, place, sort = (arguments.get(name, "") for name in ("task", "place", "sort"))
    return Asked(
        task if task in desk.TASKS else "",
        place if place in identity.context().actor.places or regions.place_of_code(place) else "",
        arguments.get("late") == "1",
        sort if sort in desk.SORTS else "urgent",
    )


def _parameters(asked: Asked) -> dict[str, Any]:
    """The parameters that say this again; defaults are left out."""
    found = {"task": asked.task, "place": asked.place, "late": "1" if asked.late else ""}
    found |= {"sort": asked.sort if asked.sort != "urgent" else ""}
    return {name: value for name, value in found.items() if value}


def _places(items: Sequence[Item]) -> list[tuple[str, str]]:
    """The places that occur, by name."""
    found = {place for item in items for place in item.places}
    return sorted(((place.code, regions.place_name(place, page_language())) for place in found), key=lambda row: row[1])


def _address(item: Item) -> str:
    endpoint, name = PAGES[item.task]
    return url_for(endpoint, **{name: item.key})  # type: ignore[arg-type]


def _columns() -> list[str]:
    return [
        *(gettext("Work"), gettext("What is to be done"), gettext("Number"), gettext("About"), gettext("Place")),
        *(gettext("Since"), gettext("Due"), gettext("Working days left"), gettext("Address")),
    ]


def _row(item: Item) -> list[Any]:
    return [
        *(gettext(desk.TASKS[item.task]), gettext(item.what), item.number, item.title),
        [regions.place_name(place, page_language()) for place in item.places],
        *(f"{item.since:%Y-%m-%d}", item.due and f"{item.due:%Y-%m-%d}", item.days_left),
        request.url_root.rstrip("/") + _address(item),
    ]

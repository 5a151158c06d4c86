"""The operator's desk: one page for a working day, and the same as a table for a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, request, url_for
from flask_babel import gettext

from techex.admin import desk, desk_items, handing
from techex.admin.desk import Asked, Item, Task
from techex.brokering import expected, pipeline
from techex.core.vocabulary import N_
from techex.regions import service as regions
from techex.settings import Settings
from techex.web import addresses, identity, policy, replies, tables
from techex.web.addresses import whole
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
    Task.TODO: ("deals.show", "deal_id"),
    Task.PROPOSAL: ("brokering.interest", "interest_id"),
}

COLUMNS = (
    tables.Column(N_("Work"), lambda item: gettext(desk.TASKS[item.task])),
    tables.Column(N_("What is to be done"), lambda item: gettext(item.what)),
    tables.Column(N_("Number"), lambda item: item.number),
    tables.Column(N_("About"), lambda item: item.title),
    tables.Column(N_("Place"), lambda item: [regions.place_name(place, page_language()) for place in item.places]),
    tables.Column(N_("Expected value, million dong"), lambda item: round(item.millions) if item.worth else None),
    tables.Column(N_("Since"), lambda item: item.since),
    tables.Column(N_("Due"), lambda item: item.due),
    tables.Column(N_("Working days left"), lambda item: item.days_left),
    tables.Column(N_("Address"), lambda item: request.url_root.rstrip("/") + _address(item)),
)

blueprint = Blueprint("desk", __name__)


@blueprint.get("/desk")
@policy.open_to(policy.operator)
def index() -> Response:
    """What waits for this operator."""
    from techex.matching import duplicate_service

    asked = _asked(request.args)
    with identity.database().reading() as session:
        context = identity.context()
        everything, elsewhere = desk_items.items(session, context, settings().review_readers, page_language())
        people = {number: one.person.name for number, one in handing.colleagues(session, context).items()}
        twins = len(duplicate_service.listed(session, context))
        chances = expected.chances(session)
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
        people=people,
        me=context.actor.person_id,
        holders=_holders(everything, people),
        nobody=desk.NOBODY,
        chances=chances,
        stages=pipeline.STAGES,
        middles=expected.MIDDLES,
        weight=expected.WEIGHT,
        handed=whole(request.args.get("handed"), 0),
        taken=whole(request.args.get("taken"), 0),
        longest_note=handing.LONGEST_NOTE,
        asked=asked,
        tasks=desk.TASKS,
        sorts=desk.SORTS,
        address_of=_address,
        page=page,
        pages=pages,
        at_page=lambda number: url_for("desk.index", **parameters, page=number),
        only=lambda task: url_for("desk.index", **parameters | {"task": task}),
        file_address=lambda suffix: url_for("desk.file", **parameters, suffix=suffix),
    )


@blueprint.get(f"/desk.{tables.FILE}")
@policy.open_to(policy.operator)
def file(suffix: str) -> Response:
    """All lines of that page, with the same filters."""
    with identity.database().reading() as session:
        everything, _ = desk_items.items(session, identity.context(), settings().review_readers, page_language())
    return tables.download("desk", suffix, COLUMNS, desk.chosen(everything, _asked(request.args)))


def settings() -> Settings:
    """Those of the running exchange."""
    found = current_app.extensions["techex.settings"]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return found


def _asked(arguments: Mapping[str, str]) -> Asked:
    """What an address asks for; a word that nobody knows asks for nothing."""
    task, place, holder, sort = (arguments.get(name, "") for name in ("task", "place", "holder", "sort"))
    return Asked(
        task if task in desk.TASKS else "",
        place if place in identity.context().actor.places or regions.place_of_code(place) else "",
        arguments.get("late") == "1",
        holder if holder == desk.NOBODY or whole(holder, 0) > 0 else "",
        sort if sort in desk.SORTS else "urgent",
    )


def _parameters(asked: Asked) -> dict[str, Any]:
    """The parameters that say this again; defaults are left out."""
    found = {"task": asked.task, "place": asked.place, "late": "1" if asked.late else ""}
    found |= {"holder": asked.holder, "sort": asked.sort if asked.sort != "urgent" else ""}
    return {name: value for name, value in found.items() if value}


def _places(items: Sequence[Item]) -> list[tuple[str, str]]:
    """The places that occur, by name."""
    found = {place for item in items for place in item.places}
    return sorted(((place.code, regions.place_name(place, page_language())) for place in found), key=lambda row: row[1])


def _holders(items: Sequence[Item], people: Mapping[int, str]) -> list[tuple[str, str, int]]:
    """(code, name, how many) of those who have something, then of what nobody has."""
    counts: dict[str, int] = {}
    for item in items:
        counts[desk.held_by(item)] = counts.get(desk.held_by(item), 0) + 1
    known = [(str(number), name, counts[str(number)]) for number, name in people.items() if str(number) in counts]
    free = counts.get(desk.NOBODY)
    return [*known, *([(desk.NOBODY, gettext("nobody yet"), free)] if free else [])]


def _address(item: Item) -> str:
    endpoint, name = PAGES[item.task]
    return url_for(endpoint, **{name: item.key})  # type: ignore[arg-type]

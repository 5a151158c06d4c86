"""Pages for operators, who verify organisations of their places, and for administrators, who say who serves which."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.core import vocabulary
from techex.core.context import Context, MemberRole
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, NotFound
from techex.organisations import members, operator_list, operators, queries, service
from techex.organisations.rules import CHECKS, LONGEST_NOTE
from techex.organisations.tables import Organisation
from techex.regions import service as regions
from techex.regions.naming import place_called
from techex.web import identity, policy, replies, tables
from techex.web.language import page_language
from techex.web.problems import status_of

blueprint = Blueprint("verification", __name__)


@blueprint.get("/verification")
@policy.open_to(policy.operator)
def waiting() -> Response:
    """The organisations of one's places that nobody has verified."""
    places = identity.context().actor.places
    with identity.database().reading() as session:
        return replies.page(
            "organisations/waiting.html",
            found=WAITING.ask(_waiting(session), request.args),
            places=[place for code in sorted(places) if (place := regions.place_of_code(code))],
        )


@blueprint.get(f"/verification.{tables.FILE}")
@policy.open_to(policy.operator)
def file(suffix: str) -> Response:
    """All of that list, with the same filters."""
    with identity.database().reading() as session:
        return WAITING.file(_waiting(session), request.args, suffix)


def _waiting(session: Session) -> list[tuple[int, Organisation, int]]:
    """(place in the usual order, organisation, how many manage it)."""
    found = queries.unverified(session, identity.context().actor.places)
    managers = queries.managers_of(session, found)
    return [(number, one, managers.get(one.id, 0)) for number, one in enumerate(found)]


def _listed(code: str) -> str:
    return str(gettext("yes") if code == "yes" else gettext("not yet"))


WAITING = tables.Table(
    "verification.waiting",
    "verification.file",
    {
        "door": (N_("at the door first, then who waits longest"), lambda row: row[0]),
        "oldest": (tables.OLDEST, lambda row: (row[1].created_at, row[0])),
        "newest": (tables.NEWEST, lambda row: (-row[1].created_at.timestamp(), row[0])),
        "name": (N_("by name"), lambda row: (row[1].name_in(page_language()).casefold(), row[0])),
        "place": (tables.BY_PLACE, lambda row: (row[1].place.code, row[0])),
    },
    (
        tables.Column(N_("Name"), lambda row: row[1].name_in(page_language())),
        tables.Column(N_("Kind"), lambda row: gettext(vocabulary.ORGANISATION_KINDS[row[1].kind])),
        tables.Column(N_("Identifiers"), lambda row: [f"{name} {value}" for name, value in row[1].identifiers.items()]),
        tables.Column(N_("Place"), lambda row: regions.place_name(row[1].place, page_language())),
        tables.Column(N_("Here since"), lambda row: row[1].created_at),
        tables.Column(N_("Managers"), lambda row: row[2]),
        tables.Column(N_("In the directory"), lambda row: _listed("yes" if row[1].listed else "no")),
    ),
    {
        "org": tables.Filter(
            N_("Kind"), lambda row: [row[1].kind], lambda code: gettext(vocabulary.ORGANISATION_KINDS[code])
        ),
        "place": tables.Filter(N_("Place"), lambda row: [row[1].place.code], place_called),
        "listed": tables.Filter(N_("In the directory"), lambda row: ["yes" if row[1].listed else "no"], _listed),
    },
    words=lambda row: row[1].keywords,
    size=queries.PAGE_SIZE,
)


def _page(slug: str, error: BadInput | Conflict | None = None) -> Response:
    context = identity.context()
    with identity.database().reading() as session:
        organisation = service.get_visible(session, context, slug)
        service.need_operator(context, organisation)
        people = members.members(session, organisation)
        return replies.page(
            "organisations/verification.html",
            status_of(error) if error else 200,
            organisation=organisation,
            managers=[row for row in people if row.role == MemberRole.MANAGER],
            same_number=service.with_identifiers(session, organisation.identifiers, organisation.id),
            namesakes=queries.namesakes(session, organisation),
            may_open=lambda other: service.may_see(context.actor, other),
            history=queries.verifications(session, organisation.id),
            checks=CHECKS,
            longest_note=LONGEST_NOTE,
            error=error.sentence if isinstance(error, BadInput) else error.args[0] if error else None,
            typed=request.form,
        )


@blueprint.get("/organisations/<slug>/verification")
@policy.open_to(policy.operator)
def organisation(slug: str) -> Response:
    """What is known of an organisation, and the forms that verify it or take that back."""
    return _page(slug)


@blueprint.post("/organisations/<slug>/verification")
@policy.open_to(policy.operator)
def verify(slug: str) -> Response:
    """Mark that one has checked who this is, and how."""
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            found = service.get_visible(session, context, slug)
            service.verify(session, context, found, request.form.getlist("checked"), request.form.get("note", ""))
    except (BadInput, Conflict) as error:
        return _page(slug, error)
    return replies.see_other(url_for("verification.waiting"))


@blueprint.post("/organisations/<slug>/verification/withdraw")
@policy.open_to(policy.operator)
def withdraw(slug: str) -> Response:
    """Take the mark back."""
    context = identity.context()
    try:
        with identity.database().transaction() as session:
            found = service.get_visible(session, context, slug)
            service.withdraw_verification(session, context, found, request.form.get("reason", ""))
    except (BadInput, Conflict) as error:
        return _page(slug, error)
    return replies.see_other(url_for("verification.organisation", slug=slug))


def _operators_page(error: BadInput | NotFound | None = None) -> Response:
    with identity.database().reading() as session:
        return replies.page(
            "admin/operators.html",
            status_of(error) if error else 200,
            found=operator_list.TABLE.ask(operator_list.lines(session), request.args),
            provinces=regions.provinces(),
            regions=regions.regions(),
            countries=sorted(regions.countries()),
            error=error.sentence if isinstance(error, BadInput) else error.args[0] if error else None,
            typed=request.form,
        )


@blueprint.get("/operators")
@policy.open_to(policy.administrator)
def who() -> Response:
    """Who serves which places."""
    return _operators_page()


@blueprint.get(f"/operators.{tables.FILE}")
@policy.open_to(policy.administrator)
def who_file(suffix: str) -> Response:
    """All of them who pass the filters, with their places."""
    with identity.database().reading() as session:
        return operator_list.TABLE.file(operator_list.lines(session), request.args, suffix)


@blueprint.post("/operators")
@policy.open_to(policy.administrator)
def grant() -> Response:
    """Let somebody serve a place or a region."""
    return _change(operators.grant)


@blueprint.post("/operators/take-away")
@policy.open_to(policy.administrator)
def take_away() -> Response:
    """Take a place from somebody."""
    return _change(operators.take_away)


def _change(deed: Callable[[Session, Context, Person, str], object]) -> Response:
    try:
        with identity.database().transaction() as session:
            person = operators.find_person(session, request.form.get("email", ""))
            deed(session, identity.context(), person, request.form.get("place", ""))
    except (BadInput, NotFound) as error:
        return _operators_page(error)
    return replies.see_other(url_for("verification.who"))

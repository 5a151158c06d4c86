"""The directory of organisations, and the page of each with its needs and results.

They stand here and not with the organisations because they show listings, which know organisations and not the reverse.
"""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext

from techex.core import vocabulary
from techex.core.context import MemberRole
from techex.core.sheets import MOST_ROWS
from techex.core.vocabulary import N_
from techex.listings import queries
from techex.listings.queries import Browse
from techex.listings.rules import Kind
from techex.organisations import queries as organisation_queries
from techex.organisations import service as organisations
from techex.organisations.forms import read_directory
from techex.organisations.rules import CHECKS
from techex.regions import service as regions
from techex.web import identity, policy, replies, tables
from techex.web.language import page_language

LISTED = 10  # needs, and results, on an organisation's page; its lists have all

blueprint = Blueprint("organisations", __name__)


@blueprint.get("/organisations")
@policy.open_to(policy.everyone)
def directory() -> Response:
    """Every organisation, with filters and with how much it seeks and offers."""
    asked = read_directory(request.args)
    with identity.database().reading() as session:
        found = organisation_queries.directory(session, asked.filters, page_language())
        ids = [organisation.id for organisation in found.organisations]
        counts = queries.counts_by_organisation(session, identity.context(), ids)
        return replies.page(
            "organisations/directory.html",
            asked=asked,
            found=found,
            counts=counts,
            sorts=organisation_queries.SORTS,
        )


@blueprint.get(f"/organisations.{tables.FILE}")
@policy.open_to(policy.everyone)
def file(suffix: str) -> Response:
    """Every organisation that passes the filters, with the columns of the directory."""
    asked = read_directory(request.args)
    with identity.database().reading() as session:
        found = organisation_queries.everybody(session, asked.filters, page_language(), MOST_ROWS)
        counts = queries.counts_by_organisation(session, identity.context(), [one.id for one in found])
        columns = (
            tables.Column(N_("Name"), lambda one: one.name_in(page_language())),
            tables.Column(N_("Kind"), lambda one: gettext(vocabulary.ORGANISATION_KINDS[one.kind])),
            tables.Column(N_("Place"), lambda one: regions.place_name(one.place, page_language())),
            tables.Column(N_("Verified"), lambda one: gettext("yes") if one.verified_at else ""),
            tables.Column(N_("Needs"), lambda one: counts[one.id].needs if one.id in counts else 0),
            tables.Column(N_("Results"), lambda one: counts[one.id].offers if one.id in counts else 0),
        )
        return tables.download("organisations", suffix, columns, found)


@blueprint.get("/organisations/<slug>")
@policy.open_to(policy.everyone)
def show(slug: str) -> Response:
    """An organisation: who it is and who says so, its people, what it seeks and offers; hidden before it is listed."""
    actor = identity.context().actor
    with identity.database().reading() as session:
        organisation = organisations.get_visible(session, identity.context(), slug)
        needs, results = (
            queries.browse(session, identity.context(), Browse(kind, organisation=slug), facets=False, size=LISTED)
            for kind in (Kind.NEED, Kind.OFFER)
        )
        history = organisation_queries.verifications(session, organisation.id)
        return replies.page(
            "organisations/show.html",
            organisation=organisation,
            needs=needs,
            results=results,
            people=organisation_queries.public_people(session, organisation.id),
            verification=next((row for row in history if row.withdrawn_at is None), None),
            withdrawn=history[0] if history and organisation.verified_at is None else None,
            checks=CHECKS,
            belongs=actor.belongs_to(organisation.id),
            writes=actor.belongs_to(organisation.id, MemberRole.EDITOR),
            manages=actor.belongs_to(organisation.id, MemberRole.MANAGER),
            operates=actor.operates_in(organisation.place.code) and not actor.belongs_to(organisation.id),
        )

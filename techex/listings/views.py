"""Lists of needs and of results, and the page of each."""

from __future__ import annotations

from flask import Blueprint, Response, request

from techex.errors import NotFound
from techex.listings import attachments, disclosure, list_file, list_rows, queries, reviews, service
from techex.listings.forms import SORTS, read_list
from techex.listings.lifecycle import Verb
from techex.listings.preview import sheet_of
from techex.listings.rules import Kind, State
from techex.organisations import service as organisations
from techex.web import identity, policy, replies, tables

ALIKE = 4  # others in the same field below a listing: a hint where to go on, not a second list

blueprint = Blueprint("listings", __name__)


@blueprint.get("/needs")
@policy.open_to(policy.everyone)
def needs() -> Response:
    """What is sought, with filters."""
    return _list(Kind.NEED)


@blueprint.get("/results")
@policy.open_to(policy.everyone)
def results() -> Response:
    """Research results and technologies on offer, with filters."""
    return _list(Kind.OFFER)


def _list(kind: Kind) -> Response:
    asked = read_list(request.args, kind)
    with identity.database().reading() as session:
        found = queries.browse(session, identity.context(), asked.filters)
        slug = asked.filters.organisation
        owner = organisations.get_visible(session, identity.context(), slug) if slug else None
        most = list_file.MOST_ROWS
        return replies.page("listings/list.html", asked=asked, found=found, owner=owner, sorts=SORTS[kind], most=most)


@blueprint.get(f"/needs.{tables.FILE}")
@policy.open_to(policy.everyone)
def needs_file(suffix: str) -> Response:
    """All needs that pass the filters, in their order."""
    return _file(Kind.NEED, suffix)


@blueprint.get(f"/results.{tables.FILE}")
@policy.open_to(policy.everyone)
def results_file(suffix: str) -> Response:
    """The same of results."""
    return _file(Kind.OFFER, suffix)


def _file(kind: Kind, suffix: str) -> Response:
    asked = read_list(request.args, kind).filters
    context = identity.context()
    with identity.database().reading() as session:
        if asked.organisation:
            organisations.get_visible(
                session, context, asked.organisation
            )  # as for the page: else there is no such list
        found = list_rows.rows(session, context, asked, list_file.MOST_ROWS)
        return tables.download("needs" if kind is Kind.NEED else "results", suffix, list_file.columns(kind), found)


@blueprint.get("/needs/<int:listing_id>")
@policy.open_to(policy.everyone)
def show_need(listing_id: int) -> Response:
    """A need and what fits it."""
    return _show(Kind.NEED, listing_id)


@blueprint.get("/results/<int:listing_id>")
@policy.open_to(policy.everyone)
def show_result(listing_id: int) -> Response:
    """A result and the needs it fits."""
    return _show(Kind.OFFER, listing_id)


def _show(kind: Kind, listing_id: int) -> Response:
    with identity.database().reading() as session:
        context = identity.context()
        try:
            listing = service.get_visible(session, context, listing_id, kind)
        except NotFound:
            told = disclosure.teasers(session, context, kind, listing_id)
            if not told:
                raise
            return replies.page("listings/teaser.html", told=told[0])
        operates = context.actor.is_operator and not context.actor.belongs_to(listing.organisation_id)
        return replies.page(
            "listings/show.html",
            **sheet_of(context, listing, attachments.of_listing(session, context, listing)),
            belongs=(belongs := context.actor.belongs_to(listing.organisation_id)),
            returned=reviews.last_returned(session, listing) if belongs and listing.state == State.RETURNED else None,
            reviews=operates,
            may_report=any(row.verb is Verb.REPORT for row in service.allowed(session, context, listing)),
            alike=queries.alike(session, context, listing, ALIKE) if listing.fields else (),
        )

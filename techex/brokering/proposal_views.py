"""The page before an operator's proposal, its one press, and what both sides and operators see of it afterwards."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from techex.accounts.service import House
from techex.brokering import proposals, rules
from techex.brokering.rules import Party, State
from techex.brokering.tables import Interest
from techex.core.context import Context
from techex.errors import BadInput, Conflict, FieldErrors
from techex.listings.tables import Listing
from techex.matching.views import matcher
from techex.regions import service as regions
from techex.settings import Settings
from techex.web import identity, policy, replies
from techex.web.language import page_language
from techex.web.problems import status_of

blueprint = Blueprint("proposals", __name__)


@blueprint.get("/pairs/<int:need_id>/<int:offer_id>/proposal")
@policy.open_to(policy.operator)
def preview(need_id: int, offer_id: int) -> Response:
    """A look before the press: both listings, the evidence, what each side would learn, what lies before them."""
    return _preview(need_id, offer_id)


def _preview(need_id: int, offer_id: int, error: Exception | None = None) -> Response:
    with identity.database().reading() as session:
        context = identity.context()
        planned = proposals.plan(session, context, need_id, offer_id)
        evidence = matcher().pairs.evidence(context.actor, planned.need, planned.offer)
        standing = matcher().standing_for(session, context, planned.need, planned.offer)
        is_weak = standing.band == "none"  # nothing is said for a pair that the exchange itself would not name
        return replies.page(
            "brokering/propose.html",
            status_of(error) if isinstance(error, (BadInput, Conflict)) else 200,
            plan=planned,
            table=evidence.table,
            standing=standing,
            distance=regions.distance_between(planned.need.place, planned.offer.place),
            note=request.form.get("note") if error else "" if is_weak else _suggested(evidence.table),
            is_weak=is_weak,
            errors=error.fields if isinstance(error, FieldErrors) else {},
            shortest=proposals.SHORTEST_NOTE,
            longest=proposals.LONGEST_NOTE,
            most_a_week=proposals.PROPOSED_A_WEEK,
            most_waiting=rules.AT_A_TIME,
            days=rules.ANSWER_WORKING_DAYS,
        )


def _suggested(table: Any) -> str:
    """A note to begin with. It quotes neither side: what one may not read yet stands in no proposal."""
    begin: str = gettext("We compared both texts and think that a talk would be worth your while.")
    met = table.count("met") if table else 0
    if not met:
        return begin
    counted = ngettext("%(num)s requirement is met", "%(num)s requirements are met", met)
    if against := table.count("contradicts"):
        counted += ", " + ngettext("%(num)s is contradicted", "%(num)s are contradicted", against)
    if still := table.count("not_stated"):
        counted += ", " + ngettext("%(num)s is still to be asked", "%(num)s are still to be asked", still)
    return f"{begin} {counted}."


@blueprint.post("/pairs/<int:need_id>/<int:offer_id>/proposal")
@policy.open_to(policy.operator)
def propose(need_id: int, offer_id: int) -> Response:
    """Ask both sides."""
    context = identity.context()
    note = request.form.get("note", "")
    try:
        with identity.database().transaction() as session:
            made = proposals.propose(session, context, _house(), need_id, offer_id, note, page_language())
            number = made.id
    except (FieldErrors, Conflict) as error:
        return _preview(need_id, offer_id, error)
    return replies.see_other(url_for("brokering.interest", interest_id=number))


def _house() -> House:
    found = current_app.extensions["techex.settings"]
    assert isinstance(found, Settings)  # noqa: S101 - create_app sets it
    return House(found.exchange_name, identity.outside_url)


def parts(session: Session, context: Context, found: Interest, side: Party | None) -> dict[str, Any]:
    """What the page of a proposal needs beyond that of any expression of interest."""
    other, told = (None, None)
    if side in (Party.SENDER, Party.RECEIVER):
        other, told = proposals.other_side(session, context, found)
    need, offer = found.listing, found.own_listing
    if offer is not None and offer.is_need:
        need, offer = offer, need
    return {
        "other": other,
        "told": told,
        "pair": (need, offer),
        "answers": proposals.answers(found),
        "asked_first": found.state == State.ASKED_FIRST,
    }


def init_app(app: Flask) -> None:
    """Teach pages of pairs to offer a proposal."""

    def may_propose(need: Listing | None, offer: Listing | None) -> bool:
        """Whether "propose to both sides" is of use to this reader."""
        actor = identity.context().actor
        return need is not None and offer is not None and proposals.may_propose(actor, need, offer)

    app.jinja_env.globals.update(may_propose=may_propose)

"""Moving a card of the board of deals: by mouse, by keyboard, and with a plain form."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from techex.brokering import board, deals
from techex.core.vocabulary import N_
from techex.errors import Conflict, Sentence
from techex.web import identity, policy, replies
from techex.web.addresses import whole

blueprint = Blueprint("board", __name__)


@blueprint.post("/deals/<int:deal_id>/move")
@policy.open_to(policy.signed_in)
def move(deal_id: int) -> Response:
    """Take the step that leads to a stage; where it asks for facts, the deal's page asks for them."""
    context, wanted = identity.context(), request.form.get("stage", "")
    with identity.database().transaction() as session:
        deal = deals.get(session, context, deal_id)
        found = next((one for one in board.moves(context.actor, deals.standing(deal)) if one.stage == wanted), None)
        if found is None:
            pattern = N_("Deal No. %(number)s cannot be moved there from where it stands now. Load the board again.")
            raise Conflict(Sentence(pattern, number=deal_id))
        if not found.asks:
            deals.take(session, context, deal_id, found.verb, whole(request.form.get("revision"), 0))
    if found.asks:
        step = found.verb.value
        return replies.see_other(url_for("deals.show", deal_id=deal_id, step=step, _anchor=f"step-{step}"))
    return replies.see_other(url_for("deals.board", moved=deal_id, _anchor=f"deal-{deal_id}"))

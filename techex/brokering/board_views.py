"""Moving a card of the board of deals: by mouse, by keyboard, and with a plain form."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from techex.brokering import board, deal_views, deals
from techex.core.vocabulary import N_
from techex.errors import Conflict, Sentence
from techex.web import identity, policy, replies
from techex.web.addresses import whole
from techex.web.language import sentence
from techex.web.problems import status_of

blueprint = Blueprint("board", __name__)


@blueprint.post("/deals/<int:deal_id>/move")
@policy.open_to(policy.signed_in)
def move(deal_id: int) -> Response:
    """Take the step that leads to a stage; where it asks for facts, the deal's page asks for them.

    A refused move answers with the board as it stands now, which says why.
    """
    context, wanted = identity.context(), request.form.get("stage", "")
    try:
        with identity.database().transaction() as session:
            deal = deals.get(session, context, deal_id)
            found = next((one for one in board.moves(context.actor, deals.standing(deal)) if one.stage == wanted), None)
            if found is None:
                raise Conflict(Sentence(N_("From where it stands now it cannot go there.")))
            if not found.asks:
                deals.take(session, context, deal_id, found.verb, whole(request.form.get("revision"), 0))
    except Conflict as error:
        with identity.database().reading() as session:
            why = sentence(error.args[0])
            return deal_views.board_page(session, context, deal_id, refused=why, status=status_of(error))
    if found.asks:
        step = found.verb.value
        return replies.see_other(url_for("deals.show", deal_id=deal_id, step=step, _anchor=f"step-{step}"))
    return replies.see_other(url_for("deals.board", moved=deal_id, _anchor=f"card-{deal_id}"))

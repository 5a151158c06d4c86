"""What the parties and operators of a pair say of it, on its page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from techex.core.limits import Rate
from techex.core.vocabulary import N_
from techex.errors import FieldErrors, Sentence
from techex.listings.rules import Kind
from techex.matching import verdicts
from techex.matching.pair_views import pair_page
from techex.matching.verdicts import Judgement, Refusal
from techex.matching.views import matcher
from techex.web import identity, language, policy, replies

blueprint = Blueprint("verdicts", __name__)

AN_HOUR = Rate(60, 3600)  # of one person: somebody who reads both texts needs a minute


@blueprint.post("/pairs/<int:need_id>/<int:offer_id>/verdict")
@policy.open_to(policy.signed_in)
def judge(need_id: int, offer_id: int) -> Response:
    """Keep what somebody of either side says of a pair."""
    context, database = identity.context(), identity.database()
    # The pair is ranked before the transaction: others write meanwhile.
    with database.reading() as session:
        need, offer = verdicts.need_judge(session, context, need_id, offer_id)
        shown = matcher().shown(session, context, need, offer)
    identity.limited("verdict", str(context.actor.person_id), [AN_HOUR])
    typed = {name: request.form.get(name, "") for name in ("judgement", "reason", "text")}
    try:
        judgement, reason = _read(typed)
        with database.transaction() as session:
            verdicts.give(session, context, need_id, offer_id, judgement, shown, reason, typed["text"])
    except FieldErrors as error:
        said = {name: language.sentence(sentence) for name, sentence in error.fields.items()}
        return pair_page(need_id, offer_id, 422, said, typed)
    seen_from: dict[str, Any] = {"from": Kind.OFFER.value} if request.args.get("from") == Kind.OFFER else {}
    return replies.see_other(
        url_for("matching.pair", need_id=need_id, offer_id=offer_id, **seen_from, _anchor="verdict")
    )


def _read(typed: dict[str, str]) -> tuple[Judgement, Refusal | None]:
    if typed["judgement"] not in set(Judgement):
        raise FieldErrors({"judgement": Sentence(N_("Say whether the two fit, fit partly, or do not fit."))})
    if typed["reason"] and typed["reason"] not in set(Refusal):
        raise FieldErrors({"reason": Sentence(N_("Choose a reason of the list."))})
    return Judgement(typed["judgement"]), Refusal(typed["reason"]) if typed["reason"] else None

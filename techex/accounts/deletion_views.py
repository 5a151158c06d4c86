"""The end of an account: what goes, what stays, and what has to be handed over first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Flask, Response, current_app, request, session
from flask import url_for as page_at

from techex.accounts import service, signing
from techex.accounts.account_views import confirm_password, me, mine, not_in_the_demo
from techex.accounts.views import blueprint, errors_of, form, house
from techex.core.vocabulary import N_
from techex.errors import BadInput, Sentence
from techex.web import identity, language, policy, replies

_LEAVING = "techex.leaving"
_LEFT = "techex.left_without"
NOT_HANDED_OVER = N_("Hand over first: colleagues of yours would be left without a manager, as named above.")
NOT_AGREED = N_("Say that the organisation named above is to be dissolved, or hand it over to somebody first.")


@blueprint.get("/account/delete")
@policy.open_to(policy.signed_in)
def delete_account() -> Response:
    """What goes and what stays."""
    return _delete_page()


def _delete_page(wrong: Mapping[str, str] | None = None) -> Response:
    left: Callable[..., Sequence[Any]] = current_app.extensions[_LEFT]
    with identity.database().reading() as db:
        rows = left(db, me().actor.person_id or 0)
        # Their names are read here, while the rows can still be asked.
        organisations = [
            {
                "name": row.organisation.name_in(language.page_language()),
                "slug": row.organisation.slug,
                "colleagues": row.colleagues,
            }
            for row in rows
        ]
    return form("accounts/delete.html", wrong, left=organisations)


@blueprint.post("/account/delete")
@policy.open_to(policy.signed_in)
def delete_account_now() -> Response:
    """Delete my account."""
    with identity.database().reading() as db:
        not_in_the_demo(mine(db))
    _good, wrong = errors_of({"dissolve": _dissolves, "current_password": confirm_password})
    if wrong:
        return _delete_page(wrong)
    leaving: Sequence[Callable[..., None]] = current_app.extensions[_LEAVING]
    try:
        with identity.database().transaction() as db:
            person = mine(db)
            service.delete_account(db, identity.context(), house(), person, leaving)
    except BadInput as error:
        return _delete_page({"current_password": language.sentence(error.sentence)})
    signing.leave()
    session["told"] = "deleted"
    return replies.see_other(page_at("accounts.sign_in"))


def _dissolves() -> None:
    """Raises BadInput where an organisation would be left to nobody, unless its end was agreed to."""
    left: Callable[..., Sequence[Any]] = current_app.extensions[_LEFT]
    with identity.database().reading() as db:
        for row in left(db, me().actor.person_id or 0):
            if row.colleagues:
                raise BadInput(Sentence(NOT_HANDED_OVER))
            if request.form.get("dissolve") != "1":
                raise BadInput(Sentence(NOT_AGREED))


def init_app(app: Flask, leaving: Sequence[Callable[..., None]], left: Callable[..., Sequence[Any]]) -> None:
    """`leaving` are other domains' parts of deletion; `left` says which organisations nobody could manage any more."""
    app.extensions[_LEAVING] = tuple(leaving)
    app.extensions[_LEFT] = left

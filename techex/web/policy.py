"""The policy audit: every view asks for a verdict before it answers, and a view that forgot is caught.

A view says who may call it with `@open_to(verdict)`, or calls `ask(...)` itself once it knows more. A reply that
nobody was asked about raises in tests and is a 403 in production: forgetting closes a door, never opens one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, current_app, g, request

from techex.core.context import Actor, MemberRole
from techex.core.vocabulary import N_
from techex.errors import NotAllowed, Sentence
from techex.web import identity

Verdict = Callable[[Actor], bool]
View = Callable[..., Any]


class NobodyAsked(AssertionError):  # noqa: N818 - says what happened, as our errors do
    """A view answered without a verdict: a mistake in our code, not of the person asking."""


def everyone(actor: Actor) -> bool:
    """The verdict of public pages."""
    return True


def signed_in(actor: Actor) -> bool:
    """The verdict of pages for whoever has an account."""
    return actor.is_signed_in


def manager(actor: Actor) -> bool:
    """The verdict of pages for those who decide for an organisation."""
    return any(membership.role is MemberRole.MANAGER for membership in actor.memberships)


def operator(actor: Actor) -> bool:
    """The verdict of pages for those who serve a place."""
    return actor.is_operator


def administrator(actor: Actor) -> bool:
    """The verdict of pages for those who run the installation."""
    return actor.is_administrator


def ask(*verdicts: Verdict) -> None:
    """Put the question on record; raises NotAllowed unless one of the verdicts lets this person in."""
    g.policy_asked = True
    actor = identity.context().actor
    if not any(verdict(actor) for verdict in verdicts):
        raise NotAllowed(Sentence(N_("This page is not open to you. Sign in as somebody who may see it, or go back.")))


def open_to(*verdicts: Verdict) -> Callable[[View], View]:
    """Decorate a view with the verdicts that open it; written below the route."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **values: Any) -> Any:
            ask(*verdicts)
            return view(*args, **values)

        return guarded

    return decorate


def _audit(response: Response) -> Response:
    # Nothing was disclosed where no view was found (404, 405) or where Flask answers OPTIONS by itself.
    answered_by_view = request.endpoint is not None and request.method != "OPTIONS" and response.status_code < 400
    if not answered_by_view or g.get("policy_asked"):
        return response
    sentence = f"{request.method} {request.path} ({request.endpoint}) answered without asking the policy."
    if current_app.testing:
        raise NobodyAsked(sentence)
    current_app.logger.error(sentence)
    return Response("403", status=403, content_type="text/plain; charset=utf-8")


def init_app(app: Flask) -> None:
    """Audit every reply; the style sheet and its like are open to everyone."""
    app.view_functions["static"] = open_to(everyone)(app.view_functions["static"])
    app.after_request(_audit)

"""The person behind a request: Flask-Login's user is one of our session rows, and the row is asked at each request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from techex.accounts import sessions
from techex.accounts.rules import IDLE_WITH_POWERS, SESSION_LASTS
from techex.core.context import ANONYMOUS, Actor, Membership, Role
from techex.web import identity, language

# Nothing that somebody signed in read is to stay in this browser. Cookies go one by one: the header would take those
# of neighbouring sites too.
_CLEARS = '"cache", "storage"'

# What a person belongs to and operates: (memberships, codes of places), asked of a floor above.
Belonging = Callable[[Session, int], tuple[tuple[Membership, ...], frozenset[str]]]
_BELONGING = "techex.belonging"


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc]
    """Who is signed in in this browser."""

    token: str
    session_id: int
    actor: Actor
    email: str
    timezone: str
    must_set_up: bool  # holds rights that wait for a second factor

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the token of the session, not the number of the person."""
        return self.token


def load(token: str) -> SignedIn | None:
    """Flask-Login's user loader."""
    now = identity.now()
    belonging: Belonging = current_app.extensions[_BELONGING]
    try:
        with identity.database().reading() as db:
            row = sessions.find(db, token, now)
            if row is None:
                return None
            found, person = row
            memberships, places = belonging(db, person.id)
    except DBAPIError:
        # A database that cannot be asked lets nobody in; the page itself says that it is not there.
        return None
    powers = person.administrator or bool(places)
    if powers and found.second_factor and now >= found.seen_at + IDLE_WITH_POWERS:
        return None
    if sessions.is_due(found, now):
        _note(found.id, now)
    actor = Actor(
        name=person.name,
        role=Role.ADMINISTRATOR if person.administrator else Role.PERSON,
        person_id=person.id,
        memberships=memberships,
        places=places,
        second_factor=found.second_factor,
    )
    return SignedIn(token, found.id, actor, person.email, person.timezone, powers and not found.second_factor)


def _note(session_id: int, now: datetime) -> None:
    try:
        with identity.database().transaction() as db:
            sessions.seen(db, session_id, now)
    except OperationalError:
        # A database that cannot be written to just now still lets people read.
        current_app.logger.warning("the use of a session could not be noted")


def signed_in() -> SignedIn | None:
    """The person signed in in this browser, or None."""
    if not has_request_context() or not current_user.is_authenticated:
        return None
    found = current_user._get_current_object()
    assert isinstance(found, SignedIn)  # noqa: S101 - only `load` makes users
    return found


def was_found() -> bool:
    """True when this request was answered for somebody who is signed in; asks nothing by itself."""
    user = g.get("_login_user")
    return user is not None and bool(user.is_authenticated)


def actor() -> Actor:
    """Who asks."""
    found = signed_in()
    return found.actor if found else ANONYMOUS


def _timezone() -> str:
    found = signed_in()
    return found.timezone if found else ""


def enter(token: str) -> None:
    """Give this browser the cookie of a session that was just started; what it held before is dropped."""
    session.clear()
    session.permanent = True
    user = load(token)
    assert user is not None  # noqa: S101 - started a moment ago in a committed transaction
    login_user(user)
    g.pop("context", None)


def leave() -> None:
    """Take the cookie away, and what the browser may have kept of the pages."""
    logout_user()
    session.clear()
    g.pop("context", None)
    g.left = True


def _forget(response: Response) -> Response:
    if g.get("left"):
        response.headers["Clear-Site-Data"] = _CLEARS
    return response


def init_app(app: Flask, belonging: Belonging) -> None:
    """Let Flask-Login ask our sessions."""
    app.extensions[_BELONGING] = belonging
    app.config.update(
        PERMANENT_SESSION_LIFETIME=SESSION_LASTS,
        SESSION_REFRESH_EACH_REQUEST=False,
        # There is no remember-me cookie; should one ever be set, it is as closed as the other.
        REMEMBER_COOKIE_SECURE=app.config["SESSION_COOKIE_SECURE"],
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
    )
    manager = LoginManager()
    # The row in the database is the protection; the browser's name and address change on a phone.
    manager.session_protection = None
    manager.user_loader(load)
    manager.init_app(app, add_context_processor=False)

    def account() -> Any:
        return signed_in()

    app.jinja_env.globals["account"] = account
    app.after_request(_forget)
    language.read_timezone_from(app, _timezone)

"""Sessions on the server: a random token in the cookie, its digest in the database, and nothing else in between."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from techex.accounts.rules import IDLE, SEEN_EVERY, SESSION_LASTS
from techex.accounts.tables import Person, PersonSession
from techex.core.context import Context

_TOKEN_BYTES = 32
_LONGEST_BROWSER = 200


def new_token() -> str:
    """256 random bits for a cookie or a link."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def start(
    session: Session, context: Context, person: Person, *, second_factor: bool, browser: str = "", address: str = ""
) -> str:
    """Sign a person in; returns the token for the cookie."""
    token = new_token()
    session.add(
        PersonSession(
            person_id=person.id,
            token_hash=digest(token),
            created_at=context.now,
            seen_at=context.now,
            second_factor=second_factor,
            browser=browser[:_LONGEST_BROWSER],
            address=address,
        )
    )
    session.flush()
    return token


def find(session: Session, token: str, now: datetime) -> tuple[PersonSession, Person] | None:
    """The session of a token and its person, while both are good; idle time is the caller's to judge further."""
    row = session.execute(
        select(PersonSession, Person).join(Person).where(PersonSession.token_hash == digest(token))
    ).one_or_none()
    if row is None or not row[1].is_active:
        return None
    found, person = row
    if now >= found.created_at + SESSION_LASTS or now >= found.seen_at + IDLE:
        return None
    return found, person


def is_due(found: PersonSession, now: datetime) -> bool:
    """True when it is time to note that this session is in use."""
    return now >= found.seen_at + SEEN_EVERY


def seen(session: Session, session_id: int, now: datetime) -> None:
    """Note that a session is in use."""
    session.execute(update(PersonSession).where(PersonSession.id == session_id).values(seen_at=now))


def renew(session: Session, context: Context, found: PersonSession, *, second_factor: bool) -> str:
    """A new token for the same session, as rights change: the old cookie is worth nothing."""
    token = new_token()
    found.token_hash, found.second_factor, found.seen_at = digest(token), second_factor, context.now
    return token


def end(session: Session, token: str) -> None:
    """Sign out in this browser."""
    session.execute(delete(PersonSession).where(PersonSession.token_hash == digest(token)))


def end_all(session: Session, person_id: int, but: int | None = None) -> None:
    """Sign a person out everywhere, or everywhere but in one session."""
    where = [PersonSession.person_id == person_id] + ([PersonSession.id != but] if but is not None else [])
    session.execute(delete(PersonSession).where(*where))


def of_person(session: Session, person_id: int, now: datetime) -> Sequence[PersonSession]:
    """The sessions of a person that may still be good, the one used last first."""
    rows = session.scalars(
        select(PersonSession)
        .where(PersonSession.person_id == person_id, PersonSession.created_at > now - SESSION_LASTS)
        .order_by(PersonSession.seen_at.desc(), PersonSession.id.desc())
    )
    return [row for row in rows if now < row.seen_at + IDLE]


def prune(session: Session, now: datetime) -> None:
    """Forget sessions that have ended by themselves."""
    session.execute(
        delete(PersonSession).where(
            (PersonSession.created_at <= now - SESSION_LASTS) | (PersonSession.seen_at <= now - IDLE)
        )
    )

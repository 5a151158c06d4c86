"""The secret address of a calendar: made, made anew, taken back, and whose it is."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.alerts.tables import CalendarFeed
from techex.core import audit
from techex.core.context import Actor, Context, Role
from techex.core.deadlines import Deadline, Sources
from techex.core.vocabulary import N_
from techex.errors import NotFound, Sentence
from techex.organisations import service as organisations

TOKEN_BYTES = 32
NOTED_EVERY = timedelta(hours=20)  # that a program has come is kept about once a day


@dataclass(frozen=True)
class Asked:
    """A calendar program that has shown a good address: for whom it reads, and what."""

    person_id: int
    language: str
    timezone: str
    deadlines: list[Deadline]
    to_note: bool


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def of_person(session: Session, context: Context) -> CalendarFeed | None:
    """A person's own, if they have one."""
    return session.get(CalendarFeed, context.actor.person_id)


def begin(session: Session, context: Context) -> str:
    """A new secret for the address, which voids the one before; it is told this once and kept as a digest."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    person = session.get_one(Person, context.actor.person_id, with_for_update=True)
    feed = session.get(CalendarFeed, person.id)
    if feed is None:
        feed = CalendarFeed(person_id=person.id)
        session.add(feed)
    feed.token_hash, feed.created_at, feed.read_at = _digest(token), context.now, None
    audit.record(session, context, "calendar address made", "person", person.id)
    session.flush()
    return token


def end(session: Session, context: Context) -> None:
    """The address is void; ending twice changes nothing."""
    feed = of_person(session, context)
    if feed is not None:
        session.delete(feed)
        audit.record(session, context, "calendar address ended", "person", feed.person_id)
        session.flush()


def read(session: Session, context: Context, token: str, sources: Sources) -> Asked:
    """What a calendar program gets at an address with this secret, as its person may see the exchange now.

    Raises NotFound for an address that is void or never was, and for somebody who may not sign in any more.
    """
    row = session.execute(
        select(CalendarFeed, Person)
        .join(Person, Person.id == CalendarFeed.person_id)
        .where(CalendarFeed.token_hash == _digest(token))
    ).one_or_none()
    if row is None or not row[1].is_active:
        raise NotFound(Sentence(N_("There is no calendar at this address. Make a new one on the page of your alerts.")))
    feed, person = row
    deadlines = sources.of(session, as_person(session, context, person))
    to_note = feed.read_at is None or context.now - feed.read_at > NOTED_EVERY
    return Asked(person.id, person.language, person.timezone, deadlines, to_note)


def note(session: Session, context: Context, person_id: int) -> None:
    """Keep that a program came for this person."""
    feed = session.get(CalendarFeed, person_id)
    if feed is not None:
        feed.read_at = context.now


def as_person(session: Session, context: Context, person: Person) -> Context:
    """Somebody as what leaves the exchange for them may know them.

    An operator is one here once their second factor is set up; what deadlines tell is made for that: of listings that
    not everybody may read they hold the number alone.
    """
    memberships, places = organisations.belonging(session, person.id)
    actor = Actor(person.name, Role.PERSON, person.id, memberships, places, person.factor_since is not None)
    return Context(actor, context.now)


def zone_named(*names: str) -> ZoneInfo:
    """The first of these time zones that this machine knows."""
    for name in names:
        try:
            if name:
                return ZoneInfo(name)
        except (KeyError, ValueError):  # ZoneInfoNotFoundError is a KeyError
            continue
    return ZoneInfo("UTC")


def forget(session: Session, person_id: int) -> None:
    """An account is deleted: its address is void."""
    session.execute(delete(CalendarFeed).where(CalendarFeed.person_id == person_id))

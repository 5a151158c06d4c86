"""What readers of letters may do when a letter leaves: asked again, since hours may lie between writing and sending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.brokering import batch_refusals, letters
from techex.core.context import Actor, Context, MemberRole, Role
from techex.listings import service as listings
from techex.listings.rules import Visibility
from techex.listings.tables import Listing
from techex.organisations import service as organisations
from techex.organisations.tables import OperatorPlace


def holds(session: Session, now: datetime, person_id: int, need: tuple[Any, ...]) -> bool:
    """Whether a person may do now what a letter to them needs; an unknown need is one nobody has."""
    person = session.get(Person, person_id)
    if person is None or not person.is_active:
        return False
    kind, *of = need
    if kind == "person":
        return True
    # Letters lie about in mailboxes: they are for readers without the powers of an operator.
    memberships, _places = organisations.belonging(session, person_id)
    reader = Context(Actor(person.name, Role.PERSON, person_id, memberships), now)
    answer = _ANSWERS.get(str(kind))
    return answer is not None and answer(session, reader, *of)


def _reads(session: Session, reader: Context, listing_id: int) -> bool:
    listing = session.get(Listing, listing_id)
    return listing is not None and listing.state == "published" and listings.sees(reader, listing)


def _reads_openly(session: Session, reader: Context, listing_id: int) -> bool:
    listing = session.get(Listing, listing_id)
    return _reads(session, reader, listing_id) and listing is not None and listing.visibility == Visibility.PUBLIC


def _belongs(session: Session, reader: Context, organisation_id: int, role: str) -> bool:
    return reader.actor.belongs_to(organisation_id, MemberRole(role))


def _serves(session: Session, reader: Context, *codes: str) -> bool:
    own = select(OperatorPlace.id).where(
        OperatorPlace.person_id == reader.actor.person_id, OperatorPlace.place_code.in_(codes)
    )
    return session.scalar(own.limit(1)) is not None


def _takes_part(session: Session, reader: Context, interest_id: int) -> bool:
    return reader.actor.person_id is not None and letters.concerns(session, interest_id, reader.actor.person_id)


def _wants_batches(session: Session, reader: Context, organisation_id: int) -> bool:
    return reader.actor.person_id is not None and batch_refusals.wants(session, organisation_id, reader.actor.person_id)


_ANSWERS: Mapping[str, Callable[..., bool]] = {
    "listing": _reads,
    "public listing": _reads_openly,
    "member": _belongs,
    "operator": _serves,
    "interest": _takes_part,
    "batches": _wants_batches,
}

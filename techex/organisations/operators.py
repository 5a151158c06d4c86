"""Who serves which provinces and countries as an operator; administrators decide it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.rules import checked_address
from techex.accounts.tables import Person
from techex.core import audit
from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.errors import BadInput, NotAllowed, NotFound, Sentence
from techex.organisations.tables import OperatorPlace
from techex.regions import service as regions
from techex.regions.rules import HOME_COUNTRY


def operators(session: Session) -> Mapping[Person, Sequence[OperatorPlace]]:
    """Everybody who serves a place, by name, with their places."""
    found: dict[Person, list[OperatorPlace]] = {}
    query = select(OperatorPlace).join(Person).order_by(Person.name, Person.id, OperatorPlace.place_code)
    for row in session.scalars(query):
        found.setdefault(row.person, []).append(row)
    return found


def find_person(session: Session, email: str) -> Person:
    """The person with this address; raises BadInput, NotFound. Only for administrators: it tells who has an account."""
    address = checked_address(email)
    found = session.scalar(select(Person).where(Person.email_key == address.key, Person.deleted_at.is_(None)))
    if found is None:
        raise NotFound(
            Sentence(
                N_("Nobody with the address %(email)s has an account. They register first."), email=address.written
            )
        )
    return found


def place_codes(code: str) -> list[str]:
    """The places that a code names: a province (VN-33), a country (NL), or every province of a region (SOUTHEAST).

    Raises BadInput.
    """
    code = code.strip().upper()
    if code in regions.regions():
        return [f"{HOME_COUNTRY}-{province}" for province in regions.regions()[code].provinces]
    if regions.place_of_code(code) is None:
        pattern = N_(
            "%(code)s is no place. Expected a province such as VN-33, a country such as NL or a region: %(regions)s."
        )
        raise BadInput(Sentence(pattern, code=repr(code), regions=", ".join(regions.regions())), about="place")
    return [code]


def grant(session: Session, context: Context, person: Person, code: str) -> list[str]:
    """Let a person serve a place, or all places of a region; returns the codes that are new. Raises BadInput."""
    _need_administrator(context)
    have = _places_of(session, person)
    new = [place for place in place_codes(code) if place not in have]
    for place in new:
        session.add(OperatorPlace(person_id=person.id, place_code=place, granted_at=context.now))
    if new:
        audit.record(session, context, "place granted", "person", person.id, {"places": new})
    return new


def take_away(session: Session, context: Context, person: Person, code: str) -> list[str]:
    """Take a place, or all places of a region, from a person; returns the codes that went. Raises BadInput."""
    _need_administrator(context)
    have = _places_of(session, person)
    gone = [place for place in place_codes(code) if place in have]
    for place in gone:
        session.delete(have[place])
    if gone:
        audit.record(session, context, "place taken away", "person", person.id, {"places": gone})
    return gone


def _places_of(session: Session, person: Person) -> dict[str, OperatorPlace]:
    rows = session.scalars(select(OperatorPlace).where(OperatorPlace.person_id == person.id))
    return {row.place_code: row for row in rows}


def _need_administrator(context: Context) -> None:
    if not context.actor.is_administrator:
        raise NotAllowed(Sentence(N_("Only an administrator may do this.")))

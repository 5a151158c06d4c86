"""The verbs of accounts, and the domain's public face.

Hashing a password takes time, so callers do it before they open the transaction: verbs take hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import String, delete, func, select, update
from sqlalchemy.orm import Session

from techex.accounts import factors, letters, links, sessions
from techex.accounts.rules import Address, checked_name
from techex.accounts.tables import OneTimeLink, Person, PersonSession
from techex.core import audit, limits
from techex.core.context import Actor, Context, Role
from techex.core.database import Base, Database
from techex.core.mail import Letter
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, NotFound, Sentence

GONE = N_("This link is used, too old, or was replaced by a newer one. Ask for another.")


@dataclass(frozen=True)
class House:
    """What letters need to know of the exchange: its name, the language of people who chose none, its addresses."""

    name: str
    address_of: Callable[..., str]  # endpoint, values -> whole address


def get(session: Session, person_id: int) -> Person:
    """A person with a living account; raises NotFound."""
    found = session.get(Person, person_id)
    if found is None or found.deleted_at is not None:
        raise NotFound(Sentence(N_("There is nobody with this number.")))
    return found


def by_key(session: Session, key: str) -> Person | None:
    """The person whose address compares as `key`, or None."""
    return session.scalar(select(Person).where(Person.email_key == key))


def names_of(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Names by number; deleted accounts have none."""
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(list(ids)), Person.deleted_at.is_(None)))
    return {row.id: row.name for row in rows}


def acting(context: Context, person: Person) -> Context:
    """The context of something a person does while nobody is signed in."""
    return replace(context, actor=Actor(person.name, Role.PERSON, person_id=person.id))


def register(session: Session, context: Context, house: House, address: Address, name: str, language: str) -> None:
    """Write the letter that finishes a registration, or that says that there is an account already."""
    name = checked_name(name)
    person = by_key(session, address.key)
    if person is not None:
        if person.is_active:
            token = links.issue(session, context, "reset", person)
            link = house.address_of("accounts.choose_password", token=token)
            letters.tell(session, context, person, "known", link=link, exchange=house.name)
        return
    detail = {"email": address.written, "key": address.key, "name": name, "language": language}
    token = links.issue(session, context, "register", None, detail)
    link = house.address_of("accounts.choose_password", token=token)
    letters.write(
        session,
        context,
        "register",
        to=address.written,
        name=name,
        language=language,
        link=link,
        exchange=house.name,
    )


def forgotten(session: Session, context: Context, house: House, address: Address, language: str) -> None:
    """Write the letter with which a password is chosen anew, or that says that there is no account."""
    person = by_key(session, address.key)
    if person is None:
        links.issue(session, context, "reset", None)  # opens nothing; the same work as for a known address
        link = house.address_of("accounts.register")
        letters.write(
            session,
            context,
            "unknown",
            to=address.written,
            name="",
            language=language,
            link=link,
            exchange=house.name,
        )
    elif person.is_active:
        token = links.issue(session, context, "reset", person)
        link = house.address_of("accounts.choose_password", token=token)
        letters.tell(session, context, person, "reset", link=link, exchange=house.name)


def add_person(session: Session, context: Context, address: Address, name: str, language: str) -> Person:
    """A new person, who cannot sign in yet: no password."""
    person = Person(
        email=address.written, email_key=address.key, name=checked_name(name), language=language, created_at=context.now
    )
    session.add(person)
    session.flush()
    return person


def password_link(session: Session, context: Context, token: str) -> OneTimeLink:
    """The link with which a password may be chosen; raises NotFound."""
    found = links.find(session, context, token, "register", "reset", "administrator")
    if found is None or (found.purpose == "reset" and found.person_id is None):
        raise NotFound(Sentence(GONE))
    return found


def owner_words(session: Session, link: OneTimeLink) -> tuple[str, ...]:
    """Name and address of whom a link is for: what their password must not be made of."""
    if link.person_id is None:
        return str(link.detail["name"]), str(link.detail["email"])
    person = get(session, link.person_id)
    return person.name, person.email


def choose_password(session: Session, context: Context, house: House, token: str, password_hash: str) -> Person:
    """Use a link up: the account exists from now on, or has another password.

    Raises NotFound for a link that is not good any more, Conflict where the address got an account meanwhile.
    """
    link = password_link(session, context, token)
    if not links.use(session, context, link):
        raise NotFound(Sentence(GONE))
    if link.purpose == "register":
        detail = link.detail
        if by_key(session, detail["key"]) is not None:
            raise Conflict(Sentence(N_("This address has an account meanwhile. Sign in, or ask for a new password.")))
        address = Address(detail["email"], detail["key"])
        person = add_person(session, context, address, detail["name"], detail["language"])
        verb = "registered"
    else:
        person = get(session, link.person_id or 0)
        verb = "password reset"
    person.confirmed_at = person.confirmed_at or context.now
    _set_password(session, person, password_hash)
    audit.record(session, acting(context, person), verb, "person", person.id)
    if link.purpose == "reset":
        _tell_of_password(session, context, house, person)
    return person


def change_password(
    session: Session, context: Context, house: House, person: Person, password_hash: str, keep: int
) -> None:
    """Another password; signed out everywhere but in the session `keep`."""
    _set_password(session, person, password_hash, keep)
    audit.record(session, context, "password changed", "person", person.id)
    _tell_of_password(session, context, house, person)


def _set_password(session: Session, person: Person, password_hash: str, keep: int | None = None) -> None:
    person.password_hash, person.password_version = password_hash, person.password_version + 1
    sessions.end_all(session, person.id, but=keep)


def _tell_of_password(session: Session, context: Context, house: House, person: Person) -> None:
    link = house.address_of("accounts.forgotten_password")
    letters.tell(session, context, person, "password", link=link, exchange=house.name)


def move(session: Session, context: Context, house: House, person: Person, address: Address) -> None:
    """Write to a new address; the account moves when the letter is answered."""
    other = by_key(session, address.key)
    if other is not None and other.id != person.id:
        link = house.address_of("accounts.account")
        letters.write(
            session,
            context,
            "taken",
            to=other.email,
            name=other.name,
            language=other.language,
            link=link,
            exchange=house.name,
        )
        return
    detail = {"email": address.written, "key": address.key}
    link = house.address_of("accounts.confirm_address", token=links.issue(session, context, "email", person, detail))
    letters.write(
        session,
        context,
        "email",
        to=address.written,
        name=person.name,
        language=person.language,
        link=link,
        exchange=house.name,
    )


def moved(session: Session, context: Context, house: House, token: str) -> Person:
    """The letter was answered: the account has its new address. Raises NotFound, Conflict."""
    link = links.find(session, context, token, "email")
    if link is None or link.person_id is None or not links.use(session, context, link):
        raise NotFound(Sentence(GONE))
    person = get(session, link.person_id)
    other = by_key(session, link.detail["key"])
    if other is not None and other.id != person.id:
        raise Conflict(Sentence(N_("This address has an account meanwhile. Sign in, or ask for a new password.")))
    home = house.address_of("matching.home")
    letters.tell(session, context, person, "moved", link=home, exchange=house.name)
    person.email, person.email_key = link.detail["email"], link.detail["key"]
    person.password_version += 1  # links that were mailed to the old address are void
    audit.record(session, acting(context, person), "address changed", "person", person.id)
    return person


def make_administrator(session: Session, context: Context, address: Address, name: str, language: str) -> str | None:
    """Somebody who runs the installation; returns the token of their one-time link, None where they have a password."""
    person = by_key(session, address.key) or add_person(session, context, address, name, language)
    if not person.is_active:
        raise Conflict(Sentence(N_("This account is disabled. Run `techex people enable` first.")))
    person.administrator = True
    audit.record(session, context, "made administrator", "person", person.id)
    if person.password_hash:
        return None
    session.execute(
        delete(OneTimeLink).where(OneTimeLink.person_id == person.id, OneTimeLink.purpose == "administrator")
    )
    return links.issue(session, context, "administrator", person)


def disable(session: Session, context: Context, person: Person) -> None:
    """Close an account until it is enabled again; it counts for the next request.

    Raises Conflict for the last administrator.
    """
    if is_last_administrator(session, person):
        raise Conflict(Sentence(N_("This is the last administrator. Make somebody else administrator first.")))
    person.disabled_at = context.now
    sessions.end_all(session, person.id)
    audit.record(session, context, "disabled", "person", person.id)


def enable(session: Session, context: Context, person: Person) -> None:
    """Open a closed account again."""
    person.disabled_at = None
    audit.record(session, context, "enabled", "person", person.id)


def reset_factor(session: Session, context: Context, person: Person) -> None:
    """Ask this person for no second factor until they set one up again: phone and recovery codes are lost."""
    factors.turn_off(session, person)
    sessions.end_all(session, person.id)
    audit.record(session, context, "second factor reset", "person", person.id)


def all_people(session: Session) -> Sequence[Person]:
    """Everybody with an account, by name."""
    return session.scalars(select(Person).where(Person.deleted_at.is_(None)).order_by(Person.name, Person.id)).all()


def is_last_administrator(session: Session, person: Person) -> bool:
    """True when nobody would run the installation without this person."""
    others = select(func.count()).where(
        Person.administrator, Person.id != person.id, Person.deleted_at.is_(None), Person.disabled_at.is_(None)
    )
    return person.administrator and not session.scalar(others)


def delete_account(
    session: Session, context: Context, house: House, person: Person, leaving: Sequence[Callable[..., None]]
) -> None:
    """Empty a person's row and forget what was about them; what they did for the exchange stays without their name.

    `leaving` are the other domains' parts, (session, context, person_id). Raises BadInput for the last administrator.
    """
    if is_last_administrator(session, person):
        raise BadInput(Sentence(N_("You are the last administrator. Make somebody else administrator first.")))
    for leave in leaving:
        leave(session, context, person.id)
    audit.record(session, context, "deleted", "person", person.id)
    session.execute(delete(Letter).where(Letter.recipient == person.email, Letter.state != "sending"))
    home = house.address_of("matching.home")
    letters.tell(session, context, person, "deleted", link=home, exchange=house.name)
    _unsign(session, person)
    factors.turn_off(session, person)
    for table in (PersonSession, OneTimeLink):
        session.execute(delete(table).where(table.person_id == person.id))
    person.email, person.email_key, person.name, person.password_hash = "", f"deleted {person.id}", "", ""
    person.language, person.timezone, person.administrator = "", "", False
    person.deleted_at = context.now


def _unsign(session: Session, person: Person) -> None:
    """Put a number where the name stands under what a person did ("verified by"): in every column of any table that is
    called so. Where somebody else of this name has an account nothing is changed: it might be theirs.
    """
    others = select(Person.id).where(Person.name == person.name, Person.id != person.id)
    if session.scalar(others.limit(1)) is not None:
        return
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            signed = column.name in ("by", "reader_name") or column.name.endswith("_by")
            if signed and isinstance(column.type, String):
                values = {column.name: f"person {person.id}"}
                session.execute(update(table).where(column == person.name).values(values))


def data_of(session: Session, person: Person, others: Sequence[Callable[..., dict[str, Any]]]) -> dict[str, Any]:
    """All that is kept about a person, for that person; `others` add what other domains keep, (session, person_id)."""
    found: dict[str, Any] = {
        "account": {
            "name": person.name,
            "email": person.email,
            "language": person.language,
            "timezone": person.timezone,
            "created_at": person.created_at.isoformat(),
            "confirmed_at": person.confirmed_at.isoformat() if person.confirmed_at else None,
            "administrator": person.administrator,
            "second_factor_since": person.factor_since.isoformat() if person.factor_since else None,
        },
        "sessions": [
            {
                "since": row.created_at.isoformat(),
                "seen": row.seen_at.isoformat(),
                "browser": row.browser,
                "address": row.address,
            }
            for row in session.scalars(select(PersonSession).where(PersonSession.person_id == person.id))
        ],
        "letters": [
            {"written": row.created_at.isoformat(), "subject": row.subject, "state": row.state}
            for row in session.scalars(select(Letter).where(Letter.recipient == person.email).order_by(Letter.id))
        ],
        "deeds": [
            {"at": row.at.isoformat(), "verb": row.verb, "subject": row.subject, "number": row.subject_id}
            for row in session.scalars(
                select(audit.AuditEntry).where(audit.AuditEntry.person_id == person.id).order_by(audit.AuditEntry.id)
            )
        ],
    }
    for other in others:
        found |= other(session, person.id)
    return found


def tidy(_settings: object, database: Database, context: Context) -> str | None:
    """Forget what has ended by itself: sessions, links, counts of limits."""
    with database.transaction() as session:
        sessions.prune(session, context.now)
        links.prune(session, context)
        limits.prune(session, context.now)
    return None

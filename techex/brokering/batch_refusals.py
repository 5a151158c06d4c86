"""Who wants no batches: a person for themselves, by one press on a letter, or a manager for the whole organisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from techex.accounts.tables import Person
from techex.brokering.batch_tables import BatchRefusal
from techex.core import audit, letter_links
from techex.core.context import Context, MemberRole
from techex.core.vocabulary import N_
from techex.errors import NotAllowed, NotFound, Sentence
from techex.organisations import service as organisations
from techex.organisations.tables import Organisation

_SALT = "batches of ranked offers"
_ACTS = MemberRole.EDITOR


@dataclass(frozen=True)
class Refused:
    """What an organisation refuses: all of it, or letters to these people."""

    everybody: bool
    people: frozenset[int]


@dataclass(frozen=True)
class Choice:
    """What somebody may choose for an organisation they act for."""

    organisation: Organisation
    mine: bool  # whether they get letters with batches
    everybody: bool  # whether the organisation gets batches at all
    may_decide: bool  # for everybody there


def of(session: Session, organisation_id: int) -> Refused:
    """What is refused for an organisation."""
    found = select(BatchRefusal.person_id).where(BatchRefusal.organisation_id == organisation_id)
    rows = session.scalars(found).all()
    return Refused(None in rows, frozenset(row for row in rows if row is not None))


def wants(session: Session, organisation_id: int, person_id: int) -> bool:
    """True while a person may be sent batches of an organisation."""
    refused = of(session, organisation_id)
    return not refused.everybody and person_id not in refused.people


def choices(session: Session, context: Context) -> Sequence[Choice]:
    """For each organisation that this person acts for, what holds there."""
    actor, found = context.actor, []
    acting = [one.organisation_id for one in actor.memberships if actor.belongs_to(one.organisation_id, _ACTS)]
    for number, organisation in sorted(organisations.organisations(session, acting).items()):
        refused = of(session, number)
        decides = actor.belongs_to(number, MemberRole.MANAGER)
        found.append(Choice(organisation, actor.person_id not in refused.people, not refused.everybody, decides))
    return found


def choose(session: Session, context: Context, organisation_id: int, *, wanted: bool, everybody: bool) -> None:
    """Batches or none, for oneself or for all of an organisation. Raises NotFound, NotAllowed."""
    actor = context.actor
    if actor.person_id is None or not actor.belongs_to(organisation_id, _ACTS):
        raise NotFound(Sentence(N_("There is no such organisation that you act for.")))
    if everybody and not actor.belongs_to(organisation_id, MemberRole.MANAGER):
        raise NotAllowed(Sentence(N_("Managers decide this for the whole organisation.")))
    _set(session, context, organisation_id, None if everybody else actor.person_id, wanted=wanted)


def stop(session: Session, context: Context, organisation_id: int, person_id: int) -> None:
    """The press on a letter."""
    _set(session, context, organisation_id, person_id, wanted=False)


def _set(session: Session, context: Context, organisation_id: int, person_id: int | None, *, wanted: bool) -> None:
    same = (
        BatchRefusal.organisation_id == organisation_id,
        BatchRefusal.person_id == person_id if person_id is not None else BatchRefusal.person_id.is_(None),
    )
    there = session.scalar(select(BatchRefusal.id).where(*same).limit(1)) is not None
    if there is not wanted:
        return
    if wanted:
        session.execute(delete(BatchRefusal).where(*same))
    else:
        session.add(BatchRefusal(organisation_id=organisation_id, person_id=person_id, since=context.now))
    session.flush()
    verb = "batches wanted" if wanted else "batches refused"
    audit.record(session, context, verb, "organisation", organisation_id, {"person": person_id})


def token_for(organisation_id: int, person_id: int, key: str) -> str:
    """What stands in the link of a letter that ends such letters to this reader without signing in."""
    return letter_links.token_of(key, _SALT, [organisation_id, person_id])


def of_token(session: Session, token: str, key: str) -> tuple[Organisation, int]:
    """The organisation and the person of such a link. Raises NotFound for a link that is not ours."""
    organisation_id, person_id = letter_links.value_of(key, _SALT, token)
    person, organisation = session.get(Person, person_id), session.get(Organisation, organisation_id)
    if person is None or person.deleted_at is not None or organisation is None:
        raise letter_links.not_ours()
    return organisation, person.id


def leave(session: Session, _context: Context, person_id: int) -> None:
    """An account is deleted."""
    session.execute(delete(BatchRefusal).where(BatchRefusal.person_id == person_id))


def data_of(session: Session, person_id: int) -> dict[str, object]:
    """What is kept of a person, for that person."""
    rows = session.execute(
        select(Organisation.name, BatchRefusal.since)
        .join(Organisation, Organisation.id == BatchRefusal.organisation_id)
        .where(BatchRefusal.person_id == person_id)
        .order_by(BatchRefusal.id)
    )
    return {
        "no_letters_with_batches_for": [{"organisation": name, "since": f"{since:%Y-%m-%d}"} for name, since in rows]
    }

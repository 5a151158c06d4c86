"""Letters about expressions of interest. They name the page, never what it says: letters lie about in mailboxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.service import House
from techex.accounts.tables import Person
from techex.brokering.rules import State
from techex.brokering.tables import Interest
from techex.core import mail
from techex.core.context import Context, MemberRole
from techex.core.vocabulary import N_
from techex.organisations.tables import OperatorPlace, OrganisationMember

_TO_OPERATORS = (
    N_("%(exchange)s: expression of interest %(number)s waits for you"),
    N_("An expression of interest came in for a listing of your place. Please read it by %(due)s:\n%(link)s"),
)
_TO_RECEIVER = (
    N_("%(exchange)s: somebody is interested in listing %(listing)s"),
    N_(
        "An organisation would like to be introduced to you because of your listing %(listing)s. Their three short "
        "texts and your two buttons, yes and no, are here until %(due)s:\n%(link)s\n\n"
        "Names and addresses are shown when both sides have agreed and an operator introduces you."
    ),
)
_TO_SENDER = (
    N_("%(exchange)s: news of your expression of interest %(number)s"),
    N_("Your expression of interest %(number)s has come a step further. See where it stands:\n%(link)s"),
)


@dataclass(frozen=True)
class _Words:
    subject: str
    text: str


def tell(session: Session, context: Context, house: House, interest: Interest) -> int:
    """Write to whoever should hear of the step that was just taken; returns how many letters."""
    match State(interest.state):
        case State.SENT:
            return _write(session, context, house, interest, _operators(session, interest), _Words(*_TO_OPERATORS))
        case State.FORWARDED:
            receivers = _members(session, interest.receiver_id)
            sent = _write(session, context, house, interest, receivers, _Words(*_TO_RECEIVER))
        case State.SCREENED | State.WITHDRAWN:
            return 0
        case _:
            sent = 0
    return sent + _write(session, context, house, interest, _members(session, interest.sender_id), _Words(*_TO_SENDER))


def _write(
    session: Session, context: Context, house: House, interest: Interest, people: Iterable[Person], words: _Words
) -> int:
    values = {
        "exchange": house.name,
        "number": interest.id,
        "listing": interest.listing_id,
        "due": f"{interest.due:%Y-%m-%d}" if interest.due else "",
        "link": house.address_of("brokering.interest", interest_id=interest.id),
    }
    return sum(
        mail.write(
            session,
            context,
            key=f"interest-{interest.id}-{interest.state}-{person.id}",
            to=person.email,
            language=person.language or "vi",
            subject=words.subject,
            text=words.text,
            values=values,
        )
        for person in people
        if person.is_active and person.confirmed_at is not None
    )


def _members(session: Session, organisation_id: int) -> list[Person]:
    """Those who may answer for an organisation."""
    roles = [MemberRole.EDITOR.value, MemberRole.MANAGER.value]
    found = session.scalars(
        select(OrganisationMember).where(
            OrganisationMember.organisation_id == organisation_id, OrganisationMember.role.in_(roles)
        )
    ).unique()
    return [member.person for member in found]


def _operators(session: Session, interest: Interest) -> list[Person]:
    """The operators of the place of the listing."""
    codes = sorted({interest.listing.place.code, interest.listing.country})
    found = session.scalars(select(OperatorPlace).where(OperatorPlace.place_code.in_(codes))).unique()
    return list({row.person_id: row.person for row in found}.values())

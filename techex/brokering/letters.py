"""Letters about expressions of interest. They name the page, never what it says: letters lie about in mailboxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.service import House
from techex.accounts.tables import Person
from techex.brokering.deal_tables import Deal
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


_PROPOSED = (
    N_("%(exchange)s: a proposal for you, No. %(number)s"),
    N_(
        "The exchange proposes to introduce you to somebody whose need and result seem to fit yours. What it says of "
        "them and your two buttons, yes and no, are here until %(due)s:\n%(link)s\n\n"
        "Names and addresses are shown when both sides have agreed and an operator introduces you."
    ),
)
_PROPOSAL_ENDED = (
    N_("%(exchange)s: news of proposal No. %(number)s"),
    N_("The proposal of the exchange has come to an answer. See where it stands:\n%(link)s"),
)
_PROPOSAL_AGREED = (
    N_("%(exchange)s: both sides of proposal No. %(number)s agree"),
    N_("Both sides have said yes. Please introduce them:\n%(link)s"),
)
_REMINDER = (
    N_("%(exchange)s: how is deal %(number)s going?"),
    N_(
        "You were introduced %(days)s days ago, and deal %(number)s has not moved since. Say where it stands, or that "
        "it is lost and why; one press is enough:\n%(link)s"
    ),
)
_OUTCOME = (
    N_("%(exchange)s: what came of deal %(number)s?"),
    N_(
        "The contract of deal %(number)s was signed %(months)s months ago. Is it in use, and what did it bring?\n"
        "%(link)s"
    ),
)


@dataclass(frozen=True)
class _Words:
    subject: str
    text: str


def tell(session: Session, context: Context, house: House, interest: Interest) -> int:
    """Write to whoever should hear of the step that was just taken; returns how many letters."""
    if interest.proposed:
        return _tell_of_proposal(session, context, house, interest)
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


def _tell_of_proposal(session: Session, context: Context, house: House, interest: Interest) -> int:
    """Those who are asked hear of it, and everybody who was asked of its end."""
    sender, receiver = _members(session, interest.sender_id), _members(session, interest.receiver_id)
    match State(interest.state):
        case State.ASKED_FIRST:
            return _write(session, context, house, interest, sender, _Words(*_PROPOSED))
        case State.ASKED_BOTH:
            return _write(session, context, house, interest, [*sender, *receiver], _Words(*_PROPOSED))
        case State.SENDER_AGREED if interest.forwarded_at == context.now:
            return _write(session, context, house, interest, receiver, _Words(*_PROPOSED))
        case State.SENDER_AGREED | State.RECEIVER_AGREED | State.WITHDRAWN:
            return 0
    asked = [*sender, *(receiver if interest.forwarded_at is not None else [])]
    sent = _write(session, context, house, interest, asked, _Words(*_PROPOSAL_ENDED))
    if interest.state == State.ACCEPTED:
        sent += _write(session, context, house, interest, _operators(session, interest), _Words(*_PROPOSAL_AGREED))
    return sent


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
            reader=person.id,
            needs=[("interest", interest.id)],
        )
        for person in people
        if person.is_active and person.confirmed_at is not None
    )


def concerns(session: Session, interest_id: int, person_id: int) -> bool:
    """Whether letters about an expression of interest, or its deal, are for this person now."""
    interest = session.get(Interest, interest_id)
    if interest is None:
        return False
    sides = [*_members(session, interest.sender_id), *_members(session, interest.receiver_id)]
    return any(person.id == person_id for person in [*sides, *_operators(session, interest)])


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
    """The operators of the place of the listing; of a proposal those of both places."""
    standing = interest.standing
    codes = {*standing.receiver_places, *(standing.sender_places if interest.proposed else ())}
    found = session.scalars(select(OperatorPlace).where(OperatorPlace.place_code.in_(sorted(codes)))).unique()
    return list({row.person_id: row.person for row in found}.values())


def remind(session: Session, context: Context, house: House, deal: Deal, days: int) -> int:
    """Ask both sides of a silent deal how it is going, once for each of REMINDER_DAYS; returns how many letters."""
    return _of_deal(session, context, house, deal, f"silent-{days}", _REMINDER, {"days": days})


def ask_outcome(session: Session, context: Context, house: House, deal: Deal, months: int) -> int:
    """Ask both sides what came of a contract, once for each of REVIEW_MONTHS; returns how many letters."""
    return _of_deal(session, context, house, deal, f"outcome-{months}", _OUTCOME, {"months": months})


def _of_deal(
    session: Session,
    context: Context,
    house: House,
    deal: Deal,
    key: str,
    words: tuple[str, str],
    values: dict[str, int],
) -> int:
    sides = [*_members(session, deal.interest.sender_id), *_members(session, deal.interest.receiver_id)]
    link = house.address_of("deals.show", deal_id=deal.id)
    return sum(
        mail.write(
            session,
            context,
            key=f"deal-{deal.id}-{key}-{person.id}",
            to=person.email,
            language=person.language or "vi",
            subject=words[0],
            text=words[1],
            values={"exchange": house.name, "number": deal.id, "link": link, **values},
            reader=person.id,
            needs=[("interest", deal.interest_id)],
        )
        for person in sides
        if person.is_active and person.confirmed_at is not None
    )

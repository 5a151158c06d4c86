"""Further participants of a deal: an agency, a laboratory, a funder, or the operator of another place, with a role.

They are named after the introduction, asked once both sides have agreed, and see of the deal what needs no agreement on
confidentiality: who is in it, how far it has come, and the tasks that are theirs. No message, no contract; papers that
are not confidential where both sides let them (`guest_papers`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from techex.accounts.service import House
from techex.accounts.tables import Person
from techex.brokering import course, credits, deals, pipeline
from techex.brokering.course import (
    KNOWN_TO_GUEST,
    LIVING,
    PARTICIPANTS,
    ParticipantState,
    ParticipantTransition,
    ParticipantVerb,
    Seat,
)
from techex.brokering.course_tables import DealParticipant
from techex.brokering.deal_tables import Deal
from techex.brokering.pipeline import Stage
from techex.core import mail
from techex.core.context import Context, MemberRole
from techex.core.text import clean
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, Sentence
from techex.organisations.tables import OperatorPlace, Organisation, OrganisationMember

_QUICKER = N_("Somebody else was quicker: look at where it stands now.")
_INVITED = (
    N_("%(exchange)s: will you take part in deal %(number)s?"),
    N_("Both sides of deal %(number)s would like you to take part. What your part would be stands here:\n%(link)s"),
)
_ACTING = (MemberRole.EDITOR.value, MemberRole.MANAGER.value)


def of_deal(session: Session, deal: Deal) -> Sequence[DealParticipant]:
    """Everybody who was named, in order."""
    query = select(DealParticipant).where(DealParticipant.deal_id == deal.id).order_by(DealParticipant.id)
    return session.scalars(query).unique().all()


def _joined(session: Session, deal: Deal) -> list[DealParticipant]:
    return [one for one in of_deal(session, deal) if one.state == ParticipantState.JOINED]


def people(session: Session, deal: Deal) -> Sequence[OrganisationMember]:
    """Those who act for the organisations that take part."""
    numbers = [one.organisation_id for one in _joined(session, deal) if one.organisation_id]
    query = (
        select(OrganisationMember)
        .join(Person, Person.id == OrganisationMember.person_id)
        .where(OrganisationMember.organisation_id.in_(numbers), OrganisationMember.role.in_(_ACTING))
        .where(Person.disabled_at.is_(None), Person.deleted_at.is_(None))
        .order_by(OrganisationMember.id)
    )
    return session.scalars(query).unique().all() if numbers else []


def operators(session: Session, deal: Deal) -> list[Person]:
    """The operators who take part in person."""
    found = [session.get(Person, one.person_id) for one in _joined(session, deal) if one.person_id]
    return [person for person in found if person is not None]


def of_actor(session: Session, context: Context) -> Sequence[DealParticipant]:
    """Invitations to this person or their organisations, and what they take part in; the newest first."""
    mine = [one.organisation_id for one in context.actor.memberships]
    states = [state.value for state in KNOWN_TO_GUEST]
    query = (
        select(DealParticipant)
        .where(DealParticipant.state.in_(states))
        .where(
            or_(DealParticipant.organisation_id.in_(mine), DealParticipant.person_id == (context.actor.person_id or 0))
        )
        .order_by(DealParticipant.id.desc())
    )
    return [one for one in session.scalars(query).unique() if is_guest(context, one, MemberRole.VIEWER)]


def is_guest(context: Context, one: DealParticipant, at_least: MemberRole = MemberRole.EDITOR) -> bool:
    """True for somebody who acts for the participant; an operator only while they are one, second factor proved."""
    if one.organisation_id is not None:
        return context.actor.belongs_to(one.organisation_id, at_least)
    return one.person_id is not None and one.person_id == context.actor.person_id and context.actor.is_operator


def seat(session: Session, context: Context, deal: Deal) -> DealParticipant | None:
    """As which participant this person takes part in a deal, if they do."""
    return next((one for one in _joined(session, deal) if is_guest(context, one, MemberRole.VIEWER)), None)


def seats(context: Context, one: DealParticipant) -> set[Seat]:
    """What this person is to a participation."""
    found = set()
    standing = deals.standing(one.deal)
    side = pipeline.side_of(context.actor, standing, MemberRole.EDITOR)
    if side is not None:
        found.add(Seat.SENDER if side == standing.sides[0] else Seat.RECEIVER)
    if pipeline.is_operator(context.actor, standing):
        found.add(Seat.OPERATOR)
    if ParticipantState(one.state) in KNOWN_TO_GUEST and is_guest(context, one):
        found.add(Seat.GUEST)
    return found


def allowed(context: Context, one: DealParticipant) -> list[ParticipantTransition]:
    """What this person may do now, in the order of the table; in a deal that is lost nobody gets any further."""
    mine, lost = seats(context, one), Stage(one.deal.stage) is Stage.LOST
    rows = [row for row in PARTICIPANTS if one.state in row.sources and mine & set(row.who)]
    return [row for row in rows if not lost or row.target not in LIVING]


def get(session: Session, context: Context, participant_id: int) -> DealParticipant:
    """A participation that is this person's; NotFound whether it is absent or not theirs to know of."""
    one = session.get(DealParticipant, participant_id)
    known = one is not None and ParticipantState(one.state) in KNOWN_TO_GUEST
    if one is None or not known or not is_guest(context, one, MemberRole.VIEWER):
        raise NotFound(Sentence(N_("There is no invitation number %(number)s here."), number=participant_id))
    return one


def name_one(
    session: Session, context: Context, deal_id: int, role: str, whom: str, note: str, language: str
) -> DealParticipant:
    """Name a further participant: `whom` is the short name of an organisation, or the address of an operator.

    A side that names somebody agrees by that; of an operator's proposal both sides are asked. Raises NotFound,
    NotAllowed, Conflict, FieldErrors.
    """
    deal = deals.get(session, context, deal_id)
    standing = deals.standing(deal)
    side = pipeline.side_of(context.actor, standing, MemberRole.EDITOR)
    if side is None and not pipeline.is_operator(context.actor, standing):
        raise NotAllowed(Sentence(N_("Editors of both sides and operators of their places name participants.")))
    if deal.introduced_at is None or Stage(deal.stage) is Stage.LOST:
        raise Conflict(Sentence(N_("Participants are named between the introduction and the end of the deal.")))
    errors: dict[str, str] = {}
    if role not in course.ROLES:
        errors["role"] = Sentence(N_("Choose what their part is."))
    organisation, operator = _found(session, whom)
    if organisation is None and operator is None:
        pattern = N_("Expected the short name of a verified organisation, or the e-mail address of an operator.")
        errors["whom"] = Sentence(pattern)
    try:
        note = clean(note, "note")
    except BadInput as error:
        errors["note"] = error.sentence
    if len(note) > course.LONGEST_NOTE:
        pattern = N_("has %(count)s characters; at most %(longest)s.")
        errors["note"] = Sentence(pattern, count=len(note), longest=course.LONGEST_NOTE)
    if errors:
        raise FieldErrors(errors)
    _check_new(session, deal, organisation, operator)
    state = ParticipantState.ASKED_BOTH
    if side is not None:
        state = ParticipantState.ASKED_RECEIVER if side == standing.sides[0] else ParticipantState.ASKED_SENDER
    one = DealParticipant(
        deal=deal,
        role=role,
        organisation=organisation,
        person_id=operator.id if operator else None,
        state=state.value,
        note=note,
        language=language,
        named_at=context.now,
    )
    session.add(one)
    session.flush()
    deals.note(session, context, deal, "guest", side, {"participant": one.id, "role": role})
    return one


def _found(session: Session, whom: str) -> tuple[Organisation | None, Person | None]:
    whom = whom.strip().casefold()
    query = select(Organisation).where(Organisation.slug == whom.rstrip("/").rsplit("/", 1)[-1])
    organisation = session.scalar(query.where(Organisation.verified_at.is_not(None), Organisation.listed))
    if organisation is not None:
        return organisation, None
    serving = select(OperatorPlace.person_id)
    query_person = select(Person).where(Person.email_key == whom, Person.id.in_(serving))
    return None, session.scalar(query_person.where(Person.disabled_at.is_(None), Person.deleted_at.is_(None)))


def _check_new(session: Session, deal: Deal, organisation: Organisation | None, operator: Person | None) -> None:
    living = [one for one in of_deal(session, deal) if ParticipantState(one.state) in LIVING]
    if len(living) >= course.MOST_PARTICIPANTS:
        raise Conflict(Sentence(N_("A deal has at most %(most)s participants."), most=course.MOST_PARTICIPANTS))
    known = {one.organisation_id for one in living} - {None}, {one.person_id for one in living} - {None}
    sides = deals.standing(deal).sides
    if (organisation and (organisation.id in known[0] or organisation.id in sides)) or (
        operator and operator.id in known[1]
    ):
        raise Conflict(Sentence(N_("They are in this deal already, or have been named.")))


def take(
    session: Session,
    context: Context,
    house: House | None,
    participant_id: int,
    verb: ParticipantVerb,
    revision: int,
) -> DealParticipant:
    """Take the next step. Raises NotFound, NotAllowed, Conflict where somebody else was quicker."""
    one = session.get(DealParticipant, participant_id)
    if one is None or not (seats(context, one) or pipeline.may_see(context.actor, deals.standing(one.deal))):
        raise NotFound(Sentence(N_("There is no participant number %(number)s here."), number=participant_id))
    row = next((row for row in allowed(context, one) if row.verb is verb), None)
    known = any(one.state in row.sources for row in PARTICIPANTS if row.verb is verb)
    if revision != one.revision or (row is None and not known):
        raise Conflict(Sentence(_QUICKER))
    if row is None and Stage(one.deal.stage) is Stage.LOST:
        raise Conflict(Sentence(course.OVER))
    if row is None:
        raise NotAllowed(Sentence(N_("This step is for somebody else to take.")))
    one.state = row.target.value
    if row.target is ParticipantState.JOINED:
        one.joined_at = context.now
    try:
        session.flush()
    except StaleDataError as error:
        raise Conflict(Sentence(_QUICKER)) from error
    side = pipeline.side_of(context.actor, deals.standing(one.deal))
    by = one.organisation_id if Seat.GUEST in row.who and side is None else side
    deals.note(session, context, one.deal, f"guest_{verb.value}", by, {"participant": one.id, "role": one.role})
    if row.target is ParticipantState.INVITED and house is not None:
        _invite(session, context, house, one)
    if row.target is ParticipantState.JOINED and one.person_id is not None:
        credits.credit(session, context, one.deal, context.actor.places)
    return one


def _invite(session: Session, context: Context, house: House, one: DealParticipant) -> None:
    if one.organisation_id is not None:
        query = select(OrganisationMember).where(
            OrganisationMember.organisation_id == one.organisation_id, OrganisationMember.role.in_(_ACTING)
        )
        people = [member.person for member in session.scalars(query).unique()]
    else:
        people = [person] if (person := session.get(Person, one.person_id)) else []
    link = house.address_of("course.participation", participant_id=one.id)
    for person in people:
        if person.is_active and person.confirmed_at is not None:
            mail.write(
                session,
                context,
                key=f"guest-{one.id}-{one.revision}-{person.id}",
                to=person.email,
                language=person.language or "vi",
                subject=_INVITED[0],
                text=_INVITED[1],
                values={"exchange": house.name, "number": one.deal_id, "link": link},
                reader=person.id,
                needs=[("member", one.organisation_id, MemberRole.EDITOR.value)]
                if one.organisation_id
                else [("person",)],
            )


def _need(one: DealParticipant) -> tuple[str | int, ...]:
    """What the reader of an invitation must still be when it leaves."""
    return ("member", one.organisation_id, MemberRole.EDITOR.value) if one.organisation_id else ("person",)


def waiting(session: Session, context: Context) -> int:
    """How many invitations wait for this person."""
    return sum(one.state == ParticipantState.INVITED and is_guest(context, one) for one in of_actor(session, context))


def count_joined(session: Session, deal: Deal) -> int:
    """How many take part."""
    query = select(func.count()).select_from(DealParticipant).where(DealParticipant.deal_id == deal.id)
    return session.scalar(query.where(DealParticipant.state == ParticipantState.JOINED.value)) or 0

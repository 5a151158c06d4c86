"""An operator's proposal to both sides of a pair: what each would learn, what stands in the way, and the one press.

A proposal is an expression of interest that neither side has begun (`rules.PROPOSALS`). Its sender is the side whose
listing the other one may not read, if there is such a side, else the owner of the result: so whoever receives it is
always known by a listing that the sender may read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from techex.accounts.service import House
from techex.accounts.tables import Person
from techex.brokering import letters, service
from techex.brokering.queries import open_before, visible
from techex.brokering.rules import ANSWER_WORKING_DAYS, AT_A_TIME, OPEN, PROPOSED, Party, State
from techex.brokering.tables import Interest
from techex.core import changes
from techex.core.context import Actor, Context, MemberRole, Membership, Role
from techex.core.text import clean, folded
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, Sentence
from techex.listings import disclosure
from techex.listings import service as listings
from techex.listings.disclosure import Told
from techex.listings.rules import SEARCHABLE, Kind
from techex.listings.rules import State as ListingState
from techex.listings.tables import Listing
from techex.organisations.tables import Organisation, OrganisationMember
from techex.regions import working_days

WEEK = timedelta(days=7)
PROPOSED_A_WEEK = 3  # to one organisation: each takes somebody an hour to answer well
AGAIN_AFTER = timedelta(days=180)  # a no is heard for half a year
SHORTEST_NOTE, LONGEST_NOTE = 40, 600


@dataclass(frozen=True)
class Load:
    """What lies before an organisation already."""

    organisation: Organisation
    week: int  # proposals put to it within a week
    waiting: int  # unanswered ones of every kind
    people: int  # who could answer


@dataclass(frozen=True)
class Plan:
    """What a proposal would be: `first` and `second` are the listings of those who are asked, in this order.

    `told` is what the second side is told of the first one's listing where it may not read it. `obstacles` say why it
    cannot be sent now.
    """

    need: Listing
    offer: Listing
    first: Listing
    second: Listing
    at_once: bool
    told: Told | None
    loads: tuple[Load, Load]
    obstacles: tuple[Sentence, ...]


def may_propose(actor: Actor, need: Listing, offer: Listing) -> bool:
    """True for an operator of either place who belongs to neither side."""
    codes = {
        code
        for listing in (need, offer)
        for code in (*listing.place_codes, listing.organisation.place.code, listing.organisation.country)
    }
    belongs = actor.belongs_to(need.organisation_id) or actor.belongs_to(offer.organisation_id)
    return actor.is_operator and not belongs and any(actor.operates_in(code) for code in codes)


def plan(session: Session, context: Context, need_id: int, offer_id: int) -> Plan:
    """What a proposal of this pair would be. Raises NotFound, NotAllowed."""
    need = listings.get_visible(session, context, need_id, Kind.NEED)
    offer = listings.get_visible(session, context, offer_id, Kind.OFFER)
    if not may_propose(context.actor, need, offer):
        raise NotAllowed(Sentence(N_("Operators of either place propose a pair, for sides they do not belong to.")))
    need_is_read = _reads(context, offer.organisation, need)
    offer_is_read = _reads(context, need.organisation, offer)
    # Whoever is asked first may read the listing of the second.
    first, second = (need, offer) if offer_is_read and not need_is_read else (offer, need)
    told = None if _reads(context, second.organisation, first) else told_of(session, context, second, first)
    at_once = told is not None or (need_is_read and offer_is_read)
    obstacles = list(_of_listings(need, offer))
    if not need_is_read and not offer_is_read:
        obstacles.append(
            Sentence(N_("Neither side may read the other's listing. Ask one of the owners to share theirs first."))
        )
    obstacles += _of_history(session, context, need, offer)
    loads = (_load(session, context, first.organisation), _load(session, context, second.organisation))
    for load in loads:
        obstacles += _of_load(load)
    return Plan(need, offer, first, second, at_once, told, loads, tuple(obstacles))


def _as_member(organisation: Organisation) -> Actor:
    """Somebody who belongs to an organisation and to nothing else; what they may read is asked of the rules."""
    verified = organisation.verified_at is not None
    return Actor("", Role.PERSON, memberships=(Membership(organisation.id, MemberRole.EDITOR, verified),))


def _reads(context: Context, organisation: Organisation, listing: Listing) -> bool:
    return listings.sees(Context(_as_member(organisation), context.now), listing)


def told_of(session: Session, context: Context, side: Listing, other: Listing) -> Told | None:
    """The teaser of a listing, where it is for the owner of `side`."""
    asking = Context(_as_member(side.organisation), context.now)
    return next(iter(disclosure.teasers(session, asking, listing_id=other.id)), None)


def _of_listings(need: Listing, offer: Listing) -> list[Sentence]:
    if need.organisation_id == offer.organisation_id:
        return [Sentence(N_("Both listings belong to the same organisation."))]
    return [
        Sentence(N_("Listing %(number)s is not open for interest at the moment."), number=listing.id)
        for listing in (need, offer)
        if ListingState(listing.state) not in SEARCHABLE or not listing.open_for_interest
    ]


def _of_history(session: Session, context: Context, need: Listing, offer: Listing) -> list[Sentence]:
    """What has been asked between the two listings before."""
    same = or_(
        and_(Interest.listing_id == need.id, Interest.own_listing_id == offer.id),
        and_(Interest.listing_id == offer.id, Interest.own_listing_id == need.id),
    )
    for one in session.scalars(select(Interest).where(same).order_by(Interest.id.desc())).unique():
        if State(one.state) in OPEN or one.state == State.ACCEPTED:
            pattern = N_("The two are in touch already: see expression of interest No. %(number)s.")
            return [Sentence(pattern, number=one.id)]
        if one.state == State.DECLINED and one.closed_at and one.closed_at > context.now - AGAIN_AFTER:
            pattern = N_("One side said no on %(day)s; a no is heard for %(days)s days.")
            return [Sentence(pattern, day=f"{one.closed_at:%Y-%m-%d}", days=AGAIN_AFTER.days)]
    return []


def _load(session: Session, context: Context, organisation: Organisation) -> Load:
    # Those that it would be asked about only after the other side's yes count already: the yes may come at any time.
    sides = or_(Interest.sender_id == organisation.id, Interest.receiver_id == organisation.id)
    asked = select(func.count()).select_from(Interest).where(Interest.proposed, sides)
    week = session.scalar(asked.where(Interest.sent_at > context.now - WEEK)) or 0
    answering = (
        select(func.count())
        .select_from(OrganisationMember)
        .join(Person, Person.id == OrganisationMember.person_id)
        .where(OrganisationMember.organisation_id == organisation.id)
        .where(OrganisationMember.role.in_([MemberRole.EDITOR.value, MemberRole.MANAGER.value]))
        .where(Person.disabled_at.is_(None), Person.deleted_at.is_(None), Person.confirmed_at.is_not(None))
    )
    return Load(organisation, week, open_before(session, organisation.id), session.scalar(answering) or 0)


def _of_load(load: Load) -> list[Sentence]:
    name, found = load.organisation.name, []
    if load.organisation.verified_at is None:
        found.append(Sentence(N_("%(name)s is not verified yet: verify it first."), name=name))
    if not load.people:
        pattern = N_("Nobody with an account could answer for %(name)s: invite somebody first.")
        found.append(Sentence(pattern, name=name))
    if load.week >= PROPOSED_A_WEEK:
        pattern = N_("%(name)s has had %(most)s proposals within a week: wait a few days.")
        found.append(Sentence(pattern, name=name, most=PROPOSED_A_WEEK))
    if load.waiting >= AT_A_TIME:
        pattern = N_("%(name)s has %(most)s unanswered ones before it: wait until it has answered some.")
        found.append(Sentence(pattern, name=name, most=AT_A_TIME))
    return found


def propose(
    session: Session, context: Context, house: House | None, need_id: int, offer_id: int, note: str, language: str
) -> Interest:
    """Ask both sides whether they want to be introduced. Without `house` nobody is written to.

    Raises NotFound, NotAllowed, FieldErrors for the note, Conflict with the first obstacle.
    """
    changes.hold(session)  # of two operators who fill up the same week one waits for the other
    planned = plan(session, context, need_id, offer_id)
    if planned.obstacles:
        raise Conflict(planned.obstacles[0])
    first, second = planned.first, planned.second
    interest = Interest(
        listing=second,
        own_listing=first,
        sender=first.organisation,
        receiver=second.organisation,
        person_id=context.actor.person_id,
        language=language,
        who="",
        why=_checked(note, planned),
        state=(State.ASKED_BOTH if planned.at_once else State.ASKED_FIRST).value,
        proposed=True,
        sent_at=context.now,
        forwarded_at=context.now if planned.at_once else None,
        due=_due(context, [first, second] if planned.at_once else [first]),
    )
    session.add(interest)
    session.flush()
    service.note(session, context, interest, "propose", Party.OPERATOR)
    if house is not None:
        letters.tell(session, context, house, interest)
    return interest


def _due(context: Context, asked: Sequence[Listing]) -> date:
    today = working_days.here(context.now)
    return max(working_days.after(today, ANSWER_WORKING_DAYS, one.organisation.country) for one in asked)


def _checked(note: str, planned: Plan) -> str:
    """What both sides read: of the right length, and without what one of them may not know yet."""
    try:
        note = clean(note, "note")
    except BadInput as error:
        raise FieldErrors({"note": error.sentence}) from error
    if not SHORTEST_NOTE <= len(note) <= LONGEST_NOTE:
        pattern = N_("has %(count)s characters; expected %(shortest)s to %(longest)s.")
        raise FieldErrors({"note": Sentence(pattern, count=len(note), shortest=SHORTEST_NOTE, longest=LONGEST_NOTE)})
    said = folded(note)
    for listing in (planned.first, planned.second):
        names = [listing.organisation.name, *listing.organisation.names.values()] if listing.anonymous else []
        # The listing of the first side may be closed to the second.
        names += [listing.title] if listing is planned.first and _is_closed(planned) else []
        if any(folded(name) in said for name in names):
            pattern = N_("tells what the owner of listing %(number)s has not shown to everybody: a name, or its title.")
            raise FieldErrors({"note": Sentence(pattern, number=listing.id)})
    return note


def _is_closed(planned: Plan) -> bool:
    return planned.told is not None or not planned.at_once


@dataclass(frozen=True)
class Answers:
    """How a proposal stands with both sides: since when each agrees; who was asked; who said no."""

    sender_agreed: bool
    receiver_agreed: bool
    receiver_asked: bool
    declined: Party | None


def answers(interest: Interest) -> Answers:
    """Who has answered what, from the steps."""
    agreed = {step.party for step in interest.steps if step.verb == "agree"}
    declined = next((Party(step.party) for step in interest.steps if step.verb == "decline"), None)
    return Answers(Party.SENDER in agreed, Party.RECEIVER in agreed, interest.forwarded_at is not None, declined)


def other_side(session: Session, context: Context, interest: Interest) -> tuple[Listing | None, Told | None]:
    """For one of its sides, what it may know of the other's listing: all of it, or its teaser, or neither."""
    assert interest.own_listing is not None  # noqa: S101 - a proposal has both
    sends = context.actor.belongs_to(interest.sender_id)
    mine, other = (interest.own_listing, interest.listing) if sends else (interest.listing, interest.own_listing)
    if listings.sees(context, other):
        return other, None
    return None, told_of(session, context, mine, other)


def open_for(session: Session, context: Context) -> Sequence[Interest]:
    """Proposals of this operator's places that wait for an answer, whose day comes first."""
    found = [
        one
        for one in visible(session, context.actor, tuple(PROPOSED))
        if service.side_of(context, one) is Party.OPERATOR
    ]
    return sorted(found, key=lambda one: (str(one.due), one.id))

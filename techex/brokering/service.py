"""The verbs of expressions of interest, and brokering's public face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from techex.accounts.service import House
from techex.brokering import deals, letters
from techex.brokering.queries import find, open_before, visible
from techex.brokering.rules import (
    ANSWER_WORKING_DAYS,
    AT_A_TIME,
    IMPROVES,
    LAPSING,
    NEEDS_REASON,
    OPEN,
    PROPOSALS,
    SCREEN_WORKING_DAYS,
    SENT_A_WEEK,
    TEXTS,
    TRANSITIONS,
    Party,
    State,
    Transition,
    Verb,
    allowed,
    checked_reason,
    may_see,
    party_of,
)
from techex.brokering.tables import Interest, InterestStep
from techex.core import audit, changes
from techex.core.context import Context, MemberRole
from techex.core.text import clean
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, FieldErrors, NotAllowed, NotFound, Sentence
from techex.listings import service as listings
from techex.listings.rules import SEARCHABLE
from techex.listings.rules import State as ListingState
from techex.listings.tables import Listing
from techex.matching.verdicts import Refusal
from techex.organisations.tables import Organisation
from techex.regions import working_days

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Draft:
    """An expression of interest before it is sent: the three texts as they were typed, and their language."""

    texts: Mapping[str, str]
    language: str


def senders(context: Context, listing: Listing) -> list[int]:
    """The verified organisations for which this person may ask to be introduced to the owner of a listing."""
    return [
        membership.organisation_id
        for membership in context.actor.memberships
        if membership.verified
        and membership.role.includes(MemberRole.EDITOR)
        and membership.organisation_id != listing.organisation_id
    ]


def send(
    session: Session,
    context: Context,
    house: House,
    listing_id: int,
    sender: Organisation,
    draft: Draft,
    own_listing_id: int | None = None,
) -> Interest:
    """Ask to be introduced to the owner of a listing.

    Raises NotFound for a listing the person may not see, NotAllowed to who may not act for a verified sender, Conflict
    where the listing is closed, was asked before or the week's number is used up, FieldErrors for the texts.
    """
    listing = listings.get_visible(session, context, listing_id)
    if sender.id not in senders(context, listing):
        pattern = N_("Only editors and managers of another, verified organisation may ask to be introduced.")
        raise NotAllowed(Sentence(pattern))
    if ListingState(listing.state) not in SEARCHABLE or not listing.open_for_interest:
        raise Conflict(Sentence(N_("This listing is not open for interest at the moment.")))
    own = _own(session, context, sender, listing, own_listing_id)
    _within_limits(session, context, sender, listing)
    interest = Interest(
        listing=listing,
        own_listing=own,
        sender=sender,
        receiver=listing.organisation,
        person_id=context.actor.person_id,
        language=draft.language,
        sent_at=context.now,
        due=working_days.after(working_days.here(context.now), SCREEN_WORKING_DAYS, listing.country),
        **_checked(draft.texts),
    )
    session.add(interest)
    session.flush()
    note(session, context, interest, "send", Party.SENDER)
    letters.tell(session, context, house, interest)
    return interest


def _own(
    session: Session, context: Context, sender: Organisation, listing: Listing, own_id: int | None
) -> Listing | None:
    """The sender's own listing that this is about, if one was named that fits: of the sender, of the other kind."""
    if own_id is None:
        return None
    own = listings.get_visible(session, context, own_id)
    return own if own.organisation_id == sender.id and own.kind != listing.kind else None


def _within_limits(session: Session, context: Context, sender: Organisation, listing: Listing) -> None:
    asked = select(func.count()).select_from(Interest).where(Interest.sender_id == sender.id)
    asked = asked.where(Interest.proposed.is_(False))
    states = [state.value for state in OPEN] + [State.ACCEPTED.value]
    if session.scalar(asked.where(Interest.listing_id == listing.id, Interest.state.in_(states))):
        raise Conflict(Sentence(N_("Your organisation has asked about this listing already; see where that stands.")))
    if (session.scalar(asked.where(Interest.sent_at > context.now - WEEK)) or 0) >= SENT_A_WEEK:
        pattern = N_("Your organisation has sent %(most)s expressions of interest within a week; wait a few days.")
        raise Conflict(Sentence(pattern, most=SENT_A_WEEK))


def _checked(texts: Mapping[str, str]) -> dict[str, str]:
    found, errors = {}, {}
    for rule in TEXTS:
        try:
            found[rule.name] = text = clean(texts.get(rule.name, ""), rule.name)
        except BadInput as error:
            errors[rule.name] = error.sentence
            continue
        if not rule.shortest <= len(text) <= rule.longest:
            pattern = N_("has %(count)s characters; expected %(shortest)s to %(longest)s.")
            errors[rule.name] = Sentence(pattern, count=len(text), shortest=rule.shortest, longest=rule.longest)
    if errors:
        raise FieldErrors(errors)
    return found


def get(session: Session, context: Context, interest_id: int) -> Interest:
    """An expression of interest this person may see; NotFound with one sentence whether it is absent or hidden."""
    interest = find(session, interest_id)
    if interest is None or not may_see(context.actor, interest.standing):
        raise NotFound(Sentence(N_("There is no expression of interest number %(number)s here."), number=interest_id))
    return interest


def verbs(context: Context, interest: Interest) -> list[Transition]:
    """What this person may do to it now."""
    return allowed(context.actor, interest.standing, working_days.everywhere(context.now))


def take(
    session: Session,
    context: Context,
    house: House | None,
    interest_id: int,
    verb: Verb,
    revision: int | None = None,
    reason: str = "",
    text: str = "",
) -> Interest:
    """Take the next step. `revision` is the one that the person had before them; without `house` nobody is written to.

    Raises NotFound, NotAllowed, FieldErrors (a no needs its reason), Conflict where somebody else was quicker or the
    receiver has as many unanswered ones as can be read.
    """
    interest = get(session, context, interest_id)
    if revision is not None and revision != interest.revision:
        raise Conflict(Sentence(N_("Somebody else was quicker: look at where it stands now.")))
    row = next((row for row in verbs(context, interest) if row.verb is verb), None)
    if row is None:
        if not any(
            State(interest.state) in known.sources and known.verb is verb for known in (*TRANSITIONS, *PROPOSALS)
        ):
            raise Conflict(Sentence(N_("Somebody else was quicker: look at where it stands now.")))
        raise NotAllowed(Sentence(N_("This step is for somebody else to take.")))
    if verb in NEEDS_REASON:
        interest.reason, interest.reason_text = checked_reason(reason, text)
    if verb is Verb.FORWARD and open_before(session, interest.receiver_id) >= AT_A_TIME:
        pattern = N_("The receiver has %(most)s unanswered ones before them. Wait until they have answered some.")
        raise Conflict(Sentence(pattern, most=AT_A_TIME))
    interest.state = row.target.value
    interest.due = _due(interest, working_days.here(context.now))
    if row.target in (State.FORWARDED, State.SENDER_AGREED) and interest.forwarded_at is None:
        interest.forwarded_at = context.now
    if row.target not in OPEN:
        interest.closed_at = context.now
    try:
        session.flush()
    except StaleDataError as error:
        raise Conflict(Sentence(N_("Somebody else was quicker: look at where it stands now."))) from error
    note(session, context, interest, verb.value, row.who)
    if house is not None:
        letters.tell(session, context, house, interest)
    if row.target is State.ACCEPTED:
        deals.open_deal(session, context, interest)
    return interest


def _due(interest: Interest, today: date) -> date | None:
    match State(interest.state):
        case State.SCREENED:
            return interest.due
        case State.FORWARDED:
            return working_days.after(today, ANSWER_WORKING_DAYS, interest.receiver.country)
        case State.SENDER_AGREED if interest.forwarded_at is None:  # only now is the other side asked
            return working_days.after(today, ANSWER_WORKING_DAYS, interest.receiver.country)
        case State.SENDER_AGREED | State.RECEIVER_AGREED:
            return interest.due
    return None


def lapse(session: Session, context: Context, house: House | None, at_most: int = 200) -> int:
    """Let those lapse whose day is over everywhere on Earth; returns how many."""
    late = session.scalars(
        select(Interest.id)
        .where(Interest.state.in_([state.value for state in LAPSING]))
        .where(Interest.due < working_days.everywhere(context.now))
        .order_by(Interest.id)
        .limit(at_most)
    ).all()
    for interest_id in late:
        take(session, context, house, interest_id, Verb.LAPSE)
    return len(late)


def declines(session: Session, listing: Listing) -> list[tuple[Refusal, int, str | None]]:
    """What readers of a listing found wanting: (reason, how often, the field it asks to improve), the most first.

    Its readers are the receivers to whom its owner wrote because of it, and in a proposal the side that is not its
    owner.
    """
    said_no = InterestStep.interest_id == Interest.id, InterestStep.verb == Verb.DECLINE.value
    from_it = and_(Interest.own_listing_id == listing.id, InterestStep.party == Party.RECEIVER.value)
    of_it = and_(Interest.listing_id == listing.id, Interest.proposed, InterestStep.party == Party.SENDER.value)
    counted = session.execute(
        select(Interest.reason, func.count())
        .join(InterestStep, and_(*said_no))
        .where(Interest.state == State.DECLINED.value, Interest.reason.is_not(None), or_(from_it, of_it))
        .group_by(Interest.reason)
    )
    side = 0 if listing.is_need else 1
    found = []
    for said, count in counted:
        reason = Refusal(str(said))
        fields = IMPROVES.get(reason)
        found.append((reason, int(count), fields[side] if fields else None))
    return sorted(found, key=lambda row: (-row[1], row[0]))


def of_person(session: Session, context: Context) -> Sequence[Interest]:
    """All that concern this person, whose turn it is first."""
    mine = [one for one in visible(session, context.actor) if may_see(context.actor, one.standing)]
    return sorted(mine, key=lambda one: (not verbs(context, one), one.due or date.max, -one.id))


def reasons(context: Context, interests: Iterable[Interest]) -> list[tuple[Refusal, int]]:
    """Why receivers said no to what this person sent or passed on: reasons with how often, the most first."""
    declined = [one for one in interests if one.state == State.DECLINED and one.forwarded_at is not None and one.reason]
    counted = Counter(
        Refusal(str(one.reason))
        for one in declined
        if (side := side_of(context, one)) is Party.OPERATOR or (side is Party.SENDER and not one.proposed)
    )
    return sorted(counted.items(), key=lambda row: (-row[1], row[0]))


def for_operator(session: Session, context: Context) -> list[Interest]:
    """Those that wait for this operator, who takes them up or forwards them."""
    found = visible(session, context.actor, (State.SENT, State.SCREENED))
    return [one for one in found if any(row.who is Party.OPERATOR for row in verbs(context, one))]


def side_of(context: Context, interest: Interest) -> Party | None:
    """What this person is to it, viewers included."""
    return party_of(context.actor, interest.standing, MemberRole.VIEWER)


def note(session: Session, context: Context, interest: Interest, verb: str, party: Party) -> None:
    session.add(
        InterestStep(
            interest_id=interest.id,
            verb=verb,
            party=party.value,
            person_id=context.actor.person_id,
            at=context.now,
            note=interest.reason_text if verb in NEEDS_REASON else "",
        )
    )
    changes.record(session, context, "interest", interest.id, verb)
    detail = {"state": interest.state, "listing": interest.listing_id, "reason": interest.reason}
    audit.record(session, context, f"interest {verb}", "interest", interest.id, detail)
    session.flush()

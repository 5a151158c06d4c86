"""Batches: ranked results for one need, or needs for one result, put before its organisation by an operator.

What a batch may hold is found with the receiver's eyes: an operator may read more than those they write to. Caps keep
an organisation from being flooded, and nothing that was sent or asked before comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from techex.accounts.service import House
from techex.accounts.tables import Person
from techex.brokering import batch_refusals, batch_words
from techex.brokering.batch_tables import Batch, BatchLine
from techex.brokering.tables import Interest
from techex.core import audit, mail
from techex.core.context import Actor, Context, MemberRole, Membership, Role
from techex.core.text import clean
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, NotAllowed, NotFound, Sentence
from techex.listings import service as listings
from techex.listings.rules import SEARCHABLE, State
from techex.listings.tables import Listing
from techex.matching.rules import Match, MatchPage
from techex.matching.strength import EXPLORE, REVIEW
from techex.organisations.tables import Organisation, OrganisationMember

WEEK = timedelta(days=7)
# A reader takes about ten minutes for ten of them; more than twice a week nobody reads at all.
BATCHES_A_WEEK = 2  # to one organisation
LISTINGS_A_WEEK = 15  # in all of them together
MOST_LISTINGS = 10  # of one batch
LONGEST_NOTE = 600
PAGES = 2  # of matches that are looked through

Finds = Callable[[Session, Context, Listing, int], MatchPage]


@dataclass(frozen=True)
class Load:
    """What an organisation got within a week."""

    batches: int
    listings: int

    @property
    def left(self) -> int:
        """How many listings it may still get now; 0 where the number of batches is used up."""
        return max(0, LISTINGS_A_WEEK - self.listings) if self.batches < BATCHES_A_WEEK else 0


@dataclass(frozen=True)
class Candidate:
    """A listing that may go into a batch; `hindered` says why it may not."""

    match: Match
    hindered: str = ""


@dataclass(frozen=True)
class Plan:
    """What a batch about a listing could be. `people` get the letter, `without` so many others who want none;
    `obstacles` say why none can be sent now.
    """

    listing: Listing
    candidates: Sequence[Candidate]
    load: Load
    people: Sequence[Person]
    without: int
    obstacles: Sequence[str]

    @property
    def most(self) -> int:
        """How many listings a batch may hold now."""
        return min(MOST_LISTINGS, self.load.left)

    def chosen(self, numbers: Iterable[int]) -> list[Match]:
        """The candidates of these numbers that may be sent, best first."""
        wanted = set(numbers)
        return [one.match for one in self.candidates if not one.hindered and one.match.listing.id in wanted]

    def usual(self) -> list[int]:
        """The numbers that are ticked at first: those worth a closer look, as many as may be sent."""
        strong = [one.match for one in self.candidates if not one.hindered and one.match.strength >= REVIEW]
        return [match.listing.id for match in strong][: self.most]


def receiver_context(context: Context, listing: Listing) -> Context:
    """The exchange as the organisation of a listing sees it."""
    member = Membership(listing.organisation_id, MemberRole.EDITOR, listing.organisation.verified_at is not None)
    return Context(Actor("", Role.PERSON, memberships=(member,)), context.now)


def plan(session: Session, context: Context, listing_id: int, finds: Finds) -> Plan:
    """What could be sent to the organisation of a listing. Raises NotFound, NotAllowed."""
    listing = listings.get_visible(session, context, listing_id)
    _need_operator(context, listing)
    reader = receiver_context(context, listing)
    candidates = []
    for number in range(1, PAGES + 1):
        page = finds(session, reader, listing, number)
        if not page.suitable:
            break
        candidates += [match for match in page.matches if match.strength >= EXPLORE]
        if number >= page.pages:
            break
    gone = _sent(session, listing) | {number: N_("asked about already") for number in _asked(session, listing)}
    hindered = [
        Candidate(
            one, gone.get(one.listing.id) or ("" if one.listing.open_for_interest else N_("not open for interest"))
        )
        for one in candidates
    ]
    load = load_of(session, context, listing.organisation)
    could, refused = receivers(session, listing.organisation), batch_refusals.of(session, listing.organisation_id)
    people = [] if refused.everybody else [person for person in could if person.id not in refused.people]
    without = len(could) - len(people)
    return Plan(
        *(listing, hindered, load, people, without),
        obstacles=tuple(_obstacles(listing, hindered, load, people, without)),
    )


def may_send(context: Context, listing: Listing) -> bool:
    """An operator of its place who does not belong to its organisation."""
    here = any(context.actor.operates_in(code) for code in listing.place_codes)
    return context.actor.is_operator and here and not context.actor.belongs_to(listing.organisation_id)


def _need_operator(context: Context, listing: Listing) -> None:
    if not may_send(context, listing):
        raise NotAllowed(
            Sentence(N_("Operators of the place of a listing send batches, for organisations they do not belong to."))
        )


def _obstacles(
    listing: Listing, candidates: Sequence[Candidate], load: Load, people: Sequence[Person], without: int
) -> Iterable[str]:
    if State(listing.state) not in SEARCHABLE:
        yield Sentence(N_("The listing is not published at the moment."))
    if without and not people:
        pattern = N_("This organisation does not want batches. Its people may still be asked about a single listing.")
        yield Sentence(pattern)
    elif not people:
        yield Sentence(N_("Nobody of this organisation could read it: no editor or manager has an account."))
    if not load.left:
        pattern = N_("It got %(batches)s batches with %(listings)s listings within a week; that is enough for now.")
        yield Sentence(pattern, batches=load.batches, listings=load.listings)
    if not any(not one.hindered for one in candidates):
        yield Sentence(N_("Nothing that fits is left to send: it was sent or asked about before, or nothing fits."))


def load_of(session: Session, context: Context, organisation: Organisation) -> Load:
    """What an organisation got within the last week."""
    since = context.now - WEEK
    mine = and_(Batch.receiver_id == organisation.id, Batch.sent_at > since)
    sent = session.scalar(select(func.count()).select_from(Batch).where(mine)) or 0
    lines = select(func.count()).select_from(BatchLine).join(Batch, Batch.id == BatchLine.batch_id)
    return Load(sent, session.scalar(lines.where(mine)) or 0)


def receivers(session: Session, organisation: Organisation) -> list[Person]:
    """Those who may answer for an organisation and can be written to."""
    roles = [MemberRole.EDITOR.value, MemberRole.MANAGER.value]
    found = session.scalars(
        select(OrganisationMember)
        .where(OrganisationMember.organisation_id == organisation.id, OrganisationMember.role.in_(roles))
        .order_by(OrganisationMember.id)
    ).unique()
    people = [member.person for member in found]
    return [person for person in people if person.is_active and person.confirmed_at is not None]


def _sent(session: Session, listing: Listing) -> dict[int, str]:
    query = select(BatchLine.listing_id).join(Batch, Batch.id == BatchLine.batch_id)
    return {number: N_("sent before") for number in session.scalars(query.where(Batch.listing_id == listing.id))}


def _asked(session: Session, listing: Listing) -> set[int]:
    """The listings about which this one's organisation was asked, or asked itself, whatever came of it."""
    query = select(Interest.listing_id, Interest.own_listing_id).where(
        or_(
            Interest.listing_id == listing.id,
            Interest.own_listing_id == listing.id,
            Interest.sender_id == listing.organisation_id,
        )
    )
    return {number for row in session.execute(query) for number in row if number is not None and number != listing.id}


def checked_note(note: str) -> str:
    """The operator's own words. Raises BadInput."""
    note = clean(note, "note")
    if len(note) > LONGEST_NOTE:
        pattern = N_("has %(count)s characters; expected at most %(longest)s.")
        raise BadInput(Sentence(pattern, count=len(note), longest=LONGEST_NOTE), "note")
    return note


def send(
    session: Session,
    context: Context,
    house: House,
    planned: Plan,
    numbers: Iterable[int],
    note: str,
    once: str,
    key: str,
) -> Batch:
    """Send it: a letter to each of its people through the outbox. A second press with the same `once` changes nothing.

    Each letter has a link, signed with `key`, by which its reader gets no more of them.
    Raises BadInput where nothing is chosen or the note is too long, Conflict where an obstacle stands or a cap is met.
    """
    if (before := session.scalar(select(Batch).where(Batch.once == once))) is not None:
        return before
    if planned.obstacles:
        raise Conflict(planned.obstacles[0])
    chosen, note = planned.chosen(numbers), checked_note(note)
    if not chosen:
        raise BadInput(Sentence(N_("Tick at least one listing.")), "with")
    if len(chosen) > planned.most:
        pattern = N_("%(count)s are ticked; this organisation may get %(most)s more now.")
        raise Conflict(Sentence(pattern, count=len(chosen), most=planned.most))
    batch = Batch(
        listing_id=planned.listing.id,
        receiver_id=planned.listing.organisation_id,
        person_id=context.actor.person_id,
        note=note,
        once=once,
        sent_at=context.now,
        lines=[
            BatchLine(listing_id=one.listing.id, rank=rank, strength=one.strength, quotes=_quotes(one))
            for rank, one in enumerate(chosen, 1)
        ],
    )
    session.add(batch)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(Sentence(N_("Somebody else was quicker: look at where it stands now."))) from error
    batch.letters = sum(
        _write(session, context, house, batch, planned, chosen, person, key) for person in planned.people
    )
    detail = {
        "organisation": batch.receiver_id,
        "listings": [one.listing.id for one in chosen],
        "letters": batch.letters,
    }
    audit.record(session, context, "batch sent", "listing", planned.listing.id, {"batch": batch.id, **detail})
    session.flush()
    return batch


def _write(
    session: Session,
    context: Context,
    house: House,
    batch: Batch,
    planned: Plan,
    chosen: Sequence[Match],
    person: Person,
    key: str,
) -> bool:
    language, receiver = person.language or "vi", batch.receiver_id
    link = house.address_of("batches.show", batch_id=batch.id)
    stop = house.address_of("batches.ask_to_stop", token=batch_refusals.token_for(receiver, person.id, key))
    return mail.write(
        session,
        context,
        key=f"batch-{batch.id}-{person.id}",
        to=person.email,
        language=language,
        subject=batch_words.SUBJECT,
        text=batch_words.LETTER,
        values=batch_words.values(house, language, planned.listing, chosen, batch.note, link, stop),
        unsubscribe=stop,
        reader=person.id,
        needs=[
            batch_words.need_of(planned.listing),
            ("member", receiver, MemberRole.EDITOR.value),
            ("batches", receiver),
        ],
        parts=batch_words.parts(house, language, chosen),
    )


def _quotes(match: Match) -> list[dict[str, Any]]:
    return [
        {"own": one.own, "theirs": one.theirs, "own_language": one.own_language, "their_language": one.their_language}
        for one in match.reasons.quotes[: batch_words.MOST_QUOTES]
    ]


def may_read(context: Context, batch: Batch) -> bool:
    """Its receivers, and the operators of the place of the listing."""
    here = any(context.actor.operates_in(code) for code in batch.listing.place_codes)
    return context.actor.belongs_to(batch.receiver_id) or (context.actor.is_operator and here)


def get(session: Session, context: Context, batch_id: int) -> Batch:
    """A batch this person may read; NotFound with one sentence whether it is absent or hidden."""
    found = session.get(Batch, batch_id)
    if found is None or not may_read(context, found):
        raise NotFound(Sentence(N_("There is no batch number %(number)s here."), number=batch_id))
    return found


def of_person(session: Session, context: Context, most: int = 500) -> list[Batch]:
    """Those this person may read, the newest first."""
    found = session.scalars(select(Batch).order_by(Batch.id.desc()).limit(4 * most)).unique()
    return [batch for batch in found if may_read(context, batch)][:most]


def shown_lines(context: Context, batch: Batch) -> list[tuple[BatchLine, Listing | None]]:
    """Its lines with their listings, None where this reader may not see one (any more)."""
    return [(line, line.listing if listings.sees(context, line.listing) else None) for line in batch.lines]

"""The operators' queue: what waits for them in their places, what readers found, and what they decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from techex.core import audit, mail
from techex.core.context import Actor, Context, MemberRole
from techex.core.text import clean
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, NotAllowed, Sentence
from techex.listings import content, service
from techex.listings.lifecycle import DONE, Verb
from techex.listings.rules import FIELD_BY_NAME, State
from techex.listings.tables import Listing, ListingRevision, Reading, Report, Review
from techex.organisations.tables import OrganisationMember
from techex.regions import working_days

HIGHEST = 5
LEAST_TOTAL = 10  # of 20: "sufficient" in the rubric of the Enterprise Europe Network, whose four criteria these follow
LONGEST_COMMENT = 2_000
GENERAL = "general"  # a comment on the whole

CRITERIA: Mapping[str, tuple[str, str]] = {
    "benefit": (
        N_("Benefit"),
        N_("Is it said what gets better, by how much, and compared with which other way?"),
    ),
    "clarity": (N_("Clarity"), N_("Does a reader from another field understand what is sought or offered?")),
    "cooperation": (
        N_("Cooperation"),
        N_("Is it said which partner is looked for, and in which form the technology changes hands?"),
    ),
    "wording": (
        N_("Wording"),
        N_("Is the language right, free of advertising and, in an anonymous listing, free of names?"),
    ),
}

_SUBJECT = N_("%(exchange)s: listing %(number)s was returned with comments")
_LETTER = N_(
    "An operator has read your listing %(number)s and returned it with comments.\n\n"
    "They stand beside the fields they are about, on this page:\n%(link)s\n\n"
    "Change what they name and submit it again; the operator then sees what has changed."
)


@dataclass(frozen=True)
class Scores:
    """The rubric: 0 to 5 for each criterion."""

    benefit: int
    clarity: int
    cooperation: int
    wording: int

    def __post_init__(self) -> None:
        for item in fields(self):
            if not 0 <= getattr(self, item.name) <= HIGHEST:
                raise BadInput(Sentence(N_("Choose a mark from 0 to 5.")), about=item.name)

    @property
    def total(self) -> int:
        """All four together."""
        return sum(getattr(self, item.name) for item in fields(self))

    @property
    def passed(self) -> bool:
        """Enough in all, and nothing at 0: one thing that is missing altogether blocks."""
        return all(getattr(self, item.name) for item in fields(self)) and self.total >= LEAST_TOTAL


@dataclass(frozen=True)
class Waiting:
    """One line of the queue."""

    listing: Listing
    review: Review | None  # None for a listing that is hidden since somebody reported it, or on hold
    revision: ListingRevision | None
    own_place: bool
    read: bool  # by whoever asks
    days_left: int | None  # to the deadline; below 0 it has passed

    @property
    def is_overdue(self) -> bool:
        """True when the deadline has passed."""
        return self.days_left is not None and self.days_left < 0


def queue(session: Session, context: Context, readers: int) -> list[Waiting]:
    """What waits for this operator, the most urgent first: what is reported, then what is due in their places, then
    what waits elsewhere for a second reader.

    Raises NotAllowed to everybody else.
    """
    need_operator(context.actor)
    mine = _in_places(context.actor)
    hidden = select(Listing).where(Listing.state.in_([State.FLAGGED.value, State.ON_HOLD.value]), mine)
    found = [
        Waiting(listing, None, None, True, False, None)
        for listing in session.scalars(hidden.order_by(Listing.state, Listing.id)).unique()
        if not context.actor.belongs_to(listing.organisation_id)
    ]
    in_queue = or_(
        and_(Review.revision_id.is_(None), Listing.state.in_([State.SUBMITTED.value, State.UNDER_REVIEW.value])),
        and_(Review.revision_id.is_not(None), Listing.state == State.PUBLISHED.value),
    )
    query = (
        select(Review, Listing)
        .join(Listing, Listing.id == Review.listing_id)
        .where(Review.closed_at.is_(None), in_queue)
        .order_by(Review.due, Review.id)
    )
    own: list[Waiting] = []
    elsewhere: list[Waiting] = []
    for review, listing in session.execute(query).unique():
        if context.actor.belongs_to(listing.organisation_id):
            continue
        here = any(context.actor.operates_in(code) for code in listing.place_codes)
        read = any(reading.reader_id == context.actor.person_id for reading in review.readings)
        if not here and (read or not review.readings or passes(review) >= readers):
            continue
        left = (review.due - working_days.here(context.now)).days
        line = Waiting(listing, review, _revision(session, review), here, read, left)
        (own if here else elsewhere).append(line)
    return found + own + elsewhere


def need_operator(actor: Actor) -> None:
    """Raises NotAllowed to whoever is no operator."""
    if not actor.is_operator:
        raise NotAllowed(Sentence(N_("The review queue is for operators who have signed in with their second factor.")))


def _in_places(actor: Actor) -> ColumnElement[bool]:
    codes = sorted(actor.places)
    return or_(Listing.country.in_(codes), (Listing.country + "-" + Listing.province).in_(codes))


def _revision(session: Session, review: Review) -> ListingRevision | None:
    return session.get(ListingRevision, review.revision_id) if review.revision_id else None


def passes(review: Review) -> int:
    """How many readers have passed it."""
    return sum(reading.passed for reading in review.readings)


def open_review(session: Session, listing: Listing) -> Review | None:
    """The passage through the queue that a listing is in."""
    query = select(Review).where(Review.listing_id == listing.id, Review.closed_at.is_(None))
    return session.scalar(query.order_by(Review.id.desc()).limit(1))


def last_returned(session: Session, listing: Listing) -> Review | None:
    """The last passage that ended with comments, for its owner to work through."""
    closed = select(Review).where(Review.listing_id == listing.id, Review.outcome.in_([Verb.RETURN, Verb.REFUSE]))
    return session.scalar(closed.order_by(Review.id.desc()).limit(1))


def take_up(session: Session, context: Context, listing: Listing) -> None:
    """Say that one reads it now."""
    row = service.permit(session, context, listing, Verb.TAKE_UP)
    review = open_review(session, listing)
    if review is not None:
        review.taken_by = context.actor.person_id
    service.carry_out(session, context, listing, row)


def may_read(context: Context, listing: Listing, review: Review | None) -> bool:
    """True for an operator, of any place, who may give marks: not to what is their own organisation's."""
    under_review = listing.state == State.UNDER_REVIEW or (review is not None and review.revision_id is not None)
    own = context.actor.belongs_to(listing.organisation_id)
    return review is not None and under_review and context.actor.is_operator and not own


def read(
    session: Session, context: Context, listing: Listing, scores: Scores, comments: Mapping[str, str]
) -> tuple[Review, Reading]:
    """Keep what a reader found; a second time replaces what they found before."""
    need_operator(context.actor)
    review = open_review(session, listing)
    if review is None or not may_read(context, listing, review):
        raise Conflict(Sentence(N_("This listing does not wait for a reader. Load the queue and see what does.")))
    reader = context.actor.person_id
    assert reader is not None  # noqa: S101 - operators are people
    reading = next((one for one in review.readings if one.reader_id == reader), None)
    if reading is None:
        reading = Reading(review_id=review.id, reader_id=reader)
        review.readings.append(reading)
    for item in fields(scores):
        setattr(reading, item.name, getattr(scores, item.name))
    reading.reader_name, reading.read_at = context.actor.name, context.now
    reading.comments, reading.passed = checked_comments(comments), scores.passed
    session.flush()
    audit.record(session, context, "read", "listing", listing.id, {"passed": scores.passed, "total": scores.total})
    return review, reading


def checked_comments(comments: Mapping[str, str]) -> dict[str, str]:
    """The comments that say something, by field; raises BadInput."""
    found = {}
    for name, text in comments.items():
        text = clean(text, name)
        if len(text) > LONGEST_COMMENT:
            sentence = Sentence(
                N_("has %(count)s characters; expected at most %(longest)s."), count=len(text), longest=LONGEST_COMMENT
            )
            raise BadInput(sentence, about=name)
        if text and (name in FIELD_BY_NAME or name == GENERAL):
            found[name] = text
    return found


def publish(session: Session, context: Context, listing: Listing, readers: int) -> None:
    """Publish what has passed so many readers. Raises Conflict where one is missing."""
    row = service.permit(session, context, listing, Verb.PUBLISH)
    review = open_review(session, listing)
    _need_readings(review, readers)
    service.carry_out(session, context, listing, row)


def _need_readings(review: Review | None, readers: int) -> None:
    if review is None or any(not reading.passed for reading in review.readings):
        raise Conflict(
            Sentence(N_("A reader has not passed it: a mark of 0, or fewer than 10 in all. Return it with comments."))
        )
    if passes(review) < readers:
        raise Conflict(
            Sentence(
                N_("%(count)s of %(needed)s readers have passed it. Another operator has to read it first."),
                count=passes(review),
                needed=readers,
            )
        )


def give_back(
    session: Session,
    context: Context,
    listing: Listing,
    comments: Mapping[str, str],
    link: Callable[[Listing], str],
    exchange: str,
) -> None:
    """Return a listing with comments, and tell its editors and managers by letter."""
    row = service.permit(session, context, listing, Verb.RETURN)
    review = open_review(session, listing) or service.open_review(session, context, listing)
    _keep_comments(context, review, comments)
    review.closed_at, review.outcome = context.now, Verb.RETURN.value
    service.carry_out(session, context, listing, row)
    tell_owners(session, context, listing, f"returned-{review.id}", _SUBJECT, _LETTER, link, exchange)


def _keep_comments(context: Context, review: Review, comments: Mapping[str, str]) -> None:
    said = checked_comments(comments)
    reader = context.actor.person_id
    assert reader is not None  # noqa: S101 - operators are people
    reading = next((one for one in review.readings if one.reader_id == reader), None)
    if not said and not any(one.comments for one in review.readings):
        raise BadInput(Sentence(N_("Write at least one comment: its owner has to know what to change.")), about=GENERAL)
    if reading is None:
        marks = dict.fromkeys((item.name for item in fields(Scores)), 0)
        reading = Reading(review_id=review.id, reader_id=reader, passed=False, comments={}, **marks)
        review.readings.append(reading)
    reading.reader_name, reading.read_at = context.actor.name, context.now
    reading.comments = reading.comments | said


def tell_owners(
    session: Session,
    context: Context,
    listing: Listing,
    key: str,
    subject: str,
    text: str,
    link: Callable[[Listing], str],
    exchange: str,
) -> int:
    """A letter to each editor and manager of its organisation; returns how many. It names the listing by its number:
    letters lie about in mailboxes, and what is confidential stays here.
    """
    people = session.scalars(
        select(OrganisationMember).where(
            OrganisationMember.organisation_id == listing.organisation_id,
            OrganisationMember.role.in_([MemberRole.EDITOR.value, MemberRole.MANAGER.value]),
        )
    ).unique()
    sent = 0
    for member in people:
        if not member.person.is_active or member.person.confirmed_at is None:
            continue
        values = {"exchange": exchange, "number": listing.id, "link": link(listing)}
        sent += mail.write(
            session,
            context,
            key=f"listing-{listing.id}-{key}-{member.person_id}",
            to=member.person.email,
            language=member.person.language or "vi",
            subject=subject,
            text=text,
            values=values,
            reader=member.person_id,
            needs=[("member", listing.organisation_id, MemberRole.EDITOR.value)],
        )
    return sent


def decide(
    session: Session,
    context: Context,
    listing: Listing,
    revision_id: int,
    verb: Verb,
    comments: Mapping[str, str],
) -> None:
    """Accept the proposed revision of a published listing, or refuse it with comments.

    Raises Conflict where another revision has been proposed since the page was loaded.
    """
    service.permit(session, context, listing, verb)
    revision = service.proposal_of(session, listing)
    review = open_review(session, listing)
    if revision is None or review is None or revision.id != revision_id:
        raise Conflict(Sentence(N_("Another version has been proposed since you opened this page. Load it again.")))
    if verb is Verb.REFUSE or checked_comments(comments):
        _keep_comments(context, review, comments)
    revision.state = "accepted" if verb is Verb.ACCEPT else "refused"
    revision.decided_at, revision.decided_by = context.now, context.actor.name
    review.closed_at, review.outcome = context.now, verb.value
    if verb is Verb.ACCEPT:
        service.rewrite(session, context, listing, content.draft_of(listing, revision.content), DONE[verb])
    else:
        service.record(session, context, listing, DONE[verb])


def reports_of(session: Session, listing: Listing) -> Sequence[Report]:
    """The complaints about a listing, the newest first."""
    return session.scalars(select(Report).where(Report.listing_id == listing.id).order_by(Report.id.desc())).all()

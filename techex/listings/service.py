"""The verbs of listings, and the domain's public face. What each verb asks for stands in `lifecycle`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, lazyload

from techex.core import audit, changes
from techex.core.context import Context, MemberRole
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, NotAllowed, NotFound, Sentence
from techex.listings import content, lifecycle
from techex.listings.lifecycle import DONE, Need, Standing, Transition, Verb
from techex.listings.queries import shown, shown_of
from techex.listings.rules import (
    Kind,
    ListingDraft,
    State,
    Visibility,
    hidden_fields,
    may_know_owner,
    may_see,
)
from techex.listings.tables import Listing, ListingGrant, ListingRevision, Report, Review
from techex.organisations.tables import Organisation
from techex.regions import working_days

# States in which a passage through the queue goes on.
_IN_REVIEW = (State.SUBMITTED, State.UNDER_REVIEW)
# A listing that is published from here begins a new life; from the others it goes on with the one it has.
_NEW_LIFE = (State.DRAFT, State.WITHDRAWN, State.EXPIRED, State.ARCHIVED)
SHORTEST_REASON, LONGEST_REASON = 10, 1_000


def visible(context: Context) -> Select[Listing]:
    """A SELECT of the listings this actor may see."""
    return select(Listing).where(*shown(context))


def get_visible(
    session: Session, context: Context, listing_id: int, kind: Kind | None = None, *, to_change: bool = False
) -> Listing:
    """One listing (of this kind); raises NotFound with the same sentence whether it is absent or hidden.

    `to_change` keeps others from changing it until the end of the transaction.
    """
    # The same is asked of the database for what is hidden and for what is not there: time tells nothing either.
    shared = set[int]()
    if context.actor.is_member:
        shared.update(
            session.scalars(select(ListingGrant.organisation_id).where(ListingGrant.listing_id == listing_id))
        )
    later = lazyload(Listing.field_rows), lazyload(Listing.transfer_rows)
    lock = {"of": Listing} if to_change else None
    listing = session.get(Listing, listing_id, options=later, with_for_update=lock)
    if listing is None or not sees(context, listing, shared) or kind not in (None, listing.kind):
        raise NotFound(
            Sentence(
                N_("There is no listing number %(number)s here. It may have ended; search for what you need."),
                number=listing_id,
            )
        )
    _ = listing.field_rows, listing.transfer_rows  # read here: the session may end before they are shown
    return listing


def sees(context: Context, listing: Listing, shared_with: Set[int] | None = None) -> bool:
    """True if the actor may see this listing; `shared_with` where its grants were read already."""
    return may_see(
        context.actor,
        State(listing.state),
        Visibility(listing.visibility),
        listing.organisation_id,
        lambda: {grant.organisation_id for grant in listing.grants} if shared_with is None else shared_with,
    )


def knows_owner(context: Context, listing: Listing) -> bool:
    """True if the actor, who may see the listing, may know whose it is."""
    return may_know_owner(
        context.actor,
        listing.anonymous,
        listing.organisation_id,
        lambda: {grant.organisation_id for grant in listing.grants if grant.introduced},
    )


def guarded(context: Context, listing: Listing) -> frozenset[str]:
    """The names of the fields of a listing that the actor, who may see it, may not read."""
    return hidden_fields(context.actor, listing.organisation_id)


def visible_by_id(session: Session, context: Context, ids: Iterable[int]) -> Mapping[int, Listing]:
    """Those of the given listings that this actor may see, by id: the last word before a result is shown."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = session.scalars(select(Listing).where(*shown_of(context, wanted))).unique()
    return {row.id: row for row in rows}


def find_external(session: Session, organisation: Organisation, kind: str, external_id: str) -> Listing | None:
    """The listing that an organisation imported under this id, whatever its state; or None."""
    return session.scalar(
        select(Listing).where(
            Listing.organisation_id == organisation.id, Listing.kind == kind, Listing.external_id == external_id
        )
    )


def post(session: Session, context: Context, organisation: Organisation, draft: ListingDraft) -> Listing:
    """Store a checked draft as a new listing, not yet published. Raises NotAllowed to who may not write for it."""
    if not (context.actor.is_system or context.actor.belongs_to(organisation.id, MemberRole.EDITOR)):
        raise NotAllowed(Sentence(N_("Only editors and managers of an organisation write its listings.")))
    listing = Listing(
        kind=draft.kind.value,
        state=State.DRAFT.value,
        organisation=organisation,
        organisation_id=organisation.id,
        external_id=draft.external_id,
        created_at=context.now,
        updated_at=context.now,
    )
    content.write(listing, draft)
    session.add(listing)
    session.flush()  # its id is needed by the change
    record(session, context, listing, "created")
    return listing


def edit(session: Session, context: Context, listing: Listing, draft: ListingDraft) -> bool:
    """Bring a listing to what a checked draft says; returns whether anything changed.

    What it said before stays as a revision, unless nobody but its owner has seen it. A published listing is edited by
    its owner through `propose`.
    """
    permit(session, context, listing, Verb.EDIT)
    return rewrite(session, context, listing, draft, DONE[Verb.EDIT])


def rewrite(session: Session, context: Context, listing: Listing, draft: ListingDraft, done: str) -> bool:
    """The deed of `edit`, for verbs that were permitted otherwise."""
    before, seen_by = content.content_of(listing), listing.visibility
    content.write(listing, draft)
    if content.content_of(listing) == before and listing.visibility == seen_by:
        return False
    if listing.state != State.DRAFT:
        keep_revision(session, context, listing, before, "past")
    listing.updated_at = context.now
    record(session, context, listing, done)
    return True


def publish(session: Session, context: Context, listing: Listing) -> None:
    """Show a listing to those its visibility names, for a year, without a review: imports and the demo."""
    if listing.state != State.PUBLISHED:
        do(session, context, listing, Verb.PUBLISH)


def withdraw(session: Session, context: Context, listing: Listing) -> None:
    """Take a listing out of the exchange; it stays on record."""
    do(session, context, listing, Verb.WITHDRAW)


def standing_of(session: Session, context: Context, listing: Listing, *, by_link: bool = False) -> Standing:
    """Where a listing stands, as the table of its life asks."""
    return Standing(
        state=State(listing.state),
        organisation_id=listing.organisation_id,
        places=listing.place_codes,
        seen=sees(context, listing),
        by_link=by_link,
        open_for_interest=listing.open_for_interest,
        has_proposal=listing.state == State.PUBLISHED and proposal_of(session, listing) is not None,
        published_at=listing.published_at,
        expires_at=listing.expires_at,
        extended_at=listing.extended_at,
    )


def allowed(session: Session, context: Context, listing: Listing) -> list[Transition]:
    """What the actor may do to a listing now: its buttons."""
    return lifecycle.allowed(context.actor, standing_of(session, context, listing), context.now)


def permit(session: Session, context: Context, listing: Listing, verb: Verb, *, by_link: bool = False) -> Transition:
    """The row of the table that lets the actor do this now.

    Raises NotFound to who may not see the listing, NotAllowed to who may never do this, Conflict where the listing is
    not (or no longer) in a state for it.
    """
    standing = standing_of(session, context, listing, by_link=by_link)
    row = lifecycle.find(context.actor, standing, verb, context.now)
    if row is not None:
        return row
    if not (standing.seen or by_link or context.actor.is_system):
        raise NotFound(
            Sentence(
                N_("There is no listing number %(number)s here. It may have ended; search for what you need."),
                number=listing.id,
            )
        )
    rows = [row for row in lifecycle.TRANSITIONS if row.verb is verb]
    if not any(lifecycle.is_party(context.actor, row.who, standing) for row in rows):
        raise NotAllowed(Sentence(N_("This is not for you to do: it takes another role for this listing.")))
    raise Conflict(
        Sentence(N_("The listing is not in a state in which this can be done. Load its page and see where it stands."))
    )


def do(
    session: Session, context: Context, listing: Listing, verb: Verb, reason: str = "", *, by_link: bool = False
) -> Transition:
    """Carry out a verb that takes no more than a reason; those that take more have functions of their own."""
    row = permit(session, context, listing, verb, by_link=by_link)
    if Need.COMMENTS in row.needs or Need.READINGS in row.needs or verb in _OWN_FUNCTION:
        raise ValueError(f"{verb} takes more than a reason; it has a function of its own")
    carry_out(session, context, listing, row, checked_reason(row, reason))
    return row


_OWN_FUNCTION = frozenset(
    {Verb.EDIT, Verb.TAKE_UP, Verb.PROPOSE, Verb.ACCEPT, Verb.REFUSE, Verb.DISCLOSE, Verb.INTRODUCE, Verb.REPORT}
)


def checked_reason(row: Transition, reason: str) -> str:
    """The reason that was given, where the row asks for one; raises BadInput."""
    reason = " ".join(reason.split())
    if Need.REASON not in row.needs:
        return ""
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise BadInput(
            Sentence(
                N_("has %(count)s characters; expected %(shortest)s to %(longest)s."),
                count=len(reason),
                shortest=SHORTEST_REASON,
                longest=LONGEST_REASON,
            ),
            about="reason",
        )
    return reason


def carry_out(session: Session, context: Context, listing: Listing, row: Transition, reason: str = "") -> None:
    """Bring a listing to the state a permitted row leads to, with all that follows from it, and record it."""
    before = State(listing.state)
    after = row.leads_to(before)
    listing.state = after.value
    match row.verb:
        case Verb.SUBMIT:
            open_review(session, context, listing)
        case Verb.PUBLISH if before in _NEW_LIFE or listing.published_at is None:
            listing.published_at, listing.extended_at, listing.asked_at = context.now, None, None
            listing.expires_at = lifecycle.end_of_life(context.now, extended=False)
        case Verb.EXTEND:
            assert listing.published_at is not None  # noqa: S101 - what has an end was published
            listing.extended_at = context.now
            listing.expires_at = lifecycle.end_of_life(listing.published_at, extended=True)
        case Verb.CLOSE | Verb.OPEN:
            listing.open_for_interest = row.verb is Verb.OPEN
    if after is State.PUBLISHED and listing.visibility == Visibility.PUBLIC and not listing.anonymous:
        listing.organisation.listed = True  # whoever published it vouches for whose it is
    if before in _IN_REVIEW and after not in _IN_REVIEW:
        _close_reviews(session, context, listing, row.verb)
    if after in (State.WITHDRAWN, State.ARCHIVED, State.DRAFT, State.RETURNED) and before is not State.SUBMITTED:
        _drop_proposal(session, context, listing, row.verb)
    if before is State.FLAGGED:
        for report in session.scalars(
            select(Report).where(Report.listing_id == listing.id, Report.looked_at.is_(None))
        ):
            report.looked_at, report.looked_by = context.now, context.actor.name
            report.outcome = row.verb.value
    detail = {"from": before.value, "to": after.value} | ({"reason": reason} if reason else {})
    record(session, context, listing, DONE[row.verb], detail)


def open_review(
    session: Session, context: Context, listing: Listing, revision: ListingRevision | None = None
) -> Review:
    """A new passage through the queue."""
    review = Review(
        listing_id=listing.id,
        revision_id=revision.id if revision else None,
        submitted_at=context.now,
        submitted_by=context.actor.name,
        due=lifecycle.review_due(working_days.here(context.now), country=listing.country),
    )
    session.add(review)
    session.flush()
    return review


def _close_reviews(session: Session, context: Context, listing: Listing, verb: Verb) -> None:
    for review in session.scalars(select(Review).where(Review.listing_id == listing.id, Review.closed_at.is_(None))):
        review.closed_at, review.outcome = context.now, verb.value


def _drop_proposal(session: Session, context: Context, listing: Listing, verb: Verb) -> None:
    proposal = proposal_of(session, listing)
    if proposal is not None:
        proposal.state, proposal.decided_at, proposal.decided_by = "refused", context.now, context.actor.name
        _close_reviews(session, context, listing, verb)


def take_back_proposal(session: Session, context: Context, listing: Listing) -> bool:
    """Take back the revision that one's organisation has proposed; False where none waits. Raises NotAllowed."""
    if not context.actor.belongs_to(listing.organisation_id, MemberRole.EDITOR):
        raise NotAllowed(Sentence(N_("Only editors and managers of an organisation write its listings.")))
    if proposal_of(session, listing) is None:
        return False
    _drop_proposal(session, context, listing, Verb.RECALL)
    record(session, context, listing, "revision taken back")
    return True


def proposal_of(session: Session, listing: Listing) -> ListingRevision | None:
    """The revision of a listing that waits for a decision."""
    return session.scalar(
        select(ListingRevision).where(ListingRevision.listing_id == listing.id, ListingRevision.state == "proposed")
    )


def propose(session: Session, context: Context, listing: Listing, draft: ListingDraft) -> ListingRevision:
    """Propose another content for a published listing; the old one stands until an operator accepts."""
    permit(session, context, listing, Verb.PROPOSE)
    if draft.translations is None:
        draft = replace(draft, translations=listing.translations or {})
    proposed = content.content_of_draft(draft)
    if proposed == content.content_of(listing):
        raise BadInput(Sentence(N_("Nothing differs from what is published. Change something, or leave it as it is.")))
    revision = keep_revision(session, context, listing, proposed, "proposed")
    open_review(session, context, listing, revision)
    record(session, context, listing, DONE[Verb.PROPOSE])
    return revision


def keep_revision(
    session: Session, context: Context, listing: Listing, said: Mapping[str, Any], state: str
) -> ListingRevision:
    """Store a content beside the one that stands."""
    of_listing = ListingRevision.listing_id == listing.id
    last = session.scalar(select(func.max(ListingRevision.number)).where(of_listing)) or 0
    revision = ListingRevision(
        listing_id=listing.id,
        number=last + 1,
        state=state,
        content=dict(said),
        written_at=context.now,
        written_by=context.actor.name,
    )
    session.add(revision)
    session.flush()
    return revision


def revisions(session: Session, listing: Listing) -> Sequence[ListingRevision]:
    """All that was kept of a listing, the oldest first."""
    query = select(ListingRevision).where(ListingRevision.listing_id == listing.id)
    return session.scalars(query.order_by(ListingRevision.number)).all()


def record(
    session: Session, context: Context, listing: Listing, done: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Tell the change log and the audit log."""
    changes.record(session, context, "listing", listing.id, done)
    audit.record(session, context, done, "listing", listing.id, {"kind": listing.kind} | dict(detail or {}))

"""What listings ask of a person by a day: to let one go on, to read one for review."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.core.context import Context, MemberRole
from techex.core.deadlines import Deadline
from techex.core.vocabulary import N_
from techex.listings import reviews
from techex.listings.rules import SEARCHABLE, State, Visibility
from techex.listings.tables import Listing

MOST = 500
_ENDS = N_("Listing %(number)s ends: let it go on, or let it end")
_READ = N_("Read listing %(number)s for review")


def public_title(listing: Listing) -> str:
    """The title of a listing that everybody may read; of others nothing."""
    public = listing.visibility == Visibility.PUBLIC and State(listing.state) in SEARCHABLE
    return listing.title if public else ""


def of_person(session: Session, context: Context) -> Iterator[Deadline]:
    """The ends of the listings a person edits, and the reviews that wait for an operator."""
    yield from _ends(session, context)
    if context.actor.is_operator:
        yield from _reviews(session, context)


def _ends(session: Session, context: Context) -> Iterator[Deadline]:
    edited = [one.organisation_id for one in context.actor.memberships if one.role.includes(MemberRole.EDITOR)]
    query = select(Listing).where(
        Listing.organisation_id.in_(edited),
        Listing.state.in_([State.PUBLISHED.value, State.ON_HOLD.value]),
        Listing.expires_at.is_not(None),
    )
    for listing in session.scalars(query.order_by(Listing.expires_at, Listing.id).limit(MOST)).unique():
        assert listing.expires_at is not None  # noqa: S101 - asked for
        yield Deadline(
            key=f"listing-{listing.id}-ends",
            due=listing.expires_at,
            what=_ENDS,
            values={"number": listing.id},
            path=f"/{'needs' if listing.is_need else 'results'}/{listing.id}",
            changed_at=max(filter(None, (listing.created_at, listing.published_at, listing.extended_at))),
            # An end only ever moves on, so how far it has moved counts its revisions.
            revision=max(0, (listing.expires_at - listing.created_at).days),
            title=public_title(listing),
            has_letter=True,
        )


def _reviews(session: Session, context: Context) -> Iterator[Deadline]:
    for line in reviews.queue(session, context, readers=0):
        if line.own_place and line.review is not None:
            yield Deadline(
                key=f"review-{line.review.id}",
                due=line.review.due,
                what=_READ,
                values={"number": line.listing.id},
                path=f"/review/{line.listing.id}",
                changed_at=line.review.submitted_at,
            )

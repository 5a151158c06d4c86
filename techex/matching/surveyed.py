"""What the last look over the exchange found, read back: whose figures they are, and what is nearest to some needs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.core.context import Actor, Context
from techex.listings import queries
from techex.listings.rules import Suited
from techex.listings.tables import Listing
from techex.matching.survey_tables import Survey, SurveyedListing, SurveyedPair

PUBLIC, ALL = "public", "all"


def scope_of(actor: Actor) -> str:
    """Whose figures somebody reads: operators those of all they may read, everybody else the public ones."""
    return ALL if actor.is_operator or actor.is_system else PUBLIC


def looked_over(session: Session, context: Context) -> Survey | None:
    """When the asker's part of the exchange was looked over last; None where it never was."""
    return session.get(Survey, scope_of(context.actor))


def nearest(session: Session, context: Context, needs: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """The nearest results of some needs by the last look, as far as the asker sees them: (result, strength)."""
    pair = SurveyedPair
    query = (
        select(pair.need_id, pair.offer_id, pair.strength)
        .join(Listing, Listing.id == pair.offer_id)
        .where(pair.scope == scope_of(context.actor), pair.need_id.in_(list(needs)), *queries.shown(context))
        .order_by(pair.need_id, pair.place)
    )
    found: dict[int, list[tuple[int, int]]] = {}
    for need_id, offer_id, value in session.execute(query):
        found.setdefault(need_id, []).append((offer_id, value))
    return found


def suited(session: Session, context: Context) -> dict[int, Suited]:
    """How the listings of the asker's organisations stood in the last look, by id; results as in the lists of needs.

    What the asker would not find in a list, or came after that look, is left out.
    """
    own = [membership.organisation_id for membership in context.actor.memberships]
    query = (
        select(SurveyedListing.listing_id, SurveyedListing.suitable, SurveyedListing.best)
        .join(Listing, Listing.id == SurveyedListing.listing_id)
        .where(SurveyedListing.scope == scope_of(context.actor), Listing.organisation_id.in_(own))
        .where(*queries.shown(context))
    )
    return {listing_id: Suited(count, best) for listing_id, count, best in session.execute(query)} if own else {}

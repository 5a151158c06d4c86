"""Lists and counts of expressions of interest."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from techex.brokering.rules import PROPOSED, Party, State
from techex.brokering.tables import Interest
from techex.core.context import Actor
from techex.listings.tables import Listing
from techex.organisations.tables import Organisation

MOST = 500  # of a person's list; older ones are found from their listings


def find(session: Session, interest_id: int) -> Interest | None:
    """One by its number."""
    return session.get(Interest, interest_id)


def open_before(session: Session, organisation_id: int) -> int:
    """How many wait for an answer of this organisation: somebody's, and the exchange's proposals."""
    receives = [State.FORWARDED.value] + [state.value for state, party in PROPOSED.items() if party is not Party.SENDER]
    sends = [state.value for state, party in PROPOSED.items() if party is not Party.RECEIVER]
    query = select(func.count()).select_from(Interest)
    query = query.where(
        or_(
            and_(Interest.receiver_id == organisation_id, Interest.state.in_(receives)),
            and_(Interest.sender_id == organisation_id, Interest.state.in_(sends)),
        )
    )
    return session.scalar(query) or 0


def in_places(actor: Actor) -> list[ColumnElement[bool]]:
    """What is of an operator's places: the listing, or the sender; for queries that join both.

    In a proposal the listing of the sender counts too.
    """
    if not actor.is_operator:
        return []
    provinces = [code.partition("-")[2] for code in actor.places if "-" in code]
    countries = [code for code in actor.places if "-" not in code]
    own = aliased(Listing)
    theirs = select(own.id).where(or_(own.province.in_(provinces), own.country.in_(countries)))
    return [
        and_(Interest.proposed, Interest.own_listing_id.in_(theirs)),
        *(Listing.province.in_(provinces), Listing.country.in_(countries)),
        *(Organisation.province.in_(provinces), Organisation.country.in_(countries)),
    ]


def answered(session: Session) -> Sequence[Interest]:
    """Those that their receivers have answered, the oldest first."""
    states = [State.ACCEPTED.value, State.DECLINED.value]
    query = select(Interest).where(Interest.state.in_(states), Interest.forwarded_at.is_not(None))
    return session.scalars(query.order_by(Interest.id).options(joinedload(Interest.own_listing))).unique().all()


def visible(session: Session, actor: Actor, states: Collection[State] = tuple(State)) -> Sequence[Interest]:
    """Those in these states that may concern this actor, the newest first; the rules have the last word on each."""
    organisations = [membership.organisation_id for membership in actor.memberships]
    concerned = [
        Interest.sender_id.in_(organisations),
        and_(Interest.receiver_id.in_(organisations), Interest.forwarded_at.is_not(None)),
        *in_places(actor),
    ]
    query = (
        select(Interest)
        .join(Listing, Listing.id == Interest.listing_id)
        .join(Organisation, Organisation.id == Interest.sender_id)
        .where(or_(*concerned), Interest.state.in_([state.value for state in states]))
        .order_by(Interest.id.desc())
        .limit(MOST)
    )
    return session.scalars(query).unique().all()

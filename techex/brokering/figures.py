"""What the figures of the exchange are counted from: the ways of expressions of interest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from techex.brokering.deal_tables import Deal
from techex.brokering.funnel import Step, Way, region_code
from techex.brokering.rules import State
from techex.brokering.tables import Interest
from techex.listings.rules import Kind, Visibility
from techex.listings.tables import Listing, ListingField
from techex.organisations.tables import Organisation
from techex.regions.rules import Place
from techex.regions.service import place_of_code


@dataclass(frozen=True)
class Asked:
    """What somebody with exact figures asks for; empty means everything. Regions are codes of regions or countries."""

    since: date | None = None
    before: date | None = None
    origin: str = ""
    application: str = ""
    field: str = ""
    kind: str = ""

    @property
    def is_narrowed(self) -> bool:
        """True when any filter is set."""
        return self != Asked()


def ways(session: Session, places: Iterable[str] | None, *, public: bool) -> list[Way]:
    """All expressions of interest: of some places, or of all (None).

    `public` leaves out those about listings that not everybody may read, and what anonymous owners are.
    """
    own, sender, receiver = aliased(Listing), aliased(Organisation), aliased(Organisation)
    query = (
        select(
            *(Interest.listing_id, Interest.state, Interest.sent_at, Interest.forwarded_at, Interest.closed_at),
            *(Deal.introduced_at, Deal.signed_at, Deal.contract, sender.kind, receiver.kind, Listing.kind),
            *(Listing.anonymous, own.anonymous),
            *(Listing.country, Listing.province, own.country, own.province, sender.country, sender.province),
        )
        .join(Listing, Listing.id == Interest.listing_id)
        .outerjoin(own, own.id == Interest.own_listing_id)
        .join(sender, sender.id == Interest.sender_id)
        .join(receiver, receiver.id == Interest.receiver_id)
        .outerjoin(Deal, Deal.interest_id == Interest.id)
        .order_by(Interest.id)
    )
    if public:
        everybody = Visibility.PUBLIC.value
        query = query.where(Listing.visibility == everybody, or_(own.id.is_(None), own.visibility == everybody))
    fields = _fields(session)
    wanted = None if places is None else frozenset(places)
    found = []
    for row in session.execute(query):
        listing_id, state, sent, forwarded, closed, introduced, signed, contract, sends, receives, kind, *rest = row
        hidden, own_hidden, *ends = rest
        if public:  # of what kind an anonymous owner is stays untold
            sends, receives = "" if own_hidden else sends, "" if hidden else receives
        there, named, home = (Place(*ends[at : at + 2]) if ends[at] else None for at in (0, 2, 4))
        assert there is not None and home is not None  # noqa: S101, PT018 - both columns are never empty
        here = named or home
        if wanted is not None and not wanted & (_codes(there) | _codes(home)):
            continue
        moments = {
            Step.SENT: sent,
            Step.FORWARDED: forwarded,
            Step.ACCEPTED: closed if state == State.ACCEPTED else None,
            Step.INTRODUCED: introduced,
            Step.SIGNED: signed,
        }
        taken = {step: at for step, at in moments.items() if at is not None}
        origin, application = (here, there) if kind == Kind.NEED else (there, here)
        both = _ends(contract) if signed is not None and contract else None
        found.append(Way(taken, origin, application, fields.get(listing_id, ()), _known(sends, receives), both))
    return found


def _known(*kinds: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(kind for kind in kinds if kind))


def _codes(place: Place) -> set[str]:
    return {place.code, place.country}


def _ends(contract: Mapping[str, str]) -> tuple[Place, Place] | None:
    origin, application = place_of_code(contract["origin"]), place_of_code(contract["application"])
    return (origin, application) if origin and application else None


def _fields(session: Session) -> dict[int, tuple[str, ...]]:
    """The fields of the listings that somebody asked about."""
    asked = select(Interest.listing_id)
    rows = session.execute(select(ListingField.listing_id, ListingField.code).where(ListingField.listing_id.in_(asked)))
    found: dict[int, tuple[str, ...]] = {}
    for listing_id, code in rows:
        found[listing_id] = (*found.get(listing_id, ()), code)
    return found


def chosen(found: Iterable[Way], asked: Asked) -> list[Way]:
    """Those asked for."""
    return [
        way
        for way in found
        if (asked.since is None or way.sent >= asked.since)
        and (asked.before is None or way.sent < asked.before)
        and asked.origin in ("", region_code(way.origin))
        and asked.application in ("", region_code(way.application))
        and (not asked.field or asked.field in way.fields)
        and (not asked.kind or asked.kind in way.kinds)
    ]

"""What the figures of the exchange are counted from: ways of interests, published listings, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from techex.brokering.deal_tables import Deal
from techex.brokering.funnel import Step, Way, region_code
from techex.brokering.rules import State
from techex.brokering.tables import Interest
from techex.core.context import ANONYMOUS, Context
from techex.listings import queries
from techex.listings.rules import Kind, Visibility
from techex.listings.tables import Listing, ListingField
from techex.organisations.tables import Organisation
from techex.regions.rules import HOME_COUNTRY, Place
from techex.regions.service import place_of_code, regions


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


def listed(session: Session, context: Context, asked: Asked, places: Iterable[str] | None) -> tuple[int, int]:
    """Listings published in the period that stand there now, and those of them that somebody asked about or asked with
    before its end.

    `places` None is everywhere. Listings count that the context may see.
    """
    conditions: list[ColumnElement[bool]] = [*queries.shown(context)]
    if asked.since is not None:
        conditions.append(Listing.published_at >= _moment(asked.since))
    if asked.before is not None:
        conditions.append(Listing.published_at < _moment(asked.before))
    if places is not None:
        known = [place for code in places if (place := place_of_code(code))]
        conditions.append(queries.inside(known))
    if asked.origin or asked.application:
        ends = ((Kind.OFFER, asked.origin), (Kind.NEED, asked.application))
        conditions.append(or_(*(and_(Listing.kind == kind.value, *_within(code)) for kind, code in ends)))
    if asked.field:
        having = select(ListingField.listing_id).where(ListingField.code == asked.field)
        conditions.append(Listing.id.in_(having))
    if asked.kind:
        owners = select(Organisation.id).where(Organisation.kind == asked.kind)
        conditions += [Listing.organisation_id.in_(owners), queries.owner_known(context)]
    counting = select(func.count()).select_from(Listing).where(*conditions)
    about = or_(Interest.listing_id == Listing.id, Interest.own_listing_id == Listing.id)
    touched = exists().where(about, *([Interest.sent_at < _moment(asked.before)] if asked.before else []))
    return session.scalar(counting) or 0, session.scalar(counting.where(touched)) or 0


def _moment(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _within(code: str) -> list[ColumnElement[bool]]:
    if not code:
        return []
    if code in regions():
        return [Listing.country == HOME_COUNTRY, Listing.province.in_(regions()[code].provinces)]
    return [Listing.country == code]


@dataclass(frozen=True)
class Gap:
    """A field that is asked for in a region where nobody offers anything in it; `region` empty: nowhere."""

    field: str
    region: str
    needs: int
    elsewhere: int  # results in it that are offered in other places


def gaps(session: Session, most: int) -> list[Gap]:
    """What is asked for and not offered, by field and region: first what is offered nowhere, then the most asked for.

    Counted from listings that everybody may read, of which anybody can count as much in the lists.
    """
    context = Context(ANONYMOUS)
    everywhere = queries.counts_by_field(session, context)
    found = []
    for code, region in regions().items():
        here = queries.counts_by_field(session, context, [Place(HOME_COUNTRY, one) for one in region.provinces])
        found += [
            Gap(field, code, count.needs, everywhere[field].offers)
            for field, count in here.items()
            if count.needs and not count.offers
        ]
    return sorted(found, key=lambda gap: (gap.elsewhere > 0, -gap.needs, gap.field, gap.region))[:most]


def unasked(session: Session, most: int) -> list[tuple[str, int]]:
    """Fields with results and without any need: (field, results), the most first."""
    counts = queries.counts_by_field(session, Context(ANONYMOUS))
    found = [(field, count.offers) for field, count in counts.items() if count.offers and not count.needs]
    return sorted(found, key=lambda row: (-row[1], row[0]))[:most]

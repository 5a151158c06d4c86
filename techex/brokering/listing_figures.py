"""From listings over matches to contracts, counted: how many listings came how far, and which pairs fit each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from statistics import median

from sqlalchemy import ColumnElement, and_, func, or_, select, union
from sqlalchemy.orm import Session, aliased

from techex.brokering.deal_tables import Deal
from techex.brokering.figures import Asked
from techex.brokering.funnel import region_code
from techex.brokering.tables import Interest
from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.listings import queries
from techex.listings.rules import Kind
from techex.listings.tables import Listing, ListingField
from techex.matching import surveyed
from techex.matching.strength import EXPLORE
from techex.matching.survey_tables import SurveyedListing, SurveyedPair
from techex.organisations.tables import Organisation
from techex.regions import working_days
from techex.regions.rules import HOME_COUNTRY, Place
from techex.regions.service import place_of_code, regions

MOST_TIMED = 20_000  # listings whose days are counted: reading them takes a tenth of a second


class ListingStep(StrEnum):
    """How far a listing came."""

    PUBLISHED = "published"
    MATCHED = "matched"
    ASKED = "asked"
    INTRODUCED = "introduced"
    SIGNED = "signed"


LISTING_STEPS: Mapping[ListingStep, str] = {
    ListingStep.PUBLISHED: N_("Listings published and still listed"),
    ListingStep.MATCHED: N_("with a suitable match"),
    ListingStep.ASKED: N_("asked about, or asked with"),
    ListingStep.INTRODUCED: N_("introduced to a partner"),
    ListingStep.SIGNED: N_("in a contract that both sides confirmed"),
}


@dataclass(frozen=True)
class Reached:
    """How many listings came to a step, the median of the days from `LISTING_SINCE` to it, and of how many that is."""

    step: ListingStep
    count: int
    days: float | None
    behind: int = 0


# From which step the days of another one are counted: nobody has to wait for a match to ask.
LISTING_SINCE: Mapping[ListingStep, ListingStep] = {
    ListingStep.MATCHED: ListingStep.PUBLISHED,
    ListingStep.ASKED: ListingStep.PUBLISHED,
    ListingStep.INTRODUCED: ListingStep.ASKED,
    ListingStep.SIGNED: ListingStep.INTRODUCED,
}


def reached(
    session: Session, context: Context, asked: Asked, places: Iterable[str] | None, *, timed: bool = True
) -> list[Reached]:
    """How far the listings came that were published in the period and stand there now; steps before its end count.

    `places` None is everywhere. Listings count that the context may see.
    """
    conditions = _conditions(context, asked, places)
    counting = select(func.count()).select_from(Listing).where(*conditions)
    counts = {step: session.scalar(counting.where(*_came(step, context, asked.before))) or 0 for step in ListingStep}
    moments = _moments(session, context, asked, conditions) if timed and 0 < counts[_S.PUBLISHED] <= MOST_TIMED else {}
    found = []
    for step in ListingStep:
        since = LISTING_SINCE.get(step)
        days = [
            max(0.0, (at[step] - at[since]).total_seconds() / 86_400)
            for at in moments.values()
            if since and step in at and since in at
        ]
        found.append(Reached(step, counts[step], median(days) if days else None, len(days)))
    return found


_S = ListingStep


def _conditions(context: Context, asked: Asked, places: Iterable[str] | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [*queries.shown(context)]
    if asked.since is not None:
        found.append(Listing.published_at >= _moment(asked.since))
    if asked.before is not None:
        found.append(Listing.published_at < _moment(asked.before))
    if places is not None:
        found.append(queries.inside([place for code in places if (place := place_of_code(code))]))
    if asked.origin or asked.application:
        ends = ((Kind.OFFER, asked.origin), (Kind.NEED, asked.application))
        found.append(or_(*(and_(Listing.kind == kind.value, *_within(code)) for kind, code in ends)))
    if asked.field:
        found.append(Listing.id.in_(select(ListingField.listing_id).where(ListingField.code == asked.field)))
    if asked.kind:
        owners = select(Organisation.id).where(Organisation.kind == asked.kind)
        found += [Listing.organisation_id.in_(owners), queries.owner_known(context)]
    return found


def _came(step: ListingStep, context: Context, before: date | None) -> list[ColumnElement[bool]]:
    """The condition that a listing came to a step before a day."""
    limit = _moment(before) if before else None
    if step is _S.MATCHED:
        scope = surveyed.scope_of(context.actor)
        fits = select(SurveyedListing.listing_id).where(SurveyedListing.scope == scope, SurveyedListing.suitable > 0)
        return [Listing.id.in_(fits)]
    moment = {_S.ASKED: Interest.sent_at, _S.INTRODUCED: Deal.introduced_at, _S.SIGNED: Deal.signed_at}.get(step)
    if moment is None:
        return []
    # Two sets of numbers instead of one condition with an OR: no index answers that for each listing.
    ends = []
    for side in (Interest.listing_id, Interest.own_listing_id):
        query = select(side).where(side.is_not(None), moment.is_not(None), *([moment < limit] if limit else []))
        ends.append(query if step is _S.ASKED else query.join(Deal, Deal.interest_id == Interest.id))
    return [Listing.id.in_(union(*ends))]


def _moments(
    session: Session, context: Context, asked: Asked, conditions: Sequence[ColumnElement[bool]]
) -> dict[int, dict[ListingStep, datetime]]:
    found: dict[int, dict[ListingStep, datetime]] = {}
    for listing_id, published in session.execute(select(Listing.id, Listing.published_at).where(*conditions)):
        found[listing_id] = {_S.PUBLISHED: published} if published else {}
    limit = _moment(asked.before) if asked.before else None

    def note(listing_id: int | None, step: ListingStep, at: datetime | None) -> None:
        if listing_id in found and at is not None and (limit is None or at < limit):
            moments = found[listing_id]
            moments[step] = min(at, moments.get(step, at))

    for pair in _pairs(session, context):
        for listing_id in (pair.need_id, pair.offer_id):
            note(listing_id, _S.MATCHED, pair.since)
    steps = select(
        Interest.listing_id, Interest.own_listing_id, Interest.sent_at, Deal.introduced_at, Deal.signed_at
    ).outerjoin(Deal, Deal.interest_id == Interest.id)
    for one, other, *moments in session.execute(steps):
        for step, at in zip((_S.ASKED, _S.INTRODUCED, _S.SIGNED), moments, strict=True):
            note(one, step, at)
            note(other, step, at)
    return found


@dataclass(frozen=True)
class Match:
    """Two listings that fit, among a need's first ten; `since` is when the later of them was published."""

    need_id: int
    offer_id: int
    origin: Place
    application: Place
    since: datetime
    kinds: tuple[str, ...]  # of the two organisations, as far as the asker may know them
    fields: tuple[str, ...] = ()  # of the need


def _pairs(session: Session, context: Context) -> list[Match]:
    need, offer = aliased(Listing), aliased(Listing)
    asks, has = aliased(Organisation), aliased(Organisation)
    shown = select(Listing.id).where(*queries.shown(context))
    known = select(Listing.id).where(*queries.shown(context), queries.owner_known(context))
    pair = SurveyedPair
    query = (
        select(
            *(pair.need_id, pair.offer_id, need.published_at, offer.published_at),
            *(offer.country, offer.province, need.country, need.province),
            *(asks.kind, has.kind, need.id.in_(known), offer.id.in_(known)),
        )
        .join(need, need.id == pair.need_id)
        .join(offer, offer.id == pair.offer_id)
        .join(asks, asks.id == need.organisation_id)
        .join(has, has.id == offer.organisation_id)
        .where(pair.scope == surveyed.scope_of(context.actor), pair.strength >= EXPLORE)
        .where(pair.need_id.in_(shown), pair.offer_id.in_(shown))
        .order_by(pair.need_id, pair.place)
    )
    found = []
    for need_id, offer_id, first, second, *ends, asking, having, ask_known, have_known in session.execute(query):
        kinds = dict.fromkeys(kind for kind, told in ((asking, ask_known), (having, have_known)) if told)
        if first is not None and second is not None:
            places = Place(*ends[:2]), Place(*ends[2:])
            found.append(Match(need_id, offer_id, *places, max(first, second), tuple(kinds)))
    return found


def matches(session: Session, context: Context, asked: Asked, places: Iterable[str] | None) -> list[Match]:
    """Pairs that fit, by the last look over the exchange, as asked for."""
    fields: dict[int, tuple[str, ...]] = {}
    found = _pairs(session, context)
    needs = select(SurveyedPair.need_id).where(SurveyedPair.scope == surveyed.scope_of(context.actor))
    rows = session.execute(select(ListingField.listing_id, ListingField.code).where(ListingField.listing_id.in_(needs)))
    for listing_id, code in rows:
        fields[listing_id] = (*fields.get(listing_id, ()), code)
    wanted = None if places is None else frozenset(places)
    return [
        Match(**{**vars(one), "fields": fields.get(one.need_id, ())})
        for one in found
        if (
            wanted is None
            or wanted & {one.origin.code, one.origin.country, one.application.code, one.application.country}
        )
        and (asked.since is None or working_days.here(one.since) >= asked.since)
        and (asked.before is None or working_days.here(one.since) < asked.before)
        and asked.origin in ("", region_code(one.origin))
        and asked.application in ("", region_code(one.application))
        and (not asked.field or asked.field in fields.get(one.need_id, ()))
        and (not asked.kind or asked.kind in one.kinds)
    ]


def _moment(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _within(code: str) -> list[ColumnElement[bool]]:
    if not code:
        return []
    if code in regions():
        return [Listing.country == HOME_COUNTRY, Listing.province.in_(regions()[code].provinces)]
    return [Listing.country == code]

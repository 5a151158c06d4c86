"""What is missing: needs that nothing suits, results that nobody needs; and who is shown how often.

All of it is read from the last look over the exchange (`matching.survey`): "suitable" is a strength that the page of a
need shows, from EXPLORE on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.brokering.funnel import region_code
from techex.core.context import Context
from techex.listings import queries
from techex.listings.rules import Kind
from techex.listings.tables import Listing, ListingField
from techex.matching import surveyed
from techex.matching.strength import EXPLORE, REVIEW
from techex.matching.survey_tables import SurveyedAlike, SurveyedListing
from techex.organisations.tables import Organisation
from techex.regions.rules import Place
from techex.regions.service import place_of_code

FLOORS = (EXPLORE, REVIEW)  # nothing is suitable; nothing is worth a second look
RESEARCH = ("university", "institute")


@dataclass(frozen=True)
class Alone:
    """A listing whose strongest match is weaker than was asked for."""

    id: int
    title: str
    language: str
    place: Place
    fields: tuple[str, ...]
    best: int


@dataclass(frozen=True)
class Gap:
    """Needs of a field in a region (or country) that nothing suits, beside all of them there."""

    field: str
    region: str
    needs: int
    all_needs: int


def _surveyed(session: Session, context: Context, kind: Kind, places: Iterable[str] | None) -> list[Alone]:
    query = (
        select(Listing.id, Listing.title, Listing.language, Listing.country, Listing.province, SurveyedListing.best)
        .join(SurveyedListing, SurveyedListing.listing_id == Listing.id)
        .where(SurveyedListing.scope == surveyed.scope_of(context.actor), Listing.kind == kind.value)
        .where(*queries.shown(context))
        .order_by(SurveyedListing.best, Listing.id)
    )
    if places is not None:
        query = query.where(queries.inside([place for code in places if (place := place_of_code(code))]))
    rows = session.execute(query).all()
    fields: dict[int, tuple[str, ...]] = {}
    coded = select(ListingField.listing_id, ListingField.code).join(Listing, Listing.id == ListingField.listing_id)
    coded = coded.where(*queries.shown(context), Listing.kind == kind.value).order_by(ListingField.code)
    for listing_id, code in session.execute(coded):
        fields[listing_id] = (*fields.get(listing_id, ()), code)
    return [
        Alone(row.id, row.title, row.language, Place(row.country, row.province), fields.get(row.id, ()), row.best)
        for row in rows
    ]


@dataclass(frozen=True)
class Gaps:
    """All of it: the needs that are alone among how many, by region and field; the results likewise."""

    needs: Sequence[Alone]
    all_needs: int
    by_field: Sequence[Gap]
    results: Sequence[Alone]
    all_results: int

    @property
    def results_by_field(self) -> list[tuple[str, int]]:
        """Fields of results that nobody needs, the most first."""
        counted = Counter(code for one in self.results for code in one.fields)
        return sorted(counted.items(), key=lambda row: (-row[1], row[0]))


def gaps(
    session: Session, context: Context, places: Iterable[str] | None = None, floor: int = EXPLORE, field: str = ""
) -> Gaps:
    """What is missing in some places or everywhere (None), as far as the asker sees it; of one field or of all."""
    chosen = None if places is None else list(places)
    needs, results = (
        [one for one in _surveyed(session, context, kind, chosen) if not field or field in one.fields] for kind in Kind
    )
    alone = [one for one in needs if one.best < floor]
    return Gaps(alone, len(needs), by_field(alone, needs), [one for one in results if one.best < floor], len(results))


def by_field(alone: Iterable[Alone], everybody: Iterable[Alone]) -> list[Gap]:
    """How many are alone by field and region, the most first. A need may stand in several fields."""
    missing, there = (
        Counter((code, region_code(one.place)) for one in some for code in one.fields) for some in (alone, everybody)
    )
    found = [Gap(field, region, count, there[field, region]) for (field, region), count in missing.items()]
    return sorted(found, key=lambda gap: (-gap.needs, -gap.needs / gap.all_needs, gap.field, gap.region))


@dataclass(frozen=True)
class Share:
    """How much of all results, of the suitable ones, and of the first ten of needs is somebody's. Shares are 0 to 1."""

    key: str  # a region or country; or the number of an organisation
    results: int
    suitable: int  # results that fit at least one need
    shown: int  # places among the first ten of needs
    of_suitable: float
    of_shown: float

    @property
    def ratio(self) -> float | None:
        """Above 1: shown more often than its share of suitable results; None where nothing is suitable."""
        return self.of_shown / self.of_suitable if self.of_suitable else None


def shares(session: Session, context: Context, *, field: str = "", kind: str = "") -> tuple[list[Share], list[Share]]:
    """Exposure of regions and of research institutions against their shares of suitable results, the most shown first.

    Anonymous results count for their region; for their institution, and with a `kind` of organisation, only where the
    asker may know it.
    """
    seen = SurveyedListing
    query = (
        select(
            *(Listing.country, Listing.province, Listing.organisation_id, Organisation.kind),
            *(queries.owner_known(context), seen.suitable, seen.shown),
        )
        .join(seen, seen.listing_id == Listing.id)
        .join(Organisation, Organisation.id == Listing.organisation_id)
        .where(
            seen.scope == surveyed.scope_of(context.actor), Listing.kind == Kind.OFFER.value, *queries.shown(context)
        )
    )
    if field:
        query = query.where(Listing.id.in_(select(ListingField.listing_id).where(ListingField.code == field)))
    if kind:
        query = query.where(Organisation.kind == kind, queries.owner_known(context))
    regions: list[tuple[str, int, int]] = []
    houses: list[tuple[str, int, int]] = []
    for country, province, owner, kind, known, suitable, shown in session.execute(query):
        regions.append((region_code(Place(country, province)), suitable, shown))
        if known and kind in RESEARCH:
            houses.append((str(owner), suitable, shown))
    return counted_shares(regions), counted_shares(houses)


def counted_shares(rows: Sequence[tuple[str, int, int]]) -> list[Share]:
    """Shares from (key, needs that it suits, times it was shown) of each result."""
    results = Counter(key for key, _, _ in rows)
    suitable = Counter(key for key, fits, _ in rows if fits)
    shown: Counter[str] = Counter()
    for key, _, times in rows:
        shown[key] += times
    fitting, places = suitable.total() or 1, shown.total() or 1
    found = [
        Share(key, count, suitable[key], shown[key], suitable[key] / fitting, shown[key] / places)
        for key, count in results.items()
    ]
    return sorted(found, key=lambda share: (-share.shown, -share.results, share.key))


def groups(session: Session, context: Context, alone: Sequence[Alone]) -> list[list[Alone]]:
    """Needs that mean something alike and share a field, each need in one group; those with others first."""
    known = {one.id: one for one in alone}
    rows = session.execute(
        select(SurveyedAlike.need_id, SurveyedAlike.other_id, SurveyedAlike.likeness)
        .where(SurveyedAlike.scope == surveyed.scope_of(context.actor))
        .order_by(SurveyedAlike.likeness.desc(), SurveyedAlike.need_id, SurveyedAlike.other_id)
    )
    pairs = [(one, other) for one, other, _ in rows if one in known and other in known]
    return grouped(alone, pairs)


def common_fields(group: Sequence[Alone]) -> list[str]:
    """The fields that all of a group have."""
    return sorted(frozenset.intersection(*(frozenset(one.fields) for one in group)))


def grouped(alone: Sequence[Alone], pairs: Sequence[tuple[int, int]]) -> list[list[Alone]]:
    """The same from pairs that are alike, the most alike first: within a group every two are alike, and one field is
    common to all.
    """
    together = {one.id: [one] for one in alone}
    are_alike = set(pairs)
    for pair in pairs:
        first, second = (together[number] for number in pair)
        common = common_fields([*first, *second])
        crossed = {(min(one.id, other.id), max(one.id, other.id)) for one in first for other in second}
        if first is not second and common and crossed <= are_alike:
            first += second
            together |= dict.fromkeys((one.id for one in second), first)
    found = list({id(group): group for group in together.values()}.values())
    return sorted(found, key=lambda group: (-len(group), min(one.best for one in group), group[0].id))

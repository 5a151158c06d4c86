"""Lists, facets and counts of listings. Every SELECT starts from what the asker may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from techex.core.context import Context
from techex.listings.rules import SEARCHABLE, Kind, knows_owners, verified_organisations, visible_classes
from techex.listings.tables import Listing, ListingField, ListingGrant, ListingTransferForm
from techex.organisations.queries import most_first, provinces_of, region_counts, said
from techex.organisations.tables import Organisation
from techex.regions.rules import Place

PAGE_SIZE = 20
EVERY = 2**31 - 1  # a limit that is none
_AT_ONCE = 500  # ids in one statement: below the number of parameters every database takes

# A facet bears the name of the filter it counts for. These are columns: one grouped query counts them all.
_COLUMNS: Mapping[str, Any] = {
    "provinces": Listing.province,
    "countries": Listing.country,
    "ip_statuses": Listing.ip_status,
    "languages": Listing.language,
    "organisation_kinds": Organisation.kind,
}
# These are rows beside the listing: a query each. Regions are added up from provinces.
_ROWS: Mapping[str, Any] = {"fields": ListingField, "transfer_forms": ListingTransferForm}
FACETS = (*_COLUMNS, *_ROWS, "regions")


@dataclass(frozen=True)
class Browse:
    """What a reader asked a list for; empty means everything."""

    kind: Kind
    words: str = ""  # all of them, in title, summary or the name of the organisation
    fields: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    trl_min: int | None = None
    ip_statuses: tuple[str, ...] = ()
    transfer_forms: tuple[str, ...] = ()
    organisation_kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()  # anything: only of organisations that somebody has checked
    organisation: str = ""  # its short name
    sort: str = "newest"
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        """True when any filter is set."""
        return replace(self, sort="newest", page=1) != Browse(self.kind)


@dataclass(frozen=True)
class BrowsePage:
    """One page of a list: listings, how many there are in all, and the facets with counts."""

    listings: Sequence[Listing]
    total: int
    page: int
    pages: int
    facets: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)


def shown(context: Context) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which a listing is shown to the asker."""
    states, classes = [state.value for state in SEARCHABLE], [v.value for v in visible_classes(context.actor)]
    return _one_of(Listing.state, states), _one_of(Listing.visibility, classes)


def shown_of(context: Context, ids: Iterable[int]) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which those of the listings with these ids are found that are shown to the asker.

    The verdict stands in a CASE, where no index can answer it: SQLite would otherwise read all of a large exchange that
    is shown and then compare ids (20 ms for 10 of 100,000 listings; 0.2 ms this way).
    """
    return Listing.id.in_(list(ids)), case((and_(*shown(context)), True), else_=False)


def owner_known(context: Context) -> ColumnElement[bool]:
    """The condition that the asker, to whom a listing is shown, may know whose it is.

    Whatever is found, counted or filtered by its organisation asks this: `rules.may_know_owner` in SQL.
    """
    actor = context.actor
    if knows_owners(actor):
        return true()
    found: list[ColumnElement[bool]] = [Listing.anonymous.is_(False)]
    if own := [membership.organisation_id for membership in actor.memberships]:
        found.append(Listing.organisation_id.in_(own))
    if verified := verified_organisations(actor):
        introduced = select(ListingGrant.listing_id).where(
            ListingGrant.organisation_id.in_(sorted(verified)), ListingGrant.introduced.is_(True)
        )
        found.append(and_(Listing.anonymous.is_(True), Listing.id.in_(introduced)))
    return or_(*found)


def _one_of(column: InstrumentedAttribute[str], values: Sequence[str]) -> ColumnElement[bool]:
    # An equality, where it can be one, lets the database read an index in the order of a list instead of sorting.
    return column == values[0] if len(values) == 1 else column.in_(values)


def inside(territory: Iterable[Place]) -> ColumnElement[bool]:
    """The condition that a listing is in one of these places; a country without a province means all of it."""
    provinces: dict[str, list[str]] = {}
    for place in territory:
        provinces.setdefault(place.country, []).extend([place.province] if place.province else [])
    return or_(
        *(
            and_(Listing.country == country, *([Listing.province.in_(codes)] if codes else []))
            for country, codes in provinces.items()
        )
    )


def _conditions(context: Context, asked: Browse, without: Iterable[str] = ()) -> list[ColumnElement[bool]]:
    """The filters of a list; a facet counts its own values without its own filter."""
    known = owner_known(context)
    found: list[ColumnElement[bool]] = [Listing.kind == asked.kind.value]
    found.extend(said(asked.words, Listing.keywords, case((known, Organisation.keywords), else_="")))
    if asked.organisation:
        found += [Organisation.slug == asked.organisation, known]
    if asked.organisation_kinds and "organisation_kinds" not in without:
        found.append(known)
    if asked.verified:
        found += [Organisation.verified_at.is_not(None), known]
    if asked.trl_min is not None:
        found.append(Listing.trl >= asked.trl_min)
    for name, table in _ROWS.items():
        if name not in without and (codes := getattr(asked, name)):
            found.append(Listing.id.in_(select(table.listing_id).where(table.code.in_(codes))))
    chosen = {name: codes for name, codes in _chosen(asked).items() if codes and name not in without}
    return found + [_COLUMNS[name].in_(codes) for name, codes in chosen.items()]


def _chosen(asked: Browse) -> dict[str, Sequence[str]]:
    """The values that a column may have, by its filter; empty means any."""
    found: dict[str, Sequence[str]] = {name: getattr(asked, name) for name in _COLUMNS}
    return found | {"provinces": provinces_of(asked.provinces, asked.regions)}


def _with_owner(query: Select[Any], asked: Browse) -> Select[Any]:
    """Join the organisation where a filter asks for it."""
    if not (asked.words or asked.organisation or asked.organisation_kinds or asked.verified):
        return query
    return query.join(Organisation, Organisation.id == Listing.organisation_id)


def browse(
    session: Session, context: Context, asked: Browse, *, facets: bool = True, size: int = PAGE_SIZE
) -> BrowsePage:
    """One page of a list with its facets; a page beyond the end is the last one."""
    ordered = ids_of(context, asked)
    total = session.scalar(ordered.order_by(None).with_only_columns(func.count(Listing.id))) or 0
    pages = max(1, -(-total // size))
    page = min(max(1, asked.page), pages)
    ids: Sequence[int] = session.scalars(ordered.offset((page - 1) * size).limit(size)).all()
    read = {row.id: row for row in session.scalars(select(Listing).where(*shown_of(context, ids))).unique()}
    found = [read[listing_id] for listing_id in ids if listing_id in read]
    return BrowsePage(found, total, page, pages, _facets(session, context, asked) if facets else {})


def ids_of(context: Context, asked: Browse) -> Select[Any]:
    """The listings of a list in its order: numbers alone, since to sort whole listings is to read all their texts."""
    return _sorted(_with_owner(select(Listing.id), asked).where(*shown(context), *_conditions(context, asked)), asked)


def _sorted(query: Select[Any], asked: Browse) -> Select[Any]:
    match asked.sort:
        case "title":
            return query.order_by(Listing.title_key, Listing.id)
        case "trl":
            return query.order_by(Listing.trl.desc().nulls_last(), Listing.id)
        case "deadline":
            return query.order_by(Listing.deadline.asc().nulls_last(), Listing.id)
        case _:
            return query.order_by(Listing.published_at.desc(), Listing.id.desc())


def _facets(session: Session, context: Context, asked: Browse) -> dict[str, list[tuple[str, int]]]:
    names, chosen = list(_COLUMNS), _chosen(asked)
    counts: dict[str, dict[str, int]] = {name: {} for name in (*_COLUMNS, *_ROWS)}
    kind_known = case((owner_known(context), Organisation.kind), else_=None).label("organisation_kind")
    columns = [kind_known if column is Organisation.kind else column for column in _COLUMNS.values()]
    grouped = (
        select(*columns, func.count())
        .select_from(Listing)
        .join(Organisation, Organisation.id == Listing.organisation_id)
        .where(*shown(context), *_conditions(context, asked, without=names))
        .group_by(*columns)
    )
    for *values, count in session.execute(grouped):
        missed = [name for name, value in zip(names, values, strict=True) if chosen[name] and value not in chosen[name]]
        for name, value in zip(names, values, strict=True):
            if value is not None and not set(missed) - {name}:
                counts[name][value] = counts[name].get(value, 0) + count
    for name, table in _ROWS.items():
        query = select(table.code, func.count()).select_from(Listing).join(table, table.listing_id == Listing.id)
        query = _with_owner(query, asked).where(*shown(context), *_conditions(context, asked, without=[name]))
        counts[name] = dict(session.execute(query.group_by(table.code)).all())
    found = {name: most_first(counted) for name, counted in counts.items()}
    return found | {"regions": region_counts(found["provinces"])}


def newest(session: Session, context: Context, kind: Kind, limit: int) -> Sequence[Listing]:
    """The listings published last."""
    query = select(Listing).where(*shown(context), Listing.kind == kind.value)
    return session.scalars(query.order_by(Listing.published_at.desc(), Listing.id.desc()).limit(limit)).unique().all()


def newest_in(
    session: Session, context: Context, kind: Kind, territory: Sequence[Place], limit: int
) -> Sequence[Listing]:
    """The listings of some places that were published last."""
    query = select(Listing).where(*shown(context), Listing.kind == kind.value, inside(territory))
    return session.scalars(query.order_by(Listing.published_at.desc(), Listing.id.desc()).limit(limit)).unique().all()


def of_organisations(session: Session, context: Context) -> Sequence[Listing]:
    """All listings of the organisations this person belongs to, whatever their state; what was touched last first."""
    own = [membership.organisation_id for membership in context.actor.memberships]
    query = select(Listing).where(Listing.organisation_id.in_(own))
    return session.scalars(query.order_by(Listing.updated_at.desc(), Listing.id.desc())).unique().all() if own else []


def places_of(session: Session, context: Context, ids: Iterable[int]) -> dict[int, Place]:
    """Where each of the given listings is, as far as the asker may see them."""
    query = select(Listing.id, Listing.country, Listing.province).where(*shown_of(context, ids))
    return {listing_id: Place(country, province) for listing_id, country, province in session.execute(query)}


def alike(session: Session, context: Context, listing: Listing, limit: int) -> Sequence[Listing]:
    """Others of the same kind that share most of its fields of science and technology, then the newest."""
    shared = (
        select(ListingField.listing_id, func.count().label("fields"))
        .where(ListingField.code.in_(listing.fields))
        .group_by(ListingField.listing_id)
        .subquery()
    )
    query = (
        select(Listing)
        .join(shared, shared.c.listing_id == Listing.id)
        .where(*shown(context), Listing.kind == listing.kind, Listing.id != listing.id)
        .order_by(shared.c.fields.desc(), Listing.published_at.desc(), Listing.id.desc())
    )
    return session.scalars(query.limit(limit)).unique().all()


def siblings_of(session: Session, context: Context, listing: Listing) -> Sequence[int]:
    """Listings of the other kind of the same organisation where one of the two is anonymous, as far as the asker, who
    may know whose this one is, may know that.
    """
    query = select(Listing.id).where(
        Listing.organisation_id == listing.organisation_id, Listing.kind == Kind(listing.kind).other.value
    )
    if not listing.anonymous:
        query = query.where(Listing.anonymous.is_(True))
    return session.scalars(query.where(*shown(context), owner_known(context))).all()


@dataclass(frozen=True)
class Head:
    """What a listing is called, by whom and from where; the organisation is empty where the asker may not know it."""

    id: int
    title: str
    language: str
    place: Place
    organisation_id: int | None
    organisation: str
    published_at: datetime | None = None


def heads_of(session: Session, context: Context, ids: Sequence[int]) -> dict[int, Head]:
    """The heads of the given listings, as far as the asker may see them: quick for thousands of them."""
    query = select(
        *(Listing.id, Listing.title, Listing.language, Listing.country, Listing.province, Listing.organisation_id),
        *(Listing.published_at, Organisation.name, owner_known(context).label("known")),
    ).join(Organisation, Organisation.id == Listing.organisation_id)
    found: dict[int, Head] = {}
    for first in range(0, len(ids), _AT_ONCE):
        for row in session.execute(query.where(*shown_of(context, ids[first : first + _AT_ONCE]))):
            owner: tuple[int | None, str] = (row.organisation_id, row.name) if row.known else (None, "")
            place = Place(row.country, row.province)
            found[row.id] = Head(row.id, row.title, row.language, place, *owner, row.published_at)
    return found


@dataclass(frozen=True)
class Totals:
    """How much is open now."""

    needs: int
    offers: int
    organisations: int
    provinces: int
    countries: int

    @property
    def any(self) -> bool:
        """True when something is listed."""
        return self.needs + self.offers > 0


def totals(session: Session, context: Context) -> Totals:
    """Counts for the home page; of what the asker may see."""
    kinds = dict(
        session.execute(select(Listing.kind, func.count()).where(*shown(context)).group_by(Listing.kind)).all()
    )
    distinct = session.execute(
        select(
            func.count(case((owner_known(context), Listing.organisation_id)).distinct()),
            func.count(Listing.province.distinct()),
            func.count(Listing.country.distinct()),
        ).where(*shown(context))
    ).one()
    return Totals(kinds.get(Kind.NEED.value, 0), kinds.get(Kind.OFFER.value, 0), *distinct)


@dataclass
class Count:
    """How many needs and offers something has."""

    needs: int = 0
    offers: int = 0

    def add(self, kind: str, count: int) -> None:
        """Count some more of a kind."""
        if kind == Kind.NEED:
            self.needs += count
        else:
            self.offers += count

    @property
    def all(self) -> int:
        """Both together."""
        return self.needs + self.offers


def counts_by_place(session: Session, context: Context) -> dict[Place, Count]:
    """How many needs and offers each place has; a whole country stands for those without a province."""
    query = (
        select(Listing.country, Listing.province, Listing.kind, func.count())
        .where(*shown(context))
        .group_by(Listing.country, Listing.province, Listing.kind)
    )
    found: dict[Place, Count] = {}
    for country, province, kind, count in session.execute(query):
        found.setdefault(Place(country, province), Count()).add(kind, count)
    return found


def counts_by_field(session: Session, context: Context, territory: Sequence[Place] = ()) -> dict[str, Count]:
    """How many needs and offers each field of science and technology has, in some places or everywhere."""
    query = (
        select(ListingField.code, Listing.kind, func.count())
        .join(Listing, Listing.id == ListingField.listing_id)
        .where(*shown(context), *([inside(territory)] if territory else []))
        .group_by(ListingField.code, Listing.kind)
    )
    found: dict[str, Count] = {}
    for code, kind, count in session.execute(query):
        found.setdefault(code, Count()).add(kind, count)
    return found


def counts_by_organisation(session: Session, context: Context, ids: Iterable[int]) -> dict[int, Count]:
    """How many needs and offers of each organisation the asker may see."""
    query = (
        select(Listing.organisation_id, Listing.kind, func.count())
        .where(*shown(context), owner_known(context), Listing.organisation_id.in_(list(ids)))
        .group_by(Listing.organisation_id, Listing.kind)
    )
    found: dict[int, Count] = {}
    for organisation_id, kind, count in session.execute(query):
        found.setdefault(organisation_id, Count()).add(kind, count)
    return found

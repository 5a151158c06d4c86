"""Lists, facets and counts of listings. Every SELECT starts from what the asker may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.listings.rules import SEARCHABLE, Kind, visible_classes
from techex.listings.tables import Listing, ListingField, ListingTransferForm
from techex.organisations.tables import Organisation
from techex.regions.service import regions

PAGE_SIZE = 20

# Facet name -> what it counts by. Place and organisation kind are columns, the others rows of their own.
FACETS = ("field", "country", "province", "trl", "ip", "form", "organisation_kind", "language")


@dataclass(frozen=True)
class Browse:
    """What a reader asked a list for; empty means everything."""

    kind: Kind
    fields: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    trl_min: int | None = None
    ip_statuses: tuple[str, ...] = ()
    transfer_forms: tuple[str, ...] = ()
    organisation_kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    organisation: str = ""
    sort: str = "newest"
    page: int = 1
    ids: tuple[int, ...] | None = None  # only these, in this order: the answer of a keyword search

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
    return (
        Listing.state.in_([state.value for state in SEARCHABLE]),
        Listing.visibility.in_([v.value for v in visible_classes(context.actor)]),
    )


def _conditions(browse: Browse, without: str = "") -> list[ColumnElement[bool]]:
    """The filters of a list; a facet counts its own values without its own filter."""
    found: list[ColumnElement[bool]] = [Listing.kind == browse.kind.value]
    if browse.ids is not None:
        found.append(Listing.id.in_(browse.ids))
    if browse.organisation:
        found.append(Organisation.slug == browse.organisation)
    if browse.fields and without != "field":
        wanted = select(ListingField.listing_id).where(ListingField.code.in_(browse.fields))
        found.append(Listing.id.in_(wanted))
    if browse.transfer_forms and without != "form":
        forms = select(ListingTransferForm.listing_id).where(ListingTransferForm.code.in_(browse.transfer_forms))
        found.append(Listing.id.in_(forms))
    in_regions = [code for name in browse.regions if name in regions() for code in regions()[name].provinces]
    provinces = [*browse.provinces, *in_regions]
    if provinces and without != "province":
        found.append(Listing.province.in_(provinces))
    for name, column, values in (
        ("country", Listing.country, browse.countries),
        ("ip", Listing.ip_status, browse.ip_statuses),
        ("organisation_kind", Organisation.kind, browse.organisation_kinds),
        ("language", Listing.language, browse.languages),
    ):
        if values and without != name:
            found.append(column.in_(values))
    if browse.trl_min is not None and without != "trl":
        found.append(Listing.trl >= browse.trl_min)
    return found


def _facet_query(name: str, conditions: Sequence[ColumnElement[bool]]) -> Select[Any, int]:
    if name in ("field", "form"):
        table = ListingField if name == "field" else ListingTransferForm
        query = select(table.code, func.count()).select_from(Listing).join(table, table.listing_id == Listing.id)
        column: Any = table.code
    else:
        column = {
            "country": Listing.country,
            "province": Listing.province,
            "trl": Listing.trl,
            "ip": Listing.ip_status,
            "organisation_kind": Organisation.kind,
            "language": Listing.language,
        }[name]
        query = select(column, func.count()).select_from(Listing)
    query = query.join(Organisation, Organisation.id == Listing.organisation_id)
    return query.where(*conditions, column.is_not(None)).group_by(column)


def browse(session: Session, context: Context, asked: Browse, facets: bool = True) -> BrowsePage:
    """One page of a list with its facets; a page beyond the end is the last one."""
    conditions = (*shown(context), *_conditions(asked))
    base = select(Listing).join(Organisation, Organisation.id == Listing.organisation_id).where(*conditions)
    total = session.scalar(select(func.count()).select_from(base.with_only_columns(Listing.id).subquery())) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, asked.page), pages)
    found = session.scalars(_sorted(base, asked).offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE)).unique().all()
    return BrowsePage(found, total, page, pages, _facets(session, context, asked) if facets else {})


def _sorted(query: Select[Listing], asked: Browse) -> Select[Listing]:
    match asked.sort:
        case "title":
            return query.order_by(func.lower(Listing.title), Listing.id)
        case "trl":
            return query.order_by(Listing.trl.desc().nulls_last(), Listing.id)
        case "deadline":
            return query.order_by(Listing.deadline.asc().nulls_last(), Listing.id)
        case _:
            return query.order_by(Listing.published_at.desc(), Listing.id.desc())


def _facets(session: Session, context: Context, asked: Browse) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for name in FACETS:
        rows = session.execute(_facet_query(name, (*shown(context), *_conditions(asked, without=name)))).all()
        found[name] = sorted(((str(code), count) for code, count in rows), key=lambda row: (-row[1], row[0]))
    return found


def newest(session: Session, context: Context, kind: Kind, limit: int) -> Sequence[Listing]:
    """The listings published last."""
    query = select(Listing).where(*shown(context), Listing.kind == kind.value)
    return session.scalars(query.order_by(Listing.published_at.desc(), Listing.id.desc()).limit(limit)).unique().all()


@dataclass(frozen=True)
class Totals:
    """How much is open now."""

    needs: int
    offers: int
    organisations: int
    provinces: int
    countries: int


def totals(session: Session, context: Context) -> Totals:
    """Counts for the home page; of what the asker may see."""
    by_kind = select(Listing.kind, func.count()).where(*shown(context)).group_by(Listing.kind)
    kinds = dict(session.execute(by_kind).all())
    distinct = session.execute(
        select(
            func.count(Listing.organisation_id.distinct()),
            func.count(Listing.province.distinct()),
            func.count(Listing.country.distinct()),
        ).where(*shown(context))
    ).one()
    return Totals(kinds.get(Kind.NEED.value, 0), kinds.get(Kind.OFFER.value, 0), *distinct)


def counts_by_place(session: Session, context: Context) -> dict[tuple[str, str | None], dict[str, int]]:
    """How many needs and offers each place has: (country, province) -> kind -> count."""
    query = (
        select(Listing.country, Listing.province, Listing.kind, func.count())
        .where(*shown(context))
        .group_by(Listing.country, Listing.province, Listing.kind)
    )
    found: dict[tuple[str, str | None], dict[str, int]] = {}
    for country, province, kind, count in session.execute(query):
        found.setdefault((country, province), {})[kind] = count
    return found

"""The directory: organisations by kind, place and field, with counts; who waits for a look; what is known of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from techex.core.context import MemberRole
from techex.core.text import folded
from techex.core.vocabulary import N_
from techex.organisations.tables import Organisation, OrganisationField, OrganisationMember, Verification
from techex.regions.service import place_of_code, region_of, regions

PAGE_SIZE = 40  # a line or two each
MOST_WORDS = 12  # of a search by name
MOST_NAMESAKES = 10
MOST_UNVERIFIED = 2_000

# A facet bears the name of the filter it counts for. Regions are added up from provinces.
_COLUMNS: Mapping[str, Any] = {
    "kinds": Organisation.kind,
    "fields": OrganisationField.code,
    "provinces": Organisation.province,
    "countries": Organisation.country,
}


@dataclass(frozen=True)
class Directory:
    """What a reader asked the directory for; empty means everything."""

    words: str = ""  # all of them, in one of its names
    kinds: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()  # anything: only those that somebody has checked
    sort: str = "name"  # one of SORTS
    page: int = 1


# Orders of the directory; `directory` knows what they mean.
SORTS: Mapping[str, str] = {
    "name": N_("by name"),
    "newest": N_("newest first"),
    "place": N_("by place"),
    "kind": N_("by kind"),
}


@dataclass(frozen=True)
class DirectoryPage:
    """One page of the directory: organisations by name, how many there are in all, and the facets with counts."""

    organisations: Sequence[Organisation]
    total: int
    page: int
    pages: int
    facets: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)


def said(words: str, *columns: ColumnElement[str] | InstrumentedAttribute[str]) -> list[ColumnElement[bool]]:
    """One condition for each word: a column of folded text has a word that begins so (holds it, where no spaces part
    the words, as in Chinese).
    """
    found: list[ColumnElement[bool]] = []
    for word in folded(words).split()[:MOST_WORDS]:
        pattern = f" {word}" if word.isascii() else word
        found.append(or_(*(column.contains(pattern, autoescape=True) for column in columns)))
    return found


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """A facet's values, the largest first."""
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def region_counts(provinces: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The counts of regions from those of their provinces."""
    found: dict[str, int] = {}
    for province, count in provinces:
        if region := region_of(province):
            found[region] = found.get(region, 0) + count
    return most_first(found)


def provinces_of(provinces: Sequence[str], in_regions: Sequence[str]) -> list[str]:
    """The provinces that a filter by province and region names together."""
    return [*provinces, *(code for name in in_regions if name in regions() for code in regions()[name].provinces)]


def _conditions(asked: Directory, without: str = "") -> list[ColumnElement[bool]]:
    found = [Organisation.listed.is_(True), *said(asked.words, Organisation.keywords)]
    if asked.fields and without != "fields":
        having = select(OrganisationField.organisation_id).where(OrganisationField.code.in_(asked.fields))
        found.append(Organisation.id.in_(having))
    if (provinces := provinces_of(asked.provinces, asked.regions)) and without != "provinces":
        found.append(Organisation.province.in_(provinces))
    if asked.verified:
        found.append(Organisation.verified_at.is_not(None))
    plain = [name for name in ("kinds", "countries") if getattr(asked, name) and name != without]
    return found + [_COLUMNS[name].in_(getattr(asked, name)) for name in plain]


def directory(session: Session, asked: Directory, language: str) -> DirectoryPage:
    """One page of the directory with its facets; a page beyond the end is the last one.

    In the order of the names that a reader of `language` sees.
    """
    query = select(Organisation).where(*_conditions(asked))
    total = session.scalar(query.with_only_columns(func.count(Organisation.id))) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, asked.page), pages)
    ordered = _ordered(query, asked, language)
    found = session.scalars(ordered.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE)).all()
    facets: dict[str, list[tuple[str, int]]] = {}
    for name, column in _COLUMNS.items():
        counting = select(column, func.count()).select_from(Organisation)
        if name == "fields":
            counting = counting.join(OrganisationField, OrganisationField.organisation_id == Organisation.id)
        counting = counting.where(*_conditions(asked, without=name), column.is_not(None)).group_by(column)
        facets[name] = most_first(dict(session.execute(counting).all()))
    return DirectoryPage(found, total, page, pages, facets | {"regions": region_counts(facets["provinces"])})


def _ordered(query: Select[Organisation], asked: Directory, language: str) -> Select[Organisation]:
    translated = func.lower(Organisation.names[language].as_string())
    name = func.coalesce(translated, func.ltrim(Organisation.keywords))
    first: Mapping[str, Sequence[Any]] = {
        "newest": (Organisation.created_at.desc(),),
        "place": (Organisation.country, Organisation.province),
        "kind": (Organisation.kind,),
    }
    return query.order_by(*first.get(asked.sort, ()), name, Organisation.id)


def verified_ids(session: Session) -> frozenset[int]:
    """The organisations that somebody has checked."""
    return frozenset(session.scalars(select(Organisation.id).where(Organisation.verified_at.is_not(None))))


def everybody(session: Session, asked: Directory, language: str, most: int) -> Sequence[Organisation]:
    """Those of the directory that pass its filters, in its order, at most so many."""
    query = _ordered(select(Organisation).where(*_conditions(asked)), asked, language)
    return session.scalars(query.limit(most)).all()


@dataclass(frozen=True)
class Waiting:
    """One page of the organisations that nobody has verified, and how many people manage each."""

    organisations: Sequence[Organisation]
    managers: Mapping[int, int]
    total: int
    page: int
    pages: int


def waiting(session: Session, place_codes: Iterable[str], asked_page: int = 1) -> Waiting:
    """Unverified organisations of some places: those that nobody has looked at first, and who waits longest."""
    query = _unverified(place_codes)
    total = session.scalar(query.with_only_columns(func.count(Organisation.id))) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, asked_page), pages)
    ordered = query.order_by(Organisation.listed, Organisation.created_at, Organisation.id)
    found = session.scalars(ordered.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE)).all()
    return Waiting(found, managers_of(session, found), total, page, pages)


def unverified(session: Session, place_codes: Iterable[str]) -> Sequence[Organisation]:
    """All of them, at most MOST_UNVERIFIED, in the same order."""
    query = _unverified(place_codes).order_by(Organisation.listed, Organisation.created_at, Organisation.id)
    return session.scalars(query.limit(MOST_UNVERIFIED)).all()


def _unverified(place_codes: Iterable[str]) -> Select[Organisation]:
    places = [place for code in sorted(place_codes) if (place := place_of_code(code))]
    inside = [
        and_(
            Organisation.country == place.country,
            Organisation.province.is_(None) if place.province is None else Organisation.province == place.province,
        )
        for place in places
    ]
    return select(Organisation).where(Organisation.verified_at.is_(None), or_(false(), *inside))


def managers_of(session: Session, found: Iterable[Organisation]) -> Mapping[int, int]:
    """How many people manage each of these."""
    counting = (
        select(OrganisationMember.organisation_id, func.count())
        .where(
            OrganisationMember.organisation_id.in_([row.id for row in found]),
            OrganisationMember.role == MemberRole.MANAGER.value,
        )
        .group_by(OrganisationMember.organisation_id)
    )
    return dict(session.execute(counting).all())


def namesakes(session: Session, organisation: Organisation) -> list[Organisation]:
    """Other organisations that one could take for this one: the same name but for accents and case."""
    query = select(Organisation).where(
        Organisation.keywords.contains(folded(organisation.name), autoescape=True), Organisation.id != organisation.id
    )
    return list(session.scalars(query.order_by(Organisation.id).limit(MOST_NAMESAKES)))


def public_people(session: Session, organisation_id: int) -> Sequence[OrganisationMember]:
    """The members who chose to stand on the organisation's page, by name."""
    rows = session.scalars(
        select(OrganisationMember).where(
            OrganisationMember.organisation_id == organisation_id, OrganisationMember.shown.is_(True)
        )
    )
    return sorted((row for row in rows if row.person.is_active), key=lambda row: (row.person.name.casefold(), row.id))


def verifications(session: Session, organisation_id: int) -> Sequence[Verification]:
    """Every time it was verified, the last first."""
    query = select(Verification).where(Verification.organisation_id == organisation_id)
    return session.scalars(query.order_by(Verification.id.desc())).all()

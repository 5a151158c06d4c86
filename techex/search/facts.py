"""What a listing can be filtered by: one row of numbers each, so that a filter is a few comparisons of columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from techex.core.vocabulary import FIELDS, ORGANISATION_KINDS, SDGS, TRANSFER_FORMS
from techex.search.dense import BoolArray
from techex.search.names import NOTHING, Names

# Codes of closed lists are bits of one number: 47 fields and 9 transfer forms fit into 64.
FIELD_BITS: Mapping[str, int] = {code: 1 << place for place, code in enumerate(FIELDS)}
TRANSFER_BITS: Mapping[str, int] = {str(code): 1 << place for place, code in enumerate(TRANSFER_FORMS)}
GOAL_BITS: Mapping[int, int] = {goal: 1 << place for place, goal in enumerate(SDGS)}
KIND_BITS: Mapping[str, int] = {kind: 1 << place for place, kind in enumerate(ORGANISATION_KINDS)}

FACTS = np.dtype(
    [
        ("listing", np.int64),
        ("organisation", np.int64),
        ("fields", np.uint64),
        ("transfer_forms", np.uint64),
        ("language", np.int32),
        ("country", np.int32),
        ("province", np.int32),
        ("region", np.int32),
        ("ip_status", np.int32),
        ("organisation_kind", np.int32),
        ("industry", np.int32),
        ("sdg", np.uint32),
        ("reach", np.int32),
        ("ends", np.int32),
        ("trl", np.int8),
        ("partner_kinds", np.uint8),
    ]
)
FactRows = NDArray[np.void]
Reach = Literal["province", "region", "country", "world"]
# Columns whose numbers are explained by the labels of the collection.
LABELLED = ("language", "country", "province", "region", "ip_status", "organisation_kind", "industry", "reach")


@dataclass(frozen=True)
class Where:
    """A place as rows of facts hold it."""

    country: str
    region: str | None = None
    province: str | None = None


@dataclass(frozen=True)
class Facts:
    """The facts of one listing; None and empty mean "not stated"."""

    language: str = ""
    country: str = ""
    province: str | None = None
    region: str | None = None
    fields: tuple[str, ...] = ()
    trl: int | None = None
    ip_status: str | None = None
    transfer_forms: tuple[str, ...] = ()
    organisation: int = 0
    organisation_kind: str = ""
    industry: str | None = None
    sdg: tuple[int, ...] = ()
    reach: str | None = None  # how far a need looks, or an offer is offered
    partner_kinds: tuple[str, ...] = ()  # of organisations that an offer's owner seeks
    ends: int = 0  # its last day as a proleptic ordinal; 0 for none


@dataclass(frozen=True)
class Filters:
    """Conditions that must all hold; an empty one asks nothing, and a fact that is not stated meets no condition.

    `fields` takes codes of the second level or of a group ("2" is all of engineering). `elsewhere_than` is a pair
    (country, region): in Vietnam listings of that region are left out, abroad those of that country. `within` is how
    far the asking listing looks from its place, `seen_from` that place: only listings that look so far may be found.
    """

    languages: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    provinces: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    trl_min: int | None = None
    trl_max: int | None = None
    ip_statuses: frozenset[str] = frozenset()
    transfer_forms: frozenset[str] = frozenset()
    organisation_kinds: frozenset[str] = frozenset()
    organisations: frozenset[int] = frozenset()
    elsewhere_than: tuple[str, str | None] | None = None
    within: tuple[Reach, Where] | None = None
    seen_from: Where | None = None
    without_organisations: frozenset[int] = frozenset()
    without_listings: frozenset[int] = frozenset()

    @property
    def is_empty(self) -> bool:
        """True when nothing is asked."""
        return not any(getattr(self, item.name) for item in fields(self))


def fact_row(listing_id: int, facts: Facts, labels: Names) -> FactRows:
    """One row of FACTS, shape (1,). Raises KeyError for a code outside the closed lists."""
    row = np.zeros(1, FACTS)
    row["listing"], row["organisation"] = listing_id, facts.organisation
    row["fields"] = _bits(facts.fields, FIELD_BITS)
    row["transfer_forms"] = _bits(facts.transfer_forms, TRANSFER_BITS)
    row["sdg"] = _bits(facts.sdg, GOAL_BITS)
    row["partner_kinds"] = _bits(facts.partner_kinds, KIND_BITS)
    for name in LABELLED:
        row[name] = labels.add(getattr(facts, name) or "")
    row["trl"], row["ends"] = facts.trl or 0, facts.ends
    return row


def mask(rows: FactRows, filters: Filters, labels: Names) -> BoolArray:
    """(n,) which rows meet all conditions."""
    ok = np.ones(len(rows), np.bool_)
    for column, asked in (
        ("language", filters.languages),
        ("country", filters.countries),
        ("province", filters.provinces),
        ("region", filters.regions),
        ("ip_status", filters.ip_statuses),
        ("organisation_kind", filters.organisation_kinds),
    ):
        if asked:
            ok &= _labelled(rows[column], labels.numbers(asked))
    if filters.fields:
        codes = {code for code in FIELD_BITS for asked in filters.fields if code.startswith(asked)}
        ok &= (rows["fields"] & np.uint64(_bits(codes, FIELD_BITS))) != 0
    if filters.transfer_forms:
        ok &= (rows["transfer_forms"] & np.uint64(_bits(filters.transfer_forms, TRANSFER_BITS))) != 0
    if filters.trl_min is not None:
        ok &= rows["trl"] >= max(filters.trl_min, 1)
    if filters.trl_max is not None:
        ok &= (rows["trl"] <= filters.trl_max) & (rows["trl"] > 0)
    if filters.organisations:
        ok &= _among(rows["organisation"], np.array(sorted(filters.organisations), np.int64))
    if filters.elsewhere_than is not None:
        country, region = filters.elsewhere_than
        here = rows["country"] == labels.number(country)
        if region:
            here &= rows["region"] == labels.number(region)
        ok &= ~here
    if filters.within is not None:
        reach, place = filters.within
        ok &= _near(rows, place, labels)[reach]
    if filters.seen_from is not None:
        for reach, inside in _near(rows, filters.seen_from, labels).items():
            if reach == "world":
                continue
            ok &= inside | (rows["reach"] != labels.number(reach))
    if filters.without_organisations:
        ok &= ~_among(rows["organisation"], np.array(sorted(filters.without_organisations), np.int64))
    if filters.without_listings:
        ok &= ~_among(rows["listing"], np.array(sorted(filters.without_listings), np.int64))
    return ok


def _near(rows: FactRows, place: Where, labels: Names) -> Mapping[Reach, BoolArray]:
    """For each reach, (n,) which rows lie within it of a place; what has no region or province is near as a country."""
    country = rows["country"] == labels.number(place.country)
    region = rows["region"] == labels.number(place.region or "")
    province = rows["province"] == labels.number(place.province or "")
    return {
        "province": country & province,
        "region": country & region,
        "country": country,
        "world": np.ones(len(rows), np.bool_),
    }


def facts_of(row: np.void, labels: Names) -> Facts:
    """The facts that a row stands for."""
    return Facts(
        language=labels.name(row["language"]),
        country=labels.name(row["country"]),
        province=labels.name(row["province"]) or None,
        region=labels.name(row["region"]) or None,
        fields=_codes(int(row["fields"]), "fields"),
        trl=int(row["trl"]) or None,
        ip_status=labels.name(row["ip_status"]) or None,
        transfer_forms=_codes(int(row["transfer_forms"]), "transfer_forms"),
        organisation=int(row["organisation"]),
        organisation_kind=labels.name(row["organisation_kind"]),
        industry=labels.name(row["industry"]) or None,
        reach=labels.name(row["reach"]) or None,
        sdg=tuple(goal for goal, bit in GOAL_BITS.items() if int(row["sdg"]) & bit),
        ends=int(row["ends"]),
        partner_kinds=tuple(kind for kind, bit in KIND_BITS.items() if int(row["partner_kinds"]) & bit),
    )


def counted(rows: FactRows, labels: Names) -> dict[str, Counter[str]]:
    """For each column with names or codes, how many of the rows say each of them; what is not stated is left out."""
    found: dict[str, Counter[str]] = {}
    for column in LABELLED:
        numbers, counts = np.unique(rows[column], return_counts=True)
        pairs = zip(numbers.tolist(), counts.tolist(), strict=True)
        found[column] = Counter({labels.name(number): count for number, count in pairs if number != NOTHING})
    for column, known in (("fields", FIELD_BITS), ("transfer_forms", TRANSFER_BITS)):
        has = (rows[column][:, None] & np.fromiter(known.values(), np.uint64)) != 0
        pairs = zip(known, np.count_nonzero(has, axis=0).tolist(), strict=True)
        found[column] = Counter({code: count for code, count in pairs if count})
    return found


@lru_cache(maxsize=4096)
def _codes(bits: int, column: str) -> tuple[str, ...]:
    known = FIELD_BITS if column == "fields" else TRANSFER_BITS
    return tuple(code for code, bit in known.items() if bits & bit)


def _bits(codes: Iterable[Any], bits: Mapping[Any, int]) -> int:
    total = 0
    for code in codes:
        total |= bits[code]
    return total


def rows_at(rows: FactRows, places: NDArray[np.integer]) -> FactRows:
    """(k,) the rows at these places, copied as plain bytes: as records numpy fetches them seven times as slowly."""
    width = rows.dtype.itemsize
    found: FactRows = rows.view(np.uint8).reshape(-1, width)[places].reshape(-1).view(rows.dtype)
    return found


def _among(column: NDArray[np.integer], numbers: NDArray[np.integer]) -> BoolArray:
    """(n,) whether a column says one of these numbers."""
    numbers = numbers[numbers != NOTHING]
    found: BoolArray = column == numbers[0] if len(numbers) == 1 else np.isin(column, numbers)
    return found


def _labelled(column: NDArray[np.int32], numbers: NDArray[np.int32]) -> BoolArray:
    """The same of labels, of which there are few: a table of them is three times as quick as numpy's own."""
    if len(numbers) < 2:
        return _among(column, numbers)
    column = np.ascontiguousarray(column)  # it lies in rows of facts, and is read twice
    asked = np.zeros(max(column.max(initial=0), numbers.max()) + 1, np.bool_)
    asked[numbers[numbers != NOTHING]] = True
    found: BoolArray = asked.take(column)
    return found

"""Look places up: by code, by today's or a former name, by what lies near.

The data are files beside this one, each row with the dates between which it holds; a reform is a new row, not new code.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale

from techex.core.vocabulary import N_
from techex.errors import BadInput, Sentence
from techex.regions.rules import (
    HOME_COUNTRY,
    Country,
    FormerProvince,
    Outline,
    Place,
    Province,
    ProvinceMap,
    Region,
    distance_km,
)

_DATA = Path(__file__).parent / "data"


def _rows(name: str) -> Iterator[dict[str, Any]]:
    with (_DATA / name).open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            for key in ("valid_from", "valid_to"):
                if key in row:
                    row[key] = date.fromisoformat(row[key])
            yield row


@cache
def provinces() -> Mapping[str, Province]:
    """All provinces by code."""
    return {row["code"]: Province(**row) for row in _rows("provinces.jsonl")}


@cache
def regions() -> Mapping[str, Region]:
    """The socio-economic regions by code."""
    return {row["code"]: Region(**row | {"provinces": tuple(row["provinces"])}) for row in _rows("regions.jsonl")}


@cache
def countries() -> Mapping[str, Country]:
    """All countries by ISO 3166 code."""
    return {row["code"]: Country(**row) for row in _rows("countries.jsonl")}


@cache
def former_provinces() -> tuple[FormerProvince, ...]:
    """Names that people still use although the reform of 2025 ended them."""
    current = {province.name for province in provinces().values()}
    return tuple(FormerProvince(**row) for row in _rows("former_provinces.jsonl") if row["name"] not in current)


@cache
def province_map() -> ProvinceMap:
    """The provinces as vector shapes; `.ci/outlines.py` says how they were drawn."""
    drawn = json.loads((_DATA / "outlines.json").read_text(encoding="utf-8"))
    shapes = {
        code: Outline(shape["path"], tuple(shape["centre"]), tuple(tuple(point) for point in shape["islands"]))
        for code, shape in drawn["provinces"].items()
    }
    return ProvinceMap(drawn["width"], drawn["height"], drawn["source"], shapes)


def region_of(province: str | None) -> str | None:
    """The code of the region that holds a province; None for no province."""
    return provinces()[province].region if province else None


def fold(name: str) -> str:
    """A name without case, marks, spaces and punctuation, đ as d: how people type it in a hurry."""
    decomposed = unicodedata.normalize("NFD", name.casefold().replace("đ", "d"))
    return "".join(c for c in decomposed if c.isalnum() and not unicodedata.combining(c))


@cache
def _names() -> Mapping[str, Place]:
    names: dict[str, Place] = {}
    for country in countries().values():
        for name in (country.code, country.name_en, country_name(country.code, "vi"), country_name(country.code, "en")):
            names.setdefault(fold(name), Place(country.code))
    for former in former_provinces():
        names[fold(former.name)] = names[fold(former.name_en)] = Place(HOME_COUNTRY, former.province)
    for province in provinces().values():
        for name in (province.code, province.name, province.full_name, province.name_en):
            names[fold(name)] = Place(HOME_COUNTRY, province.code)
    return names


def find_place(name: str) -> Place | None:
    """The place that goes by this name or code, former province names included; None if nobody calls a place so."""
    folded = fold(name)
    for prefix in ("", "tinh", "thanhpho", "tp", "province", "city"):
        rest = folded.removeprefix(prefix) if prefix else folded
        if rest in _names():
            return _names()[rest]
    return None


def find_region(name: str) -> str | None:
    """The code of the region that goes by this name or code; None if none does."""
    folded = fold(name)
    for region in regions().values():
        if folded in (fold(region.code), fold(region.name), fold(region.name_en)):
            return region.code
    return None


def check_place(country: str, province: str | None) -> Place:
    """The place for a pair of codes.

    Raises BadInput for an unknown code, or a province outside Vietnam.
    """
    if country not in countries():
        raise BadInput(
            Sentence(
                N_("%(code)s is not a country code. Expected two capital letters such as VN, NL or JP."),
                code=repr(country),
            ),
            about="country",
        )
    if province is None or province == "":
        return Place(country)
    if country != HOME_COUNTRY:
        raise BadInput(
            Sentence(
                N_("%(code)s was given for %(country)s. Provinces are known for Vietnam only; leave it out."),
                code=repr(province),
                country=country,
            ),
            about="province",
        )
    if province not in provinces():
        raise BadInput(
            Sentence(
                N_("%(code)s is not the code of a province. Expected two digits, 01 (Hà Nội) to 96 (Cà Mau)."),
                code=repr(province),
            ),
            about="province",
        )
    return Place(country, province)


def place_of_code(code: str) -> Place | None:
    """The place that an address calls so (VN-33, NL); None if there is none."""
    country, _, province = code.partition("-")
    try:
        return check_place(country, province or None)
    except BadInput:
        return None


def country_name(code: str, language: str) -> str:
    """A country's name in a page language."""
    return Locale.parse(language).territories.get(code) or countries()[code].name_en


def province_name(code: str, language: str) -> str:
    """A province's short name: in Vietnamese letters, or in plain ones for the other languages."""
    province = provinces()[code]
    return province.name if language == "vi" else province.name_en


def region_name(code: str, language: str) -> str:
    """A region's name."""
    region = regions()[code]
    return region.name if language == "vi" else region.name_en


def place_name(place: Place, language: str) -> str:
    """What to call a place on a page: the province, or the country."""
    if place.province:
        return province_name(place.province, language)
    return country_name(place.country, language)


def coordinates(place: Place) -> tuple[float, float] | None:
    """(latitude, longitude) of a province's centre or a country's capital; None where unknown."""
    if place.province:
        province = provinces()[place.province]
        return province.latitude, province.longitude
    country = countries()[place.country]
    if country.latitude is None or country.longitude is None:
        return None
    return country.latitude, country.longitude


def distance_between(a: Place, b: Place) -> float | None:
    """Kilometres between two places; None where either is unknown, or both are the same whole country."""
    here, there = coordinates(a), coordinates(b)
    if here is None or there is None or (a == b and a.province is None):
        return None
    return distance_km(here, there)

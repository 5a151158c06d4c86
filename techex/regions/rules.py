"""What a place is, and how far two places lie apart; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import asin, cos, radians, sin, sqrt

HOME_COUNTRY = "VN"  # the country whose provinces are known; elsewhere a place is its country

EARTH_RADIUS_KM = 6371.0  # mean radius


@dataclass(frozen=True)
class Province:
    """A province of Vietnam: official two-digit code, names, centre and socio-economic region."""

    code: str
    name: str
    full_name: str
    name_en: str
    kind: str
    latitude: float
    longitude: float
    region: str
    valid_from: date


@dataclass(frozen=True)
class Region:
    """One of the socio-economic regions, with the provinces it holds."""

    code: str
    name: str
    name_en: str
    provinces: tuple[str, ...]
    valid_from: date
    source: str


@dataclass(frozen=True)
class Country:
    """A country by its ISO 3166 code; `latitude` and `longitude` are those of its capital, where known."""

    code: str
    name_en: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class FormerProvince:
    """A name that is no longer official, and the province that holds most of its land now."""

    code: str
    name: str
    name_en: str
    province: str
    valid_to: date


@dataclass(frozen=True)
class Place:
    """Where something is: a country, and inside Vietnam a province."""

    country: str
    province: str | None = None

    @property
    def code(self) -> str:
        """Its short name in addresses and duties: VN-33 for a province, NL for a country."""
        return f"{self.country}-{self.province}" if self.province else self.country


def distance_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance of two (latitude, longitude) pairs in degrees, by the haversine formula."""
    (lat1, lon1), (lat2, lon2) = ((radians(x), radians(y)) for x, y in (a, b))
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(h))


@dataclass(frozen=True)
class Outline:
    """A province on the map: an SVG path, its centre and its far islands, in the map's pixels."""

    path: str
    centre: tuple[float, float]
    islands: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class ProvinceMap:
    """The drawn map: its size in pixels, where the drawing comes from, and an outline for each province code."""

    width: int
    height: int
    source: str
    provinces: Mapping[str, Outline]

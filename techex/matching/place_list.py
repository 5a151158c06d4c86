"""All provinces and countries with their counts as a list: orders, filters, columns of its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask_babel import gettext

from techex.core.vocabulary import N_
from techex.listings.queries import Count
from techex.regions import service
from techex.regions.rules import HOME_COUNTRY, Place
from techex.web.language import page_language
from techex.web.tables import Column, Filter, Table


@dataclass(frozen=True)
class Line:
    """A province or a country with what is sought and offered there; `at` is its place on the page."""

    at: int
    place: Place
    count: Count

    @property
    def kind(self) -> str:
        """Country or province."""
        return "province" if self.place.province else "country"

    @property
    def name(self) -> str:
        """What it is called in the language of the page."""
        return service.place_name(self.place, page_language())

    @property
    def region(self) -> str:
        """The region of a province, as a code; empty for a country."""
        return service.region_of(self.place.province) or ""


def lines(by_country: Iterable[tuple[str, Count]], by_province: Mapping[str, Count]) -> list[Line]:
    """The countries, then the provinces by region."""
    found = [(Place(code), count) for code, count in by_country]
    for region in service.regions().values():
        found += [(Place(HOME_COUNTRY, code), by_province[code]) for code in region.provinces]
    return [Line(at, place, count) for at, (place, count) in enumerate(found)]


def region_name(code: str) -> str:
    """A region in the language of the page; nothing for none."""
    return service.region_name(code, page_language()) if code else ""


def kind_name(code: str) -> str:
    """Country or province in the language of the page."""
    return str(gettext("Province") if code == "province" else gettext("Country"))


TABLE = Table(
    "regions.places",
    "regions.file",
    {
        "region": (N_("by region"), lambda line: line.at),
        "name": (N_("by name"), lambda line: service.fold(line.name)),
        "needs": (N_("most needs first"), lambda line: (-line.count.needs, line.at)),
        "results": (N_("most results first"), lambda line: (-line.count.offers, line.at)),
    },
    (
        Column(N_("Place"), lambda line: line.name),
        Column(N_("Kind"), lambda line: kind_name(line.kind)),
        Column(N_("Region"), lambda line: region_name(line.region)),
        Column(N_("Needs"), lambda line: line.count.needs),
        Column(N_("Results"), lambda line: line.count.offers),
    ),
    {
        "what": Filter(N_("Kind"), lambda line: [line.kind], kind_name),
        "region": Filter(N_("Region"), lambda line: [line.region] if line.region else [], region_name),
    },
    words=lambda line: line.name,
    name="places",
)

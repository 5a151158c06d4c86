"""The best untouched pairs as a list: filters by region, orders, columns of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import url_for

from techex.brokering.funnel import region_code
from techex.core.vocabulary import N_
from techex.matching.pair_sorts import SORTS
from techex.regions import service as regions
from techex.regions.rules import Place
from techex.web.language import page_language
from techex.web.tables import Column, Filter, Table

if TYPE_CHECKING:
    from techex.admin.desk_pairs import Line


def _worth(line: Line) -> tuple[float, int]:
    return (-line.worth.millions if line.worth else 1.0, line.place)


def region_name(code: str) -> str:
    """What it is called in the language of the page."""
    language = page_language()
    return regions.region_name(code, language) if code in regions.regions() else regions.country_name(code, language)


def _place(place: Place) -> str:
    return regions.place_name(place, page_language())


def _side(kind: str, title: str) -> tuple[Column, ...]:
    return (
        Column(title, lambda line: getattr(line.pair, kind).title),
        Column(N_("Organisation"), lambda line: getattr(line.pair, kind).organisation),
        Column(N_("Place"), lambda line: _place(getattr(line.pair, kind).place)),
    )


TABLE = Table(
    "work.pairs",
    "work.pairs_file",
    {**SORTS, "value": (N_("highest expected value first"), _worth)},
    (
        Column(N_("Strength"), lambda line: line.pair.strength),
        *_side("need", N_("Need")),
        *_side("offer", N_("Result")),
        Column(N_("Distance, km"), lambda line: line.pair.distance_km and round(line.pair.distance_km)),
        Column(N_("Expected value, million dong"), lambda line: round(line.worth.millions) if line.worth else None),
        Column(N_("Since"), lambda line: line.since),
        Column(
            N_("Address"),
            lambda line: url_for(
                "matching.pair", need_id=line.pair.need.id, offer_id=line.pair.offer.id, _external=True
            ),
        ),
    ),
    {
        "from": Filter(N_("Result from"), lambda line: [region_code(line.pair.offer.place)], region_name),
        "to": Filter(N_("Needed in"), lambda line: [region_code(line.pair.need.place)], region_name),
    },
    size=10,
    name="untouched-pairs",
)

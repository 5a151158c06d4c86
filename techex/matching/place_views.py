"""Provinces, regions and countries: what is sought and offered there, and where its matches lie.

They stand here and not with the regions because their pages show listings and matches, which know places and not the
reverse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, current_app, request
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.errors import NotFound, Sentence
from techex.listings import queries
from techex.listings.queries import Browse, Count
from techex.listings.rules import Kind
from techex.matching import place_list
from techex.matching.flows import Flow, Remembered
from techex.matching.views import matcher
from techex.regions import drawing, service
from techex.regions.rules import HOME_COUNTRY, Outline, Place
from techex.web import identity, policy, replies, tables
from techex.web.language import page_language

LISTED = 6  # needs, and results, beside the map; the lists have all
NAMED = 8  # places that get their name on the map; the table beside it has all

blueprint = Blueprint("regions", __name__)


@dataclass(frozen=True)
class Territory:
    """What a page is about: a province, a region or a country, and the filter that lists its listings."""

    kind: str
    code: str
    name: str
    places: Sequence[Place]
    filters: Mapping[str, tuple[str, ...]]  # for queries.Browse
    parameters: Mapping[str, str]  # for the address of a list


@dataclass(frozen=True)
class Stroke:
    """An arrow of the map, with what it stands for."""

    flow: Flow
    incoming: bool
    arrow: drawing.Arrow


@dataclass(frozen=True)
class Gap:
    """A field that is asked for in a territory and not offered there."""

    field: str
    needs: int
    elsewhere: int  # results in other places


@blueprint.get("/places")
@policy.open_to(policy.everyone)
def places() -> Response:
    """Every province and country with its needs and results, on two maps and in a table."""
    by_country, by_province = _counts()
    return replies.page(
        "regions/places.html",
        found=place_list.TABLE.ask(place_list.lines(by_country, by_province), request.args),
        kind_name=place_list.kind_name,
        regions=service.regions().values(),
        by_province=by_province,
        by_country=by_country,
        home=HOME_COUNTRY,
        drawn=service.province_map(),
        scales={
            kind: drawing.breaks(max(getattr(count, kind) for count in by_province.values()))
            for kind in ("needs", "offers")
        },
        shade=drawing.shade,
    )


@blueprint.get(f"/places.{tables.FILE}")
@policy.open_to(policy.everyone)
def file(suffix: str) -> Response:
    """All of them that pass the filters, with the same counts."""
    return place_list.TABLE.file(place_list.lines(*_counts()), request.args, suffix)


def _counts() -> tuple[list[tuple[str, Count]], dict[str, Count]]:
    """What whoever reads sees in each country that takes part, and in each province."""
    with identity.database().reading() as session:
        counts = queries.counts_by_place(session, identity.context())
    by_province = {code: counts.get(Place(HOME_COUNTRY, code), Count()) for code in service.provinces()}
    return _by_country(counts), by_province


def _by_country(counts: Mapping[Place, Count]) -> list[tuple[str, Count]]:
    found: dict[str, Count] = {}
    for place, count in counts.items():
        total = found.setdefault(place.country, Count())
        total.needs += count.needs
        total.offers += count.offers
    return sorted(found.items(), key=lambda row: (-row[1].all, row[0]))


@blueprint.get("/places/<code>")
@policy.open_to(policy.everyone)
def place(code: str) -> Response:
    """A province (VN-33) or a country (NL)."""
    found = service.place_of_code(code)
    if found is None:
        raise NotFound(
            Sentence(
                N_("There is no place “%(code)s” here. Expected a country such as NL or a province such as VN-33."),
                code=code,
            )
        )
    if found.province:
        name = service.province_name(found.province, page_language())
        return _page(
            Territory(
                "province",
                found.province,
                name,
                [found],
                {"provinces": (found.province,)},
                {"province": found.province},
            )
        )
    name = service.country_name(found.country, page_language())
    filters = {"countries": (found.country,)}
    return _page(Territory("country", found.country, name, [found], filters, {"country": found.country}))


@blueprint.get("/regions/<code>")
@policy.open_to(policy.everyone)
def region(code: str) -> Response:
    """A socio-economic region: its provinces together."""
    found = service.regions().get(code)
    if found is None:
        known = ", ".join(service.regions())
        raise NotFound(
            Sentence(N_("There is no region “%(code)s” here. Expected one of %(known)s."), code=code, known=known)
        )
    within = [Place(HOME_COUNTRY, province) for province in found.provinces]
    name = service.region_name(code, page_language())
    return _page(Territory("region", code, name, within, {"regions": (code,)}, {"region": code}))


def _page(territory: Territory) -> Response:
    with identity.database().reading() as session:
        context = identity.context()
        needs, results = (
            queries.browse(session, context, Browse(kind, **territory.filters), facets=False, size=LISTED)  # type: ignore[arg-type]
            for kind in (Kind.NEED, Kind.OFFER)
        )
        there = _remembered().flows(session, context, matcher(), territory.places)
        gaps = _gaps(session, context, territory.places)
        # Rendered while the session is open: whose an anonymous listing is may have to be asked.
        outside = drawing.abroad([*territory.places, *(flow.place for flow in there.elsewhere)])
        return replies.page(
            "regions/place.html",
            territory=territory,
            region=service.region_of(territory.code) if territory.kind == "province" else None,
            provinces=service.regions()[territory.code].provinces if territory.kind == "region" else (),
            needs=needs,
            results=results,
            flows=there,
            gaps=gaps,
            drawn=service.province_map(),
            tiles=_tiles(territory, there.elsewhere),
            strokes=_strokes(territory, there.elsewhere, outside),
            outside=outside,
            labels=_labels(territory, there.elsewhere),
            home=HOME_COUNTRY,
        )


def _remembered() -> Remembered:
    found = current_app.extensions.setdefault("techex.flows", Remembered())
    assert isinstance(found, Remembered)  # noqa: S101 - only this function writes it
    return found


def _gaps(session: Session, context: Context, territory: Sequence[Place]) -> list[Gap]:
    here = queries.counts_by_field(session, context, territory)
    everywhere = queries.counts_by_field(session, context)
    found = [Gap(code, count.needs, everywhere[code].offers) for code, count in here.items() if not count.offers]
    return sorted(found, key=lambda gap: (-gap.needs, gap.field))


def _tiles(territory: Territory, elsewhere: Iterable[Flow]) -> list[tuple[str, Outline, bool, Flow | None]]:
    """(province, its shape, whether the page is about it, its matches)."""
    linked = {flow.place: flow for flow in elsewhere}
    whole = Place(HOME_COUNTRY) in territory.places
    return [
        (code, shape, whole or Place(HOME_COUNTRY, code) in territory.places, linked.get(Place(HOME_COUNTRY, code)))
        for code, shape in service.province_map().provinces.items()
    ]


def _anchor(territory: Territory, outside: Mapping[str, drawing.Point]) -> drawing.Point:
    if territory.kind == "country" and territory.code != HOME_COUNTRY:
        return outside[territory.code]
    return drawing.middle(territory.places)


def _strokes(territory: Territory, elsewhere: Iterable[Flow], outside: Mapping[str, drawing.Point]) -> list[Stroke]:
    here = _anchor(territory, outside)
    found = []
    for flow in elsewhere:
        there = drawing.point_of(flow.place, outside)
        if there is None:
            continue
        if flow.incoming:
            found.append(Stroke(flow, True, drawing.arrow(there, here, flow.incoming)))
        if flow.outgoing:
            found.append(Stroke(flow, False, drawing.arrow(here, there, flow.outgoing)))
    return found


def _labels(territory: Territory, elsewhere: Iterable[Flow]) -> list[drawing.Label]:
    """Names of the page's own place and of the places that share most matches with it."""
    shapes = service.province_map().provinces
    words = []
    if territory.kind == "province":
        words.append((territory.name, shapes[territory.code].centre))
    for flow in elsewhere:
        if flow.place.province and len(words) < NAMED:
            words.append((service.place_name(flow.place, page_language()), shapes[flow.place.province].centre))
    return drawing.labels(words)

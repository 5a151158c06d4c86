"""The exchange's own figures: for everybody with nothing below five, exact for operators and administrators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from techex.accounts.demo import is_demo
from techex.brokering import figures, funnel
from techex.brokering.figures import Asked
from techex.brokering.funnel import Counted, Flow, Step, Told, Veil, Way
from techex.core.context import ANONYMOUS, Actor, Context
from techex.core.vocabulary import FIELDS, ORGANISATION_KINDS
from techex.regions import drawing
from techex.regions import service as regions
from techex.regions.rules import HOME_COUNTRY, Place
from techex.web import identity, policy, replies
from techex.web.language import page_language

MOST_GAPS = 15
MOST_ROWS = 12  # of a breakdown
BAR, ROW = 420, 40  # pixels of the longest bar, and from one to the next

blueprint = Blueprint("figures", __name__)


@dataclass(frozen=True)
class Line:
    """A step of the funnel as a page tells it: a number or why there is none, days, and how long its bar is."""

    step: Step
    told: Told
    days: float | None
    share: int | None  # of what was sent, in percent
    bar: float


@dataclass(frozen=True)
class Stroke:
    """An arrow of the map."""

    flow: Flow
    arrow: drawing.Arrow


def is_exact(actor: Actor) -> bool:
    """True for those who see exact numbers: operators of their places, administrators of all."""
    return (actor.is_operator or actor.is_administrator) and request.args.get("as") != "everybody"


@blueprint.get("/figures")
@policy.open_to(policy.everyone)
def index() -> Response:
    """From listings to contracts, flows between places, and what is missing."""
    context = identity.context()
    exact = is_exact(context.actor)
    with identity.database().reading() as session:
        if exact:
            places = None if context.actor.is_administrator else sorted(context.actor.places)
            # Administrators do not read what is restricted, so they do not count it either.
            everything = figures.ways(session, places, public=not context.actor.is_operator)
            asked = _asked(request.args)
            found = figures.chosen(everything, asked)
            listed = figures.listed(session, context, asked, places)
            end = None
        else:
            # As it stood at the end of the last quarter: from day to day one would see each single step.
            end = funnel.begin_of(*funnel.quarter(context.now.date()))
            places, asked = None, Asked(before=end)
            everything = found = funnel.until(figures.ways(session, None, public=True), end)
            listed = figures.listed(session, Context(ANONYMOUS, context.now), asked, None)
        return _page(session, context, exact, places, everything, found, asked, listed, end)


def _page(
    session: Session,
    context: Context,
    exact: bool,
    places: Sequence[str] | None,
    everything: Sequence[Way],
    found: Sequence[Way],
    asked: Asked,
    listed: tuple[int, int],
    end: date | None,
) -> Response:
    all_flows = funnel.flows(found, (lambda place: place.code) if exact else funnel.region_code)
    flows = all_flows if exact else funnel.told_flows(all_flows)
    lines = _lines(funnel.funnel(found), exact)
    return replies.page(
        "brokering/figures.html",
        exact=exact,
        may_be_exact=context.actor.is_operator or context.actor.is_administrator,
        own_places=[place for code in places or () if (place := regions.place_of_code(code))],
        until=end - timedelta(days=1) if end else None,
        asked=asked,
        given=request.args,
        lines=lines,
        bar_row=ROW,
        bar_width=BAR,
        steps=funnel.STEPS,
        listed=_told(listed, exact),
        tables=_tables(found, exact),
        flows=flows,
        hidden_flows=len(all_flows) > len(flows),
        name_of=_name_of,
        Veil=Veil,
        illustrative=is_demo(session),
        gaps=figures.gaps(session, MOST_GAPS),
        unasked=figures.unasked(session, MOST_GAPS),
        least=funnel.LEAST,
        periods=_periods(everything) if exact else (),
        ends=_ends(everything) if exact else (),
        fields=sorted({code for way in everything for code in way.fields}) if exact else (),
        kinds=sorted({code for way in everything for code in way.kinds}) if exact else (),
        **_map(flows),
    )


def _told(counts: Sequence[int], exact: bool) -> list[Told]:
    return list(counts) if exact else funnel.told_along(counts)


def _lines(counted: Sequence[Counted], exact: bool) -> list[Line]:
    told = _told([row.count for row in counted], exact)
    sent, most = counted[0].count, max((row.count for row in counted), default=0) or 1
    found, bar = [], 0.0
    for row, cell in zip(counted, told, strict=True):
        known = not isinstance(cell, Veil)
        # What is nearly all is drawn as long as what it is nearly all of.
        bar = round(BAR * row.count / most, 1) if known else bar if cell is Veil.NEARLY_ALL else 0.0
        share = round(100 * row.count / sent) if known and sent and row.step is not Step.SENT else None
        found.append(Line(row.step, cell, row.days if known else None, share, bar))
    return found


def _tables(found: Sequence[Way], exact: bool) -> list[tuple[str, list[tuple[str, Sequence[Told]]], bool]]:
    """(caption, rows with a number for each step, whether rows are left out)."""
    tables = []
    for caption, keys, name in (
        (gettext("By regions: where the result comes from → where it is needed"), _pair_of, _pair_name),
        (gettext("By field"), lambda way: way.fields, lambda code: gettext(FIELDS[code])),
        (gettext("By kind of organisation"), lambda way: way.kinds, lambda code: gettext(ORGANISATION_KINDS[code])),
    ):
        counted = funnel.breakdown(found, keys)
        rows = _rows(counted, exact)
        tables.append((caption, [(name(key), cells) for key, cells in rows[:MOST_ROWS]], len(rows) > MOST_ROWS))
    periods = {
        _period_name(first, last): [row.count for row in funnel.funnel(group)]
        for first, last, group in funnel.by_period(found, 1 if exact else funnel.LEAST)
    }
    tables.insert(0, (gettext("By the quarter in which it was sent"), _rows(periods, exact), False))
    return tables


def _rows(counted: Mapping[str, Sequence[int]], exact: bool) -> list[tuple[str, Sequence[Told]]]:
    told: Mapping[str, Sequence[Told]] = counted if exact else funnel.told_table(counted)
    return [(key, cells) for key, cells in told.items() if exact or not all(isinstance(cell, Veil) for cell in cells)]


def _pair_of(way: Way) -> Iterable[str]:
    return (f"{funnel.region_code(way.origin)}>{funnel.region_code(way.application)}",)


def _pair_name(key: str) -> str:
    origin, _, application = key.partition(">")
    return f"{_name_of(origin)} → {_name_of(application)}"


def _name_of(code: str) -> str:
    """A region, a province or a country by its code."""
    if code in regions.regions():
        return regions.region_name(code, page_language())
    place = regions.place_of_code(code)
    return regions.place_name(place, page_language()) if place else code


def _period_name(first: tuple[int, int], last: tuple[int, int]) -> str:
    begin, end = (gettext("quarter %(number)s of %(year)s", number=number, year=year) for year, number in (first, last))
    return begin if first == last else f"{begin} – {end}"


def _periods(everything: Sequence[Way]) -> list[tuple[str, str]]:
    """Years and quarters in which something was sent, the newest first: (parameter, name)."""
    quarters = sorted({funnel.quarter(way.sent) for way in everything}, reverse=True)
    found: list[tuple[str, str]] = []
    for year in sorted({year for year, _ in quarters}, reverse=True):
        found.append((str(year), str(year)))
        found += [
            (f"{year}-{number}", _period_name((year, number), (year, number))) for y, number in quarters if y == year
        ]
    return found


def _ends(everything: Sequence[Way]) -> list[tuple[str, str]]:
    """Regions and countries that occur, by name."""
    codes = {funnel.region_code(place) for way in everything for place in (way.origin, way.application)}
    return sorted(((code, _name_of(code)) for code in codes), key=lambda row: row[1])


def _asked(arguments: Mapping[str, str]) -> Asked:
    """What an address asks for; what nobody understands asks for nothing. Single days win over a period."""
    since, before = _period(arguments.get("period", ""))
    first, last = _day(arguments.get("since", "")), _day(arguments.get("until", ""))
    if first or last:
        since, before = first, last + timedelta(days=1) if last and last < date.max else None
    ends = {name: _end(arguments.get(name, "")) for name in ("origin", "application")}
    field, kind = arguments.get("field", ""), arguments.get("kind", "")
    return Asked(
        since, before, **ends, field=field if field in FIELDS else "", kind=kind if kind in ORGANISATION_KINDS else ""
    )


def _period(text: str) -> tuple[date | None, date | None]:
    year, _, number = text.partition("-")
    if not (year.isascii() and year.isdigit() and len(year) == 4 and "1000" < year < "9999"):
        return None, None
    if number in ("1", "2", "3", "4"):
        return funnel.begin_of(int(year), int(number)), funnel.begin_of(int(year), int(number) + 1)
    return date(int(year), 1, 1), date(int(year) + 1, 1, 1)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _end(code: str) -> str:
    return code if code in regions.regions() or regions.place_of_code(code) == Place(code) else ""


def _map(flows: Sequence[Flow]) -> dict[str, Any]:
    """Arrows from where results come from to where they are applied; what stays inside a place stands in the table."""
    foreign = [place for flow in flows for code in (flow.origin, flow.application) if (place := _foreign(code))]
    outside = drawing.abroad(foreign)
    strokes: list[Stroke] = []
    named: dict[str, drawing.Point] = {}
    for flow in flows:
        start, end = _point(flow.origin, outside), _point(flow.application, outside)
        if start is None or end is None:
            continue
        named |= {flow.origin: start, flow.application: end}
        if flow.origin != flow.application:
            strokes.append(Stroke(flow, drawing.arrow(start, end, flow.count)))
    words = [(_name_of(code), point) for code, point in named.items() if code not in outside]
    within = {_provinces(flow.origin) for flow in flows if flow.origin == flow.application}
    return {
        "strokes": strokes,
        "outside": outside,
        "labels": drawing.labels(words),
        "drawn": regions.province_map(),
        "inside": frozenset(code for codes in within for code in codes),
    }


def _provinces(code: str) -> tuple[str, ...]:
    if code in regions.regions():
        return regions.regions()[code].provinces
    place = regions.place_of_code(code)
    return (place.province,) if place and place.province else ()


def _foreign(code: str) -> Place | None:
    place = regions.place_of_code(code)
    return place if place and place.country != HOME_COUNTRY else None


def _point(code: str, outside: Mapping[str, drawing.Point]) -> drawing.Point | None:
    if code in regions.regions():
        return drawing.middle(Place(HOME_COUNTRY, one) for one in regions.regions()[code].provinces)
    place = regions.place_of_code(code)
    return drawing.point_of(place, outside) if place else None

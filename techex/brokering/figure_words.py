"""The figures as a page says them: rows with names, bars, arrows on the map, in the language of the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from techex.brokering import funnel
from techex.brokering.funnel import Counted, Flow, Step, Told, Veil, Way
from techex.brokering.listing_figures import LISTING_STEPS, ListingStep, Match, Reached
from techex.core.vocabulary import FIELDS, N_, ORGANISATION_KINDS
from techex.regions import drawing, working_days
from techex.regions import service as regions
from techex.regions.rules import HOME_COUNTRY, Place
from techex.web.language import page_language
from techex.web.tables import Column

MOST_ROWS = 12  # of a breakdown
BAR, ROW = 420, 40  # pixels of the longest bar, and from one to the next


@dataclass(frozen=True)
class Line:
    """A step of a funnel as a page tells it: a number or why there is none, days, and how long its bar is."""

    name: str
    told: Told
    days: float | None
    behind: int  # of how many the days are the median; 0 where that is not told
    share: int | None  # of the first step, in percent
    bar: float


@dataclass(frozen=True)
class Stroke:
    """An arrow of the map."""

    flow: Flow
    arrow: drawing.Arrow


@dataclass(frozen=True)
class Cell:
    """A number of a breakdown, or why there is none; the median of the days since the step before, and of how many."""

    told: Told
    days: float | None = None
    behind: int = 0


@dataclass(frozen=True)
class Table:
    """A breakdown: a row holds matches, then a cell for each step; `more` says that the smallest are left out."""

    caption: str
    rows: Sequence[tuple[str, Sequence[Cell]]]
    more: bool = False


def told(count: int, exact: bool) -> Told:
    """A single number."""
    return count if exact or count >= funnel.LEAST else Veil.FEW


def told_steps(counts: Sequence[int], exact: bool) -> list[Told]:
    """The steps of a funnel."""
    return list(counts) if exact else funnel.told_along(counts)


def interest_lines(ways: Sequence[Way], exact: bool) -> list[Line]:
    """From an expression of interest to a contract."""
    counted = funnel.funnel(ways)
    cells = told_steps([row.count for row in counted], exact)
    days = [row.days if exact else funnel.days_told(row, cell) for row, cell in zip(counted, cells, strict=True)]
    rows = [(gettext(funnel.STEPS[row.step]), row.count, at, row.behind) for row, at in zip(counted, days, strict=True)]
    return _lines(rows, cells)


def listing_lines(counted: Sequence[Reached], exact: bool) -> list[Line]:
    """From a listing to a contract.

    How many have a match is told by itself: it follows from listings that its reader may read, and from nothing else.
    """
    brokered = [row for row in counted if row.step is not ListingStep.MATCHED]
    cells = dict(zip((row.step for row in brokered), told_steps([row.count for row in brokered], exact), strict=True))
    cells |= {row.step: told(row.count, exact) for row in counted if row.step is ListingStep.MATCHED}
    rows = [(gettext(LISTING_STEPS[row.step]), row.count, row.days, row.behind if exact else 0) for row in counted]
    return _lines(rows, [cells[row.step] for row in counted])


def _lines(rows: Sequence[tuple[str, int, float | None, int]], cells: Sequence[Told]) -> list[Line]:
    first, most = rows[0][1], max((count for _, count, _, _ in rows), default=0) or 1
    found, bar = [], 0.0
    for number, ((name, count, days, behind), cell) in enumerate(zip(rows, cells, strict=True)):
        known = not isinstance(cell, Veil)
        # What is nearly all is drawn as long as what it is nearly all of.
        bar = round(BAR * count / most, 1) if known else bar if cell is Veil.NEARLY_ALL else 0.0
        share = round(100 * count / first) if known and first and number else None
        found.append(Line(name, cell, days if known else None, behind, share, bar))
    return found


def tables(ways: Sequence[Way], matches: Sequence[Match], exact: bool, most: int | None = MOST_ROWS) -> list[Table]:
    """By quarter, pair of regions, field and kind of organisation; at most so many rows of each."""
    found = [_by_quarter(ways, matches, exact)]
    for caption, of_way, of_match, name in (
        (
            gettext("By regions: where the result comes from → where it is needed"),
            lambda way: (_pair(way.origin, way.application),),
            lambda match: (_pair(match.origin, match.application),),
            _pair_name,
        ),
        (gettext("By field"), lambda way: way.fields, lambda match: match.fields, lambda code: gettext(FIELDS[code])),
        (
            gettext("By kind of organisation"),
            lambda way: way.kinds,
            lambda match: match.kinds,
            lambda code: gettext(ORGANISATION_KINDS[code]),
        ),
    ):
        counted = funnel.breakdown(ways, of_way)
        fitting = Counter(key for match in matches for key in of_match(match))
        rows = [(name(key), cells) for key, cells in _rows(counted, fitting, exact)]
        found.append(Table(caption, rows[:most], most is not None and len(rows) > most))
    return found


VEILS: Mapping[Veil, str] = {
    Veil.FEW: N_("fewer than five"),
    Veil.NEARLY_ALL: N_("all but fewer than five"),
    Veil.KEPT: N_("not shown"),
}
Row = tuple[str, str, Sequence[Cell]]


def file_of(ways: Sequence[Way], matches: Sequence[Match], exact: bool) -> tuple[list[Column], list[Row]]:
    """Columns and rows of a file: the funnel as a whole, then all groups of each breakdown."""
    whole = [Cell(told(len(matches), exact)), *_cells({"": funnel.funnel(ways)}, exact)[""]]
    rows: list[Row] = [(gettext("All that is asked for"), "", whole)]
    rows += [
        (table.caption, name, cells) for table in tables(ways, matches, exact, most=None) for name, cells in table.rows
    ]
    columns = [
        Column(N_("Broken down"), lambda row: row[0]),
        Column(N_("Group"), lambda row: row[1]),
        Column(N_("matches"), lambda row: _said(row[2][0])),
        Column(N_("sent"), lambda row: _said(row[2][1])),
    ]
    for at, step in enumerate((N_("forwarded"), N_("accepted"), N_("introduced"), N_("contract")), 2):
        columns += [
            Column(step, lambda row, at=at: _said(row[2][at])),  # type: ignore[misc]
            Column(DAYS[step], lambda row, at=at: _days(row[2][at])),  # type: ignore[misc]
            Column(N_("of so many"), lambda row, at=at: _behind(row[2][at])),  # type: ignore[misc]
        ]
    return columns, rows


DAYS: Mapping[str, str] = {
    "forwarded": N_("days to forwarding (median)"),
    "accepted": N_("days to the yes (median)"),
    "introduced": N_("days to the introduction (median)"),
    "contract": N_("days to the contract (median)"),
}


def _said(cell: Cell) -> int | str:
    return gettext(VEILS[cell.told]) if isinstance(cell.told, Veil) else cell.told


def _days(cell: Cell) -> float | None:
    return None if cell.days is None else round(cell.days, 1)


def _behind(cell: Cell) -> int | None:
    return None if cell.days is None else cell.behind


def _by_quarter(ways: Sequence[Way], matches: Sequence[Match], exact: bool) -> Table:
    counted, fitting = {}, {}
    for first, last, group in funnel.by_period(ways, 1 if exact else funnel.LEAST):
        name = period_name(first, last)
        counted[name] = funnel.funnel(group)
        fitting[name] = sum(first <= funnel.quarter(working_days.here(match.since)) <= last for match in matches)
    return Table(gettext("By the quarter in which it was sent"), _rows(counted, fitting, exact, keep_order=True))


def _rows(
    counted: Mapping[str, Sequence[Counted]], fitting: Mapping[str, int], exact: bool, *, keep_order: bool = False
) -> list[tuple[str, Sequence[Cell]]]:
    """Matches and steps of each group; groups of which nothing is told are left out."""
    cells = _cells(counted, exact)
    nothing = [Cell(0 if exact else Veil.FEW)] * len(Step)
    keys = list(counted) + [key for key in fitting if key not in counted]
    rows = [(key, [Cell(told(fitting.get(key, 0), exact)), *cells.get(key, nothing)]) for key in keys]
    if not keep_order:
        rows.sort(key=lambda row: -fitting.get(row[0], 0))
        rows.sort(key=lambda row: -max((one.count for one in counted.get(row[0], ())), default=0))
    return [(key, row) for key, row in rows if exact or not all(isinstance(cell.told, Veil) for cell in row)]


def _cells(counted: Mapping[str, Sequence[Counted]], exact: bool) -> dict[str, list[Cell]]:
    if exact:
        return {key: [Cell(one.count, one.days, one.behind) for one in row] for key, row in counted.items()}
    table = funnel.told_table({key: [one.count for one in row] for key, row in counted.items()})
    return {
        key: [Cell(cell, funnel.days_told(one, cell), one.behind) for one, cell in zip(row, table[key], strict=True)]
        for key, row in counted.items()
    }


def _pair(origin: Place, application: Place) -> str:
    return f"{funnel.region_code(origin)}>{funnel.region_code(application)}"


def _pair_name(key: str) -> str:
    origin, _, application = key.partition(">")
    return f"{name_of(origin)} → {name_of(application)}"


def name_of(code: str, language: str = "") -> str:
    """A region, a province or a country by its code."""
    language = language or page_language()
    if code in regions.regions():
        return regions.region_name(code, language)
    place = regions.place_of_code(code)
    return regions.place_name(place, language) if place else code


def period_name(first: tuple[int, int], last: tuple[int, int]) -> str:
    """One quarter, or from one to another."""
    begin, end = (gettext("quarter %(number)s of %(year)s", number=number, year=year) for year, number in (first, last))
    return begin if first == last else f"{begin} – {end}"


def periods(everything: Sequence[Way]) -> list[tuple[str, str]]:
    """Years and quarters in which something was sent, the newest first: (parameter, name)."""
    quarters = sorted({funnel.quarter(way.sent) for way in everything}, reverse=True)
    found: list[tuple[str, str]] = []
    for year in sorted({year for year, _ in quarters}, reverse=True):
        found.append((str(year), str(year)))
        found += [
            (f"{year}-{number}", period_name((year, number), (year, number))) for y, number in quarters if y == year
        ]
    return found


def ends(everything: Sequence[Way]) -> list[tuple[str, str]]:
    """Regions and countries that occur, by name."""
    codes = {funnel.region_code(place) for way in everything for place in (way.origin, way.application)}
    return sorted(((code, name_of(code)) for code in codes), key=lambda row: row[1])


def flow_map(flows: Sequence[Flow], name: Callable[[str], str] = name_of) -> dict[str, Any]:
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
    words = [(name(code), point) for code, point in named.items() if code not in outside]
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


def told_gaps(rows: Iterable[Any], exact: bool) -> list[tuple[Any, Told, Told]]:
    """Gaps with how many needs and how many of all, as everybody may read them."""
    return [(row, told(row.needs, exact), told(row.all_needs, exact)) for row in rows]

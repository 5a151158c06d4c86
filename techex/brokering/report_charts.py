"""The charts of a report as SVG that stands by itself: colours and fonts are in it, for paper. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from xml.sax.saxutils import escape

from techex.brokering.funnel import Flow
from techex.regions import drawing
from techex.regions.rules import HOME_COUNTRY, Place
from techex.regions.service import place_of_code, province_map, regions

WIDTH, ROW = 420, 36
RESULT, NEED, INK, SOFT, LAND, HELD = "#2a8f93", "#c4872b", "#1c1c1a", "#6b6a65", "#eceae4", "#bfdcdc"
FONT = "Libertinus Serif"


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="{FONT}">'
    return head + "".join(parts) + "</svg>"


def _text(x: float, y: float, words: str, size: int = 13, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{INK}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def bars(rows: Sequence[tuple[str, float, str]], colour: str = RESULT) -> str:
    """A bar for each (name, value, value in words), as long as its share of the largest."""
    most = max((value for _, value, _ in rows), default=0) or 1
    parts = []
    for number, (name, value, said) in enumerate(rows):
        y, length = number * ROW, max(2.0, (WIDTH - 60) * value / most)
        parts.append(_text(1, y + 13, name))
        parts.append(f'<rect x="1" y="{y + 18}" width="{length:.1f}" height="12" fill="{colour}"/>')
        parts.append(_text(length + 6, y + 29, said))
    return _svg(WIDTH, ROW * max(1, len(rows)), parts)


def flow_map(flows: Sequence[Flow], name: Callable[[str], str]) -> str:
    """Arrows on the map of provinces, from where results come from to where they are applied."""
    foreign = [place for flow in flows for code in (flow.origin, flow.application) if (place := _abroad(code))]
    outside = drawing.abroad(foreign)
    drawn = province_map()
    inside = {flow.origin.partition("-")[2] for flow in flows if flow.origin == flow.application}
    parts = [
        f'<path d="{outline.path}" fill="{HELD if code in inside else LAND}" stroke="#ffffff" stroke-width="0.6"/>'
        + "".join(f'<circle cx="{x}" cy="{y}" r="3.5" fill="{LAND}"/>' for x, y in outline.islands)
        for code, outline in drawn.provinces.items()
    ]
    named: dict[str, drawing.Point] = {}
    for flow in sorted(flows, key=lambda one: one.count):
        start, end = _point(flow.origin, outside), _point(flow.application, outside)
        if start is None or end is None:
            continue
        named |= {flow.origin: start, flow.application: end}
        if start != end:
            arrow = drawing.arrow(start, end, flow.count)
            parts.append(f'<path d="{arrow.path}" fill="none" stroke="{RESULT}" stroke-width="{arrow.width}"/>')
            parts.append(_head(arrow.path))
    for code, (x, y) in outside.items():
        parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{SOFT}"/>')
        parts.append(_text(x + 12, y + 5, name(code)))
    words = [(name(code), point) for code, point in named.items() if code not in outside]
    parts += [_text(label.x, label.y, label.text, 13, label.anchor) for label in drawing.labels(words)]
    return _svg(drawn.width, drawn.height, parts)


def _head(path: str) -> str:
    """A small triangle at the end of an arrow; markers are not drawn by every reader of SVG."""
    x0, y0, x1, y1 = (float(one) for one in path.partition("Q")[2].split())
    length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-6)
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    left = f"{x1 - 9 * dx - 4.5 * dy:.1f} {y1 - 9 * dy + 4.5 * dx:.1f}"
    right = f"{x1 - 9 * dx + 4.5 * dy:.1f} {y1 - 9 * dy - 4.5 * dx:.1f}"
    return f'<path d="M{x1 + 1 * dx:.1f} {y1 + 1 * dy:.1f}L{left}L{right}Z" fill="{RESULT}"/>'


def _abroad(code: str) -> Place | None:
    place = place_of_code(code)
    return place if place and place.country != HOME_COUNTRY else None


def _point(code: str, outside: Mapping[str, drawing.Point]) -> drawing.Point | None:
    if code in regions():
        return drawing.middle(Place(HOME_COUNTRY, one) for one in regions()[code].provinces)
    place = place_of_code(code)
    return drawing.point_of(place, outside) if place else None

"""Where things stand on the map of provinces, and how arrows run between them; pure geometry, in the map's pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot

from techex.regions.rules import HOME_COUNTRY, Place
from techex.regions.service import countries, province_map

Point = tuple[float, float]

# Countries stand in the open sea beside the mainland, north to south: ten lines fit above the islands.
ABROAD_X, ABROAD_TOP, ABROAD_STEP, MOST_ABROAD = 380.0, 22.0, 25.0, 10
BOW = 0.16  # how far an arrow bows out, as a share of its length; both directions of a pair stay apart
GAP = 7.0  # pixels between an arrow's ends and what it points from and to
THINNEST, THICKEST, PER_ROOT = 1.4, 6.0, 1.0  # width of an arrow: it grows with the root of the count
LETTER, LINE = 7.6, 17.0  # size of a label's letters, for keeping labels apart
STEPS = 5  # shades of a map: none, and four more
# Upper ends of the shades 1 to 3, by how large the largest count is; round numbers that a legend can say.
BREAKS = (
    (1, 2, 3),
    (1, 3, 6),
    (2, 5, 10),
    (5, 10, 20),
    (10, 25, 50),
    (25, 50, 100),
    (100, 250, 500),
    (500, 1000, 2500),
)


@dataclass(frozen=True)
class Arrow:
    """A bowed line from one point to another: SVG path and width in pixels."""

    path: str
    width: float


@dataclass(frozen=True)
class Label:
    """A word on the map: where its baseline stands, and which end of it (start, end)."""

    text: str
    x: float
    y: float
    anchor: str


def abroad(found: Iterable[Place]) -> dict[str, Point]:
    """Where each country stands beside the mainland, north to south; those beyond the tenth have no room."""
    codes = list(dict.fromkeys(place.country for place in found if place.country != HOME_COUNTRY))[:MOST_ABROAD]
    codes.sort(key=lambda code: -(countries()[code].latitude or 0.0))
    return {code: (ABROAD_X, ABROAD_TOP + ABROAD_STEP * row) for row, code in enumerate(codes)}


def middle(territory: Iterable[Place]) -> Point:
    """The point that stands for some provinces: the mean of their centres; that of the whole country for none."""
    shapes = province_map().provinces
    named = [shapes[place.province].centre for place in territory if place.province]
    centres = named or [shape.centre for shape in shapes.values()]
    return sum(x for x, _ in centres) / len(centres), sum(y for _, y in centres) / len(centres)


def point_of(place: Place, outside: Mapping[str, Point]) -> Point | None:
    """Where a place stands on the map; None for a country that found no room."""
    if place.province:
        return province_map().provinces[place.province].centre
    return middle(()) if place.country == HOME_COUNTRY else outside.get(place.country)


def arrow(start: Point, end: Point, count: int) -> Arrow:
    """An arrow that stands for `count` matches; it bows to its right, so its counterpart bows away from it."""
    (x0, y0), (x1, y1) = start, end
    length = hypot(x1 - x0, y1 - y0) or 1.0
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    gap = min(GAP, length / 4)
    bend = ((x0 + x1) / 2 - dy * BOW * length, (y0 + y1) / 2 + dx * BOW * length)
    numbers = (x0 + dx * gap, y0 + dy * gap, *bend, x1 - dx * gap, y1 - dy * gap)
    path = "M{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}".format(*numbers)
    return Arrow(path, round(min(THICKEST, THINNEST + PER_ROOT * (max(count, 1) ** 0.5 - 1)), 2))


def labels(words: Sequence[tuple[str, Point]], gap: float = 9.0) -> list[Label]:
    """Those of the words that find room beside their points, the first ones first; right of it where possible."""
    taken: list[tuple[float, float, float, float]] = []
    found: list[Label] = []
    for text, (x, y) in words:
        width = LETTER * len(text) + gap / 2
        for anchor, left in (("start", x + gap), ("end", x - gap - width)):
            box = (left, y - LINE / 2, left + width, y + LINE / 2)
            inside = box[0] >= 0 and box[2] <= province_map().width
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                found.append(Label(text, x + gap if anchor == "start" else x - gap, y + LINE / 4, anchor))
                break
    return found


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def breaks(largest: int) -> tuple[int, int, int]:
    """The upper ends of the shades 1, 2 and 3, so that the largest count lies well inside the fourth."""
    return next((ends for ends in reversed(BREAKS) if ends[-1] < largest), BREAKS[0])


def shade(count: int, ends: tuple[int, int, int]) -> int:
    """The shade of a count: 0 for none, then 1 to 4."""
    return 0 if count <= 0 else 1 + sum(count > end for end in ends)

"""Arrows end where they should, labels keep apart, shades say counts."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from techex.regions import drawing
from techex.regions.rules import Place
from techex.regions.service import countries, province_map, provinces

POINTS = st.tuples(st.floats(0, 533), st.floats(0, 691))


def _numbers(path: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d", path)]


@given(POINTS, POINTS, st.integers(1, 10_000))
def test_an_arrow_runs_from_one_point_to_the_other_and_bows_away_from_its_counterpart(
    start: tuple[float, float], end: tuple[float, float], count: int
) -> None:
    assume(abs(start[0] - end[0]) + abs(start[1] - end[1]) > 1)
    there, back = drawing.arrow(start, end, count), drawing.arrow(end, start, count)
    x0, y0, bx, by, x1, y1 = _numbers(there.path)
    reach = drawing.GAP + 0.2
    assert (x0 - start[0]) ** 2 + (y0 - start[1]) ** 2 <= reach**2
    assert (x1 - end[0]) ** 2 + (y1 - end[1]) ** 2 <= reach**2
    assert drawing.THINNEST <= there.width <= drawing.THICKEST
    other = _numbers(back.path)
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    assert bx + other[2] == pytest.approx(2 * middle[0], abs=0.2)
    assert by + other[3] == pytest.approx(2 * middle[1], abs=0.2)


def test_more_matches_make_a_thicker_arrow() -> None:
    widths = [drawing.arrow((0, 0), (100, 100), count).width for count in (1, 4, 16, 10_000)]
    assert all(a < b for a, b in pairwise(widths))


def test_labels_stay_on_the_map_and_never_overlap() -> None:
    words = [(provinces()[code].name, shape.centre) for code, shape in province_map().provinces.items()]
    found = drawing.labels(words)
    assert len(found) >= 12
    boxes = []
    for label in found:
        width = drawing.LETTER * len(label.text)
        left = label.x if label.anchor == "start" else label.x - width
        assert left >= 0
        assert left + width <= province_map().width
        boxes.append((left, label.y - drawing.LINE, left + width, label.y))
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_countries_stand_north_to_south_beside_the_mainland() -> None:
    places = [Place(code) for code in ("SG", "KR", "NL", "VN", "KR")]
    points = drawing.abroad([*places, Place("VN", "01")])
    assert list(points) == ["NL", "KR", "SG"]
    assert len(drawing.abroad(Place(code) for code in countries())) == drawing.MOST_ABROAD
    assert drawing.point_of(Place("FR"), points) is None
    assert drawing.point_of(Place("VN", "33"), points) == province_map().provinces["33"].centre


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_a_larger_count_never_has_a_lighter_shade(a: int, b: int) -> None:
    low, high = sorted((a, b))
    ends = drawing.breaks(high)
    assert drawing.shade(0, ends) == 0
    assert drawing.shade(low, ends) <= drawing.shade(high, ends) < drawing.STEPS
    assert drawing.shade(high, ends) >= min(high, 3)

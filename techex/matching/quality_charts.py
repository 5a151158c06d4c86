"""Where the marks of the quality page's charts stand. Pure: numbers in, coordinates of an SVG out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from techex.matching.evaluated import LanguageParity, Point

# The plane of the calibration curve: a square of this side, from its lower left corner.
SIDE, LEFT, TOP = 260, 52, 12
SMALLEST_DOT, LARGEST_DOT = 3.0, 8.0
# Bars of language pairs: room for the names, then for a share of 1.
NAMES, FULL, ROW = 176, 190, 30


@dataclass(frozen=True)
class Dot:
    """A point of the calibration curve on the plane."""

    x: float
    y: float
    radius: float
    point: Point


@dataclass(frozen=True)
class Plane:
    """The calibration curve as it is drawn."""

    side: int
    left: int
    top: int
    dots: Sequence[Dot]

    @property
    def line(self) -> str:
        """The corners of the line through the dots."""
        return " ".join(f"{dot.x},{dot.y}" for dot in self.dots)


@dataclass(frozen=True)
class Bar:
    """Two languages: where their row stands, how long the shares found are."""

    need: str
    result: str
    y: int
    ours: float
    raw: float


def plane(curve: Sequence[Point]) -> Plane:
    """Promised to the right, found upwards; larger dots stand for more pairs."""
    most = max((point.pairs for point in curve), default=1)
    dots = [
        Dot(
            round(LEFT + SIDE * point.promised, 1),
            round(TOP + SIDE * (1 - point.found), 1),
            round(SMALLEST_DOT + (LARGEST_DOT - SMALLEST_DOT) * (point.pairs / most) ** 0.5, 1),
            point,
        )
        for point in curve
    ]
    return Plane(SIDE, LEFT, TOP, dots)


def bars(parity: LanguageParity) -> list[Bar]:
    """A row for each pair of languages, in the order given."""
    return [
        Bar(pair.need, pair.result, ROW * row, round(FULL * pair.found, 1), round(FULL * pair.found_raw, 1))
        for row, pair in enumerate(parity.pairs)
    ]

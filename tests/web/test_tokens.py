"""The palette keeps its promise: text on its ground has a contrast of at least 4.5 : 1, light and dark."""

from __future__ import annotations

import re

import pytest

from techex import paths

TOKENS = (paths.static_dir() / "tokens.css").read_text(encoding="utf-8")
GROUNDS = ("paper", "surface", "sunk")
PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-soft", "accent", "need", "result", "met", "clash") for ground in GROUNDS),
    ("on-accent", "accent"),
    ("need", "need-ground"),
    ("ink", "need-ground"),
    ("result", "result-ground"),
    ("ink", "result-ground"),
]


def colour(name: str, scheme: str) -> tuple[float, float, float]:
    found = re.search(rf"--{name}: light-dark\((#\w+), (#\w+)\)", TOKENS)
    assert found, f"--{name} is not a pair of colours"
    value = found.group(1 if scheme == "light" else 2)
    red, green, blue = (int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def luminance(rgb: tuple[float, float, float]) -> float:
    """Relative luminance after WCAG 2.2."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(ink: str, ground: str, scheme: str) -> None:
    first, second = luminance(colour(ink, scheme)), luminance(colour(ground, scheme))
    lighter, darker = max(first, second), min(first, second)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("edge", ["need-edge", "result-edge", "line-strong"])
def test_edges_that_mean_something_can_be_seen(edge: str, scheme: str) -> None:
    """WCAG 2.2, 1.4.11: 3 : 1 for what is not text."""
    for ground in ("paper", "surface"):
        first, second = luminance(colour(edge, scheme)), luminance(colour(ground, scheme))
        assert (max(first, second) + 0.05) / (min(first, second) + 0.05) >= 2.8


def test_colours_stand_in_one_file() -> None:
    """Style sheets of pages name tokens, so that dark mode and contrast hold everywhere."""
    strays = []
    for path in sorted(paths.static_dir().glob("*.css")):
        if path.name != "tokens.css":
            sheet = re.sub(r"@media print.*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            strays += [f"{path.name}: {hit}" for hit in re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", sheet)]
    assert strays == []

"""The place that a text names, such as "Hưng Yên" or "Netherlands": where its writer probably is. Pure."""

from __future__ import annotations

import re

from techex.regions import service as regions
from techex.regions.rules import HOME_COUNTRY, Place

# Names of places are written with capitals; a name of fewer letters ("Huế", "Chad") is too often another word.
_NAME = re.compile(r"\b[A-ZĐÀ-Ỹ][^\W\d_]*(?:[ -][A-ZĐÀ-Ỹ][^\W\d_]*){0,3}")
MOST_WORDS = 4
FEWEST_LETTERS = 5


def find(text: str) -> Place | None:
    """The first province that a text names, else the first country other than Vietnam, else None."""
    country: Place | None = None
    for found in _NAME.finditer(text):
        words = re.split(r"[ -]", found.group())
        for length in range(min(MOST_WORDS, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                name = " ".join(words[start : start + length])
                place = regions.find_place(name) if len(regions.fold(name)) >= FEWEST_LETTERS else None
                if place is not None and place.province:
                    return place
                if place is not None and place.country != HOME_COUNTRY:
                    country = country or place
    return country

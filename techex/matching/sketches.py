"""What of a listing is compared when duplicates are looked for, made from its text alone. Pure.

A text becomes the set of its runs of five characters (hashed), which barely changes when sentences are moved, words
mistyped or accents left out. Sets that overlap are found without comparing every pair: each set leaves 32 marks, and
two sets with a Jaccard similarity of .5 have a mark in common with a probability of .87, of .8 with .9999, of .1 (two
texts of one language) with .003. (MinHash, Broder 1997; banding as in Leskovec, Rajaraman and Ullman, Mining of
Massive Datasets, section 3.4.)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from techex.core.text import folded
from techex.search.analysis import FOLDED, JOINED, terms

Hashes = NDArray[np.uint64]
Marks = NDArray[np.uint32]

# Five characters: shorter runs are shared by any two Vietnamese texts, longer ones are broken by a single slip.
RUN = 5
BANDS, ROWS = 32, 4
# Names what `Sketch` holds: sketches made by another version are made again.
SKETCH_VERSION = 1

# Multiply-shift hashing (Dietzfelbinger et al. 1997): odd multipliers and offsets, drawn once, the same everywhere.
_DRAWN = np.random.default_rng(20261121).integers(1, 2**63, (2, BANDS * ROWS), dtype=np.uint64)
_MULTIPLIERS, _OFFSETS = (_DRAWN[0] | np.uint64(1))[:, None], _DRAWN[1][:, None]
_PRIME = np.uint64(0x9E3779B97F4A7C15)

_FIGURE = re.compile(r"(?<![A-Za-z0-9])(?<!\d[.,])\d+(?:[.,\u00a0\u202f]\d+)*")
_DECIMAL_COMMA = frozenset({"vi", "id", "nl", "de", "fr", "es", "pt", "ru", "it"})


@dataclass(frozen=True)
class Sketch:
    """What finds the twins of a text among many: `exact` names its words, `head` (32,) marks title and summary,
    `whole` (32,) everything."""

    exact: bytes
    head: Marks
    whole: Marks


@dataclass(frozen=True)
class Portrait:
    """A listing as it is compared with another one."""

    listing_id: int
    organisation_id: int
    language: str
    title: str
    text: str  # everything it says, title and summary first

    @cached_property
    def exact(self) -> bytes:
        """Names the words of the text: equal for texts that differ in case, accents, spaces or punctuation only."""
        return _exact(self.text)

    @cached_property
    def runs(self) -> Hashes:
        """The runs of five characters, hashed, ascending."""
        return runs_of(self.text)

    @cached_property
    def figures(self) -> tuple[str, ...]:
        """Every figure in the text in reading order, written in one way."""
        return figures_of(self.text, self.language)

    @cached_property
    def words(self) -> frozenset[str]:
        """The terms of the whole text."""
        return frozenset(terms(self.text, self.language))

    @cached_property
    def title_words(self) -> frozenset[str]:
        """The terms of the title, without figures, pairs of syllables and forms without accents."""
        found = terms(self.title, self.language)
        return frozenset(t for t in found if t[0] != FOLDED and JOINED not in t and not t[0].isdigit())


def portrait(
    listing_id: int, organisation_id: int, language: str, title: str, summary: str, texts: Mapping[str, str]
) -> Portrait:
    """The portrait of a listing from its fields; `texts` are its long texts in reading order."""
    return Portrait(listing_id, organisation_id, language, title, "\n".join([title, summary, *texts.values()]))


def sketch(title: str, summary: str, texts: Iterable[str]) -> Sketch:
    """The sketch of a listing from its fields."""
    whole = "\n".join([title, summary, *texts])
    return Sketch(_exact(whole), marks_of(runs_of(f"{title}\n{summary}")), marks_of(runs_of(whole)))


def runs_of(text: str) -> Hashes:
    """(n,) uint64, ascending, each once: hashes of all runs of five characters of the folded text."""
    letters = np.frombuffer(folded(text).encode("utf-32-le"), np.uint32).astype(np.uint64)
    if len(letters) < RUN:
        return np.empty(0, np.uint64)
    hashes = np.zeros(len(letters) - RUN + 1, np.uint64)
    for place in range(RUN):
        hashes = (hashes ^ letters[place : place + len(hashes)]) * _PRIME
        hashes ^= hashes >> np.uint64(29)
    return np.unique(hashes)


def marks_of(runs: Hashes) -> Marks:
    """(32,) uint32: a number for each band of four minima; zeros for an empty text."""
    if not len(runs):
        return np.zeros(BANDS, np.uint32)
    least = (_MULTIPLIERS * runs + _OFFSETS).min(axis=1).reshape(BANDS, ROWS)
    mixed = np.zeros(BANDS, np.uint64)
    for row in range(ROWS):
        mixed = (mixed ^ least[:, row]) * _PRIME
        mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(32)).astype(np.uint32)


def figures_of(text: str, language: str) -> tuple[str, ...]:
    """The figures of a text as plain decimals ("1.200" in Vietnamese and "1,200" in English are both "1200")."""
    return tuple(_figure(found.group(), language) for found in _FIGURE.finditer(text))


def _figure(written: str, language: str) -> str:
    decimal, thousands = (",", ".") if language in _DECIMAL_COMMA else (".", ",")
    plain = re.sub(r"[\u00a0\u202f]", "", written)
    if re.fullmatch(rf"\d{{1,3}}(?:\{thousands}\d{{3}})+(?:\{decimal}\d+)?", plain):
        plain = plain.replace(thousands, "")
    elif len(re.findall(r"[.,]", plain)) > 1:  # a date, a version, a list: its digits name it
        return plain
    whole, _, part = plain.replace(",", ".").partition(".")
    part = part.rstrip("0")
    return f"{int(whole)}.{part}" if part else str(int(whole))


@lru_cache(maxsize=100_000)
def significand(figure: str) -> str:
    """The digits of a figure without its scale: 1200000 and 1.2 (million) are both "12"."""
    return figure.replace(".", "").replace(",", "").strip("0") or "0"


def _exact(text: str) -> bytes:
    return hashlib.sha256(folded(text).encode()).digest()[:16]

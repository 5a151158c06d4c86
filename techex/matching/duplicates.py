"""Whether two listings are the same one listed twice. Pure: texts and likenesses in, a finding out.

Nothing is merged by a finding; it is shown to a person. What is looked at, in this order:

1. *exact*: the same words; case, accents, spaces and punctuation do not count;
2. *near*: one language, and most of the shorter text is in the longer one (moved, shortened, mistyped);
3. *semantic*: other words or another language, far more alike than two random listings of these two languages, and the
   same figures. Figures are what two descriptions of one thing share and descriptions of two things do not: of 37,128
   pairs of demo listings no two share more than .64 of them (weighted), of 58 retold or translated ones none less
   than .99.

Two texts that are nearly the same and yet speak of something else are a *variant*: another size of one machine (both
have figures that the other has not), or one process for another crop (the title says another word, the old one is gone
from the whole text, and title with summary have moved away). Variants are told apart, never reported as duplicates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from techex.core.vocabulary import N_
from techex.matching.sketches import Hashes, Marks, Portrait, significand

# Share of the shorter text's runs that are in the longer one. Two different demo listings of one language share .32 at
# most; shortened, reordered, mistyped and reworded copies .81 and more.
NEAR = 0.50
# From here on it is a copy with slips and single words replaced: every figure and every word of the title counts.
COPY = 0.80
# A text of fewer runs is too short to be told by them.
FEWEST_RUNS = 40
# Title and summary of a copy with other words of the same meaning stay above this cosine, with another crop, material
# or machine below (32 of 32 replaced by hand: .69 to .92; 54 of 65 reworded: above).
SAME_SUBJECT = 0.93
# A word with so many letters in common with one of the other title is a slip of the pen (longan, lognan; but fluoride
# and chloride .75).
SAME_WORD = 0.80

# Semantic duplicates, in standard deviations above random pairs of the two languages. One language: retold listings
# lie at 4.9 to 7.5, different ones reach 5.4, so the figures decide between. Across languages translations lie at 2.5
# to 6.7, and none of 37,128 pairs above 2 shares its figures.
ALIKE_ONE_LANGUAGE = 4.0
ALIKE_ACROSS = 2.0
# Where there are too few figures to tell, both must come from one organisation and be more alike than any two here.
ALIKE_WITHOUT_FIGURES = 6.0
# Weighted share of the figures of the text with fewer, and the least weight of shared ones: two figures of two digits
# in one language, four or five where the likeness says less.
SAME_FIGURES = 0.80
TELLING_ONE_LANGUAGE = 4.0
TELLING_ACROSS = 10.0
# A figure counts as much as it has digits, a one-digit figure (and 10, 500, .5) almost nothing: any two texts share it.
ONE_DIGIT = 0.3
# A difference of one-digit figures is not another size in a retold text: "twenty" is written "20".
SLIP = 1.0

# A text that is listed so often is not compared pair by pair any more: 5,000 equal rows would be 12 million pairs.
CROWD = 50

# Likeness to random pairs: what is known of a pair of languages counts as much as what is known of all together when
# it has this many pairs.
NULL_PRIOR = 200


class Verdict(StrEnum):
    """What two listings are to each other; a pair that is none of these is nothing."""

    EXACT = "exact"
    NEAR = "near"
    SEMANTIC = "semantic"
    VARIANT = "variant"

    @property
    def is_duplicate(self) -> bool:
        """True for the same listing twice; a variant is another listing."""
        return self is not Verdict.VARIANT


VERDICTS: Mapping[Verdict, str] = {
    Verdict.EXACT: N_("the same words"),
    Verdict.NEAR: N_("nearly the same text"),
    Verdict.SEMANTIC: N_("the same content in other words"),
    Verdict.VARIANT: N_("nearly the same text about something else"),
}


@dataclass(frozen=True)
class Alike:
    """How alike two listings are by their vectors: `whole` in standard deviations above random pairs of the two
    languages, `head` the centred cosine of title and summary."""

    whole: float
    head: float


@dataclass(frozen=True)
class Finding:
    """What was found about two listings, with what speaks against it: figures and title words only one of them has."""

    verdict: Verdict
    shared: float  # exact, near and variant: share of the shorter text in the other; semantic: share of its figures
    same_organisation: bool
    figures: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    words: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


def compare(first: Portrait, second: Portrait, alike: Alike | None) -> Finding | None:
    """What two listings of one kind are to each other; None when they are simply two. `alike` None: without vectors."""
    ours = first.organisation_id == second.organisation_id
    if first.exact == second.exact:
        return Finding(Verdict.EXACT, 1.0, ours)
    one_language = first.language == second.language
    if one_language:
        shared = _shared(first.runs, second.runs)
        if shared >= NEAR:
            return _near(first, second, alike, shared, ours)
    return _semantic(first, second, alike, one_language, ours) if alike else None


def _near(first: Portrait, second: Portrait, alike: Alike | None, shared: float, ours: bool) -> Finding:
    copied = shared >= COPY
    figures = _only(first.figures, second.figures) if copied else _only(set(first.figures), set(second.figures))
    if all(figures):
        return Finding(Verdict.VARIANT, shared, ours, figures)
    if copied and (alike is None or alike.head < SAME_SUBJECT) and any(words := swapped(first, second)):
        return Finding(Verdict.VARIANT, shared, ours, words=words)
    return Finding(Verdict.NEAR, shared, ours, figures)


def _semantic(first: Portrait, second: Portrait, alike: Alike, one_language: bool, ours: bool) -> Finding | None:
    if alike.whole < (ALIKE_ONE_LANGUAGE if one_language else ALIKE_ACROSS):
        return None
    # "1.2 million" in one language may be "1,200,000" in the other.
    sets = [set(each.figures) if one_language else set(map(significand, each.figures)) for each in (first, second)]
    common, fewer = _weight(sets[0] & sets[1]), min(map(_weight, sets))
    telling = TELLING_ONE_LANGUAGE if one_language else TELLING_ACROSS
    if fewer < telling and not (ours and alike.whole >= ALIKE_WITHOUT_FIGURES):
        return None
    if common < min(telling, fewer) or common < SAME_FIGURES * fewer:
        return None
    only = _only(*sets)
    verdict = Verdict.VARIANT if one_language and min(map(_weight, only)) >= SLIP else Verdict.SEMANTIC
    return Finding(verdict, common / fewer if fewer else 0.0, ours, only)


def swapped(first: Portrait, second: Portrait) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Title words of one listing that are gone from the whole other one, and those its title has in their place.

    Both empty where nothing was replaced; slips of the pen do not count.
    """
    gone, new = _replaced(first, second)
    if not (gone and new):
        new, gone = _replaced(second, first)
    return (gone, new) if gone and new else ((), ())


def _replaced(first: Portrait, second: Portrait) -> tuple[tuple[str, ...], tuple[str, ...]]:
    gone = first.title_words - second.words
    new = second.title_words - first.title_words
    return (
        tuple(sorted(word for word in gone if not _like_any(word, new))),
        tuple(sorted(word for word in new if not _like_any(word, gone))),
    )


def _like_any(word: str, others: Iterable[str]) -> bool:
    return any(SequenceMatcher(None, word, other).quick_ratio() >= SAME_WORD for other in others)


def _shared(first: Hashes, second: Hashes) -> float:
    fewer = min(len(first), len(second))
    return len(np.intersect1d(first, second, assume_unique=True)) / fewer if fewer >= FEWEST_RUNS else 0.0


def _only(first: Iterable[str], second: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What each has more of than the other."""
    one, other = Counter(first), Counter(second)
    return tuple(sorted((one - other).elements())), tuple(sorted((other - one).elements()))


def _weight(figures: Iterable[str]) -> float:
    digits = [len(significand(figure)) for figure in figures]
    return sum(count if count > 1 else ONE_DIGIT for count in digits)


class Null:
    """How alike random listings of two languages are: what a cosine of theirs is compared with."""

    def __init__(self, moments: Mapping[tuple[str, str], tuple[float, float]], pooled: tuple[float, float]) -> None:
        self._moments, self._pooled = moments, pooled

    @classmethod
    def of(cls, vectors: NDArray[np.floating], languages: Sequence[str]) -> Null | None:
        """From the centred unit vectors (n, d) of a random sample of listings; None from fewer than three."""
        if len(vectors) < 3:
            return None
        cosines = vectors @ vectors.T
        places = defaultdict(list)
        for place, language in enumerate(languages):
            places[language].append(place)
        sums: dict[tuple[str, str], tuple[int, float, float]] = {}
        for one, rows in places.items():
            for other, columns in places.items():
                if one > other:
                    continue
                block = cosines[np.ix_(rows, columns)]
                values = block[np.triu_indices(len(rows), 1)] if one == other else block.ravel()
                sums[one, other] = len(values), float(values.sum()), float((values**2).sum())
        count, total, squares = (sum(column) for column in zip(*sums.values(), strict=True))
        pooled = total / count, squares / count
        moments = {}
        for pair, (n, values_sum, squares_sum) in sums.items():
            mean, square = (
                (found + NULL_PRIOR * prior) / (n + NULL_PRIOR)
                for found, prior in zip((values_sum, squares_sum), pooled, strict=True)
            )
            moments[pair] = mean, _spread(mean, square)
        return cls(moments, (pooled[0], _spread(*pooled)))

    def above(self, cosine: float, one: str, other: str) -> float:
        """By how many standard deviations a cosine lies above random pairs of these languages."""
        mean, spread = self._moments.get((min(one, other), max(one, other)), self._pooled)
        return (cosine - mean) / spread


def _spread(mean: float, square: float) -> float:
    # A sample of equal texts has no spread; a tiny one keeps the ratio finite without making anything alike.
    return float(np.sqrt(max(square - mean**2, 1e-6)))


def sharing_marks(
    ids: NDArray[np.int64], marks: Sequence[Marks], wanted: NDArray[np.bool_]
) -> Iterator[tuple[int, int]]:
    """Pairs (smaller id, larger id) of listings with a mark in common, at least one of them `wanted` (n,).

    `ids` ascend; `marks` are tables (n, 32) of marks; a row of zeros has none. A pair may come more than once.
    """
    for band in (band for table in marks for band in table.T):
        order = np.argsort(band, kind="stable")
        values = band[order]
        starts = np.flatnonzero(np.diff(values, prepend=values[:1] + 1)) if len(values) else order
        ends = np.append(starts[1:], len(order))
        for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
            group = order[start:end]
            if values[start] == 0:
                continue
            for new in group[wanted[group]]:
                # Members of a crowd are all paired with its eldest, not each with each.
                others = group if len(group) <= CROWD else group[:1]
                for other in others[others != new]:
                    yield min(int(ids[new]), int(ids[other])), max(int(ids[new]), int(ids[other]))

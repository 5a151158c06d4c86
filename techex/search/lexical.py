"""Keyword scores: BM25 over terms that `analysis` made, for all listings of a partition at once.

The score of a listing d for terms t of weight w (Robertson and Zaragoza 2009, with the never negative idf of Lucene):

    sum over t of  w(t) * idf(t) * tf * (K1 + 1) / (tf + K1 * (1 - B + B * length(d) / mean length))
    idf(t) = ln(1 + (N - df + 0.5) / (df + 0.5))

Counts are always those of the listings that are there now: what was withdrawn or lies in another partition leaves no
trace in a score. One pass over the postings gives every listing's score, so that a filter, the best k and the scores of
a given list of candidates all cost next to nothing afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from techex.search.dense import BoolArray
from techex.search.names import UNKNOWN, Vocabulary
from techex.search.postings import Postings, Run

K1 = 1.2  # how soon repetition stops counting: the customary value; 0.9 to 1.6 differ by less than 0.005 nDCG
B = 0.75  # how much a long text is held back: the customary value

Terms = Mapping[str, float]  # term -> weight, usually how often it was said
ScoreArray = NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """Postings together with the rows of them that still stand; None for all."""

    postings: Postings
    alive: BoolArray | None

    @property
    def count(self) -> int:
        """How many rows stand."""
        return len(self.postings.lengths) if self.alive is None else int(np.count_nonzero(self.alive))

    @property
    def length(self) -> float:
        """Terms in all rows that stand."""
        lengths = self.postings.lengths if self.alive is None else self.postings.lengths[self.alive]
        return float(lengths.sum(dtype=np.float64))


@dataclass(frozen=True)
class LexicalScores:
    """What one set of terms gives: a score for every row of each part, in the order of the parts."""

    by_part: tuple[ScoreArray, ...]
    idf: Mapping[str, float]  # of the terms that occur in the partition
    rarest: float  # the idf of a term that does not
    bound: float  # no listing can score more: (K1 + 1) * sum of weight * idf over these terms


def score(parts: Sequence[Part], terms: Terms, vocabulary: Vocabulary) -> LexicalScores:
    """BM25 of every row for `terms`; statistics are taken over the standing rows of all parts together."""
    asked = [(term, weight) for term, weight in terms.items() if weight > 0]
    numbers = vocabulary.numbers([term for term, _ in asked])
    known = [item for item, number in zip(asked, numbers.tolist(), strict=True) if number != UNKNOWN]
    numbers = numbers[numbers != UNKNOWN]
    total = sum(part.count for part in parts)
    found = [list(_found(part.postings, numbers)) for part in parts]
    frequencies = np.zeros(len(known))
    for part, blocks in zip(parts, found, strict=True):
        _count(frequencies, part, blocks)
    idf = np.log1p((total - frequencies + 0.5) / (frequencies + 0.5))
    weights = np.array([weight for _, weight in known]) * idf * (K1 + 1)
    weights[frequencies == 0] = 0
    mean = sum(part.length for part in parts) / max(total, 1)
    by_part = tuple(_scores(part.postings, blocks, weights, mean) for part, blocks in zip(parts, found, strict=True))
    said = {term: float(value) for (term, _), value, often in zip(known, idf, frequencies, strict=True) if often}
    return LexicalScores(by_part, said, float(np.log1p((total + 0.5) / 0.5)), float(weights.sum()))


@dataclass(frozen=True)
class _Block:
    """What one block of rows holds of the terms asked for."""

    rows: slice
    once: Sequence[Run]
    several: Sequence[Run]


def _found(postings: Postings, numbers: NDArray[np.int32]) -> Iterator[_Block]:
    for block, rows in postings.spans():
        yield _Block(rows, postings.once.runs(block, numbers), postings.several.runs(block, numbers))


def _count(frequencies: NDArray[np.float64], part: Part, blocks: Sequence[_Block]) -> None:
    """Add how many standing rows hold each term."""
    for block in blocks:
        for layer, runs in ((part.postings.once, block.once), (part.postings.several, block.several)):
            if part.alive is None:
                for run in runs:
                    frequencies[run.place] += run.end - run.begin
            else:
                stands = part.alive[block.rows]
                for run in runs:
                    frequencies[run.place] += np.count_nonzero(stands.take(layer.rows[run.begin : run.end]))


def _scores(postings: Postings, blocks: Sequence[_Block], weights: NDArray[np.float64], mean: float) -> ScoreArray:
    held_back = (K1 * (1 - B) + postings.lengths * np.float32(K1 * B / max(mean, 1e-9))).astype(np.float32)
    scores, gains = np.zeros(len(postings.lengths), np.float32), weights.astype(np.float32)
    once, several = postings.once, postings.several
    for block in blocks:
        # A row stands once among the postings of a term: `add.at` is only the quickest way to read, add and write.
        here, held = scores[block.rows], held_back[block.rows]
        for run in block.once:
            np.add.at(here, once.rows[run.begin : run.end].astype(np.intp), gains[run.place])
        here /= 1 + held  # what repetition adds is the same for all that is said once
        for run in block.several:
            rows = several.rows[run.begin : run.end].astype(np.intp)
            often = several.counts[run.begin : run.end].astype(np.float32)
            np.add.at(here, rows, gains[run.place] * (often / (often + held.take(rows))))
    return scores

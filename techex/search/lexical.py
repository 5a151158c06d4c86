"""Keyword scores: BM25 over terms that `analysis` made, for all listings of a partition at once.

The score of a listing d for terms t of weight w (Robertson and Zaragoza 2009, with the never negative idf of Lucene):

    sum over t of  w(t) * idf(t) * tf * (K1 + 1) / (tf + K1 * (1 - B + B * length(d) / mean length))
    idf(t) = ln(1 + (N - df + 0.5) / (df + 0.5))

Counts are always those of the listings that are there now: what was withdrawn or lies in another partition leaves no
trace in a score. One pass over the postings gives every listing's score, so that a filter, the best k and the scores of
a given list of candidates all cost next to nothing afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from techex.search.dense import BoolArray, IntArray
from techex.search.names import Names

K1 = 1.2  # how soon repetition stops counting: the customary value; 0.9 to 1.6 differ by less than 0.005 nDCG
B = 0.75  # how much a long text is held back: the customary value
_MOST_REPEATED = np.iinfo(np.uint8).max  # beyond it, repetition has long stopped counting

Terms = Mapping[str, float]  # term -> weight, usually how often it was said
ScoreArray = NDArray[np.float32]


@dataclass(frozen=True)
class TermCounts:
    """The terms of one listing: numbers (ascending, distinct) and how often each occurs."""

    terms: NDArray[np.int32]
    counts: NDArray[np.uint8]

    @classmethod
    def of(cls, counts: Mapping[str, int], vocabulary: Names) -> TermCounts:
        """Number the terms, adding new ones to the vocabulary."""
        terms = np.array([vocabulary.add(term) for term in counts], np.int32)
        often = np.minimum(np.fromiter(counts.values(), np.int64, len(counts)), _MOST_REPEATED).astype(np.uint8)
        order = np.argsort(terms)
        return cls(terms[order], often[order])


class Postings:
    """For each term the rows (listings) that hold it and how often; immutable."""

    def __init__(
        self,
        terms: NDArray[np.int32],
        starts: IntArray,
        rows: NDArray[np.int32],
        counts: NDArray[np.uint8],
        lengths: NDArray[np.float32],
    ) -> None:
        self.terms, self.starts = terms, starts  # (t,) ascending; (t + 1,)
        self.rows, self.counts = rows, counts  # (p,) sorted by term
        self.lengths = lengths  # (n,) terms of each row, repetitions counted

    @classmethod
    def build(cls, texts: Sequence[TermCounts]) -> Postings:
        """From the terms of rows 0 to n - 1."""
        sizes = [len(text.terms) for text in texts]
        rows = np.repeat(np.arange(len(texts), dtype=np.int32), sizes)
        terms = np.concatenate([text.terms for text in texts]) if texts else np.empty(0, np.int32)
        counts = np.concatenate([text.counts for text in texts]) if texts else np.empty(0, np.uint8)
        lengths = np.array([int(text.counts.sum(dtype=np.int64)) for text in texts], np.float32)
        return cls._sorted(terms, rows, counts, lengths)

    @classmethod
    def _sorted(
        cls,
        terms: NDArray[np.int32],
        rows: NDArray[np.int32],
        counts: NDArray[np.uint8],
        lengths: NDArray[np.float32],
    ) -> Postings:
        order = np.argsort(terms, kind="stable")  # two sorted runs, as in a merge, cost one pass
        terms = terms[order]
        distinct, starts = np.unique(terms, return_index=True)
        return cls(distinct, np.append(starts, len(terms)), rows[order], counts[order], lengths)

    def merged(self, keep: BoolArray, other: Postings, where: IntArray, where_other: IntArray) -> Postings:
        """The rows in `keep` (n,) and all rows of `other` together.

        `where` gives the new row of every old one (without meaning for those not kept), `where_other` of the others.
        """
        kept = keep[self.rows]
        terms = np.concatenate([self.term_of_each()[kept], other.term_of_each()])
        rows = np.concatenate([where[self.rows[kept]], where_other[other.rows]]).astype(np.int32)
        counts = np.concatenate([self.counts[kept], other.counts])
        lengths = np.empty(np.count_nonzero(keep) + len(other.lengths), np.float32)
        lengths[where[keep]] = self.lengths[keep]
        lengths[where_other] = other.lengths
        return self._sorted(terms, rows, counts, lengths)

    def term_of_each(self) -> NDArray[np.int32]:
        """(p,) the term of each posting."""
        return np.repeat(self.terms, np.diff(self.starts))

    def spans(self, terms: NDArray[np.int32]) -> tuple[IntArray, IntArray]:
        """(m,) where the postings of each term begin and end; an empty span for a term that does not occur."""
        if not len(self.terms):
            nowhere = np.zeros(len(terms), np.int64)
            return nowhere, nowhere
        at = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        here = self.terms[at] == terms
        return np.where(here, self.starts[at], 0), np.where(here, self.starts[at + 1], 0)

    def parts(self) -> Mapping[str, NDArray[Any]]:
        """What a snapshot keeps; the arguments of the constructor by name."""
        names = ("terms", "starts", "rows", "counts", "lengths")
        return {name: getattr(self, name) for name in names}

    @property
    def resident_bytes(self) -> int:
        """Bytes of memory the postings hold."""
        return sum(array.nbytes for array in self.parts().values())


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


def score(parts: Sequence[Part], terms: Terms, vocabulary: Names) -> LexicalScores:
    """BM25 of every row for `terms`; statistics are taken over the standing rows of all parts together."""
    known = [(term, vocabulary.number(term), weight) for term, weight in terms.items() if weight > 0]
    known = [item for item in known if item[1] >= 0]
    numbers = np.array([number for _, number, _ in known], np.int32)
    total = sum(part.count for part in parts)
    spans = [part.postings.spans(numbers) for part in parts]
    frequencies = np.zeros(len(known))
    for part, span in zip(parts, spans, strict=True):
        frequencies += _frequencies(part, *span)
    idf = np.log1p((total - frequencies + 0.5) / (frequencies + 0.5))
    weights = np.array([weight for *_, weight in known]) * idf * (K1 + 1)
    weights[frequencies == 0] = 0
    mean = sum(part.length for part in parts) / max(total, 1)
    by_part = tuple(_scores(part, *span, weights, mean) for part, span in zip(parts, spans, strict=True))
    said = {term: float(value) for (term, *_), value, often in zip(known, idf, frequencies, strict=True) if often}
    return LexicalScores(by_part, said, float(np.log1p((total + 0.5) / 0.5)), float(weights.sum()))


def _frequencies(part: Part, begins: IntArray, ends: IntArray) -> NDArray[np.float64]:
    if part.alive is None:
        return (ends - begins).astype(np.float64)
    rows, alive = part.postings.rows, part.alive
    spans = zip(begins, ends, strict=True)
    return np.array([np.count_nonzero(alive[rows[begin:end]]) for begin, end in spans], np.float64)


def _scores(part: Part, begins: IntArray, ends: IntArray, weights: NDArray[np.float64], mean: float) -> ScoreArray:
    postings = part.postings
    held_back = (K1 * (1 - B + B * postings.lengths / max(mean, 1e-9))).astype(np.float32)
    scores = np.zeros(len(postings.lengths), np.float32)
    for begin, end, weight in zip(begins, ends, weights.astype(np.float32), strict=True):
        # A row stands once among the postings of a term, so reading, adding and writing back loses nothing.
        rows = postings.rows[begin:end].astype(np.intp)
        often = postings.counts[begin:end].astype(np.float32)
        gain = held_back.take(rows)
        gain += often
        np.divide(often, gain, out=gain)
        gain *= weight
        gain += scores.take(rows)
        scores[rows] = gain
    return scores

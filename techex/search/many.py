"""Keyword scores of many queries over one partition at once, by products of sparse and dense matrices.

The same scores as `Partition.keywords` gives one query, up to rounding: for batches, where reading the postings anew
for each of ten thousand queries would be most of the work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from techex.search.dense import FloatArray, IntArray
from techex.search.lexical import K1, B, LexicalScores, Terms
from techex.search.partitions import Keywords, Partition

# Terms that more of the listings hold are multiplied as dense rows: of 10,000 listings, .44 of the time that 2 % takes.
DENSE_FROM = 0.1


@dataclass(frozen=True)
class AskedTerms:
    """A query as a table takes it: numbers (t,) of its terms that occur, their weights (t,), and their idf by term."""

    numbers: IntArray
    weights: NDArray[np.float64]
    idf: Mapping[str, float]


class KeywordTable:
    """What every term of a partition is worth in every listing: a column for each row of base and recent part."""

    def __init__(self, partition: Partition) -> None:
        from scipy import sparse  # only batches need to wait for it

        self._partition, self._vocabulary = partition, partition.tables.vocabulary
        self._numbers: dict[str, int] = {}  # of terms that were asked for: needs use the same words
        parts = [(segment.postings, alive) for segment, alive in partition.standing()]
        total = sum(int(np.count_nonzero(alive)) for _, alive in parts)
        length = sum(float(postings.lengths[alive].sum(dtype=np.float64)) for postings, alive in parts)
        mean = max(length / max(total, 1), 1e-9)
        sizes = [len(postings.lengths) for postings, _ in parts]
        self._ends = np.cumsum(sizes)[:-1]
        terms, columns, values = [], [], []
        for (postings, alive), first in zip(parts, np.cumsum([0, *sizes]).tolist(), strict=False):
            held_back = (K1 * (1 - B + B * postings.lengths / mean)).astype(np.float32)
            held, rows, often = postings.listed()
            stands = alive[rows]
            rows, often = rows[stands], often[stands].astype(np.float32)
            terms.append(held[stands])
            columns.append(rows + first)
            values.append(often / (often + held_back[rows]))
        self._terms = 1 + max((int(some.max()) for some in terms if len(some)), default=0)
        table = sparse.csr_matrix(
            (np.concatenate(values), (np.concatenate(terms), np.concatenate(columns))),
            shape=(self._terms, sum(sizes)),
            dtype=np.float32,
        )
        held = np.diff(table.indptr)
        self._idf: NDArray[np.float64] = np.where(held > 0, np.log1p((total - held + 0.5) / (held + 0.5)), 0)
        self._rarest = float(np.log1p((total + 0.5) / 0.5))
        self._frequent = np.flatnonzero(held > max(1, DENSE_FROM * total))
        self._dense: FloatArray = table[self._frequent].toarray()
        rare = np.ones(self._terms, np.float32)
        rare[self._frequent] = 0
        self._rare: Any = sparse.diags_array(rare).tocsr() @ table
        self._rare.eliminate_zeros()

    def columns(self, listing_ids: IntArray) -> IntArray:
        """(n,) the columns of these listings, which must be here."""
        found = np.empty(len(listing_ids), np.int64)
        first = 0
        for segment, alive in self._partition.standing():
            places, rows = segment.rows_of(listing_ids)
            places, rows = places[alive[rows]], rows[alive[rows]]
            found[places] = rows + first
            first += len(segment.ids)
        return found

    def asked(self, terms: Terms) -> AskedTerms:
        """The terms of a query that occur here."""
        unknown = [term for term in terms if term not in self._numbers]
        if unknown:
            self._numbers |= zip(unknown, self._vocabulary.numbers(unknown).tolist(), strict=True)
        numbers = np.fromiter(map(self._numbers.__getitem__, terms), np.int64, len(terms))
        weights = np.fromiter(terms.values(), np.float64, len(terms))
        known = (numbers >= 0) & (numbers < self._terms) & (weights > 0)
        numbers[~known] = 0
        idf = self._idf[numbers]
        known &= idf > 0
        said = [term for term, here in zip(terms, known.tolist(), strict=True) if here]
        return AskedTerms(
            numbers[known], weights[known] * idf[known] * (K1 + 1), dict(zip(said, idf[known].tolist(), strict=True))
        )

    def scores(self, queries: Sequence[AskedTerms]) -> FloatArray:
        """(q, columns) BM25 of every listing for every query."""
        from scipy import sparse

        asked = sparse.csr_matrix(
            (
                np.concatenate([query.weights for query in queries]).astype(np.float32),
                np.concatenate([query.numbers for query in queries]),
                np.cumsum([0, *(len(query.numbers) for query in queries)]),
            ),
            shape=(len(queries), self._terms),
        )
        found: FloatArray = (asked @ self._rare).toarray()
        found += asked[:, self._frequent].toarray() @ self._dense
        return found

    def keywords(self, query: AskedTerms, scores: FloatArray) -> Keywords:
        """One row of `scores` as the keyword scores of its query."""
        by_part = tuple(np.split(scores, self._ends))
        return Keywords(self._partition, LexicalScores(by_part, query.idf, self._rarest, float(query.weights.sum())))

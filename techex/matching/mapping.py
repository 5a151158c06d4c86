"""A low-rank turn of query vectors, learned from pairs that people judged. Pure functions of arrays.

    turned(q) = unit(q + q down up)            down (d, r), up (r, d); r = 0 would change nothing

Listings keep their vectors, so learning costs no embedding and no new index, and undoing it costs nothing at all. The
turn is the ridge regression of what a need's vector should have been on what it is, anchored at the identity:

    M = argmin  sum_i w_i | q_i + q_i M - t_i |^2 + firmness | M |^2,   t_i = fit - PUSH * mean of the refused

and M is cut to its RANK largest singular directions (Eckart and Young 1936).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from techex.embedding.centring import unit
from techex.search.dense import FloatArray

# More directions than a few hundred pairs can speak for would only hold noise.
RANK = 32
# How far the target lies from offers that were refused for the same need, as a share of the distance to the fit. With
# it the mixed XQuAD sets gain .002 to .006 nDCG@10 more than without; refusals among the best are the hardest examples.
PUSH = 1.0


@dataclass(frozen=True)
class QueryMap:
    """A turn of the space: `down` (d, r) and `up` (r, d), float32."""

    down: FloatArray
    up: FloatArray

    def turned(self, vectors: FloatArray) -> FloatArray:
        """(n, d) centred unit rows of needs -> (n, d) unit rows; a zero row stays zero."""
        return unit((vectors + (vectors @ self.down) @ self.up).astype(np.float32))

    @property
    def transposed(self) -> QueryMap:
        """The turn for offers that look for needs: the product of a turned offer with a need is, but for the length,
        that of the turned need with the offer."""
        return QueryMap(self.up.T.astype(np.float32), self.down.T.astype(np.float32))


@dataclass(frozen=True)
class Lessons:
    """What a map is learned from: `queries` (n, d), the `targets` (n, d) they should have lain at, `weights` (n,)."""

    queries: FloatArray
    targets: FloatArray
    weights: FloatArray

    def __len__(self) -> int:
        return len(self.queries)


def lessons_of(query: FloatArray, fits: FloatArray, grades: FloatArray, refused: FloatArray) -> Lessons:
    """What one need teaches: its vector (d,), the fitting offers (f, d) with their grades (f,), the refused (m, d).

    A need with refusals only is pushed away from them.
    """
    away = PUSH * refused.mean(axis=0) if len(refused) else np.zeros_like(query)
    if len(fits):
        return Lessons(np.repeat(query[None], len(fits), axis=0), fits - away, grades.astype(np.float32))
    if len(refused):
        return Lessons(query[None], (query - away)[None], np.ones(1, np.float32))
    return Lessons(query[None][:0], query[None][:0], np.ones(0, np.float32))


def together(lessons: list[Lessons]) -> Lessons:
    """The lessons of several needs in one; at least one must be given."""
    return Lessons(
        np.concatenate([each.queries for each in lessons]),
        np.concatenate([each.targets for each in lessons]),
        np.concatenate([each.weights for each in lessons]),
    )


def fit_map(lessons: Lessons, firmness: float, rank: int = RANK) -> QueryMap:
    """The map for these lessons; the greater `firmness` (> 0), the nearer to the identity."""
    from scipy.linalg import solve, svd  # only learning needs to wait for it

    roots = np.sqrt(lessons.weights.astype(np.float64))[:, None]
    queries = roots * lessons.queries
    residuals = roots * (lessons.targets.astype(np.float64) - lessons.queries)
    spread = queries.T @ queries
    spread[np.diag_indices_from(spread)] += firmness
    full = solve(spread, queries.T @ residuals, assume_a="pos")
    # gesvd: the divide-and-conquer default may fail to converge on matrices of low rank such as these.
    left, values, right = svd(full, full_matrices=False, lapack_driver="gesvd")
    return QueryMap((left[:, :rank] * values[:rank]).astype(np.float32), right[:rank].astype(np.float32))

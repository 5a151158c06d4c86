"""Figures of ranked lists against judgments. Pure.

As trec_eval computes them: gains are the judged grades themselves, a document without judgment has grade 0, and a query
counts only if at least one document is judged good for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

Grades = Mapping[str, int]


def ndcg(ranked: Sequence[str], grades: Grades, at: int = 10) -> float:
    """Normalised discounted cumulative gain of the first `at` (Järvelin and Kekäläinen 2002), 0 to 1."""
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)
    ideal = _discounted(best[:at])
    return _discounted([max(grades.get(document, 0), 0) for document in ranked[:at]]) / ideal if ideal else 0.0


def reciprocal_rank(ranked: Sequence[str], grades: Grades, at: int = 10) -> float:
    """One divided by the place of the first good document; 0 when none is among the first `at`."""
    return next((1 / place for place, document in enumerate(ranked[:at], 1) if grades.get(document, 0) > 0), 0.0)


def recall(ranked: Sequence[str], grades: Grades, at: int) -> float:
    """Share of the good documents that are among the first `at`."""
    good = {document for document, grade in grades.items() if grade > 0}
    return len(good.intersection(ranked[:at])) / len(good) if good else 0.0


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(place + 1) for place, gain in enumerate(gains, 1))

"""Which sentence of an offer answers which requirement of a need: meaning, shared words and figures in one score. Pure.

Both texts are about the same thing, so their sentences all look alike to an encoder. What tells them apart is left
when each side's mean vector is taken off, and when a sentence that resembles every requirement loses that much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from techex.matching.requirements import Requirement
from techex.matching.statements import Statement, words_in
from techex.quantities.agreement import comparable, compare
from techex.quantities.measured import kinds_of
from techex.quantities.reading import Quantity
from techex.quantities.words import Relation

Vectors = NDArray[np.float32]
Scores = NDArray[np.float64]

# The weights below were set while looking at 203 hand-made citations over 42 demo pairs; figures are of all of them, no
# part was kept unseen. Words from .2 to .4 with figures from .15 to .3 moved the share of right ones by 2 points.
# A few sentences have no mean worth taking off: it counts n / (n + this).
SENTENCES_FOR_A_MEAN = 3
# How much of its mean likeness to all requirements a clause loses: right citations 74 % at 0, 76 % at .4, 77 % at .7.
HUBNESS = 0.7
SMALLEST_LENGTH = 1e-9  # a vector that is its own mean stays nothing
# Words in common, counted by how rare they are among the sentences: names and cognates across languages, terms within
# one. 1 where all of a requirement's words are there.
WORDS_WEIGHT = 0.3
MOST_SHARED = 2.0
# A figure of the same kind: citations 69 % right without it, 77 % with it.
FIGURES_WEIGHT = 0.25
SAME_KIND = 0.7  # both name the thing measured
SATISFIES = 0.2  # of two figures that may be meant, the one that fits is cited
BARE = 0.5  # a figure without a bound is often a condition ("at 4 °C") and not what is asked
OTHER_CURRENCY = 0.5  # prices in two currencies answer each other, though they cannot be compared here
CROWDED = 0.1  # percentages are everywhere: each further sentence with such a figure makes it less telling


@dataclass(frozen=True)
class Alignment:
    """Scores (requirements, statements), the likeness of every requirement to every clause of each statement within the
    pair, and (requirements, statements) how alike they are in the world."""

    scores: Scores
    clauses: tuple[tuple[Scores, ...], ...]
    world: Scores

    def likeness(self, requirement: int, statement: int, clause: int) -> float:
        """How near a clause is to a requirement, by meaning alone."""
        return float(self.clauses[requirement][statement][clause])


def align(
    requirements: Sequence[Requirement],
    statements: Sequence[Statement],
    asked: Vectors,
    clauses: Vectors,
    world: Vectors,
) -> Alignment:
    """The alignment of all pairs.

    From vectors (r, d) of the requirements and (c, d) of the statements' clauses, and (r, c) how alike they are among
    all texts of the exchange.
    """
    own, theirs = _apart(asked), _apart(clauses)
    likeness = theirs @ own.T
    likeness = (likeness - HUBNESS * likeness.mean(axis=1, keepdims=True)).T
    borders = np.cumsum([0, *(len(statement.clauses) for statement in statements)])
    pieces = tuple(tuple(row[start:end] for start, end in pairwise(borders)) for row in likeness)
    meaning, anywhere = (np.maximum.reduceat(each, borders[:-1], axis=1) for each in (likeness, world))
    shared = np.array([_shared_words(requirement, statements) for requirement in requirements])
    figures = np.array([_figures(requirement, statements) for requirement in requirements])
    priors = np.array([statement.prior for statement in statements])
    return Alignment(meaning + WORDS_WEIGHT * shared + FIGURES_WEIGHT * figures + priors, pieces, anywhere)


def _apart(vectors: Vectors) -> NDArray[np.float64]:
    """Unit vectors without what all of them share."""
    rows = np.asarray(vectors, dtype=np.float64)
    rows = rows - len(rows) / (len(rows) + SENTENCES_FOR_A_MEAN) * rows.mean(axis=0)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, SMALLEST_LENGTH))


def _shared_words(requirement: Requirement, statements: Sequence[Statement]) -> Scores:
    # Words of two letters coincide by chance between two languages with Latin letters.
    wanted = {word for word in words_in(requirement.text) if len(word) > 2 or not word.isascii()}
    count = len(statements)
    weights = {word: log(1 + count / max(1, sum(word in one.words for one in statements))) for word in wanted}
    most: float = MOST_SHARED * log(1 + count)
    whole: float = min(max(sum(weights.values()), 1.0), most)
    found = [sum(weights[word] for word in wanted & statement.words) for statement in statements]
    return np.array([min(total, most) / whole for total in found])


def _figures(requirement: Requirement, statements: Sequence[Statement]) -> Scores:
    best: list[float] = [
        max((_figure(a, b, requirement) for a in requirement.quantities for b in one.quantities), default=0.0)
        for one in statements
    ]
    crowd = max(0, sum(one > 0 for one in best) - 1)
    return np.array(best) / (1 + CROWDED * crowd)


def _figure(asked: Quantity, offered: Quantity, requirement: Requirement) -> float:
    kinds = SAME_KIND if kinds_of(asked) & kinds_of(offered) else 0.0
    if comparable(asked, offered):
        bare = asked.relation in (Relation.EXACTLY, Relation.ABOUT)
        met = compare(asked, offered, requirement.describes_surroundings).holds == "met"
        return (BARE if bare else 1.0) * (1 + kinds) + (SATISFIES if met else 0.0)
    if asked.unit.is_money and offered.unit.is_money and not offered.baseline:
        return OTHER_CURRENCY * (1 + kinds)
    return 0.0

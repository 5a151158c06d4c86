"""Similarities and keyword scores to one score of a listing for a need. Pure functions of arrays.

    score  = dense + lexical_weight(words) * (keywords - noise of its language) + FIGURES_WEIGHT * figures
             [+ FEEDBACK_WEIGHT * dense again]
    dense  = (1 - PASSAGES_SHARE) * z(whole) + PASSAGES_SHARE * z(passages)

Everything is measured in the spread of random pairs: z compares a similarity with those of a fixed reference sample of
the collection, whole and passages apart. So a score means the same for every query, language and collection. Figures
beside the constants are nDCG@10 on the development sets, given for the value and its neighbours, all else as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Floats = TypeVar("Floats", NDArray[np.float32], NDArray[np.float64])
BoolArray = NDArray[np.bool_]

# Similarities within one language spread more widely than across two: random pairs 1.2 times (.105 and .088 over 25
# languages), pairs that belong together 1.5 to 2 times. Undivided, a middling listing in one's own language comes
# before the right one in another (vi -> mixed .883 at 1, .891 at 1.2, .903 at 1.4, .900 at 1.5; demo .832, .871, .907,
# .907). In a collection of one language it changes nothing.
SAME_LANGUAGE_SPREAD = 1.4

# The whole text says what it is about, the best passage that it says the very thing (at .5, .6, .65, .7: SBIR short
# .876, .881, .887, .887; en -> vi .941, .941, .944, .945; demo .907, .915, .913, .914; cranfield .566 throughout).
PASSAGES_SHARE = 0.65
# Of several passages of a long need all should be answered (their mean), and one answered very well counts extra
# (SBIR long .946 at 0, .953 at .3; nothing changes where a need is one passage).
BEST_PASSAGE_SHARE = 0.3

# Means and spreads of similarities to listings that have nothing to do with the query, over all development sets (.065
# to .082 everywhere). They count as much as this many listings of the reference sample: it matters where few are.
PRIOR_LISTINGS = 20
WHOLE_PRIOR = (0.0, 0.072)
PASSAGES_PRIOR = (0.025, 0.070)

# Weight of the keyword score, which lies between 0 and 1. Words decide more where there are many of them (SBIR long
# .946 at 12, .951 at 16), and less where there are two or three, one of which any listing may hold by chance. Between
# 10 and 16 nothing else moves by more than .003; cranfield .563 at 6, .570 at 12; across languages it is indifferent.
LEXICAL_WEIGHT = 14.0
LEXICAL_WEIGHT_LONG = 16.0
LONG_WORDS = 300  # from here on a need is long
FEW_WORDS = 4  # so many words have half the weight

# Keyword scores of listings in one language that share words by chance: subtracted, so that sharing a language is no
# merit. In a collection of one language this changes nothing; in a mixed one the search would otherwise find its own
# language again (vi -> mixed .875 at 0, .893 at 2.5, .898 at 3; demo .716, .769, .770).
NOISE_SPREADS = 3.0
NOISE_PRIOR = (0.03, 0.03)
NOISE_PRIOR_ACROSS = (0.002, 0.008)

# What figures say that satisfy those asked for (`satisfying`), in spreads.
FIGURES_WEIGHT = 0.3

# Listings that are near the best ones are likely good: the best ten, weighted by their scores, are searched for once
# more (cranfield .553 without, .565 at .6, .569 at .8; SBIR short .861 without, .887 with; others within .003).
FEEDBACK_LISTINGS = 10
FEEDBACK_TEMPERATURE = 0.5
FEEDBACK_WEIGHT = 0.8
# A listing says much more than a search text, so its first results can be trusted further: the first five of a need are
# then more alike for its Vietnamese and its English version (.65 alike at .6, .73 at 1.5, .74 at 2; nDCG@10 of the demo
# .912, .912, .908).
FEEDBACK_WEIGHT_LISTING = 1.5

# What a listing's nearest neighbours among the best are worth speaks for it too. NEIGHBOUR_SHARE of a score is theirs:
# it evens out what one text owes to its wording or its language. At 0, .2, .3, .35: cranfield .569, .578, .581, .582;
# SBIR short .887, .894, .893, .893, long .955, .952, .951, .951; vi -> mixed .903, .904, .903, .897; first five of a
# need of the demo alike in its two languages .77, -, .83, .84.
# Temperatures of .4 to .65 move nothing by more than .004.
NEIGHBOURING = 200
NEIGHBOUR_SHARE = 0.3
NEIGHBOUR_TEMPERATURE = 0.5  # in spreads of similarities between texts that have nothing to do with each other


@dataclass(frozen=True)
class Parts:
    """Which parts of the score are on; evaluation switches them off one by one."""

    whole: bool = True
    passages: bool = True
    spread: bool = True
    lexical: bool = True
    noise: bool = True
    feedback: bool = True
    neighbours: bool = True
    structure: bool = True
    figures: bool = True


ALL_PARTS = Parts()


@dataclass(frozen=True)
class Scale:
    """Mean and spread of similarities between texts that have nothing to do with each other."""

    mean: float
    spread: float

    def z(self, values: Numbers) -> Numbers:
        """(n,) values in spreads above the mean."""
        return (values - self.mean) / self.spread


def scale(reference: Numbers, prior: tuple[float, float]) -> Scale:
    """Mean and spread of (r,) reference values, drawn towards the prior (mean, spread) where they are few."""
    reference = reference[np.isfinite(reference)]
    count, weight = len(reference), count_and_prior(len(reference))
    mean = (float(reference.sum()) + PRIOR_LISTINGS * prior[0]) / weight
    squares = float(((reference - mean) ** 2).sum()) + PRIOR_LISTINGS * prior[1] ** 2
    return Scale(mean, (squares / weight) ** 0.5) if count else Scale(*prior)


def count_and_prior(count: int) -> int:
    """How many listings the reference and the prior are worth together."""
    return count + PRIOR_LISTINGS


def coverage(best: Numbers) -> Numbers:
    """(m,) from (q, m) best similarities of each passage of the query: what of the query a listing answers."""
    together: Numbers = (1 - BEST_PASSAGE_SHARE) * best.mean(axis=0) + BEST_PASSAGE_SHARE * best.max(axis=0)
    return together


def evened(similarities: Floats, same_language: BoolArray, parts: Parts = ALL_PARTS) -> Floats:
    """Similarities to listings in the query's own language brought to the spread of the others."""
    return np.where(same_language, similarities / SAME_LANGUAGE_SPREAD, similarities) if parts.spread else similarities


def dense(whole: Numbers, passages: Numbers, parts: Parts = ALL_PARTS) -> tuple[Numbers, Numbers]:
    """(m,) what both z-scores add; what is not finite (a listing without vectors) counts as average."""
    share = PASSAGES_SHARE if parts.whole and parts.passages else float(parts.passages)
    shares = ((1 - share) * whole, share * passages)
    return np.where(np.isfinite(whole), shares[0], 0.0), np.where(np.isfinite(passages), shares[1], 0.0)


def lexical_weight(words: int) -> float:
    """How much the keyword score counts for a query of so many words."""
    weight = LEXICAL_WEIGHT + (LEXICAL_WEIGHT_LONG - LEXICAL_WEIGHT) * min(1.0, words / LONG_WORDS)
    return weight * words / (words + FEW_WORDS)


def noise(reference: Numbers, same_language: bool) -> float:
    """The keyword score that (r,) reference listings of one language reach by chance."""
    chance = scale(reference, NOISE_PRIOR if same_language else NOISE_PRIOR_ACROSS)
    return chance.mean + NOISE_SPREADS * chance.spread


def feedback_weights(scores: Numbers) -> Numbers:
    """(k,) how much each of the best listings counts in what is searched for once more; the sum is 1."""
    weights = np.exp((scores - scores.max()) / FEEDBACK_TEMPERATURE)
    share: Numbers = weights / weights.sum()
    return share


def neighbours(scores: Numbers, wholes: NDArray[np.float32], languages: NDArray[np.int32]) -> Numbers:
    """(k,) what the scores of (k,) listings with unit vectors (k, d) gain or lose by those of their neighbours.

    A step of score diffusion over the graph of nearest neighbours (Donoser and Bischof 2013, "Diffusion processes for
    retrieval revisited"), with a softmax of their similarities as weights.
    """
    if len(scores) < 2:
        return np.zeros(len(scores))
    similar: NDArray[np.float32] = wholes @ wholes.T
    alike = evened(similar, languages[:, None] == languages) / (WHOLE_PRIOR[1] * NEIGHBOUR_TEMPERATURE)
    np.fill_diagonal(alike, -np.inf)
    weights = np.exp(alike - alike.max(axis=1, keepdims=True))
    theirs: Numbers = (weights @ scores) / weights.sum(axis=1)
    gained: Numbers = NEIGHBOUR_SHARE * (theirs - scores)
    return gained


def order(ids: Sequence[int] | NDArray[np.int64], scores: Numbers) -> NDArray[np.int64]:
    """(m,) places by falling score; equal scores by id, so that a page is the same twice."""
    return np.lexsort((np.asarray(ids), -scores))

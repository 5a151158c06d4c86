"""Scores as strengths from 0 to 100, and in words. Pure.

A score is measured in spreads of random pairs of the same languages, so one scale serves all pairs of languages: of a
thousand random pairs one reaches 5.3 to 6, whatever their languages. The strength is the share of pairs with such a
score that a reader of both texts finds to fit, at least partly: a logistic curve through the judged pairs of the demo.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from techex.matching.rules import Band

Numbers = NDArray[np.float64]

# Half of the pairs with this score fit, and one spread more or less changes the odds by e. Of the first ten of every
# need of the demo exchange fit: .27 at 5, .51 at 6, .75 at 7, .89 at 8; the curve says .35, .60, .80, .92.
MIDDLE = 5.6
WIDTH = 1.0

# Two people who read the texts would introduce them; would look twice; would keep it in mind.
INTRODUCE, REVIEW, EXPLORE = 80, 60, 40

# A pair of passages alone: similarities of passages that say the same lie 3 to 5 spreads above those of any two.
PAIR_MIDDLE = 3.0
PAIR_WIDTH = 0.8

# Without a model only words are compared: half of what was asked, by weight, is what a good match shares at best (SBIR
# short .32 on average, names in questions .46).
FULL_WORDS = 0.5


def strength(scores: Numbers) -> Numbers:
    """(n,) scores -> (n,) strengths 0 to 100, growing with the score, not rounded."""
    return _logistic(scores, MIDDLE, WIDTH)


def strength_of_pair(z: Numbers) -> Numbers:
    """(n,) similarities of two passages in spreads above the mean -> (n,) strengths 0 to 100."""
    return _logistic(z, PAIR_MIDDLE, PAIR_WIDTH)


def strength_of_words(shares: Numbers) -> Numbers:
    """(n,) shares of what was asked that is found word by word (0 to 1) -> (n,) strengths 0 to 100."""
    return 100 * np.clip(shares / FULL_WORDS, 0, 1)


def band(strength: float) -> Band:
    """The word for a strength; "none" is below the floor."""
    if strength >= INTRODUCE:
        return "introduce"
    if strength >= REVIEW:
        return "review"
    return "explore" if strength >= EXPLORE else "none"


def _logistic(values: Numbers, middle: float, width: float) -> Numbers:
    return 100 / (1 + np.exp(-np.clip((values - middle) / width, -50, 50)))

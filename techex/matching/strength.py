"""Scores as strengths from 0 to 100, and in words. Pure.

A score is measured in spreads of random pairs of the same languages, so one scale serves all pairs of languages: of a
thousand random pairs of the demo one reaches 3.9 within a language and 3.5 across two. The strength is the share of
pairs with such a score that a reader of both texts finds to fit, at least partly: a logistic curve through the judged
pairs of the demo exchange. Scores without feedback are meant (`Ranking.plain`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from techex.matching.rules import Band

Numbers = NDArray[np.float64]

# Half of the pairs with this score fit. Of the first ten of every need of the demo fit .26 at 3, .75 at 4, .96 at 5. A
# text of a few words says less, and its right answers have lower scores (half of those to XQuAD questions 2.7 to 3.5):
# for it the middle lies lower, and nobody is helped by hiding them.
MIDDLE_SHORT = 2.5
MIDDLE = 3.1
WIDTH = 0.6
MANY_WORDS = 60  # from here on a text is as good as a need

# Two people who read the texts would introduce them; would look twice; would keep it in mind.
INTRODUCE, REVIEW, EXPLORE = 80, 60, 40

# A pair of passages alone: similarities of passages that say the same lie 3 to 5 spreads above those of any two.
PAIR_MIDDLE = 3.0
PAIR_WIDTH = 0.8

# Without a model only words are compared: half of what was asked, by weight, is what a good match shares at best (SBIR
# short .32 on average, names in questions .46).
FULL_WORDS = 0.5


def strength(scores: Numbers, words: int = MANY_WORDS) -> Numbers:
    """(n,) scores for a text of so many words -> (n,) strengths 0 to 100, growing with the score, not rounded."""
    middle = MIDDLE_SHORT + (MIDDLE - MIDDLE_SHORT) * min(1.0, words / MANY_WORDS)
    return _logistic(scores, middle, WIDTH)


def falling(strengths: Numbers) -> Numbers:
    """(n,) strengths in the order of a list, made to fall along it: where they rise, neighbours share their mean.

    The order of a list also follows from feedback, the strength does not; a reader should not see it jump.
    """
    blocks: list[tuple[float, int]] = []
    for value in strengths.tolist():
        mean, count = value, 1
        while blocks and blocks[-1][0] < mean:
            before, several = blocks.pop()
            mean = (before * several + mean * count) / (several + count)
            count += several
        blocks.append((mean, count))
    return np.repeat([mean for mean, _ in blocks], [count for _, count in blocks]) if blocks else strengths


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

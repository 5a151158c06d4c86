"""What speaks for a pair as a strength from 0 to 100, and in words. Pure.

Everything is measured in spreads of random pairs of the same languages, so one scale serves all pairs of languages: of
a thousand random pairs of the demo one reaches 3.9 within a language and 3.5 across two. The strength is the share of
such pairs that a reader of both texts finds to fit, one that fits in part counting half: a logistic curve of a few
named grounds through the judged pairs of the demo exchange, checked on needs it was not fitted to (`reliability`).
What was found beside a listing says nothing of it, so neither feedback nor neighbours count.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from techex.matching.rules import Band

Numbers = NDArray[np.float64]

# What each ground weighs and where the curve lies: fitted to the first ten of the demo's 89 needs and of 30 of them in
# a second language (logistic regression; `techex evaluate --demo` prints the fit of the day beside these). Facts tell a
# need's field from one that only sounds alike, so they count more here than in the order of a list; figures tell a fit
# from a near miss; two texts in one language sound alike sooner than two in different ones.
WEIGHTS: Mapping[str, float] = {
    **{"meaning": 1.0, "words": 0.6, "fields": 1.1, "goals": 5.4, "figures": 1.2},
    **{"same_language": -1.25, "text": 1.6},
}
MIDDLE = 7.3  # half of the pairs with such grounds fit
WIDTH = 0.87
# "text" is 1 for a text without facts, whose facts are taken to agree as usual. Fitted it would be 1.2 (error .05 over
# titles, summaries and both of the demo's needs; here .10): but then half of such texts with a fit would be told that
# there is none, here every fourth. A text of a few words gets more for the same reason.
OF_A_SHORT_TEXT = 0.75
MANY_WORDS = 60  # from here on a text is as good as a need
FIELDS, GOALS = ("fields", "industry"), ("sdg",)

# Two people who read the texts would introduce them; would look twice; would keep it in mind. Below the last floor a
# need is told that nothing is suitable: nine of the demo's ten without a fit, one of the other 79, each judged by a
# curve fitted to the others. At 45 it would be nine and two, at 35 eight and one, at 30 six and one.
INTRODUCE, REVIEW, EXPLORE = 80, 60, 40

# A pair of passages alone: similarities of passages that say the same lie 3 to 5 spreads above those of any two.
PAIR_MIDDLE = 3.0
PAIR_WIDTH = 0.8

# Without a model only words are compared: two fifths of what was asked, by weight, is what a good match shares (SBIR
# short .32 on average, names in questions .46).
FULL_WORDS = 0.4


def grounds(
    added: Mapping[str, Numbers], left_open: Mapping[str, Numbers], same_language: Numbers, *, of_text: bool
) -> dict[str, Numbers]:
    """The grounds, (n,) each, by the names of WEIGHTS.

    From what each part of the score added, what facts that one side does not state would usually add, and for listings
    in the language of the query the share of other languages in the collection; `of_text` for a query without facts.
    """
    return {
        "meaning": added["whole"] + added["passages"],
        "words": added["lexical"],
        "fields": np.sum([added[part] + left_open[part] for part in FIELDS], axis=0),
        "goals": np.sum([added[part] + left_open[part] for part in GOALS], axis=0),
        "figures": added["figures"],
        "same_language": same_language,
        "text": np.full(len(same_language), float(of_text)),
    }


def weighed(found: Mapping[str, Numbers]) -> Numbers:
    """(n,) what all grounds together weigh."""
    together: Numbers = np.sum([weight * found[name] for name, weight in WEIGHTS.items()], axis=0)
    return together


def strength(weights: Numbers, words: int = MANY_WORDS) -> Numbers:
    """(n,) weights for a text of so many words -> (n,) strengths 0 to 100, growing with them, not rounded."""
    return _logistic(weights, MIDDLE - OF_A_SHORT_TEXT * max(0.0, 1 - words / MANY_WORDS), WIDTH)


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

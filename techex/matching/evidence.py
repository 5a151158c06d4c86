"""Why two listings were matched, in their own words: pairs of passages that say the same, and terms in common. Pure.

Made of the numbers that ranked them: the pairs are those whose similarity made the score, cut to the sentences that
carry the most of what both sides say; nothing is translated, nothing is added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from techex.embedding.passages import words_of
from techex.embedding.sentences import split_sentences
from techex.matching import scoring
from techex.matching.rules import Quote
from techex.matching.strength import strength_of_pair
from techex.search.analysis import written_forms

FloatArray = NDArray[np.float32]

MOST_QUOTES = 3  # what is read before the next match; the pair page has all
QUOTE_WORDS = 45  # two or three sentences
MOST_TERMS = 8
PASSAGES_KEPT = 4_096  # cut into sentences: those that are quoted are quoted often
# A second quote must be nearly as good as the first to be worth reading: within this many spreads.
QUOTE_WITHIN = 2.0
# A quote weaker than this says nothing.
FEEBLEST_QUOTE = 5


@dataclass(frozen=True)
class Side:
    """Passages of one listing or text with their centred vectors (n, d)."""

    texts: Sequence[str]
    vectors: FloatArray
    language: str


def quotes(own: Side, theirs: Side, rarity: Mapping[str, float]) -> list[Quote]:
    """The best pairs of passages, at most MOST_QUOTES, no passage twice, the best first.

    `rarity` is the idf of terms in the collection: of a long passage the sentences with the rarest common terms are
    quoted.
    """
    if not len(own.texts) or not len(theirs.texts):
        return []
    similar = own.vectors @ theirs.vectors.T
    same = np.full(similar.shape, own.language == theirs.language)
    mean, spread = scoring.WHOLE_PRIOR
    z = (scoring.evened(similar.astype(np.float64), same) - mean) / spread
    strengths = strength_of_pair(z)
    found: list[Quote] = []
    best = z.max()
    while len(found) < MOST_QUOTES and np.isfinite(z).any():
        row, column = divmod(int(z.argmax()), z.shape[1])
        if found and z[row, column] < best - QUOTE_WITHIN:
            break
        strength = round(float(strengths[row, column]))
        if strength < FEEBLEST_QUOTE:
            break
        mine, other = own.texts[row], theirs.texts[column]
        common = written_forms(mine, own.language).keys() & written_forms(other, theirs.language).keys()
        weights = {term: rarity.get(term, 0.0) for term in common}
        found.append(
            Quote(
                excerpt(mine, own.language, weights),
                excerpt(other, theirs.language, weights),
                own.language,
                theirs.language,
                strength,
            )
        )
        z[row], z[:, column] = -np.inf, -np.inf
    return found


def shared_terms(own: Side, theirs: Side, rarity: Mapping[str, float]) -> list[str]:
    """Words that both sides use, as the other side writes them, the rarest in the collection first."""
    mine = {term for text in own.texts for term in written_forms(text, own.language)}
    written: dict[str, str] = {}
    for text in theirs.texts:
        for term, form in written_forms(text, theirs.language).items():
            written.setdefault(term, form)
    common = sorted((term for term in mine & written.keys() if term in rarity), key=lambda term: (-rarity[term], term))
    chosen: list[str] = []
    for term in common:
        form = written[term]
        # A pair of syllables says more than its halves, and is said once.
        if not any(form in longer for longer in chosen):
            chosen = [*(shorter for shorter in chosen if shorter not in form), form]
    return chosen[:MOST_TERMS]


@lru_cache(maxsize=PASSAGES_KEPT)
def _sentences(text: str, language: str) -> Sequence[str]:
    return tuple(split_sentences(text, language))


def excerpt(text: str, language: str, weights: Mapping[str, float]) -> str:
    """Neighbouring sentences of a text, at most QUOTE_WORDS words, with the most weight of terms; from its start where
    none weighs anything. Left out parts are marked by an ellipsis; a single longer sentence is kept whole."""
    if words_of(text) <= QUOTE_WORDS:
        return text
    sentences = _sentences(text, language)
    if len(sentences) < 2:
        return text
    lengths = [words_of(sentence) for sentence in sentences]
    heavy = [sum(weights.get(term, 0.0) for term in written_forms(sentence, language)) for sentence in sentences]
    best, chosen = -1.0, (0, 1)
    for start in range(len(sentences)):
        end, words = start, 0
        while end < len(sentences) and (end == start or words + lengths[end] <= QUOTE_WORDS):
            words += lengths[end]
            end += 1
        weight = sum(heavy[start:end])
        if weight > best:
            best, chosen = weight, (start, end)
    start, end = chosen
    joint = "" if language in ("zh", "ja") else " "
    before, after = "… " if start else "", " …" if end < len(sentences) else ""
    return before + joint.join(sentences[start:end]) + after

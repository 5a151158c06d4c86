"""A list heeds what its reader said of some of it: relevance feedback, for that reader's list and nobody else's.

What fits is searched for once more, by its vector (Rocchio 1971, "Relevance feedback in information retrieval") and by
its rarest words (as Lavrenko and Croft 2001, "Relevance-based language models", without the probabilities); what was
refused is no longer taken for a sign of what is wanted, and takes its copies down. Pure functions of a ranking that has
begun.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from techex.matching import scoring
from techex.matching.reference import languages_of, spoken_in, whole_vectors
from techex.matching.scoring import Numbers
from techex.search.analysis import search_terms
from techex.search.dense import FloatArray, IntArray
from techex.search.partitions import Partition

# Measured by nDCG@10 of what was not judged (`techex learn simulate --own`; DECISIONS.md has the neighbours).
WEIGHT = 1.5  # of likeness to what is searched for once more, in spreads
SHARE = 0.8  # of the second search that is for what fits, the rest for the best candidates
WORDS_WEIGHT = 1.0  # of words in common with what fits, in spreads over the candidates
MOST_TERMS = 40  # of these words, by how rare they are and how many of the fits hold them
PASSED_ON = 3.0  # spreads by which a fit speaks better for its neighbours than its score would, and a refusal worse


@dataclass(frozen=True)
class Said:
    """What a reader said of listings: `grades` id -> 1 fit, one half partly, 0 no; `texts` id -> (text, language) of
    those above 0."""

    grades: Mapping[int, float]
    texts: Mapping[int, tuple[str, str]]

    @property
    def fits(self) -> IntArray:
        """(f,) ids of what fits at least partly, ascending."""
        return np.array(sorted(listing for listing, grade in self.grades.items() if grade > 0), np.int64)


def second_query(
    partitions: Sequence[Partition],
    ids: IntArray,
    plain: Numbers,
    wholes: FloatArray,
    languages: NDArray[np.int32],
    said: Said,
) -> Mapping[int, FloatArray]:
    """What is searched for once more, by the number of its language: vectors (d,) with a unit vector as their sum.

    They are for what fits, and for the best of (m,) candidates that nothing was said of. They stay apart by language
    because texts of one language are more alike than the same texts in two (`scoring.evened`): a fit in English would
    otherwise lead to what resembles it in English before it led to the very same thing in Vietnamese.
    """
    order = scoring.order(ids, plain)
    best = order[~np.isin(ids[order], list(said.grades))][: scoring.FEEDBACK_LISTINGS]
    found = np.zeros((0, wholes.shape[1]), np.float32)
    spoken = np.zeros(0, np.int32)
    if len(best):
        found, spoken = _share(scoring.feedback_weights(plain[best])[:, None] * wholes[best]), languages[best]
    if len(fits := said.fits):
        held: NDArray[np.float32] = np.sum([whole_vectors(each.passages(fits)) for each in partitions], axis=0)
        grades = np.array([said.grades[listing] for listing in fits.tolist()])
        if held.any():
            found = np.concatenate([(1 - SHARE) * found, SHARE * _share(grades[:, None] * held)])
            of_fits = np.max([languages_of(each, fits) for each in partitions], axis=0)
            spoken = np.concatenate([spoken, of_fits])
    found = _share(found)
    return {number: found[spoken == number].sum(axis=0) for number in np.unique(spoken).tolist()}


def _share(vectors: NDArray[np.floating]) -> FloatArray:
    """(n, d) vectors scaled so that their sum is a unit vector."""
    length = float(np.linalg.norm(vectors.sum(axis=0)))
    return (vectors / length if length > 0 else vectors).astype(np.float32)


def passed_on(ids: IntArray, scores: Numbers, said: Said) -> Numbers:
    """(m,) scores as the neighbours of candidates feel them: a copy of what was refused goes down with it."""
    told = scores.copy()
    for place, listing in enumerate(ids.tolist()):
        if listing in said.grades:
            told[place] += PASSED_ON * (2 * said.grades[listing] - 1)
    return told


class Bare(Protocol):
    """The order without what was said: ids (m,) and what each part added to them."""

    @property
    def ids(self) -> IntArray:
        """(m,)"""

    @property
    def parts(self) -> Mapping[str, Numbers]:
        """(m,) by part."""


def unmoved(ids: IntArray, added: Numbers, said: Said, bare: Bare, part: str) -> Numbers:
    """(m,) what a part adds to candidates: to those that were judged what it added before, if they were ranked then."""
    ascending = np.argsort(bare.ids)
    known = np.isin(ids, bare.ids) & np.isin(ids, list(said.grades))
    moved = added.copy()
    moved[known] = bare.parts[part][ascending][np.searchsorted(bare.ids[ascending], ids[known])]
    return moved


def words(
    partitions: Sequence[Partition], ids: Sequence[IntArray], languages: NDArray[np.int32], said: Said
) -> Numbers:
    """(m,) what words in common with what fits add to candidates, given by partition; zeros where nothing fits.

    Words tell listings of one language apart and say nothing of the others, so a language gains nothing as a whole,
    and counts by its share of the candidates.
    """
    every = np.zeros(sum(map(len, ids)))
    shares: dict[str, float] = defaultdict(float)
    spoken = spoken_in(partitions)
    for listing, (text, language) in said.texts.items():
        for term, often in search_terms(text, language, spoken).all.items():
            shares[term] += said.grades[listing] * often / len(said.texts)
    if not shares or not len(every):
        return every
    rare: dict[str, float] = {}
    for each in partitions:
        for term, idf in each.keywords(shares).idf.items():
            rare[term] = max(idf, rare.get(term, 0.0))
    telling = sorted(rare, key=lambda term: (-shares[term] * rare[term], term))[:MOST_TERMS]
    terms = {term: shares[term] for term in telling}
    found = np.concatenate([each.keywords(terms).of(own) for each, own in zip(partitions, ids, strict=True)])
    shares_of = np.zeros(len(found))
    for number in np.unique(languages).tolist():
        own_language = languages == number
        found[own_language] -= found[own_language].mean()
        shares_of[own_language] = own_language.mean()
    spread = float(found.std())
    return WORDS_WEIGHT * shares_of * found / spread if spread > 0 else every

"""Listings of some partitions ranked for a need, an offer or a text: the one ranking behind pages and evaluation.

Candidates are scored partition by partition (`candidates`); here they come together, figures are compared, and the best
are searched for once more. Nothing outside the partitions given here moves a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from techex.embedding.centring import unit
from techex.matching import heeding, scoring, structure
from techex.matching.candidates import DENSE, LEXICAL, STATED, Learned, Query, Scored, terms_of
from techex.matching.heeding import Said
from techex.matching.scoring import ALL_PARTS, Numbers, Parts
from techex.matching.strength import WEIGHTS, grounds, weighed
from techex.search.dense import FloatArray, IntArray
from techex.search.facts import Filters
from techex.search.partitions import Partition

# So many of the best have their figures compared with those asked for; the others stay behind them.
FIGURED = 30

# Names of all parts of a score, as they are kept with a verdict.
FIGURES, FEEDBACK, NEIGHBOURS = "figures", "feedback", "neighbours"
PARTS = (*DENSE, LEXICAL, *STATED, FIGURES, FEEDBACK, NEIGHBOURS)


@dataclass(frozen=True)
class Ranking:
    """Listings, best first by `scores` (n,). `parts` says what each of PARTS added; `grounds` what speaks for each
    listing by itself, which its strength is read from; `idf` how rare the terms are that were asked for and occur."""

    ids: IntArray
    scores: Numbers
    grounds: Mapping[str, Numbers]
    parts: Mapping[str, Numbers]
    idf: Mapping[str, float]

    @cached_property
    def plain(self) -> Numbers:
        """(n,) what the grounds of each listing weigh."""
        return weighed(self.grounds)

    def __len__(self) -> int:
        return len(self.ids)


def rank(
    partitions: Sequence[Partition],
    query: Query,
    filters: Filters | None = None,
    parts: Parts = ALL_PARTS,
    learned: Learned | None = None,
    also: Sequence[int] = (),
    today: date | None = None,
) -> Ranking:
    """The candidates of these partitions that meet the filters, best first; listings in `also` are candidates too.

    With `today`, a listing in its last days stands behind its equals.
    """
    query = query.turned(learned) if learned else query
    terms = terms_of(query, partitions)
    scored = [Scored(partition, query, terms, filters, parts, also) for partition in partitions]
    return ranked(scored, query, parts, learned, today)


def ranked(
    scored: Sequence[Scored],
    query: Query,
    parts: Parts = ALL_PARTS,
    learned: Learned | None = None,
    today: date | None = None,
) -> Ranking:
    """The candidates of several partitions together, best first, for a query turned by what was learned."""
    begun = Begun.of(scored, learned)
    return finished(begun, query, parts, learned, today) if begun else nothing()


def both(
    partitions: Sequence[Partition],
    query: Query,
    filters: Filters | None,
    said: Said,
    learned: Learned | None = None,
    today: date | None = None,
) -> tuple[Ranking, Ranking]:
    """The candidates as `rank` puts them in order, and in the order that heeds what a reader said of some of them.

    The second may hold more of them: what is like a fit and too far from what was asked to be found by it.
    """
    query = query.turned(learned) if learned else query
    terms = terms_of(query, partitions)
    begun = Begun.of([Scored(partition, query, terms, filters, ALL_PARTS) for partition in partitions], learned)
    if begun is None:
        return nothing(), nothing()
    bare = finished(begun, query, ALL_PARTS, learned, today)
    if query.whole is not None and (also := begun.like_fits(said)):
        wider = [Scored(partition, query, terms, filters, ALL_PARTS, also) for partition in partitions]
        begun = Begun.of(wider, learned) or begun
    return bare, finished(begun, query, ALL_PARTS, learned, today, (said, bare))


def nothing() -> Ranking:
    """The ranking of no candidates."""
    none = np.empty(0)
    return Ranking(np.empty(0, np.int64), none, dict.fromkeys(WEIGHTS, none), dict.fromkeys(PARTS, none), {})


@dataclass(frozen=True)
class Begun:
    """The candidates of some partitions before the second search: ids (m,), what each part adds, and the sum of it."""

    scored: Sequence[Scored]
    ids: IntArray
    added: Mapping[str, Numbers]
    plain: Numbers

    @classmethod
    def of(cls, scored: Sequence[Scored], learned: Learned | None = None) -> Begun | None:
        """None where no partition has a candidate."""
        scored = [each for each in scored if len(each.ids)]
        if not scored:
            return None
        ids = _joined([each.ids for each in scored])
        added = {part: _joined([each.added[part] for each in scored]) for part in (*DENSE, LEXICAL, *STATED)}
        if learned:
            added = {part: learned.factor(part) * values for part, values in added.items()}
        plain = np.sum(list(added.values()), axis=0)
        added[FIGURES] = (learned.factor(FIGURES) if learned else 1.0) * _by_figures(scored, ids, plain)
        return cls(scored, ids, added, plain + added[FIGURES])

    @cached_property
    def wholes(self) -> FloatArray:
        """(m, d) vectors of whole texts."""
        return _joined([each.whole for each in self.scored])

    @cached_property
    def second_query(self) -> FloatArray:
        """(d,) what is searched for once more: the best candidates together."""
        best = scoring.order(self.ids, self.plain)[: scoring.FEEDBACK_LISTINGS]
        together = scoring.feedback_weights(self.plain[best]) @ self.wholes[best]
        found: FloatArray = unit(together.astype(np.float32)[None])[0]
        return found

    def likeness(self, vector: FloatArray) -> Numbers:
        """(m,) compared with a vector (d,) of no language."""
        return _joined([each.likeness(vector) for each in self.scored])

    @cached_property
    def languages(self) -> NDArray[np.int32]:
        """(m,) numbers of the languages of the candidates."""
        return _joined([each.languages for each in self.scored])

    def heeding(self, said: Said) -> Mapping[int, FloatArray]:
        """What is searched for once more where a reader said something of the candidates, by language."""
        partitions = [each.partition for each in self.scored]
        return heeding.second_query(partitions, self.ids, self.plain, self.wholes, self.languages, said)

    def likeness_to(self, vectors: Mapping[int, FloatArray]) -> Numbers:
        """(m,) compared with the sum of vectors (d,) of several languages."""
        return _joined([each.likeness_by_language(vectors) for each in self.scored])

    def like_fits(self, said: Said) -> Sequence[int]:
        """Listings that are no candidates yet and are near what a reader said fits: what was asked may miss them."""
        vector = np.sum(list(self.heeding(said).values()), axis=0)
        found: list[int] = np.setdiff1d(_joined([each.near(vector) for each in self.scored]), self.ids).tolist()
        return found

    def in_words(self, said: Said) -> Numbers:
        """(m,) what words in common with what a reader said fits add."""
        partitions, ids = [each.partition for each in self.scored], [each.ids for each in self.scored]
        return heeding.words(partitions, ids, self.languages, said)


def finished(
    begun: Begun,
    query: Query,
    parts: Parts = ALL_PARTS,
    learned: Learned | None = None,
    today: date | None = None,
    heeded: tuple[Said, Ranking] | None = None,
) -> Ranking:
    """What was begun, put in order: with likeness to the best candidates, and to better neighbours.

    With `heeded`, what a reader said and the order without it, likeness to what fits takes the place of likeness to the
    best candidates, and what was judged speaks for its neighbours accordingly, for all that nothing was said of.
    """
    scored, ids = begun.scored, begun.ids
    added = dict(begun.added)
    added[FEEDBACK], added[NEIGHBOURS] = np.zeros(len(ids)), np.zeros(len(ids))
    if query.whole is not None and parts.feedback:
        if heeded:
            said = heeded[0]
            added[FEEDBACK] = heeding.WEIGHT * begun.likeness_to(begun.heeding(said)) + begun.in_words(said)
        else:
            weight = scoring.FEEDBACK_WEIGHT if query.wanted is None else scoring.FEEDBACK_WEIGHT_LISTING
            weight *= learned.factor(FEEDBACK) if learned else 1.0
            added[FEEDBACK] = weight * begun.likeness(begun.second_query)
    scores = begun.plain + added[FEEDBACK]
    if query.whole is not None and parts.neighbours:
        best = scoring.order(ids, scores)[: scoring.NEIGHBOURING]
        felt = heeding.passed_on(ids[best], scores[best], heeded[0]) if heeded else scores[best]
        added[NEIGHBOURS][best] = scoring.neighbours(felt, begun.wholes[best], begun.languages[best])
    if heeded:  # what was judged is known already: it speaks for its neighbours, and stays where it would be
        for part in (FEEDBACK, NEIGHBOURS):
            added[part] = heeding.unmoved(ids, added[part], *heeded, part)
    scores = begun.plain + added[FEEDBACK] + added[NEIGHBOURS]
    if today is not None:
        scores = scores - _joined([structure.fading(each.facts, today) for each in scored])
    order = scoring.order(ids, scores)
    left = [structure.left_open(query.wanted, each.facts) for each in scored]
    left_open = {part: _joined([each[part] for each in left]) for part in left[0]}
    same = _joined([each.same_language for each in scored])
    found = grounds(added, left_open, same, of_text=query.wanted is None)
    idf: dict[str, float] = {}
    for each in scored:
        if not idf:
            idf = dict(each.keywords.idf)
            continue
        idf |= {term: max(value, idf.get(term, 0.0)) for term, value in each.keywords.idf.items()}
    found = {name: values[order] for name, values in found.items()}
    return Ranking(ids[order], scores[order], found, {part: values[order] for part, values in added.items()}, idf)


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arrays one after another; the one itself where there is one."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _by_figures(scored: Sequence[Scored], ids: IntArray, plain: Numbers) -> Numbers:
    """(m,) what figures add to candidates with such scores: to the best what they say, to others what they usually do.

    Figures are compared before the second search, which is then for what is near the listings that satisfy them.
    """
    asked = scored[0].query.figures
    if asked is None or not len(asked) or not scored[0].parts.figures:
        return np.zeros(len(ids))
    best = scoring.order(ids, plain)[:FIGURED]
    said, end = np.zeros(len(ids)), 0
    for each in scored:
        begin, end = end, end + len(each.ids)
        own = best[(best >= begin) & (best < end)]
        said[own] = each.said(asked, own - begin)
    others = np.ones(len(ids), np.bool_)
    others[best] = False
    said[others] = np.median(said[best])
    return scoring.FIGURES_WEIGHT * said

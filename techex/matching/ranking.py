"""Listings of some partitions ranked for a need, an offer or a text: the one ranking behind pages and evaluation.

Candidates come from vectors and from words; each is scored exactly, then the best are searched for once more. A
partition is compared with its own reference sample, so nothing outside the partitions given here moves a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from techex.embedding.centring import unit
from techex.listings.rules import Kind
from techex.matching import heeding, satisfying, scoring, structure
from techex.matching.heeding import Said
from techex.matching.reference import facts_of, reference_of, spoken_in, whole_vectors
from techex.matching.scoring import ALL_PARTS, Numbers, Parts, Scale
from techex.matching.strength import WEIGHTS, grounds, weighed
from techex.matching.structure import Wanted
from techex.quantities.compact import FigureRows
from techex.search.analysis import SearchTerms, search_terms
from techex.search.dense import FloatArray, IntArray
from techex.search.facts import Filters
from techex.search.lexical import K1
from techex.search.partitions import Keywords, Partition, Passages, Selection

# Candidates by meaning and by words; a smaller partition is scored whole.
CANDIDATES = 200
SCORED_WHOLE = 2_000
# So many of the best have their figures compared with those asked for; the others stay behind them.
FIGURED = 30

# Names of the parts of a score, as they are kept with a verdict.
DENSE = ("whole", "passages")
LEXICAL, FIGURES, FEEDBACK, NEIGHBOURS = "lexical", "figures", "feedback", "neighbours"
STATED = structure.PARTS
PARTS = (*DENSE, LEXICAL, *STATED, FIGURES, FEEDBACK, NEIGHBOURS)

_BOUND = K1 + 1  # BM25 of a term that is said without end, in units of its idf


@dataclass(frozen=True)
class Query:
    """What is searched for: centred unit vectors `whole` (d,) and `passages` (q, d), both None without a model; the
    text for its words; what its facts ask for, if it is a listing; the figures that a need or a text asks for, or an
    offer states."""

    text: str
    language: str
    words: int
    whole: FloatArray | None = None
    passages: FloatArray | None = None
    wanted: Wanted | None = None
    side: Kind = Kind.NEED  # what is asked with: a need (as any text that looks for offers), or an offer
    figures: FigureRows | None = None

    def turned(self, learned: Learned) -> Query:
        """The query as verdicts have taught to read it."""
        if self.whole is None or self.passages is None:
            return self
        return replace(
            self,
            whole=learned.turned(self.whole[None], self.side)[0],
            passages=learned.turned(self.passages, self.side),
        )


class Learned(Protocol):
    """What verdicts have taught: another weight for a part, and another direction for a query."""

    def turned(self, vectors: FloatArray, side: Kind) -> FloatArray:
        """(q, d) centred unit query rows of a need or an offer -> (q, d) unit rows."""

    def factor(self, part: str) -> float:
        """What a part's contribution is multiplied with."""


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
    """The candidates as `rank` puts them in order, and in the order that heeds what a reader said of some of them."""
    query = query.turned(learned) if learned else query
    terms = terms_of(query, partitions)
    begun = Begun.of([Scored(partition, query, terms, filters, ALL_PARTS) for partition in partitions], learned)
    if begun is None:
        return nothing(), nothing()
    bare = finished(begun, query, ALL_PARTS, learned, today)
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

    def heeding(self, said: Said) -> FloatArray:
        """(d,) what is searched for once more where a reader said something of the candidates."""
        return heeding.second_query([each.partition for each in self.scored], self.ids, self.plain, self.wholes, said)

    def in_words(self, said: Said) -> Numbers:
        """(m,) what words in common with what a reader said fits add."""
        return heeding.words([each.partition for each in self.scored], [each.ids for each in self.scored], said)


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
    best candidates, for all that nothing was said of.
    """
    scored, ids = begun.scored, begun.ids
    added = dict(begun.added)
    added[FEEDBACK], added[NEIGHBOURS] = np.zeros(len(ids)), np.zeros(len(ids))
    if query.whole is not None and parts.feedback:
        if heeded:
            said = heeded[0]
            added[FEEDBACK] = heeding.WEIGHT * begun.likeness(begun.heeding(said)) + begun.in_words(said)
        else:
            weight = scoring.FEEDBACK_WEIGHT if query.wanted is None else scoring.FEEDBACK_WEIGHT_LISTING
            weight *= learned.factor(FEEDBACK) if learned else 1.0
            added[FEEDBACK] = weight * begun.likeness(begun.second_query)
    scores = begun.plain + added[FEEDBACK]
    if query.whole is not None and parts.neighbours:
        best = scoring.order(ids, scores)[: scoring.NEIGHBOURING]
        languages = _joined([each.languages for each in scored])[best]
        added[NEIGHBOURS][best] = scoring.neighbours(scores[best], begun.wholes[best], languages)
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


def terms_of(query: Query, partitions: Sequence[Partition]) -> SearchTerms:
    """The terms of a query, with the forms under which the languages of these partitions may hold them."""
    return search_terms(query.text, query.language, spoken_in(partitions))


@dataclass
class Scored:
    """The candidates of one partition and their scores before the second search.

    `batch` hands in candidates and keyword scores that it found for many queries at once.
    """

    partition: Partition
    query: Query
    terms: SearchTerms
    filters: Filters | None
    parts: Parts
    also: Sequence[int] = ()
    ids: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self.reference = reference_of(self.partition)
        self.number = self.partition.tables.labels.number(self.query.language)
        self.allowed = self.partition.allowed(self.filters) if self.filters else None
        self.ids = self._candidates()

    def _candidates(self) -> IntArray:
        allowed: Selection | None = self.allowed
        if len(self.partition if allowed is None else allowed) <= SCORED_WHOLE:
            return self.partition.ids() if allowed is None else allowed.ids
        found = [self.keywords.top(CANDIDATES, allowed)[0]]
        if self.query.whole is not None and self.query.passages is not None:
            # A short text is one passage, and the whole is the same vector: it is looked for once.
            whole, passages = self.query.whole[None], self.query.passages
            known = (passages == whole).all(axis=1)
            asked = np.concatenate([whole, passages[~known]])
            found.append(self.partition.dense(asked, CANDIDATES, allowed)[0])
        if self.also:
            wanted = np.array([one for one in self.also if self.partition.facts(one) is not None], np.int64)
            found.append(wanted if allowed is None else wanted[np.isin(wanted, allowed.ids)])
        return np.unique(np.concatenate(found))

    @cached_property
    def keywords(self) -> Keywords:
        return self.partition.keywords(self.terms.all)

    @cached_property
    def passages(self) -> Passages:
        return self.partition.passages(self.ids)

    @cached_property
    def whole(self) -> FloatArray:
        return whole_vectors(self.passages)

    @cached_property
    def facts(self) -> NDArray[np.void]:
        return facts_of(self.partition, self.ids)

    @cached_property
    def languages(self) -> NDArray[np.int32]:
        return self.facts["language"].astype(np.int32)

    @property
    def same_language(self) -> Numbers:
        """(m,) for listings in the language of the query the share of the others in the collection, else 0."""
        spoken = self.reference.languages
        others = float(np.mean(spoken != self.number)) if len(spoken) else 0.0
        counted: Numbers = others * (self.languages == self.number)
        return counted

    @cached_property
    def added(self) -> Mapping[str, Numbers]:
        """What each part adds, feedback left out."""
        stated: dict[str, Numbers] = {}
        if self.query.wanted and self.parts.structure:
            stated = structure.agreement(self.query.wanted, self.facts, self.partition.tables.labels)
        return {**self.compare(), **dict.fromkeys(STATED, np.zeros(len(self.ids))), **stated}

    def compare(self) -> Mapping[str, Numbers]:
        """What vectors and words add."""
        dense = (np.zeros(len(self.ids)),) * len(DENSE)
        if self.query.whole is not None and self.query.passages is not None:
            dense = self._compared(self.query.whole, self.query.passages, self.number)
        return dict(zip(DENSE, dense, strict=True)) | {LEXICAL: self._lexical()}

    def likeness(self, vector: FloatArray) -> Numbers:
        """(m,) compared with a vector (d,) of no language."""
        whole, passages = self._compared(vector, vector[None], -1)
        return whole + passages

    def _compared(self, whole: FloatArray, passages: FloatArray, number: int) -> tuple[Numbers, Numbers]:
        here = self._similarities(self.whole, self.passages, whole, passages, self.languages == number)
        scales = self.scales(whole, passages, number)
        return scoring.dense(scales[0].z(here[0]), scales[1].z(here[1]), self.parts)

    def scales(self, whole: FloatArray, passages: FloatArray, number: int) -> tuple[Scale, Scale]:
        """The spread of similarities to the reference sample, of whole texts and of passages."""
        reference = self.reference
        same = reference.languages == number
        there = self._similarities(reference.whole, reference.passages, whole, passages, same)
        return scoring.scale(there[0], scoring.WHOLE_PRIOR), scoring.scale(there[1], scoring.PASSAGES_PRIOR)

    def _similarities(
        self, wholes: FloatArray, held: Passages, whole: FloatArray, passages: FloatArray, same: NDArray[np.bool_]
    ) -> tuple[Numbers, Numbers]:
        """(m,) similarities of whole texts, and how well the listings' passages answer those of the query."""
        together = (wholes @ whole).astype(np.float64)
        best = scoring.coverage(held.best(passages @ held.vectors.T).astype(np.float64))
        return scoring.evened(together, same, self.parts), scoring.evened(best, same, self.parts)

    def said(self, asked: FigureRows, places: IntArray) -> Numbers:
        """(k,) what figures say of the candidates at these places."""
        held, owners = self.partition.figures(self.ids[places])
        if self.query.side is Kind.OFFER:
            return satisfying.said_of_needs(asked, held, owners, len(places))
        return satisfying.said_of_offers(asked, held, owners, len(places), self.reference.figures)

    def _lexical(self) -> Numbers:
        if not self.parts.lexical:
            return np.zeros(len(self.ids))
        idf, rarest = self.keywords.idf, self.keywords.rarest
        bound = _BOUND * sum(often * idf.get(term, rarest) for term, often in self.terms.own.items())
        if bound <= 0:
            return np.zeros(len(self.ids))
        found = self.keywords.of(self.ids) / bound
        if self.parts.noise:
            by_chance = self.keywords.of(self.reference.ids) / bound
            for number in np.unique(self.languages).tolist():
                chance = by_chance[self.reference.languages == number]
                found[self.languages == number] -= scoring.noise(chance, number == self.number)
        return np.asarray(scoring.lexical_weight(self.query.words) * found, np.float64)

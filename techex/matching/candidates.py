"""What is searched for, and the listings of one partition that may answer it, each scored exactly.

Candidates come from vectors and from words. A partition is compared with its own reference sample, so nothing outside
it moves a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from techex.listings.rules import Kind
from techex.matching import satisfying, scoring, structure
from techex.matching.reference import facts_of, reference_of, spoken_in, whole_vectors
from techex.matching.scoring import Numbers, Parts, Scale
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
# Names of the parts of a score that a candidate has by itself.
DENSE = ("whole", "passages")
LEXICAL = "lexical"
STATED = structure.PARTS

NO_LANGUAGE = -1  # beside the numbers of languages
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

    @property
    def _hold_all(self) -> bool:
        return len(self.partition if self.allowed is None else self.allowed) <= SCORED_WHOLE

    def near(self, vector: FloatArray) -> IntArray:
        """The listings that pass the filters and are nearest to a vector (d,) of no language, or all of them."""
        return self.ids if self._hold_all else self.partition.dense(vector[None], CANDIDATES, self.allowed)[0]

    def _candidates(self) -> IntArray:
        allowed: Selection | None = self.allowed
        if self._hold_all:
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
        return self.likeness_by_language({NO_LANGUAGE: vector})

    def likeness_by_language(self, vectors: Mapping[int, FloatArray]) -> Numbers:
        """(m,) compared with the sum of vectors (d,), each of the language with this number."""
        here = self._together(vectors, self.whole, self.passages, self.languages)
        reference = self.reference
        there = self._together(vectors, reference.whole, reference.passages, reference.languages)
        scales = scoring.scale(there[0], scoring.WHOLE_PRIOR), scoring.scale(there[1], scoring.PASSAGES_PRIOR)
        whole, passages = scoring.dense(scales[0].z(here[0]), scales[1].z(here[1]), self.parts)
        return whole + passages

    def _together(
        self, vectors: Mapping[int, FloatArray], wholes: FloatArray, held: Passages, languages: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """(2, m) similarities of whole texts and of passages with vectors of several languages, added up."""
        each = [
            self._similarities(wholes, held, vector, vector[None], languages == number)
            for number, vector in vectors.items()
        ]
        together: NDArray[np.float64] = np.sum(each, axis=0)
        return together

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

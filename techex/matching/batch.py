"""The best offers of many needs at once, by the scores that the pages show.

Vectors and words of all pairs are compared by products of whole matrices, with the formulas of `scoring`; the facts of
the best SHORTLISTED are added, then those near the best ones are guessed, and the FEW that remain are put in order by
`ranking`, the code behind the pages. Nothing is compared across visibility classes, as there.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from techex.errors import Environment
from techex.matching import ranking, scoring, structure
from techex.matching.candidates import DENSE, LEXICAL, Query, Scored, terms_of
from techex.matching.learned import NOTHING, Learned
from techex.matching.ranking import Ranking
from techex.matching.reference import facts_of, reference_of, whole_vectors
from techex.matching.scoring import Numbers, Scale
from techex.search.analysis import SearchTerms
from techex.search.dense import FloatArray, IntArray
from techex.search.facts import Filters, mask, rows_at
from techex.search.lexical import K1
from techex.search.many import KeywordTable
from techex.search.partitions import Keywords, Partition, Passages

# Put in order by `ranking`, of each partition: as many as its last step compares with each other.
FEW = 100
# Looked at with their facts, which may add up to about two spreads.
SHORTLISTED = 1_000
# Needs in one block, and their passages in one product: large enough for full speed, small enough for the caches.
BLOCK = 192
ROWS = 192

COMPARED = (*DENSE, LEXICAL)


@dataclass(frozen=True)
class Need:
    """What offers are sought for, and what these must be."""

    id: int
    query: Query
    limits: Filters = field(default_factory=Filters)


@dataclass(frozen=True)
class Best:
    """Of a `Ranking` what a list of pairs shows: little enough to be sent from one process to another."""

    ids: IntArray
    scores: Numbers
    plain: Numbers

    @classmethod
    def of(cls, ranking: Ranking) -> Best:
        """The same listings in the same order."""
        return cls(ranking.ids, ranking.scores, ranking.plain)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Found:
    """The best offers of a need, best first."""

    need: Need
    ranking: Best


class Offers:
    """A partition of offers laid out for products of matrices. Made once for a batch."""

    def __init__(self, partition: Partition) -> None:
        self.partition, self.reference = partition, reference_of(partition)
        self.ids = partition.ids()
        self.facts = facts_of(partition, self.ids)
        self.languages = self.facts["language"].astype(np.int32)
        self.table = KeywordTable(partition)
        self.columns = self.table.columns(self.ids)
        self.references = np.searchsorted(self.ids, self.reference.ids)
        self._lay_out(partition.passages(self.ids))

    def _lay_out(self, held: Passages) -> None:
        """Passages by their position: the first ones of all listings, the second ones of those that have two, ...

        The greatest similarity of a listing is then a maximum of neighbouring columns, without any bookkeeping.
        """
        self.wholes = whole_vectors(held)
        self.counts = np.bincount(held.owners, minlength=len(self.ids))
        order = np.argsort(-self.counts, kind="stable")
        self.place = np.empty(len(order), np.int64)
        self.place[order] = np.arange(len(order))
        firsts = np.cumsum(self.counts) - self.counts
        layers = [firsts[order[: np.count_nonzero(self.counts > at)]] + at for at in range(max(self.counts, default=0))]
        self.starts = np.cumsum([0, *(len(layer) for layer in layers)])
        self.vectors: FloatArray = held.vectors[np.concatenate([*layers, np.empty(0, np.int64)])]

    def passages(self, chosen: IntArray) -> Passages:
        """The passages of the listings at these places."""
        counts = self.counts[chosen]
        owners = np.repeat(np.arange(len(chosen)), counts)
        nth = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        at = self.starts[nth] + self.place[chosen][owners]
        return Passages(self.ids[chosen], owners, self.vectors[at], np.empty(0, np.void), self.partition.tables.labels)

    def nearest(self, queries: FloatArray) -> FloatArray:
        """(q, n) for (q, d) queries the similarity of the best passage of each listing; 0 for one without any.

        Columns are in the order of `place`, as the passages are laid out.
        """
        best = np.zeros((len(queries), len(self.ids)), np.float32)
        for first, last in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            found = queries @ self.vectors[first:last].T
            part = best[:, : last - first]
            if first:
                np.maximum(part, found, out=part)
            else:
                part[:] = found
        return best

    def number(self, language: str) -> int:
        """The number that rows have for a language."""
        return self.partition.tables.labels.number(language)

    def scales(self, queries: Sequence[FloatArray]) -> list[tuple[Scale, Scale]]:
        """As `Scored.scales`, for many vectors (d,) of no language."""
        if not queries:
            return []
        held, asked = self.reference.passages, np.array(queries)
        together = (asked @ self.reference.whole.T).astype(np.float64)
        best = held.best(asked @ held.vectors.T).astype(np.float64)
        return [
            (scoring.scale(whole, scoring.WHOLE_PRIOR), scoring.scale(scoring.coverage(one), scoring.PASSAGES_PRIOR))
            for whole, one in zip(together, best[:, None], strict=True)
        ]


def best_of_many(
    partitions: Sequence[Partition],
    needs: Sequence[Need],
    learned: Learned = NOTHING,
    workers: int = 1,
    today: date | None = None,
) -> Iterator[Found]:
    """For each need its best offers, as they are found: needs in one language after another.

    Needs without vectors are left out: without a model there is nothing to multiply.
    """
    offers = [Offers(partition) for partition in partitions if len(partition)]
    asked = sorted((need for need in needs if need.query.whole is not None), key=lambda need: need.query.language)
    if not offers or not asked:
        return
    blocks = list(_blocks(asked))
    with _one_thread_a_product():
        if min(workers, len(blocks)) == 1:
            for block in blocks:
                yield from map(Found, block, _answered(offers, block, learned, today))
        else:
            yield from _side_by_side(offers, blocks, learned, workers, today)


def _side_by_side(
    offers: Sequence[Offers], blocks: Sequence[Sequence[Need]], learned: Learned, workers: int, today: date | None
) -> Iterator[Found]:
    """The same by several processes, which share what was laid out: half of the work holds the interpreter's lock."""
    given = (offers, blocks, learned, today)  # far too large to be sent: a fork finds it where it is
    pool = ProcessPoolExecutor(workers, get_context("fork"), _forked, given)
    try:
        waiting: deque[tuple[Sequence[Need], Future[list[Best]]]] = deque()
        for place, block in enumerate(blocks):
            waiting.append((block, pool.submit(_answered_here, place)))
            if len(waiting) > workers + 1:
                yield from _awaited(*waiting.popleft())
        while waiting:
            yield from _awaited(*waiting.popleft())
    except BrokenProcessPool as error:
        raise Environment(
            "A process that compared listings was ended from outside, most likely for want of memory. "
            "Compare fewer at once, or with one worker."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_given: list[tuple[Sequence[Offers], Sequence[Sequence[Need]], Learned, date | None]] = []


def _forked(*given: Any) -> None:
    _given.append(given)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends its processes


def _awaited(block: Sequence[Need], answer: Future[list[Best]]) -> Iterator[Found]:
    return map(Found, block, answer.result())


def _answered_here(place: int) -> list[Best]:
    (offers, blocks, learned, today) = _given[0]
    return _answered(offers, blocks[place], learned, today)


def _blocks(needs: Sequence[Need]) -> Iterator[Sequence[Need]]:
    """At most BLOCK needs in one language."""
    first = 0
    for place in range(1, len(needs) + 1):
        ends = place == len(needs) or needs[place].query.language != needs[first].query.language
        if ends or place - first == BLOCK:
            yield needs[first:place]
            first = place


def _answered(offers: Sequence[Offers], block: Sequence[Need], learned: Learned, today: date | None) -> list[Best]:
    queries = [need.query.turned(learned) for need in block]
    partitions = [each.partition for each in offers]
    terms = [terms_of(query, partitions) for query in queries]
    few: list[list[_Few]] = [[] for _ in block]
    for each in offers:
        asked = [each.table.asked(own.all) for own in terms]
        words = each.table.scores(asked)
        keywords = [each.table.keywords(own, row) for own, row in zip(asked, words, strict=True)]
        added = (*_dense(each, queries), _words(each, queries, terms, keywords, words.take(each.columns, axis=1)))
        total = np.zeros_like(added[0])
        for part, values in zip(COMPARED, added, strict=True):
            total += np.float32(learned.factor(part)) * values
        shortlists = [
            _shortlist(each, need, query, total[place], learned)
            for place, (need, query) in enumerate(zip(block, queries, strict=True))
        ]
        for place, (query, given) in enumerate(zip(queries, _few(each, shortlists, learned), strict=True)):
            compared = {part: values[place][given].astype(float) for part, values in zip(COMPARED, added, strict=True)}
            prepared = (each.partition, query, terms[place], None, scoring.ALL_PARTS)
            few[place].append(_Few(*prepared, given=given, offers=each, heard=keywords[place], compared=compared))
    begun = [ranking.Begun.of(chosen, learned) for chosen in few]
    answered = [chosen for chosen, one in zip(few, begun, strict=True) if one]
    again = [one.second_query for one in begun if one]
    for at, each in enumerate(offers):
        for chosen, scales in zip(answered, each.scales(again), strict=True):
            chosen[at].again = scales
    return [
        Best.of(ranking.finished(one, query, learned=learned, today=today) if one else ranking.nothing())
        for one, query in zip(begun, queries, strict=True)
    ]


def _vectors(query: Query) -> tuple[FloatArray, FloatArray]:
    """The vector of the whole text (d,) and those of the passages (q, d)."""
    assert query.whole is not None  # noqa: S101 - only queries with vectors come here
    assert query.passages is not None  # noqa: S101
    return query.whole, query.passages


def _dense(offers: Offers, queries: Sequence[Query]) -> tuple[FloatArray, FloatArray]:
    """(q, n) twice: what whole texts and passages add, for queries in one language."""
    even = np.where(offers.languages == offers.number(queries[0].language), 1 / scoring.SAME_LANGUAGE_SPREAD, 1)
    wholes, passages = zip(*map(_vectors, queries), strict=True)
    together, best = np.array(wholes) @ offers.wholes.T, _coverage(offers, passages)
    share = scoring.PASSAGES_SHARE
    for values, prior, part in ((together, scoring.WHOLE_PRIOR, 1 - share), (best, scoring.PASSAGES_PRIOR, share)):
        values *= even.astype(np.float32)
        means, spreads = _scales(values[:, offers.references], prior)
        values -= means
        values *= part / spreads
    best[:, offers.counts == 0] = 0
    return together, best


def _coverage(offers: Offers, passages: Sequence[FloatArray]) -> FloatArray:
    """(q, n) `scoring.coverage` of each query."""
    found = np.empty((len(passages), len(offers.ids)), np.float32)
    share, first, rows = np.float32(scoring.BEST_PASSAGE_SHARE), 0, 0
    for place in range(1, len(passages) + 1):
        rows += len(passages[place - 1])
        if rows < ROWS and place < len(passages):
            continue
        best, at = offers.nearest(np.concatenate(passages[first:place])), 0
        for query in range(first, place):
            own = best[at : at + len(passages[query])]
            found[query] = (1 - share) * own.mean(axis=0) + share * own.max(axis=0)
            at += len(own)
        first, rows = place, 0
    return found.take(offers.place, axis=1)


def _words(
    offers: Offers,
    queries: Sequence[Query],
    terms: Sequence[SearchTerms],
    keywords: Sequence[Keywords],
    words: FloatArray,
) -> FloatArray:
    """(q, n) what words add, less what listings of the same language reach by chance."""
    bounds = [
        (K1 + 1) * sum(often * heard.idf.get(term, heard.rarest) for term, often in each.own.items())
        for each, heard in zip(terms, keywords, strict=True)
    ]
    words = words / np.maximum(np.array(bounds), 1e-9).astype(np.float32)[:, None]
    chance, own = words[:, offers.references], offers.number(queries[0].language)
    spoken = np.unique(offers.languages)
    by_chance = np.empty((len(queries), len(spoken)), np.float32)
    for place, number in enumerate(spoken.tolist()):
        prior = scoring.NOISE_PRIOR if number == own else scoring.NOISE_PRIOR_ACROSS
        means, spreads = _scales(chance[:, offers.reference.languages == number], prior)
        by_chance[:, place] = (means + scoring.NOISE_SPREADS * spreads)[:, 0]
    words -= by_chance @ (spoken[:, None] == offers.languages).astype(np.float32)
    words *= np.array([scoring.lexical_weight(query.words) for query in queries], np.float32)[:, None]
    words[np.array(bounds) <= 0] = 0
    return words


def _scales(reference: FloatArray, prior: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """`scoring.scale` of each row: means and spreads (q, 1)."""
    weight = scoring.count_and_prior(reference.shape[1])
    means = (reference.sum(axis=1, keepdims=True) + scoring.PRIOR_LISTINGS * prior[0]) / weight
    squares = ((reference - means) ** 2).sum(axis=1, keepdims=True) + scoring.PRIOR_LISTINGS * prior[1] ** 2
    return means.astype(np.float32), np.sqrt(squares / weight).astype(np.float32)


@dataclass(frozen=True)
class _Shortlist:
    """Places (m,) of the offers that are best by vectors, words and facts, and what these add."""

    places: IntArray
    values: Numbers


def _shortlist(offers: Offers, need: Need, query: Query, compared: FloatArray, learned: Learned) -> _Shortlist:
    some = np.flatnonzero(mask(offers.facts, need.limits, offers.partition.tables.labels))
    some = some[_greatest(compared[some], SHORTLISTED)]
    values = compared[some].astype(np.float64)
    if query.wanted is not None:
        stated = structure.agreement(query.wanted, rows_at(offers.facts, some), offers.partition.tables.labels)
        for part, each in stated.items():
            values += learned.factor(part) * each
    return _Shortlist(some, values)


def _few(offers: Offers, shortlists: Sequence[_Shortlist], learned: Learned) -> list[IntArray]:
    """Of each shortlist the places of the FEW offers that are best with what likeness to its best ones adds."""
    together = np.zeros((len(shortlists), offers.wholes.shape[1]), np.float32)
    for row, short in zip(together, shortlists, strict=True):
        if len(short.places) > FEW:
            best = _greatest(short.values, scoring.FEEDBACK_LISTINGS)
            shares = scoring.feedback_weights(short.values[best]).astype(np.float32)
            row[:] = shares @ offers.wholes[short.places[best]]
            row /= max(float(np.linalg.norm(row)), 1e-9)
    likeness = together @ offers.wholes.T  # to all of them: quicker than fetching a thousand vectors for each need
    weight = scoring.FEEDBACK_WEIGHT_LISTING * learned.factor(ranking.FEEDBACK) / scoring.WHOLE_PRIOR[1]
    found = []
    for near, short in zip(likeness, shortlists, strict=True):
        chosen = short.places
        if len(chosen) > FEW:
            chosen = chosen[_greatest(short.values + weight * near[chosen], FEW)]
        found.append(np.sort(chosen))
    return found


def _greatest(values: NDArray[np.floating], count: int) -> IntArray:
    """Places of the `count` greatest, in no order."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.argpartition(-values, count)[:count]


@dataclass(kw_only=True)
class _Few(Scored):
    """Offers that were chosen already, with what was computed for many queries at once."""

    given: IntArray  # their places
    offers: Offers
    heard: Keywords
    compared: Mapping[str, Numbers]
    again: tuple[Scale, Scale] | None = None  # for what is searched for once more

    def _candidates(self) -> IntArray:
        return self.offers.ids[self.given]

    @cached_property
    def keywords(self) -> Keywords:
        return self.heard

    @cached_property
    def passages(self) -> Passages:
        return self.offers.passages(self.given)

    @cached_property
    def whole(self) -> FloatArray:
        return self.offers.wholes[self.given]

    @cached_property
    def facts(self) -> NDArray[np.void]:
        return rows_at(self.offers.facts, self.given)

    def compare(self) -> Mapping[str, Numbers]:
        return self.compared

    def scales(self, whole: FloatArray, passages: FloatArray, number: int) -> tuple[Scale, Scale]:
        return self.again or super().scales(whole, passages, number)


def _one_thread_a_product() -> AbstractContextManager[object]:
    """Workers take a block each; a product that took all cores for itself would only wait for the others."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits

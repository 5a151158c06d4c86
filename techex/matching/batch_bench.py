"""How long the best pairs of a whole exchange take, on one that is grown from the demo's; run by `make bench`.

A grown listing has the facts of one of the demo's; its vectors are those of that listing, each mixed with another one
in random shares, and noise added (search.bench); its words are most sentences of it and some of another listing in the
same language. This says how long pairs take and whether they are those of the pages; it says nothing about quality.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from techex.embedding.encoders import Encoder
from techex.embedding.passages import WHOLE_FIELD, words_of
from techex.embedding.sentences import split_sentences
from techex.interchange.demo import DemoListing, demo_exchange
from techex.listings.rules import BODY_FIELDS, Kind, Visibility
from techex.matching import ranking
from techex.matching.batch import Need, best_of_many
from techex.matching.candidates import Scored, terms_of
from techex.matching.gold import GoldSet, gold_set
from techex.matching.ranking import Ranking
from techex.matching.scoring import ALL_PARTS
from techex.search.analysis import listing_terms
from techex.search.bench import grown_near
from techex.search.collection import Collection, Item, Raw
from techex.search.dense import FloatArray, IntArray
from techex.search.facts import Filters
from techex.search.partitions import Partition
from techex.search.segments import Entry, Passage

LISTINGS = 10_000  # of each kind
PASSAGES = 3  # beside the whole text
ORGANISATIONS = 3_000
COMPARED = 100  # needs whose pairs are compared with those of the pages
FIRST = 10


@dataclass(frozen=True)
class BatchFigures:
    """Seconds on the clock and of all cores, and the share of each need's first ten that the ranking of the pages gives
    too: with its own candidates, and when it looks at every offer."""

    listings: int
    workers: int
    seconds: float
    cpu_seconds: float
    as_pages: float
    as_all: float


def measure(encoder: Encoder, listings: int = LISTINGS, report: Callable[[str], None] = lambda _: None) -> BatchFigures:
    """Grow an exchange and find its best pairs, on all cores."""
    report(f"growing {listings:,} needs and as many results")
    gold, rng = gold_set(demo_exchange(), encoder), np.random.default_rng(0)
    offers, needs = _offers(gold, listings, rng), _needs(gold, listings, rng)
    workers = len(os.sched_getaffinity(0))
    report("finding the best pairs")
    started, cpu = time.perf_counter(), _worked()
    found = {each.need.id: each.ranking.ids[:FIRST].tolist() for each in best_of_many([offers], needs, workers=workers)}
    took, cpu = time.perf_counter() - started, _worked() - cpu
    report("comparing them with those of the pages")
    some = needs[:: max(1, len(needs) // COMPARED)]
    shares = {}
    for every in (False, True):
        alone = [(_of_all if every else _as_page)(offers, need).ids[:FIRST].tolist() for need in some]
        both = zip(some, alone, strict=True)
        shares[every] = float(np.mean([len({*found[need.id]} & {*first}) / FIRST for need, first in both]))
    return BatchFigures(listings, workers, round(took, 1), round(cpu, 1), shares[False], shares[True])


def _worked() -> float:
    """Seconds of processor time of this process and of those it has ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _as_page(offers: Partition, need: Need) -> Ranking:
    return ranking.rank([offers], need.query, need.limits)


def _of_all(offers: Partition, need: Need) -> Ranking:
    terms = terms_of(need.query, [offers])
    return ranking.ranked([_Every(offers, need.query, terms, need.limits, ALL_PARTS)], need.query)


class _Every(Scored):
    """Every offer that meets the filters is a candidate, however many there are."""

    def _candidates(self) -> IntArray:
        return self.partition.ids() if self.allowed is None else self.allowed.ids


def _offers(gold: GoldSet, size: int, rng: np.random.Generator) -> Partition:
    listed = demo_exchange().of_kind(Kind.OFFER)
    texts, alike = _sentences(listed), _alike(listed)
    held = gold.offers.passages(gold.offers.ids())
    firsts = np.searchsorted(held.owners, np.arange(len(listed) + 1))
    items = []
    for number in range(1, size + 1):
        at = number % len(listed)
        rows = np.arange(firsts[at], firsts[at + 1])
        rows = np.append(rng.permutation(rows[:-1])[:PASSAGES], rows[-1])
        facts = gold.offers.facts(at + 1)
        assert facts is not None  # noqa: S101 - every offer of the demo is there
        vectors = grown_near(held.vectors[rows], held.vectors, rng)
        fields = [*["description"] * (len(rows) - 1), WHOLE_FIELD]
        parts = [Passage(place, name, facts.language, "long", "0" * 64) for place, name in enumerate(fields)]
        words = listing_terms(_mixed(at, texts, alike[facts.language], rng), facts.language)
        entry = Entry(number, replace(facts, organisation=number % ORGANISATIONS), words, parts, vectors)
        items.append(Item((Visibility.PUBLIC, Kind.OFFER), entry))
    dimension = held.vectors.shape[1]
    built = Collection.build(items, card_key="bench", dimension=dimension, centring=Raw())
    return built.partitions[Visibility.PUBLIC, Kind.OFFER]


def _needs(gold: GoldSet, size: int, rng: np.random.Generator) -> list[Need]:
    listed = demo_exchange().of_kind(Kind.NEED)
    texts, alike = _sentences(listed), _alike(listed)
    pool = np.concatenate([_passages(gold, at) for at in range(len(listed))])
    found = []
    for number in range(size):
        at = number % len(listed)
        query, text = gold.needs[at].query, _mixed(at, texts, alike[gold.needs[at].language], rng)
        near = grown_near(_passages(gold, at), pool, rng)
        query = replace(query, text=text, words=words_of(text), whole=near[-1], passages=near[:PASSAGES])
        found.append(Need(number, query, Filters(without_organisations=frozenset({number % ORGANISATIONS}))))
    return found


def _passages(gold: GoldSet, at: int) -> FloatArray:
    """Those of a need, the whole last."""
    query = gold.needs[at].query
    assert query.whole is not None  # noqa: S101 - the gold set is embedded
    assert query.passages is not None  # noqa: S101
    return np.concatenate([query.passages, query.whole[None]])


def _sentences(listed: Sequence[DemoListing]) -> list[list[str]]:
    texts = []
    for listing in listed:
        values = listing.draft.values
        text = "\n".join(values[name] for name in ("title", "summary", *BODY_FIELDS) if values.get(name))
        texts.append(split_sentences(text, listing.draft.language))
    return texts


def _alike(listed: Sequence[DemoListing]) -> Mapping[str, list[int]]:
    """Places of listings by language."""
    found: dict[str, list[int]] = defaultdict(list)
    for at, listing in enumerate(listed):
        found[listing.draft.language].append(at)
    return found


def _mixed(at: int, texts: Sequence[Sequence[str]], alike: Sequence[int], rng: np.random.Generator) -> str:
    other = alike[int(rng.integers(len(alike)))]
    own = [sentence for sentence in texts[at] if rng.random() < 0.7]
    return " ".join([*own, *(sentence for sentence in texts[other] if rng.random() < 0.3)])

"""Whatever changes, the index answers like brute force over what is there, before and after a restart."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from techex.listings.rules import Kind, Visibility
from techex.search import dense
from techex.search.collection import Collection, Item, Raw
from techex.search.facts import Filters
from techex.search.snapshots import read, write
from tests.search.listings import COUNTRIES, DIMENSION, WORDS, best_cosines, bm25, collection_of, made, unit

IDS = st.integers(1, 60)
SEEDS = st.integers(0, 5)
CLASSES = st.sampled_from(list(Visibility))
KINDS = st.sampled_from(list(Kind))


class IndexMachine(RuleBasedStateMachine):
    """Listings come, change, move and go; the index is merged, thrown away and restored."""

    def __init__(self) -> None:
        super().__init__()
        self.listings: dict[int, Item] = {}
        self.collection: Collection = collection_of([])
        self.kept: list[tuple[Collection, dict[int, Item]]] = []
        self.version = 0

    @initialize(count=st.integers(0, 40))
    def fill(self, count: int) -> None:
        self.listings = {number: made(number) for number in range(1, count + 1)}
        self.collection = collection_of(list(self.listings.values()))

    def change(self, removed: set[int], items: list[Item]) -> None:
        self.version += 1
        self.collection = self.collection.changed(removed, items, self.version)
        self.listings = {number: item for number, item in self.listings.items() if number not in removed}
        self.listings |= {item.entry.listing_id: item for item in items}

    @rule(ids=st.sets(IDS, min_size=1, max_size=8), seed=SEEDS, passages=st.integers(0, 4), kind=KINDS, where=CLASSES)
    def put(self, ids: set[int], seed: int, passages: int, kind: Kind, where: Visibility) -> None:
        items = [made(number, seed, passages=passages, kind=kind, visibility=where) for number in ids]
        self.change(set(), items)

    @rule(ids=st.sets(IDS, min_size=1, max_size=8))
    def remove(self, ids: set[int]) -> None:
        self.change(ids, [])

    @rule(gone=st.sets(IDS, max_size=3), come=st.sets(IDS, max_size=3), seed=SEEDS)
    def remove_and_put_at_once(self, gone: set[int], come: set[int], seed: int) -> None:
        self.change(gone - come, [made(number, seed) for number in come])

    @rule()
    def merge(self) -> None:
        for key, partition in self.collection.partitions.items():
            self.collection = self.collection.with_partition(key, partition.merged())

    @rule()
    def restart_from_the_database(self) -> None:
        self.collection = collection_of(list(self.listings.values()))

    @rule()
    def restart_from_a_snapshot(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.index"
            write(path, self.collection)
            self.collection = read(path, card_key="made", dimension=DIMENSION, centring=Raw())

    @rule()
    def keep_what_a_reader_holds(self) -> None:
        self.kept.append((self.collection, dict(self.listings)))

    @rule(seed=SEEDS, k=st.integers(1, 12), country=st.sampled_from((*COUNTRIES, None)), kind=KINDS, where=CLASSES)
    def search(self, seed: int, k: int, country: str | None, kind: Kind, where: Visibility) -> None:
        self.compare(self.collection, self.listings, seed, k, country, (where, kind))

    @invariant()
    def holds_what_is_there(self) -> None:
        for key, partition in self.collection.partitions.items():
            mine = [number for number, item in sorted(self.listings.items()) if item.key == key]
            assert partition.ids().tolist() == mine
            assert len(partition) == len(mine)
            assert partition.passage_count == sum(len(self.listings[number].entry.passages) for number in mine)

    def teardown(self) -> None:
        for collection, listings in self.kept[:3]:
            self.compare(collection, listings, 1, 5, None, (Visibility.PUBLIC, Kind.OFFER))

    @staticmethod
    def compare(
        collection: Collection,
        listings: dict[int, Item],
        seed: int,
        k: int,
        country: str | None,
        key: tuple[Visibility, Kind],
    ) -> None:
        """The same search in the index and by brute force."""
        partition = collection.partitions[key]
        here = [item for item in listings.values() if item.key == key]
        allowed_ids = {item.entry.listing_id for item in here if country in (None, item.entry.facts.country)}
        allowed = partition.allowed(Filters(countries=frozenset({country} if country else ())))
        rng = np.random.default_rng(seed)
        query = unit(rng.normal(size=(1, DIMENSION)))
        cosines = {number: cos for number, cos in best_cosines(here, query[0]).items() if number in allowed_ids}
        ids, scores = partition.dense(query, k, allowed)
        assert len(ids) == len(set(ids.tolist())) <= k
        assert set(ids.tolist()) <= allowed_ids
        assert scores.tolist() == pytest.approx([cosines[number] for number in ids.tolist()], abs=1e-5)
        best = sorted(cosines.values(), reverse=True)[:k]
        assert scores.tolist() == pytest.approx(best[: len(ids)], abs=IndexMachine.tolerance)
        # Several passages of one listing may fill the list: fewer than k only where that can be the reason.
        assert len(ids) == len(best) or len(ids) * 4 >= k
        terms = {str(word): float(rng.integers(1, 3)) for word in rng.choice(WORDS, 3, replace=False)}
        truth = {number: score for number, score in bm25(here, terms).items() if number in allowed_ids}
        keywords = partition.keywords(terms)
        ids, values = keywords.top(k, allowed)
        assert values.tolist() == pytest.approx(sorted(truth.values(), reverse=True)[:k], rel=1e-5)
        assert values.tolist() == pytest.approx([truth[number] for number in ids.tolist()], rel=1e-5)
        assert (values <= keywords.bound * (1 + 1e-6)).all()
        some = np.array(sorted(listings), np.int64)
        expected = bm25(here, terms)
        assert keywords.of(some).tolist() == pytest.approx([expected.get(n, 0) for n in some.tolist()], rel=1e-5)

    tolerance = 1e-5


class TestExactIndex(IndexMachine.TestCase):
    settings = settings(max_examples=40, stateful_step_count=15, deadline=None)


class TestInvertedIndex(IndexMachine.TestCase):
    """The same with inverted lists from eleven passages on; few enough that all are read: 8-bit codes alone err."""

    settings = settings(max_examples=40, stateful_step_count=15, deadline=None)

    @pytest.fixture(autouse=True)
    def _many_lists(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dense, "EXACT_UP_TO", 10)
        monkeypatch.setattr(IndexMachine, "tolerance", 0.02)

"""Partitions and collections: filters, passages, samples, and what others may not move."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from techex.listings.rules import Kind, Visibility
from techex.matching.reference import reference_of
from techex.quantities.compact import FIGURES
from techex.search.collection import Collection
from techex.search.facts import Facts, Filters, Where
from techex.search.partitions import Partition, _greatest
from techex.search.segments import Entry, Passage

from .listings import DIMENSION, best_cosines, collection_of, made, unit

OFFERS = (Visibility.PUBLIC, Kind.OFFER)


def offers(collection: Collection) -> Partition:
    return collection.partitions[OFFERS]


def test_candidates_by_meaning_are_the_listings_with_the_nearest_passage() -> None:
    items = [made(number) for number in range(1, 300)]
    query = unit(np.random.default_rng(1).normal(size=(1, DIMENSION)))
    ids, scores = offers(collection_of(items)).dense(query, 20)
    truth = best_cosines(items, query[0])
    expected = sorted(truth, key=lambda number: -truth[number])[:20]
    assert ids.tolist() == expected
    assert scores.tolist() == pytest.approx([truth[number] for number in expected], abs=1e-5)


def test_every_query_passage_brings_its_own_candidates() -> None:
    items = [made(number) for number in range(1, 300)]
    partition = offers(collection_of(items))
    queries = unit(np.random.default_rng(1).normal(size=(3, DIMENSION)))
    together = set(partition.dense(queries, 5)[0].tolist())
    assert together == {number for query in queries for number in partition.dense(query[None], 5)[0].tolist()}


FACTS = Facts(
    "vi",
    "VN",
    "01",
    "red-river-delta",
    ("207", "401"),
    6,
    "granted",
    ("service_contract",),
    4,
    "university",
    reach="region",
)
EMPTY = Facts("en", "NL", organisation=9)


@pytest.mark.parametrize(
    ("filters", "fits", "empty_fits"),
    [
        (Filters(countries=frozenset({"VN", "KR"})), True, False),
        (Filters(provinces=frozenset({"01"})), True, False),
        (Filters(regions=frozenset({"red-river-delta"})), True, False),
        (Filters(languages=frozenset({"en"})), False, True),
        (Filters(fields=frozenset({"2"})), True, False),
        (Filters(fields=frozenset({"401", "601"})), True, False),
        (Filters(fields=frozenset({"5"})), False, False),
        (Filters(trl_min=6), True, False),
        (Filters(trl_min=7), False, False),
        (Filters(trl_max=6), True, False),
        (Filters(ip_statuses=frozenset({"granted"})), True, False),
        (Filters(transfer_forms=frozenset({"service_contract", "assignment"})), True, False),
        (Filters(organisation_kinds=frozenset({"university"})), True, False),
        (Filters(organisations=frozenset({9})), False, True),
        (Filters(without_organisations=frozenset({9})), True, False),
        (Filters(without_listings=frozenset({1})), False, True),
        (Filters(elsewhere_than=("VN", "red-river-delta")), False, True),
        (Filters(elsewhere_than=("VN", "south-east")), True, True),
        (Filters(elsewhere_than=("NL", None)), True, False),
        (Filters(within=("region", Where("VN", "red-river-delta", "33"))), True, False),
        (Filters(within=("province", Where("VN", "red-river-delta", "33"))), False, False),
        (Filters(within=("country", Where("VN", "south-east", "79"))), True, False),
        (Filters(within=("country", Where("NL"))), False, True),
        (Filters(within=("world", Where("KR"))), True, True),
        (Filters(seen_from=Where("VN", "red-river-delta", "33")), True, True),
        (Filters(seen_from=Where("VN", "south-east", "79")), False, True),
        (Filters(countries=frozenset({"VN"}), trl_min=7), False, False),
        (Filters(countries=frozenset({"ZZ"})), False, False),
        (Filters(provinces=frozenset({""})), False, False),
    ],
)
def test_a_filter_keeps_what_meets_it_and_nothing_unstated(filters: Filters, fits: bool, empty_fits: bool) -> None:
    entries = [Entry(1, FACTS, {}, (), np.empty((0, DIMENSION), np.float32)),
               Entry(2, EMPTY, {}, (), np.empty((0, DIMENSION), np.float32))]  # fmt: skip
    partition = offers(collection_of([])).changed([], entries)
    allowed = partition.allowed(filters)
    assert allowed is not None
    assert allowed.ids.tolist() == [number for number, ok in ((1, fits), (2, empty_fits)) if ok]


def test_no_condition_is_no_filter() -> None:
    assert offers(collection_of([made(1)])).allowed(Filters()) is None


def test_facts_come_back_as_they_went_in() -> None:
    partition = offers(collection_of([])).changed([], [Entry(1, FACTS, {}, (), np.empty((0, DIMENSION), np.float32))])
    assert partition.facts(1) == FACTS
    assert partition.facts(2) is None


def test_a_listing_without_vectors_is_found_by_its_words() -> None:
    partition = offers(collection_of([made(number) for number in range(1, 20)] + [made(50, passages=0)]))
    assert 50 in partition.keywords(dict.fromkeys(made(50).entry.terms, 1.0)).top(100)[0].tolist()
    assert 50 not in partition.dense(unit(np.ones((1, DIMENSION))), 100)[0].tolist()
    assert 50 in partition.ids().tolist()
    assert 50 not in partition.ids_with_vectors().tolist()


def test_an_empty_or_damaged_vector_is_left_out_and_the_rest_of_the_listing_stays() -> None:
    item = made(1)
    item.entry.vectors[0] = 0
    item.entry.vectors[1, 2] = np.nan
    partition = offers(collection_of([item]))
    assert partition.passages(np.array([1])).positions.tolist() == [2]


def test_passages_come_listing_by_listing_in_the_order_asked() -> None:
    items = {number: made(number, passages=number % 4) for number in range(1, 30)}
    partition = offers(collection_of(list(items.values()))).changed([2], [made(31).entry])
    asked = np.array([31, 7, 2, 4, 999, 5])
    found = partition.passages(asked)
    assert found.owners.tolist() == [0] * 3 + [1] * 3 + [5] * 1
    np.testing.assert_allclose(found.vectors[3:6], items[7].entry.vectors, atol=1e-3)
    similarities = np.arange(7, dtype=np.float32)[None]
    assert found.best(similarities)[0].tolist() == [2, 5, -np.inf, -np.inf, -np.inf, 6]


def test_the_reference_sample_is_stable() -> None:
    partition = offers(collection_of([made(number) for number in range(1, 500)]))
    sample = partition.sample(50).tolist()
    assert sample == partition.sample(50).tolist() == partition.merged().sample(50).tolist()
    assert sample != partition.sample(50, seed=1).tolist()
    after = partition.changed([int(sample[0])], [made(900).entry]).sample(50).tolist()
    assert len(set(sample) - set(after)) <= 2


def test_what_lies_in_another_partition_moves_neither_order_nor_score_nor_count() -> None:
    public = [made(number) for number in range(1, 100)]
    hidden = [made(number, visibility=Visibility.RESTRICTED, words={"pump": 5}) for number in range(200, 400)]
    alone, beside = offers(collection_of(public)), offers(collection_of(public + hidden))
    query = unit(np.ones((1, DIMENSION)))
    for a, b in (
        (alone.dense(query, 20), beside.dense(query, 20)),
        (alone.keywords({"pump": 1.0}).top(20), beside.keywords({"pump": 1.0}).top(20)),
    ):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    assert alone.sample(10).tolist() == beside.sample(10).tolist()
    assert len(alone) == len(beside)


def test_a_reader_is_shown_only_the_partitions_of_their_classes() -> None:
    collection = collection_of([made(1), made(2, visibility=Visibility.MEMBERS), made(3, kind=Kind.NEED)])
    assert [part.ids().tolist() for part in collection.view({Visibility.PUBLIC}, Kind.OFFER)] == [[1]]
    assert [part.ids().tolist() for part in collection.view(set(Visibility), Kind.OFFER)] == [[1], [2]]


def test_a_listing_that_becomes_confidential_leaves_the_public_partition() -> None:
    collection = collection_of([made(1), made(2)])
    changed = collection.changed([], [made(1, visibility=Visibility.RESTRICTED)], version=2)
    assert offers(changed).ids().tolist() == [2]
    assert changed.partitions[Visibility.RESTRICTED, Kind.OFFER].ids().tolist() == [1]
    assert changed.partitions[Visibility.PUBLIC, Kind.NEED] is collection.partitions[Visibility.PUBLIC, Kind.NEED]
    assert offers(collection).ids().tolist() == [1, 2]


def test_a_passage_at_an_impossible_position_is_refused() -> None:
    entry = Entry(1, FACTS, {}, [Passage(16, "whole", "vi", "long", "0" * 64)], unit(np.ones((1, DIMENSION))))
    with pytest.raises(ValueError, match="position 16"):
        offers(collection_of([])).changed([], [entry])


def test_many_changes_ask_for_a_merge() -> None:
    partition = offers(collection_of([made(number) for number in range(1, 50)]))
    assert not partition.wants_merging
    partition = partition.changed([], [made(number).entry for number in range(100, 700)])
    assert partition.wants_merging
    assert not partition.merged().wants_merging


@pytest.mark.parametrize("ties", [1_000, 7])
@pytest.mark.parametrize("said", [0.9, 0.05, 0.001, 0.0])
def test_the_best_by_words_are_found_however_few_say_them(said: float, ties: int) -> None:
    rng = np.random.default_rng(3)
    for size in (10, 400, 30_000):
        scores = (rng.integers(1, ties, size) / ties * (rng.random(size) < said)).astype(np.float32)
        for k in (1, 20, 200):
            found = _greatest(scores, k)
            best = np.sort(scores[scores > 0])[::-1]
            expected = np.flatnonzero((scores > 0) & (scores >= best[min(k, len(best)) - 1])) if len(best) else []
            assert found.tolist() == list(expected)


def test_the_best_by_words_are_found_where_a_sample_misses_them() -> None:
    scores = np.zeros(5_000, np.float32)
    scores[::16] = 0.1
    scores[1:60:3] = 0.5
    assert _greatest(scores, 20).tolist() == list(range(1, 60, 3))
    assert len(_greatest(scores, 21)) == np.count_nonzero(scores)


def test_the_figures_of_listings_follow_every_change_and_merge() -> None:
    before = [made(number) for number in range(1, 40)]
    changed = [made(3, seed=5), made(50), made(51)]
    partition = offers(collection_of(before)).changed([7], [item.entry for item in changed])
    nothing = np.zeros(0, FIGURES)
    standing = {item.entry.listing_id: item.entry.figures for item in [*before, *changed]}
    del standing[7]
    ids = np.array([51, 3, 12, 7, 1, 999, 50, 20])
    expected = [(place, *row) for place, one in enumerate(ids.tolist()) for row in standing.get(one, nothing).tolist()]
    assert expected
    for each in (partition, partition.merged(), partition.merged().changed([51], [changed[2].entry]).merged()):
        rows, owners = each.figures(ids)
        assert [(place, *row) for place, row in zip(owners.tolist(), rows.tolist(), strict=True)] == expected


def test_a_collection_nobody_holds_goes_without_the_garbage_collector() -> None:
    """A server never looks through what it loaded at its start (core.memory): a cycle in it would stay for good."""
    collection = collection_of([made(number) for number in range(1, 60)])
    partition = offers(collection)
    partition.dense(unit(np.random.default_rng(1).normal(size=(1, DIMENSION))), 5)
    reference_of(partition)
    watched = [weakref.ref(collection), weakref.ref(partition)]
    gc.disable()
    try:
        del collection, partition
        assert [one() for one in watched] == [None, None]
    finally:
        gc.enable()

"""Keyword scores against the formula written out."""

from __future__ import annotations

import pytest

from techex.listings.rules import Kind, Visibility
from techex.search.facts import Filters
from techex.search.partitions import Partition

from .listings import bm25, collection_of, made

QUERY = {"pump": 1.0, "rice": 2.0, "nowhere": 1.0}


def partition_of(*items) -> Partition:  # type: ignore[no-untyped-def]
    return collection_of(items).partitions[Visibility.PUBLIC, Kind.OFFER]


def scores_of(partition: Partition, terms: dict[str, float]) -> dict[int, float]:
    ids, scores = partition.keywords(terms).top(1_000)
    return dict(zip(ids.tolist(), scores.tolist(), strict=True))


def test_scores_are_those_of_the_formula() -> None:
    items = [made(number) for number in range(1, 60)]
    assert scores_of(partition_of(*items), QUERY) == pytest.approx(bm25(items, QUERY), rel=1e-5)


def test_what_was_changed_or_removed_leaves_no_trace_in_a_score() -> None:
    partition = partition_of(*(made(number) for number in range(1, 60)))
    partition = partition.changed([3, 4, 5], [made(7, seed=1).entry, made(80).entry])
    partition = partition.changed([80], [made(81).entry])
    now = [*(made(number) for number in range(1, 60) if number not in (3, 4, 5, 7)), made(7, seed=1), made(81)]
    assert scores_of(partition, QUERY) == pytest.approx(bm25(now, QUERY), rel=1e-5)
    assert scores_of(partition.merged(), QUERY) == pytest.approx(bm25(now, QUERY), rel=1e-5)


def test_no_listing_scores_more_than_the_bound() -> None:
    partition = partition_of(*(made(number) for number in range(1, 40)), made(99, words={"pump": 900, "rice": 900}))
    keywords = partition.keywords(QUERY)
    _, scores = keywords.top(50)
    assert 0.9 * keywords.bound < scores.max() < keywords.bound


def test_candidates_can_be_scored_one_by_one() -> None:
    items = [made(number) for number in range(1, 60)]
    partition = partition_of(*items).changed([3], [made(70).entry])
    truth = bm25([item for item in items if item.entry.listing_id != 3] + [made(70)], QUERY)
    import numpy as np

    asked = np.array([70, 3, 12, 5_000, 1])
    scores = partition.keywords(QUERY).of(asked)
    assert scores.tolist() == pytest.approx([truth.get(number, 0) for number in asked.tolist()], rel=1e-5)


def test_a_filter_changes_no_score_and_keeps_the_order() -> None:
    partition = partition_of(*(made(number) for number in range(1, 200)))
    allowed = partition.allowed(Filters(countries=frozenset({"NL"})))
    assert allowed is not None
    everything = scores_of(partition, QUERY)
    ids, scores = partition.keywords(QUERY).top(10, allowed)
    expected = sorted((number for number in everything if number in set(allowed.ids.tolist())),
                      key=lambda number: (-everything[number], number))[:10]  # fmt: skip
    assert ids.tolist() == expected
    assert scores.tolist() == pytest.approx([everything[number] for number in expected])


def test_words_nobody_used_find_nothing() -> None:
    keywords = partition_of(made(1), made(2)).keywords({"nowhere": 1.0})
    assert keywords.bound == 0
    assert len(keywords.top(5)[0]) == 0


def test_an_empty_partition_answers() -> None:
    keywords = partition_of().keywords(QUERY)
    assert len(keywords.top(5)[0]) == 0

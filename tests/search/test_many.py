"""Keyword scores of many queries at once are those of each query alone."""

from __future__ import annotations

import numpy as np
import pytest

from techex.listings.rules import Kind, Visibility
from techex.search import many
from techex.search.many import KeywordTable
from techex.search.partitions import Partition

from .listings import WORDS, collection_of, made

QUERIES = (
    {"pump": 1.0, "water": 2.0},
    {"rice": 1.0, "nobody says this": 3.0},
    {"nobody says this": 1.0},
    {},
    dict.fromkeys(WORDS, 1.0),
)


def partition() -> Partition:
    """Fifty listings of which some were changed and withdrawn since the base was built."""
    whole = collection_of([made(number) for number in range(1, 51)])
    changed = whole.changed([3, 4], [made(number, seed=1) for number in (7, 8, 60)], 1)
    return changed.partitions[Visibility.PUBLIC, Kind.OFFER]


@pytest.mark.parametrize("dense_from", [0.0, 0.5, 1.0])
def test_scores_are_those_of_each_query_alone(dense_from: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "DENSE_FROM", dense_from)
    here = partition()
    table = KeywordTable(here)
    ids = here.ids()
    asked = [table.asked(query) for query in QUERIES]
    for row, query, known in zip(table.scores(asked), QUERIES, asked, strict=True):
        alone, one = here.keywords(query), table.keywords(known, row)
        np.testing.assert_allclose(row[table.columns(ids)], alone.of(ids), rtol=1e-5)
        np.testing.assert_allclose(one.of(ids), alone.of(ids), rtol=1e-5)
        assert one.top(5)[0].tolist() == alone.top(5)[0].tolist()
        assert one.idf == pytest.approx(alone.idf)
        assert (one.rarest, one.bound) == pytest.approx((alone.rarest, alone.bound), rel=1e-6)


def test_a_partition_without_listings_gives_no_columns() -> None:
    empty = collection_of([]).partitions[Visibility.PUBLIC, Kind.OFFER]
    table = KeywordTable(empty)
    assert table.scores([table.asked(query) for query in QUERIES]).shape == (len(QUERIES), 0)

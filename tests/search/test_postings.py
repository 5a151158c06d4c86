"""Postings lie in blocks, and a vocabulary keeps hashes: neither shows in a score."""

from __future__ import annotations

import numpy as np
import pytest

from techex.listings.rules import Kind, Visibility
from techex.search import collection, postings
from techex.search.names import UNKNOWN, Vocabulary
from techex.search.partitions import Partition
from techex.search.postings import Postings

from .listings import bm25, collection_of, made

QUERY = {"pump": 1.0, "rice": 2.0, "nowhere": 1.0}


def found(partition: Partition) -> dict[int, float]:
    ids, scores = partition.keywords(QUERY).top(1_000)
    return dict(zip(ids.tolist(), scores.tolist(), strict=True))


@pytest.mark.parametrize("rows", [1, 7, 59, 60])
def test_scores_are_those_of_the_formula_however_long_a_block_is(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "BLOCK", rows)
    partition = collection_of([made(number) for number in range(1, 60)]).partitions[Visibility.PUBLIC, Kind.OFFER]
    assert found(partition) == pytest.approx(bm25([made(number) for number in range(1, 60)], QUERY), rel=1e-5)
    partition = partition.changed([3, 20], [made(7, seed=1).entry, made(80).entry])
    now = [*(made(number) for number in range(1, 60) if number not in (3, 7, 20)), made(7, seed=1), made(80)]
    assert found(partition) == pytest.approx(bm25(now, QUERY), rel=1e-5)
    assert found(partition.merged()) == pytest.approx(bm25(now, QUERY), rel=1e-5)


def test_postings_put_together_from_blocks_are_those_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "BLOCK", 8)
    rng = np.random.default_rng(0)
    parts = []
    for size in (8, 8, 3):
        pairs = rng.permutation(size * 5)[:20]
        rows, terms = np.divmod(pairs, 5)
        counts = rng.integers(1, 4, len(pairs)).astype(np.uint8)
        parts.append((terms.astype(np.int32), rows.astype(np.int32), counts, rng.random(size).astype(np.float32)))
    joined = Postings.joined([Postings.of(*part) for part in parts])
    firsts = (0, 8, 16)
    at_once = Postings.of(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] + np.int32(first) for part, first in zip(parts, firsts, strict=True)]),
        np.concatenate([part[2] for part in parts]),
        np.concatenate([part[3] for part in parts]),
    )
    for name, array in at_once.parts().items():
        np.testing.assert_array_equal(joined.parts()[name], array, err_msg=name)


def test_a_settled_vocabulary_gives_the_same_numbers() -> None:
    vocabulary = Vocabulary()
    words = [f"từ{number}" for number in range(300)]
    numbers = [vocabulary.add(word) for word in words]
    assert numbers == list(range(300))
    vocabulary.settle()
    assert vocabulary.add("từ7") == 7
    assert vocabulary.add("a new one") == 300
    assert vocabulary.numbers([*words, "a new one", "nobody says this"]).tolist() == [*numbers, 300, UNKNOWN]
    again = Vocabulary(vocabulary.hashes())
    assert again.numbers([*words, "a new one", "nobody says this"]).tolist() == [*numbers, 300, UNKNOWN]


def test_terms_settle_while_listings_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "TERMS_BY_NAME", 2)
    whole = collection_of([made(number) for number in range(1, 20)])
    for number in range(20, 40):
        whole = whole.changed([], [made(number, words={"pump": 1, f"word{number}": 2})], number)
        assert whole.tables.vocabulary.recent <= 2
    now = [made(number) for number in range(1, 20)]
    now += [made(number, words={"pump": 1, f"word{number}": 2}) for number in range(20, 40)]
    partition = whole.partitions[Visibility.PUBLIC, Kind.OFFER]
    assert found(partition) == pytest.approx(bm25(now, QUERY), rel=1e-5)
    assert partition.keywords({"word33": 1.0}).top(5)[0].tolist() == [33]

"""Vector indexes: exact, and inverted lists for large collections."""

from __future__ import annotations

import numpy as np
import pytest

from techex.search import dense
from techex.search.dense import ExactIndex, InvertedIndex, build_index

from .listings import unit

KINDS = pytest.mark.parametrize("kind", [ExactIndex, InvertedIndex])


def clustered(n: int, d: int = 32, seed: int = 0) -> np.ndarray:
    """Vectors that lie in 40 clouds, as texts about 40 topics do."""
    rng = np.random.default_rng(seed)
    return unit(rng.normal(size=(40, d))[rng.integers(40, size=n)] + 0.6 * rng.normal(size=(n, d)))


@KINDS
def test_the_nearest_passages_come_first_with_exact_scores(kind: type) -> None:
    vectors, queries = clustered(20_000), clustered(20, seed=1)
    index = kind.build(np.arange(20_000) * 3, vectors)
    truth = queries @ vectors.astype(np.float16).astype(np.float32).T
    scores, rows = index.search(queries, 10)
    np.testing.assert_allclose(scores, np.take_along_axis(truth, rows, 1), atol=1e-5)
    assert (np.diff(scores, axis=1) <= 1e-6).all()
    best = np.argsort(-truth, axis=1)[:, :10]
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(best.tolist(), rows.tolist(), strict=True)])
    assert recall >= (1 if kind is ExactIndex else 0.95)


@KINDS
@pytest.mark.parametrize("share", [0.001, 0.01, 0.05])
def test_a_narrow_filter_finds_exactly_what_brute_force_finds(kind: type, share: float) -> None:
    vectors, queries = clustered(20_000), clustered(10, seed=1)
    index = kind.build(np.arange(20_000), vectors)
    allowed = np.random.default_rng(2).random(20_000) < share
    truth = np.where(allowed, queries @ vectors.astype(np.float16).astype(np.float32).T, -np.inf)
    scores, rows = index.search(queries, 10, allowed)
    want = -np.sort(-truth, axis=1)[:, :10]
    found = scores > -np.inf
    assert (found == np.isfinite(want)).all()
    np.testing.assert_allclose(scores[found], want[found], atol=2e-3)
    assert allowed[rows[found]].all()
    assert (rows[~found] == -1).all()


@KINDS
def test_nothing_allowed_finds_nothing(kind: type) -> None:
    index = kind.build(np.arange(200), clustered(200))
    scores, rows = index.search(clustered(2), 5, np.zeros(200, np.bool_))
    assert (rows == -1).all()
    assert np.isneginf(scores).all()


def test_an_empty_index_finds_nothing() -> None:
    index = build_index(np.empty(0, np.int64), np.empty((0, 16), np.float32))
    scores, rows = index.search(clustered(2, 16), 5)
    assert scores.shape == rows.shape == (2, 5)
    assert (rows == -1).all()


@KINDS
def test_ids_are_kept_ascending_whatever_their_order(kind: type) -> None:
    ids = np.random.default_rng(0).permutation(500)
    vectors = clustered(500)
    index = kind.build(ids, vectors)
    _, rows = index.search(vectors[:5], 1)
    assert index.ids[rows[:, 0]].tolist() == ids[:5].tolist()
    assert (np.diff(index.ids) > 0).all()


@KINDS
def test_a_changed_index_leaves_the_old_one_as_it_was(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind is InvertedIndex:
        monkeypatch.setattr(dense, "EXACT_UP_TO", 100)
    vectors = clustered(1_000)
    old = kind.build(np.arange(1_000), vectors)
    before = old.search(vectors[:5], 3)
    keep = np.ones(1_000, np.bool_)
    keep[:5] = False
    new = old.changed(keep, np.array([5_000, 20_000]), vectors[:2])
    assert isinstance(new, kind)
    assert len(old) == 1_000
    assert len(new) == 997
    for a, b in zip(before, old.search(vectors[:5], 3), strict=True):
        np.testing.assert_array_equal(a, b)
    _, rows = new.search(vectors[:5], 1)
    assert new.ids[rows[:2, 0]].tolist() == [5_000, 20_000]
    assert not set(range(5)) & set(new.ids.tolist())


def test_a_collection_that_grows_gets_lists_and_one_that_shrinks_loses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "EXACT_UP_TO", 500)
    vectors = clustered(1_200)
    small = build_index(np.arange(400), vectors[:400])
    large = small.changed(np.ones(400, np.bool_), np.arange(400, 1_200), vectors[400:])
    again = large.changed(np.arange(1_200) < 300, np.empty(0, np.int64), vectors[:0])
    assert [type(index) for index in (small, large, again)] == [ExactIndex, InvertedIndex, ExactIndex]


def test_lists_are_trained_again_when_a_collection_has_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "EXACT_UP_TO", 500)
    vectors = clustered(2_000)
    index = build_index(np.arange(800), vectors[:800])
    every = np.ones(800, np.bool_)
    grown = index.changed(every, np.arange(800, 1_200), vectors[800:1_200])
    doubled = index.changed(every, np.arange(800, 2_000), vectors[800:])
    assert isinstance(grown, InvertedIndex)
    assert isinstance(doubled, InvertedIndex)
    assert grown.trained_on == 800
    assert doubled.trained_on == 2_000


@KINDS
def test_a_vector_that_is_not_a_number_is_refused(kind: type) -> None:
    vectors = clustered(100)
    vectors[3, 1] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        kind.build(np.arange(100), vectors)


@KINDS
def test_an_id_given_twice_is_refused(kind: type) -> None:
    with pytest.raises(ValueError, match="twice"):
        kind.build(np.array([1, 1]), clustered(2))

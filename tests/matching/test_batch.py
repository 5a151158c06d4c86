"""The best offers of many needs at once are those that the ranking behind the pages gives each need alone."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from techex.embedding.cards import load_card
from techex.embedding.centring import unit
from techex.embedding.encoders import load_encoder
from techex.errors import Environment
from techex.listings.rules import Kind, Visibility
from techex.matching import batch, batch_bench, ranking
from techex.matching.batch import Need, best_of_many
from techex.matching.candidates import Query
from techex.matching.learned import Learned
from techex.matching.structure import Wanted
from techex.search.collection import Collection, Item
from techex.search.facts import Facts, Filters
from techex.search.partitions import Partition
from techex.search.segments import Entry, Passage

DIMENSION = 24
WORDS = ("pump", "water", "rice", "filter", "heat", "shrimp", "robot", "paper", "nước", "máy", "lúa", "tôm")
LANGUAGES = ("vi", "en", "ko")
FIELDS = ("401", "211", "203", "102")
RANDOM = np.random.default_rng(5)


def vectors(count: int) -> np.ndarray:
    return unit(RANDOM.normal(size=(count, DIMENSION)).astype(np.float32))


def offer(number: int, visibility: Visibility) -> Item:
    language = LANGUAGES[number % 3]
    count = number % 5  # some without any vector
    parts = [
        Passage(at, "whole" if at and at == count - 1 else "description", language, "long", "0" * 64)
        for at in range(count)
    ]
    facts = Facts(
        language=language,
        country="VN" if number % 2 else "NL",
        fields=(FIELDS[number % 4],),
        trl=number % 9 + 1,
        organisation=number % 7,
    )
    words = {word: int(often) for word, often in zip(WORDS, RANDOM.integers(0, 3, len(WORDS)), strict=True) if often}
    return Item((visibility, Kind.OFFER), Entry(number, facts, words, parts, vectors(count)))


@pytest.fixture(scope="module")
def partitions() -> tuple[Partition, ...]:
    """Two visibility classes, one of them changed since its base was built."""
    items = [offer(number, Visibility.PUBLIC) for number in range(1, 81)]
    items += [offer(number, Visibility.MEMBERS) for number in range(81, 101)]
    whole = Collection.build(items, card_key="made", dimension=DIMENSION)
    changed = whole.changed([2, 3], [offer(number, Visibility.PUBLIC) for number in (5, 6, 120)], 1)
    return changed.view(set(Visibility), Kind.OFFER)


def needs() -> list[Need]:
    found = []
    for number in range(30):
        text = " ".join(RANDOM.choice(WORDS, 6))
        wanted = Wanted(True, (FIELDS[number % 4],), (), 5)
        query = Query(text, LANGUAGES[number % 3], 6, vectors(1)[0], vectors(number % 4 + 1), wanted)
        limits = Filters(without_organisations=frozenset({number % 7})) if number % 2 else Filters()
        found.append(Need(1000 + number, query, limits))
    return found


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("learned", [Learned(), Learned(factors={"lexical": 0.5, "fields": 2.0, "feedback": 0.7})])
def test_many_at_once_are_ranked_as_each_alone(
    partitions: tuple[Partition, ...], learned: Learned, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BLOCK", 7)
    asked = needs()
    found = {each.need.id: each.ranking for each in best_of_many(partitions, asked, learned, workers)}
    assert found.keys() == {need.id for need in asked}
    for need in asked:
        alone = ranking.rank(partitions, need.query, need.limits, learned=learned)
        assert found[need.id].ids.tolist() == alone.ids.tolist()
        np.testing.assert_allclose(found[need.id].scores, alone.scores, atol=1e-4)
        np.testing.assert_allclose(found[need.id].plain, alone.plain, atol=1e-4)


def test_the_best_survive_when_only_few_are_looked_at_closely(
    partitions: tuple[Partition, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "FEW", 50)
    asked = needs()
    kept = [
        len(
            {*each.ranking.ids[:3].tolist()}
            & {*ranking.rank(partitions, each.need.query, each.need.limits).ids[:3].tolist()}
        )
        for each in best_of_many(partitions, asked)
    ]
    assert sum(kept) >= 0.85 * 3 * len(asked)


def test_a_process_that_is_ended_from_outside_is_told_in_a_sentence(
    partitions: tuple[Partition, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BLOCK", 7)
    monkeypatch.setattr(batch, "_answered", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(Environment, match=r"ended from outside.*one worker"):
        list(best_of_many(partitions, needs(), workers=2))


def test_needs_without_vectors_are_left_out(partitions: tuple[Partition, ...]) -> None:
    need = needs()[0]
    without = Need(1, replace(need.query, whole=None, passages=None))
    assert [each.need.id for each in best_of_many(partitions, [without, need])] == [need.id]


def test_a_need_that_nothing_may_answer_gets_an_empty_list(partitions: tuple[Partition, ...]) -> None:
    need = replace(needs()[0], limits=Filters(countries=frozenset({"KR"})))
    assert [len(each.ranking) for each in best_of_many(partitions, [need])] == [0]
    assert list(best_of_many([], needs())) == []


def test_the_bench_grows_an_exchange_and_compares_it_with_the_pages(tmp_path: Path) -> None:
    found = batch_bench.measure(load_encoder(load_card("hashing"), tmp_path), listings=60)
    assert (found.listings, found.as_pages, found.as_all) == (60, 1.0, 1.0)
    assert found.seconds > 0

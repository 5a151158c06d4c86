from __future__ import annotations

import numpy as np

from techex.embedding.centring import unit
from techex.listings.rules import Kind, Visibility
from techex.matching.candidates import Query
from techex.matching.ranking import PARTS, Ranking, rank
from techex.search.analysis import listing_terms
from techex.search.collection import Collection, Item
from techex.search.facts import Facts, Filters
from techex.search.partitions import Partition
from techex.search.segments import Entry, Passage

DIMENSION = 16
RANDOM = np.random.default_rng(11)
TEXTS = {
    1: ("en", "A drum dryer for fruit with a rice husk burner"),
    2: ("en", "Filter for waste water of dye houses"),
    3: ("vi", "Máy sấy thăng hoa cho trái cây"),
    4: ("vi", "Lọc nước thải dệt nhuộm"),
}
VECTORS = {number: unit(RANDOM.normal(size=(1, DIMENSION)).astype(np.float32)) for number in TEXTS}


def partition(visibility: Visibility, numbers: tuple[int, ...], with_vectors: bool = True) -> Partition:
    items = []
    for number in numbers:
        language, text = TEXTS[number]
        held = [Passage(0, "title_summary", language, "short", "0" * 64)] if with_vectors else []
        vectors = VECTORS[number] if with_vectors else np.empty((0, DIMENSION), np.float32)
        facts = Facts(language=language, country="VN" if language == "vi" else "NL", organisation=number)
        items.append(Item((visibility, Kind.OFFER), Entry(number, facts, listing_terms(text, language), held, vectors)))
    collection = Collection.build(items, card_key="made", dimension=DIMENSION)
    return collection.partitions[visibility, Kind.OFFER]


def near(number: int, text: str, language: str) -> Query:
    vector = unit(VECTORS[number] + 0.1 * RANDOM.normal(size=(1, DIMENSION)).astype(np.float32))
    return Query(text, language, len(text.split()), vector[0], vector)


def by_id(ranked: Ranking) -> dict[int, float]:
    return dict(zip(ranked.ids.tolist(), ranked.scores.tolist(), strict=True))


def test_meaning_finds_a_listing_in_another_language() -> None:
    ranked = rank([partition(Visibility.PUBLIC, (1, 2, 3, 4))], near(4, "colour in dyeing effluent", "en"))
    assert ranked.ids[0] == 4


def test_without_a_model_words_decide() -> None:
    ranked = rank([partition(Visibility.PUBLIC, (1, 2, 3, 4))], Query("dryer for fruits", "en", 3))
    assert ranked.ids[0] == 1
    assert not ranked.parts["whole"].any()


def test_a_listing_without_vectors_is_found_by_its_words() -> None:
    ranked = rank([partition(Visibility.PUBLIC, (1, 2), with_vectors=False)], near(3, "waste water filter", "en"))
    assert ranked.ids[0] == 2


def test_the_parts_add_up_to_the_score() -> None:
    ranked = rank([partition(Visibility.PUBLIC, (1, 2, 3, 4))], near(1, "fruit dryer", "en"))
    np.testing.assert_allclose(sum(ranked.parts[part] for part in PARTS), ranked.scores, atol=1e-9)


def test_a_filter_leaves_listings_out_and_moves_no_plain_score() -> None:
    here, query = partition(Visibility.PUBLIC, (1, 2, 3, 4)), near(1, "fruit dryer", "en")
    everywhere, abroad = rank([here], query), rank([here], query, Filters(countries=frozenset({"NL"})))
    assert set(abroad.ids.tolist()) == {1, 2}
    plain = dict(zip(everywhere.ids.tolist(), everywhere.plain.tolist(), strict=True))
    for number, value in zip(abroad.ids.tolist(), abroad.plain.tolist(), strict=True):
        assert abs(plain[number] - value) < 1e-5  # sums of another length round otherwise


def test_what_a_reader_may_not_see_moves_nothing() -> None:
    query = near(1, "fruit dryer", "en")
    before = rank([partition(Visibility.PUBLIC, (1, 2))], query)
    partition(Visibility.RESTRICTED, (3, 4))
    assert by_id(rank([partition(Visibility.PUBLIC, (1, 2))], query)) == by_id(before)


def test_an_empty_exchange_gives_an_empty_list() -> None:
    assert len(rank([], Query("anything", "en", 1))) == 0
    assert len(rank([partition(Visibility.PUBLIC, ())], Query("anything", "en", 1))) == 0

from __future__ import annotations

import numpy as np

from techex.embedding.centring import unit
from techex.matching.evidence import QUOTE_WORDS, Side, excerpt, quotes, shared_terms

LONG = (
    "The plant stands near the river. Dye baths leave the mill at 300 Pt-Co and the biological basin does not take the "
    "colour away. The gate is painted green every second year by the neighbours of the plant. Workers come by bus from "
    "the town in the morning and leave in the evening when the shift is over."
)


def side(texts: list[str], angles: list[float], language: str) -> Side:
    vectors = np.array([[np.cos(angle), np.sin(angle)] for angle in angles], np.float32)
    return Side(texts, unit(vectors), language)


def test_the_best_pairs_are_quoted_first_and_no_passage_twice() -> None:
    own = side(["we need dry fruit", "we have a river"], [0.0, 1.5], "en")
    theirs = side(["a boat", "máy sấy"], [1.45, 0.02], "vi")
    found = quotes(own, theirs, {})
    assert [(quote.own, quote.theirs) for quote in found] == [
        ("we need dry fruit", "máy sấy"),
        ("we have a river", "a boat"),
    ]
    assert found[0].strength >= found[1].strength
    assert (found[0].own_language, found[0].their_language) == ("en", "vi")


def test_nothing_is_quoted_where_nothing_is_alike() -> None:
    assert quotes(side(["a"], [0.0], "en"), side(["b"], [2.5], "en"), {}) == []
    assert quotes(side([], [], "en"), side(["b"], [0.0], "en"), {}) == []


def test_of_a_long_passage_the_sentences_with_common_words_are_quoted() -> None:
    shown = excerpt(LONG, "en", {"dye": 3.0, "colour": 2.0})
    assert "Dye baths" in shown
    assert shown.strip("… ") in LONG
    assert len(shown.split()) <= QUOTE_WORDS + 2


def test_a_short_passage_is_quoted_whole() -> None:
    assert excerpt("Máy sấy nhãn. Dùng trấu.", "vi", {}) == "Máy sấy nhãn. Dùng trấu."


def test_shared_terms_are_words_as_the_other_side_writes_them_the_rarest_first() -> None:
    own = side(["We dry longan fruits at 60 °C with husk"], [0.0], "en")
    theirs = side(["Dryers for fruit: longan dried at 60°C"], [0.0], "en")
    assert shared_terms(own, theirs, {"longan": 5.0, "fruit": 2.0, "60_°c": 4.0, "husk": 9.0}) == [
        "longan",
        "60 °c",
        "fruit",
    ]


def test_vietnamese_words_are_named_in_pairs_of_syllables() -> None:
    own = side(["xử lý nước thải"], [0.0], "vi")
    theirs = side(["công nghệ nước thải"], [0.0], "vi")
    assert shared_terms(own, theirs, {"~nuoc_thai": 3.0, "nước": 1.0}) == ["nước thải"]

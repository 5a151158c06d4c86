"""How a listing is cut into passages."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techex.embedding.passages import (
    LONGEST_PASSAGE,
    MOST_PASSAGES,
    MOST_TRANSLATED,
    TITLE_FIELD,
    WHOLE_FIELD,
    digest_of,
    passages_of,
    passages_of_text,
    with_translations,
    words_of,
)

SENTENCE = "Máy sấy bơm nhiệt giữ màu và mùi của dược liệu. "


def test_title_and_summary_make_the_first_passage_and_the_whole_comes_last() -> None:
    body = {"problem": "Rau hỏng nhanh.", "conditions": "Dưới 2 tỷ đồng."}
    passages = passages_of("Cần kho lạnh", "Cho 5 tấn rau", body, "vi")
    assert [passage.field for passage in passages] == [TITLE_FIELD, "problem", "conditions", WHOLE_FIELD]
    assert [passage.position for passage in passages] == [0, 1, 2, 3]
    assert passages[0].text == "Cần kho lạnh. Cho 5 tấn rau"
    assert passages[-1].text == "Cần kho lạnh. Cho 5 tấn rau\nRau hỏng nhanh.\nDưới 2 tỷ đồng."


def test_a_listing_of_one_passage_is_not_repeated_as_a_whole() -> None:
    assert [passage.field for passage in passages_of("Cần kho lạnh", "", {"problem": " "}, "vi")] == [TITLE_FIELD]
    assert passages_of("", "", {}, "vi") == []
    assert passages_of_text("  \n ") == []


def test_a_long_field_is_cut_between_sentences_into_even_parts() -> None:
    passages = passages_of("Máy sấy", "", {"problem": SENTENCE * 24}, "vi")
    parts = [passage.text for passage in passages if passage.field == "problem"]
    assert len(parts) == 3
    assert all(part.endswith("dược liệu.") for part in parts)
    assert max(map(words_of, parts)) - min(map(words_of, parts)) <= 3 * words_of(SENTENCE)


def test_chinese_and_japanese_are_measured_in_characters() -> None:
    assert words_of("寻求低能耗的农产品干燥设备") == 7
    passages = passages_of_text("这种设备每批可以干燥五百公斤的农产品。" * 40, "zh")
    assert len(passages) > 3
    assert all(len(passage.text) <= 2 * LONGEST_PASSAGE + 20 for passage in passages[:-1])


def test_a_sentence_without_end_is_cut_at_clauses_or_words() -> None:
    passages = passages_of_text("máy sấy lúa, " * 100, "vi")
    assert all(passage.text.endswith(",") for passage in passages[:-1])
    assert all(words_of(passage.text) <= LONGEST_PASSAGE for passage in passages_of_text("từ " * 500, "vi")[:-1])


def test_every_field_gets_a_passage_before_one_gets_two() -> None:
    body = dict.fromkeys(("problem", "tried", "conditions", "acceptance"), SENTENCE * 40)
    passages = passages_of("Máy sấy", "dược liệu", body, "vi")
    fields = [passage.field for passage in passages]
    assert len(fields) == MOST_PASSAGES + 1
    assert {fields.count(name) for name in body} == {1, 2}
    assert fields == sorted(fields, key=[TITLE_FIELD, *body, WHOLE_FIELD].index)


def test_equal_texts_share_a_digest_whatever_their_normal_form() -> None:
    text = "Thiết bị sấy"
    assert digest_of(unicodedata.normalize("NFD", text)) == digest_of(text)
    decomposed = passages_of(unicodedata.normalize("NFD", text), "", {}, "vi")
    assert decomposed == passages_of(text, "", {}, "vi")


def test_a_title_is_short_and_a_paragraph_long() -> None:
    passages = passages_of("Cần kho lạnh", "", {"problem": SENTENCE * 5}, "vi")
    assert [passage.length_class for passage in passages] == ["short", "long", "long"]


def test_the_language_is_found_where_none_is_given() -> None:
    assert {passage.language for passage in passages_of("Cần kho lạnh", "", {"problem": SENTENCE})} == {"vi"}
    assert passages_of_text("waste water treatment for a textile mill")[0].language == "en"


def test_texts_in_further_languages_stand_before_the_whole_and_change_nothing_where_there_are_none() -> None:
    own = passages_of("Cần kho lạnh", "", {"problem": SENTENCE * 5}, "vi")
    english = passages_of("A cold store is needed", "", {"problem": "It loses power at peak hours. " * 30}, "en")
    korean = passages_of("냉동 창고가 필요합니다", "", {"problem": "정전이 잦습니다. " * 5}, "ko")
    assert with_translations(own, []) == own
    together = with_translations(own, [english, korean])
    assert [passage.position for passage in together] == list(range(len(together)))
    assert together[-1].field == WHOLE_FIELD
    assert together[-1].text == own[-1].text
    assert [passage.language for passage in together[len(own) - 1 : len(own) + 1]] == ["en", "ko"]
    assert len(together) <= MOST_PASSAGES + MOST_TRANSLATED + 1


def test_a_text_of_one_passage_gets_a_whole_once_it_has_translations() -> None:
    own, english = passages_of("Cần kho lạnh", "", {}, "vi"), passages_of("A cold store is needed", "", {}, "en")
    together = with_translations(own, [english])
    assert [(passage.field, passage.language) for passage in together] == [
        (TITLE_FIELD, "vi"),
        (TITLE_FIELD, "en"),
        (WHOLE_FIELD, "vi"),
    ]
    assert together[0].digest == together[2].digest


WORDS = st.text(alphabet=st.sampled_from("aZđỹ1 .,;:!?。\n水"), max_size=600)


@given(WORDS, WORDS, st.dictionaries(st.sampled_from("pqrstuvwxyz"), WORDS, max_size=9))
def test_limits_hold_and_no_text_is_lost_from_the_whole(title: str, summary: str, body: dict[str, str]) -> None:
    passages = passages_of(title, summary, body, "vi")
    own = [passage for passage in passages if passage.field != WHOLE_FIELD]
    assert len(own) <= MOST_PASSAGES
    assert [passage.position for passage in passages] == list(range(len(passages)))
    assert all(
        0 < words_of(passage.text) <= LONGEST_PASSAGE or not any(map(str.isalnum, passage.text)) for passage in own
    )
    assert all(passage.digest == digest_of(passage.text) for passage in passages)
    everything = "".join("".join([title, "" if summary.strip() == title.strip() else summary, *body.values()]).split())
    last = "".join(passages[-1].text.split()) if passages else ""
    missing = len(everything) - len(last)
    # The whole holds every character, and at most one full stop more, between title and summary.
    if len(passages) != 1:
        assert missing in (0, -1)


@pytest.mark.parametrize("text", ["từ " * 50_000, "水" * 100_000, "a" * 200_000, "a. " * 50_000])
def test_a_huge_text_is_cut_in_reasonable_time(text: str) -> None:
    assert 1 <= len(passages_of_text(text, "vi")) <= MOST_PASSAGES + 1

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techex.search.analysis import fold, listing_terms, search_terms, terms


def found_by(query: str, language: str, text: str, text_language: str) -> bool:
    """Whether a search shares a term with a listing."""
    asked = search_terms(query, language, {text_language}).all
    return bool(set(asked) & set(terms(text, text_language)))


@pytest.mark.parametrize(
    ("query", "text", "language"),
    [
        ("dryers", "A dryer for fruit", "en"),
        ("drying wings", "the wing dried", "en"),
        ("machines", "een machine voor kaas", "nl"),
        ("pengeringan", "mesin pengeringan kakao", "id"),
        ("sấy", "Máy sấy nhãn", "vi"),
        ("may say", "Máy sấy nhãn", "vi"),
        ("dien", "mạng lưới điện", "vi"),
        ("水处理", "污水处理设备", "zh"),
        ("膜", "膜", "zh"),
        ("니켈 회수", "니켈을 회수하여", "ko"),
        ("乾燥機", "果物の乾燥機です", "ja"),
        ("80 °C", "heated to 80°C for an hour", "en"),
        ("80℃", "gia nhiệt 80 °C", "vi"),
        ("5 m³/h", "debiet van 5 m3/h", "nl"),
        ("1,500 kg", "1.500 kg mỗi mẻ", "vi"),
        ("０．５ mm", "a gap of 0,5 mm", "en"),
    ],
)
def test_a_listing_is_found_by_another_form_of_its_words(query: str, text: str, language: str) -> None:
    assert found_by(query, language, text, language)


def test_marks_that_were_typed_count() -> None:
    assert not set(search_terms("má", "vi").all) & set(terms("mà", "vi"))
    assert found_by("ma", "vi", "mà", "vi")


def test_a_name_is_found_in_a_text_of_another_language() -> None:
    assert found_by("Đại học Wales", "vi", "teachers in Wales", "en")
    assert found_by("What is done in Warsaw?", "en", "Die Stadt Warsaw", "de")


def test_a_dutch_ma_does_not_find_every_vietnamese_syllable() -> None:
    assert not found_by("ma", "nl", "mà má mã mả mạ", "vi")


def test_vietnamese_words_of_two_syllables_count_as_a_pair() -> None:
    assert "~nong_nghiep" in terms("phát triển nông nghiệp", "vi")
    assert "~nghiep_sach" not in terms("nông nghiệp, sạch", "vi")


def test_both_ways_to_write_vietnamese_in_unicode_give_the_same_terms() -> None:
    text = "Xử lý nước thải dệt nhuộm ở Đồng Tháp"
    assert terms(unicodedata.normalize("NFD", text), "vi") == terms(text, "vi")


def test_little_words_find_nothing() -> None:
    assert terms("what is the use of it", "en") == ["use"]
    assert listing_terms("", "en") == {}


def test_repetition_in_a_long_need_counts() -> None:
    asked = search_terms("corrosion of steel; corrosion again", "en")
    assert asked.own["corros"] == 2.0


def test_forms_for_other_languages_do_not_count_as_what_was_asked() -> None:
    asked = search_terms("teachers", "en", {"en", "de"})
    assert set(asked.own) == {"teacher"}
    assert "teachers" in asked.all


def test_a_figure_is_kept_with_its_unit() -> None:
    assert terms("heat to 80 °C at 3.5 bar", "en") == ["heat", "80", "80_°c", "3.5", "3.5_bar"]


def test_scripts_with_vowel_signs_stay_in_one_piece() -> None:
    assert len(terms("हिन्दी", "hi")) == 1


def test_folding_takes_every_mark_away() -> None:
    assert fold("Nông nghiệp Đắk Lắk, ƯỚC") == "Nong nghiep Dak Lak, UOC"


@given(st.text(), st.sampled_from(["vi", "en", "ko", "zh", "und"]))
def test_any_text_is_found_by_itself(text: str, language: str) -> None:
    listed = terms(text, language)
    assert all(listed)
    if listed:
        assert set(search_terms(text, language).all) & set(listed)


def test_threads_do_not_share_a_stemmer() -> None:
    # Words that nothing else asks for, so that each is stemmed; a shared stemmer raised IndexError here.
    texts = [
        " ".join(f"{chr(97 + at % 26)}{'ae'[at % 2] * 3}verzuring{at}bouwen" for at in range(400)) for _ in "12345678"
    ]
    with ThreadPoolExecutor(len(texts)) as pool:
        together = list(pool.map(lambda text: listing_terms(text, "nl"), texts))
    assert all(found == together[0] for found in together)

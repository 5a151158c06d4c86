"""The door for text: what is accepted, what is normalised, what is refused with a sentence."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techex.core.text import clean, clean_line, has_words
from techex.errors import BadInput

DRYING = "Máy sấy nông sản năng lượng mặt trời, đổi mới công nghệ"

ACCEPTED = {
    "emoji with joiners": ("👩‍🔬 thí nghiệm", "👩‍🔬 thí nghiệm"),
    "a flag": ("🇻🇳 sầu riêng", "🇻🇳 sầu riêng"),
    "four-byte characters": ("𠮷野家の乾燥機", "𠮷野家の乾燥機"),
    "right to left": ("تجفيف الفواكه", "تجفيف الفواكه"),
    "Thai vowels and tones": ("เครื่องอบแห้งผลไม้", "เครื่องอบแห้งผลไม้"),
    "markup is text": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "template syntax is text": ("{{ 7*7 }} ${x} %s", "{{ 7*7 }} ${x} %s"),
    "query syntax is text": ('"* NEAR ( ) col:x OR', '"* NEAR ( ) col:x OR'),
    "a formula is text": ("=1+1", "=1+1"),
    "words of programs are text": ("null NaN undefined __proto__ 1e400", "null NaN undefined __proto__ 1e400"),
    "a chemical formula": ("LiFePO₄ ở 80 °C", "LiFePO₄ ở 80 °C"),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_text_of_every_script_passes_unchanged(case: str) -> None:
    text, expected = ACCEPTED[case]
    assert clean_line(text) == expected


def test_decomposed_vietnamese_becomes_the_composed_form() -> None:
    assert clean(unicodedata.normalize("NFD", DRYING)) == DRYING


NORMALISED = {
    "zero-width characters": ("máy\u200b sấy\ufeff", "máy sấy"),
    "soft hyphens": ("năng\u00ad lượng", "năng lượng"),
    "tag characters": ("abc\U000e0041\U000e0042", "abc"),
    "Windows line ends": ("a\r\nb\rc", "a\nb\nc"),
    "line separators": ("a\u2028b\u2029c\x0bd\x0ce", "a\nb\nc\nd\ne"),
    "outer space": ("  máy sấy \n", "máy sấy"),
    "direction overrides in a body": ("abc\u202edef\u2066", "abcdef"),
    "five marks on one letter": ("a" + "\u0301" * 1 + "b" * 60 + "c" + "\u0323" * 6, None),
}


@pytest.mark.parametrize("case", NORMALISED)
def test_invisible_and_foreign_line_ends_are_normalised(case: str) -> None:
    text, expected = NORMALISED[case]
    if expected is None:
        assert len(clean(text)) < len(text)
    else:
        assert clean(text) == expected


REFUSED = {
    "NUL": "abc\x00def",
    "a bell": "abc\x07",
    "an escape sequence": "\x1b[31mred",
    "delete": "abc\x7f",
    "a C1 control": "abc\x9b",
    "half a surrogate pair": "abc\ud800",
    "a noncharacter": "abc\ufffe",
    "only stacked marks": "h" + "\u0301\u0302\u0303\u0304\u0305\u0306" * 3,
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_text_is_refused_with_the_field_named(case: str) -> None:
    with pytest.raises(BadInput, match=r"^summary: "):
        clean(REFUSED[case], "summary")


def test_a_direction_override_in_a_title_is_refused() -> None:
    with pytest.raises(BadInput, match="text-direction"):
        clean_line("invoice\u202egnp.exe", "title")


def test_text_of_invisible_characters_only_is_empty() -> None:
    assert clean(" \u200b\u2060\ufeff ") == ""


@pytest.mark.parametrize(
    ("text", "expected"), [("🙂🙂", False), ("…!?", False), ("5G", True), ("乾燥", True), ("", False)]
)
def test_words_need_letters_or_digits(text: str, expected: bool) -> None:
    assert has_words(text) is expected


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    try:
        once = clean(text)
    except BadInput:
        return
    assert clean(once) == once
    assert unicodedata.is_normalized("NFC", once)

"""What language a text is in, down to a few words in a search box."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techex.embedding.languages import UNKNOWN, detect, language_of_piece


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("may say nong san", "vi"),
        ("cong nghe xu ly nuoc thai", "vi"),
        ("che pham vi sinh phan huy rom ra", "vi"),
        ("can tim doi tac chuyen giao", "vi"),
        ("máy sấy nông sản", "vi"),
        ("gốm", "vi"),
        ("Công nghệ 4.0 cho hợp tác xã", "vi"),
        ("waste water treatment for textile dyeing", "en"),
        ("the man can sit on the mat", "en"),
        ("heat pump dryer", "en"),
        ("not hot then cut it", "en"),
        ("pengolahan limbah cair", "id"),
        ("alat pengering padi untuk petani", "id"),
        ("droogmachine voor rijst", "nl"),
        ("het kan niet met de hand", "nl"),
        ("Abwasserreinigung mit Algen", "de"),
        ("Trocknung von Getreide", "de"),
        ("traitement des eaux usées", "fr"),
        ("séchage du riz", "fr"),
        ("농산물 건조기", "ko"),
        ("AI 기반 품질 검사", "ko"),
        ("排水の処理技術", "ja"),
        ("ドローン", "ja"),
        ("农产品干燥设备", "zh"),
        ("印染废水 COD 80 mg/L", "zh"),
        ("เครื่องอบแห้ง", "th"),
        ("очистка сточных вод красильного производства", "ru"),
    ],
)
def test_a_text_of_a_few_words_is_recognised(text: str, language: str) -> None:
    assert detect(text)[0] == language


def test_a_decomposed_text_is_the_same_language_as_a_composed_one() -> None:
    text = "Thiết bị sấy lúa"
    assert detect(unicodedata.normalize("NFD", text)) == detect(text)


def test_a_vietnamese_name_does_not_make_an_english_sentence_vietnamese() -> None:
    assert detect("The company Thành Đạt of Hà Nội asks for a partner in waste water treatment")[0] == "en"


@pytest.mark.parametrize("text", ["", "   ", "3.5 %", "123", "🌾🚜"])
def test_what_has_no_letters_has_no_language(text: str) -> None:
    assert detect(text) == (UNKNOWN, 0.0)


@given(st.text(max_size=200))
def test_any_text_gets_a_code_and_a_confidence(text: str) -> None:
    language, confidence = detect(text)
    assert 2 <= len(language) <= 3
    assert 0.0 <= confidence <= 1.0


@pytest.mark.parametrize(
    ("text", "said", "language"),
    [
        (
            "The effluent keeps its colour after biological treatment, and coagulation makes far too much sludge.",
            "vi",
            "en",
        ),
        (
            "Hệ thống khử màu nước thải dệt nhuộm bằng ozon, chạy từ tháng ba năm ngoái "
            "tại hai nhà máy dệt ở Hưng Yên.",
            "en",
            "vi",
        ),
        ("Model TX-400, 2.2 kW, IP66", "vi", "vi"),  # too short to be sure
    ],
)
def test_a_piece_has_its_listings_language_unless_it_surely_has_not(text: str, said: str, language: str) -> None:
    assert language_of_piece(text, said) == language

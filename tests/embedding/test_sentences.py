"""Where sentences end, and where they only look as if they did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techex.embedding.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Công suất 3.5 tấn/giờ. Giá 1.200.000 đ. Gọi!", "vi", ["Công suất 3.5 tấn/giờ.", "Giá 1.200.000 đ.", "Gọi!"]),
        ("TP. Huế cần máy. TS. Trần B. Nam tìm.", "vi", ["TP. Huế cần máy.", "TS. Trần B. Nam tìm."]),
        ("Máy sấy lúa.Công suất lớn", "vi", ["Máy sấy lúa.", "Công suất lớn"]),
        ("Nước thải v.v... được xử lý. Xong", "vi", ["Nước thải v.v... được xử lý.", "Xong"]),
        ("水は 3.5 L です。次の文。終わり", "ja", ["水は 3.5 L です。", "次の文。", "終わり"]),
        ("这是第一句。这是第二句！第三？好", "zh", ["这是第一句。", "这是第二句！", "第三？", "好"]),
        ("Approx. 20 °C, e.g. in Fig. 3 by Lee et al. Go.", "en", ["Approx. 20 °C, e.g. in Fig. 3 by Lee et al. Go."]),
        ("It costs 3.5 M. Yes. U.S. Patent No. 5 is.", "en", ["It costs 3.5 M.", "Yes.", "U.S. Patent No. 5 is."]),
        ('He said "Yes." She left (early). Done', "en", ['He said "Yes."', "She left (early).", "Done"]),
        ("See www.example.org and v1.2. Then stop.", "en", ["See www.example.org and v1.2.", "Then stop."]),
        ("Die Anlage lief am 3. Mai z. B. gut. Ende.", "de", ["Die Anlage lief am 3. Mai z. B. gut.", "Ende."]),
        ("농산물을 말린다. 전기를 아낀다.", "ko", ["농산물을 말린다.", "전기를 아낀다."]),
        ("यह पहला है। यह दूसरा है।", "hi", ["यह पहला है।", "यह दूसरा है।"]),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_ends_them(text: str, language: str, expected: list[str]) -> None:
    assert split_sentences(text, language) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- Giảm chi phí\n- Tăng năng suất\n• Bền", ["- Giảm chi phí", "- Tăng năng suất", "• Bền"]),
        ("1. Wash. 2. Dry.", ["1. Wash.", "2. Dry."]),
        ("We need: 1) washing; 2) drying.", ["We need:", "1) washing;", "2) drying."]),
        ("By (i) heat, (ii) light", ["By", "(i) heat,", "(ii) light"]),
        ("fast • cheap • safe", ["fast", "• cheap", "• safe"]),
        ("as shown (in Fig. 3) and later", ["as shown (in Fig. 3) and later"]),
        ("Title\n\nText of it.", ["Title", "Text of it."]),
        (
            "A line of a text that was wrapped by hand at\nsome width goes on. End.",
            ["A line of a text that was wrapped by hand at some width goes on.", "End."],
        ),
    ],
)
def test_list_items_and_lines_are_kept_apart(text: str, expected: list[str]) -> None:
    assert split_sentences(text, "en") == expected


TEXTS = st.text(alphabet=st.sampled_from("aZđỹ1 .,;:!?。！？)(•-\n\t\"'3水ひ한"), max_size=120) | st.text(max_size=120)


@given(TEXTS, st.sampled_from([None, "vi", "de", "zh"]))
def test_no_character_is_lost_and_no_sentence_is_empty(text: str, language: str | None) -> None:
    sentences = split_sentences(text, language)
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert all(sentence and sentence == sentence.strip() for sentence in sentences)


def test_a_long_text_without_stops_is_split_in_reasonable_time() -> None:
    assert split_sentences("từ " * 100_000, "vi") == [("từ " * 100_000).strip()]

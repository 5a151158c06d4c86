"""A sentence of an error says itself in English anywhere, and in the reader's language on a page."""

from __future__ import annotations

import pytest
from flask import Flask

from techex.core.text import clean_line
from techex.core.vocabulary import N_
from techex.errors import BadInput, Sentence
from techex.web.language import sentence


def test_a_sentence_is_its_english_text() -> None:
    assert Sentence(N_("has %(count)s entries; expected at most %(most)s."), count=4, most=3) == (
        "has 4 entries; expected at most 3."
    )


def test_an_error_about_a_field_names_it_and_keeps_the_sentence_apart() -> None:
    with pytest.raises(BadInput, match="title: contains a control character") as caught:
        clean_line("a\x00b", "title")
    assert caught.value.about == "title"
    assert caught.value.sentence.startswith("contains")


def test_a_page_says_it_in_the_language_of_its_reader_with_what_is_inside(app: Flask) -> None:
    with pytest.raises(BadInput) as caught:
        clean_line("a\x00b", "title")
    with app.test_request_context(headers={"Accept-Language": "vi"}):
        assert sentence(caught.value.sentence).startswith("chứa một ký tự điều khiển (U+0000, ở vị trí 2)")
        assert sentence("an older sentence") == "an older sentence"

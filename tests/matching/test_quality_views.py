"""The quality page: what figures mean, which model is in use, what was measured, or how to measure it."""

from __future__ import annotations

import logging

import pytest
from flask.testing import FlaskClient

from techex.matching import evaluated
from techex.settings import Settings
from tests.matching.test_evaluated import MEASURED


def test_before_anything_is_measured_the_page_names_the_command(visitor: FlaskClient) -> None:
    page = visitor.get("/quality").text
    assert "<code>techex evaluate --demo</code>" in page
    assert "chart" not in page.split("<main", 1)[1]
    assert "nDCG" not in page


def test_what_was_measured_is_shown_in_the_form_of_the_readers_language(
    visitor: FlaskClient, settings: Settings
) -> None:
    evaluated.save(MEASURED, settings.data_dir)
    page = visitor.get("/quality").text
    for words in (
        *("0.912", "1.000", "0.875", "the centring of languages", "novel part"),
        *("9 of them were told so", "86% of their first five", "(75%)"),
    ):
        assert words in page
    assert "0,912" in visitor.get("/quality", headers={"Accept-Language": "vi"}).text
    assert "another model" not in page


def test_charts_say_their_finding_and_have_a_table_beside_them(visitor: FlaskClient, settings: Settings) -> None:
    evaluated.save(MEASURED, settings.data_dir)
    page = visitor.get("/quality").text
    assert "on average it is 1 point off" in page
    assert "by a factor of at most 1.2" in page
    assert page.count('<figure class="chart">') == 2
    assert page.count('class="dot"') == 2
    assert "Vietnamese → English" in page
    assert "Việt → Anh" in visitor.get("/quality", headers={"Accept-Language": "vi"}).text
    assert " style=" not in page
    for words in ("612", "0.077", "below 40", "0–39", "80–100", "techex evaluate --parity"):
        assert words in page


def test_what_was_measured_before_these_charts_is_shown_without_them(visitor: FlaskClient, settings: Settings) -> None:
    evaluated.save(MEASURED.model_copy(update={"reliability": None, "parity": None}), settings.data_dir)
    page = visitor.get("/quality").text
    assert "9 of them were told so" in page
    assert "<figure" not in page


def test_figures_of_another_model_are_marked(visitor: FlaskClient, settings: Settings) -> None:
    evaluated.save(MEASURED.model_copy(update={"card": "bge-m3"}), settings.data_dir)
    assert "These figures belong to another model" in visitor.get("/quality").text


def test_damaged_figures_do_not_take_the_page_down(
    visitor: FlaskClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    (settings.data_dir / evaluated.FILE).write_text("{")
    with caplog.at_level(logging.ERROR):
        page = visitor.get("/quality")
    assert page.status_code == 200
    assert "cannot be read" in page.text
    assert "techex evaluate --demo" in caplog.text


def test_the_model_in_use_has_its_card_on_the_page(visitor: FlaskClient) -> None:
    page = visitor.get("/quality").text
    for words in ("hashing", "Licence", "Revision", "Longest input", "words only"):
        assert words in page

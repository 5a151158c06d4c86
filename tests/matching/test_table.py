"""The evidence table of a pair: a verdict for each requirement, the sentence that shows it, the question if none does.

The deterministic encoder brings texts together that share words; what the real one finds is measured in tests/quality.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from techex.embedding.cards import load_card
from techex.embedding.encoders import load_encoder
from techex.matching.alignment import Vectors
from techex.matching.table import EvidenceTables, Row, Side
from techex.regions.rules import Place
from techex.search.collection import Raw

DRYER = (
    "A heat pump dryer for fruit with slowly turning trays. The drying temperature is 55 °C. "
    "The capacity is 600 kg of fruit per day. Electricity use is 0.8 kWh per kg. The frame is made of stainless steel."
)


class CountingEncoder:
    """The deterministic encoder, and how many texts it was given."""

    def __init__(self) -> None:
        self._encoder = load_encoder(load_card("hashing"), Path())
        self.texts = 0

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.texts += len(texts)
        return self._encoder.encode(texts, "listing")


@pytest.fixture
def encode() -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture
def tables(encode: CountingEncoder) -> EvidenceTables:
    return EvidenceTables(encode, Raw)


def need(required: str, **values: object) -> Side:
    return Side("en", {"title": "Drying fruit", "required_result": required, **values})


def offer(description: str = DRYER, language: str = "en", **values: object) -> Side:
    return Side(language, {"title": "Fruit dryer", "description": description, **values})


def only(rows: Sequence[Row]) -> Row:
    assert len(rows) == 1
    return rows[0]


def test_a_figure_that_satisfies_is_met_and_its_sentence_is_cited(tables: EvidenceTables) -> None:
    row = only(tables.table(need("Drying temperature of at most 60 °C."), offer()).rows)
    assert row.verdict == "met"
    assert row.cited is not None
    assert row.cited.text == "The drying temperature is 55 °C."
    assert (row.cited.field, row.cited.language) == ("description", "en")
    assert row.question is None


def test_a_figure_that_falls_short_contradicts_and_the_gap_is_said_in_the_words_of_both(tables: EvidenceTables) -> None:
    wanted, stated = need("Capacity of at least 900 kg of fruit per day."), offer()
    assert only(tables.table(wanted, stated).rows).verdict == "contradicts"
    gap = tables.nearest_gap(wanted, stated)
    assert gap is not None
    assert gap.share == pytest.approx(1 / 3)
    assert gap.message.template % gap.message.values == (
        "600 kg of fruit per day where at least 900 kg of fruit per day is asked"
    )


def test_the_widest_gap_is_the_nearest_reason_why_two_do_not_fit(tables: EvidenceTables) -> None:
    wanted = need("Drying temperature of at least 60 °C; capacity of at least 2,000 kg of fruit per day.")
    gap = tables.nearest_gap(wanted, offer())
    assert gap is not None
    assert "2,000 kg" in gap.message.values["asked"]


def test_a_pair_without_a_contradiction_has_no_gap(tables: EvidenceTables) -> None:
    assert tables.nearest_gap(need("Drying temperature of at most 60 °C."), offer()) is None


def test_what_the_offer_does_not_say_is_not_stated_and_becomes_a_question(tables: EvidenceTables) -> None:
    row = only(tables.table(need("Noise below 70 dB(A)."), offer()).rows)
    assert row.verdict == "not_stated"
    assert row.question is not None
    assert row.question.values == {"asked": "Noise below 70 dB(A)"}


class Strangers:
    """Means without which no need has anything in common with any offer."""

    version = "strangers"

    def apply(self, vectors: Vectors, language: str, role: str, length_class: str) -> Vectors:
        apart = np.zeros((len(vectors), 2), np.float32)
        apart[:, int(role == "offer")] = 1
        return apart


def test_a_sentence_answers_by_its_words_only_if_it_is_like_the_requirement_anywhere(encode: CountingEncoder) -> None:
    wanted = need("Slowly turning trays for fruit; drying temperature of at most 60 °C.")
    worded, figured = EvidenceTables(encode, Raw).table(wanted, offer()).rows
    assert (worded.verdict, worded.by_words) == ("met", True)
    assert (figured.verdict, figured.by_words) == ("met", False)
    worded, figured = EvidenceTables(encode, Strangers).table(wanted, offer()).rows
    assert (worded.verdict, worded.cited, worded.by_words) == ("not_stated", None, False)
    assert worded.question is not None
    assert (figured.verdict, figured.by_words) == ("met", False), "a figure speaks for itself"


def test_a_range_that_holds_only_in_part_is_a_question_and_no_contradiction(tables: EvidenceTables) -> None:
    row = only(
        tables.table(
            need("Drying temperature of at most 60 °C."), offer("The drying temperature is 50–70 °C. Steel frame.")
        ).rows
    )
    assert row.verdict == "not_stated"
    assert row.question is not None
    assert row.question.values == {"offered": "50–70 °C", "asked": "at most 60 °C"}


def test_the_figure_of_an_alternative_never_contradicts(tables: EvidenceTables) -> None:
    text = "Compared with drying temperature of 90 °C in ovens, the drying temperature is 55 °C. Steel frame."
    assert only(tables.table(need("Drying temperature of at most 60 °C."), offer(text)).rows).verdict == "met"


def test_every_word_comes_from_one_of_the_two_listings(tables: EvidenceTables) -> None:
    wanted = need("Drying temperature of at most 60 °C; trays of stainless steel; noise below 70 dB(A).")
    for row in tables.table(wanted, offer()).rows:
        assert row.requirement.text in wanted.values["required_result"]
        assert row.cited is None or row.cited.text in DRYER
        for check in row.checks:
            assert check.asked.text in wanted.values["required_result"]
            assert check.offered is None or check.offered.text in DRYER


def test_fields_of_both_forms_are_facts(tables: EvidenceTables) -> None:
    wanted = Side(
        "en",
        {
            "required_result": "Drying temperature of at most 60 °C.",
            "trl": 7,
            "transfer_forms": ["service_contract"],
            "budget_max": 1000.0,
            "currency": "USD",
            "deadline": date(2027, 5, 1),
            "reach": "country",
        },
        Place("VN", "33"),
    )
    stated = Side(
        "en",
        {
            "description": DRYER,
            "trl": 5,
            "transfer_forms": ["service_contract", "assignment"],
            "price": 900.0,
            "currency": "EUR",
            "validity": date(2028, 1, 1),
        },
        Place("NL"),
    )
    facts = {fact.name: fact for fact in tables.table(wanted, stated).facts}
    assert {name: fact.verdict for name, fact in facts.items()} == {
        "trl": "clash",
        "transfer_forms": "met",
        "budget": "unknown",
        "deadline": "met",
        "reach": "clash",
    }
    assert (facts["trl"].need_value, facts["trl"].offer_value) == ("7", "5")


def test_a_need_without_requirements_has_an_empty_table(tables: EvidenceTables) -> None:
    assert tables.table(Side("en", {"title": "Drying fruit"}), offer()).rows == []


def test_an_offer_without_text_answers_nothing(tables: EvidenceTables) -> None:
    row = only(tables.table(need("Drying temperature of at most 60 °C."), Side("en", {})).rows)
    assert (row.verdict, row.cited) == ("not_stated", None)


def test_a_table_is_made_once_and_an_edit_encodes_only_what_it_changed(
    tables: EvidenceTables, encode: CountingEncoder
) -> None:
    wanted = need("Drying temperature of at most 60 °C; noise below 70 dB(A).")
    first = tables.table(wanted, offer())
    encoded = encode.texts
    assert tables.table(wanted, offer()) is first
    assert encode.texts == encoded
    tables.table(wanted, offer(DRYER.replace("55 °C", "58 °C")))
    assert encode.texts == encoded + 1


def test_tables_made_by_several_threads_are_the_same(encode: CountingEncoder) -> None:
    wanted, shared = (
        need("Drying temperature of at most 60 °C; capacity of at least 900 kg per day."),
        EvidenceTables(encode, Raw),
    )
    found: list[list[str]] = []
    workers = [
        threading.Thread(target=lambda: found.append([row.verdict for row in shared.table(wanted, offer()).rows]))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [["met", "contradicts"]] * 4


def test_scores_are_finite_for_a_single_sentence_against_a_single_requirement(tables: EvidenceTables) -> None:
    row = only(tables.table(need("Steel frame."), Side("en", {"description": "Steel frame."})).rows)
    assert np.isfinite(row.score)

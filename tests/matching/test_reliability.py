"""Strengths keep their word on needs they were not fitted to; what speaks for a pair is weighed by named grounds."""

from __future__ import annotations

import numpy as np
import pytest

from techex.matching import reliability
from techex.matching.calibration import calibration_error
from techex.matching.reliability import FITTED, JudgedList
from techex.matching.strength import MIDDLE, WEIGHTS, WIDTH, grounds, strength, weighed

RNG = np.random.default_rng(7)
TRUE_WEIGHTS = np.array([1.5, 0.5, 2.0, 0.8, 1.0, -1.0])
PARTS = ("whole", "passages", "lexical", "fields", "industry", "sdg", "figures")
NOTHING_OPEN = dict.fromkeys(("fields", "industry", "sdg"), np.zeros(1))


def lists(number: int, weights: np.ndarray, offset: float) -> list[JudgedList]:
    found = []
    for need in range(number):
        columns = RNG.normal(size=(20, len(FITTED)))
        columns = columns[np.argsort(-(columns @ weights))]
        shares = 1 / (1 + np.exp(-(columns @ weights + offset)))
        outcomes = (RNG.random(20) < shares).astype(float)
        found.append(JudgedList(str(need), columns, outcomes[: reliability.JUDGED], not outcomes.any()))
    return found


def test_a_curve_finds_the_weights_that_made_the_verdicts() -> None:
    fitted = reliability.fit(lists(400, TRUE_WEIGHTS, -2.0))
    assert fitted.weights == pytest.approx(TRUE_WEIGHTS, abs=0.25)
    assert fitted.offset == pytest.approx(-2.0, abs=0.25)
    constants = fitted.as_constants
    assert constants["meaning"] == pytest.approx(1)
    assert constants["middle"] / constants["width"] == pytest.approx(2.0, abs=0.25)


def test_a_need_left_out_is_judged_by_the_others_alone() -> None:
    judged = lists(30, TRUE_WEIGHTS, -2.0)
    odd = JudgedList("odd", judged[0].grounds, 1 - judged[0].outcomes, unmatched=True)
    alone = reliability.cross_validated([*judged[1:], odd], [odd])
    without = reliability.fit(judged[1:])
    assert alone.strengths[0] == pytest.approx(without.strengths(odd.grounds))


def test_versions_of_one_need_are_left_out_together() -> None:
    judged = lists(20, TRUE_WEIGHTS, -2.0)
    twin = JudgedList(judged[0].group, judged[0].grounds + 0.1, judged[0].outcomes, judged[0].unmatched)
    found = reliability.cross_validated([*judged, twin], [judged[0]])
    assert found.strengths[0] == pytest.approx(reliability.fit(judged[1:]).strengths(judged[0].grounds))


def test_the_shipped_curve_is_the_strength_of_the_pages() -> None:
    columns = RNG.normal(3, 1, size=(50, len(FITTED)))
    found = {name: columns[:, place] for place, name in enumerate(FITTED)} | {"text": np.zeros(50)}
    by_pages = strength(weighed(found))
    order = np.argsort(-by_pages)
    assert reliability.shipped().strengths(columns[order]) == pytest.approx(by_pages[order])


def test_error_curve_and_abstention_are_counted() -> None:
    sure = JudgedList("a", np.zeros((2, len(FITTED))), np.array([1.0, 0.5]), unmatched=False)
    none = JudgedList("b", np.zeros((2, len(FITTED))), np.array([0.0, 0.0]), unmatched=True)
    checked = reliability.Checked([sure, none], [np.array([90.0, 50.0]), np.array([10.0, 2.0])])
    assert checked.told_nothing(30) == (1, 1, 1, 0)
    assert checked.told_nothing(95) == (1, 1, 1, 1)
    assert checked.pairs == 4
    assert [(one.pairs, one.found) for one in checked.curve()] == [(1, 0.0), (1, 0.0), (1, 0.5), (1, 1.0)]
    said = np.array([1.0, 0.5, 0.0, 0.0])
    assert checked.error == pytest.approx(calibration_error(np.array([90.0, 50.0, 10.0, 2.0]), said))
    assert checked.brier < 0.01
    assert checked.error_from(80) == pytest.approx(0.1)
    assert checked.error_from(95) is None


def test_an_open_fact_speaks_neither_for_nor_against() -> None:
    nothing = np.zeros(1)
    parts = dict.fromkeys(PARTS, nothing)
    for fact in NOTHING_OPEN:
        usual = grounds(parts | {fact: np.array([0.7])}, NOTHING_OPEN, nothing, of_text=False)
        unknown = grounds(parts, NOTHING_OPEN | {fact: np.array([0.7])}, nothing, of_text=False)
        assert weighed(usual) == pytest.approx(weighed(unknown))
        assert weighed(usual) > weighed(grounds(parts, NOTHING_OPEN, nothing, of_text=False))


def test_a_text_is_not_asked_for_facts() -> None:
    parts = {name: np.ones(1) for name in PARTS}
    listing, text = (grounds(parts, NOTHING_OPEN, np.zeros(1), of_text=of_text) for of_text in (False, True))
    assert weighed(text) - weighed(listing) == pytest.approx(WEIGHTS["text"])


def test_half_of_the_pairs_in_the_middle_fit_and_short_texts_are_given_more() -> None:
    assert strength(np.array([MIDDLE])) == pytest.approx(50)
    assert strength(np.array([MIDDLE]), words=3) > 55
    assert strength(np.array([MIDDLE + 5 * WIDTH])) > 99

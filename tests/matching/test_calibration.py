"""Strength says what people said of such pairs, and never which of two pairs is the stronger."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from techex.matching import calibration
from techex.matching.calibration import brier, calibration_error, fit_isotonic, fit_platt

VERDICTS = st.lists(st.tuples(st.floats(0, 100), st.sampled_from([0.0, 0.5, 1.0])), min_size=2, max_size=80).map(
    lambda rows: (np.array([row[0] for row in rows]), np.array([row[1] for row in rows]))
)
STRENGTHS = st.lists(st.integers(0, 1000), min_size=2, max_size=40).map(lambda tenths: np.array(tenths) / 10)


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
@given(verdicts=VERDICTS, strengths=STRENGTHS)
def test_calibration_never_changes_which_of_two_pairs_is_stronger(fit, verdicts, strengths) -> None:
    calibrated = fit(*verdicts)(strengths)
    for one in range(len(strengths)):
        for other in range(len(strengths)):
            if strengths[one] < strengths[other]:
                assert calibrated[one] < calibrated[other]
            elif strengths[one] == strengths[other]:
                assert calibrated[one] == calibrated[other]


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
@given(verdicts=VERDICTS, strengths=STRENGTHS)
def test_a_calibrated_strength_is_a_strength(fit, verdicts, strengths) -> None:
    calibrated = fit(*verdicts)(strengths)
    assert ((calibrated >= 0) & (calibrated <= 100)).all()


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_boastful_strengths_come_down_to_what_people_say(fit) -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0, 1, 2000)
    boasted, said = 100 * true**0.3, (rng.random(2000) < true).astype(float)
    curve = fit(boasted[:1000], said[:1000])
    assert calibration_error(boasted[1000:], said[1000:]) > 0.2
    assert calibration_error(curve(boasted[1000:]), said[1000:]) < 0.05
    assert brier(curve(boasted[1000:]), said[1000:]) < brier(boasted[1000:], said[1000:])


def test_partly_counts_half() -> None:
    curve = fit_platt(np.full(400, 50.0), np.full(400, 0.5))
    assert curve(np.array([50.0]))[0] == pytest.approx(50, abs=1)


def test_a_few_unanimous_verdicts_do_not_make_anybody_certain() -> None:
    curve = fit_platt(np.linspace(40, 60, 20), np.ones(20))
    assert curve(np.array([50.0]))[0] < 97


def test_verdicts_against_the_order_give_a_flat_curve_that_still_rises() -> None:
    strengths = np.linspace(5, 95, 100)
    curve = fit_platt(strengths, (strengths < 50).astype(float))
    assert curve.slope == calibration.LEAST_SLOPE

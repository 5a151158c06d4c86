"""Strength by comparison with random pairs becomes strength by what people said of such pairs. Pure functions.

Both curves rise strictly from 0 to 100, so calibration changes what a strength says and never which of two pairs is the
stronger. Platt's curve (1999) has two numbers and is safe with few verdicts; the isotonic one (Zadrozny and Elkan 2002)
takes any rising shape and needs more of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# Strengths of 0 and 100 have no logit: they are taken as half a percent from the end.
END = 0.005
# The curve rises at least this much: flatter means that strength does not tell fits from others, and the verdicts are
# too few or too odd to calibrate with.
LEAST_SLOPE = 0.05
# How much of the isotonic curve is a straight line: enough to keep apart what would lie on one step of it.
TILT = 0.02
# Bins of the calibration error, each with equally many pairs.
BINS = 10


@dataclass(frozen=True)
class Platt:
    """100 * sigmoid(slope * logit(strength) + offset)."""

    slope: float
    offset: float

    def __call__(self, strengths: Numbers) -> Numbers:
        """(n,) strengths 0-100 -> (n,) strengths 0-100, in the same order."""
        curve: Numbers = 100 * _sigmoid(self.slope * _logit(np.asarray(strengths, np.float64)) + self.offset)
        return curve


@dataclass(frozen=True)
class Isotonic:
    """Straight lines between `knots` (rising strengths 0-100, the first 0, the last 100) and `values` (not falling)."""

    knots: Sequence[float]
    values: Sequence[float]

    def __call__(self, strengths: Numbers) -> Numbers:
        """(n,) strengths 0-100 -> (n,) strengths 0-100, in the same order."""
        strengths = np.asarray(strengths, np.float64)
        curve: Numbers = (1 - TILT) * np.interp(strengths, self.knots, self.values) + TILT * strengths
        return curve


Calibration = Platt | Isotonic


def fit_platt(strengths: Numbers, outcomes: Numbers) -> Platt:
    """The curve for (n,) strengths 0-100 and outcomes 0-1 (fit 1, partly one half), by maximum likelihood.

    Outcomes are drawn in by one imagined pair on either side, as Platt does, so that a perfect row of verdicts does not
    make everybody certain.
    """
    from scipy.optimize import minimize  # a third of a second that only learning needs to wait

    fits = float(outcomes.sum())
    others = len(outcomes) - fits
    high, low = (fits + 1) / (fits + 2), 1 / (others + 2)
    wanted = low + (high - low) * outcomes
    logits = _logit(np.asarray(strengths, np.float64))

    def loss(curve: Numbers) -> tuple[float, Numbers]:
        margin = curve[0] * logits + curve[1]
        error = _sigmoid(margin) - wanted
        value = float((np.logaddexp(0, margin) - wanted * margin).sum())
        return value, np.array([float(error @ logits), float(error.sum())])

    found = minimize(
        loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(LEAST_SLOPE, None), (None, None)]
    )
    return Platt(float(found.x[0]), float(found.x[1]))


def fit_isotonic(strengths: Numbers, outcomes: Numbers) -> Isotonic:
    """The rising curve nearest to (n,) outcomes 0-1 at strengths 0-100.

    Beyond the weakest pair judged it falls to 0 at strength 0; beyond the strongest it stays.
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(strengths, kind="stable")
    knots, where, counts = np.unique(np.asarray(strengths, np.float64)[order], return_inverse=True, return_counts=True)
    means = np.bincount(where, weights=np.asarray(outcomes, np.float64)[order]) / counts
    values = 100 * isotonic_regression(means, weights=counts.astype(np.float64)).x
    inner = (knots > 0) & (knots < 100)
    return Isotonic(
        (0.0, *knots[inner].tolist(), 100.0),
        (0.0, *values[inner].tolist(), float(values[-1]) if len(values) else 100.0),
    )


def brier(strengths: Numbers, outcomes: Numbers) -> float:
    """Mean squared distance of strength / 100 and outcome (Brier 1950)."""
    return float(np.mean((strengths / 100 - outcomes) ** 2))


def calibration_error(strengths: Numbers, outcomes: Numbers) -> float:
    """Expected calibration error: |mean strength / 100 - share of fits| over BINS bins of equally many pairs."""
    order = np.argsort(strengths, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    gaps = [len(part) * abs(float(strengths[part].mean()) / 100 - float(outcomes[part].mean())) for part in bins]
    return sum(gaps) / len(order)


def _logit(strengths: Numbers) -> Numbers:
    shares = END + (1 - 2 * END) * np.clip(strengths, 0, 100) / 100
    logits: Numbers = np.log(shares / (1 - shares))
    return logits


def _sigmoid(margins: Numbers) -> Numbers:
    share: Numbers = 0.5 * (1 + np.tanh(margins / 2))
    return share

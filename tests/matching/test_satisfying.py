"""Figures that satisfy what is asked for speak for a pair, by how rarely they would by chance."""

from __future__ import annotations

import numpy as np
import pytest

from techex.matching.satisfying import MOST_SAID, NOT_SATISFIED, said_of_needs, said_of_offers
from techex.quantities.compact import FIGURES, FigureRows, asked, satisfying, stated

NOBODY = (np.zeros(0, FIGURES), np.zeros(0, np.int64), 0)


@pytest.mark.parametrize(
    ("need", "offer", "met"),
    [
        ("accuracy of at least 95 %", "accuracy 97.5 %", True),
        ("accuracy of at least 95 %", "accuracy 91 %", False),
        ("độ chính xác ít nhất 95 %", "정확도 96 %", True),
        ("dưới 3 phút", "150 giây", True),
        ("dưới 3 phút", "5 minutes", False),
        ("at least 80 °C", "60–90 °C", False),
        ("between 20 and 60 °C", "10–90 °C", True),
        ("at least 80 kg/h", "up to 100 kg/h", True),
        ("at least 5 m³", "at least 6 litres", False),
        ("at most 20 mm", "a thousandth of it: 0.02 mm", False),  # of quite another size: something else is meant
        ("at least 5 kg", "7 metres", False),
    ],
)
def test_figures_are_compared_in_common_units_and_by_their_bounds(need: str, offer: str, met: bool) -> None:
    own, _ = satisfying(asked(need, "vi" if "ít" in need or "dưới" in need else "en"), stated(offer, "en"))
    assert bool(len(own)) is met


def test_what_something_is_compared_with_and_what_is_open_is_no_figure() -> None:
    assert len(stated("3 kW instead of 9 kW", "en")) == 1
    assert len(stated("no figure at all, in 2024", "en")) == 0
    low, high = stated("up to 40 kg", "en")[0].tolist()[1:]
    assert (low, high) == (-np.inf, 40)


def rows_of(*texts: str) -> tuple[FigureRows, np.ndarray]:
    each = [stated(text, "en") for text in texts]
    return np.concatenate(each), np.repeat(np.arange(len(each)), [len(rows) for rows in each])


def test_the_rarer_a_figure_is_satisfied_the_more_it_says() -> None:
    wanted = asked("at least 50 kg, at most 20 °C", "en")
    held, owners = rows_of("60 kg", "15 °C", "3 kg, 40 °C")
    often, seldom = ["70 kg"] * 90 + ["2 kg"] * 10, ["30 °C"] * 99 + ["10 °C"]
    rows, places = rows_of(*(f"{weight}, {heat}" for weight, heat in zip(often, seldom, strict=True)))
    by_weight, by_heat, neither = said_of_offers(wanted, held, owners, 3, (rows, places, 100))
    assert by_heat > by_weight > neither
    assert neither == pytest.approx(2 * NOT_SATISFIED)


def test_where_nothing_is_asked_or_nothing_stated_figures_say_nothing() -> None:
    held, owners = rows_of("60 kg", "no figure")
    assert said_of_offers(asked("something light", "en"), held, owners, 2, NOBODY).tolist() == [0, 0]
    light, silent = said_of_offers(asked("at most 5 kg", "en"), held, owners, 2, NOBODY)
    assert light < 0
    assert silent == 0
    assert said_of_offers(asked("at most 5 kg", "en"), *rows_of("none"), 1, NOBODY).tolist() == [0]


def test_all_figures_together_say_no_more_than_so_much() -> None:
    many = ", ".join(f"at least {number} kg" for number in range(50, 80))
    held, owners = rows_of("90 kg", "10 kg")
    assert said_of_offers(asked(many, "en"), held, owners, 2, NOBODY).tolist() == [MOST_SAID, -MOST_SAID]


def test_an_offer_asks_which_needs_it_satisfies() -> None:
    needs = [asked(text, "en") for text in ("at least 50 kg", "at least 90 kg", "no figure")]
    held, owners = np.concatenate(needs), np.repeat(np.arange(3), [len(rows) for rows in needs])
    fits, misses, silent = said_of_needs(stated("60 kg", "en"), held, owners, 3)
    assert fits > silent == 0 > misses

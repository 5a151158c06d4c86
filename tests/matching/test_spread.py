"""No place crowds out the others, and the price of it is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from techex.matching.spread import BOUND, spread

SCORES = st.lists(st.floats(-10, 10), max_size=40)
PLACES = st.lists(st.sampled_from("abc"), min_size=40, max_size=40)


def test_a_list_of_different_places_stays_as_it_is() -> None:
    assert spread([3.0, 2.0, 2.0, 1.0], [["a"], ["b"], ["c"], ["d"]]) == [0, 1, 2, 3]


def test_a_nearly_equal_listing_from_elsewhere_comes_before_the_second_of_one_city() -> None:
    assert spread([3.0, 2.9, 2.8, 2.75], [["city"], ["city"], ["city"], ["village"]]) == [0, 3, 1, 2]


def test_a_much_better_listing_is_never_held_back() -> None:
    assert spread([3.0, 2.9, 2.8, 1.0], [["city"], ["city"], ["city"], ["village"]]) == [0, 1, 2, 3]


@given(SCORES, PLACES)
def test_nothing_behind_is_better_by_more_than_the_bound(scores: list[float], places: list[str]) -> None:
    order = spread(scores, [[place] for place in places[: len(scores)]])
    assert sorted(order) == list(range(len(scores)))
    best_behind = float("-inf")
    for at in reversed(order):
        assert scores[at] >= best_behind - BOUND - 1e-9
        best_behind = max(best_behind, scores[at])


@given(SCORES, PLACES)
def test_within_a_place_the_better_one_comes_first(scores: list[float], places: list[str]) -> None:
    order = spread(scores, [[place] for place in places[: len(scores)]])
    for place in "abc":
        own = [scores[at] for at in order if places[at] == place]
        assert own == sorted(own, reverse=True)

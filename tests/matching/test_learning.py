"""What verdicts teach: it helps needs it was not learned from, or it is left out; and it can be taken back whole."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from techex.embedding.centring import unit
from techex.listings.rules import Kind, Visibility
from techex.matching import learning, mapping, simulation, weighting
from techex.matching.calibration import Isotonic, Platt
from techex.matching.candidates import Query
from techex.matching.learned import NOTHING, Learned, from_dict
from techex.matching.learning import Case, Compared, learn
from techex.matching.mapping import Lessons, QueryMap, fit_map
from techex.matching.ranking import PARTS
from techex.search.collection import Collection, Item
from techex.search.facts import Facts
from techex.search.segments import Entry, Passage

DIMENSION = 16
WORDS = [f"word{number}" for number in range(40)]


def world(needs: int, *, twist: float = 0.0, chatter: bool = False, languages: Sequence[str] = ("en",)) -> list[Case]:
    """Needs with one fitting offer each, among offers of other needs.

    `twist` turns every need away from its offer in the same plane: what a map can learn. With `chatter` the words of a
    need stand in a wrong offer: what factors can learn.
    """
    rng = np.random.default_rng(5)
    offers = unit(rng.normal(size=(needs, DIMENSION)).astype(np.float32))
    near = unit(offers + 0.9 * unit(rng.normal(size=offers.shape).astype(np.float32)))
    turn = np.eye(DIMENSION, dtype=np.float32)
    for axis in range(0, DIMENSION, 2):
        turn[axis : axis + 2, axis : axis + 2] = [[np.cos(twist), -np.sin(twist)], [np.sin(twist), np.cos(twist)]]
    words = [rng.choice(WORDS, 4, replace=False).tolist() for _ in range(needs)]
    items = []
    for number in range(needs):
        own = words[(number + 1) % needs] if chatter else ["plain"]
        language = languages[number % len(languages)]
        passage = [Passage(0, "title_summary", language, "long", f"{number:064x}")]
        entry = Entry(number + 1, Facts(language=language), dict.fromkeys(own, 1), passage, offers[number : number + 1])
        items.append(Item((Visibility.PUBLIC, Kind.OFFER), entry))
    collection = Collection.build(items, card_key="made", dimension=DIMENSION)
    partitions = collection.view({Visibility.PUBLIC}, Kind.OFFER)
    queries = unit((near @ turn).astype(np.float32))
    return [
        Case(
            Query(" ".join(words[number]), "en", 4, queries[number], queries[number : number + 1]),
            partitions,
            {number + 1: 1.0},
        )
        for number in range(needs)
    ]


def unseen_gain(cases: list[Case], learned: Learned) -> float:
    return float(np.mean([case.ndcg(case.ranked(learned)) - case.ndcg(case.ranked(NOTHING)) for case in cases]))


def read(cases: list[Case], verdicts: int = 1000, *, noise: float = 0.1, screening: bool = False) -> list[Case]:
    return simulation.read(cases, verdicts, noise, screening, np.random.default_rng(1))


def step(candidate: learning.Candidate, name: str) -> learning.Step:
    return next(step for step in candidate.steps if step.name == name)


def test_needs_that_lie_aside_of_their_offers_are_turned_towards_them() -> None:
    cases = world(300, twist=0.6)
    seen, unseen = cases[:200], cases[200:]
    candidate = learn(read(seen, 800), 800)
    assert step(candidate, "map").accepted
    assert unseen_gain(unseen, candidate.learned) > 0.05


@pytest.mark.parametrize("screening", [False, True])
def test_words_that_mislead_count_less(screening: bool) -> None:
    cases = world(240, chatter=True)
    seen, unseen = cases[:160], cases[160:]
    judged = read(seen, 600, screening=screening)
    candidate = learn(judged, sum(len(case.grades) for case in judged))
    assert step(candidate, "factors").accepted
    assert candidate.learned.factor("lexical") < 0.7
    assert unseen_gain(unseen, candidate.learned) > 0.02


def test_verdicts_by_dice_teach_nothing_that_moves_a_list() -> None:
    cases = world(150)
    rng = np.random.default_rng(3)
    diced = [
        Case(case.query, case.partitions, {int(offer): float(rng.integers(2)) for offer in rng.integers(1, 151, 3)})
        for case in cases
    ]
    candidate = learn(diced, 450)
    assert not step(candidate, "map").accepted
    assert candidate.learned.query_map is None


def test_what_makes_one_language_pair_worse_is_left_out() -> None:
    better, worse = Compared(30, 0.5, 0.9, 0.05), Compared(10, 0.5, 0.4, 0.03)
    together = Compared(40, 0.5, 0.775, 0.04)
    assert learning.objection(together, {"vi>en": better, "nl>en": worse}, 1.5) == "worse for nl>en"
    assert learning.objection(together, {"vi>en": better}, 1.5) == ""


def test_a_language_pair_of_few_needs_may_wobble_but_not_fall() -> None:
    together = Compared(40, 0.5, 0.775, 0.04)
    assert learning.objection(together, {"nl>en": Compared(6, 0.5, 0.49, 0.02)}, 1.5) == ""
    assert learning.objection(together, {"nl>en": Compared(6, 0.5, 0.47, 0.02)}, 1.5) != ""


def test_a_gain_that_chance_would_give_is_no_gain() -> None:
    assert "chance" in learning.objection(Compared(40, 0.5, 0.52, 0.02), {}, 1.5)


def test_nothing_is_learned_from_a_handful_of_verdicts() -> None:
    candidate = learn(read(world(40), 49), 49)
    assert candidate.learned.is_nothing
    assert [step.accepted for step in candidate.steps] == [False, False, False]
    assert all("learned from" in step.reason for step in candidate.steps)


def test_sixty_verdicts_calibrate_strength_and_move_no_list() -> None:
    cases = read(world(60), 60)
    candidate = learn(cases, 60)
    assert candidate.learned.query_map is None
    assert not candidate.learned.factors
    for case in cases:
        assert case.ranked(candidate.learned).ids.tolist() == case.ranked(NOTHING).ids.tolist()


def test_learning_twice_from_the_same_verdicts_gives_the_same_version() -> None:
    cases = read(world(80, twist=0.6), 260)
    assert learn(cases, 260).learned.version == learn(cases, 260).learned.version


def test_nothing_learned_changes_no_score_by_a_single_bit() -> None:
    for case in world(30, chatter=True)[:5]:
        bare, ranked = case.ranked(None), case.ranked(NOTHING)
        assert bare.scores.tobytes() == ranked.scores.tobytes()
        assert bare.ids.tolist() == ranked.ids.tolist()


finite = st.floats(-2, 2, width=32)


@settings(deadline=None)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 3)),
    data=st.data(),
    curve=st.sampled_from([None, Platt(0.7, -0.2), Isotonic((0.0, 30.5, 100.0), (0.0, 55.0, 81.25))]),
)
def test_what_was_learned_survives_storage_to_the_last_bit(shape, data, curve) -> None:
    dimension, rank = shape
    numbers = data.draw(st.lists(finite, min_size=2 * dimension * rank, max_size=2 * dimension * rank))
    array = np.array(numbers, np.float32)
    query_map = QueryMap(
        array[: dimension * rank].reshape(dimension, rank), array[dimension * rank :].reshape(rank, -1)
    )
    factors = dict(
        zip(PARTS, data.draw(st.lists(st.floats(0.1, 4), min_size=len(PARTS), max_size=len(PARTS))), strict=True)
    )
    learned = Learned(query_map, factors, curve)
    stored = from_dict(json.loads(json.dumps(learned.as_dict())))
    assert stored.version == learned.version
    assert stored.factors == learned.factors
    assert stored.calibration == learned.calibration
    vectors = np.ones((2, dimension), np.float32)
    assert stored.turned(vectors, Kind.OFFER).tobytes() == learned.turned(vectors, Kind.OFFER).tobytes()


def test_something_else_is_not_taken_for_what_was_learned() -> None:
    with pytest.raises(ValueError, match="format"):
        from_dict({"format": 99})
    with pytest.raises(ValueError, match="nothing that was learned"):
        from_dict({"format": 1})


def lessons(count: int = 50) -> Lessons:
    rng = np.random.default_rng(2)
    queries, targets = (unit(rng.normal(size=(count, 40)).astype(np.float32)) for _ in range(2))
    return Lessons(queries, targets, np.ones(count, np.float32))


def test_a_map_has_few_directions_and_anchors_at_the_identity() -> None:
    given = lessons()
    assert fit_map(given, 1.0).down.shape == (40, mapping.RANK)
    loose, firm = (fit_map(given, firmness).turned(given.queries) for firmness in (1.0, 1e6))
    assert np.allclose(firm, given.queries, atol=1e-4)
    assert (loose * given.targets).sum() > (given.queries * given.targets).sum()


def test_an_offer_that_looks_for_needs_is_turned_the_other_way_round() -> None:
    query_map = fit_map(lessons(), 5.0)
    need, offer = (unit(np.random.default_rng(seed).normal(size=(1, 40)).astype(np.float32)) for seed in (7, 8))
    straight = (need + (need @ query_map.down) @ query_map.up) @ offer.T
    back = need @ (offer + (offer @ query_map.transposed.down) @ query_map.transposed.up).T
    assert straight == pytest.approx(back, abs=1e-5)


def test_a_need_with_refusals_only_moves_away_from_them() -> None:
    query, refused = np.eye(4, dtype=np.float32)[0], np.eye(4, dtype=np.float32)[1:2]
    lesson = mapping.lessons_of(query, refused[:0], np.ones(0, np.float32), refused)
    turned = fit_map(lesson, 1.0).turned(query[None])
    assert (turned @ refused.T).item() < 0


def test_a_part_that_never_differs_keeps_its_weight() -> None:
    rng = np.random.default_rng(4)
    differences = np.column_stack([rng.normal(1, 1, 200), np.zeros(200)])
    factors = weighting.fit_factors(weighting.Comparisons(differences, np.ones(200)), 1.0)
    assert factors[1] == 1.0
    assert weighting.LEAST_FACTOR <= factors[0] <= weighting.MOST_FACTOR


def test_new_weights_leave_the_scale_of_strength_alone() -> None:
    contributions = np.array([[3.0, 1.0, 2.0], [2.0, 4.0, 0.0]])
    factors = np.array([2.0, 0.5])
    scaled = factors * weighting.same_scale(contributions, factors)
    assert (scaled @ contributions).mean() == pytest.approx(contributions.sum(axis=0).mean())
    assert scaled[0] / scaled[1] == pytest.approx(4)


def test_a_reader_who_stops_at_the_first_fit_does_not_turn_the_ranking_upside_down() -> None:
    """All that is refused stands above the fit: from these pairs alone, a high score would look bad."""
    rng = np.random.default_rng(6)
    lists = []
    for _ in range(100):
        useful = rng.normal(size=50) + 2.5 * (np.arange(50) == 0)
        order = np.argsort(-useful)
        fit = int(np.flatnonzero(order == 0)[0])
        contributions = np.stack([useful[order], np.zeros(50)])
        lists.append(weighting.comparisons(contributions, {place: float(place == fit) for place in range(fit + 1)}))
    factors = weighting.fit_factors(weighting.together(lists), 3.0)
    assert factors[0] > 0.7

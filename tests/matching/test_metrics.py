from __future__ import annotations

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import RR, R, nDCG

from techex.matching.metrics import ndcg, recall, reciprocal_rank

DOCUMENTS = [f"d{number}" for number in range(30)]


@given(
    st.permutations(DOCUMENTS).flatmap(lambda order: st.integers(1, 30).map(lambda size: order[:size])),
    st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 4), min_size=1),
)
def test_figures_are_those_of_trec_eval(ranked: list[str], grades: dict[str, int]) -> None:
    grades["d0"] = max(grades.get("d0", 0), 1)
    run = [ir_measures.ScoredDoc("q", document, -float(place)) for place, document in enumerate(ranked)]
    judged = [ir_measures.Qrel("q", document, grade) for document, grade in grades.items()]
    expected = ir_measures.calc_aggregate([nDCG @ 10, RR @ 10, R @ 10, R @ 100], judged, run)
    assert ndcg(ranked, grades) == pytest.approx(expected[nDCG @ 10])
    assert reciprocal_rank(ranked, grades) == pytest.approx(expected[RR @ 10])
    assert recall(ranked, grades, 10) == pytest.approx(expected[R @ 10])
    assert recall(ranked, grades, 100) == pytest.approx(expected[R @ 100])


def test_a_query_without_good_documents_scores_nothing() -> None:
    assert ndcg(["a"], {"a": 0}) == reciprocal_rank(["a"], {}) == recall(["a"], {}, 10) == 0.0

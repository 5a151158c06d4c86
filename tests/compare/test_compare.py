"""The comparison asks what it says it asks, and its table shows who leads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.compare import sets
from tests.compare.__main__ import table


def test_the_demo_is_asked_in_both_versions_of_its_bilingual_needs() -> None:
    judged = sets.judged_sets(None)
    own, translated = judged.values()
    assert len(own.documents) >= 160
    assert 20 <= len(translated.judged_queries) <= 30
    texts = {query.id: query.text for query in own.queries}
    assert all(texts[query.id] != query.text for query in translated.queries if query.id in texts)


def test_a_folder_of_judged_sets_is_read_and_where_languages_are_mixed_they_are_asked_for(tmp_path: Path) -> None:
    for name in ("plain", "many"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t1\n", encoding="utf-8")
    for name in ("plain/corpus.jsonl", "many/corpus.mixed.jsonl", "many/corpus.vi.jsonl"):
        (tmp_path / name).write_text('{"_id": "d", "title": "", "text": "sấy lúa"}\n', encoding="utf-8")
    for name in ("plain/queries.jsonl", "many/queries.vi.jsonl", "many/queries.ru.jsonl"):
        (tmp_path / name).write_text('{"_id": "q", "text": "lúa"}\n', encoding="utf-8")
    assert list(sets.judged_sets(tmp_path))[2:] == ["many, vi → mixed", "plain"]


def test_grown_vectors_are_unit_rows_about_as_far_apart_as_real_ones() -> None:
    rng = np.random.default_rng(3)
    real = rng.normal(size=(200, 96)).astype(np.float32) + 2
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    grown = sets.grow(real, 500, seed=1)
    assert np.allclose(np.linalg.norm(grown, axis=1), 1, atol=1e-5)
    assert abs(float((real @ real.T).mean()) - float((grown @ grown.T).mean())) < 0.1


def test_the_leader_of_a_row_is_bold_and_what_is_not_known_is_a_dash() -> None:
    judged = sets.judged_sets(None)
    label = next(iter(judged))
    results = {
        "A": {"quality": {label: 0.5}, "speed": {"p50_ms": 2.0}},
        "B": {"quality": {label: 0.75}, "speed": {"p50_ms": 3.0}},
        "C": {},
    }
    lines = table(judged, results).splitlines()
    assert "0.500 | **0.750** | –" in lines[2]
    assert next(line for line in lines if "p50" in line) == "| filtered query p50, ms | **2.0** | 3.0 | – |"
    assert len({line.count("|") for line in lines}) == 1

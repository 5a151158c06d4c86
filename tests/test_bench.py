"""The bench measures real things on small ones: a judged set in a folder, a grown exchange behind the whole app."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from techex import bench
from techex.settings import load_settings

DOCUMENTS = {"d1": "A drum dryer for longan with a rice husk burner", "d2": "Filter for the waste water of dye houses"}


@pytest.fixture
def hashing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TECHEX_CARD", "hashing")
    monkeypatch.setenv("TECHEX_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TECHEX_INDEXES_DIR", str(tmp_path))
    return tmp_path


def test_sets_that_are_there_are_measured_and_the_others_named(hashing: Path) -> None:
    folder = hashing / "cranfield"
    folder.mkdir()
    rows = [json.dumps({"_id": key, "title": "", "text": text}) for key, text in DOCUMENTS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "waste water filter"}), encoding="utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\td2\t1\n", encoding="utf-8")
    said: list[str] = []
    measured = bench.quality(hashing, load_settings(), said.append)
    assert [(row["set"], row["ndcg@10"]) for row in measured] == [("cranfield", 1.0)]
    assert sum("left out" in line for line in said) == len(bench.GOALS) - 1


def test_pages_are_asked_of_the_whole_application(hashing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("ROUNDS", 1), ("REQUESTS", 10), ("WARM_UP", 5)):
        monkeypatch.setattr(bench, name, few)
    found, fresh = bench.served(load_settings(), 300, lambda what: None)
    assert (found.listings, found.passages) == (300, 1200)
    assert 0 < found.p50 <= found.p95
    assert 0 < found.beyond_p50 < found.p50
    assert list(found.filtered) == list(bench.FILTERS)
    assert all(0 < figures[0] <= figures[1] for figures in found.filtered.values())
    assert fresh.listings == 300
    assert all(0 < p50 <= p95 for p50, p95 in (fresh.by_words, fresh.by_meaning, fresh.matches_ms))


def test_an_interrupted_bench_prints_what_it_has(hashing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench.batch_bench, "measure", interrupted)
    monkeypatch.setattr(bench.search_bench, "demo_source", interrupted)
    result = CliRunner().invoke(bench.bench, ["--json", "--only", "batch"])
    assert result.exit_code != 0
    assert '"card": "hashing"' in result.output

from __future__ import annotations

import json
from pathlib import Path

import pytest

from techex import cli
from techex.embedding.cards import load_card
from techex.embedding.encoders import load_encoder
from techex.errors import UnreadableFile
from techex.matching.evaluation import CENTRING, FIGURES, WITHOUT, evaluate
from techex.matching.judged import read_set

DOCUMENTS = {
    "dryer": "A drum dryer for longan and other fruit, fired with rice husk",
    "filter": "A filter that takes colour out of the waste water of dye houses",
    "robot": "A robot that weeds rows of vegetables by camera",
}


def files(folder: Path, qrels: str = "query-id\tcorpus-id\tscore\nq1\tdryer\t2\nq2\tfilter\t1\n") -> list[Path]:
    paths = [folder / name for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv")]
    rows = [{"_id": key, "title": "", "text": text} for key, text in DOCUMENTS.items()]
    queries = [{"_id": "q1", "text": "how to dry longan fruit"}, {"_id": "q2", "text": "waste water colour"}]
    paths[0].write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    paths[1].write_text("\n".join(map(json.dumps, queries)), encoding="utf-8")
    paths[2].write_text(qrels, encoding="utf-8")
    return paths


def test_a_judged_set_is_measured_with_each_part_left_out(tmp_path: Path) -> None:
    encoder = load_encoder(load_card("hashing"), tmp_path)
    found = evaluate(read_set(*files(tmp_path)), encoder, ablate=True)
    assert found.figures == dict.fromkeys(FIGURES, 1.0)
    assert (found.documents, found.queries, found.card) == (3, 2, "hashing")
    assert set(found.ablation) == {CENTRING, *WITHOUT}


def test_the_command_prints_one_object_and_needs_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TECHEX_DATA_DIR", str(tmp_path / "nothing here"))
    corpus, queries, qrels = map(str, files(tmp_path))
    arguments = ["evaluate", "--corpus", corpus, "--queries", queries, "--qrels", qrels, "--card", "hashing", "--json"]
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {*FIGURES, "documents", "queries", "seconds", "card"}
    assert not (tmp_path / "nothing here").exists()


@pytest.mark.parametrize(
    ("qrels", "sentence"),
    [
        ("query-id\tcorpus-id\tscore\nq1 dryer 2\n", "line 2: expected 3 columns"),
        ("query-id\tcorpus-id\tscore\nq1\tabsent\t1\n", "judges none"),
    ],
)
def test_judgments_that_cannot_be_used_get_a_sentence(tmp_path: Path, qrels: str, sentence: str) -> None:
    with pytest.raises(UnreadableFile, match=sentence):
        read_set(*files(tmp_path, qrels))


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    corpus, queries, qrels = files(tmp_path)
    corpus.write_text('{"_id": "a", "text": "one"}\n{oops\n', encoding="utf-8")
    with pytest.raises(UnreadableFile, match=r"corpus\.jsonl, line 2: not JSON"):
        read_set(corpus, queries, qrels)


def test_a_version_of_a_document_in_another_language_answers_what_the_document_does(tmp_path: Path) -> None:
    paths = files(tmp_path)
    version = tmp_path / "corpus.vi.jsonl"
    version.write_text(json.dumps({"_id": "dryer", "title": "", "text": "Sấy nhãn"}), encoding="utf-8")
    found = read_set(*paths, versions=[version])
    assert len(found.documents) == len(DOCUMENTS) + 1
    assert found.grades == {"q1": {"dryer": 2, "dryer (corpus.vi.jsonl)": 2}, "q2": {"filter": 1}}

"""Right pairs are told from random ones, language by language; files of parallel texts are read or refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from techex import cli
from techex.embedding.cards import load_card
from techex.embedding.encoders import load_encoder
from techex.errors import UnreadableFile
from techex.matching import parity
from techex.matching.parity import auc, measure, read_parallel, separation

WORDS = [
    "dryer",
    "filter",
    "robot",
    "pump",
    "valve",
    "sensor",
    "yeast",
    "resin",
    "loom",
    "kiln",
    "drone",
    "sieve",
    "turbine",
    "cable",
    "mould",
]


def parallel(folder: Path, languages: tuple[str, str] = ("en", "vi"), count: int = 45) -> Path:
    """Texts whose two versions share rare words, as the hashing encoder needs them to be alike."""
    rows = [
        {"_id": str(n), languages[0]: f"{WORDS[n % 12]} number{n}", languages[1]: f"{WORDS[n % 12]} số number{n}"}
        for n in range(count)
    ]
    path = folder / f"{'-'.join(languages)}.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_the_area_under_the_curve_counts_pairs_in_the_right_order() -> None:
    assert auc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 1
    assert auc(np.array([1.0]), np.array([1.0])) == 0.5
    assert auc(np.array([2.0, 0.0]), np.array([1.0])) == 0.5


def test_one_mark_serves_all_languages() -> None:
    random = {("vi", "en"): np.linspace(0, 1, 1000), ("ko", "en"): np.linspace(-1, 0, 1000)}
    right = {("vi", "en"): np.full(10, 1.5), ("ko", "en"): np.array([1.5] * 5 + [0.5] * 5)}
    found = separation(right, random)
    assert found.pairs["vi", "en"].found == 1
    assert found.pairs["ko", "en"].found == 0.5
    assert found.ratio == 2
    assert found.least_auc == 1
    assert separation({("ko", "en"): np.array([-2.0])}, random).ratio is None


def test_each_text_is_asked_for_its_counterpart_both_ways(tmp_path: Path) -> None:
    encoder = load_encoder(load_card("hashing"), tmp_path)
    steps: list[tuple[int, int]] = []
    sets = [read_parallel(parallel(tmp_path)), read_parallel(parallel(tmp_path, ("en", "id")))]
    found = measure(sets, encoder, lambda done, all_of_them: steps.append((done, all_of_them)))
    assert set(found.ours.pairs) == {("en", "vi"), ("en", "id")}
    assert {told.right for told in found.ours.pairs.values()} == {90}
    assert found.ours.least_auc > 0.95
    assert steps[-1] == (180, 180)


def test_the_command_prints_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parallel(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", "--parity", str(tmp_path), "--card", "hashing", "--json"])
    assert ended.value.code == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["false_positives"] == parity.FALSE_POSITIVES
    assert [row["languages"] for row in printed["pairs"]] == [["en", "vi"]]


def test_parity_and_judged_pairs_are_two_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", "--demo", "--parity", str(tmp_path)])
    assert ended.value.code != 0
    assert "--demo alone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["{"], "line 1"),
        (['{"_id": "1", "en": "one"}'], "two texts"),
        (['{"_id": "1", "en": "one", "vi": " "}'], "two texts"),
        (['{"_id": "1", "en": "one", "vi": "một"}', '{"_id": "2", "en": "two", "ko": "둘"}'], "line 2"),
        (['{"_id": "1", "en": "one", "vi": "một"}'], "at least 40"),
        ([], "at least 40"),
    ],
)
def test_a_file_that_is_not_parallel_is_refused_with_its_line(tmp_path: Path, lines: list[str], said: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UnreadableFile, match=said):
        read_parallel(path)

"""What was measured is kept and shown; what cannot be read is said, not guessed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from techex.errors import UnreadableFile
from techex.matching import evaluated
from techex.matching.evaluated import (
    Ablated,
    Abstention,
    BandCount,
    Figures,
    LanguagePair,
    LanguageParity,
    Measured,
    Parallel,
    Point,
    Reliability,
    Separated,
)

MEASURED = Measured(
    made_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
    card="hashing",
    engine="hashing",
    needs=89,
    results=184,
    figures=Figures(ndcg=0.9125, mrr=1.0, recall=0.5),
    ablation=(Ablated(ndcg=0.9125), Ablated(without="centring", ndcg=0.75), Ablated(without="novel part", ndcg=0.5)),
    languages=(LanguagePair(need="vi", result="en", needs=12, recall=0.875),),
    bands=(BandCount(band="introduce", shown=40, fits=30, partly=6),),
    abstention=Abstention(unmatched=10, said_so=9, matched=79, wrongly=2),
    parallel=Parallel(pairs=30, overlap=0.8625),
    reliability=Reliability(
        pairs=890,
        error=0.0125,
        as_shown=0.014,
        of_matches=0.077,
        brier=0.036,
        curve=(Point(pairs=612, promised=0.015, found=0.004), Point(pairs=30, promised=0.955, found=0.9)),
        abstention=Abstention(unmatched=10, said_so=9, matched=79, wrongly=2),
        fitted={"meaning": 1.0, "middle": 5.75},
        in_use={"meaning": 1.0, "middle": 5.9},
    ),
    parity=LanguageParity(
        false_positives=0.01,
        pairs=(
            Separated(need="vi", result="en", right=17, auc=0.9995, found=1.0, auc_raw=0.973, found_raw=0.0),
            Separated(need="ko", result="vi", right=5, auc=0.998, found=0.8, auc_raw=0.9, found_raw=0.2),
        ),
        ratio=1.25,
        ratio_raw=None,
    ),
)


def test_what_is_saved_is_loaded_again(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert evaluated.load(folder) is None
    path = evaluated.save(MEASURED, folder)
    assert evaluated.load(folder) == MEASURED
    assert json.loads(path.read_text("utf-8"))["figures"]["ndcg@10"] == 0.9125
    assert [file.name for file in folder.iterdir()] == ["evaluation.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2}', "\x00\xff"])
def test_a_damaged_file_is_named_with_the_command_that_mends_it(tmp_path: Path, content: str) -> None:
    (tmp_path / evaluated.FILE).write_bytes(content.encode("latin-1"))
    with pytest.raises(UnreadableFile, match="techex evaluate --demo"):
        evaluated.load(tmp_path)

"""What was measured is kept and shown; what cannot be read is said, not guessed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from techex.errors import UnreadableFile
from techex.matching import evaluated
from techex.matching.evaluated import Ablated, Abstention, BandCount, Figures, LanguagePair, Measured, Parallel

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

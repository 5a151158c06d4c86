"""A prepared folder is there whole or not at all, and every byte of it is accounted for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from techex.embedding.manifest import WORKSPACE, problems_of, replacing, write_manifest
from techex.errors import ModelDamaged


def prepared(folder: Path, text: str = "weights", key: str = "card@1") -> None:
    with replacing(folder) as fresh:
        (fresh / "part").mkdir()
        (fresh / "part" / "a.bin").write_text(text)
        write_manifest(fresh, key)


def interrupted(folder: Path) -> None:
    with replacing(folder) as fresh:
        (fresh / "half").write_text("new")
        raise OSError("disk is full")


def test_what_was_written_is_found_whole(tmp_path: Path) -> None:
    prepared(tmp_path / "m")
    assert problems_of(tmp_path / "m", "card@1") == []


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda folder: (folder / "part" / "a.bin").write_text("weighty"), "SHA-256 differs"),
        (lambda folder: (folder / "part" / "a.bin").write_text("w"), "has 1 bytes, expected 7"),
        (lambda folder: (folder / "part" / "a.bin").unlink(), "is missing"),
        (lambda folder: (folder / "b.bin").write_text(""), "does not belong there"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "cannot be read"),
        (lambda folder: (folder / "manifest.json").unlink(), "not prepared"),
    ],
)
def test_any_harm_is_named(tmp_path: Path, harm, named: str) -> None:  # type: ignore[no-untyped-def]
    prepared(tmp_path / "m")
    harm(tmp_path / "m")
    assert any(named in problem for problem in problems_of(tmp_path / "m", "card@1"))


def test_weights_of_another_card_are_not_taken_for_these(tmp_path: Path) -> None:
    prepared(tmp_path / "m")
    assert "expected card@2" in problems_of(tmp_path / "m", "card@2")[0]


def test_an_error_on_the_way_leaves_the_former_state(tmp_path: Path) -> None:
    prepared(tmp_path / "m", "old")
    with pytest.raises(OSError, match="disk is full"):
        interrupted(tmp_path / "m")
    assert problems_of(tmp_path / "m", "card@1") == []
    assert (tmp_path / "m" / "part" / "a.bin").read_text() == "old"
    assert [path.name for path in (tmp_path / WORKSPACE).iterdir()] == ["lock"]


def test_a_folder_without_manifest_never_takes_the_place(tmp_path: Path) -> None:
    prepared(tmp_path / "m", "old")
    with pytest.raises(ModelDamaged, match="was not finished"), replacing(tmp_path / "m"):
        pass
    assert problems_of(tmp_path / "m", "card@1") == []


def test_a_killed_run_leaves_the_former_state_and_no_rubbish_for_good(tmp_path: Path) -> None:
    prepared(tmp_path / "m", "old")
    code = (
        "import os, sys; from pathlib import Path; from techex.embedding.manifest import replacing\n"
        "with replacing(Path(sys.argv[1])) as fresh:\n"
        "    (fresh / 'half').write_text('new'); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "m")], check=False)
    assert done.returncode == -9
    assert problems_of(tmp_path / "m", "card@1") == []
    assert (tmp_path / WORKSPACE / "m" / "half").exists()
    prepared(tmp_path / "m", "new")
    assert (tmp_path / "m" / "part" / "a.bin").read_text() == "new"
    assert [path.name for path in (tmp_path / WORKSPACE).iterdir()] == ["lock"]

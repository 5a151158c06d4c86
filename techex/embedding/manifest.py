"""What a prepared model consists of on disk, and how a folder is written so that it is there whole or not at all.

models/<card>/            a sentence-transformers model: modules.json, model.safetensors, tokenizer.json, ...
models/<card>/serving/    what the OpenVINO engine needs: encoder.xml and .bin, words.npy, pieces.model, serving.json
models/<card>/manifest.json   the card's key, and size and SHA-256 of every file above
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from techex.errors import ModelDamaged

MANIFEST = "manifest.json"
SERVING_FOLDER = "serving"
GRAPH, GRAPH_8_BIT = "encoder.xml", "encoder-int8.xml"
WORKSPACE = ".preparing"
# Raised when the files change their meaning; folders of another version are prepared anew.
LAYOUT = 1

_CHUNK = 1 << 20
_READABLE = 0o644


class Serving(BaseModel):
    """serving.json: special tokens and the precision that was fastest where the model was prepared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bos: int
    eos: int
    pad: int
    precision: str
    texts_per_second: dict[str, float]

    @classmethod
    def read(cls, folder: Path) -> Serving:
        """From the serving folder; raises ValueError or OSError where the file is not what it should be."""
        return cls.model_validate_json((folder / "serving.json").read_bytes())

    def write(self, folder: Path) -> None:
        """Into the serving folder."""
        (folder / "serving.json").write_text(self.model_dump_json(indent=1) + "\n", "utf-8")


def sha256_of(path: Path, advance: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file in hex; `advance(bytes)` follows the reading."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if advance:
                advance(len(chunk))
    return digest.hexdigest()


def write_manifest(folder: Path, card_key: str, advance: Callable[[int], None] | None = None) -> None:
    """Record size and SHA-256 of every file of the folder, and flush all of it to the disk."""
    files = {}
    for path in _files(folder):
        path.chmod(_READABLE)  # some libraries write files that only their owner may read
        with path.open("rb") as file:
            os.fsync(file.fileno())
        files[str(path.relative_to(folder))] = {"bytes": path.stat().st_size, "sha256": sha256_of(path, advance)}
    manifest = folder / MANIFEST
    with manifest.open("w", encoding="utf-8") as file:
        json.dump({"layout": LAYOUT, "card_key": card_key, "files": files}, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    for directory in {path.parent for path in _files(folder)} | {folder}:
        _fsync_directory(directory)


def problems_of(folder: Path, card_key: str, advance: Callable[[int], None] | None = None) -> list[str]:
    """What is wrong with a prepared folder, a sentence each; empty when every file is what the manifest says."""
    path = folder / MANIFEST
    if not path.is_file():
        return [f"{path} is missing: the model is not prepared"]
    try:
        manifest = json.loads(path.read_text("utf-8"))
        layout, key, files = manifest["layout"], manifest["card_key"], dict(manifest["files"])
    except (ValueError, KeyError, TypeError) as error:
        return [f"{path} cannot be read: {error}"]
    if layout != LAYOUT or key != card_key:
        return [f"{path} is for {key}, layout {layout}; expected {card_key}, layout {LAYOUT}"]
    problems = []
    for name, expected in files.items():
        file = folder / name
        if not file.is_file():
            problems.append(f"{file} is missing")
        elif file.stat().st_size != expected["bytes"]:
            problems.append(f"{file} has {file.stat().st_size} bytes, expected {expected['bytes']}")
        elif sha256_of(file, advance) != expected["sha256"]:
            problems.append(f"{file} is not the file that was prepared: its SHA-256 differs")
    found = {str(path.relative_to(folder)) for path in _files(folder)}
    problems += [f"{folder / name} does not belong there" for name in sorted(found - set(files))]
    return problems


def bytes_of(folder: Path) -> int:
    """Bytes of all files of a folder."""
    return sum(path.stat().st_size for path in _files(folder))


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `folder` at the end; on an error nothing has changed.

    Remains of a run that was killed are removed. One process at a time prepares; another one waits.
    """
    workspace = folder.parent / WORKSPACE
    workspace.mkdir(parents=True, exist_ok=True)
    with (workspace / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fresh, old = workspace / folder.name, workspace / f"{folder.name}.old"
        for remains in (fresh, old):
            shutil.rmtree(remains, ignore_errors=True)
        fresh.mkdir()
        try:
            yield fresh
            if not (fresh / MANIFEST).is_file():
                raise ModelDamaged(f"{fresh} was not finished; {folder} is as before. Prepare the model again.")
            _swap(folder, fresh, old)
        finally:
            for remains in (fresh, old):
                shutil.rmtree(remains, ignore_errors=True)


def _swap(folder: Path, fresh: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    _fsync_directory(folder.parent)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)


def _fsync_directory(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

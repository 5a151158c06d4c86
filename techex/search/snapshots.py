"""Collections kept as files between starts: an optimisation for large ones, which take minutes to make.

A file is used only if everything about it is right, and refused with the reason otherwise; then the database is read,
as it is for every smaller collection. Layout, little-endian:

    8 bytes  the mark TECHEXIX
    32 bytes SHA-256 of all that follows
    8 bytes  length of the header
    header   JSON: format, card, centring, analysis, last change, counts, and the place of every block
    blocks   arrays, each starting at a multiple of 64 bytes
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from techex.errors import SnapshotDoesNotFit
from techex.listings.rules import Kind, Visibility
from techex.quantities.compact import FIGURES, VERSION
from techex.search.analysis import ANALYSIS_VERSION
from techex.search.collection import Centring, Collection
from techex.search.dense import ExactIndex, InvertedIndex, VectorIndex
from techex.search.facts import FACTS
from techex.search.names import Names, Vocabulary
from techex.search.partitions import Partition, Tables
from techex.search.postings import Postings
from techex.search.segments import PASSAGES, Segment
from techex.search.stated import Stated

FORMAT = 6
_MARK = b"TECHEXIX"
_PREAMBLE = len(_MARK) + 32
_LENGTH = 8
_ALIGNED = 64
_CHUNK = 1 << 22
_RECORDS = {"facts": FACTS, "passages": PASSAGES, "figures": FIGURES}
_POSTINGS = "postings."

_log = logging.getLogger(__name__)


class SnapshotFolder:
    """The snapshots of one card in one folder, written from `least` passages on."""

    def __init__(self, folder: Path, card_name: str, card_key: str, dimension: int, least: int) -> None:
        self.path = folder / f"{card_name}.index"
        self._card_key, self._dimension, self._least = card_key, dimension, least

    def load(self, centring: Centring) -> Collection | None:
        """The kept collection, or None. Raises SnapshotDoesNotFit with the reason."""
        if not self.path.is_file():
            return None
        return read(self.path, card_key=self._card_key, dimension=self._dimension, centring=centring)

    def save(self, collection: Collection) -> Collection:
        """Keep a collection that is large enough; returns it with its vectors mapped from the file.

        Where the file cannot be written (a full disk), the collection is returned as it is and a warning logged.
        """
        if collection.passage_count < self._least:
            return collection
        try:
            write(self.path, collection)
        except OSError as error:
            _log.warning(
                "The index snapshot %s was not written: %s. The next start reads the database.", self.path, error
            )
            return collection
        return read(
            self.path, card_key=self._card_key, dimension=self._dimension, centring=collection.centring, check=False
        )


def write(path: Path, collection: Collection) -> None:
    """Write a collection: temporary file, fsync, rename. Raises OSError and leaves an older file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays, partitions = _blocks(collection)
    places, offset = [], 0
    for name, array in arrays.items():
        dtype = next((known for known, record in _RECORDS.items() if array.dtype == record), array.dtype.str)
        places.append({"name": name, "dtype": dtype, "shape": array.shape, "offset": offset})
        offset += -(-array.nbytes // _ALIGNED) * _ALIGNED
    header = _header(
        json.dumps(
            {
                "format": FORMAT,
                "card_key": collection.card_key,
                "dimension": collection.tables.dimension,
                "centring": collection.centring.version,
                "analysis": ANALYSIS_VERSION,
                "figures": VERSION,
                "last_change": collection.version,
                "listings": collection.listing_count,
                "passages": collection.passage_count,
                "partitions": partitions,
                "blocks": places,
            }
        ).encode(),
    )
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            digest = hashlib.sha256()
            file.write(bytes(_PREAMBLE))
            for piece in _pieces(header, arrays):
                digest.update(piece)
                file.write(piece)
            file.seek(0)
            file.write(_MARK + digest.digest())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def read(path: Path, *, card_key: str, dimension: int, centring: Centring, check: bool = True) -> Collection:
    """The collection in a file, its exact vectors mapped from there.

    Raises SnapshotDoesNotFit, with the reason, for a damaged file and for one made with another model, other means
    or another analysis of words. `check` False trusts the bytes: for a file that this process has just written.
    """
    try:
        with path.open("rb") as file:
            header, start = _checked_header(path, file, check)
            _refuse_other(path, header, card_key=card_key, dimension=dimension, centring=centring)
            arrays = {place["name"]: _array(path, file, place, start) for place in header["blocks"]}
    except OSError as error:
        raise SnapshotDoesNotFit(f"The index snapshot {path} cannot be read: {error}. The database is read.") from error
    tables = Tables(_names(arrays["labels"]), Vocabulary(arrays["vocabulary"]), dimension)
    partitions = {}
    for number, form in enumerate(header["partitions"]):
        segment = _segment(f"{number}/", form, arrays)
        empty = Segment.build((), dimension, tables.labels, tables.vocabulary)
        key = (Visibility(form["visibility"]), Kind(form["kind"]))
        partitions[key] = Partition(segment, empty, None, tables)
    return Collection(card_key, header["last_change"], centring, tables, partitions)


def _blocks(collection: Collection) -> tuple[dict[str, NDArray[Any]], list[dict[str, Any]]]:
    arrays: dict[str, NDArray[Any]] = {
        "labels": _as_block(collection.tables.labels),
        "vocabulary": collection.tables.vocabulary.hashes(),
    }
    forms = []
    for number, (key, partition) in enumerate(collection.partitions.items()):
        segment = partition.merged().segments[0]
        index = segment.index
        form: dict[str, Any] = {"visibility": key[0].value, "kind": key[1].value, "trained_on": 0}
        arrays |= {f"{number}/facts": segment.facts, f"{number}/passages": segment.passages}
        arrays |= {f"{number}/figures": segment.stated.rows, f"{number}/starts": segment.stated.starts}
        arrays |= {f"{number}/{_POSTINGS}{name}": array for name, array in segment.postings.parts().items()}
        arrays[f"{number}/vectors"] = index.halves()
        if isinstance(index, InvertedIndex):
            arrays[f"{number}/index"] = index.block()
            form["trained_on"] = index.trained_on
        forms.append(form)
    return arrays, forms


def _segment(prefix: str, form: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Segment:
    passages = arrays[prefix + "passages"]
    ids, halves = passages["id"], arrays[prefix + "vectors"]
    index: VectorIndex
    if form["trained_on"]:
        index = InvertedIndex.from_block(ids, halves, arrays[f"{prefix}index"], form["trained_on"])
    else:
        index = ExactIndex.build(ids, halves)
    start = prefix + _POSTINGS
    words = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
    postings = Postings.from_parts(words)
    stated = Stated(arrays[prefix + "figures"], arrays[prefix + "starts"])
    return Segment(arrays[prefix + "facts"], passages, index, postings, stated)


def _checked_header(path: Path, file: BinaryIO, check: bool) -> tuple[dict[str, Any], int]:
    preamble = file.read(_PREAMBLE)
    if len(preamble) < _PREAMBLE or not preamble.startswith(_MARK):
        raise SnapshotDoesNotFit(f"{path} is not an index snapshot, or only its beginning. The database is read.")
    if check:
        digest = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        if digest.digest() != preamble[len(_MARK) :]:
            raise SnapshotDoesNotFit(
                f"The index snapshot {path} is damaged: its SHA-256 differs. The database is read."
            )
        file.seek(_PREAMBLE)
    length = int.from_bytes(file.read(_LENGTH), "little")
    header = json.loads(file.read(length))
    return header, _PREAMBLE + _LENGTH + length


def _refuse_other(path: Path, header: Mapping[str, Any], *, card_key: str, dimension: int, centring: Centring) -> None:
    for what, key, wanted in (
        ("in format", "format", FORMAT),
        ("for the model", "card_key", card_key),
        ("for vectors of dimension", "dimension", dimension),
        ("with the analysis of words", "analysis", ANALYSIS_VERSION),
        ("with the reading of figures", "figures", VERSION),
        ("with the means", "centring", centring.version),
    ):
        if header.get(key) != wanted:
            raise SnapshotDoesNotFit(
                f"The index snapshot {path} was made {what} {header.get(key)}, this exchange needs {wanted}. "
                "The database is read."
            )


def _array(path: Path, file: BinaryIO, place: Mapping[str, Any], start: int) -> NDArray[Any]:
    dtype = _RECORDS.get(place["dtype"]) or np.dtype(place["dtype"])
    shape, offset = tuple(place["shape"]), start + place["offset"]
    if place["name"].endswith("/vectors") and shape[0]:
        return np.memmap(path, dtype, "r", offset, shape)
    file.seek(offset)
    return np.fromfile(file, dtype, int(np.prod(shape))).reshape(shape)


def _pieces(header: bytes, arrays: Mapping[str, NDArray[Any]]) -> Iterator[bytes | memoryview]:
    yield header
    for array in arrays.values():
        block = np.ascontiguousarray(array).view(np.uint8).reshape(-1).data
        for begin in range(0, len(block), _CHUNK):
            yield block[begin : begin + _CHUNK]
        yield bytes(-len(block) % _ALIGNED)


def _header(content: bytes) -> bytes:
    """Its length and the header, padded so that the blocks start aligned."""
    content += b" " * (-(_PREAMBLE + _LENGTH + len(content)) % _ALIGNED)
    return len(content).to_bytes(_LENGTH, "little") + content


def _as_block(names: Names) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(names.all(), ensure_ascii=False).encode(), np.uint8)


def _names(block: NDArray[np.uint8]) -> Names:
    return Names(json.loads(block.tobytes()))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

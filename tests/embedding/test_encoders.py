"""What every encoder promises, and that the two real engines keep it alike."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import threading
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from techex.embedding import encoders
from techex.embedding.cards import ModelCard, load_card
from techex.embedding.encoders import Encoder, HashingEncoder, OpenVINOEncoder, load_encoder
from techex.embedding.golden import cosines, golden_texts
from techex.errors import CardInvalid, ModelDamaged, ModelNotPrepared

NEED = "Cần máy sấy nông sản tiết kiệm điện"


@pytest.fixture(params=["hashing", "openvino", "sentence-transformers"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Each engine in turn; the real ones run the default model."""
    if request.param == "hashing":
        return load_encoder(load_card("hashing"), Path())
    fixture = "serving" if request.param == "openvino" else "reference"
    found: Encoder = request.getfixturevalue(fixture)
    return found


@pytest.mark.model
def test_rows_have_unit_length_and_the_order_of_the_texts(encoder: Encoder) -> None:
    texts = [golden.text for golden in golden_texts()[::5]]
    rows = encoder.encode(texts, "listing")
    assert rows.shape == (10, encoder.dimension)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    alone = np.concatenate([encoder.encode([text], "listing") for text in texts])
    assert cosines(rows, alone).min() > 0.999


@pytest.mark.model
def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.encode([], "listing").shape == (0, encoder.dimension)


@pytest.mark.model
@pytest.mark.parametrize("empty", ["", "   ", "\n\t", "\u3000"])
def test_an_empty_text_gives_a_row_of_zeros(encoder: Encoder, empty: str) -> None:
    rows = encoder.encode([NEED, empty, NEED], "search")
    assert not rows[1].any()
    assert rows[0].any()
    assert np.allclose(rows[0], rows[2], atol=0.01)


@pytest.mark.model
def test_composed_and_decomposed_vietnamese_are_the_same_text(encoder: Encoder) -> None:
    rows = encoder.encode([NEED, unicodedata.normalize("NFD", NEED)], "search")
    assert cosines(rows[:1], rows[1:])[0] > 0.9999


@pytest.mark.model
def test_progress_counts_every_text_once(encoder: Encoder) -> None:
    told: list[tuple[int, int]] = []
    encoder.encode([NEED] * 20 + [""], "listing", lambda done, of: told.append((done, of)))
    assert told[-1] == (21, 21)
    assert told == sorted(told)


@pytest.mark.model
def test_a_very_long_text_is_cut_at_the_longest_input(serving: Encoder, reference: Encoder) -> None:
    long = NEED + " và bảo quản" * 2000
    assert isinstance(serving, OpenVINOEncoder)
    assert len(serving.tokens(long)) == serving.card.longest_input
    rows = [encoder.encode([long], "listing") for encoder in (serving, reference)]
    longer = serving.encode([long + " nấm đông trùng hạ thảo" * 50], "listing")
    assert cosines(rows[0], rows[1])[0] > 0.999
    assert cosines(rows[0], longer)[0] > 0.9999


@pytest.mark.model
def test_the_two_engines_agree_on_every_language(serving: Encoder, reference: Encoder) -> None:
    texts = [golden.text for golden in golden_texts()]
    assert cosines(serving.encode(texts, "search"), reference.encode(texts, "search")).min() > 0.999


@pytest.mark.model
def test_the_same_need_in_two_languages_is_nearer_than_another_need(serving: Encoder) -> None:
    rows = serving.encode(
        [NEED, "An energy-saving dryer for farm produce is wanted", "Software for school timetables"], "search"
    )
    assert rows[0] @ rows[1] > rows[0] @ rows[2]


@pytest.mark.model
def test_threads_that_search_at_once_get_their_own_answers(serving: Encoder) -> None:
    texts = [golden.text for golden in golden_texts()[:8]]
    expected = serving.encode(texts, "search")
    found: dict[int, np.ndarray] = {}

    def search(index: int) -> None:
        for _ in range(5):
            found[index] = serving.encode([texts[index]], "search")[0]

    threads = [threading.Thread(target=search, args=(index,)) for index in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cosines(np.stack([found[index] for index in range(len(texts))]), expected).min() > 0.999


@pytest.mark.model
def test_serving_loads_neither_torch_nor_transformers(card: ModelCard, models_dir: Path) -> None:
    code = (
        "import sys, json; from pathlib import Path\n"
        "from techex.embedding.cards import load_card; from techex.embedding.encoders import load_encoder\n"
        f"load_encoder(load_card({card.name!r}), Path({str(models_dir)!r})).encode(['máy sấy'], 'search')\n"
        "print(json.dumps([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_model_that_is_not_prepared_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelNotPrepared, match="techex models prepare multilingual-e5-small"):
        load_encoder(load_card("multilingual-e5-small"), tmp_path)


def test_weights_prepared_for_another_card_are_refused(tiny_card: ModelCard, tiny_models: Path) -> None:
    other = tiny_card.model_copy(update={"revision": "2"})
    with pytest.raises(ModelDamaged, match=r"was prepared for tiny@.*`techex models prepare tiny`"):
        load_encoder(other, tiny_models)


@pytest.mark.parametrize("name", ["encoder*.xml", "pieces.model", "words.npy", "serving.json"])
def test_a_damaged_file_is_refused_with_the_way_out(
    tiny_card: ModelCard, tiny_models: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(tiny_models, tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "tiny" / "serving").glob(name):
        path.write_bytes(b"")
    with pytest.raises(ModelDamaged, match="techex models prepare tiny"):
        load_encoder(tiny_card, tmp_path)


def test_an_engine_the_model_was_not_prepared_for_is_refused(
    tiny_card: ModelCard, tiny_models: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_models, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "tiny" / "serving")
    with pytest.raises(CardInvalid, match="not prepared for the openvino engine"):
        load_encoder(tiny_card, tmp_path)


def test_a_cpu_without_the_measured_precision_falls_back_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert encoders._precision("bf16", ["FP32", "INT8"]) == "f32"
    assert "no bf16 instructions" in caplog.text
    assert encoders._precision("bf16", ["FP32", "BF16"]) == "bf16"
    assert encoders._precision("f32", ["FP32"]) == "f32"


@given(st.lists(st.integers(0, 600), max_size=80), st.integers(1, 32))
def test_batches_hold_every_text_once_and_bound_their_tokens(lengths: list[int], most: int) -> None:
    batches = list(encoders._batches(lengths, most))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        assert len(batch) == 1 or (len(batch) <= most and len(batch) * longest <= encoders.MOST_TOKENS_A_BATCH)
        assert min(lengths[index] for index in batch) >= encoders.LEAST_SHARE * longest, "little of a batch is padding"


def test_hashing_puts_texts_with_shared_words_first() -> None:
    encoder = HashingEncoder(load_card("hashing"))
    query = encoder.encode(["máy sấy lúa"], "search")[0]
    rows = encoder.encode(["Máy sấy lúa tầng sôi", "máy bơm nước", "waste water", "干燥设备 máy"], "listing")
    assert np.argmax(rows @ query) == 0
    assert rows[0] @ query > 0.7
    assert abs(rows[2] @ query) < 0.3
    assert (encoder.encode(["干燥"], "search")[0] @ encoder.encode(["农产品干燥设备"], "listing")[0]) > 0.3


@given(st.text(max_size=80))
def test_hashing_gives_a_unit_row_or_zeros_for_any_text(text: str) -> None:
    encoder = HashingEncoder(load_card("hashing"))
    row = encoder.encode([text], "listing")[0]
    length = np.linalg.norm(row)
    assert length == pytest.approx(1 if unicodedata.normalize("NFC", text).strip() else 0, abs=1e-5)
    assert np.array_equal(row, encoder.encode([text], "search")[0])

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from techex.embedding.cards import load_card
from techex.embedding.centring import (
    CLASSES,
    ROLES,
    Centring,
    FloatArray,
    Geometry,
    from_bytes,
    geometry_of,
    learn,
    learn_with,
    shipped,
    unit,
)
from techex.errors import CardInvalid

DIMENSION = 16
RANDOM = np.random.default_rng(5)
ACCENT = {language: RANDOM.normal(size=DIMENSION) for language in ("en", "vi", "ko")}


def said_in(language: str, meanings: FloatArray) -> FloatArray:
    """Vectors as a model makes them: what is said, on top of a large part that tells the language only."""
    return unit((meanings + 2 * ACCENT[language]).astype(np.float32))


def geometry() -> Geometry:
    probe = RANDOM.normal(size=(200, DIMENSION)).astype(np.float32)
    english = said_in("en", probe).mean(axis=0)
    shifts = [np.stack([said_in(language, probe).mean(axis=0) - english] * 2) for language in ("en", "vi")]
    return Geometry(("en", "vi"), np.array(shifts, np.float16), np.zeros((0, DIMENSION), np.float16))


def listings(meanings: FloatArray) -> Centring:
    """Eighty texts in Vietnamese and two in English."""
    groups = [
        ("vi", "offer", "long", said_in("vi", meanings[:80])),
        ("en", "offer", "long", said_in("en", meanings[80:82])),
    ]
    return learn_with(geometry(), DIMENSION, groups)


def test_the_same_text_in_two_languages_comes_to_lie_together() -> None:
    meanings = RANDOM.normal(size=(82, DIMENSION)).astype(np.float32)
    centring = listings(meanings)
    vietnamese = centring.apply(said_in("vi", meanings), "vi", "offer", "long")
    english = centring.apply(said_in("en", meanings), "en", "offer", "long")
    nearest = (english @ vietnamese.T).argmax(axis=1)
    raw = (said_in("en", meanings) @ said_in("vi", meanings).T).diagonal().mean()
    assert (nearest == np.arange(82)).mean() > 0.95
    assert (english * vietnamese).sum(axis=1).mean() > raw


def test_a_language_with_two_texts_is_not_centred_on_these_two() -> None:
    meanings = RANDOM.normal(size=(82, DIMENSION)).astype(np.float32)
    two = said_in("en", meanings[80:82])
    centring = listings(meanings)
    assert np.linalg.norm(centring.mean("en", "offer", "long") - two.mean(axis=0)) > 0.05
    # Centred on themselves alone two texts would become opposites, whatever they say.
    first, second = centring.apply(two, "en", "offer", "long")
    assert float(first @ second) > -0.9


def test_a_search_text_in_a_language_nobody_writes_here_is_centred_all_the_same() -> None:
    meanings = RANDOM.normal(size=(82, DIMENSION)).astype(np.float32)
    centring = listings(meanings)
    asked = centring.apply(said_in("ko", meanings[:3]), "ko", "search", "short")
    np.testing.assert_allclose(np.linalg.norm(asked, axis=1), 1, atol=1e-5)


def test_what_was_stored_is_what_was_learned() -> None:
    meanings = RANDOM.normal(size=(82, DIMENSION)).astype(np.float32)
    centring = listings(meanings)
    again = from_bytes(centring.to_bytes())
    assert again.version == centring.version
    vectors = said_in("vi", meanings[:5])
    np.testing.assert_array_equal(
        again.apply(vectors, "vi", "offer", "long"), centring.apply(vectors, "vi", "offer", "long")
    )


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="centring"):
        from_bytes(b"PK\x03\x04 not really")


def test_other_texts_give_another_version() -> None:
    first = listings(RANDOM.normal(size=(82, DIMENSION)).astype(np.float32))
    second = listings(RANDOM.normal(size=(82, DIMENSION)).astype(np.float32))
    assert first.version != second.version


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 20), st.sampled_from(["vi", "en", "ko", "und"]), st.sampled_from([*ROLES, "search"]))
def test_centred_rows_have_length_one_and_empty_ones_stay_empty(count: int, language: str, role: str) -> None:
    vectors = unit(np.random.default_rng(count).normal(size=(count + 1, DIMENSION)).astype(np.float32))
    vectors[-1] = 0
    centring = learn_with(geometry(), DIMENSION, [("vi", "need", "whole", vectors)])
    for length_class in CLASSES:
        lengths = np.linalg.norm(centring.apply(vectors, language, role, length_class), axis=1)
        np.testing.assert_allclose(lengths[:-1], 1, atol=1e-4)
        assert lengths[-1] == 0


def test_the_default_card_comes_with_the_shifts_of_the_languages_of_the_exchange() -> None:
    card = load_card("multilingual-e5-small")
    geometry = geometry_of(card)
    assert {"vi", "en", "id", "nl", "ko", "ja", "zh"} <= set(geometry.languages)
    assert not geometry.shift("en", "long").any()
    assert 0.1 < np.linalg.norm(geometry.shift("vi", "long")) < 0.5
    assert geometry.matrix is not None
    np.testing.assert_allclose(geometry.matrix, geometry.matrix.T, atol=2e-3)
    assert shipped(card).version == learn(card, ()).version


def test_a_card_whose_means_are_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(CardInvalid, match=r"means\.npz"):
        geometry_of(load_card("multilingual-e5-small"), tmp_path)

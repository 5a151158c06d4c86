"""Centring: subtract what all texts of one language and kind share, so that what remains is what a text is about.

Raw vectors of a multilingual model lie first of all by language: in a pool of mixed languages a Vietnamese question
finds Vietnamese texts, whatever they say (nDCG@10 of XQuAD vi -> mixed .57 raw, .88 centred; the demo .29 -> .77). The
mean to subtract has two parts that are learned in different places:

* the *shift* of a language against English: the same everywhere, measured once per model on texts that say the same in
  many languages, and shipped with the card;
* the *topic* of the collection: learned here, from its own texts, each without the shift of its language.

mean(language, role, class) = (n * mean of its n texts + PRIOR * (topic + shift)) / (n + PRIOR), so that a language
with two texts borrows from the others. A search text has no collection of its own: topic + shift, damped. Means
made of other people's queries are worse than none, measured; so none are shipped.

After the subtraction an *alignment* (a fixed symmetric matrix, shipped) shrinks directions in which translations of one
text differ. Centred vectors are unit rows again.
"""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from techex import paths
from techex.embedding.cards import ModelCard
from techex.errors import CardInvalid

FloatArray = NDArray[np.float32]
# (language, role, length class, raw unit rows)
Group = tuple[str, str, str, FloatArray]

ROLES = ("need", "offer")
SEARCH = "search"
SHORT, LONG, WHOLE = "short", "long", "whole"
CLASSES = (SHORT, LONG, WHOLE)

# A language's own mean counts as much as topic + shift when it has this many texts. 0, 5, 20 and 50 change the mean of
# the mixed sets by less than .004; without it a language with one text would be centred on that text.
PRIOR = 10
# A role's topic counts as much as that of both roles together when it has this many texts: needs and offers of one
# exchange speak of the same fields, and a new exchange has few of either.
ROLE_PRIOR = 50
# How much of topic + shift is taken from a search text. A short text says little of the collection's topic
# (cranfield .567 at .5, .570 at .7, .569 at 1; vi -> en .919, .922, .917); a long one is written like a listing (SBIR
# .940 at .7, .946 at 1).
DAMPED: Mapping[str, float] = {SHORT: 0.7, LONG: 1.0, WHOLE: 1.0}

_FORMAT = 1


@dataclass(frozen=True)
class Geometry:
    """What is known of a model's space before any listing: `shifts` (l, 2, d) of languages for short texts and for
    passages, and `alignment` (d, d). Languages that are not in it are taken to lie at the mean of those that are."""

    languages: Sequence[str]
    shifts: NDArray[np.float16]
    alignment: NDArray[np.float16]

    @classmethod
    def none(cls, dimension: int) -> Geometry:
        """For a model of which nothing was measured: no shifts, no alignment."""
        return cls((), np.zeros((0, 2, dimension), np.float16), np.zeros((0, dimension), np.float16))

    def shift(self, language: str, length_class: str) -> FloatArray:
        """(d,) the shift of a language against English."""
        column = 0 if length_class == SHORT else 1
        if language in self._places:
            known: FloatArray = self.shifts[self._places[language], column].astype(np.float32)
            return known
        if not len(self.languages):
            return np.zeros(self.shifts.shape[2], np.float32)
        average: FloatArray = self.shifts[:, column].mean(axis=0, dtype=np.float32)
        return average

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {language: place for place, language in enumerate(self.languages)}

    @cached_property
    def matrix(self) -> FloatArray | None:
        """(d, d) float32; None where nothing is aligned."""
        return self.alignment.astype(np.float32) if len(self.alignment) else None


@dataclass(frozen=True)
class Centring:
    """Means of one collection in one vector space. `topics` (2, 3, d) by role and class; `means` for what was seen."""

    geometry: Geometry
    topics: FloatArray
    means: Mapping[tuple[str, str, str], FloatArray]  # (language, role, class) -> (d,), shrunk

    @cached_property
    def version(self) -> str:
        """Names these numbers: the same means have the same version on every machine."""
        return hashlib.sha256(self.to_bytes()).hexdigest()[:12]

    def apply(self, vectors: FloatArray, language: str, role: str, length_class: str) -> FloatArray:
        """(n, d) raw unit rows of one language, role ("need", "offer", "search") and class ("short", "long", "whole")
        -> (n, d) centred unit rows. A zero row (an empty text) stays zero."""
        centred = np.asarray(vectors, np.float32)
        empty = ~centred.any(axis=1)
        centred = unit(centred - self.mean(language, role, length_class))
        if self.geometry.matrix is not None:
            centred = unit(centred @ self.geometry.matrix)
        centred[empty] = 0
        return centred

    def mean(self, language: str, role: str, length_class: str) -> FloatArray:
        """(d,) what `apply` subtracts."""
        if role == SEARCH:
            whole: FloatArray = self.topics[:, CLASSES.index(WHOLE)].mean(axis=0)
            damped: FloatArray = DAMPED[length_class] * (whole + self.geometry.shift(language, length_class))
            return damped
        if (found := self.means.get((language, role, length_class))) is not None:
            return found
        topic: FloatArray = self.topics[ROLES.index(role), CLASSES.index(length_class)]
        return topic + self.geometry.shift(language, length_class)

    def to_bytes(self) -> bytes:
        """Everything in one piece, the same bytes for the same numbers; `from_bytes` reads it."""
        keys = sorted(self.means)
        dimension = self.topics.shape[2]
        arrays: dict[str, Any] = {
            "format": np.array([_FORMAT]),
            "languages": np.array(self.geometry.languages, dtype=np.str_),
            "shifts": self.geometry.shifts,
            "alignment": self.geometry.alignment,
            "topics": self.topics.astype(np.float16),
            "keys": np.array(["\t".join(key) for key in keys], dtype=np.str_),
            "means": np.array([self.means[key] for key in keys], np.float16).reshape(len(keys), dimension),
        }
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        return stream.getvalue()


def learn(card: ModelCard, groups: Iterable[Group]) -> Centring:
    """The centring of a collection from the raw vectors of all its passages, grouped as they are centred."""
    return learn_with(geometry_of(card), card.dimension, groups)


def learn_with(geometry: Geometry, dimension: int, groups: Iterable[Group]) -> Centring:
    """As `learn`, with a given geometry. Rows that are zero (empty texts) do not count."""
    sums: dict[tuple[str, str, str], NDArray[np.float64]] = defaultdict(lambda: np.zeros(dimension))
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for language, role, length_class, vectors in groups:
        rows = np.asarray(vectors, np.float32)
        rows = rows[rows.any(axis=1)]
        if len(rows):
            sums[language, role, length_class] += rows.sum(axis=0, dtype=np.float64)
            counts[language, role, length_class] += len(rows)
    topics = _topics(geometry, dimension, sums, counts)
    means = {}
    for (language, role, length_class), count in counts.items():
        topic = topics[ROLES.index(role), CLASSES.index(length_class)]
        prior = PRIOR * (topic + geometry.shift(language, length_class))
        means[language, role, length_class] = ((sums[language, role, length_class] + prior) / (count + PRIOR)).astype(
            np.float32
        )
    return _rounded(Centring(geometry, topics, means))


def shipped(card: ModelCard) -> Centring:
    """The centring of a collection that has no vectors yet: shifts and alignment, no topic."""
    return learn(card, ())


def from_bytes(data: bytes) -> Centring:
    """The centring that `to_bytes` wrote. Raises ValueError for anything else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            if stored["format"].tolist() != [_FORMAT]:
                raise ValueError(f"format {stored['format'].tolist()}, expected {[_FORMAT]}")
            geometry = Geometry(tuple(stored["languages"].tolist()), stored["shifts"], stored["alignment"])
            keys = [tuple(key.split("\t")) for key in stored["keys"].tolist()]
            means = {(key[0], key[1], key[2]): mean for key, mean in zip(keys, stored["means"], strict=True)}
            return Centring(
                geometry,
                stored["topics"].astype(np.float32),
                {key: mean.astype(np.float32) for key, mean in means.items()},
            )
    except (KeyError, OSError, EOFError, IndexError, BadZipFile) as error:
        raise ValueError(f"these bytes are no centring: {error}") from None


def geometry_of(card: ModelCard, folder: Path | None = None) -> Geometry:
    """The geometry shipped with a card, none where the card names no file.

    Raises CardInvalid if the file is missing or does not fit the card.
    """
    if card.means is None:
        return Geometry.none(card.dimension)
    path = (folder or paths.cards_dir()) / card.means
    if not path.is_file():
        raise CardInvalid(f"The card {card.name} names {card.means} as its means, and {path} is not there. Restore it.")
    with np.load(path, allow_pickle=False) as stored:
        geometry = Geometry(tuple(stored["languages"].tolist()), stored["shifts"], stored["alignment"])
    expected = (len(geometry.languages), 2, card.dimension)
    if geometry.shifts.shape != expected or geometry.alignment.shape[1:] != (card.dimension,):
        raise CardInvalid(
            f"{path} holds shifts of shape {geometry.shifts.shape}; the card {card.name} needs {expected}. "
            "Measure it again for this card or remove `means` from the card."
        )
    return geometry


def unit(vectors: FloatArray) -> FloatArray:
    """Rows divided by their length; a row without length stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: FloatArray = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled


def _topics(
    geometry: Geometry,
    dimension: int,
    sums: Mapping[tuple[str, str, str], NDArray[np.float64]],
    counts: Mapping[tuple[str, str, str], int],
) -> FloatArray:
    """(2, 3, d): for each role and class the mean of texts without their language's shift.

    Classes that are missing borrow from the whole collection, roles from both together.
    """
    total = np.zeros((len(ROLES), len(CLASSES), dimension))
    number = np.zeros((len(ROLES), len(CLASSES), 1))
    for key, count in counts.items():
        language, role, length_class = key
        at = ROLES.index(role), CLASSES.index(length_class)
        total[at] += sums[key] - count * geometry.shift(language, length_class)
        number[at] += count
    everything = total.sum(axis=(0, 1)) / max(number.sum(), 1)
    by_class = (total.sum(axis=0) + PRIOR * everything) / (number.sum(axis=0) + PRIOR)
    topics: FloatArray = ((total + ROLE_PRIOR * by_class) / (number + ROLE_PRIOR)).astype(np.float32)
    return topics


def _rounded(centring: Centring) -> Centring:
    """With the numbers that `to_bytes` keeps, so that a stored centring is the learned one to the last bit."""
    return Centring(
        centring.geometry,
        centring.topics.astype(np.float16).astype(np.float32),
        {key: mean.astype(np.float16).astype(np.float32) for key, mean in centring.means.items()},
    )

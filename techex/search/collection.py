"""All partitions of one vector space as one object that is exchanged whole: the state of the index at one change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Several
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from techex.embedding.passages import WHOLE_FIELD
from techex.listings.rules import Kind, Visibility
from techex.search.dense import FloatArray
from techex.search.names import Names, Vocabulary
from techex.search.partitions import Partition, Tables
from techex.search.segments import Entry

Key = tuple[Visibility, Kind]
KEYS: tuple[Key, ...] = tuple((visibility, kind) for visibility in Visibility for kind in Kind)

# A vector shorter than this is that of an empty text: it points nowhere and cannot be found by.
SHORTEST_VECTOR = 0.5
# New terms are kept by their names, which is quicker to add to, until there are so many.
TERMS_BY_NAME = 10_000


class Centring(Protocol):
    """Means to subtract, learned from a collection (embedding.centring)."""

    @property
    def version(self) -> str:
        """Names these means: a collection centred with others must be built again."""

    def apply(self, vectors: FloatArray, language: str, role: str, length_class: str) -> FloatArray:
        """(n, d) raw unit rows of one language, role and length class -> (n, d) centred unit rows."""


class Raw:
    """No centring: vectors as the model gives them."""

    version = "raw"

    def apply(self, vectors: FloatArray, language: str, role: str, length_class: str) -> FloatArray:
        """The vectors unchanged."""
        return vectors


@dataclass(frozen=True)
class Item:
    """An entry with raw vectors, and the partition it belongs to."""

    key: Key
    entry: Entry


@dataclass(frozen=True)
class Collection:
    """Partitions by (visibility class, kind). `version` is the number of the last change they contain."""

    card_key: str
    version: int
    centring: Centring
    tables: Tables
    partitions: Mapping[Key, Partition]

    @classmethod
    def build(
        cls, items: Iterable[Item], *, card_key: str, dimension: int, centring: Centring | None = None, version: int = 0
    ) -> Collection:
        """From listings with distinct ids and raw vectors; they are centred here."""
        tables = Tables(Names(), Vocabulary(), dimension)
        centring = centring or Raw()
        by_key: dict[Key, list[Entry]] = defaultdict(list)
        for item in items:
            by_key[item.key].append(centred(item, centring))
        partitions = {key: Partition.build(by_key[key], tables) for key in KEYS}
        tables.vocabulary.settle()
        return cls(card_key, version, centring, tables, partitions)

    def changed(self, removed: Several[int], items: Sequence[Item], version: int) -> Collection:
        """The collection with `items` put in the place of whatever had their ids, and without `removed`.

        A listing that changed its visibility leaves its old partition; an untouched partition stays the same object.
        """
        gone = {*removed, *(item.entry.listing_id for item in items)}
        by_key: dict[Key, list[Entry]] = defaultdict(list)
        for item in items:
            by_key[item.key].append(centred(item, self.centring))
        partitions = {key: partition.changed(gone, by_key[key]) for key, partition in self.partitions.items()}
        if self.tables.vocabulary.recent > TERMS_BY_NAME:
            self.tables.vocabulary.settle()
        return replace(self, partitions=partitions, version=version)

    def with_partition(self, key: Key, partition: Partition) -> Collection:
        """The collection with one partition exchanged for another form of it."""
        return replace(self, partitions={**self.partitions, key: partition})

    def view(self, classes: Several[Visibility], kind: Kind) -> tuple[Partition, ...]:
        """The partitions of a kind that somebody with these visibility classes may search, empty ones left out."""
        chosen = (self.partitions[visibility, kind] for visibility in Visibility if visibility in classes)
        return tuple(partition for partition in chosen if len(partition))

    @property
    def listing_count(self) -> int:
        """How many listings are in it."""
        return sum(len(partition) for partition in self.partitions.values())

    @property
    def passage_count(self) -> int:
        """How many passages with a vector are in it."""
        return sum(partition.passage_count for partition in self.partitions.values())

    @property
    def resident_bytes(self) -> int:
        """Bytes of memory it holds, files mapped into it left out."""
        partitions = sum(partition.resident_bytes for partition in self.partitions.values())
        return self.tables.vocabulary.resident_bytes + partitions


def centring_class(field: str, length_class: str) -> str:
    """The length class by which a passage is centred: the whole text of a listing is a class of its own."""
    return WHOLE_FIELD if field == WHOLE_FIELD else length_class


def centred(item: Item, centring: Centring) -> Entry:
    """The entry with centred vectors and without passages whose vector is empty or damaged."""
    entry = item.entry
    if not len(entry.passages):
        return entry
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(entry.vectors, axis=1)
    usable = np.flatnonzero(np.isfinite(lengths) & (lengths > SHORTEST_VECTOR)).tolist()
    passages = [entry.passages[row] for row in usable]
    vectors = np.ascontiguousarray(entry.vectors[usable], np.float32)
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, passage in enumerate(passages):
        groups[passage.language, centring_class(passage.field, passage.length_class)].append(row)
    for (language, length_class), rows in groups.items():
        vectors[rows] = centring.apply(vectors[rows], language, item.key[1].value, length_class)
    return replace(entry, passages=passages, vectors=vectors)

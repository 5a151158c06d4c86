"""The sample of a partition that its listings are compared with, and listings as rows of vectors and of facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from techex.embedding.passages import WHOLE_FIELD
from techex.quantities.compact import FigureRows
from techex.search.dense import FloatArray, IntArray
from techex.search.partitions import Partition, Passages

# Listings of a sample: the spread of a thousand is known to 2 %.
REFERENCE = 1_000
# Those of them whose figures are looked at: how often a figure is satisfied by chance need not be known better.
REFERENCE_FIGURES = 200


@dataclass(frozen=True)
class Reference:
    """What a partition's queries are compared with: a fixed sample of its listings."""

    ids: IntArray
    languages: NDArray[np.int32]  # (r,) numbers in the labels of the collection
    passages: Passages
    whole: FloatArray  # (r, d)
    spoken: frozenset[str]  # languages of all listings of the partition
    figures: tuple[FigureRows, IntArray, int]  # of some of them: rows, whose they are, how many listings


_references: WeakKeyDictionary[Partition, Reference] = WeakKeyDictionary()


def spoken_in(partitions: Iterable[Partition]) -> frozenset[str]:
    """Languages of all listings of these partitions."""
    return frozenset[str]().union(*(reference_of(partition).spoken for partition in partitions))


def reference_of(partition: Partition) -> Reference:
    """The reference sample of a partition, made at its first use; a partition never changes."""
    found = _references.get(partition)
    if found is None:
        ids = partition.sample(REFERENCE)
        passages = partition.passages(ids)
        some = ids[:: max(1, len(ids) // REFERENCE_FIGURES)]
        found = Reference(
            *(ids, languages_of(partition, ids), passages, whole_vectors(passages)),
            frozenset(partition.languages()),
            (*partition.figures(some), len(some)),
        )
        _references[partition] = found
    return found


def whole_vectors(passages: Passages) -> FloatArray:
    """(m, d) the vector of the whole text of each listing; where there is one passage it is that; zero for none."""
    wholes = np.zeros((len(passages.listing_ids), passages.vectors.shape[1]), np.float32)
    wholes[passages.owners] = passages.vectors  # the last passage of a listing is its whole, or its only one
    is_whole = passages.is_label("field", WHOLE_FIELD)
    wholes[passages.owners[is_whole]] = passages.vectors[is_whole]
    return wholes


def languages_of(partition: Partition, ids: IntArray) -> NDArray[np.int32]:
    """(m,) numbers of the languages of these listings."""
    return facts_of(partition, ids)["language"].astype(np.int32)


def facts_of(partition: Partition, ids: IntArray) -> NDArray[np.void]:
    """(m,) rows of facts."""
    places, rows = partition.fact_rows(ids)
    found = np.zeros(len(ids), rows.dtype)
    found[places] = rows
    return found

"""The words of listings as the keyword index holds them: for each term the listings that say it, and how often.

Rows are kept in blocks of BLOCK, so that two bytes tell a row within its block, and the scores of one block stay in the
processor's cache while its postings are read. Most terms are said once in a listing: those postings are kept apart and
need no count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from techex.search.dense import BoolArray, IntArray
from techex.search.names import Vocabulary

BLOCK = 1 << 16  # rows that two bytes can tell apart
_MOST_REPEATED = np.iinfo(np.uint8).max  # beyond it, repetition has long stopped counting
_LAYERS = ("once", "several")


@dataclass(frozen=True)
class TermCounts:
    """The terms of one listing: numbers (ascending, distinct) and how often each occurs."""

    terms: NDArray[np.int32]
    counts: NDArray[np.uint8]

    @classmethod
    def of(cls, counts: Mapping[str, int], vocabulary: Vocabulary) -> TermCounts:
        """Number the terms, adding new ones to the vocabulary."""
        terms = np.array([vocabulary.add(term) for term in counts], np.int32)
        often = np.minimum(np.fromiter(counts.values(), np.int64, len(counts)), _MOST_REPEATED).astype(np.uint8)
        order = np.argsort(terms)
        return cls(terms[order], often[order])


@dataclass(frozen=True)
class Run:
    """Where the postings of one term in one block stand; `place` is that of the term among those asked for."""

    place: int
    begin: int
    end: int


@dataclass(frozen=True)
class Layer:
    """Postings block by block, within a block by term. `counts` is empty where every one is 1."""

    blocks: IntArray  # (b + 1,) where the terms of each block begin in `terms`
    terms: NDArray[np.int32]  # (t,) ascending within a block
    starts: IntArray  # (t + 1,) where the postings of each begin in `rows`
    rows: NDArray[np.uint16]  # (p,) rows within their block
    counts: NDArray[np.uint8]

    @classmethod
    def joined(cls, blocks: Sequence[Layer]) -> Layer:
        """Layers of one block each as one of many."""
        held = np.cumsum([0, *(len(block.terms) for block in blocks)])
        firsts = np.cumsum([0, *(len(block.rows) for block in blocks)])
        starts = [block.starts[:-1] + first for block, first in zip(blocks, firsts.tolist(), strict=False)]
        return cls(
            held.astype(np.int64),
            np.concatenate([np.empty(0, np.int32), *(block.terms for block in blocks)]),
            np.concatenate([*starts, firsts[-1:]]).astype(np.int64),
            np.concatenate([np.empty(0, np.uint16), *(block.rows for block in blocks)]),
            np.concatenate([np.empty(0, np.uint8), *(block.counts for block in blocks)]),
        )

    def runs(self, block: int, terms: NDArray[np.int32]) -> list[Run]:
        """The runs of those of the terms (m,) that occur in a block."""
        first, last = int(self.blocks[block]), int(self.blocks[block + 1])
        if first == last:
            return []
        at = first + np.minimum(np.searchsorted(self.terms[first:last], terms), last - first - 1)
        places = np.flatnonzero(self.terms[at] == terms)
        at = at[places]
        return list(map(Run, places.tolist(), self.starts[at].tolist(), self.starts[at + 1].tolist()))


class Postings:
    """For each term the rows (listings) that hold it and how often; immutable."""

    def __init__(self, lengths: NDArray[np.float32], once: Layer, several: Layer) -> None:
        self.lengths = lengths  # (n,) terms of each row, repetitions counted
        self.once, self.several = once, several

    @classmethod
    def build(cls, texts: Sequence[TermCounts]) -> Postings:
        """From the terms of rows 0 to n - 1."""
        sizes = [len(text.terms) for text in texts]
        rows = np.repeat(np.arange(len(texts), dtype=np.int32), sizes)
        terms = np.concatenate([text.terms for text in texts]) if texts else np.empty(0, np.int32)
        counts = np.concatenate([text.counts for text in texts]) if texts else np.empty(0, np.uint8)
        lengths = np.array([int(text.counts.sum(dtype=np.int64)) for text in texts], np.float32)
        return cls.of(terms, rows, counts, lengths)

    @classmethod
    def of(
        cls,
        terms: NDArray[np.int32],
        rows: NDArray[np.int32],
        counts: NDArray[np.uint8],
        lengths: NDArray[np.float32],
    ) -> Postings:
        """From (p,) terms, rows and counts in any order, each pair of term and row once."""
        parts = []
        blocks = _blocks(len(lengths))
        for block in range(blocks):
            here = slice(None) if blocks == 1 else rows // BLOCK == block
            parts.append(cls._of_block(terms[here], (rows[here] % BLOCK).astype(np.uint16), counts[here]))
        return cls(lengths, *(Layer.joined([part[layer] for part in parts]) for layer in range(len(_LAYERS))))

    @classmethod
    def joined(cls, some: Sequence[Postings]) -> Postings:
        """The rows of several one after another; all but the last must fill their blocks."""
        lengths = np.concatenate([np.empty(0, np.float32), *(each.lengths for each in some)])
        return cls(lengths, Layer.joined([each.once for each in some]), Layer.joined([each.several for each in some]))

    @classmethod
    def _of_block(
        cls, terms: NDArray[np.int32], rows: NDArray[np.uint16], counts: NDArray[np.uint8]
    ) -> tuple[Layer, Layer]:
        order = np.argsort(terms, kind="stable")  # sorted runs, as in a merge, cost one pass
        terms, rows, counts = terms[order], rows[order], counts[order]
        once = counts == 1
        return _layer(terms[once], rows[once], np.empty(0, np.uint8)), _layer(terms[~once], rows[~once], counts[~once])

    def merged(self, keep: BoolArray, other: Postings, where: IntArray, where_other: IntArray) -> Postings:
        """The rows in `keep` (n,) and all rows of `other` together.

        `where` gives the new row of every old one (without meaning for those not kept), `where_other` of the others.
        """
        terms, rows, counts = self.listed()
        kept = keep[rows]
        their_terms, their_rows, their_counts = other.listed()
        lengths = np.empty(np.count_nonzero(keep) + len(other.lengths), np.float32)
        lengths[where[keep]] = self.lengths[keep]
        lengths[where_other] = other.lengths
        return self.of(
            np.concatenate([terms[kept], their_terms]),
            np.concatenate([where[rows[kept]], where_other[their_rows]]).astype(np.int32),
            np.concatenate([counts[kept], their_counts]),
            lengths,
        )

    def listed(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
        """(p,) term, row and count of every posting."""
        terms, rows, counts = [], [], []
        for layer in (self.once, self.several):
            terms.append(np.repeat(layer.terms, np.diff(layer.starts)))
            sizes = np.diff(layer.starts[layer.blocks])
            firsts = np.arange(len(sizes), dtype=np.int32) * np.int32(BLOCK)
            rows.append(layer.rows + np.repeat(firsts, sizes))
            counts.append(layer.counts if len(layer.counts) else np.ones(len(layer.rows), np.uint8))
        return np.concatenate(terms), np.concatenate(rows), np.concatenate(counts)

    def spans(self) -> Iterator[tuple[int, slice]]:
        """The blocks: number, and the rows it holds."""
        for block in range(len(self.once.blocks) - 1):
            yield block, slice(block * BLOCK, min((block + 1) * BLOCK, len(self.lengths)))

    def parts(self) -> Mapping[str, NDArray[Any]]:
        """What a snapshot keeps, by name."""
        layers = zip(_LAYERS, (self.once, self.several), strict=True)
        found = {f"{name}.{column}": array for name, layer in layers for column, array in vars(layer).items()}
        return {"lengths": self.lengths, **found}

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]]) -> Postings:
        """The postings whose `parts` a snapshot kept."""
        columns = Layer.__dataclass_fields__
        return cls(parts["lengths"], *(Layer(*(parts[f"{name}.{column}"] for column in columns)) for name in _LAYERS))

    @property
    def resident_bytes(self) -> int:
        """Bytes of memory the postings hold."""
        return sum(array.nbytes for array in self.parts().values())


def _layer(terms: NDArray[np.int32], rows: NDArray[np.uint16], counts: NDArray[np.uint8]) -> Layer:
    """One block, from postings in the order of their terms."""
    distinct, starts = np.unique(terms, return_index=True)
    return Layer(np.array([0, len(distinct)]), distinct, np.append(starts, len(terms)), rows, counts)


def _blocks(rows: int) -> int:
    return -(-rows // BLOCK)

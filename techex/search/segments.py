"""A fixed set of listings with everything a search reads: facts, terms, passages and their vectors. Never changed.

Rows of listings are sorted by listing id and rows of passages by passage id, so that the passages of a listing lie
side by side. A passage id is `listing id * PASSAGES_A_LISTING + position`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from techex.quantities.compact import FIGURES, FigureRows
from techex.search.dense import BoolArray, FloatArray, IntArray, VectorIndex, build_index
from techex.search.facts import FACTS, FactRows, Facts, fact_row
from techex.search.names import Names, Vocabulary
from techex.search.postings import Postings, TermCounts
from techex.search.stated import Stated
from techex.search.stretches import stretches

PASSAGES_A_LISTING = 16  # eight passages, the whole text, and room to spare

PASSAGES = np.dtype(
    [
        ("id", np.int64),
        ("digest", np.uint64),  # the first 64 bits of the SHA-256 of its text: tells an old text from a new one
        ("field", np.int16),  # numbers of labels: closed lists, a few hundred names in all
        ("language", np.int16),
        ("length_class", np.int16),
    ]
)
PassageRows = NDArray[np.void]


@dataclass(frozen=True)
class Passage:
    """One embedded piece of a listing: where it stands, what it is; `digest` is the SHA-256 of its text in hex."""

    position: int
    field: str
    language: str
    length_class: str
    digest: str


@dataclass(frozen=True)
class Entry:
    """A listing as the index takes it: facts, terms, and its passages with their vectors, (n, d) unit rows; `figures`
    are those that an offer states or a need asks for.

    Passages whose vector is not there yet are left out; without any the listing is found by its words alone.
    """

    listing_id: int
    facts: Facts
    terms: dict[str, int]
    passages: Sequence[Passage]
    vectors: FloatArray
    figures: FigureRows = field(default_factory=lambda: np.zeros(0, FIGURES))


def passage_rows(listing_id: int, passages: Sequence[Passage], labels: Names) -> PassageRows:
    """Rows of PASSAGES for the passages of one listing. Raises ValueError for a position that has no id."""
    rows = np.zeros(len(passages), PASSAGES)
    for row, passage in zip(rows, passages, strict=True):
        if not 0 <= passage.position < PASSAGES_A_LISTING:
            raise ValueError(
                f"listing {listing_id} has a passage at position {passage.position}; "
                f"expected 0 to {PASSAGES_A_LISTING - 1}"
            )
        row["id"] = listing_id * PASSAGES_A_LISTING + passage.position
        row["digest"] = short_digest(passage.digest)
        row["field"], row["language"] = labels.add(passage.field), labels.add(passage.language)
        row["length_class"] = labels.add(passage.length_class)
    return rows


def short_digest(digest: str) -> int:
    """The first 64 bits of a SHA-256 in hex."""
    return int(digest[:16], 16)


class Segment:
    """Listings (n,), their passages (m,), a vector index over the passages, postings and figures of the listings."""

    def __init__(
        self,
        facts: FactRows,
        passages: PassageRows,
        index: VectorIndex,
        postings: Postings,
        stated: Stated | None = None,
    ) -> None:
        self.facts, self.passages, self.index, self.postings = facts, passages, index, postings
        self.stated = stated or Stated.nothing(len(facts))
        index.ids = passages["id"]  # the same numbers: one copy is enough
        self.ids: IntArray = np.ascontiguousarray(facts["listing"])
        owners = passages["id"] // PASSAGES_A_LISTING
        self.starts: IntArray = np.searchsorted(owners, np.append(self.ids, np.iinfo(np.int64).max))
        self.owners: NDArray[np.int32] = np.repeat(np.arange(len(self.ids), dtype=np.int32), np.diff(self.starts))

    @classmethod
    def build(cls, entries: Sequence[Entry], dimension: int, labels: Names, vocabulary: Vocabulary) -> Segment:
        """From listings with distinct ids, in any order."""
        entries = sorted(entries, key=lambda entry: entry.listing_id)
        facts = [fact_row(entry.listing_id, entry.facts, labels) for entry in entries]
        passages = [passage_rows(entry.listing_id, entry.passages, labels) for entry in entries]
        vectors = [entry.vectors for entry in entries if len(entry.passages)]
        rows = np.concatenate([np.zeros(0, PASSAGES), *passages])
        matrix = np.concatenate(vectors) if vectors else np.empty((0, dimension), np.float32)
        order = np.argsort(rows["id"], kind="stable")
        rows = rows[order]
        return cls(
            np.concatenate([np.zeros(0, FACTS), *facts]),
            rows,
            build_index(rows["id"], matrix[order]),
            Postings.build([TermCounts.of(entry.terms, vocabulary) for entry in entries]),
            Stated.of([entry.figures for entry in entries]),
        )

    def merged(self, keep: BoolArray, other: Segment) -> Segment:
        """The listings in `keep` (n,) and all of `other`, which holds none of them."""
        facts = np.concatenate([self.facts[keep], other.facts])
        order = np.argsort(facts["listing"], kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        kept = int(np.count_nonzero(keep))
        where = np.zeros(len(self.ids), np.int64)
        where[keep] = place[:kept]
        kept_passages = keep[self.owners]
        passages = np.concatenate([self.passages[kept_passages], other.passages])
        passages = passages[np.argsort(passages["id"], kind="stable")]
        every = np.arange(len(other.index), dtype=np.int64)
        index = self.index.changed(kept_passages, other.index.ids, other.index.vectors(every))
        postings = self.postings.merged(keep, other.postings, where, place[kept:])
        return Segment(facts[order], passages, index, postings, self.stated.merged(keep, other.stated, order))

    def rows_of(self, listing_ids: IntArray) -> tuple[IntArray, IntArray]:
        """For those of the ids that are here: their places in `listing_ids`, and their rows."""
        if not len(self.ids):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        at = np.minimum(np.searchsorted(self.ids, listing_ids), len(self.ids) - 1)
        places = np.flatnonzero(self.ids[at] == listing_ids)
        return places, at[places]

    def passages_of(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """Rows of the passages of these listings, listing by listing, and for each the place of its listing."""
        return stretches(self.starts, rows)

    @property
    def resident_bytes(self) -> int:
        """Bytes of memory the segment holds, files mapped into it left out."""
        own = self.facts.nbytes + self.passages.nbytes + self.ids.nbytes + self.starts.nbytes + self.owners.nbytes
        return own + self.index.resident_bytes + self.postings.resident_bytes + self.stated.resident_bytes

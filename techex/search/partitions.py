"""The listings of one visibility class and kind, dense and lexical: a large base and a small recent part.

A partition is never changed; `changed` returns the next one, which shares the base, and `merged` one whose base holds
everything. Statistics (document frequencies, mean length, reference sample) come from the partition alone, so what lies
in another one moves neither order nor score nor count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from techex.quantities.compact import FigureRows
from techex.search.dense import BoolArray, FloatArray, IntArray
from techex.search.facts import FactRows, Facts, Filters, facts_of, mask, rows_at
from techex.search.lexical import LexicalScores, Part, ScoreArray, Terms, score
from techex.search.names import Names, Vocabulary
from techex.search.segments import PASSAGES_A_LISTING, Entry, PassageRows, Segment

# The recent part is rebuilt with every change, so it stays small; beyond this it is merged into the base.
MERGE_AT = 500
# Passages fetched for each listing wanted: several passages of one listing often lead the list together.
PASSAGES_FOR_A_LISTING = 2
# One score in so many tells how great the best ones are; so many times more than needed are looked at to be sure.
SAMPLED = 16
SAMPLE_MARGIN = 3


@dataclass(frozen=True)
class Tables:
    """What the partitions of a collection share: labels of facts, terms, and the dimension of its vectors."""

    labels: Names
    vocabulary: Vocabulary
    dimension: int


@dataclass(frozen=True)
class Selection:
    """Listings of one partition that passed a filter: a boolean for each row of base and recent part."""

    masks: tuple[BoolArray, BoolArray]
    segments: tuple[Segment, Segment]

    @cached_property
    def ids(self) -> IntArray:
        """The ids of these listings, ascending; most searches never ask for them."""
        found = [segment.ids[ok] for segment, ok in zip(self.segments, self.masks, strict=True)]
        return np.sort(np.concatenate(found))

    def __len__(self) -> int:
        return sum(int(np.count_nonzero(ok)) for ok in self.masks)


@dataclass(frozen=True)
class Passages:
    """Passages of m listings: `vectors` (n, d) centred float32; `owners` (n,) is the place of each one's listing.

    `rows` has the columns of segments.PASSAGES; numbers of fields, languages and length classes are explained by
    the labels of the collection.
    """

    listing_ids: IntArray
    owners: IntArray
    vectors: FloatArray
    rows: PassageRows
    labels: Names

    @property
    def positions(self) -> IntArray:
        """(n,) the position of each passage in its listing."""
        return self.rows["id"] % PASSAGES_A_LISTING

    def is_label(self, column: str, label: str) -> BoolArray:
        """(n,) whether a column ("field", "language", "length_class") of a passage says `label`."""
        found: BoolArray = self.rows[column] == self.labels.number(label)
        return found

    def best(self, similarities: NDArray[np.floating]) -> NDArray[np.floating]:
        """(q, m): for (q, n) similarities the greatest of each listing; -inf for one without passages."""
        best = np.full((len(similarities), len(self.listing_ids)), -np.inf, similarities.dtype)
        if len(self.owners):
            firsts = np.flatnonzero(np.diff(self.owners, prepend=-1))
            best[:, self.owners[firsts]] = np.maximum.reduceat(similarities, firsts, axis=1)
        return best


class Keywords:
    """The keyword scores of one query over a partition."""

    def __init__(self, partition: Partition, scores: LexicalScores) -> None:
        self._partition, self._scores = partition, scores
        self.bound = scores.bound  # no listing scores more; 0 when no term occurs here
        self.idf, self.rarest = scores.idf, scores.rarest  # of the terms that occur here, and of any that does not

    def top(self, k: int, allowed: Selection | None = None) -> tuple[IntArray, ScoreArray]:
        """At most k listing ids with a term in common, best first (equal scores by id), and their scores."""
        ids, values = [], []
        for segment, standing, scores in self._parts(allowed):
            scores = scores if standing is None else np.where(standing, scores, 0)
            rows = _greatest(scores, k)
            ids.append(segment.ids[rows])
            values.append(scores[rows])
        found, best = np.concatenate(ids), np.concatenate(values)
        order = np.lexsort((found, -best))[:k]
        return found[order], best[order]

    def of(self, listing_ids: IntArray) -> ScoreArray:
        """(n,) the scores of these listings; 0 for one that shares no term or is not here."""
        found = np.zeros(len(listing_ids), np.float32)
        for segment, standing, scores in self._parts(None):
            places, rows = segment.rows_of(listing_ids)
            if standing is not None:
                places, rows = places[standing[rows]], rows[standing[rows]]
            found[places] = scores[rows]
        return found

    def _parts(self, allowed: Selection | None) -> Iterator[tuple[Segment, BoolArray | None, ScoreArray]]:
        masks = (self._partition.alive, None) if allowed is None else allowed.masks
        return zip(self._partition.segments, masks, self._scores.by_part, strict=True)


class Partition:
    """One visibility class and kind. `alive` marks rows of the base that still stand, None when all do."""

    def __init__(self, base: Segment, recent: Segment, alive: BoolArray | None, tables: Tables) -> None:
        self.segments, self.alive, self.tables = (base, recent), alive, tables

    @classmethod
    def build(cls, entries: Sequence[Entry], tables: Tables) -> Partition:
        """From listings with distinct ids; vectors are taken as they are, that is already centred."""
        return cls(_segment(entries, tables), _segment((), tables), None, tables)

    def changed(self, removed: Collection[int], entries: Sequence[Entry]) -> Partition:
        """The partition without the listings `removed` and with `entries`, which replace those of the same ids."""
        gone = np.array(sorted({*removed, *(entry.listing_id for entry in entries)}), np.int64)
        base, recent = self.segments
        alive = self.alive
        _, rows = base.rows_of(gone)
        if len(rows):
            alive = np.ones(len(base.ids), np.bool_) if alive is None else alive.copy()
            alive[rows] = False
        keep = np.ones(len(recent.ids), np.bool_)
        keep[recent.rows_of(gone)[1]] = False
        if keep.all() and not entries:
            return self if alive is self.alive else Partition(base, recent, alive, self.tables)
        return Partition(base, recent.merged(keep, _segment(entries, self.tables)), alive, self.tables)

    def merged(self) -> Partition:
        """The same listings in one base."""
        base, recent = self.segments
        keep = np.ones(len(base.ids), np.bool_) if self.alive is None else self.alive
        return Partition(base.merged(keep, recent), _segment((), self.tables), None, self.tables)

    @property
    def wants_merging(self) -> bool:
        """True when changes since the last merge slow searches or changes down."""
        base, recent = self.segments
        dead = 0 if self.alive is None else int(np.count_nonzero(~self.alive))
        return len(recent.ids) + dead > max(MERGE_AT, len(base.ids) // 100)

    def allowed(self, filters: Filters) -> Selection | None:
        """The listings that meet all conditions; None when nothing is asked, which is the quickest."""
        if filters.is_empty:
            return None
        base, recent = (mask(segment.facts, filters, self.tables.labels) for segment in self.segments)
        if self.alive is not None:
            base &= self.alive
        return Selection((base, recent), self.segments)

    def dense(self, queries: FloatArray, k: int, allowed: Selection | None = None) -> tuple[IntArray, FloatArray]:
        """Candidates by meaning: listing ids and their best cosine over all passages and all (q, d) queries.

        For each query the k listings whose best passage is nearest, so at most q * k in all; best first.
        """
        fetch = k * PASSAGES_FOR_A_LISTING
        ids, values = [], []
        masks = (self.alive, None) if allowed is None else allowed.masks
        for segment, standing in zip(self.segments, masks, strict=True):
            if not len(segment.index):
                continue
            scores, rows = segment.index.search(
                queries, fetch, None if standing is None else standing.take(segment.owners)
            )
            ids.append(np.where(rows < 0, -1, segment.ids[segment.owners[np.maximum(rows, 0)]]))
            values.append(scores)
        if not ids:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        firsts = [_firsts(*row, k) for row in zip(np.concatenate(ids, 1), np.concatenate(values, 1), strict=True)]
        found, best = (np.concatenate(part) for part in zip(*firsts, strict=True))
        return _firsts(found, best, len(found))

    def keywords(self, terms: Terms) -> Keywords:
        """BM25 scores of `terms` (term -> weight) for every listing."""
        alive = (self.alive, None)
        parts = [Part(segment.postings, standing) for segment, standing in zip(self.segments, alive, strict=True)]
        return Keywords(self, score(parts, terms, self.tables.vocabulary))

    def passages(self, listing_ids: IntArray) -> Passages:
        """The passages of these listings, in their order; ids that are not here have none."""
        listing_ids = np.asarray(listing_ids, np.int64)
        parts: list[tuple[IntArray, FloatArray, PassageRows]] = []
        for segment, standing in zip(self.segments, (self.alive, None), strict=True):
            places, listings = segment.rows_of(listing_ids)
            if standing is not None:
                places, listings = places[standing[listings]], listings[standing[listings]]
            found, owners = segment.passages_of(listings)
            if len(found) or not parts:
                parts.append((places[owners], segment.index.vectors(found), segment.passages[found]))
        if len(parts) == 1:  # the usual case: nothing to weave together
            owners, vectors, rows = parts[0]
        else:
            owners, vectors, rows = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            order = np.argsort(owners, kind="stable")
            owners, vectors, rows = owners[order], vectors[order], rows[order]
        return Passages(listing_ids, owners, vectors, rows, self.tables.labels)

    def figures(self, listing_ids: IntArray) -> tuple[FigureRows, IntArray]:
        """The figures of these listings, in their order, and for each its place in `listing_ids`."""
        found: list[FigureRows] = []
        owned: list[IntArray] = []
        for segment, standing in zip(self.segments, (self.alive, None), strict=True):
            places, rows = segment.rows_of(listing_ids)
            if standing is not None:
                places, rows = places[standing[rows]], rows[standing[rows]]
            figures, owners = segment.stated.of_listings(rows)
            if len(figures) or not found:
                found.append(figures)
                owned.append(places[owners])
        if len(found) == 1:
            return found[0], owned[0]
        owners = np.concatenate(owned)
        order = np.argsort(owners, kind="stable")
        return np.concatenate(found)[order], owners[order]

    def sample(self, size: int, seed: int = 0) -> IntArray:
        """At most `size` listing ids with vectors, ascending: the same while the partition is, and nearly so after.

        Ids are taken in the order of a hash, so a change of one listing changes at most one place of the sample.
        """
        ids = self.ids_with_vectors()
        if len(ids) > size:
            ids = ids[np.argpartition(_mixed(ids, seed), size)[:size]]
        return np.sort(ids)

    def ids(self) -> IntArray:
        """Ids of all listings, ascending."""
        return np.sort(np.concatenate([segment.ids[rows] for segment, rows in self.standing()]))

    def ids_with_vectors(self) -> IntArray:
        """Ids of the listings that have at least one vector, ascending."""
        found = [segment.ids[rows & (np.diff(segment.starts) > 0)] for segment, rows in self.standing()]
        return np.sort(np.concatenate(found))

    def languages(self) -> dict[str, int]:
        """How many listings there are in each language."""
        columns = [segment.facts["language"][standing] for segment, standing in self.standing()]
        numbers, counts = np.unique(np.concatenate(columns), return_counts=True)
        return {self.tables.labels.name(n): c for n, c in zip(numbers.tolist(), counts.tolist(), strict=True)}

    def fact_rows(self, listing_ids: IntArray) -> tuple[IntArray, FactRows]:
        """For those of the ids that are here: their places in `listing_ids`, and their facts (n,)."""
        places: list[IntArray] = []
        found: list[FactRows] = []
        for segment, standing in zip(self.segments, (self.alive, None), strict=True):
            here, rows = segment.rows_of(listing_ids)
            if standing is not None:
                here, rows = here[standing[rows]], rows[standing[rows]]
            if len(here) or not places:
                places.append(here)
                found.append(rows_at(segment.facts, rows))
        if len(places) == 1:  # the usual case; columns of facts take a third of a millisecond to join
            return places[0], found[0]
        return np.concatenate(places), np.concatenate(found)

    def facts(self, listing_id: int) -> Facts | None:
        """The facts of one listing; None if it is not here."""
        _, rows = self.fact_rows(np.array([listing_id], np.int64))
        return facts_of(rows[0], self.tables.labels) if len(rows) else None

    def digests(self) -> dict[int, int]:
        """Passage id -> short digest of its text, for comparing with the database."""
        found: dict[int, int] = {}
        for segment, standing in self.standing():
            rows = segment.passages[standing[segment.owners]]
            found.update(zip(rows["id"].tolist(), rows["digest"].tolist(), strict=True))
        return found

    @property
    def passage_count(self) -> int:
        """How many passages have a vector here."""
        return sum(int(np.count_nonzero(standing[segment.owners])) for segment, standing in self.standing())

    @property
    def resident_bytes(self) -> int:
        """Bytes of memory both parts hold."""
        return sum(segment.resident_bytes for segment in self.segments)

    def standing(self) -> Iterator[tuple[Segment, BoolArray]]:
        """Base and recent part, each with the rows of it that stand."""
        for segment, standing in zip(self.segments, (self.alive, None), strict=True):
            yield segment, np.ones(len(segment.ids), np.bool_) if standing is None else standing

    def __len__(self) -> int:
        return sum(int(np.count_nonzero(standing)) for _, standing in self.standing())


def _segment(entries: Sequence[Entry], tables: Tables) -> Segment:
    return Segment.build(entries, tables.dimension, tables.labels, tables.vocabulary)


def _greatest(scores: ScoreArray, k: int) -> IntArray:
    """Rows of the k greatest scores above 0, and of those equal to the last of them, ascending.

    A sample says which scores are certainly too small, so that few of a large partition have to be put in order.
    """
    sample = scores[::SAMPLED]
    above = SAMPLE_MARGIN * (k // SAMPLED + 1)
    least = np.partition(sample, len(sample) - above)[len(sample) - above] if len(sample) > above else 0
    rows = np.flatnonzero(scores >= least) if least > 0 else np.flatnonzero(scores)
    if len(rows) < k:  # the sample was not like the rest
        rows = np.flatnonzero(scores)
    if len(rows) <= k:
        return rows
    values = scores[rows]
    greatest: IntArray = rows[values >= np.partition(values, len(rows) - k)[len(rows) - k]]
    return greatest


def _firsts(ids: IntArray, scores: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """Each id once with its best score, best first, at most k; id -1 is nobody."""
    order = np.lexsort((ids, -scores))
    order = order[ids[order] >= 0]
    ids, scores = ids[order], scores[order]
    _, first = np.unique(ids, return_index=True)
    first = np.sort(first)[:k]
    return ids[first], scores[first]


def _mixed(ids: IntArray, seed: int) -> NDArray[np.uint64]:
    """A number for each id that looks random (the finalizer of SplitMix64)."""
    mixed = ids.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))

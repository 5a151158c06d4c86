"""Vector indexes: exact for collections of ordinary size, inverted lists with 4-bit codes for large ones.

The only door to faiss, which is imported inside functions. An index is never changed once built: `changed` returns
another one, so readers need no lock. Passages are rows; the row of a passage is the place of its id in `ids`, and a
filter is a boolean for each row, applied before ranking.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
HalfArray = NDArray[np.float16]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Up to here a scan over float16 rows answers one query in about 5 ms on one thread; beyond it inverted lists pay.
EXACT_UP_TO = 50_000
# Lists: about 1.6 times the square root of the rows. Twice as many gave no better recall at the same number of rows
# read, and training time grows with the square.
LISTS_PER_ROOT = 1.6
TRAINING_PER_LIST = 64  # rows a list for k-means; 39 is the least faiss accepts without a warning
TRAINING_ROUNDS = 10  # more changed recall by less than 0.002
# Rows that an unfiltered query reads, as a multiple of the square root of all: some thirty lists, however many there
# are. A filtered one reads as many allowed rows. Recall@10 is 1.000 under filters of 100 to 0.1 % among 400,000 rows
# (at half of it .988 under 3 %, and a third quicker) and among 4,000,000 (at half of it, too).
READ_PER_ROOT = 20
READ_LEAST = 8_000  # and no fewer than so many rows: cheap, and small collections have few lists to miss
# Under a filter that lets no more rows through, they are compared one by one: quicker than visiting every list, which
# takes as long as there are rows to ask whether they pass.
COMPARED_UP_TO = 2_000
COMPARED_SHARE = 1 / 200
# Candidates re-ranked with float16 rows, as a multiple of those asked for: 4-bit codes swap only close neighbours.
RERANK = 1.5
RERANK_LEAST = 100  # and no fewer: hardly any time, and the ten nearest of a crowd are not lost
RETRAIN_AT = 2.0  # train again when a collection has grown by this factor: lists drift with what they hold
_BLOCK = 65_536  # rows decoded to float32 at a time
_NOWHERE = -1


class VectorIndex(Protocol):
    """What partitions ask of an index; vectors never leave the server through it."""

    ids: IntArray  # (n,) of the passages, ascending and distinct

    def search(self, queries: FloatArray, k: int, allowed: BoolArray | None = None) -> tuple[FloatArray, IntArray]:
        """For (q, d) unit queries the (q, k) best scores (cosines, falling) and rows, -1 where there are fewer.

        `allowed` is (n,): rows that may be found at all.
        """

    def vectors(self, rows: IntArray) -> FloatArray:
        """(m, d) vectors of these rows, as exact as they are stored (float16)."""

    def changed(self, keep: BoolArray, ids: IntArray, vectors: FloatArray) -> VectorIndex:
        """An index of the rows in `keep` (n,) and of new `vectors` (m, d) with `ids` (m,), none of them kept."""

    def halves(self) -> HalfArray:
        """All rows as stored, (n, d), not to be written to."""

    @property
    def resident_bytes(self) -> int:
        """Bytes of memory the index holds, files mapped into it left out."""

    def __len__(self) -> int: ...


def build_index(ids: IntArray, vectors: FloatArray | HalfArray) -> VectorIndex:
    """The index that suits the number of rows: (n,) distinct ids and (n, d) unit rows, in any order."""
    kind = ExactIndex if len(ids) <= EXACT_UP_TO else InvertedIndex
    return kind.build(ids, vectors)


def _ascending(ids: IntArray, vectors: FloatArray | HalfArray) -> tuple[IntArray, HalfArray]:
    ids = np.asarray(ids, np.int64)
    if vectors.ndim != 2 or len(ids) != len(vectors):
        raise ValueError(f"{len(ids)} ids do not fit vectors of shape {vectors.shape}; expected one row an id")
    halves = vectors.astype(np.float16, copy=False)
    if len(ids) > 1 and not (ids[1:] > ids[:-1]).all():
        order = np.argsort(ids, kind="stable")
        ids, halves = ids[order], halves[order]
        if (ids[1:] == ids[:-1]).any():
            raise ValueError("an id occurs twice; faiss would return it twice")
    # faiss accepts NaN and then never finds the row, so its count would lie.
    if not np.isfinite(halves).all():
        raise ValueError("a vector holds a number that is not finite")
    return ids, np.ascontiguousarray(halves)


def _selector(allowed: BoolArray) -> tuple[Any, NDArray[np.uint8]]:
    """A faiss selector of rows, and the bits it reads, which must outlive it."""
    import faiss

    bits = np.packbits(allowed, bitorder="little")
    return faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits)), bits


def _padded(scores: FloatArray, rows: IntArray, k: int) -> tuple[FloatArray, IntArray]:
    missing = k - rows.shape[1]
    if missing > 0:
        scores = np.pad(scores, ((0, 0), (0, missing)), constant_values=-np.inf)
        rows = np.pad(rows, ((0, 0), (0, missing)), constant_values=_NOWHERE)
    scores[rows < 0] = -np.inf
    return scores, rows


class _Codes:
    """The float16 rows inside a faiss index, as numpy sees arrays; whoever holds the array holds the index."""

    def __init__(self, index: Any, shape: tuple[int, ...]) -> None:
        import faiss

        start = faiss.rev_swig_ptr(index.codes.data(), index.codes.size()).ctypes.data
        self.__array_interface__ = {"data": (start, True), "shape": shape, "typestr": "<f2", "version": 3}
        self._index = index


class ExactIndex:
    """Every allowed row is compared; rows are float16 (2 bytes a number), scores are exact for what is stored."""

    def __init__(self, ids: IntArray, halves: HalfArray) -> None:
        import faiss

        self.ids, self._halves = ids, halves
        self._faiss = faiss.IndexScalarQuantizer(
            max(halves.shape[1], 1), faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        for start in range(0, len(ids), _BLOCK):
            self._faiss.add(halves[start : start + _BLOCK].astype(np.float32))
        if len(ids):
            # faiss holds the same float16 numbers: read them there instead of keeping them twice.
            self._halves = np.asarray(_Codes(self._faiss, halves.shape))

    @classmethod
    def build(cls, ids: IntArray, vectors: FloatArray | HalfArray) -> ExactIndex:
        """From (n,) distinct ids and (n, d) unit rows in any order."""
        return cls(*_ascending(ids, vectors))

    def search(self, queries: FloatArray, k: int, allowed: BoolArray | None = None) -> tuple[FloatArray, IntArray]:
        """As VectorIndex.search."""
        import faiss

        most = min(k, len(self.ids))
        if most == 0:
            empty = np.empty((len(queries), 0))
            return _padded(empty.astype(np.float32), empty.astype(np.int64), k)
        parameters = None
        if allowed is not None:
            selector, _bits = _selector(allowed)
            parameters = faiss.SearchParameters()
            parameters.sel = selector
        scores, rows = self._faiss.search(np.ascontiguousarray(queries, np.float32), most, params=parameters)
        return _padded(scores, rows, k)

    def vectors(self, rows: IntArray) -> FloatArray:
        """As VectorIndex.vectors."""
        return self._halves[rows].astype(np.float32)

    def changed(self, keep: BoolArray, ids: IntArray, vectors: FloatArray) -> VectorIndex:
        """As VectorIndex.changed; an index that outgrows exact search becomes an inverted one."""
        halves = vectors.astype(np.float16, copy=False)
        return build_index(np.concatenate([self.ids[keep], ids]), np.concatenate([self._halves[keep], halves]))

    def halves(self) -> HalfArray:
        """As VectorIndex.halves."""
        return self._halves

    @property
    def resident_bytes(self) -> int:
        """As VectorIndex.resident_bytes."""
        return _own_bytes(self.ids) + self._halves.nbytes

    def __len__(self) -> int:
        return len(self.ids)


class InvertedIndex:
    """Inverted lists over 4-bit codes find candidates; their float16 rows put them in exact order.

    A query reads some of the rows. Under a filter it reads correspondingly more lists, and few allowed rows are
    compared one by one, so that a narrow filter is searched exactly: graphs and a fixed number of lists lose most of
    the right answers there.
    """

    def __init__(self, ids: IntArray, halves: HalfArray, inverted: Any, trained_on: int) -> None:
        self.ids, self._halves, self._faiss, self.trained_on = ids, halves, inverted, trained_on

    @classmethod
    def build(cls, ids: IntArray, vectors: FloatArray | HalfArray) -> InvertedIndex:
        """From (n,) distinct ids and (n, d) unit rows in any order: trains the lists and fills them."""
        ids, halves = _ascending(ids, vectors)
        empty = _trained(halves)
        return cls._filled(ids, halves, empty, _assigned(empty, halves), len(ids))

    @classmethod
    def _filled(
        cls, ids: IntArray, halves: HalfArray, empty: Any, cells: NDArray[np.int32], trained_on: int
    ) -> InvertedIndex:
        import faiss

        # List by list, each with all its rows at once: what grows row by row holds up to twice the memory it needs.
        order = np.argsort(cells, kind="stable")
        ends = np.cumsum(np.bincount(cells, minlength=empty.nlist))
        for number, rows in enumerate(np.split(order, ends[:-1])):
            if len(rows):
                codes = empty.sq.compute_codes(halves[rows].astype(np.float32))
                empty.invlists.add_entries(number, len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(codes))
        empty.ntotal = len(ids)
        return cls(ids, halves, empty, trained_on)

    def search(self, queries: FloatArray, k: int, allowed: BoolArray | None = None) -> tuple[FloatArray, IntArray]:
        """As VectorIndex.search; scores are those of the float16 rows."""
        import faiss

        queries = np.ascontiguousarray(queries, np.float32)
        lists, read = self._faiss.nlist, max(READ_LEAST, round(READ_PER_ROOT * len(self) ** 0.5))
        parameters = faiss.SearchParametersIVF()
        parameters.nprobe = _lists_for(read, len(self), lists)
        if allowed is not None:
            few = int(np.count_nonzero(allowed))
            if few <= max(COMPARED_UP_TO, round(len(self) * COMPARED_SHARE)):
                return self._compared(queries, np.flatnonzero(allowed), k)
            parameters.nprobe = _lists_for(read, few, lists)
            selector, _bits = _selector(allowed)
            parameters.sel = selector
        wanted = min(max(RERANK_LEAST, round(k * RERANK)), len(self))
        _, found = self._faiss.search(queries, wanted, params=parameters)
        return self._ranked(queries, found, k)

    def _compared(self, queries: FloatArray, rows: IntArray, k: int) -> tuple[FloatArray, IntArray]:
        scores = queries @ self.vectors(rows).T
        if len(rows) > k:  # most of them are none of the best, and need not be put in order
            least = np.partition(scores, len(rows) - k, axis=1)[:, len(rows) - k]
            some = (scores >= least[:, None]).any(axis=0)
            rows, scores = rows[some], scores[:, some]
        return self._ordered(np.tile(rows, (len(queries), 1)), scores, k)

    def _ranked(self, queries: FloatArray, found: IntArray, k: int) -> tuple[FloatArray, IntArray]:
        if len(queries) == 1:  # no row is found twice: what follows shares them between queries
            scores = (self.vectors(np.maximum(found[0], 0)) @ queries[0])[None]
            return self._ordered(found, scores, k)
        distinct, where = np.unique(found, return_inverse=True)
        exact = self.vectors(np.maximum(distinct, 0)) @ queries.T  # one gather for all queries; row -1 is masked below
        return self._ordered(found, np.take_along_axis(exact.T, where.reshape(found.shape), axis=1), k)

    @staticmethod
    def _ordered(found: IntArray, scores: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        scores[found < 0] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return _padded(np.take_along_axis(scores, order, 1), np.take_along_axis(found, order, 1), k)

    def vectors(self, rows: IntArray) -> FloatArray:
        """As VectorIndex.vectors."""
        return self._halves[rows].astype(np.float32)

    def changed(self, keep: BoolArray, ids: IntArray, vectors: FloatArray) -> VectorIndex:
        """As VectorIndex.changed; only new rows are assigned to lists, unless so many came that it trains again."""
        halves = vectors.astype(np.float16, copy=False)
        all_ids = np.concatenate([self.ids[keep], ids])
        all_halves = np.concatenate([self._halves[keep], halves])
        if not EXACT_UP_TO < len(all_ids) < RETRAIN_AT * self.trained_on:
            return build_index(all_ids, all_halves)
        cells = np.concatenate([_cells(self._faiss, len(self))[keep], _assigned(self._faiss, halves)])
        order = np.argsort(all_ids, kind="stable")
        ids, halves = _ascending(all_ids[order], all_halves[order])
        return self._filled(ids, halves, _emptied(self._faiss), cells[order], self.trained_on)

    def halves(self) -> HalfArray:
        """As VectorIndex.halves."""
        return self._halves

    def block(self) -> NDArray[np.uint8]:
        """What a snapshot keeps beside ids and rows."""
        import faiss

        kept: NDArray[np.uint8] = faiss.serialize_index(self._faiss)
        return kept

    @classmethod
    def from_block(cls, ids: IntArray, halves: HalfArray, block: NDArray[np.uint8], trained_on: int) -> InvertedIndex:
        """The index whose `block` a snapshot kept; `halves` may be a file mapped into memory."""
        import faiss

        return cls(ids, halves, faiss.deserialize_index(block), trained_on)

    @property
    def resident_bytes(self) -> int:
        """As VectorIndex.resident_bytes."""
        codes = len(self) * (self._faiss.code_size + 8) + self._faiss.nlist * self._faiss.d * 4
        rows = 0 if isinstance(self._halves, np.memmap) else self._halves.nbytes
        return int(_own_bytes(self.ids) + codes + rows)

    def __len__(self) -> int:
        return len(self.ids)


def _trained(halves: HalfArray) -> Any:
    """An empty inverted index whose lists and codes are trained on a fixed sample of the rows."""
    import faiss

    n, dimension = halves.shape
    lists = max(1, min(round(LISTS_PER_ROOT * n**0.5), n // 39))
    quantizer = faiss.IndexFlatIP(dimension)
    inverted = faiss.IndexIVFScalarQuantizer(
        quantizer, dimension, lists, faiss.ScalarQuantizer.QT_4bit, faiss.METRIC_INNER_PRODUCT, False
    )
    inverted.cp.niter = TRAINING_ROUNDS
    inverted.cp.max_points_per_centroid = TRAINING_PER_LIST
    inverted.cp.spherical = True
    inverted.cp.min_points_per_centroid = 1  # a few rows are enough for one list; faiss would warn on its own console
    take = min(n, lists * TRAINING_PER_LIST)
    sample = np.sort(np.random.default_rng(0).choice(n, take, replace=False))
    inverted.train(halves[sample].astype(np.float32))
    return inverted


def _lists_for(read: int, rows: int, lists: int) -> int:
    """How many of the lists to visit so that about `read` of `rows` are read, if these lie evenly in them."""
    return lists if rows <= read else max(1, round(lists * read / rows))


def _emptied(inverted: Any) -> Any:
    """A copy of the trained parts of an index, without its rows."""
    import faiss

    copy = faiss.IndexIVFScalarQuantizer(
        faiss.clone_index(inverted.quantizer),
        inverted.d,
        inverted.nlist,
        faiss.ScalarQuantizer.QT_4bit,
        faiss.METRIC_INNER_PRODUCT,
        False,
    )
    copy.sq = inverted.sq
    copy.is_trained = True
    return copy


def _assigned(inverted: Any, halves: HalfArray) -> NDArray[np.int32]:
    """(n,) the list of each row."""
    cells = np.empty(len(halves), np.int32)
    for start in range(0, len(halves), _BLOCK):
        block = np.ascontiguousarray(halves[start : start + _BLOCK], np.float32)
        cells[start : start + _BLOCK] = inverted.quantizer.search(block, 1)[1][:, 0]
    return cells


def _cells(inverted: Any, rows: int) -> NDArray[np.int32]:
    """(n,) the list of each row, as the index has them."""
    import faiss

    cells = np.empty(rows, np.int32)
    for number in range(inverted.nlist):
        size = inverted.invlists.list_size(number)
        if size:
            cells[faiss.rev_swig_ptr(inverted.invlists.get_ids(number), size)] = number
    return cells


def _own_bytes(array: NDArray[Any]) -> int:
    """Bytes of an array; none for a column of a table that is counted where it belongs."""
    return array.nbytes if array.flags.c_contiguous else 0

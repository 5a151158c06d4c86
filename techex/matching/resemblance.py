"""How alike listings of one kind are by their vectors, read from the index: what duplicates are looked for with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from techex.embedding.passages import WHOLE_FIELD
from techex.listings.rules import Kind, Visibility
from techex.matching.duplicates import ALIKE_ACROSS, ALIKE_ONE_LANGUAGE, Alike, Null
from techex.search.collection import Collection
from techex.search.dense import BoolArray, FloatArray, IntArray

# Random pairs are taken from so many listings of a partition: 125,000 pairs, of which each language pair has some.
SAMPLE = 500
# A listing's twin is among its nearest: in one language always the first (28 of 28 retold ones), across languages
# among the first five (30 of 30).
NEIGHBOURS = 20
# Title and summary are the first passage of every listing.
_HEAD = 0


class Resemblance:
    """The vectors of one kind of listings, of every visibility class: people are shown only what they may see of it."""

    def __init__(self, collection: Collection, kind: Kind) -> None:
        self._partitions = collection.view(frozenset(Visibility), kind)
        self._dimension = collection.tables.dimension
        samples = [partition.sample(SAMPLE) for partition in self._partitions]
        ids = np.concatenate([*samples, np.empty(0, np.int64)])
        whole, _, known, languages = self._vectors(ids)
        self._null = Null.of(whole[known], [language for language, ok in zip(languages, known, strict=True) if ok])

    @property
    def is_known(self) -> bool:
        """False where too few listings have vectors to say what is alike."""
        return self._null is not None

    def neighbours(self, ids: IntArray) -> Iterator[tuple[int, int]]:
        """Pairs of a listing of `ids` and another one that is alike enough to be its twin in other words."""
        if self._null is None:
            return
        whole, _, known, languages = self._vectors(ids)
        for place in np.flatnonzero(known).tolist():
            near = [partition.dense(whole[place][None], NEIGHBOURS)[0] for partition in self._partitions]
            found = np.concatenate(near)
            found = found[found != ids[place]]
            theirs, _, there, other_languages = self._vectors(found)
            for other, cosine, ok, language in zip(
                found.tolist(), (theirs @ whole[place]).tolist(), there.tolist(), other_languages, strict=True
            ):
                least = ALIKE_ONE_LANGUAGE if language == languages[place] else ALIKE_ACROSS
                if ok and self._null.above(cosine, languages[place], language) >= least:
                    yield int(ids[place]), other

    def of(self, pairs: Sequence[tuple[int, int]]) -> list[Alike | None]:
        """How alike the listings of each pair are; None where one of them has no vectors."""
        if self._null is None or not pairs:
            return [None] * len(pairs)
        ids, places = np.unique(np.array(pairs, np.int64), return_inverse=True)
        whole, head, known, languages = self._vectors(ids)
        found: list[Alike | None] = []
        for one, other in places.reshape(-1, 2).tolist():
            if known[one] and known[other]:
                above = self._null.above(float(whole[one] @ whole[other]), languages[one], languages[other])
                found.append(Alike(above, float(head[one] @ head[other])))
            else:
                found.append(None)
        return found

    def _vectors(self, ids: IntArray) -> tuple[FloatArray, FloatArray, BoolArray, list[str]]:
        """(n, d) vectors of whole texts and of title with summary, (n,) whether they are known, and languages."""
        whole = np.zeros((len(ids), self._dimension), np.float32)
        head = np.zeros_like(whole)
        known = np.zeros(len(ids), np.bool_)
        languages = [""] * len(ids)
        for partition in self._partitions:
            passages = partition.passages(ids)
            first = passages.positions == _HEAD
            last = passages.is_label("field", WHOLE_FIELD)
            # A text of one passage has no vector of the whole beside it.
            whole[passages.owners[first]] = head[passages.owners[first]] = passages.vectors[first]
            whole[passages.owners[last]] = passages.vectors[last]
            known[passages.owners[first]] = True
            for owner, language in zip(passages.owners[first], passages.rows["language"][first], strict=True):
                languages[owner] = passages.labels.name(int(language))
        return whole, head, known, languages

"""Match quality on judged sets, by the same code that serves the pages: passages, centring, ranking. No database.

Every query is ranked on its own, as a visitor's text is: nothing is learned from the queries, only from the documents.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from techex.embedding import centring
from techex.embedding.encoders import Encoder
from techex.embedding.languages import detect
from techex.embedding.passages import passages_of_text
from techex.listings.rules import Kind, Visibility
from techex.matching import metrics, ranking
from techex.matching.asked import text_query
from techex.matching.candidates import Query
from techex.matching.judged import Document, JudgedSet
from techex.matching.scoring import ALL_PARTS, Parts
from techex.quantities import compact
from techex.search.analysis import listing_terms
from techex.search.collection import Centring, Collection, Item, Raw, centring_class
from techex.search.facts import Facts
from techex.search.partitions import Partition
from techex.search.segments import Entry
from techex.search.segments import Passage as IndexedPassage

Progress = Callable[[int, int], None]

FIGURES = ("ndcg@10", "mrr@10", "recall@10", "recall@100")
# Name of a part -> the score without it. Centring is not here: it needs another index.
WITHOUT: Mapping[str, Parts] = {
    "language spread": replace(ALL_PARTS, spread=False),
    "whole text": replace(ALL_PARTS, whole=False),
    "passages": replace(ALL_PARTS, passages=False),
    "keywords": replace(ALL_PARTS, lexical=False),
    "keyword noise by language": replace(ALL_PARTS, noise=False),
    "feedback": replace(ALL_PARTS, feedback=False),
    "neighbours": replace(ALL_PARTS, neighbours=False),
    "figures": replace(ALL_PARTS, figures=False),
}
CENTRING = "centring"


@dataclass(frozen=True)
class Evaluation:
    """What was measured; `figures` by name from FIGURES, `ablation` by the part left out."""

    figures: Mapping[str, float]
    documents: int
    queries: int
    seconds: float
    documents_per_second: float  # embedded and indexed
    query_milliseconds: float  # median of embedding and ranking one query
    card: str
    ablation: Mapping[str, Mapping[str, float]]


def evaluate(
    judged: JudgedSet, encoder: Encoder, *, ablate: bool = False, progress: Progress | None = None
) -> Evaluation:
    """Index the documents, rank them for every query and compare with the judgments."""
    began = time.perf_counter()
    indexed = Indexed.of(judged.documents, encoder, progress)
    ready = time.perf_counter()
    queries = judged.judged_queries
    partition = indexed.partition(indexed.learned(encoder))
    asked, lists, durations = [], [], []
    for query in queries:
        start = time.perf_counter()
        asked.append(text_query(query.text, encoder))
        lists.append(indexed.ranked(partition, asked[-1].centred(indexed.centring)))
        durations.append(time.perf_counter() - start)
    figures = _figures(judged, queries, lists)
    seconds = time.perf_counter() - began
    ablation: dict[str, Mapping[str, float]] = {}
    if ablate:
        raw = indexed.partition(Raw())
        ablation[CENTRING] = _figures(judged, queries, [indexed.ranked(raw, each.centred(Raw())) for each in asked])
        for name, parts in WITHOUT.items():
            found = [indexed.ranked(partition, each.centred(indexed.centring), parts) for each in asked]
            ablation[name] = _figures(judged, queries, found)
    return Evaluation(
        figures,
        len(judged.documents),
        len(queries),
        seconds,
        len(judged.documents) / max(ready - began, 1e-9),
        1000 * float(np.median(durations)),
        encoder.card.name,
        ablation,
    )


class Indexed:
    """Documents with their raw vectors; partitions are made of them with one centring or another."""

    def __init__(self, items: Sequence[Item], names: Sequence[str], card_key: str, dimension: int) -> None:
        self._items, self._names = items, names
        self._card_key, self._dimension = card_key, dimension
        self.centring: Centring = Raw()

    @classmethod
    def of(cls, documents: Sequence[Document], encoder: Encoder, progress: Progress | None = None) -> Indexed:
        """Cut, embed and analyse."""
        texts = [_joined(document) for document in documents]
        languages = [detect(text)[0] for text in texts]
        passages = [passages_of_text(text, language) for text, language in zip(texts, languages, strict=True)]
        flat = [passage.text for each in passages for passage in each]
        vectors = encoder.encode(flat, "listing", progress)
        items, at = [], 0
        for number, (text, language, own) in enumerate(zip(texts, languages, passages, strict=True), 1):
            rows = vectors[at : at + len(own)]
            at += len(own)
            held = [IndexedPassage(p.position, p.field, p.language, p.length_class, p.digest) for p in own]
            figures = compact.stated(text, language)
            entry = Entry(number, Facts(language=language), listing_terms(text, language), held, rows, figures)
            items.append(Item((Visibility.PUBLIC, Kind.OFFER), entry))
        return cls(items, [document.id for document in documents], encoder.card.key, encoder.dimension)

    def learned(self, encoder: Encoder) -> Centring:
        """The centring of these documents, kept as `centring`."""
        self.centring = centring.learn(encoder.card, self._groups())
        return self.centring

    def partition(self, means: Centring) -> Partition:
        """All documents in one partition."""
        collection = Collection.build(self._items, card_key=self._card_key, dimension=self._dimension, centring=means)
        return collection.partitions[Visibility.PUBLIC, Kind.OFFER]

    def ranked(self, partition: Partition, query: Query, parts: Parts = ALL_PARTS) -> list[str]:
        """Ids of the documents, best first."""
        return [self._names[number - 1] for number in ranking.rank([partition], query, None, parts).ids.tolist()]

    def _groups(self) -> Iterator[centring.Group]:
        for item in self._items:
            for passage, vector in zip(item.entry.passages, item.entry.vectors, strict=True):
                kind = centring_class(passage.field, passage.length_class)
                yield passage.language, Kind.OFFER.value, kind, vector[None]


def _joined(document: Document) -> str:
    if not document.title:
        return document.text
    return f"{document.title}{'' if document.title[-1] in '.!?。！？' else '.'} {document.text}".strip()


def _figures(judged: JudgedSet, queries: Sequence[Document], lists: Sequence[Sequence[str]]) -> dict[str, float]:
    rows = []
    for query, ranked in zip(queries, lists, strict=True):
        grades = judged.grades[query.id]
        rows.append(
            (
                metrics.ndcg(ranked, grades),
                metrics.reciprocal_rank(ranked, grades),
                metrics.recall(ranked, grades, 10),
                metrics.recall(ranked, grades, 100),
            )
        )
    means = np.mean(rows, axis=0).tolist()
    return dict(zip(FIGURES, means, strict=True))

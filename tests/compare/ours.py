"""TechEx on the same texts: the code of the pages, with its own cutting, centring, keywords and ranking.

python -m tests.compare.ours FOLDER       prints one JSON object on its last line
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from techex import __version__
from techex.embedding import centring
from techex.embedding.cards import load_card
from techex.embedding.encoders import Encoder, load_encoder
from techex.embedding.languages import detect
from techex.embedding.passages import passages_of_text
from techex.listings.rules import Kind, Visibility
from techex.matching import ranking
from techex.matching.asked import AskedText
from techex.matching.evaluation import evaluate
from techex.matching.judged import Document, JudgedSet
from techex.search.analysis import listing_terms
from techex.search.collection import Collection, Item, centring_class
from techex.search.facts import Facts, Filters
from techex.search.segments import Entry, Passage
from techex.settings import load_settings
from tests.compare.peers import SHOWN, Rows, read, resident
from tests.compare.sets import grow

KEY = (Visibility.PUBLIC, Kind.OFFER)


def quality(folder: Path, grades: dict[str, dict[str, dict[str, int]]], encoder: Encoder) -> dict[str, float]:
    """nDCG@10 by set, by the code behind `techex evaluate`."""
    found = {}
    for name, of_set in grades.items():
        documents, queries = (
            [Document(row["id"], "", row["text"]) for row in read(folder / name / f"{which}.jsonl")]
            for which in ("documents", "queries")
        )
        found[name] = evaluate(JudgedSet(documents, queries, of_set), encoder).figures["ndcg@10"]
    return found


def speed(folder: Path, encoder: Encoder) -> dict[str, float]:
    """The figures of `peers.speed`; texts of a listing have a vector for each passage here, and one for the whole."""
    queries = read(folder / "queries.jsonl")
    asked = [_asked(row["text"], encoder) for row in queries]
    card = encoder.card
    real = np.load(folder / "documents.npy")
    _collection(read(folder / "documents.jsonl")[:64], real[:64], card)
    before = resident()
    documents = read(folder / "documents.jsonl")
    began = time.perf_counter()
    collection = _collection(documents, real, card)
    seconds = time.perf_counter() - began
    del documents
    partition = collection.partitions[KEY]
    ready = [each.centred(collection.centring) for each in asked]
    ranking.rank([partition], ready[0])  # the reference sample is made at the first search
    durations, filled = [], []
    for row, query in zip(queries, ready, strict=True):
        start = time.perf_counter()
        ranked = ranking.rank([partition], query, Filters(provinces=frozenset({row["region"]})))
        durations.append(1000 * (time.perf_counter() - start))
        filled.append(min(SHOWN, len(ranked)) / SHOWN)
    return {
        "index_s": seconds,
        "p50_ms": float(np.percentile(durations, 50)),
        "p95_ms": float(np.percentile(durations, 95)),
        "megabytes": (resident() - before) / 1e6,
        "filled": float(np.mean(filled)),
        "passages": float(partition.passage_count),
    }


def _asked(text: str, encoder: Encoder) -> AskedText:
    language = detect(text)[0]
    passages = passages_of_text(text, language)
    return AskedText(text, language, passages, encoder.encode([passage.text for passage in passages], "search"))


def _collection(documents: Rows, real: np.ndarray, card: Any) -> Collection:
    """From texts and grown vectors, all that happens to a listing but its embedding."""
    items, groups = [], []
    for number, row in enumerate(documents, start=1):
        language = detect(row["text"])[0]
        passages = passages_of_text(row["text"], language)
        # Passages of one text lie about its own vector.
        vectors = grow(real[number - 1 : number], len(passages), number)
        held = [Passage(p.position, p.field, p.language, p.length_class, p.digest) for p in passages]
        facts = Facts(language=language, province=row["region"])
        items.append(Item(KEY, Entry(number, facts, listing_terms(row["text"], language), held, vectors)))
        groups += [
            (p.language, Kind.OFFER.value, centring_class(p.field, p.length_class), vector[None])
            for p, vector in zip(passages, vectors, strict=True)
        ]
    return Collection.build(items, card_key=card.key, dimension=card.dimension, centring=centring.learn(card, groups))


def main() -> None:
    """Quality on all judged sets and speed on the large collection, as JSON."""
    folder = Path(sys.argv[1])
    settings = load_settings()
    encoder = load_encoder(load_card("multilingual-e5-small"), settings.models_dir, threads=settings.threads)
    grades = json.loads((folder / "grades.json").read_text(encoding="utf-8"))
    result = {"version": f"techex {__version__}", "quality": quality(folder, grades, encoder)}
    print(json.dumps(result | {"speed": speed(folder / "speed", encoder)}))  # noqa: T201


if __name__ == "__main__":
    main()

"""Made listings for the tests of search, and brute force to compare with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from techex.listings.rules import Kind, Visibility
from techex.quantities.compact import FIGURES
from techex.search.collection import Collection, Item
from techex.search.dense import FloatArray
from techex.search.facts import Facts
from techex.search.segments import Entry, Passage

DIMENSION = 8
WORDS = ("pump", "water", "rice", "filter", "heat", "shrimp", "robot", "paper")
COUNTRIES = ("VN", "NL", "KR")


def made(
    listing_id: int,
    seed: int = 0,
    *,
    passages: int = 3,
    visibility: Visibility = Visibility.PUBLIC,
    kind: Kind = Kind.OFFER,
    words: Mapping[str, int] | None = None,
) -> Item:
    """A listing that is the same for the same arguments: its vectors, terms and country come from id and seed."""
    rng = np.random.default_rng((listing_id, seed))
    vectors = unit(rng.normal(size=(passages, DIMENSION)))
    if words is None:
        words = {word: int(count) for word, count in zip(WORDS, rng.integers(0, 4, len(WORDS)), strict=True) if count}
    facts = Facts(
        language="vi" if rng.random() < 0.5 else "en",
        country=COUNTRIES[rng.integers(len(COUNTRIES))],
        trl=int(rng.integers(1, 10)),
        organisation=int(rng.integers(1, 4)),
    )
    parts = [
        Passage(position, "description", facts.language, "long", f"{rng.integers(1 << 62):064x}")
        for position in range(passages)
    ]
    figures = np.zeros(int(rng.integers(4)), FIGURES)
    figures["dimension"], figures["low"] = rng.integers(1, 4, len(figures)), rng.integers(100, size=len(figures))
    figures["high"] = figures["low"]
    return Item((visibility, kind), Entry(listing_id, facts, dict(words), parts, vectors, figures))


def unit(vectors: np.ndarray) -> FloatArray:
    """Rows of length one."""
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def collection_of(items: Sequence[Item]) -> Collection:
    """A collection of made listings."""
    return Collection.build(items, card_key="made", dimension=DIMENSION)


def best_cosines(items: Sequence[Item], query: FloatArray) -> dict[int, float]:
    """Listing -> greatest cosine of its passages, as stored in float16."""
    return {
        item.entry.listing_id: float((item.entry.vectors.astype(np.float16).astype(np.float32) @ query).max())
        for item in items
        if len(item.entry.vectors)
    }


def bm25(items: Sequence[Item], terms: Mapping[str, float], k1: float = 1.2, b: float = 0.75) -> dict[int, float]:
    """Listing -> score by the formula written out, for those that share a term."""
    texts = {item.entry.listing_id: item.entry.terms for item in items}
    mean = sum(sum(text.values()) for text in texts.values()) / max(len(texts), 1)
    scores = {}
    for listing_id, text in texts.items():
        score = 0.0
        for term, weight in terms.items():
            often = text.get(term, 0)
            holders = sum(term in other for other in texts.values())
            idf = math.log(1 + (len(texts) - holders + 0.5) / (holders + 0.5))
            held_back = k1 * (1 - b + b * sum(text.values()) / mean) if mean else k1
            score += weight * idf * often * (k1 + 1) / (often + held_back) if often else 0
        if score:
            scores[listing_id] = score
    return scores

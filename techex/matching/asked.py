"""A free text as it is searched for: its passages with vectors, and the query they make in a collection's space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from techex.embedding import centring
from techex.embedding.encoders import Encoder, FloatArray
from techex.embedding.languages import detect
from techex.embedding.passages import Passage, passages_of_text, words_of
from techex.listings.rules import Kind
from techex.matching.candidates import Query
from techex.quantities import compact
from techex.search.collection import Centring, centring_class


@dataclass(frozen=True)
class AskedText:
    """A text that was asked for, with raw vectors of its passages (n, d); the last one is that of the whole text."""

    text: str
    language: str
    passages: Sequence[Passage]
    vectors: FloatArray

    @classmethod
    def of_words(cls, text: str, language: str) -> AskedText:
        """Without a model: only its words are searched for."""
        return cls(text, language, (), np.empty((0, 0), np.float32))

    @property
    def quotable(self) -> Sequence[Passage]:
        """The passages that are quoted: all but the whole, or the only one."""
        return self.passages[:-1] if len(self.passages) > 1 else self.passages

    def centred(self, means: Centring, side: Kind = Kind.NEED) -> Query:
        """The query in the space of a collection with these means; `side` is what the text is taken for."""
        words = words_of(self.text)
        figures = (compact.asked if side is Kind.NEED else compact.stated)(self.text, self.language)
        if not len(self.passages):
            return Query(self.text, self.language, words, side=side, figures=figures)
        rows = [
            means.apply(
                vector[None], self.language, centring.SEARCH, centring_class(passage.field, passage.length_class)
            )
            for passage, vector in zip(self.passages, self.vectors, strict=True)
        ]
        vectors = np.concatenate(rows)
        passages = vectors[:-1] if len(vectors) > 1 else vectors
        return Query(self.text, self.language, words, vectors[-1], passages, side=side, figures=figures)


def text_query(text: str, encoder: Encoder, language: str | None = None) -> AskedText:
    """Cut a free text and embed it; the language is detected where it is not given."""
    language = language or detect(text)[0]
    passages = passages_of_text(text, language)
    return AskedText(text, language, passages, encoder.encode([passage.text for passage in passages], "search"))

"""An offer as what it states: its sentences with their clauses, their quantities, and which are about others. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from techex.embedding.sentences import split_sentences
from techex.quantities.reading import Quantity, compares, find_quantities
from techex.search.analysis import fold

# How readily a field answers a requirement, in the units of the score. Partners, known troubles of others and lists of
# places repeat the topic without answering; measured on 203 hand-made citations: 76 % right without, 78 % with.
FIELD_PRIORS: Mapping[str, float] = {
    "title": -0.04,
    "summary": 0.0,
    "description": 0.0,
    "advantages": 0.0,
    "economics": 0.0,
    "trl_evidence": -0.04,
    "standards": -0.04,
    "problem_solved": -0.12,
    "partner_sought": -0.12,
    "references": -0.08,
}
# A sentence that tells how the thing differs from another one quotes the other's figures and words too.
COMPARING_PRIOR = -0.08

_BORDER = re.compile(r"[;:；：。!?]|[,，、](?!\d)|(?<!\d)[,，、]|\.(?=\s|$)|[()（）]")
_EASTERN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
# A clause of fewer words ("HF", "0,3 %") is read with the one before.
FEWEST_WORDS = 3
_WORD = re.compile(r"[a-z][a-z0-9+-]*[a-z0-9]")
_EASTERN_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+|[\uac00-\ud7a3]+")
# Symbols of units are no words that two texts share.
_UNIT_SYMBOLS = """
    kg kw kwh kwp mm cm km mg ml ha kva mpa khz mhz ghz gb mb tb ppm dpi nm nm3 m2 m3 usd vnd eur idr krw jpy cny sgd
"""
_UNIT_WORDS = frozenset(_UNIT_SYMBOLS.split())
# Letters of a word's start that stand for it beside the word itself: "nitrit", "nitrite", "nitriet" share them.
START = 5


@dataclass(frozen=True)
class Statement:
    """A sentence of an offer: where it stands, its clauses, its quantities, its words."""

    field: str
    text: str
    clauses: tuple[str, ...]
    quantities: tuple[Quantity, ...]
    words: frozenset[str]
    prior: float
    compares: bool


@lru_cache(maxsize=512)
def _statements(texts: tuple[tuple[str, str], ...], language: str) -> tuple[Statement, ...]:
    return tuple(
        _statement(field, sentence, language)
        for field, text in texts
        if field in FIELD_PRIORS
        for sentence in split_sentences(text, language)
    )


def statements_of(texts: Mapping[str, str], language: str) -> tuple[Statement, ...]:
    """The sentences of an offer's texts by field name, in reading order; fields that state nothing are left out."""
    return _statements(tuple(texts.items()), language)


def _statement(field: str, text: str, language: str) -> Statement:
    prior = FIELD_PRIORS[field] + (COMPARING_PRIOR if compares(text) else 0.0)
    return Statement(
        field, text, clauses_of(text), tuple(find_quantities(text, language)), words_in(text), prior, compares(text)
    )


def clauses_of(sentence: str) -> tuple[str, ...]:
    """The parts of a sentence between commas, stops and brackets, those of a word or two joined to the one before."""
    found: list[str] = []
    for part in _BORDER.split(sentence):
        part = part.strip(" ,;:()，；：。、（）.")
        if len(part) < 2:
            continue
        if found and len(part.split()) < FEWEST_WORDS and not _EASTERN.search(part):
            found[-1] += f", {part}"
        else:
            found.append(part)
    return tuple(found) or (sentence,)


def words_in(text: str) -> frozenset[str]:
    """The words of a text as another language may have them: folded, cognates by their start, CJK in pairs."""
    folded = fold(text).casefold()
    found = {word for word in _WORD.findall(folded) if word not in _UNIT_WORDS}
    found |= {f"{word[:START]}~" for word in found if len(word) > START}
    for run in _EASTERN_RUN.findall(folded):
        found |= {run[at : at + 2] for at in range(len(run) - 1)}
    return frozenset(found)

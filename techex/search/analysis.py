"""Text to the terms of the keyword index. Pure.

A term stands for a word so that its forms meet: stems where a language has a stemmer, syllables and pairs of syllables
in Vietnamese (words are written in pieces), pairs of characters where no spaces are written, and figures together with
their unit. Vietnamese is kept with its marks and, as a second term, without: who types none is understood too.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from techex.search.stopwords import STOPWORDS

# Names what this module makes of a text: an index made by another version is built again.
ANALYSIS_VERSION = "1"

# Languages with a stemmer in Snowball. Stems lift BM25 on Cranfield from .498 to .516 nDCG@10.
STEMMERS: Mapping[str, str] = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hi": "hindi",
    "hu": "hungarian",
    "id": "indonesian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
STEMS_KEPT = 100_000  # a large collection has about as many words

# Marks a Vietnamese term without its marks, so that "ma" typed by a Dutch reader does not find mà, má and mã.
FOLDED = "~"
# Joins the syllables of a pair, and a figure with its unit.
JOINED = "_"

# Han, kana, Hangul, Thai, Lao, Khmer, Burmese: text that is cut into pairs of characters. Hangul has spaces, but its
# particles grow on the word: pairs are what Korean search engines use where no dictionary is at hand.
_PAIRED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# What follows a figure and belongs to it: °C, %, kg, m3/h, kWh/t, mg/l. Read after NFKC, in lower case.
_UNIT = (
    r"\s?(°\s?[cfk]?|%|‰|(?:[kmcdgµμn]?(?:g|l|m[23]?|w|wh|wp|v|a|ah|va|j|pa|hz|bar|mol|bq|sv|n|s)|t|ha|ppm|ppb|db|"
    r"tấn|tạ|lít|giờ|rpm|cfu|ntu|usd|eur|vnd|đồng)(?:/(?:[kmcµμ]?(?:g|l|m[23]?)|h|d|s|t|ha|min|day|year|ngày|giờ|năm|tấn))?)"
    r"(?!\w)"
)
# Stands for the underscore, which is no letter to us and one to `re`: classes without it are read 1.6 times as fast.
_NO_LETTER = "\0"
# What Vietnamese is written with beside plain letters, once letters and marks are taken apart.
_MARKED = re.compile(r"[đĐ\u0300-\u036f]")
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?:\D|$))")


@dataclass(frozen=True)
class SearchTerms:
    """What a search asks of the keyword index: `own` are the terms of its text with how often each occurs, `all` adds
    forms under which texts of other languages may hold the same word (names above all), once each."""

    own: Mapping[str, float]
    all: Mapping[str, float]


def terms(text: str, language: str) -> list[str]:
    """The terms of a text in `language` (ISO 639-1; an unknown one is cut into plain words), in reading order.

    Vietnamese gives for each syllable the syllable, the syllable without marks where that differs, and, without marks,
    the pair it makes with the one before.
    """
    return list(chain.from_iterable(_terms_of(word, language) for word in _words(text)))


def listing_terms(text: str, language: str) -> dict[str, int]:
    """The terms of a listing and how often each occurs."""
    return dict(Counter(terms(text, language)))


def search_terms(text: str, language: str, languages: Collection[str] = ()) -> SearchTerms:
    """The terms of a need or a search text, and the forms for a collection in `languages`.

    Repetition counts: a long need says by it what it is about (SBIR topics: BM25 .74 -> .92). Vietnamese with marks is
    looked for with them, Vietnamese typed without marks without.
    """
    marked = language != "vi" or _MARKED.search(unicodedata.normalize("NFD", text)) is not None
    found = _found(text)
    # Each word once: a long text repeats half of its words, and this is most of what a batch of needs waits for.
    counted = Counter([(figure, unit, run) for figure, unit, _, run in found])
    own: dict[str, float] = {}
    for token, often in counted.items():
        for term in _asked(*token, language, marked):
            own[term] = own.get(term, 0) + often
    if language == "vi":
        near = Counter([(before[3], word[3]) for before, word in pairwise(found) if word[2] and before[3]])
        for pair, often in near.items():
            for term in _syllable_pairs(*pair):
                own[term] = own.get(term, 0) + often
    others = tuple(sorted({other for other in languages if other != language}))
    spoken = {piece for _, _, run in counted if run for piece, is_paired in _pieces(run) if not is_paired}
    spoken -= STOPWORDS.get(language, frozenset())
    every: dict[str, float] = {}
    if others:
        every = dict.fromkeys(chain.from_iterable(_forms(text, others) for text in sorted(spoken)), 1.0)
    elif not marked:
        # A Vietnamese syllable that never has marks stands in the index as it is, and as a name in any language.
        every = dict.fromkeys(sorted(spoken), 1.0)
    return SearchTerms(own, every | own)


@lru_cache(maxsize=4096)
def written_forms(text: str, language: str) -> Mapping[str, str]:
    """Term -> how the text writes it (in lower case), for every term that says something to a reader.

    Single syllables of Vietnamese are left out where the pair they belong to stands for them. Kept for the texts that
    were quoted last: a page asks for the same question ten times, and many pages for the same passages.
    """
    found: dict[str, str] = {}
    before = ""
    for figure, unit, near, run in _found(text):
        # Only Vietnamese words stand for something together; in other languages a word alone is looked up sooner.
        for term, form in _written(figure, unit, before if near and language == "vi" else "", run, language):
            found.setdefault(term, form)
        before = run
    return MappingProxyType(found)


def fold(text: str) -> str:
    """Text without diacritics, đ as d: "Nông nghiệp" -> "Nong nghiep"."""
    parts = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return unicodedata.normalize("NFC", "".join(char for char in parts if not unicodedata.combining(char)))


class _Word(NamedTuple):
    """A piece of text; `before` is the word it follows with only a space between, `unit` that of a figure."""

    text: str
    before: str = ""
    unit: str = ""
    is_figure: bool = False
    is_paired: bool = False


def _found(text: str) -> list[tuple[str, str, str, str]]:
    """(figure, its unit, the one space between this word and the one before, word) for each, as they are written."""
    return _word_pattern().findall(unicodedata.normalize("NFKC", text).lower().replace("_", _NO_LETTER))


def _words(text: str) -> Iterator[_Word]:
    before = ""
    for figure, unit, near, run in _found(text):
        if figure:
            yield _figure(figure, unit)
        else:
            for piece, is_paired in _pieces(run):
                yield _Word(piece, before if near else "", "", False, is_paired)
        before = run


@lru_cache(maxsize=STEMS_KEPT)
def _figure(figure: str, unit: str) -> _Word:
    return _Word(_THOUSANDS.sub("", figure).replace(",", "."), "", re.sub(r"\s", "", unit), True)


@lru_cache(maxsize=STEMS_KEPT)
def _pieces(word: str) -> tuple[tuple[str, bool], ...]:
    """A run of letters where it changes between scripts with and without spaces; whether a piece is cut into pairs."""
    pieces = (piece for piece in _pairs_pattern().split(word) if piece)
    return tuple((piece, bool(_pairs_pattern().match(piece))) for piece in pieces)


def _terms_of(word: _Word, language: str) -> tuple[str, ...]:
    if word.is_figure:
        return (word.text, word.text + JOINED + word.unit) if word.unit else (word.text,)
    if word.is_paired:
        return _pairs(word.text)
    return _syllable(word.text) + _syllable_pair(word) if language == "vi" else _said(word.text, language)


@lru_cache(maxsize=STEMS_KEPT)
def _asked(figure: str, unit: str, run: str, language: str, marked: bool) -> tuple[str, ...]:
    """As `_terms_of`, but of the two forms of a Vietnamese syllable only the one that was typed, without pairs."""
    if figure:
        return _terms_of(_figure(figure, unit), language)
    asked: list[str] = []
    for piece, is_paired in _pieces(run):
        if language != "vi" or is_paired:
            asked += _terms_of(_Word(piece, is_paired=is_paired), language)
        else:
            asked.append(piece if marked else FOLDED + piece)
    return tuple(asked)


@lru_cache(maxsize=STEMS_KEPT)
def _written(figure: str, unit: str, before: str, run: str, language: str) -> tuple[tuple[str, str], ...]:
    """The terms that one word of `_found` says to a reader, and how each is written."""
    if figure:
        word = _figure(figure, unit)
        return ((word.text + JOINED + word.unit, f"{word.text} {word.unit}"),) if word.unit else ()
    written: list[tuple[str, str]] = []
    for piece, is_paired in _pieces(run):
        if language == "vi" and not is_paired:
            written += ((term, f"{before} {piece}") for term in _syllable_pair(_Word(piece, before)))
        else:
            terms_here = _terms_of(_Word(piece, is_paired=is_paired), language)
            written += ((term, term if is_paired else piece) for term in terms_here)
    return tuple(written)


@lru_cache(maxsize=STEMS_KEPT)
def _said(word: str, language: str) -> tuple[str, ...]:
    """The stem of a word that says something."""
    return () if word in STOPWORDS.get(language, ()) else (_stem(word, language),)


def _syllable(text: str) -> tuple[str, ...]:
    folded = _folded(text)
    return (text,) if folded == text else (text, FOLDED + folded)


@lru_cache(maxsize=STEMS_KEPT)
def _syllable_pairs(before: str, run: str) -> tuple[str, ...]:
    pieces = (_Word(piece, before) for piece, is_paired in _pieces(run) if not is_paired)
    return tuple(chain.from_iterable(map(_syllable_pair, pieces)))


def _syllable_pair(word: _Word) -> tuple[str, ...]:
    return (FOLDED + _folded(word.before) + JOINED + _folded(word.text),) if word.before else ()


@lru_cache(maxsize=STEMS_KEPT)
def _folded(word: str) -> str:
    return fold(word)


def _pairs(text: str) -> tuple[str, ...]:
    return tuple(text[at : at + 2] for at in range(len(text) - 1)) or (text,)


@lru_cache(maxsize=STEMS_KEPT)
def _forms(word: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    """A word as it is and as its stem would be in other languages, each once."""
    return tuple(dict.fromkeys((word, *(_stem(word, language) for language in languages))))


@lru_cache(maxsize=STEMS_KEPT)
def _stem(word: str, language: str) -> str:
    return str(_stemmers.of(language).stemWord(word)) if language in STEMMERS else word


class _Stemmers(threading.local):
    """The stemmers of one thread: a stemmer keeps the word it works on, so two threads may not share one."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def of(self, language: str) -> Any:
        if language not in self._made:
            import Stemmer

            # Without a memory of its own: `_stem` has one.
            self._made[language] = Stemmer.Stemmer(STEMMERS[language], 0)
        return self._made[language]


_stemmers = _Stemmers()


@lru_cache(maxsize=1)
def _word_pattern() -> re.Pattern[str]:
    """A figure and its unit, or the space before it and a run of letters with their marks: vowel signs of Indic scripts
    are no letters to `re`."""
    marks = "".join(chr(code) for code in range(0x300, 0x1DC0) if unicodedata.category(chr(code)) in ("Mn", "Mc"))
    return re.compile(rf"(\d+(?:[.,]\d+)*)(?:{_UNIT})?|((?<=\w)[ \n])?([^\W\d][\w{marks}]*)")


@lru_cache(maxsize=1)
def _pairs_pattern() -> re.Pattern[str]:
    return re.compile(rf"([{_PAIRED}]+)")

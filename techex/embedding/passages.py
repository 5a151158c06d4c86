"""Texts cut into passages, the pieces that are embedded and matched. Pure.

A vector of a long text blurs what it says; the best passage against the best passage finds it. Title and summary
make the first passage, every long field follows on its own, cut between sentences where it is too long, and the
whole text comes last, because the general drift helps too.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from techex.embedding.languages import detect, language_of_piece
from techex.embedding.sentences import split_sentences

# About 170 tokens of the default model: long enough for a thought, short enough to be one thought.
LONGEST_PASSAGE = 110
# Passages a listing besides the whole: what bounds the memory of the index and the price of scoring a candidate.
MOST_PASSAGES = 8
# Passages of its texts in further languages; with the others they fit into the positions the index has for a listing.
MOST_TRANSLATED = 6
# Two characters of Chinese or Japanese say about as much as one word with spaces: 110 words are 220 characters.
CHARACTERS_A_WORD = 2
# Titles and single sentences lie elsewhere in the vector space than paragraphs; this is where the two part.
SHORT_TEXT = 25

TITLE_FIELD = "title_summary"
WHOLE_FIELD = "whole"

_EASTERN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]")


@dataclass(frozen=True)
class Passage:
    """A piece of text to embed. `position` counts from 0; `digest` is the SHA-256 of its NFC text in hex."""

    field: str
    position: int
    text: str
    language: str
    length_class: str
    digest: str


def passages_of(title: str, summary: str, body: Mapping[str, str], language: str | None = None) -> list[Passage]:
    """Passages of a listing: title with summary, then each field of `body` in its order, then the whole text.

    At most MOST_PASSAGES of at most LONGEST_PASSAGE words, and the whole, which the encoder cuts at its longest
    input. Of a text with more pieces the first ones of every field are taken; the rest counts through the whole
    only. The whole is left out where it would repeat a single passage. Empty texts give no passage. `language` None
    means it is detected; a passage that surely is in another one, as a quoted abstract, has its own.
    """
    head = _join(title, summary)
    texts = {TITLE_FIELD: head} | {field: _tidy(text) for field, text in body.items()}
    found = _passages({field: text for field, text in texts.items() if text}, language)
    return [
        piece if piece.field == WHOLE_FIELD else replace(piece, language=language_of_piece(piece.text, piece.language))
        for piece in found
    ]


def with_translations(own: Sequence[Passage], further: Sequence[Sequence[Passage]]) -> list[Passage]:
    """The passages of a listing with those of its texts in further languages.

    Behind the listing's own passages come at most MOST_TRANSLATED of the others, the first of every language before
    the second of any; the whole of its own text stays the last. Without translations nothing changes.
    """
    others = [[passage for passage in passages if passage.field != WHOLE_FIELD] for passages in further]
    rounds = max((len(passages) for passages in others), default=0)
    taken = [passages[turn] for turn in range(rounds) for passages in others if turn < len(passages)][:MOST_TRANSLATED]
    if not taken or not own:
        return list(own)
    pieces = [passage for passage in own if passage.field != WHOLE_FIELD]
    # The whole of a text of one passage repeats it: the same vector under another name.
    found = [*pieces, *taken, replace(own[-1], field=WHOLE_FIELD)]
    return [replace(passage, position=position) for position, passage in enumerate(found)]


def passages_of_text(text: str, language: str | None = None) -> list[Passage]:
    """The same for a text without fields: a search, or a document of an evaluation."""
    text = _tidy(text)
    return _passages({TITLE_FIELD: text} if text else {}, language)


def words_of(text: str) -> int:
    """Length in words; in Chinese and Japanese, which put no spaces, CHARACTERS_A_WORD characters count as one."""
    eastern = len(_EASTERN.findall(text))
    if not eastern:
        return len(text.split())
    spaced = sum(1 for word in _EASTERN.sub(" ", text).split() if any(char.isalnum() for char in word))
    return spaced + -(-eastern // CHARACTERS_A_WORD)


def digest_of(text: str) -> str:
    """SHA-256 of the NFC form in hex: names a text in the table of vectors."""
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode("utf-8")).hexdigest()


def _passages(texts: Mapping[str, str], language: str | None) -> list[Passage]:
    whole = "\n".join(texts.values())
    if not whole:
        return []
    language = language or detect(whole)[0]
    pieces = _chosen({field: list(_packed(_short_enough(text, language))) for field, text in texts.items()})
    if len(pieces) > 1:
        pieces.append((WHOLE_FIELD, whole))
    return [_passage(field, position, text, language) for position, (field, text) in enumerate(pieces)]


def _passage(field: str, position: int, text: str, language: str) -> Passage:
    length_class = "short" if words_of(text) <= SHORT_TEXT else "long"
    return Passage(field, position, text, language, length_class, digest_of(text))


def _chosen(pieces: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    """At most MOST_PASSAGES pieces in reading order: the first of every field, then the second of every field, ..."""
    rounds = max(len(parts) for parts in pieces.values())
    turns = [(turn, field) for turn in range(rounds) for field, parts in pieces.items() if turn < len(parts)]
    taken = set(turns[:MOST_PASSAGES])
    return [
        (field, part) for field, parts in pieces.items() for turn, part in enumerate(parts) if (turn, field) in taken
    ]


def _packed(sentences: list[str]) -> Iterator[str]:
    """Neighbouring sentences joined up to LONGEST_PASSAGE words, the pieces about equally long."""
    lengths = [words_of(sentence) for sentence in sentences]
    total = sum(lengths)
    count = max(1, -(-total // LONGEST_PASSAGE))
    # An even share avoids a last passage of three words; half a sentence more keeps the count.
    share = min(LONGEST_PASSAGE, -(-total // count) + max(lengths, default=0) // 2)
    part, filled = "", 0
    for sentence, length in zip(sentences, lengths, strict=True):
        if part and filled + length > share:
            yield part
            part, filled = "", 0
        part += ("" if not part or part[-1] in "。！？" else " ") + sentence
        filled += length
    if part:
        yield part


def _short_enough(text: str, language: str) -> list[str]:
    """The sentences of a text, those of more than LONGEST_PASSAGE words cut further: at clauses, else at words."""
    return [piece for sentence in split_sentences(text, language) for piece in _halved(sentence)]


def _halved(sentence: str) -> list[str]:
    if words_of(sentence) <= LONGEST_PASSAGE:
        return [sentence]
    cut = _middle(sentence)
    if not cut:
        return [sentence]
    return [*_halved(sentence[:cut].strip()), *_halved(sentence[cut:].strip())]


def _middle(sentence: str) -> int:
    """Where to cut a sentence: the clause border nearest its middle, else the space, else between two characters."""
    half, quarter = len(sentence) // 2, len(sentence) // 4
    for border in (r"[;:；：](?=\s|\w)|(?<=\s)[-–—•](?=\s)", r",(?=\s)|[，、]", r"\s", r""):
        cuts = [
            found.end() for found in re.finditer(border, sentence) if quarter <= found.end() <= len(sentence) - quarter
        ]
        cuts = [cut for cut in cuts if sentence[:cut].strip() and sentence[cut:].strip()]
        if cuts:
            return min(cuts, key=lambda cut: abs(cut - half))
    return 0


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _join(title: str, summary: str) -> str:
    title, summary = _tidy(title), _tidy(summary)
    if not summary or summary == title:
        return title
    if not title:
        return summary
    # A title rarely ends with a stop, and the encoder should see where it ends.
    return f"{title}{'' if title[-1] in '.!?。！？' else '.'} {summary}"

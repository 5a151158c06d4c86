"""A need as its requirements: what must hold, sentence by sentence, in its own words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from techex.embedding.passages import words_of
from techex.embedding.sentences import split_sentences
from techex.quantities.reading import Quantity, find_quantities
from techex.quantities.words import Relation

# Fields whose every sentence is a requirement, and fields of which only sentences that ask for something are.
REQUIRED_FIELDS = ("required_result", "constraints")
ASKING_FIELDS = ("summary", "problem")
# More rows than a reader takes in at once; a need with more is a tender, and its first ones are its main ones.
MOST_REQUIREMENTS = 24
# A piece of fewer words says nothing by itself ("Ngoài ra:").
FEWEST_WORDS = 2
MOST_COMMAS = 60  # of an item that are looked at: each costs a reading of what stands before it

_ASKING_WORDS = (
    r"(?<!\w)cần|yêu cầu|mong muốn|đòi hỏi|(?<!\w)muốn"
    r"|\b(?:need|needs|require[sd]?|want|wants|wanted|looking for|seek|seeks|would like|sought)\b"
    r"|\b(?:membutuhkan|dibutuhkan|butuh|perlu|diperlukan|mencari|ingin|menginginkan)\b"
    r"|\b(?:nodig|zoeken|zoekt|willen|gevraagd|gezocht|wensen)\b"
    r"|필요|원합니다|찾고|찾습니다|구합니다|싶|바랍니다|必要|求め|探し|欲し|したい|需要|希望|要求|寻求|征集|寻找"
    r"|\b(?:brauchen|benötigt|benötigen|gesucht|suchen|besoin|cherchons|recherche|souhait\w*)\b"
)
_ASKING = re.compile(_ASKING_WORDS, re.I)
_LIST = re.compile(r"\s*[;；]\s*")
_COMMA = re.compile(r"(?<=[^\d])[,，、]\s*|(?<=\d)[,，、](?:\s+|(?=\D))")
_BULLET = re.compile(r"^\s*(?:[-–—•·●▪■*✓➢+]|\(?(?:\d{1,2}|[a-zđ])[.)])\s+")


@dataclass(frozen=True)
class Requirement:
    """One thing a need asks for: the field it stands in, its words, the quantities in them."""

    field: str
    text: str
    quantities: tuple[Quantity, ...] = ()

    @property
    def describes_surroundings(self) -> bool:
        """True where its bare figures say what is there (a constraint), not what is to be reached."""
        return self.field == "constraints"


def requirements_of(texts: Mapping[str, str], language: str) -> list[Requirement]:
    """The requirements in a need's texts by field name, at most MOST_REQUIREMENTS, results first.

    Of `required_result` and `constraints` every sentence and list item; of `summary` and `problem` the sentences that
    ask for something, unless the fields before said it already. Every text is a verbatim part of its field.
    """
    found: list[Requirement] = []
    for field in REQUIRED_FIELDS:
        for sentence in split_sentences(texts.get(field, ""), language):
            found += [_requirement(field, piece, language) for piece in _pieces(sentence, language)]
    for field in ASKING_FIELDS:
        for sentence in split_sentences(texts.get(field, ""), language):
            if _ASKING.search(sentence):
                asked = [_requirement(field, piece, language) for piece in _pieces(sentence, language)]
                found += [one for one in asked if not _said(one, found)]
    return found[:MOST_REQUIREMENTS]


def _requirement(field: str, text: str, language: str) -> Requirement:
    return Requirement(field, text, tuple(quantity for quantity in find_quantities(text, language)))


def _pieces(sentence: str, language: str) -> Iterator[str]:
    """List items of a sentence: parts between semicolons, and parts between commas that carry a figure each."""
    for item in _LIST.split(_BULLET.sub("", sentence)):
        for piece in _figures_apart(item, language):
            piece = piece.strip(" \t.,;。、，；")
            if words_of(piece) >= FEWEST_WORDS:
                yield piece


def _figures_apart(item: str, language: str) -> Iterator[str]:
    """An item cut at the commas before a part with a bound of its own: "TAN below 1 mg/l, nitrite below 2 mg/l"."""
    start, bound_so_far = 0, False
    commas = (found for found in _COMMA.finditer(item) if _depth(item, found.start()) == 0)
    cuts = list(islice(commas, MOST_COMMAS))
    for number, cut in enumerate(cuts):
        end = cuts[number + 1].start() if number + 1 < len(cuts) else len(item)
        bound_so_far = bound_so_far or _has_bound(item[start : cut.start()], language)
        if (
            bound_so_far
            and _has_bound(item[cut.end() : end], language)
            and words_of(item[cut.end() : end]) >= FEWEST_WORDS
        ):
            yield item[start : cut.start()]
            start, bound_so_far = cut.end(), False
    yield item[start:]


def _depth(text: str, at: int) -> int:
    before = text[:at]
    return len(re.findall(r"[(（]", before)) - len(re.findall(r"[)）]", before))


def _has_bound(text: str, language: str) -> bool:
    return any(
        quantity.relation not in (Relation.EXACTLY, Relation.ABOUT) for quantity in find_quantities(text, language)
    )


def _said(one: Requirement, before: list[Requirement]) -> bool:
    """Whether all its figures stand in requirements found so far, or, without figures, nearly all its words."""
    if not before:
        return False
    if one.quantities:
        known = {(quantity.unit.dimension, quantity.base) for other in before for quantity in other.quantities}
        return all((quantity.unit.dimension, quantity.base) in known for quantity in one.quantities)
    words = set(re.findall(r"\w+", one.text.casefold()))
    return any(len(words & set(re.findall(r"\w+", other.text.casefold()))) > 0.7 * len(words) for other in before)

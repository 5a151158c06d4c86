"""Text into sentences, for every language the exchange sees. Pure.

Rules instead of a trained model: listings are short, technical and full of lists, figures and units ("công suất 3.5
tấn/giờ", "approx. 20 °C"), where rules do well and a border too few costs little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

# Words that end with a stop inside a sentence, in lower case without the stop. "etc", "vv" and the like are not here:
# they end sentences as often as not, and the next word's capital decides.
_ABBREVIATED_WORDS = """
    tp tx tt gs pgs ths ts ks bs cn ncs ttg đt tel fax mr mrs ms dr prof st vs no nos fig figs eq eqs
    ref refs vol ed eds sec ch chap approx ca cf resp incl excl max min avg temp dept univ inc ltd co corp jr sr op cit
    al e.g i.e u.s u.k u.n bzw z.b d.h u.a evtl ggf inkl zzgl nr abb tab bd hrsg dipl ing str bijv d.w.z o.a m.b.t t.o.v
    evt drs ir prov kab kec jl hal dsb dll tgl gb p.ex ex env éd art par ch.b n.b nb
"""
_ABBREVIATIONS = frozenset(_ABBREVIATED_WORDS.split())

# A stop, with the quotes and brackets that close after it.
_STOP = re.compile(r"(?:(?<![.!?…])[.!?…]++|[।؟۔])[\"'”’»)\]]*+(?=\s)|[。！？｡]+[」』”’）】]*")
_LINE = re.compile(r"[\r\n\u2028\u2029]+")
# A line that starts like this is an item of a list.
_ITEM = re.compile(r"\s*+(?:[-–—•·●▪■*✓➢+]\s|\(?(?:\d{1,2}|[a-zđ]|[ivx]{1,4})[.)]\s)", re.IGNORECASE)
# Items written on one line: "1) wash; 2) dry", "(i) … (ii) …", "• fast • cheap".
_RUN_TOGETHER = re.compile(r"(?<=[\s;,.:])(?=(?:\(?(?:\d{1,2}|[a-hđ]|[ivx]{1,4})\)|[•●▪■✓➢])\s)")
# After a stop without space: a lower-case or closing character, then a capital. "máy sấy.Công suất", "done.The".
_GLUED = re.compile(r"(?<=[a-zà-ỹđ)][.!?])(?=[A-ZÀ-ỸĐ][a-zà-ỹđ])")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘«]+$")
# One letter and a stop: an initial ("Nguyễn Văn A."), or half of "z. B.". After a figure it is a unit and may end.
_ONE_LETTER = re.compile(r"(?:^|[.(]|(?<!\d)\s)(?P<letter>[^\W\d_])\.$")
_NEXT_LETTER = re.compile(r"[^\W\d_]\.")
_NUMBER = re.compile(r"(?P<item>(?:^|[.!?;:]\s+)\(?\d{1,2}\.$)|(?P<ordinal>(?:^|\s)\d{1,2}\.$)|\d\.$")
# One "3)" may close a bracket; two or more are a list.
_FEWEST_ITEMS = 2
# A line break inside a sentence (a text with hard breaks): the line before is at least this long.
_WRAPPED_LINE = 40


def split_sentences(text: str, language: str | None = None) -> list[str]:
    """The sentences of `text` in order, stripped, none empty; joined again they hold every non-space character.

    Borders are sentence stops (also 。！？ and a stop glued to the next capital), line breaks where a paragraph, title
    or list item ends, and items run together on a line. No border after an abbreviation, an initial, an ordinal or
    inside a number. In German an ordinal may stand before a capital ("am 3. Mai"): `language` "de" keeps it together.
    """
    sentences = []
    for paragraph in _paragraphs(text):
        items = [found.start() for found in _RUN_TOGETHER.finditer(paragraph)]
        for item in _cut(paragraph, items if len(items) >= _FEWEST_ITEMS else []):
            sentences += _cut(item, _borders(item, language))
    return sentences


def _paragraphs(text: str) -> list[str]:
    """Lines, with those joined again that only wrap: no stop at the end, a small letter at the next start."""
    lines: list[str] = []
    for line in _LINE.split(text):
        line = line.strip()
        if not line:
            continue
        wraps = lines and len(lines[-1]) >= _WRAPPED_LINE and line[0].islower() and not _ITEM.match(line)
        if wraps and lines[-1][-1] not in ".!?:;。！？":
            lines[-1] += " " + line
        else:
            lines.append(line)
    return lines


def _borders(text: str, language: str | None) -> Iterator[int]:
    found = [match.end() for match in _STOP.finditer(text)] + [match.start() for match in _GLUED.finditer(text)]
    for end in sorted(found):
        if _is_border(text[:end], text[end:].lstrip(), language):
            yield end


def _is_border(before: str, after: str, language: str | None) -> bool:
    if not after or before[-1] in "。！？｡」』】":
        return bool(after)
    stopped = before.rstrip("\"'”’»)]")
    if not stopped.endswith("."):
        # "!" and "?" end a sentence unless it plainly goes on; an ellipsis likewise.
        return not after[0].islower()
    if after[0].islower() or after[0] in ",;:)]%":
        return False
    if stopped.endswith(".."):
        return True
    word = _LAST_WORD.search(stopped)
    if word and word.group().rstrip(".").lower() in _ABBREVIATIONS:
        return False
    letter = _ONE_LETTER.search(stopped)
    if letter and (letter["letter"].isupper() or _NEXT_LETTER.match(after)):
        return False
    number = _NUMBER.search(stopped)
    if number:
        # "1. Wash" numbers an item; "am 3. Mai" is an ordinal; "in 2024. The" ends.
        return not number["item"] and not (language == "de" and number["ordinal"])
    return True


def _cut(text: str, borders: Iterable[int]) -> list[str]:
    pieces, start = [], 0
    for border in borders:
        pieces.append(text[start:border].strip())
        start = border
    pieces.append(text[start:].strip())
    return [piece for piece in pieces if piece]

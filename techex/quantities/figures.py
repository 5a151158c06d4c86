"""Figures in texts: digits with separators, powers of ten, "1,4 triệu", "1億2000万", small numbers in words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from techex.quantities import words

DECIMAL_COMMA = frozenset({"vi", "id", "nl", "de", "fr", "es", "pt", "ru"})

FIGURE = r"\d{1,3}(?:[.,'’\u00a0\u202f]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)?"
_EASTERN = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_WORDS = "|".join(sorted((re.escape(word).replace(r"\ ", r"\s") for word in words.SCALES), key=len, reverse=True))
_SCALE = rf"(?:\s?(?:{_WORDS})(?![^\W\d_](?<![{_EASTERN}])))"
_POWER = r"(?:\s?[×x·]\s?10(?:\^(?P<caret>-?\d{1,2})|(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})))"
_NUMBER = re.compile(
    rf"(?P<sign>(?<![\w)%°])[-−–](?=\d))?(?P<figure>{FIGURE}){_POWER}?(?P<scale>{_SCALE}(?:\s?\d+{_SCALE})*)?", re.I
)
_TEN_TO = re.compile(r"10(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})")
_IN_WORDS = re.compile(
    r"(?<!\w)(?P<word>"
    + "|".join(sorted(words.NUMBER_WORDS, key=len, reverse=True))
    + rf"|(?<=within )an?|(?<=than )an?)(?=\s|[{_EASTERN}])",
    re.I,
)
# Part of a name ("PM2.5", "CO2", "IEC-60870"), of a longer number, or of a size ("12 × 9").
_INSIDE = re.compile(r"[A-Za-zÀ-ỹ_₀-₉][-.]?$|\d[.,]$|[×x*]\s?$")
_MONEY_NAME = re.compile(r"(?:Rp\.?|RM|VND|USD|EUR)$")
# "4 L per 10 kg", "every 20 minutes": what something is per, or how often.
_EVERY = re.compile(
    r"(?:/|(?<!\w)(?:per|mỗi|tiap|setiap|every|each|elke|pro|je|alle|toutes les|chaque)|매|毎|每)\s?$", re.I
)
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@dataclass(frozen=True)
class Figure:
    """A number in a text, from `start` to `end`, its scale word included."""

    start: int
    end: int
    value: float
    in_words: bool = False


def figures_in(text: str, language: str) -> list[Figure]:
    """The figures of a text in order; digits that belong to a name are left out."""
    found = [figure for match in _NUMBER.finditer(text) if (figure := _figure(match, language, _free(text, match)))]
    found += [
        Figure(match.start(), match.end(), words.NUMBER_WORDS.get(match["word"].casefold(), 1.0), in_words=True)
        for match in _IN_WORDS.finditer(text)
    ]
    return sorted(found, key=lambda figure: figure.start)


def figure_at(text: str, at: int, language: str) -> Figure | None:
    """The figure in digits that begins at `at`."""
    match = _NUMBER.match(text, at)
    return _figure(match, language, True) if match else None


def read_number(figure: str, language: str) -> float:
    """The value of digits with separators: the last of two kinds is the decimal one, one alone goes by `language`."""
    figure = re.sub(r"['’\u00a0\u202f]", "", figure)
    point, comma = figure.rfind("."), figure.rfind(",")
    if point >= 0 and comma >= 0:
        decimal = "." if point > comma else ","
    elif max(point, comma) < 0:
        return float(figure)
    else:
        mark = "." if point >= 0 else ","
        groups = figure.split(mark)
        thousands = all(len(group) == 3 for group in groups[1:]) and 0 < len(groups[0]) <= 3 and groups[0] != "0"
        by_language = mark == ("." if language in DECIMAL_COMMA else ",")
        decimal = "" if thousands and (len(groups) > 2 or by_language) else mark
    whole, _, part = figure.rpartition(decimal) if decimal else (figure, "", "")
    return float((re.sub(r"[.,]", "", whole) or "0") + ("." + part if part else ""))


def _free(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 12) : match.start()]
    if _INSIDE.search(before) and not _MONEY_NAME.search(before):
        return False
    return match["figure"] == "1" or not _EVERY.search(before)


def _figure(match: re.Match[str], language: str, free: bool) -> Figure | None:
    if not free:
        return None
    sign = -1.0 if match["sign"] else 1.0
    if ten := _TEN_TO.match(match.string, match.start("figure")):
        return Figure(match.start(), ten.end(), sign * 10.0 ** int(ten["raised"].translate(_RAISED)))
    exponent = match["caret"] or (match["raised"] or "0").translate(_RAISED)
    value = read_number(match["figure"], language) * 10.0 ** int(exponent)
    return Figure(match.start(), match.end(), sign * _scaled(value, match["scale"] or ""))


def _scaled(value: float, scale: str) -> float:
    """`value` times the words after it; "1億2000万" adds up."""
    parts = re.findall(r"(\d*)\s?([^\W\d_]+(?:\s[^\W\d_]+)?)", scale)
    if not parts:
        return value
    total = value * words.SCALES[_spaced(parts[0][1])]
    return total + sum(float(digits) * words.SCALES[_spaced(word)] for digits, word in parts[1:] if digits)


def _spaced(word: str) -> str:
    return re.sub(r"\s", " ", word).casefold()

"""Quantities in texts: figures with their units, bounds and ranges, as nine languages write them. Pure.

`find_quantities` reads "dưới 3 phút", "60–80 °C", "5 m³/giờ trở lên", "하루 20톤", "at most USD 0.12 a litre". Figures
without a unit are left alone (years, standards, model names): nothing can be compared with them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from techex.quantities import words
from techex.quantities.figures import FIGURE, Figure, figure_at, figures_in, read_number
from techex.quantities.units import ATOM, MONEY_BEFORE, TIME_NAMES, Unit, named, unit_of
from techex.quantities.words import Relation

# "About 50" means 45 to 55 to a reader; nothing finer can be read into it.
ABOUT = 0.10
# The words that bind a figure stand within this many characters before it ("no more than about USD").
LOOK_BACK = 40
# A page of matches reads its text for what it asks for, and once more for what it shows.
TEXTS_KEPT = 256
# Nobody reads so far for what a figure belongs to; without an end a text of figures alone would take minutes.
LONGEST_CLAUSE = 300
MOST_QUANTITIES = 200  # of one text of at most some thousand characters; a text of more is a table


@dataclass(frozen=True)
class Quantity:
    """A figure with its unit: what `text[start:end]` says, words of its bound included.

    `low` and `high` are in the unit as written; None where a side is open. `baseline` is True where the figure
    belongs to what something is compared with, `reached` where it is the end of a change ("from 31 to 12 %").
    `clause` is the part of the sentence it stands in.
    """

    text: str
    start: int
    end: int
    low: float | None
    high: float | None
    unit: Unit
    relation: Relation
    clause: str
    baseline: bool = False
    reached: bool = False
    written: str = ""  # figure and unit without the words of its bound

    @property
    def base(self) -> tuple[float | None, float | None]:
        """(low, high) in the common unit of its dimension, with the tolerance of "about"."""
        low = None if self.low is None else self.unit.base(self.low)
        high = None if self.high is None else self.unit.base(self.high)
        if self.relation is Relation.ABOUT and low is not None and high is not None:
            low, high = low - ABOUT * abs(low), high + ABOUT * abs(high)
        return low, high

    @property
    def value(self) -> float:
        """One figure for its size, in the common unit: the bound, or the middle of a range."""
        ends = [end for end in self.base if end is not None]
        return sum(ends) / len(ends)


_UNIT = re.compile(rf"\s?(?P<unit>{ATOM})")
_UNDER = re.compile(
    rf"(?:\s?(?:/|／)\s?|\s(?:{words.PER_AFTER})\s|每|\s(?=ngày|giờ)(?<=/))(?:1\s)?(?P<unit>{ATOM})", re.I
)
_UNDER_LATER = re.compile(rf"(?:\s(?:of\s|de\s)?[^\W\d_]+){{1,2}}(?:\s?/\s?|\s(?:per|mỗi|pro|par)\s)(?P<unit>{ATOM})")
_UNDER_ANYTHING = re.compile(
    r"\s?/\s?(?P<thing>[^\W\d_][\w-]*)|\s(?:mỗi|per|tiap|setiap|pro|je|par)\s(?P<named>[^\W\d_][\w-]*)"
)
_SUBSTANCE = re.compile(r"\s?(?:CaCO[3₃]|CO[2₂]e?|N|P|COD|BOD|TAN|as carbon)(?=\s?/|\s?per\s)")
_PER_BEFORE = {
    name: re.compile(rf"(?:{pattern})[^\d,.;:。，；：]{{0,12}}$", re.I) for name, pattern in words.PER_BEFORE.items()
}
_PER_UNIT_BEFORE = re.compile(rf"(?:1\s?)?(?P<unit>{ATOM})(?:당|あたり|当たり|につき)\s?(?:[^\d,.;。，；]{{0,6}})$")
_PER_AHEAD = re.compile(
    rf"(?<!\w)(?:per|mỗi|tiap|setiap|pro|par)\s(?P<unit>{ATOM})(?:\s[^\W\d_]+){{0,4}}\s(?:[^\W\d_]+\s)?$", re.I
)
_EACH_BEFORE = re.compile(r"(?:[\uac00-\ud7a3]당|あたり|当たり|につき)\s?$|每[\u4e00-\u9fff]{1,4}$")
_DOWN_TO = r"(?:(?<!\w)(?:xuống|còn|down to|to|into|menjadi|ke|naar|tot|auf|à)|に|로|으로|至|到)"
_REACHED = re.compile(
    rf"{_DOWN_TO}\s*+(?:{words.whole_words(words.BEFORE[Relation.AT_MOST])})?\s*+(?:còn|just|only|about|nog)?\s*+$",
    re.I,
)
_MONEY = re.compile(rf"(?P<unit>{MONEY_BEFORE})\s?$")
_RANGE = re.compile(rf"\s?(?:{words.RANGE.replace(' ', chr(92) + 's')})\s?(?=[\d€$−–-])", re.I)
_CHANGE = re.compile(rf"\s?,?\s?(?:{words.CHANGE.replace(' ', chr(92) + 's')})\s?(?=\d)", re.I)
_AND = re.compile(r"\s?(?:and|và|dan|en|und|et|と|와|과|和)\s?(?=\d)", re.I)
_MONEY_NEXT = re.compile(rf"(?:{MONEY_BEFORE})\s?")
_PH = re.compile(r"(?<![A-Za-z])pH\D{0,24}$")
_COUNTED_UNIT = re.compile(r"(?:に|あたり|当たり|につき|당)?\s?\d|あたり|当たり|につき|당")
_PLUS_MINUS = re.compile(rf"\s?(?:±|\+/-)\s?(?P<figure>{FIGURE})")
_BETWEEN = re.compile(r"(?:between|antara|tussen|zwischen|entre|giữa)\s+$", re.I)
_FROM = re.compile(r"(?<!\w)(?:từ|from|dari|van|von|de|从|自)\s*$", re.I)
_FILLER = (
    r"(?:\s*+(?:"
    + words.whole_words(words.BEFORE[Relation.ABOUT])
    + r"|là|ở|mức|of|bij|de|het|op|at|a|an|tại|在|为|為|:|=))*\s*+"
)
_BEFORE = {
    relation: re.compile(rf"(?:{words.whole_words(words.BEFORE[relation])})(?:{_FILLER})$", re.I)
    for relation in words.BEFORE
}
_AFTER = {
    relation: re.compile(rf"\s?\(?(?:{words.whole_words(pattern)})", re.I) for relation, pattern in words.AFTER.items()
}
_FALLING, _RISING = (re.compile(words.stemmed(pattern), re.I) for pattern in (words.FALLING, words.RISING))
_COMPARED_BEFORE = re.compile(words.whole_words(words.COMPARED_BEFORE), re.I)
_COMPARES = re.compile(rf"^(?:{words.whole_words(words.COMPARED_BEFORE)}|over\s)", re.I)
_COMPARED_AFTER = re.compile(words.COMPARED_AFTER)
_CLAUSE = re.compile(r"[;:；：。!?]|[,，、](?!\d)|(?<!\d)[,，、]|\.(?=\s|$)|[()（）]")
_COMPARISON_BORDER = re.compile(r"[,;:；：，。]\s|[。；：，、]|[.!?]\s")
_DENIED = re.compile(words.DENIED, re.I)
_PAST = re.compile(words.NOT_DENIED_PAST, re.I)
_DATE_BEFORE = re.compile(
    r"(?:\d\s?[/.月월年년-]\s?|(?:tháng|ngày|năm|quý|month|day|year|bulan|tahun|dag|jaar)\s)$", re.I
)
_DATE_AFTER = re.compile(r"\s?(?:/\d{4}|[/.-]\d{1,2}[/.-]\d{2,4}|分の|월\s?\d|月\d)")
_YEAR_LIKE = range(1900, 2101)
_WIDE = str.maketrans("０１２３４５６７８９．％", "0123456789.%")


def find_quantities(text: str, language: str = "en") -> list[Quantity]:
    """The quantities of a text in the order they stand in; `language` decides what "1.200" means."""
    return list(_read(text, language))


@lru_cache(maxsize=TEXTS_KEPT)
def _read(text: str, language: str) -> tuple[Quantity, ...]:
    return tuple(_Reader(text, language).read())


def compares(sentence: str) -> bool:
    """Whether a sentence sets the thing against another one: "So với …", "… 보다"."""
    return bool(_COMPARES.search(sentence) or _COMPARED_AFTER.search(sentence))


class _Reader:
    """One text on its way to quantities."""

    def __init__(self, text: str, language: str) -> None:
        self.original = text
        self.text = text.translate(_WIDE)  # of the same length, so that positions hold
        if language == "fr":
            self.text = re.sub(r"(?<=\d) (?=\d{3}(?!\d))", "\u202f", self.text)
        self.language = language
        self.borders = [0, *(found.end() for found in _CLAUSE.finditer(self.text)), len(text)]

    def read(self) -> list[Quantity]:
        found: list[Quantity] = []
        end = 0
        for figure in figures_in(self.text, self.language):
            if figure.start < end:
                continue
            if len(found) == MOST_QUANTITIES:
                break
            quantity = self._quantity(figure)
            if quantity is None:
                continue
            end = quantity.end
            last = found[-1] if found else None
            if last and self._continues(last, quantity):
                found[-1] = self._joined(last, quantity)
            else:
                found.append(quantity)
        return found

    def _quantity(self, figure: Figure) -> Quantity | None:
        money = _MONEY.search(self.text[: figure.start][-8:]) if not figure.in_words else None
        start = figure.start - (len(money.group()) if money else 0)
        low = high = figure.value
        end, relation = figure.end, Relation.EXACTLY
        unit = unit_of(named(money["unit"])) if money else None
        if unit is None:
            unit, end = self._unit(end)
            if figure.in_words and (unit is None or unit.over not in TIME_NAMES):
                return None
        if spread := _PLUS_MINUS.match(self.text, end):
            width = read_number(spread["figure"], self.language)
            low, high, end, relation = low - width, high + width, spread.end(), Relation.BETWEEN
            if unit is None:
                unit, end = self._unit(end)
        elif second := self._second(figure, end, unit):
            other, other_unit, other_end = second
            if self._is_change(figure, end, other):
                return None  # "from 300 to 50": only what is reached is said of the thing itself, and is read next
            if unit is None or other_unit is None or unit.dimension == other_unit.dimension:
                if unit is not None and other_unit is not None and unit != other_unit:
                    low = low * unit.base(1.0) / other_unit.base(1.0)
                low, high, relation = min(low, other.value), max(low, other.value), Relation.BETWEEN
                unit, end = other_unit or unit, other_end
        unit = unit or self._unit_before(start)
        if unit is None or self._is_date(figure, end, unit) or self._is_denominator(figure, end, unit):
            return None
        unit, end = self._rate(unit, start, end)
        return self._bounded(start, end, low, high, unit, relation)

    def _unit(self, at: int) -> tuple[Unit | None, int]:
        match = _UNIT.match(self.text, at)
        if match is None:
            return None, at
        return unit_of(named(match["unit"])), match.end()

    def _rate(self, unit: Unit, start: int, end: int) -> tuple[Unit, int]:
        """The unit with what it is per, read after it ("/giờ", "per hour") or before ("시간당 …", "1日…")."""
        if substance := _SUBSTANCE.match(self.text, end):
            end = substance.end()
        if unit.under:
            return unit, end
        if under := _UNDER.match(self.text, end):
            return unit_of(unit.over, named(under["unit"])), under.end()
        if (under := _UNDER_LATER.match(self.text, end)) and not unit.is_share:
            return unit_of(unit.over, named(under["unit"])), under.end()
        if under := _UNDER_ANYTHING.match(self.text, end):
            return unit_of(unit.over, "item"), under.end()
        before = self.text[max(0, start - LOOK_BACK) : start]
        before = before[_last_border(before) :]
        if unit.over not in TIME_NAMES and not unit.is_share and unit.over != "degC":
            if under := _PER_UNIT_BEFORE.search(before) or _PER_AHEAD.search(before):
                return unit_of(unit.over, named(under["unit"])), end
            for name, pattern in _PER_BEFORE.items():
                if pattern.search(before) and not unit.is_money:
                    return unit_of(unit.over, name), end
            if _EACH_BEFORE.search(before):
                return unit_of(unit.over, "item"), end
        return unit, end

    def _unit_before(self, start: int) -> Unit | None:
        """The scale that stands before its figure: pH 7."""
        before = self.text[max(0, start - LOOK_BACK) : start]
        return unit_of("ph") if _PH.search(before[_last_border(before) :]) else None

    def _second(self, first: Figure, at: int, unit: Unit | None) -> tuple[Figure, Unit | None, int] | None:
        """The other end of a range or a change that goes on at `at`, with its own unit and where it ends."""
        border = _RANGE.match(self.text, at) or _CHANGE.match(self.text, at)
        if border is None and _BETWEEN.search(self.text[max(0, first.start - LOOK_BACK) : first.start]):
            border = _AND.match(self.text, at)
        if border is None:
            return None
        money = _MONEY_NEXT.match(self.text, border.end())
        figure = figure_at(self.text, money.end() if money else border.end(), self.language)
        if figure is None:
            return None
        own, end = (unit, figure.end) if money else self._unit(figure.end)
        return figure, own or unit, end

    def _is_change(self, first: Figure, end: int, second: Figure) -> bool:
        """Whether two figures are before and after, not the ends of a range."""
        if _AND.match(self.text, end):
            return False
        if not _RANGE.match(self.text, end):
            return True
        before = self._clause_before(first.start)
        moving = _FALLING.search(before) or _RISING.search(before) or second.value < first.value
        return bool(moving and _FROM.search(before))

    def _clause_before(self, start: int) -> str:
        left = max(border for border in self.borders if border <= start)
        return self.text[max(left, start - LONGEST_CLAUSE) : start]

    def _is_denominator(self, figure: Figure, end: int, unit: Unit) -> bool:
        """ "1日1トン", "1kgあたり8円": the one of what something is per."""
        eastern = self.language in ("ja", "ko", "zh")
        return eastern and figure.value == 1 and bool(_COUNTED_UNIT.match(self.text, end)) and not unit.is_share

    def _is_date(self, figure: Figure, end: int, unit: Unit) -> bool:
        if _DATE_AFTER.match(self.text, figure.end):
            return True
        if unit.over not in TIME_NAMES:
            return False
        year = unit.over == "year" and figure.value in _YEAR_LIKE
        return year or (not figure.in_words and _DATE_BEFORE.search(self.text[: figure.start][-10:]) is not None)

    def _bounded(self, start: int, end: int, low: float, high: float, unit: Unit, relation: Relation) -> Quantity:
        """The quantity with the words that bind it, which stand before or after."""
        before = self.text[max(0, start - LOOK_BACK) : start]
        before = before[_last_border(before) :]
        first, last = start, end
        after = next(((which, found) for which, p in _AFTER.items() if (found := p.match(self.text, end))), None)
        bounds = [(found.start(), which) for which, p in _BEFORE.items() if (found := p.search(before))]
        if relation is Relation.BETWEEN:  # "từ 60 đến 80", "60도에서 80도까지": ends of the range, not bounds of it
            last = after[1].end() if after and after[0] is Relation.UP_TO else end
        elif after:
            relation, last = after[0], after[1].end()
        elif bounds:
            where, relation = min(bounds)
            first = start - len(before) + where
            word = before[where:].strip().casefold()
            # "over 15 years" is during them, "trên 300 mẫu" on them
            if (word == "over" and unit.over in TIME_NAMES) or (word == "trên" and unit.is_count):
                relation = Relation.EXACTLY
        if relation is Relation.AT_LEAST:
            if self._denied(first, last):
                relation = Relation.AT_MOST
            elif self.text[first:start].strip().casefold() == "quá":
                relation = Relation.EXACTLY  # "khi mất quá 10 giây": a condition
        ends: tuple[float | None, float | None] = (low, high)
        if relation is Relation.AT_LEAST:
            ends = (low, None)
        elif relation in (Relation.AT_MOST, Relation.UP_TO):
            ends = (None, high)
        return Quantity(
            text=self.original[first:last].strip(),
            start=first,
            end=last,
            low=ends[0],
            high=ends[1],
            unit=unit,
            relation=relation,
            clause=self._clause(first, last),
            baseline=self._compared(first, end, last),
            reached=bool(_REACHED.search(self.text[max(0, first - 16) : start])),
            written=self.original[start:end].strip(),
        )

    def _denied(self, start: int, end: int) -> bool:
        """Whether a word before denies the bound: "no piece over 400 kg", "不得回升至0.2%以上"."""
        before = self._clause_before(start)
        found = list(_DENIED.finditer(before))
        return bool(found) and not _PAST.search(before[found[-1].end() :])

    def _clause(self, start: int, end: int) -> str:
        left = max(border for border in self.borders if border <= start)
        right = min((border for border in self.borders if border >= end), default=len(self.text))
        left, right = max(left, start - LONGEST_CLAUSE), min(right, end + LONGEST_CLAUSE)
        return self.original[left:right].strip(" ,;:()，；：。、（）.")

    def _compared(self, start: int, end: int, bound_end: int) -> bool:
        """Whether the figure is the alternative's: after "so với" up to the next comma, or before "보다".

        "95 %보다 높은" alone is a bound; where another figure follows, it is the one that was surpassed.
        """
        far = max(0, start - LONGEST_CLAUSE)
        left = max(
            (found.end() for found in _COMPARISON_BORDER.finditer(self.text, far, start)),
            default=far,
        )
        if _COMPARED_BEFORE.search(self.text[left:start]):
            return True
        right = re.compile(r"[,;:；：，。、]|[.!?]\s").search(self.text, end)
        rest = self.text[: min(right.start() if right else len(self.text), end + LONGEST_CLAUSE)]
        return bool(_COMPARED_AFTER.search(rest, end)) and (
            bound_end == end or bool(re.search(r"\d", rest[bound_end:]))
        )

    def _continues(self, last: Quantity, this: Quantity) -> bool:
        """ "2 phút 20 giây" is one duration."""
        return (
            last.unit.over in TIME_NAMES
            and this.unit.over in TIME_NAMES
            and not last.unit.under
            and last.unit.base(1.0) > this.unit.base(1.0)
            and not self.text[last.end : this.start].strip()
            and this.relation is Relation.EXACTLY
        )

    def _joined(self, last: Quantity, this: Quantity) -> Quantity:
        more = (this.low or 0.0) * this.unit.base(1.0) / last.unit.base(1.0)
        return replace(
            last,
            text=self.original[last.start : this.end],
            end=this.end,
            low=None if last.low is None else last.low + more,
            high=None if last.high is None else last.high + more,
            clause=self._clause(last.start, this.end),
            written=last.written + self.text[last.end : this.end],
        )


def _last_border(text: str) -> int:
    return max((found.end() for found in _CLAUSE.finditer(text)), default=0)

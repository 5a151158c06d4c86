"""Texts on which a pattern with a fault takes its time: what each of its repetitions likes, over and over, and no end.

A pattern is read as the regular expression engine reads it. For each repetition in it there is a text that begins as
the pattern does, goes on with what is repeated, and breaks off where it should end.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from re import _constants as codes
from re import _parser as parser
from typing import Any

import techex

REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
MANY = 12  # from so many on a repetition is taken for endless
LETTERS = "a1 .A,-_/@:(ấ中가%°+'\"\n"
# What does not follow from one pattern alone.
COMMON = (
    *(" ", "\n", "a", "A", "0", ".", ",", "-", "_", "(", "ấ", "中", "가", "?", "'", "e\u0301"),
    *("a ", "A ", "A\n", "1 ", "1,", "1.", "1-", "a.", "a-", "a@", "€1", "(1", "ab12", "+84 ", "0,5 %", "m³/"),
    *("http://", "www.", "không ", "more than ", " per ", " of ", "TCVN ", "<a ", "=1+"),
)


def patterns() -> dict[str, re.Pattern[str]]:
    """Every pattern of ours, by where it stands: those that modules hold, and those written where they are used."""
    found: dict[str, re.Pattern[str]] = {}
    for module in pkgutil.walk_packages(techex.__path__, "techex."):
        if "migrations" in module.name or module.name.endswith("__main__"):
            continue
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            for pattern in _held(value):
                found.setdefault(f"{module.name}.{name} {pattern.pattern[:40]}", pattern)
        for text in _written(Path(str(loaded.__file__))):
            found.setdefault(f"{module.name} {text[:40]}", re.compile(text))
    once = {(pattern.pattern, pattern.flags): name for name, pattern in found.items()}
    return {name: found[name] for name in once.values()}


def _held(value: Any, depth: int = 0) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif isinstance(value, dict | list | tuple | set | frozenset) and depth < 3 and len(value) < 500:
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _held(one, depth + 1)


def _written(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def against(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    """Hostile texts of about this many characters."""
    ways = dict.fromkeys([*_attacks(parser.parse(pattern.pattern, pattern.flags)), *(("", text) for text in COMMON)])
    for start, again in list(ways)[:80]:
        yield start + again * (length // len(again)) + "\x00"
        if start:
            yield (start + again) * (length // len(start + again)) + "\x00"


def _attacks(sequence: Iterable[Any], start: str = "") -> Iterator[tuple[str, str]]:
    for code, value in sequence:
        if code in REPEATS:
            _, most, body = value
            if most is codes.MAXREPEAT or most >= MANY:
                only = list(body)
                if len(only) == 1 and only[0][0] is codes.IN:
                    yield from ((start, letter) for letter in _letters(only[0][1])[:6])
                else:
                    yield start, _sample(body) or "a"
            yield from _attacks(body, start)
        elif code is codes.BRANCH:
            for way in value[1]:
                yield from _attacks(way, start)
        elif code is codes.SUBPATTERN:
            yield from _attacks(value[3], start)
        elif code is codes.ATOMIC_GROUP:
            yield from _attacks(value, start)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _attacks(value[1], start)
        start += _sample([(code, value)])


def _sample(sequence: Iterable[Any]) -> str:
    """A text that fits, nearly always."""
    text = ""
    for code, value in sequence:
        if code is codes.LITERAL:
            text += chr(value)
        elif code in (codes.NOT_LITERAL, codes.ANY):
            text += "a" if value != ord("a") else "b"
        elif code is codes.IN:
            text += _letters(value)[0]
        elif code is codes.BRANCH:
            text += _sample(value[1][0])
        elif code is codes.SUBPATTERN:
            text += _sample(value[3])
        elif code is codes.ATOMIC_GROUP:
            text += _sample(value)
        elif code in REPEATS:
            text += _sample(value[2]) * min(max(value[0], 1), 50)
    return text


def _letters(items: list[Any]) -> list[str]:
    """Characters of a class."""
    whole = re.compile(f"[{_written_class(items)}]")
    return [letter for letter in LETTERS if whole.match(letter)] or [
        chr(value if code is codes.LITERAL else value[0])
        for code, value in items
        if code in (codes.LITERAL, codes.RANGE)
    ]


def _written_class(items: list[Any]) -> str:
    named = {
        codes.CATEGORY_DIGIT: r"\d",
        codes.CATEGORY_NOT_DIGIT: r"\D",
        codes.CATEGORY_SPACE: r"\s",
        codes.CATEGORY_NOT_SPACE: r"\S",
        codes.CATEGORY_WORD: r"\w",
        codes.CATEGORY_NOT_WORD: r"\W",
    }
    text = ""
    for code, value in items:
        if code is codes.NEGATE:
            text += "^"
        elif code is codes.LITERAL:
            text += re.escape(chr(value)) if chr(value) != "^" else r"\^"
        elif code is codes.RANGE:
            text += f"\\U{value[0]:08x}-\\U{value[1]:08x}"
        elif code is codes.CATEGORY:
            text += named[value]
    return text

"""Texts in further languages as columns of a table: `title:en`, `summary:en`, `origin:en`; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from techex.core.vocabulary import LANGUAGES, N_
from techex.errors import BadInput, Sentence
from techex.listings.rules import Kind, translated_fields

ORIGIN = "origin"
NESTED = "translations"  # where a format has objects: language -> {"origin", "values"}, as a listing keeps them
_COLUMN = re.compile(r"(.+)[:：]\s*+([a-z]{2})", re.IGNORECASE)


def names(kind: Kind) -> list[str]:
    """What may be said of a text in a further language: its fields, and where it comes from."""
    return [*(rule.name for rule in translated_fields(kind)), ORIGIN]


def target(name: str, code: str) -> str:
    """The column of one field in one language."""
    return f"{name}:{code}"


def split(column: str) -> tuple[str, str] | None:
    """The heading and the language of a column that names one: "Tên công nghệ: en"."""
    found = _COLUMN.fullmatch(column.strip())
    code = found.group(2).lower() if found else ""
    return (found.group(1).strip(), code) if found and code in LANGUAGES else None


def is_target(column: str, kind: Kind) -> bool:
    """True for the name of a column of a text in a further language."""
    found = split(column)
    return found is not None and found[0] in names(kind) and column == target(*found)


def read(row: Mapping[str, Any], kind: Kind, columns: Mapping[str, str]) -> dict[str, dict[str, Any]] | None:
    """The texts of a row by language: those of its object, then those of its columns; None where it has none.

    `columns` says which column is which (`title:en` -> column); columns that bear such a name need no saying. Raises
    BadInput for an object of another shape.
    """
    found = _nested(row.get(NESTED))
    by_name = {name: name for name in row if is_target(name, kind)}
    for wanted, column in {**by_name, **columns}.items():
        parts, value = split(wanted), row.get(column)
        if parts is None or not isinstance(value, str) or not value.strip():
            continue
        name, code = parts
        text = found.setdefault(code, {"values": {}})
        if name == ORIGIN:
            text[ORIGIN] = value.strip()
        else:
            text["values"][name] = value
    return found or None


def _nested(value: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    if value in (None, "", {}):
        return found
    good = isinstance(value, Mapping) and all(
        isinstance(text, Mapping) and isinstance(text.get("values", {}), Mapping) for text in value.values()
    )
    if not good:
        raise BadInput(
            Sentence(
                N_('expected an object of languages, such as {"en": {"origin": "author", "values": {"title": "…"}}}.')
            ),
            about=NESTED,
        )
    for code, text in value.items():
        found[str(code)] = {**text, "values": dict(text.get("values", {}))}
    return found


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its object of texts as columns."""
    found = {name: value for name, value in row.items() if name != NESTED}
    for code, text in (row.get(NESTED) or {}).items():
        found[target(ORIGIN, code)] = text[ORIGIN]
        found |= {target(name, code): value for name, value in text["values"].items()}
    return found


def columns(kind: Kind, codes: Iterable[str]) -> Iterator[str]:
    """The columns for texts in these languages, in order."""
    for code in sorted(codes):
        yield from (target(name, code) for name in names(kind))

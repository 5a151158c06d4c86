"""How columns of somebody else's file become fields of a listing; pure.

A map is a TOML file:

    external_id = "_id"                  # the column that identifies a row for good
    language = "en"                      # the same for all rows, or { column = "lang" }
    country = "US"

    [fields]
    title = "title"                      # field = column
    summary = { column = "text", cut = true }
    problem = { column = "text", after = "Scope:", cut = true }
    required_result = { column = "text", part = 2 }

    [constants]
    currency = "EUR"                     # field = value for all rows that do not say it

    [texts]
    "title:en" = "English title"         # a text in a further language; columns called title:en need no line

`after` and `before` take what stands behind or in front of a marker (the whole text where it is missing), `part` the
n-th piece of a text that is longer than its field, `cut` shortens at the end of a sentence and says so in the report.
`otherwise` is what rows get whose cell is empty: country = { column = "land", otherwise = "NL" }.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from techex.core.vocabulary import N_
from techex.errors import BadInput, Sentence, UnreadableFile
from techex.interchange import texts
from techex.listings.rules import FIELD_BY_NAME, Kind, fields_of

# Names under which files usually carry what identifies a row, tried in this order where no map names one.
ID_COLUMNS = ("external_id", "_id", "id")

# Everything of a listing that is not a field of its kind.
ENVELOPE = ("language", "country", "province", "visibility")

_SENTENCE_END = re.compile(r"(?<=[.!?;。！？；])[\s\"')\]]|\n")


class ColumnRule(BaseModel):
    """Where a field's value comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    after: str = ""
    before: str = ""
    part: int = Field(default=1, ge=1, le=9)
    cut: bool = False
    otherwise: str = ""


class ImportMap(BaseModel):
    """A whole map; the empty one takes columns that are named like our fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    external_id: str = ""
    language: str | ColumnRule = ColumnRule(column="language")
    country: str | ColumnRule = ColumnRule(column="country")
    province: str | ColumnRule = ColumnRule(column="province")
    visibility: str | ColumnRule = ColumnRule(column="visibility")
    fields: dict[str, str | ColumnRule] = Field(default_factory=dict)
    constants: dict[str, Any] = Field(default_factory=dict)
    texts: dict[str, str] = Field(default_factory=dict)  # "title:en" -> column


@dataclass(frozen=True)
class MappedRow:
    """One row after the map: raw values for the validator, and notes about what was shortened."""

    external_id: str
    values: Mapping[str, Any]
    envelope: Mapping[str, str]
    notes: tuple[str, ...]
    translations: Mapping[str, Mapping[str, Any]] | None = None  # None: the row says nothing of further languages


def read_map(path: Path, kind: Kind) -> ImportMap:
    """The map in a TOML file.

    Raises UnreadableFile naming the key that is wrong and what was expected.
    """
    try:
        read = ImportMap.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableFile(f"The map {path} cannot be read as TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableFile(f"The map {path} is wrong at {where!r}: {first['msg']}.") from error
    known = {rule.name for rule in fields_of(kind)}
    for name in (*read.fields, *read.constants):
        if name not in known:
            raise UnreadableFile(
                f"The map {path} names {name!r}, which is not a field of a {kind.value}; "
                f"expected one of {', '.join(sorted(known))}."
            )
    for name in read.texts:
        if not texts.is_target(name, kind):
            raise UnreadableFile(
                f"The map {path} names {name!r} among its texts; expected a field and a language, such as title:en."
            )
    return read


def apply_map(row: Mapping[str, Any], kind: Kind, mapping: ImportMap) -> MappedRow:
    """Take a row of a file through a map.

    Raises BadInput where it has no id.
    """
    notes: list[str] = []
    values: dict[str, Any] = dict(mapping.constants)
    named = {rule.name: rule.name for rule in fields_of(kind)} if not mapping.fields else {}
    for name, source in {**named, **mapping.fields}.items():
        rule = ColumnRule(column=source) if isinstance(source, str) else source
        value = row.get(rule.column)
        if isinstance(value, str):
            value = _taken(value, name, rule, notes)
        if value in (None, "", []):
            value = rule.otherwise
        if value not in (None, "", []):
            values[name] = value
    external_id = _external_id(row, mapping)
    further = texts.read(row, kind, mapping.texts)
    return MappedRow(external_id, values, _envelope(row, mapping), tuple(notes), further)


def _external_id(row: Mapping[str, Any], mapping: ImportMap) -> str:
    for column in (mapping.external_id,) if mapping.external_id else ID_COLUMNS:
        value = row.get(column)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    looked = mapping.external_id or ", ".join(ID_COLUMNS)
    raise BadInput(
        Sentence(
            N_("has no id (looked in column %(column)s). Every row needs one that never changes; name its column."),
            column=looked,
        ),
        about="external_id",
    )


def _envelope(row: Mapping[str, Any], mapping: ImportMap) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ENVELOPE:
        source = getattr(mapping, name)
        value = row.get(source.column) if isinstance(source, ColumnRule) else source
        if value in (None, "") and isinstance(source, ColumnRule):
            value = source.otherwise
        if value not in (None, ""):
            found[name] = str(value).strip()
    return found


def _taken(text: str, name: str, rule: ColumnRule, notes: list[str]) -> str:
    if rule.after and rule.after in text:
        text = text.split(rule.after, 1)[1]
    if rule.before and rule.before in text:
        text = text.split(rule.before, 1)[0]
    text = text.strip()
    longest = FIELD_BY_NAME[name].longest
    for _ in range(rule.part - 1):
        text = text[len(shortened(text, longest)) :].strip()
    if rule.cut or rule.part > 1:
        short = shortened(text, longest)
        if len(short) < len(text) and rule.cut:
            notes.append(f"{name}: shortened from {len(text)} to {len(short)} characters")
        text = short
    return text


def shortened(text: str, longest: int) -> str:
    """The beginning of `text`, at most `longest` characters, ended at a sentence where one ends in its second half."""
    if len(text) <= longest:
        return text
    head = text[:longest]
    ends = [match.start() for match in _SENTENCE_END.finditer(head) if match.start() >= longest // 2]
    if ends:
        return head[: ends[-1]].rstrip()
    return head.rsplit(" ", 1)[0].rstrip() if " " in head[longest // 2 :] else head

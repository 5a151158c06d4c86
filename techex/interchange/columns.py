"""Which column of a table is which field: guessed from its heading, and names in its cells read as codes; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from techex.core import vocabulary
from techex.core.mail import said_in
from techex.core.text import folded
from techex.interchange import texts
from techex.interchange.rules import ENVELOPE, ID_COLUMNS, ColumnRule, ImportMap
from techex.listings.rules import CURRENCIES, FieldRule, Kind, fields_of
from techex.regions.service import countries

PAGE_LANGUAGES = ("en", "vi")
EXTERNAL_ID = "external_id"
# A column that holds all there is to say: its beginning is the summary, and the main text is taken from it as well.
ONE_TEXT = "one_text"
_MAIN_TEXT: Mapping[Kind, str] = {Kind.NEED: "problem", Kind.OFFER: "description"}

# Headings that lists of institutes bear, beside the names and labels of our fields.
_ALSO: Mapping[str, Sequence[str]] = {
    EXTERNAL_ID: (*ID_COLUMNS, "mã", "mã số", "mã hồ sơ", "stt", "số hiệu", "code", "no"),
    "title": ("tên", "tiêu đề", "tên kết quả", "tên công nghệ", "tên nhu cầu", "name", "tên đề tài"),
    "summary": ("tóm tắt", "giới thiệu", "abstract", "short description"),
    "description": ("mô tả", "nội dung", "mô tả công nghệ"),
    ONE_TEXT: ("text", "full text", "toàn văn"),
    "advantages": ("ưu điểm", "lợi thế", "advantages"),
    "problem": ("vấn đề", "hiện trạng", "problem"),
    "required_result": ("yêu cầu", "kết quả cần đạt", "requirements"),
    "trl": ("trl", "mức trl"),
    "fields": ("lĩnh vực", "ngành", "field"),
    "price": ("giá", "giá bán", "price"),
    "deadline": ("hạn", "thời hạn", "deadline"),
    "language": ("ngôn ngữ", "language", "lang"),
    "country": ("quốc gia", "nước", "country"),
    "province": ("tỉnh", "tỉnh thành", "địa phương", "province"),
    "visibility": ("hiển thị", "visibility"),
}


def constants_of() -> Mapping[str, Sequence[str]]:
    """What one value may be given of to all rows of a table, with the values to choose from."""
    return {"currency": CURRENCIES, "country": tuple(countries()), "fields": tuple(vocabulary.FIELDS)}


def targets(kind: Kind) -> list[str]:
    """What a column may be: the id, a field, or one of those that go with a listing."""
    return [EXTERNAL_ID, *(rule.name for rule in fields_of(kind)), ONE_TEXT, *ENVELOPE]


@cache
def _headings(kind: Kind) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for rule in fields_of(kind):
        for heading in (
            rule.name,
            rule.name.replace("_", " "),
            *(said_in(code, rule.label) for code in PAGE_LANGUAGES),
        ):
            found.setdefault(folded(heading), rule.name)
    for name, headings in _ALSO.items():
        if name in targets(kind):
            for heading in (name, *headings):
                found.setdefault(folded(heading), name)
    return found


def guessed(columns: Iterable[str], kind: Kind, remembered: Mapping[str, str] | None = None) -> dict[str, str]:
    """Column -> what it is, as it was read the last time, else by its heading; each target once."""
    found: dict[str, str] = {}
    for column in columns:
        if not column:
            continue
        target = (remembered or {}).get(column)
        if target is None:
            target = _headings(kind).get(folded(column), "") or _text_target(column, kind)
        known = target in targets(kind) or texts.is_target(target, kind)
        found[column] = target if known and target not in found.values() else ""
    return found


def _text_target(column: str, kind: Kind) -> str:
    """ "Tên công nghệ: en" is the title in English."""
    parts = texts.split(column)
    if parts is None:
        return ""
    name = _headings(kind).get(folded(parts[0]), parts[0])
    return texts.target(name, parts[1]) if name in texts.names(kind) else ""


def further_targets(kind: Kind) -> list[str]:
    """What a column may be of a text in a further language; of long texts only where a heading says so."""
    return [texts.target(name, code) for code in vocabulary.LANGUAGES for name in ("title", "summary")]


def as_map(
    columns: Mapping[str, str], kind: Kind, language: str, constants: Mapping[str, str] | None = None
) -> ImportMap:
    """The map that reads a table so; `language` and `constants` are what rows get that do not say it themselves.

    Without a `language` it is found out row by row.
    """
    by_target = {target: column for column, target in columns.items() if target}
    one_text = by_target.pop(ONE_TEXT, "")
    further = {target: by_target.pop(target) for target in list(by_target) if texts.is_target(target, kind)}
    same = {**(constants or {}), "language": language}
    envelope: dict[str, Any] = {}
    for name in ENVELOPE:
        if name in by_target:
            envelope[name] = ColumnRule(column=by_target[name], otherwise=same.get(name, ""))
        elif same.get(name):
            envelope[name] = same[name]
    fields: dict[str, str | ColumnRule] = {
        target: column for target, column in by_target.items() if target not in (EXTERNAL_ID, *ENVELOPE)
    }
    if one_text:
        shortened = ColumnRule(column=one_text, cut=True)
        fields = {"summary": shortened, _MAIN_TEXT[kind]: shortened, **fields}
    given = {name: value for name, value in same.items() if value and name not in ENVELOPE}
    external_id = by_target.get(EXTERNAL_ID, "")
    return ImportMap(external_id=external_id, fields=fields, constants=given, texts=further, **envelope)


@cache
def _codes_by_name(name: str) -> Mapping[str, str]:
    known: Mapping[Any, str] = getattr(vocabulary, name)
    return {folded(said_in(language, label)): str(code) for language in PAGE_LANGUAGES for code, label in known.items()}


def in_codes(values: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The values with names of closed lists as their codes, where a cell says a name exactly, in either language."""
    found = dict(values)
    for rule in fields_of(kind):
        if rule.vocabulary and isinstance(value := found.get(rule.name), str):
            found[rule.name] = _in_codes(rule, value)
    return found


def _in_codes(rule: FieldRule, value: str) -> Any:
    names = _codes_by_name(rule.vocabulary)
    whole = names.get(folded(value))
    if whole is not None or rule.shape == "code":
        return whole or value
    # Names may hold commas, so lists of names are parted by semicolons and bars only.
    parts = [part.strip() for part in value.replace("|", ";").split(";") if part.strip()]
    if any(folded(part) in names for part in parts):
        return [names.get(folded(part), part) for part in parts]
    return value

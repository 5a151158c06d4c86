"""What a listing says: written from a draft, kept as a revision, read back, and two versions compared word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Any, Literal

from techex.core.text import folded
from techex.listings.rules import BODY_FIELDS, FIELD_BY_NAME, LOOSE_FACTS, Kind, ListingDraft, Visibility, fields_of
from techex.listings.tables import TITLE_KEY, Listing, ListingField, ListingTransferForm

_COLUMNS = (
    *("title", "summary", "trl", "ip_status", "ownership", "reach", "industry"),
    *("budget_min", "budget_max", "price", "currency", "deadline", "validity"),
)
_DATES = ("deadline", "validity")
_SETS = ("fields", "transfer_forms")  # their order says nothing
_ENVELOPE = ("language", "country", "province", "illustrative")
_WORD = re.compile(r"\w+|\s+|[^\w\s]")  # in scripts without spaces a run of letters is one word


def write(listing: Listing, draft: ListingDraft) -> None:
    """Bring a listing to what a checked draft says."""
    values = draft.values
    for name in _ENVELOPE:
        setattr(listing, name, getattr(draft, name))
    listing.visibility = draft.visibility.value
    for name in _COLUMNS:
        value = values.get(name)
        setattr(listing, name, date.fromisoformat(value) if name in _DATES and value is not None else value)
    if draft.translations is not None:
        listing.translations = {code: dict(text) for code, text in draft.translations.items()}
    further = [
        t["values"].get(name, "") for t in (listing.translations or {}).values() for name in ("title", "summary")
    ]
    listing.keywords = folded(" ".join([listing.title, listing.summary, *further]))
    listing.title_key = folded(listing.title).strip()[:TITLE_KEY]
    listing.body = {name: values[name] for name in (*BODY_FIELDS, *LOOSE_FACTS) if name in values}
    listing.field_rows = _codes(listing.field_rows, values.get("fields", ()), ListingField)
    listing.transfer_rows = _codes(listing.transfer_rows, values.get("transfer_forms", ()), ListingTransferForm)


def _codes(rows: Sequence[Any], codes: Iterable[str], table: type[Any]) -> list[Any]:
    have = {row.code: row for row in rows}
    return [have.get(code) or table(code=code) for code in codes]


def values_of(listing: Listing) -> dict[str, Any]:
    """Every field that is stated, as `checked_draft` takes it."""
    found: dict[str, Any] = {}
    for rule in fields_of(Kind(listing.kind)):
        inside = rule.name in BODY_FIELDS or rule.name in LOOSE_FACTS
        value = listing.body.get(rule.name) if inside else getattr(listing, rule.name)
        if value not in (None, "", []):
            found[rule.name] = value.isoformat() if isinstance(value, date) else value
    return found


def content_of(listing: Listing) -> dict[str, Any]:
    """All that a listing says, for a revision; who may see it is no part of that."""
    further = {"translations": listing.translations} if listing.translations else {}
    return {"values": values_of(listing)} | {name: getattr(listing, name) for name in _ENVELOPE} | further


def content_of_draft(draft: ListingDraft) -> dict[str, Any]:
    """All that a checked draft says, for a revision."""
    values = dict(draft.values)
    for name in _SETS:
        if name in values:
            values[name] = sorted(values[name])
    further = {"translations": dict(draft.translations)} if draft.translations else {}
    return {"values": values} | {name: getattr(draft, name) for name in _ENVELOPE} | further


def draft_of(listing: Listing, content: Mapping[str, Any]) -> ListingDraft:
    """The draft a revision was made from, for this listing and as visible as that is."""
    envelope = {name: content[name] for name in _ENVELOPE}
    visibility = Visibility(listing.visibility)
    return ListingDraft(
        Kind(listing.kind),
        values=content["values"],
        visibility=visibility,
        translations=content.get("translations", {}),
        **envelope,
    )


@dataclass(frozen=True)
class Piece:
    """A run of words that both versions have, or one of them."""

    text: str
    change: Literal["same", "added", "removed"]


@dataclass(frozen=True)
class FieldChange:
    """A field that two versions say differently; pieces for texts, else the two values."""

    name: str
    before: Any
    after: Any
    pieces: Sequence[Piece] = ()


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    """What differs between two contents, in reading order."""
    found = []
    old, new = before["values"], after["values"]
    for name, rule in FIELD_BY_NAME.items():
        if (was := old.get(name)) == (now := new.get(name)):
            continue
        is_text = rule.shape in ("text", "line")
        found.append(FieldChange(name, was, now, pieces(was or "", now or "") if is_text else ()))
    found += [
        FieldChange(name, before[name], after[name])
        for name in ("language", "country", "province")
        if before[name] != after[name]
    ]
    was, now = _further(before), _further(after)
    if was != now:
        found.append(FieldChange("translations", was, now, pieces(was, now)))
    return found


def _further(content: Mapping[str, Any]) -> str:
    """The texts in further languages as one, for a comparison."""
    return "\n\n".join(
        "\n".join([f"[{code}]", *text["values"].values()]) for code, text in content.get("translations", {}).items()
    )


def pieces(before: str, after: str) -> list[Piece]:
    """Two texts as one: what stayed, what was taken out, what was put in, by words."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    found: list[Piece] = []
    for tag, i, j, k, m in SequenceMatcher(str.isspace, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Piece("".join(old[i:j]), "same"))
            continue
        if j > i:
            found.append(Piece("".join(old[i:j]), "removed"))
        if m > k:
            found.append(Piece("".join(new[k:m]), "added"))
    return found

"""Several people at one draft: what each typed is kept, and where two wrote the same field both texts are shown.

A form carries the digest of each field as its page showed it, and a token of that page. A field that was typed
differently *and* is stored differently by another page by now is not overwritten: what was typed is put aside, beside
what is stored, until somebody chooses.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.errors import BadInput, Sentence
from techex.listings.posting_tables import SavedDraft
from techex.listings.rules import Kind, Origin, translated_fields

MOST_ASIDES = 4  # of one field: people who write it at the same time
_DIGEST = 12  # characters
_PAGE = 12

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Typed:
    """What a form sent: its values by field, what its page had shown, and which of two texts was chosen."""

    values: Values
    page: str = ""  # token of the page; empty for what comes from no page, which overwrites
    seen: Mapping[str, str] = field(default_factory=dict)  # field -> digest of what the page showed
    chosen: Mapping[str, str] = field(default_factory=dict)  # field -> page whose text is taken, "" for the stored one


@dataclass(frozen=True)
class Aside:
    """What somebody typed into a field that somebody else changed at the same time."""

    page: str
    value: Any
    person_id: int | None
    at: str


def new_page() -> str:
    """A token for a page that is shown."""
    return secrets.token_urlsafe(9)[:_PAGE]


def digest(value: Any) -> str:
    """A value in few characters; two that look the same in a form have the same."""
    if value in (None, "", [], {}, False):
        return ""
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    packed = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(packed.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]


def flat(draft: SavedDraft) -> dict[str, Any]:
    """The values of a draft by field, those of further languages as "en.title" and "en.origin"."""
    found = {name: value for name, value in draft.values.items() if name != "translations"}
    for code, text in (draft.values.get("translations") or {}).items():
        found[f"{code}.origin"] = text["origin"]
        found |= {f"{code}.{name}": value for name, value in text["values"].items()}
    return found


def shown(draft: SavedDraft, names: Iterable[str]) -> dict[str, str]:
    """What a page of these fields shows, as its form carries it."""
    values = flat(draft)
    return {name: digest(values.get(name)) for name in names}


def names_of_language(draft: SavedDraft, code: str) -> list[str]:
    """The fields of a text in a further language."""
    return [f"{code}.origin", *(f"{code}.{rule.name}" for rule in translated_fields(Kind(draft.kind)))]


def asides(draft: SavedDraft, names: Iterable[str] | None = None) -> dict[str, list[Aside]]:
    """What was put aside, by field; of these fields only, where they are named."""
    kept = draft.asides or {}
    wanted = kept if names is None else [name for name in names if name in kept]
    return {name: [Aside(**one) for one in kept[name]] for name in wanted}


def joined(context: Context, draft: SavedDraft, typed: Typed) -> tuple[dict[str, Any], Sequence[str]]:
    """The values of a draft after a form was sent, and the fields in which two wrote at the same time.

    Keeps in `draft` who wrote what and what was put aside. Raises BadInput where too many write one field.
    """
    stored, writers = flat(draft), dict(draft.writers or {})
    aside = {name: list(rows) for name, rows in (draft.asides or {}).items()}
    after, torn = dict(stored), []
    sent = dict(typed.values)
    for name, page in typed.chosen.items():
        rows = aside.pop(name, [])
        taken = next((row["value"] for row in rows if page and row["page"] == page), None)
        if taken is not None:
            after[name], writers[name] = taken, page
            sent.pop(name, None)
    for name, value in sent.items():
        now, before = digest(stored.get(name)), typed.seen.get(name)
        mine = writers.get(name) == typed.page
        if not typed.page or before is None or mine or now == before or digest(value) == now:
            if digest(value) != now:
                after[name], writers[name] = value, typed.page
            continue
        if digest(value) == before:
            continue  # this page changed nothing here: the other text stands
        torn.append(name)
        aside[name] = _put_aside(context, aside.get(name, []), typed.page, value)
    draft.writers = {name: page for name, page in writers.items() if page}
    draft.asides = {name: rows for name, rows in aside.items() if rows}
    return _deep(after), torn


def _put_aside(context: Context, rows: list[dict[str, Any]], page: str, value: Any) -> list[dict[str, Any]]:
    others = [row for row in rows if row["page"] != page]
    if len(others) >= MOST_ASIDES:
        raise BadInput(
            Sentence(N_("Too many people write this field at the same time. Copy your text and load the page again."))
        )
    person = context.actor.person_id
    return [*others, {"page": page, "value": value, "person_id": person, "at": context.now.isoformat()}]


def _deep(values: Values) -> dict[str, Any]:
    """`flat` the other way round."""
    found = {name: value for name, value in values.items() if "." not in name}
    texts: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        code, dot, inner = name.partition(".")
        if dot and value:
            text = texts.setdefault(code, {"origin": Origin.TRANSLATION.value, "values": {}})
            if inner == "origin":
                text["origin"] = value
            else:
                text["values"][inner] = value
    found["translations"] = {code: text for code, text in texts.items() if text["values"]}
    return found


def size(draft: SavedDraft) -> int:
    """Characters of what was put aside."""
    return sum(len(json.dumps(rows, ensure_ascii=False)) for rows in (draft.asides or {}).values())

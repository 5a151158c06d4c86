"""What the form of a draft sends, as it was typed; nothing is judged here."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from techex.core import vocabulary
from techex.listings.rules import FIELD_BY_NAME, Kind, Origin, translated_fields
from techex.listings.steps import PLACE_STEP, READERS, STEPS, Step

MOST_CODES = 40  # values of one field that are read


def read_step(data: MultiDict[str, str], kind: Kind, step: Step) -> dict[str, Any]:
    """The values of one step; a field that was left empty is there as an empty value, so that it is taken out."""
    found: dict[str, Any] = {}
    for name in step.fields:
        several = FIELD_BY_NAME[name].shape in ("codes", "numbers")
        found[name] = [v for v in data.getlist(name)[:MOST_CODES] if v] if several else data.get(name, "")
    if step is STEPS[kind][0]:
        found["language"] = data.get("language", "")
    if step.name == PLACE_STEP:
        found["place"] = data.get("place", "")
    if step is READERS:
        found["visibility"] = data.get("visibility", "")
        found["anonymous"] = data.get("anonymous") == "1"
    return found


def read_translation(data: MultiDict[str, str], kind: Kind) -> dict[str, Any]:
    """A text in a further language."""
    values = {rule.name: data.get(rule.name, "") for rule in translated_fields(kind)}
    origin = data.get("origin", "")
    return {
        "origin": origin if origin in set(Origin) else Origin.TRANSLATION.value,
        "values": {name: text for name, text in values.items() if text.strip()},
    }


def read_language(data: MultiDict[str, str]) -> str:
    """The language that was chosen; empty for none that is known."""
    code = data.get("add_language", "")
    return code if code in vocabulary.LANGUAGES else ""

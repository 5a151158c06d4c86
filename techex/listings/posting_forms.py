"""What the form of a draft sends, as it was typed; nothing is judged here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from techex.core import vocabulary
from techex.listings.rules import FIELD_BY_NAME, Kind, Origin, translated_fields
from techex.listings.steps import PLACE_STEP, READERS, STEPS, Step
from techex.listings.together import Typed

MOST_CODES = 40  # values of one field that are read
LONGEST_SEEN = 4_000  # characters of what a page has shown, in digests
LONGEST_PAGE = 24
STORED = "stored"  # chosen: what stands in the field
_CHOICE = "choose."


def read_step(data: MultiDict[str, str], kind: Kind, step: Step, *, is_listed: bool = False) -> dict[str, Any]:
    """The values of one step; a field that was left empty is there as an empty value, so that it is taken out.

    Who reads a listing that is there (`is_listed`) is decided on its page.
    """
    found: dict[str, Any] = {}
    for name in step.fields:
        several = FIELD_BY_NAME[name].shape in ("codes", "numbers")
        found[name] = [v for v in data.getlist(name)[:MOST_CODES] if v] if several else data.get(name, "")
    if step is STEPS[kind][0]:
        found["language"] = data.get("language", "")
    if step.name == PLACE_STEP:
        found["place"] = data.get("place", "")
    if step is READERS and not is_listed:
        found["visibility"] = data.get("visibility", "")
        found["anonymous"] = data.get("anonymous") == "1"
    return found


def read_typed(data: MultiDict[str, str], values: Mapping[str, Any]) -> Typed:
    """`values` as a form sent them, with what its page had shown, and which of two texts was chosen."""
    pairs = [one.partition(":") for one in data.get("seen", "")[:LONGEST_SEEN].split()]
    # While one types the form sends itself: what was chosen counts when a button is pressed.
    chosen = {
        name.removeprefix(_CHOICE): "" if page == STORED else page
        for name, page in data.items()
        if name.startswith(_CHOICE) and data.get("go")
    }
    return Typed(values, data.get("page", "")[:LONGEST_PAGE], {name: digest for name, _colon, digest in pairs}, chosen)


def read_translation(data: MultiDict[str, str], kind: Kind, code: str) -> dict[str, Any]:
    """A text in a further language, by field as "en.title"; all empty where it shall go."""
    gone = data.get("go") == "remove"
    texts = {rule.name: "" if gone else data.get(rule.name, "") for rule in translated_fields(kind)}
    origin = data.get("origin", "")
    said = origin if origin in set(Origin) else Origin.TRANSLATION.value
    found = {f"{code}.{name}": text if text.strip() else "" for name, text in texts.items()}
    return found | {f"{code}.origin": said if any(found.values()) else ""}


def read_language(data: MultiDict[str, str]) -> str:
    """The language that was chosen; empty for none that is known."""
    code = data.get("add_language", "")
    return code if code in vocabulary.LANGUAGES else ""

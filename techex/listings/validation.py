"""One validator for every surface: raw values in, checked values or a sentence per field out; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from techex.core import vocabulary
from techex.core.text import clean, clean_line, has_words
from techex.errors import BadInput, FieldErrors
from techex.listings.rules import FieldRule, Kind, ListingDraft, Visibility, fields_of
from techex.regions.service import check_place

MOST_BYTES_PER_CHARACTER = 4  # so a limit in characters also bounds what is stored
LARGEST_AMOUNT = 1e15  # beyond every budget in every currency; keeps sums exact in a double
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 1, 1)

_PLAIN_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?", re.ASCII)
_TRL = re.compile(r"(?:TRL\s*)?([0-9]{1,2})", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def checked_draft(
    kind: Kind,
    raw: Mapping[str, Any],
    *,
    language: str,
    country: str,
    province: str | None = None,
    visibility: str = Visibility.PUBLIC.value,
    external_id: str | None = None,
    illustrative: bool = False,
) -> ListingDraft:
    """A draft whose every value is of its field's shape and within its limits.

    `raw` maps field names to text, numbers, dates or lists; absent, None and empty values mean "not stated".
    Raises FieldErrors naming all fields that are wrong.
    """
    errors: dict[str, str] = {}
    values: dict[str, Any] = {}
    known = {rule.name for rule in fields_of(kind)}
    for name in raw:
        if name not in known and raw[name] not in (None, "", [], ()):
            errors[name] = f"a {kind.value} has no such field."
    for rule in fields_of(kind):
        try:
            value = _checked(rule, raw.get(rule.name))
        except BadInput as error:
            errors[rule.name] = str(error).removeprefix(f"{rule.name}: ")
            continue
        if value not in (None, "", []):
            values[rule.name] = value
        elif rule.required:
            errors[rule.name] = f"is missing; expected {rule.shortest} to {rule.longest} characters."
    _check_together(values, errors)
    for name, check in _envelope(language, country, province, visibility, external_id).items():
        try:
            check()
        except BadInput as error:
            errors[name] = str(error).removeprefix(f"{name}: ")
    if errors:
        raise FieldErrors(errors)
    return ListingDraft(
        kind=kind,
        language=language,
        values=values,
        country=country,
        province=province or None,
        visibility=Visibility(visibility),
        external_id=clean_line(external_id) if external_id else None,
        illustrative=illustrative,
    )


def _envelope(
    language: str, country: str, province: str | None, visibility: str, external_id: str | None
) -> dict[str, Callable[[], object]]:
    def check_language() -> None:
        if language not in vocabulary.LANGUAGES:
            raise BadInput(f"{language!r} is not known; expected one of {', '.join(vocabulary.LANGUAGES)}.")

    def check_visibility() -> None:
        if visibility not in {v.value for v in Visibility}:
            raise BadInput(f"{visibility!r} is not known; expected one of {', '.join(Visibility)}.")

    def check_external_id() -> None:
        if external_id and len(clean_line(external_id, "external_id")) > 200:
            raise BadInput("is longer than 200 characters.")

    return {
        "language": check_language,
        "country": lambda: check_place(country, province),
        "visibility": check_visibility,
        "external_id": check_external_id,
    }


def _check_together(values: Mapping[str, Any], errors: dict[str, str]) -> None:
    low, high = values.get("budget_min"), values.get("budget_max")
    if low is not None and high is not None and low > high:
        errors["budget_max"] = f"is {high:g}, less than the lower end {low:g}; exchange them."
    if (low is not None or high is not None or "price" in values) and "currency" not in values:
        errors.setdefault("currency", "is missing beside an amount; expected three letters such as VND or EUR.")


def _checked(rule: FieldRule, value: Any) -> Any:
    if value is None:
        return None
    match rule.shape:
        case "line" | "text":
            return _text(rule, value)
        case "trl":
            return _trl(rule, value)
        case "number":
            return _amount(rule, value)
        case "date":
            return _date(rule, value)
        case "currency":
            return _currency(rule, value)
        case "code":
            return _codes(rule, [value])[0] if value != "" else None
        case "codes" | "numbers":
            return _codes(rule, _listed(rule, value))


def _text(rule: FieldRule, value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{rule.name}: expected text, got {type(value).__name__}.")
    text = clean_line(value, rule.name) if rule.shape == "line" else clean(value, rule.name)
    if text and rule.shortest and not has_words(text):
        raise BadInput(f"{rule.name}: needs letters or digits.")
    if text and len(text) < rule.shortest:
        raise BadInput(
            f"{rule.name}: has {len(text)} characters; expected {rule.shortest} to {rule.longest}. Say more."
        )
    if len(text) > rule.longest:
        raise BadInput(
            f"{rule.name}: has {len(text)} characters; expected at most {rule.longest}. "
            f"Shorten it by {len(text) - rule.longest}."
        )
    return text


def _trl(rule: FieldRule, value: Any) -> int | None:
    if isinstance(value, str) and not value.strip():
        return None
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, str) and (found := _TRL.fullmatch(value.strip())):
        number = int(found.group(1))
    if number is None or not 1 <= number <= 9:
        raise BadInput(f"{rule.name}: {value!r} is not a readiness level; expected a whole number from 1 to 9.")
    return number


def _amount(rule: FieldRule, value: Any) -> float | None:
    if isinstance(value, str):
        if not value.strip():
            return None
        if not _PLAIN_NUMBER.fullmatch(value.strip()):
            raise BadInput(
                f"{rule.name}: {value!r} is not an amount; expected digits without separators, such as 250000000."
            )
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadInput(f"{rule.name}: {value!r} is not an amount; expected a number such as 250000000.")
    if not 0 <= value <= LARGEST_AMOUNT:
        raise BadInput(f"{rule.name}: {value:g} is out of range; expected 0 to {LARGEST_AMOUNT:g}.")
    return float(value)


def _date(rule: FieldRule, value: Any) -> str | None:
    if isinstance(value, date):
        value = value.isoformat()[:10]
    if isinstance(value, str) and not value.strip():
        return None
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value.strip()):
            raise ValueError
        found = date.fromisoformat(value.strip())
        if not EARLIEST <= found <= LATEST:
            raise ValueError
    except ValueError:
        raise BadInput(f"{rule.name}: {value!r} is not a date; expected year-month-day such as 2027-06-30.") from None
    return found.isoformat()


def _currency(rule: FieldRule, value: Any) -> str | None:
    if isinstance(value, str) and not value.strip():
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value.strip(), re.ASCII):
        raise BadInput(f"{rule.name}: {value!r} is not a currency; expected three capital letters such as VND or EUR.")
    return value.strip()


def _listed(rule: FieldRule, value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in re.split(r"[;,|]", value) if part.strip()]
    if isinstance(value, (list, tuple)):
        return list(value)
    raise BadInput(f"{rule.name}: expected a list of codes, or one text with codes between semicolons.")


def _codes(rule: FieldRule, codes: list[Any]) -> list[Any]:
    known: Mapping[Any, str] = getattr(vocabulary, rule.vocabulary)
    found: list[Any] = []
    for code in codes:
        if rule.shape == "numbers" and isinstance(code, str) and code.isascii() and code.isdigit():
            code = int(code[:6])
        elif rule.shape != "numbers" and isinstance(code, str):
            code = code.strip()
        if isinstance(code, bool) or not isinstance(code, (str, int)) or code not in known:
            listed = ", ".join(str(k) for k in list(known)[:12])
            raise BadInput(
                f"{rule.name}: {code!r} is not on the list; expected one of {listed}{' …' if len(known) > 12 else ''}."
            )
        if code not in found:
            found.append(code.value if hasattr(code, "value") else code)
    if rule.shape != "code" and rule.longest and len(found) > rule.longest:
        raise BadInput(f"{rule.name}: has {len(found)} entries; expected at most {rule.longest}.")
    return found

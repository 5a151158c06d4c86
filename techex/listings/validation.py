"""One validator for every surface: raw values in, checked values or a sentence per field out; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from techex.core import vocabulary
from techex.core.text import clean, clean_line, has_words
from techex.core.vocabulary import N_
from techex.errors import BadInput, FieldErrors, Sentence
from techex.listings.rules import (
    MOST_TRANSLATIONS,
    FieldRule,
    Kind,
    ListingDraft,
    Origin,
    Visibility,
    fields_of,
    translated_fields,
)
from techex.regions.service import check_place

MOST_BYTES_PER_CHARACTER = 4  # so a limit in characters also bounds what is stored
LONGEST_ID = 200  # characters, as the column has
LARGEST_AMOUNT = 1e15  # beyond every budget in every currency; keeps sums exact in a double
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 1, 1)

MOST_NAMED = 12  # codes that an error lists
LONGEST_QUOTE = 60  # characters of a wrong value that an error repeats

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
    translations: Mapping[str, Mapping[str, Any]] | None = None,
) -> ListingDraft:
    """A draft whose every value is of its field's shape and within its limits.

    `raw` maps field names to text, numbers, dates or lists; absent, None and empty values mean "not stated".
    `translations` maps further languages to an origin and values. Raises FieldErrors naming all fields that are wrong,
    those of a further language as "en.title".
    """
    errors: dict[str, str] = {}
    values: dict[str, Any] = {}
    known = {rule.name for rule in fields_of(kind)}
    for name in raw:
        if name not in known and raw[name] not in (None, "", [], ()):
            errors[name] = Sentence(N_("a %(kind)s has no such field."), kind=kind.value)
    for rule in fields_of(kind):
        try:
            value = _checked(rule, raw.get(rule.name))
        except BadInput as error:
            errors[rule.name] = error.sentence
            continue
        if value not in (None, "", []):
            values[rule.name] = value
        elif rule.required:
            errors[rule.name] = Sentence(
                N_("is missing; expected %(shortest)s to %(longest)s characters."),
                shortest=rule.shortest,
                longest=rule.longest,
            )
    _check_together(values, errors)
    for name, check in _envelope(language, country, province, visibility, external_id).items():
        try:
            check()
        except BadInput as error:
            errors[name] = error.sentence
    further = None if translations is None else _translations(kind, translations, language, errors)
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
        translations=further,
    )


def _translations(
    kind: Kind, raw: Mapping[str, Mapping[str, Any]], language: str, errors: dict[str, str]
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for code, text in raw.items():
        if code not in vocabulary.LANGUAGES:
            errors[code] = _unknown(code, vocabulary.LANGUAGES).sentence
        elif code == language:
            errors[code] = Sentence(N_("is the language the listing is written in; take this text out."))
        origin = text.get("origin", Origin.TRANSLATION.value)
        if origin not in {o.value for o in Origin}:
            errors[f"{code}.origin"] = _unknown(origin, [o.value for o in Origin]).sentence
        values: dict[str, str] = {}
        for rule in translated_fields(kind):
            try:
                value = _checked(rule, text.get("values", {}).get(rule.name))
            except BadInput as error:
                errors[f"{code}.{rule.name}"] = error.sentence
                continue
            if value:
                values[rule.name] = value
            elif rule.name in ("title", "summary"):
                errors[f"{code}.{rule.name}"] = Sentence(
                    N_("is missing; expected %(shortest)s to %(longest)s characters."),
                    shortest=rule.shortest,
                    longest=rule.longest,
                )
        found[code] = {"origin": origin, "values": values}
    if len(found) > MOST_TRANSLATIONS:
        errors["translations"] = Sentence(
            N_("has %(count)s entries; expected at most %(most)s."), count=len(found), most=MOST_TRANSLATIONS
        )
    return found


def _envelope(
    language: str, country: str, province: str | None, visibility: str, external_id: str | None
) -> dict[str, Callable[[], object]]:
    def check_language() -> None:
        if language not in vocabulary.LANGUAGES:
            raise _unknown(language, vocabulary.LANGUAGES)

    def check_visibility() -> None:
        if visibility not in {v.value for v in Visibility}:
            raise _unknown(visibility, [v.value for v in Visibility])

    def check_external_id() -> None:
        if external_id and len(clean_line(external_id, "external_id")) > LONGEST_ID:
            raise BadInput(Sentence(N_("is longer than %(most)s characters."), most=LONGEST_ID))

    return {
        "language": check_language,
        "country": lambda: check_place(country, province),
        "visibility": check_visibility,
        "external_id": check_external_id,
    }


def _unknown(code: str, known: Iterable[str]) -> BadInput:
    return BadInput(
        Sentence(N_("%(code)s is not known; expected one of %(known)s."), code=repr(code), known=", ".join(known))
    )


def _check_together(values: Mapping[str, Any], errors: dict[str, str]) -> None:
    low, high = values.get("budget_min"), values.get("budget_max")
    if low is not None and high is not None and low > high:
        errors["budget_max"] = Sentence(
            N_("is %(high)s, less than the lower end %(low)s; exchange them."), high=f"{high:g}", low=f"{low:g}"
        )
    if (low is not None or high is not None or "price" in values) and "currency" not in values:
        missing = Sentence(N_("is missing beside an amount; expected three letters such as VND or EUR."))
        errors.setdefault("currency", missing)


def _refused(rule: FieldRule, pattern: str, **values: object) -> BadInput:
    return BadInput(Sentence(pattern, **values), about=rule.name)


def _shown(value: object) -> str:
    """A wrong value as an error repeats it: enough of it to be recognised."""
    shown = repr(value)
    return shown if len(shown) <= LONGEST_QUOTE else f"{shown[:LONGEST_QUOTE]}…"


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
        raise _refused(rule, N_("expected text, got %(type)s."), type=type(value).__name__)
    text = clean_line(value, rule.name) if rule.shape == "line" else clean(value, rule.name)
    if text and rule.shortest and not has_words(text):
        raise _refused(rule, N_("needs letters or digits."))
    if text and len(text) < rule.shortest:
        raise _refused(
            rule,
            N_("has %(length)s characters; expected %(shortest)s to %(longest)s. Say more."),
            length=len(text),
            shortest=rule.shortest,
            longest=rule.longest,
        )
    if len(text) > rule.longest:
        raise _refused(
            rule,
            N_("has %(length)s characters; expected at most %(longest)s. Shorten it by %(excess)s."),
            length=len(text),
            longest=rule.longest,
            excess=len(text) - rule.longest,
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
        raise _refused(
            rule, N_("%(value)s is not a readiness level; expected a whole number from 1 to 9."), value=_shown(value)
        )
    return number


def _amount(rule: FieldRule, value: Any) -> float | None:
    if isinstance(value, str):
        if not value.strip():
            return None
        if not _PLAIN_NUMBER.fullmatch(value.strip()):
            raise _refused(
                rule,
                N_("%(value)s is not an amount; expected digits without separators, such as 250000000."),
                value=_shown(value),
            )
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _refused(
            rule, N_("%(value)s is not an amount; expected a number such as 250000000."), value=_shown(value)
        )
    if not 0 <= value <= LARGEST_AMOUNT:
        raise _refused(
            rule,
            N_("%(value)s is out of range; expected 0 to %(most)s."),
            value=f"{value:g}",
            most=f"{LARGEST_AMOUNT:g}",
        )
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
        raise _refused(
            rule, N_("%(value)s is not a date; expected year-month-day such as 2027-06-30."), value=_shown(value)
        ) from None
    return found.isoformat()


def _currency(rule: FieldRule, value: Any) -> str | None:
    if isinstance(value, str) and not value.strip():
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value.strip(), re.ASCII):
        raise _refused(
            rule,
            N_("%(value)s is not a currency; expected three capital letters such as VND or EUR."),
            value=_shown(value),
        )
    return value.strip()


def _listed(rule: FieldRule, value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in re.split(r"[;,|]", value) if part.strip()]
    if isinstance(value, (list, tuple)):
        return list(value)
    raise _refused(rule, N_("expected a list of codes, or one text with codes between semicolons."))


def _codes(rule: FieldRule, codes: list[Any]) -> list[Any]:
    known: Mapping[Any, str] = getattr(vocabulary, rule.vocabulary)
    found: list[Any] = []
    for code in codes:
        if rule.shape == "numbers" and isinstance(code, str) and code.isascii() and code.isdigit():
            code = int(code[:6])
        elif rule.shape != "numbers" and isinstance(code, str):
            code = code.strip()
        if isinstance(code, bool) or not isinstance(code, (str, int)) or code not in known:
            listed = ", ".join(str(k) for k in list(known)[:MOST_NAMED]) + (" …" if len(known) > MOST_NAMED else "")
            raise _refused(
                rule,
                N_("%(code)s is not on the list; expected one of %(listed)s."),
                code=_shown(code),
                listed=listed,
            )
        if code not in found:
            found.append(code.value if hasattr(code, "value") else code)
    if rule.shape != "code" and rule.longest and len(found) > rule.longest:
        raise _refused(
            rule, N_("has %(count)s entries; expected at most %(most)s."), count=len(found), most=rule.longest
        )
    return found

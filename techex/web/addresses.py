"""What stands in addresses: numbers of rows in paths; codes of closed lists and whole numbers behind the question mark.

An address that somebody mistyped still answers: unknown codes are left out, numbers out of range are clamped, and the
chips on the page show what was understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.routing import IntegerConverter, Map

MOST_VALUES = 40  # of one filter: more than the 34 provinces
LONGEST_WORDS = 200  # characters of a keyword search; whoever has more to say describes a problem instead
LARGEST_PAGE = 100_000
LARGEST_ROW = 2**31 - 1  # of an integer column in PostgreSQL
_LONGEST_NUMBER = 9  # digits

# Parameter of the address -> (name of the filter, the codes it may hold)
Codes = Mapping[str, tuple[str, Iterable[str]]]


# The one code of a filter that is on or off.
ON = ("yes",)


class RowNumber(IntegerConverter):
    """`<int:…>` of our routes: plain digits, as large as a row's number gets; anything else is no address of ours."""

    regex = "[0-9]{1,10}"

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=LARGEST_ROW)


def read_codes(data: MultiDict[str, str], codes: Codes) -> dict[str, Any]:
    """Filter -> its known codes in the order of the address, each once."""
    found: dict[str, Any] = {}
    for name, (attribute, known) in codes.items():
        asked = dict.fromkeys(data.getlist(name)[:MOST_VALUES])
        found[attribute] = tuple(code for code in asked if code in known)
    return found


def write_codes(filters: object, codes: Codes) -> dict[str, list[str]]:
    """The parameters that say the filters again; empty ones are left out."""
    found = {name: list(getattr(filters, attribute)) for name, (attribute, _) in codes.items()}
    return {name: values for name, values in found.items() if values}


def applied_codes(filters: object, codes: Codes) -> list[tuple[str, str]]:
    """(parameter, code) of every filter that is on, in the order of the form."""
    return [(name, code) for name, (attribute, _) in codes.items() for code in getattr(filters, attribute)]


def whole(value: str | None, otherwise: int) -> int:
    """A whole number from an address, or `otherwise` where there is none."""
    try:
        return int(value) if value and len(value) <= _LONGEST_NUMBER else otherwise
    except ValueError:
        return otherwise


def page_number(data: MultiDict[str, str]) -> int:
    """The page asked for, from 1."""
    return max(1, min(whole(data.get("page"), 1), LARGEST_PAGE))

"""What the address of a list of listings says, as one value; and the address that says it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for
from werkzeug.datastructures import MultiDict

from techex.core import vocabulary
from techex.core.text import clean_line
from techex.listings.queries import Browse
from techex.listings.rules import Kind
from techex.regions import service as regions
from techex.web import addresses

TRL = range(1, 10)
LONGEST_SLUG = 80  # characters, as the column has

CODES: addresses.Codes = {
    "field": ("fields", vocabulary.FIELDS),
    "region": ("regions", regions.regions()),
    "province": ("provinces", regions.provinces()),
    "country": ("countries", regions.countries()),
    "ip": ("ip_statuses", vocabulary.IP_STATUSES),
    "form": ("transfer_forms", vocabulary.TRANSFER_FORMS),
    "org": ("organisation_kinds", vocabulary.ORGANISATION_KINDS),
    "lang": ("languages", vocabulary.LANGUAGES),
    "verified": ("verified", addresses.ON),
}
SORTS: Mapping[Kind, tuple[str, ...]] = {
    Kind.NEED: ("newest", "deadline", "trl", "title"),
    Kind.OFFER: ("newest", "trl", "title"),
}


@dataclass(frozen=True)
class Asked:
    """A list as its reader set it; `filters` is what the query layer is asked."""

    filters: Browse

    @property
    def endpoint(self) -> str:
        """The endpoint of this list."""
        return "listings.needs" if self.filters.kind is Kind.NEED else "listings.results"

    def parameters(self) -> dict[str, Any]:
        """The parameters that say this list again; defaults are left out."""
        asked = self.filters
        found: dict[str, Any] = {"q": asked.words} if asked.words else {}
        found |= addresses.write_codes(asked, CODES)
        for name, value, default in (
            ("trl", asked.trl_min, None),
            ("organisation", asked.organisation, ""),
            ("sort", asked.sort, "newest"),
            ("page", asked.page, 1),
        ):
            if value != default:
                found[name] = value
        return found

    def address(self, **changes: Any) -> str:
        """The address of this list, or of one that differs in `changes`."""
        asked = Asked(replace(self.filters, **changes))
        return url_for(asked.endpoint, **asked.parameters())

    def at_page(self, page: int) -> str:
        """The address of another page of it."""
        return self.address(page=page)

    def file(self, suffix: str) -> str:
        """The address of all of it as a file."""
        whole = Asked(replace(self.filters, page=1))
        return url_for(f"{self.endpoint}_file", suffix=suffix, **whole.parameters())

    def without(self, name: str, code: str = "") -> Asked:
        """This list without one value of a parameter (or without the parameter), from its first page."""
        changes: dict[str, Any] = {"page": 1}
        if name in CODES:
            attribute = CODES[name][0]
            changes[attribute] = tuple(value for value in getattr(self.filters, attribute) if value != code)
        else:
            attribute, off = {"q": ("words", ""), "trl": ("trl_min", None), "organisation": ("organisation", "")}[name]
            changes[attribute] = off
        return Asked(replace(self.filters, **changes))

    def applied(self) -> list[tuple[str, str]]:
        """The filters that are on, as (parameter, code), in the order of the form."""
        asked = self.filters
        found = [("q", asked.words)] if asked.words else []
        found += addresses.applied_codes(asked, CODES)
        if asked.trl_min:
            found.append(("trl", str(asked.trl_min)))
        if asked.organisation:
            found.append(("organisation", asked.organisation))
        return found

    def bare(self) -> Asked:
        """The whole list."""
        return Asked(Browse(self.filters.kind, sort=self.filters.sort))


def read_list(data: MultiDict[str, str], kind: Kind) -> Asked:
    """The list that an address names; numbers out of range are clamped, unknown codes and orders left out.

    Raises BadInput where the words hold what is not text.
    """
    trl = addresses.whole(data.get("trl"), 0)
    sort = data.get("sort", "")
    return Asked(
        Browse(
            kind,
            words=clean_line(data.get("q", ""), "q")[: addresses.LONGEST_WORDS].rstrip(),
            **addresses.read_codes(data, CODES),
            trl_min=trl if trl in TRL else None,
            organisation=data.get("organisation", "")[:LONGEST_SLUG],
            sort=sort if sort in SORTS[kind] else "newest",
            page=addresses.page_number(data),
        )
    )

"""What the address of the directory says, as one value, and the address that says it again; an organisation's form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import url_for
from werkzeug.datastructures import MultiDict

from techex.core import vocabulary
from techex.core.text import clean_line
from techex.organisations.queries import SORTS, Directory
from techex.organisations.rules import OrganisationDraft
from techex.organisations.tables import Organisation
from techex.regions import service as regions
from techex.web import addresses

CODES: addresses.Codes = {
    "org": ("kinds", vocabulary.ORGANISATION_KINDS),
    "field": ("fields", vocabulary.FIELDS),
    "region": ("regions", regions.regions()),
    "province": ("provinces", regions.provinces()),
    "country": ("countries", regions.countries()),
    "verified": ("verified", addresses.ON),
}


@dataclass(frozen=True)
class AskedDirectory:
    """The directory as its reader set it; `filters` is what the query layer is asked."""

    filters: Directory

    def parameters(self) -> dict[str, Any]:
        """The parameters that say this directory again; defaults are left out."""
        found: dict[str, Any] = {"q": self.filters.words} if self.filters.words else {}
        found |= addresses.write_codes(self.filters, CODES)
        if self.filters.sort != "name":
            found["sort"] = self.filters.sort
        return found | ({"page": self.filters.page} if self.filters.page > 1 else {})

    def address(self, **changes: Any) -> str:
        """The address of this directory, or of one that differs in `changes`."""
        asked = AskedDirectory(replace(self.filters, **changes))
        return url_for("organisations.directory", **asked.parameters())

    def at_page(self, page: int) -> str:
        """The address of another page of it."""
        return self.address(page=page)

    def file(self, suffix: str) -> str:
        """The address of all of it as a file."""
        parameters = AskedDirectory(replace(self.filters, page=1)).parameters()
        return url_for("organisations.file", **parameters, suffix=suffix)

    def without(self, name: str, code: str = "") -> AskedDirectory:
        """This directory without one value of a parameter, from its first page."""
        if name == "q":
            return AskedDirectory(replace(self.filters, words="", page=1))
        attribute = CODES[name][0]
        kept = tuple(value for value in getattr(self.filters, attribute) if value != code)
        changes: dict[str, Any] = {attribute: kept, "page": 1}
        return AskedDirectory(replace(self.filters, **changes))

    def applied(self) -> list[tuple[str, str]]:
        """The filters that are on, as (parameter, code), in the order of the form."""
        words = [("q", self.filters.words)] if self.filters.words else []
        return words + addresses.applied_codes(self.filters, CODES)

    def bare(self) -> AskedDirectory:
        """The whole directory."""
        return AskedDirectory(Directory())


def read_directory(data: MultiDict[str, str]) -> AskedDirectory:
    """The directory that an address names.

    Raises BadInput where the words hold what is not text.
    """
    words = clean_line(data.get("q", ""), "q")[: addresses.LONGEST_WORDS].rstrip()
    sort = data.get("sort", "")
    found = Directory(words=words, **addresses.read_codes(data, CODES), page=addresses.page_number(data))
    return AskedDirectory(replace(found, sort=sort) if sort in SORTS else found)


# Names that the form asks for beside an organisation's own: in the languages of the pages.
NAME_LANGUAGES = ("vi", "en")
SCHEMES = ("tax_code", "ror")


def read_organisation(data: MultiDict[str, str]) -> OrganisationDraft:
    """What the form of an organisation says, not checked; a place that is none becomes a country that is none."""
    place = regions.place_of_code(data.get("place", ""))
    names = {code: data.get(f"name_{code}", "").strip() for code in NAME_LANGUAGES}
    return OrganisationDraft(
        name=data.get("name", ""),
        kind=data.get("kind", ""),
        country=place.country if place else "",
        province=place.province if place else None,
        names={code: name for code, name in names.items() if name},
        fields=tuple(data.getlist("field")),
        website=data.get("website", "").strip(),
        identifiers={scheme: data.get(scheme, "") for scheme in SCHEMES if data.get(scheme, "").strip()},
    )


def draft_of(organisation: Organisation) -> OrganisationDraft:
    """What an organisation says now, as the form shows it."""
    return OrganisationDraft(
        name=organisation.name,
        kind=organisation.kind,
        country=organisation.country,
        province=organisation.province,
        names=organisation.names,
        fields=organisation.field_codes,
        website=organisation.website,
        identifiers=organisation.identifiers,
        slug=organisation.slug,
    )

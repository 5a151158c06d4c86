"""What the address or the form of a search says, as one value; and the address that says it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from techex.core import vocabulary
from techex.core.text import clean
from techex.listings.rules import Kind
from techex.matching.rules import NO_FILTERS, Filters
from techex.regions import service as regions
from techex.regions.rules import HOME_COUNTRY, Place
from techex.web import addresses, replies

LONGEST_TEXT = 5_000  # characters of a free text; a longer one is cut, with a note
LONGEST_SHARED_TEXT = 1_500  # characters; a longer text stays in the page instead of its address
LONGEST_ADDRESS = 4_000  # bytes: within what every browser, proxy and our own server take
LARGEST_PAGE = 1_000
MOST_VALUES = 20  # of one filter; more would be every value there is

# Parameter of the address -> field of Filters, with the codes it may name. Unknown codes are left out: an address
# that somebody mistyped still answers, and the chips show what was understood.
CODES: dict[str, tuple[str, Iterable[str]]] = {
    "field": ("fields", {**vocabulary.FIELDS, **vocabulary.FIELD_GROUPS}),
    "country": ("countries", regions.countries()),
    "province": ("provinces", regions.provinces()),
    "region": ("regions", regions.regions()),
    "ip": ("ip_statuses", vocabulary.IP_STATUSES),
    "form": ("transfer_forms", vocabulary.TRANSFER_FORMS),
    "org": ("organisation_kinds", vocabulary.ORGANISATION_KINDS),
    "verified": ("verified", addresses.ON),
}
TRL = range(1, 10)


@dataclass(frozen=True)
class Search:
    """A search as its reader set it: text (empty below a listing), what is looked for, filters, page."""

    text: str = ""
    kind: Kind = Kind.OFFER
    language: str | None = None  # of the text, where the reader corrected it
    place: Place | None = None  # the reader's own, where they named it
    filters: Filters = NO_FILTERS
    page: int = 1
    cut: bool = False  # the text was longer than LONGEST_TEXT
    listing_id: int | None = None  # the listing whose matches these are, instead of a text
    heed: bool = True  # the order follows what the reader said of some of them

    @property
    def shareable(self) -> bool:
        """True when the whole search fits into an address."""
        return len(self.text) <= LONGEST_SHARED_TEXT and len(self.address()) <= LONGEST_ADDRESS

    def parameters(self) -> dict[str, Any]:
        """The parameters that say this search again; defaults are left out."""
        found: dict[str, Any] = {"text": self.text} if self.text else {}
        if self.kind is not Kind.OFFER and self.listing_id is None:
            found["for"] = self.kind.value
        if self.language:
            found["lang"] = self.language
        if self.place:
            found["place"] = place_code(self.place)
        for name, (attribute, _) in CODES.items():
            if values := getattr(self.filters, attribute):
                found[name] = list(values)
        if self.filters.trl_min:
            found["trl"] = self.filters.trl_min
        if self.filters.elsewhere:
            found["elsewhere"] = "1"
        if not self.heed:
            found["order"] = "plain"
        if self.page > 1:
            found["page"] = self.page
        return found

    def address(self, **changes: Any) -> str:
        """The address of this search, or of one that differs in `changes`."""
        search = replace(self, **changes)
        if search.listing_id is not None:
            return replies.address("matching.listing_matches", search.parameters(), listing_id=search.listing_id)
        return replies.address("matching.search", search.parameters())

    def without(self, name: str, code: str = "") -> Search:
        """This search without one value of a parameter (or without the parameter), from its first page."""
        changes: dict[str, Any] = {"page": 1}
        if name == "trl":
            changes["filters"] = replace(self.filters, trl_min=None)
        elif name == "elsewhere":
            changes["filters"] = replace(self.filters, elsewhere=False)
        elif name in CODES:
            attribute = CODES[name][0]
            kept = tuple(value for value in getattr(self.filters, attribute) if value != code)
            values: dict[str, Any] = {attribute: kept}
            changes["filters"] = replace(self.filters, **values)
        return replace(self, **changes)

    def bare(self) -> Search:
        """This search without any filter, from its first page."""
        return replace(self, filters=NO_FILTERS, page=1)

    def applied(self) -> list[tuple[str, str]]:
        """The filters that are on, as (parameter, code), in the order of the form."""
        found = [(name, code) for name, (attribute, _) in CODES.items() for code in getattr(self.filters, attribute)]
        if self.filters.trl_min:
            found.append(("trl", str(self.filters.trl_min)))
        if self.filters.elsewhere:
            found.append(("elsewhere", "1"))
        return found


def read_search(data: MultiDict[str, str]) -> Search:
    """The search that an address or a form names; numbers out of range are clamped, unknown codes left out.

    Raises BadInput where the text holds what is not text.
    """
    text = clean(data.get("text", ""), "text")
    values: dict[str, Any] = {}
    for name, (attribute, known) in CODES.items():
        asked = dict.fromkeys(data.getlist(name)[:MOST_VALUES])
        values[attribute] = tuple(code for code in asked if code in known)
    trl = _whole(data.get("trl"), 0)
    search = Search(
        text=text[:LONGEST_TEXT].rstrip(),
        kind=Kind.NEED if data.get("for") == Kind.NEED else Kind.OFFER,
        language=code if (code := data.get("lang", "")) in vocabulary.LANGUAGES else None,
        place=_place(data.get("place", "")),
        filters=Filters(**values, trl_min=trl if trl in TRL else None, elsewhere=data.get("elsewhere") == "1"),
        page=max(1, min(_whole(data.get("page"), 1), LARGEST_PAGE)),
        cut=len(text) > LONGEST_TEXT,
        heed=data.get("order") != "plain",
    )
    # The page of a long text has buttons instead of links: "region=X" pressed to be off, "page=2" to be shown.
    if without := data.get("without"):
        search = search.without(*without.split("=", 1))
    return search


def place_code(place: Place) -> str:
    """A place as one code: VN-33, NL."""
    return f"{place.country}-{place.province}" if place.province else place.country


def _place(code: str) -> Place | None:
    country, _, province = code.partition("-")
    if country not in regions.countries() or (province and (country, province) not in _provinces()):
        return None
    return Place(country, province or None)


def _provinces() -> set[tuple[str, str]]:
    return {(HOME_COUNTRY, code) for code in regions.provinces()}


def _whole(value: str | None, otherwise: int) -> int:
    try:
        return int(value) if value and len(value) < 10 else otherwise
    except ValueError:
        return otherwise

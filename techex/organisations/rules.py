"""What an organisation must say of itself; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from techex.core.text import clean_line, has_words
from techex.core.vocabulary import FIELDS, ORGANISATION_KINDS
from techex.errors import BadInput, FieldErrors
from techex.regions.service import check_place, fold

LONGEST_NAME = 200


@dataclass(frozen=True)
class OrganisationDraft:
    """What is known of an organisation before it is stored."""

    name: str
    kind: str = "enterprise"
    country: str = "VN"
    province: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    fields: Sequence[str] = ()
    website: str = ""
    identifiers: Mapping[str, str] = field(default_factory=dict)
    slug: str = ""
    illustrative: bool = False


def checked(draft: OrganisationDraft) -> OrganisationDraft:
    """The draft with clean text.

    Raises FieldErrors naming every field that is wrong.
    """
    errors: dict[str, str] = {}
    name = draft.name
    try:
        name = clean_line(draft.name, "name")
        if not has_words(name) or len(name) > LONGEST_NAME:
            errors["name"] = f"expected a name of 1 to {LONGEST_NAME} characters with letters or digits."
        check_place(draft.country, draft.province)
    except BadInput as error:
        errors["name" if "name" not in errors and str(error).startswith("name") else "country"] = str(error)
    if draft.kind not in ORGANISATION_KINDS:
        errors["kind"] = (
            f"{draft.kind!r} is not a kind of organisation; expected one of {', '.join(ORGANISATION_KINDS)}."
        )
    if unknown := [code for code in draft.fields if code not in FIELDS]:
        errors["fields"] = f"{', '.join(unknown)}: not a field code; expected second-level codes such as 207 or 401."
    if draft.website and not re.fullmatch(r"https?://[^\s/]+\.[^\s]+", draft.website):
        errors["website"] = "expected an address that begins with https:// or http://."
    if errors:
        raise FieldErrors(errors)
    return OrganisationDraft(**draft.__dict__ | {"name": name, "slug": draft.slug or slug_of(name)})


def slug_of(name: str) -> str:
    """A short name for addresses: plain letters, digits and hyphens, at most 60 characters."""
    words = [fold(word) for word in name.split()]
    slug = "-".join(word for word in words if word)[:60].strip("-")
    return slug or "organisation"

"""What an organisation must say of itself, what may be checked about it, and how long an invitation lives; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from techex.core.text import clean_line, has_words
from techex.core.vocabulary import FIELDS, N_, ORGANISATION_KINDS
from techex.errors import BadInput, Conflict, FieldErrors, Sentence
from techex.organisations.identifiers import checked_identifiers
from techex.regions.rules import HOME_COUNTRY
from techex.regions.service import check_place, fold

LONGEST_NAME = 200
LONGEST_WEBSITE = 300
MOST_FIELDS = 10
LONGEST_POSITION = 120
LONGEST_NOTE = 1000
INVITATION_DAYS = 14
MOST_OPEN_INVITATIONS = 50  # of one organisation: more than any staff list typed by hand
MOST_UNVERIFIED = 3  # organisations that one person has registered and nobody has verified yet

# What an operator may have done to know who an organisation is.
CHECKS: Mapping[str, str] = {
    "register": N_("found in the official register of enterprises or of science organisations"),
    "tax_code": N_("tax code confirmed with the tax authority"),
    "papers": N_("licence or decision of establishment seen"),
    "address": N_("e-mail address of its own domain confirmed"),
    "called": N_("called on a number found elsewhere than here"),
    "visited": N_("visited in person"),
}

# What a change of these undoes: the verification was about them.
IDENTITY = ("kind", "name", "country", "province", "identifiers")


class AlreadyListed(Conflict):
    """The directory has an organisation with this identifier; it may be named, since everybody can read it there."""

    def __init__(self, slug: str, name: str) -> None:
        self.slug, self.name = slug, name
        pattern = N_(
            "%(name)s is registered here with this identifier. If it is yours, ask its managers to invite you."
        )
        super().__init__(Sentence(pattern, name=name))


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
    values: dict[str, object] = {}
    checks: dict[str, Callable[[], object]] = {
        "name": lambda: _name(draft.name),
        "names": lambda: {code: _name(name) for code, name in draft.names.items() if name},
        "country": lambda: _country(draft.country, draft.province),
        "identifiers": lambda: checked_identifiers(draft.identifiers, draft.country or HOME_COUNTRY),
        "kind": lambda: _kind(draft.kind),
        "fields": lambda: _fields(draft.fields),
        "website": lambda: _website(draft.website),
    }
    for field_name, check in checks.items():
        try:
            values[field_name] = check()
        except FieldErrors as error:
            errors |= error.fields
        except BadInput as error:
            errors[field_name] = error.sentence
    if errors:
        raise FieldErrors(errors)
    return OrganisationDraft(**draft.__dict__ | values | {"slug": draft.slug or slug_of(str(values["name"]))})


def _name(text: str) -> str:
    name = clean_line(text, "name")
    if not has_words(name) or len(name) > LONGEST_NAME:
        raise BadInput(
            Sentence(N_("expected a name of 1 to %(most)s characters with letters or digits."), most=LONGEST_NAME)
        )
    if re.search(r"://|www\.|@", name, re.IGNORECASE):
        # Names stand in letters to strangers.
        raise BadInput(Sentence(N_("holds an address. Write the name alone; there is a field for the website.")))
    return name


def _country(country: str, province: str | None) -> str:
    if not country:
        raise BadInput(Sentence(N_("Choose the province or country of its seat.")))
    return check_place(country, province).country


def _kind(code: str) -> str:
    if code not in ORGANISATION_KINDS:
        known = ", ".join(ORGANISATION_KINDS)
        raise BadInput(
            Sentence(
                N_("%(code)s is not a kind of organisation; expected one of %(known)s."), code=repr(code), known=known
            )
        )
    return code


def _fields(codes: Sequence[str]) -> tuple[str, ...]:
    if unknown := [code for code in codes if code not in FIELDS]:
        pattern = N_("%(codes)s: not a field code; expected second-level codes such as 207 or 401.")
        raise BadInput(Sentence(pattern, codes=", ".join(unknown)))
    if len(codes) > MOST_FIELDS:
        raise BadInput(Sentence(N_("expected at most %(most)s fields."), most=MOST_FIELDS))
    return tuple(dict.fromkeys(codes))


def _website(address: str) -> str:
    website = clean_line(address, "website")
    if website and (len(website) > LONGEST_WEBSITE or not re.fullmatch(r"https?://[^\s/]+\.[^\s]+", website)):
        raise BadInput(Sentence(N_("expected an address that begins with https:// or http://.")))
    return website


def checked_checks(codes: Sequence[str]) -> list[str]:
    """What was checked, in the order of CHECKS; raises BadInput where nothing was."""
    found = [code for code in CHECKS if code in codes]
    if not found:
        raise BadInput(Sentence(N_("Say what you checked: tick at least one line.")), about="checked")
    return found


def slug_of(name: str) -> str:
    """A short name for addresses: plain letters, digits and hyphens, at most 60 characters."""
    words = [fold(word) for word in name.split()]
    slug = "-".join(word for word in words if word)[:60].strip("-")
    return slug or "organisation"

"""What a listing is made of, which states it passes through, and who may see it; pure.

FIELDS is the one table of fields: form, import and export read it, so all surfaces give the same verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from techex.core.context import Actor
from techex.core.vocabulary import N_


class Kind(StrEnum):
    """What a listing is: demand or supply."""

    NEED = "need"
    OFFER = "offer"

    @property
    def other(self) -> Kind:
        """The kind that can match this one."""
        return Kind.OFFER if self is Kind.NEED else Kind.NEED


class State(StrEnum):
    """Where a listing is in its life."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    RETURNED = "returned"
    PUBLISHED = "published"
    ON_HOLD = "on_hold"
    FLAGGED = "flagged"
    EXPIRED = "expired"
    ARCHIVED = "archived"
    WITHDRAWN = "withdrawn"


class Visibility(StrEnum):
    """For whom a published listing is; each class has indexes of its own."""

    PUBLIC = "public"
    MEMBERS = "members"
    RESTRICTED = "restricted"


class Audience(StrEnum):
    """Who reads a field of a listing, among those who may see the listing; its organisation always does."""

    EVERYONE = "everyone"
    MEMBERS = "members"  # of any verified organisation, and operators
    OPERATORS = "operators"


class Teaser(StrEnum):
    """Who learns that a restricted listing is there, in the words its owner has chosen for that."""

    NONE = "none"
    PUBLIC = "public"
    MEMBERS = "members"


SEARCHABLE = frozenset({State.PUBLISHED})
# What operators read whatever its visibility: what was shown to them once, until its owner takes it out.
REVIEWED = frozenset(State) - {State.DRAFT, State.WITHDRAWN}
LIFE_DAYS = 365  # a published listing lives this long, then its owner is asked

# Currencies that forms offer; a file may name any other.
CURRENCIES = ("VND", "USD", "EUR", "KRW", "JPY", "CNY", "GBP", "SGD", "THB", "AUD")

Shape = Literal["line", "text", "trl", "codes", "code", "numbers", "number", "date", "currency"]


@dataclass(frozen=True)
class FieldRule:
    """One field: for which kinds, how long, from which list; `embedded` says whether matching reads it, `audience` who
    does."""

    name: str
    label: str
    kinds: frozenset[Kind]
    shape: Shape
    shortest: int = 0  # characters, where anything is stated at all
    longest: int = 0  # characters, or how many codes
    required: bool = False
    vocabulary: str = ""  # name of the closed list in core.vocabulary
    embedded: bool = False
    audience: Audience = Audience.EVERYONE


BOTH = frozenset(Kind)
NEED = frozenset({Kind.NEED})
OFFER = frozenset({Kind.OFFER})

FIELDS: tuple[FieldRule, ...] = (
    FieldRule("title", N_("Title"), BOTH, "line", 10, 160, required=True, embedded=True),
    FieldRule("summary", N_("Summary"), BOTH, "text", 50, 500, required=True, embedded=True),
    FieldRule("problem", N_("The problem now"), NEED, "text", 0, 2000, embedded=True),
    FieldRule("required_result", N_("Required result"), NEED, "text", 0, 2000, embedded=True),
    FieldRule("tried", N_("What was already tried"), NEED, "text", 0, 1000, embedded=True),
    FieldRule("constraints", N_("Constraints"), NEED, "text", 0, 1000, embedded=True),
    FieldRule("problem_solved", N_("Problem solved"), OFFER, "text", 0, 1000, embedded=True),
    FieldRule("description", N_("Description"), OFFER, "text", 100, 4000, required=True, embedded=True),
    FieldRule("advantages", N_("Advantages over an alternative"), OFFER, "text", 20, 2000, embedded=True),
    FieldRule("economics", N_("Economics"), OFFER, "text", 0, 1000, embedded=True),
    FieldRule("trl_evidence", N_("Evidence for the readiness"), OFFER, "text", 0, 1000),
    # A number leads to the applicant's name in a public register: those who broker check it, nobody else needs it.
    FieldRule("ip_numbers", N_("IP numbers"), OFFER, "line", 0, 200, audience=Audience.OPERATORS),
    FieldRule("decision_number", N_("Decision number"), OFFER, "line", 0, 100),
    FieldRule("decision_date", N_("Decision date"), OFFER, "date"),
    FieldRule("originating_task", N_("Originating task"), OFFER, "line", 0, 300),
    FieldRule("partner_sought", N_("Partner sought"), OFFER, "text", 0, 1000),
    FieldRule("standards", N_("Standards met"), OFFER, "line", 0, 300),
    FieldRule("references", N_("Where it is in use"), OFFER, "text", 0, 1000),
    # Whom to call about it: an introduction goes through an operator.
    FieldRule("contact", N_("Contact"), BOTH, "line", 0, 200, audience=Audience.OPERATORS),
    FieldRule("trl", N_("Technology readiness level"), BOTH, "trl"),
    FieldRule("transfer_forms", N_("Transfer forms"), BOTH, "codes", 0, 9, vocabulary="TRANSFER_FORMS"),
    FieldRule("fields", N_("Fields of science and technology"), BOTH, "codes", 0, 3, vocabulary="FIELDS"),
    FieldRule("industry", N_("Industry"), BOTH, "code", vocabulary="INDUSTRIES"),
    FieldRule("sdg", N_("Sustainable development goals"), BOTH, "numbers", 0, 17, vocabulary="SDGS"),
    FieldRule("ip_status", N_("IP status"), OFFER, "code", vocabulary="IP_STATUSES"),
    FieldRule("ownership", N_("Ownership"), OFFER, "code", vocabulary="OWNERSHIPS"),
    FieldRule("partner_kinds", N_("Kinds of partner sought"), OFFER, "codes", 0, 4, vocabulary="ORGANISATION_KINDS"),
    # Of a need: from where results may come; of a result: for where its owner offers it. Both are conditions.
    FieldRule("reach", N_("How far to look"), BOTH, "code", vocabulary="REACHES"),
    FieldRule("budget_min", N_("Budget from"), NEED, "number"),
    FieldRule("budget_max", N_("Budget to"), NEED, "number"),
    FieldRule("price", N_("Indicative price"), OFFER, "number", audience=Audience.MEMBERS),
    FieldRule("currency", N_("Currency"), BOTH, "currency"),
    FieldRule("deadline", N_("Deadline"), NEED, "date"),
    FieldRule("validity", N_("Valid until"), OFFER, "date"),
)
FIELD_BY_NAME: Mapping[str, FieldRule] = {rule.name: rule for rule in FIELDS}

# The long texts of a listing, in reading order; they are stored together, since no query asks for one of them.
BODY_FIELDS = tuple(
    rule.name for rule in FIELDS if rule.shape in ("text", "line") and rule.name not in ("title", "summary")
)
# Facts that no query asks for; stored with the body.
LOOSE_FACTS = ("decision_date", "sdg", "partner_kinds")
# Fields that not everybody reads who sees the listing.
GUARDED: Mapping[str, Audience] = {rule.name: rule.audience for rule in FIELDS if rule.audience != Audience.EVERYONE}


class Origin(StrEnum):
    """Where a text in a further language comes from."""

    AUTHOR = "author"  # written so by its owner
    TRANSLATION = "translation"


MOST_TRANSLATIONS = 5  # further languages of a listing; matching reads a few passages of each


def translated_fields(kind: Kind) -> list[FieldRule]:
    """The fields that may be said in further languages: texts that everybody reads who sees the listing."""
    return [
        rule for rule in fields_of(kind) if (rule.name == "title" or rule.shape == "text") and rule.name not in GUARDED
    ]


def fields_of(kind: Kind) -> list[FieldRule]:
    """The fields that a need or an offer has, in reading order."""
    return [rule for rule in FIELDS if kind in rule.kinds]


@dataclass(frozen=True)
class Suited:
    """How a listing stood when the whole exchange was last compared: how many of the other kind suit it, and by what
    strength (0 to 100) the nearest does."""

    count: int
    best: int


@dataclass(frozen=True)
class ListingDraft:
    """A listing before it is stored: `values` maps names of FIELDS to checked values."""

    kind: Kind
    language: str
    values: Mapping[str, Any]
    country: str = "VN"
    province: str | None = None
    visibility: Visibility = Visibility.PUBLIC
    external_id: str | None = None
    illustrative: bool = False
    # Language -> {"origin": one of Origin, "values": {field: text}}; None leaves those as they are that a listing has.
    translations: Mapping[str, Mapping[str, Any]] | None = None


def visible_classes(actor: Actor) -> frozenset[Visibility]:
    """The visibility classes of which an actor may search and read everything."""
    if actor.is_system or actor.is_operator:
        return frozenset(Visibility)
    if actor.is_member:
        return frozenset({Visibility.PUBLIC, Visibility.MEMBERS})
    return frozenset({Visibility.PUBLIC})


def may_see(
    actor: Actor,
    state: State,
    visibility: Visibility,
    owner: int | None = None,
    shared_with: Callable[[], Set[int]] = frozenset,
) -> bool:
    """The verdict about one listing: published and of a class that the actor may see; one's own; shared with one's
    organisation; and, for operators, whatever was ever submitted.
    """
    if state in SEARCHABLE and visibility in visible_classes(actor):
        return True
    if owner is not None and actor.belongs_to(owner):
        return True
    if actor.is_operator and state in REVIEWED:
        return True
    return state in SEARCHABLE and actor.is_member and bool(verified_organisations(actor) & shared_with())


def verified_organisations(actor: Actor) -> frozenset[int]:
    """The verified organisations somebody belongs to: what is shared with one of them is shared with them."""
    return frozenset(membership.organisation_id for membership in actor.memberships if membership.verified)


def knows_owners(actor: Actor) -> bool:
    """True for those to whom no listing is anonymous."""
    return actor.is_system or actor.is_operator


def may_know_owner(actor: Actor, anonymous: bool, owner: int, introduced_to: Callable[[], Set[int]]) -> bool:
    """True if the actor may know whose listing it is."""
    if not anonymous or knows_owners(actor) or actor.belongs_to(owner):
        return True
    return actor.is_member and bool(verified_organisations(actor) & introduced_to())


def readable(actor: Actor, owner: int, audience: Audience) -> bool:
    """True if an actor who may see a listing may read its fields for this audience."""
    if audience is Audience.EVERYONE or knows_owners(actor) or actor.belongs_to(owner):
        return True
    return audience is Audience.MEMBERS and actor.is_member


def hidden_fields(actor: Actor, owner: int) -> frozenset[str]:
    """The fields of a listing that an actor who may see it may not read."""
    return frozenset(name for name, audience in GUARDED.items() if not readable(actor, owner, audience))

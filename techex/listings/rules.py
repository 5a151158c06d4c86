"""What a listing is made of, which states it passes through, and who may see it; pure.

FIELDS is the one table of fields: form, import and export read it, so all surfaces give the same verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
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


SEARCHABLE = frozenset({State.PUBLISHED})
LIFE_DAYS = 365  # a published listing lives this long, then its owner is asked

Shape = Literal["line", "text", "trl", "codes", "code", "numbers", "number", "date", "currency"]


@dataclass(frozen=True)
class FieldRule:
    """One field: for which kinds, how long, from which list; `embedded` says whether matching reads it."""

    name: str
    label: str
    kinds: frozenset[Kind]
    shape: Shape
    shortest: int = 0  # characters, where anything is stated at all
    longest: int = 0  # characters, or how many codes
    required: bool = False
    vocabulary: str = ""  # name of the closed list in core.vocabulary
    embedded: bool = False


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
    FieldRule("ip_numbers", N_("IP numbers"), OFFER, "line", 0, 200),
    FieldRule("decision_number", N_("Decision number"), OFFER, "line", 0, 100),
    FieldRule("decision_date", N_("Decision date"), OFFER, "date"),
    FieldRule("originating_task", N_("Originating task"), OFFER, "line", 0, 300),
    FieldRule("partner_sought", N_("Partner sought"), OFFER, "text", 0, 1000),
    FieldRule("standards", N_("Standards met"), OFFER, "line", 0, 300),
    FieldRule("references", N_("Where it is in use"), OFFER, "text", 0, 1000),
    FieldRule("trl", N_("Technology readiness level"), BOTH, "trl"),
    FieldRule("transfer_forms", N_("Transfer forms"), BOTH, "codes", 0, 9, vocabulary="TRANSFER_FORMS"),
    FieldRule("fields", N_("Fields of science and technology"), BOTH, "codes", 0, 3, vocabulary="FIELDS"),
    FieldRule("industry", N_("Industry"), BOTH, "code", vocabulary="INDUSTRIES"),
    FieldRule("sdg", N_("Sustainable development goals"), BOTH, "numbers", 0, 17, vocabulary="SDGS"),
    FieldRule("ip_status", N_("IP status"), OFFER, "code", vocabulary="IP_STATUSES"),
    FieldRule("ownership", N_("Ownership"), OFFER, "code", vocabulary="OWNERSHIPS"),
    FieldRule("reach", N_("How far to look"), NEED, "code", vocabulary="REACHES"),
    FieldRule("budget_min", N_("Budget from"), NEED, "number"),
    FieldRule("budget_max", N_("Budget to"), NEED, "number"),
    FieldRule("price", N_("Indicative price"), OFFER, "number"),
    FieldRule("currency", N_("Currency"), BOTH, "currency"),
    FieldRule("deadline", N_("Deadline"), NEED, "date"),
    FieldRule("validity", N_("Valid until"), OFFER, "date"),
)
FIELD_BY_NAME: Mapping[str, FieldRule] = {rule.name: rule for rule in FIELDS}

# The long texts of a listing, in reading order; they are stored together, since no query asks for one of them.
BODY_FIELDS = tuple(
    rule.name for rule in FIELDS if rule.shape in ("text", "line") and rule.name not in ("title", "summary")
)
# Facts that pages show and no query asks for; stored with the body.
LOOSE_FACTS = ("decision_date", "sdg")


def fields_of(kind: Kind) -> list[FieldRule]:
    """The fields that a need or an offer has, in reading order."""
    return [rule for rule in FIELDS if kind in rule.kinds]


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


def visible_classes(actor: Actor) -> frozenset[Visibility]:
    """The visibility classes an actor may search and read."""
    if actor.is_system:
        return frozenset(Visibility)
    return frozenset({Visibility.PUBLIC})


def may_see(actor: Actor, state: State, visibility: Visibility) -> bool:
    """The verdict about one listing: published, and of a class that the actor may see."""
    return state in SEARCHABLE and visibility in visible_classes(actor)

"""The way of a deal from a lead to a contract that both sides confirmed, as one table; pure.

Buttons, checks and the tests are read from TRANSITIONS.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

from techex.brokering import course
from techex.core.context import Actor, MemberRole
from techex.core.vocabulary import N_
from techex.regions.rules import HOME_COUNTRY

REVIEW_MONTHS = (6, 12, 24)  # after a contract was signed, its outcome is asked for
REMINDER_DAYS = (30, 90, 180)  # after an introduction, both sides are asked where the deal stands


class Stage(StrEnum):
    """How far a deal has come."""

    LEAD = "lead"
    INTRODUCED = "introduced"
    UNDER_NDA = "under_nda"
    EVALUATION = "evaluation"
    VALUATION = "valuation"
    NEGOTIATION = "negotiation"
    SIGNED = "signed"
    REGISTERED = "registered"
    IMPLEMENTED = "implemented"
    REVIEWED = "reviewed"
    LOST = "lost"


class Verb(StrEnum):
    """What can be done to it."""

    INTRODUCE = "introduce"
    KEEP_SECRET = "keep_secret"  # noqa: S105 - under the agreement that both sides have accepted
    EVALUATE = "evaluate"
    VALUATE = "valuate"
    NEGOTIATE = "negotiate"
    DRAW_UP = "draw_up"
    CONFIRM = "confirm"
    REGISTER = "register"
    IMPLEMENT = "implement"
    REVIEW = "review"
    LOSE = "lose"


class Party(StrEnum):
    """Who may do it."""

    SIDE = "side"
    OPERATOR = "operator"
    ANY = "any"


class Need(StrEnum):
    """What it takes besides."""

    CONTRACT = "contract"
    OTHER_SIDE = "other_side"
    AGREEMENT = "agreement"
    OBLIGED = "obliged"
    NOT_OBLIGED = "not_obliged"
    NUMBER = "number"
    WORDS = "words"
    REASON = "reason"


STAGES: Mapping[Stage, str] = {
    Stage.LEAD: N_("Both agree to be introduced"),
    Stage.INTRODUCED: N_("Introduced"),
    Stage.UNDER_NDA: N_("Under confidentiality"),
    Stage.EVALUATION: N_("Evaluation or pilot"),
    Stage.VALUATION: N_("Valuation"),
    Stage.NEGOTIATION: N_("Negotiation"),
    Stage.SIGNED: N_("Contract signed"),
    Stage.REGISTERED: N_("Contract registered"),
    Stage.IMPLEMENTED: N_("In use"),
    Stage.REVIEWED: N_("Outcome reviewed"),
    Stage.LOST: N_("Lost"),
}
LABELS: Mapping[Verb, str] = {
    Verb.INTRODUCE: N_("Introduce both sides"),
    Verb.KEEP_SECRET: N_("Go on under the agreement"),
    Verb.EVALUATE: N_("Begin an evaluation or a pilot"),
    Verb.VALUATE: N_("Begin the valuation"),
    Verb.NEGOTIATE: N_("Begin to negotiate"),
    Verb.DRAW_UP: N_("Write down what was signed"),
    Verb.CONFIRM: N_("Confirm the contract, for our side"),
    Verb.REGISTER: N_("Note the registration"),
    Verb.IMPLEMENT: N_("It is in use"),
    Verb.REVIEW: N_("Note the outcome"),
    Verb.LOSE: N_("The deal is lost"),
}
DONE: Mapping[str, str] = {
    "open": N_("both agreed to be introduced"),
    "message": N_("wrote a message"),
    Verb.INTRODUCE: N_("introduced both sides: names and contacts are shown"),
    Verb.KEEP_SECRET: N_("noted that the agreement on confidentiality is in force"),
    Verb.EVALUATE: N_("began an evaluation or a pilot"),
    Verb.VALUATE: N_("began the valuation"),
    Verb.NEGOTIATE: N_("began to negotiate"),
    Verb.DRAW_UP: N_("wrote down what was signed"),
    Verb.CONFIRM: N_("confirmed the contract"),
    Verb.REGISTER: N_("noted the registration"),
    Verb.IMPLEMENT: N_("noted that it is in use"),
    Verb.REVIEW: N_("noted the outcome"),
    Verb.LOSE: N_("noted that the deal is lost"),
    **course.DONE,
}
# What a contract is worth, in its own currency: in dong (millions), and in others.
VALUE_BANDS: Mapping[str, tuple[str, str]] = {
    "a": (N_("up to 200 million"), N_("up to 10,000")),
    "b": (N_("200 million to 1 billion"), N_("10,000 to 50,000")),
    "c": (N_("1 to 5 billion"), N_("50,000 to 250,000")),
    "d": (N_("5 to 20 billion"), N_("250,000 to 1 million")),
    "e": (N_("more than 20 billion"), N_("more than 1 million")),
}


@dataclass(frozen=True)
class Transition:
    """A row: `target` None means that the stage stays."""

    verb: Verb
    sources: tuple[Stage, ...]
    target: Stage | None
    who: Party
    needs: tuple[Need, ...] = ()


_S, _P, _N = Stage, Party, Need
OPEN = (_S.LEAD, _S.INTRODUCED, _S.UNDER_NDA, _S.EVALUATION, _S.VALUATION, _S.NEGOTIATION)
_TALKING = (_S.INTRODUCED, _S.UNDER_NDA, _S.EVALUATION, _S.VALUATION)
TRANSITIONS: tuple[Transition, ...] = (
    Transition(Verb.INTRODUCE, (_S.LEAD,), _S.INTRODUCED, _P.OPERATOR),
    Transition(Verb.KEEP_SECRET, (_S.INTRODUCED,), _S.UNDER_NDA, _P.ANY, (_N.AGREEMENT,)),
    Transition(Verb.EVALUATE, (_S.INTRODUCED, _S.UNDER_NDA), _S.EVALUATION, _P.ANY),
    Transition(Verb.VALUATE, (_S.INTRODUCED, _S.UNDER_NDA, _S.EVALUATION), _S.VALUATION, _P.ANY),
    Transition(Verb.NEGOTIATE, _TALKING, _S.NEGOTIATION, _P.ANY),
    Transition(Verb.DRAW_UP, (_S.NEGOTIATION,), None, _P.ANY, (_N.WORDS,)),
    Transition(Verb.CONFIRM, (_S.NEGOTIATION,), _S.SIGNED, _P.SIDE, (_N.CONTRACT, _N.OTHER_SIDE)),
    Transition(Verb.REGISTER, (_S.SIGNED,), _S.REGISTERED, _P.ANY, (_N.OBLIGED, _N.NUMBER)),
    Transition(Verb.IMPLEMENT, (_S.SIGNED,), _S.IMPLEMENTED, _P.ANY, (_N.NOT_OBLIGED,)),
    Transition(Verb.IMPLEMENT, (_S.REGISTERED,), _S.IMPLEMENTED, _P.ANY),
    Transition(Verb.REVIEW, (_S.IMPLEMENTED,), _S.REVIEWED, _P.OPERATOR, (_N.WORDS,)),
    Transition(Verb.LOSE, OPEN, _S.LOST, _P.ANY, (_N.REASON,)),
)


@dataclass(frozen=True)
class Contract:
    """What both sides confirm: places are codes (VN-33, NL)."""

    value_band: str
    currency: str
    transfer_form: str
    origin: str
    application: str
    state_money: bool = False
    certified: bool = False  # the result has its certificate of registration already

    def as_dict(self) -> dict[str, object]:
        """For JSON and for receipts."""
        return dict(vars(self))


@dataclass(frozen=True)
class Rule:
    """When the law asks for a registration, from a day on; with its text."""

    since: date
    law: str
    vi: str
    en: str
    across_border: bool
    state_money: bool

    def obliges(self, contract: Contract) -> bool:
        """True for a contract that has to be registered under it."""
        homes = {place.partition("-")[0] == HOME_COUNTRY for place in (contract.origin, contract.application)}
        if homes == {True, False} and self.across_border:
            return True
        return homes == {True} and self.state_money and contract.state_money and not contract.certified

    def text(self, language: str) -> str:
        """What it says."""
        return self.vi if language == "vi" else self.en


@cache
def rules() -> Sequence[Rule]:
    """All rules, the oldest first."""
    rows = tomllib.loads((Path(__file__).parent / "registration.toml").read_text("utf-8"))["rule"]
    return sorted((Rule(since=row.pop("from"), **row) for row in rows), key=lambda rule: rule.since)


def rule_on(day: date) -> Rule | None:
    """The rule in force on a day."""
    return next((rule for rule in reversed(rules()) if rule.since <= day), None)


@dataclass(frozen=True)
class Standing:
    """What the table is asked about: `sides` are the two organisations, `places` those of both."""

    stage: Stage
    sides: tuple[int, int]
    places: tuple[str, ...]
    done_by: frozenset[int] = frozenset()  # sides that have taken the step which takes both
    has_contract: bool = False
    obliged: bool = False
    agreement: bool = False  # both sides have accepted the same text on confidentiality


def side_of(actor: Actor, standing: Standing, at_least: MemberRole = MemberRole.VIEWER) -> int | None:
    """The organisation for which an actor stands in a deal; None for those who belong to neither."""
    return next((number for number in standing.sides if actor.belongs_to(number, at_least)), None)


def is_operator(actor: Actor, standing: Standing) -> bool:
    """True for an operator of either place who belongs to neither side."""
    serves = actor.is_operator and any(actor.operates_in(code) for code in standing.places)
    return serves and side_of(actor, standing) is None


def may_see(actor: Actor, standing: Standing) -> bool:
    """Its two sides and the operators of their places see a deal."""
    return actor.is_system or side_of(actor, standing) is not None or is_operator(actor, standing)


def allowed(actor: Actor, standing: Standing) -> list[Transition]:
    """What this actor may do to it now, in the order of the table."""
    side, operator = side_of(actor, standing, MemberRole.EDITOR), is_operator(actor, standing)
    found = []
    for row in TRANSITIONS:
        party = {Party.SIDE: side is not None, Party.OPERATOR: operator, Party.ANY: side is not None or operator}[
            row.who
        ]
        if standing.stage not in row.sources or not party:
            continue
        if Need.OTHER_SIDE in row.needs and side in standing.done_by:
            continue
        if Need.CONTRACT in row.needs and not standing.has_contract:
            continue
        if Need.AGREEMENT in row.needs and not standing.agreement:
            continue
        if (Need.OBLIGED in row.needs and not standing.obliged) or (Need.NOT_OBLIGED in row.needs and standing.obliged):
            continue
        found.append(row)
    return found

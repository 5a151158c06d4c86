"""Whose turn it is in a deal, what to do, and what opens next: one line at the head of its page; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from techex.brokering.disclosing import Disclosure, Rung
from techex.brokering.pipeline import Stage, Standing
from techex.core.vocabulary import N_


class Who(StrEnum):
    """Who should do something."""

    YOU = "you"  # the reader's own side
    OTHER = "other"
    EITHER = "either"
    EXCHANGE = "exchange"
    NOBODY = "nobody"


WHO: Mapping[Who, str] = {
    Who.YOU: N_("Your turn"),
    Who.OTHER: N_("The other side's turn"),
    Who.EITHER: N_("Either side's turn"),
    Who.EXCHANGE: N_("The exchange's turn"),
    Who.NOBODY: N_("Nothing is left to do"),
}


@dataclass(frozen=True)
class Turn:
    """Who should do what, and what opens next; `opens` is empty where nothing more opens."""

    who: Who
    what: str
    opens: str


_OPENS: Mapping[Rung, str] = {
    Rung.TEASER: N_("Next to open: names, contacts, messages and papers without secrets, with the introduction."),
    Rung.NON_CONFIDENTIAL: N_("Next to open: what is confidential, once both sides have accepted one agreement."),
    Rung.UNDER_NDA: N_("Next to open: full documents, when the side that owns them opens them."),
    Rung.DOCUMENTS: "",
}
_WAITS: Mapping[Stage, str] = {
    Stage.UNDER_NDA: N_("Show each other what is confidential, then begin an evaluation or a valuation."),
    Stage.EVALUATION: N_("Finish the evaluation, then go on to the valuation or to negotiating."),
    Stage.VALUATION: N_("Agree on what it is worth, then begin to negotiate."),
}


def turn(standing: Standing, how_far: Disclosure, side: int | None) -> Turn:
    """The line as somebody of this side reads it; `side` None is an operator."""
    opens = _OPENS[how_far.rung]
    match standing.stage:
        case Stage.LEAD:
            what = N_("Both have agreed: the exchange introduces them.")
            return Turn(_seen(Who.EXCHANGE, side), what, opens)
        case Stage.INTRODUCED:
            return _agreeing(how_far, side, opens)
        case Stage.UNDER_NDA | Stage.EVALUATION | Stage.VALUATION:
            if how_far.agreement is not None and not how_far.in_force:
                return _agreeing(how_far, side, opens)
            return Turn(Who.EITHER, _WAITS[standing.stage], opens)
        case Stage.NEGOTIATION if not standing.has_contract:
            return Turn(Who.EITHER, N_("Write down what was agreed, once the contract is signed."), opens)
        case Stage.NEGOTIATION:
            missing = [one for one in standing.sides if one not in standing.done_by]
            return Turn(_of(missing, side), N_("Confirm the contract."), opens)
        case Stage.SIGNED if standing.obliged:
            return Turn(Who.EITHER, N_("Register the contract and note its number."), "")
        case Stage.SIGNED | Stage.REGISTERED:
            return Turn(Who.EITHER, N_("Bring it into use and say so."), "")
        case Stage.IMPLEMENTED:
            return Turn(_seen(Who.EXCHANGE, side), N_("Ask what came of it, after 6, 12 and 24 months."), "")
    return Turn(Who.NOBODY, "", "")


def _agreeing(how_far: Disclosure, side: int | None, opens: str) -> Turn:
    """Before an agreement is in force."""
    if how_far.agreement is None:
        return Turn(Who.EITHER, N_("Talk, and propose an agreement on confidentiality if there are secrets."), opens)
    missing = [one for one in how_far.sides if one not in how_far.agreement.accepted]
    return Turn(_of(missing, side), N_("Read the proposed agreement on confidentiality and accept it, or talk."), opens)


def _of(missing: list[int], side: int | None) -> Who:
    """Who is meant by the sides that have not done it yet."""
    if side in missing:
        return Who.YOU
    return Who.EITHER if len(missing) > 1 or side is None else Who.OTHER


def _seen(who: Who, side: int | None) -> Who:
    """The exchange's turn is an operator's own."""
    return Who.YOU if side is None and who is Who.EXCHANGE else who

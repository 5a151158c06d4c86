"""Where the cards of the board may be moved, read from the table of transitions; pure."""

from __future__ import annotations

from dataclasses import dataclass

from techex.brokering.pipeline import Need, Stage, Standing, Transition, Verb, allowed
from techex.core.context import Actor

# Steps that take more than a press: words, a number, a reason, or the word of both sides.
_ASKED_FOR = frozenset({Need.WORDS, Need.NUMBER, Need.REASON, Need.OTHER_SIDE})


@dataclass(frozen=True)
class Move:
    """A card may go to `stage` by `verb`; where it `asks` for something, the deal's page has the form."""

    stage: Stage
    verb: Verb
    asks: bool


def moves(actor: Actor, standing: Standing) -> list[Move]:
    """Where this actor may move the card of a deal, in the order of the stages."""
    rows = allowed(actor, standing)
    found = {row.target: Move(row.target, row.verb, _asks(row)) for row in rows if row.target is not None}
    if Stage.SIGNED not in found and not standing.has_contract and any(row.verb is Verb.DRAW_UP for row in rows):
        found[Stage.SIGNED] = Move(Stage.SIGNED, Verb.DRAW_UP, asks=True)  # both confirm what is written down first
    return sorted(found.values(), key=lambda move: list(Stage).index(move.stage))


def _asks(row: Transition) -> bool:
    return bool(_ASKED_FOR & set(row.needs))

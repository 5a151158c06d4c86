"""At which months after its signature a contract's outcome is asked for, and who has said it; read from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from techex.brokering.deal_tables import Deal
from techex.brokering.pipeline import REVIEW_MONTHS, Stage, Verb
from techex.regions.working_days import here

DAYS_A_MONTH = 30
SIDES = 2


def reached(marks: Sequence[int], passed: int) -> int:
    """The last of these marks that has passed; 0 before the first."""
    return max((mark for mark in marks if mark <= passed), default=0)


def mark_of(deal: Deal, today: date) -> int:
    """The last of REVIEW_MONTHS that has passed since a contract was signed; 0 before the first, or without one."""
    if deal.signed_at is None or Stage(deal.stage) is Stage.LOST:
        return 0
    return reached(REVIEW_MONTHS, (today - here(deal.signed_at)).days // DAYS_A_MONTH)


def answered(deal: Deal, months: int) -> set[int]:
    """The sides that have said what came of it at this mark."""
    return {
        step.organisation_id
        for step in deal.ledger
        if step.verb == "outcome" and step.detail.get("months") == months and step.organisation_id is not None
    }


def is_asked(deal: Deal, today: date) -> bool:
    """True while the question of the last mark waits: neither both sides nor an operator have answered it."""
    months = mark_of(deal, today)
    if not months or deal.signed_at is None:
        return False
    day = here(deal.signed_at) + timedelta(days=DAYS_A_MONTH * months)
    reviewed = any(step.verb == Verb.REVIEW and here(step.at) >= day for step in deal.ledger)
    return not reviewed and len(answered(deal, months)) < SIDES

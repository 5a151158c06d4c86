"""What time does to brokering; called by `techex work`."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.accounts.service import House
from techex.brokering import deals, service
from techex.brokering.queries import answered
from techex.brokering.rules import State
from techex.brokering.tables import Interest
from techex.core.context import Actor, Context, Role
from techex.core.database import Database
from techex.errors import NotFound
from techex.matching import training, verdicts
from techex.matching.tables import PairVerdict
from techex.matching.verdicts import Judgement, Refusal
from techex.settings import Settings

AT_ONCE = 200  # steps in one transaction, so that nobody waits long for the lock
_GIVEN_BY = "interest "  # and its number: who gave a verdict that came from an answer
LEARNED_AT_ONCE = 20  # answers a round makes verdicts of: each ranks a need


def lapse(settings: Settings, database: Database, context: Context) -> str | None:
    """Expressions of interest that nobody answered in time lapse. Without an address of its own the exchange writes no
    letters with links; the pages say it.
    """
    base = settings.base_url.rstrip("/")

    def address_of(endpoint: str, **values: object) -> str:
        return f"{base}/interests/{values['interest_id']}"

    house = House(settings.exchange_name, address_of) if base else None
    total = 0
    while True:
        with database.transaction() as session:
            done = service.lapse(session, context, house, AT_ONCE)
        total += done
        if done < AT_ONCE:
            return f"{total} lapsed" if total else None


def remind(settings: Settings, database: Database, context: Context) -> str | None:
    """Ask after silent deals and after the outcome of contracts."""
    return write_about_deals(settings, database, context, deals.ask_after)


def write_about_deals(
    settings: Settings, database: Database, context: Context, write: Callable[[Session, Context, House], int]
) -> str | None:
    """Have letters written that lead to deals; without an address of its own the exchange waits."""
    base = settings.base_url.rstrip("/")
    if not base:
        return None

    def address_of(endpoint: str, **values: object) -> str:
        return f"{base}/deals/{values['deal_id']}"

    with database.transaction() as session:
        sent = write(session, context, House(settings.exchange_name, address_of))
    return f"{sent} letters" if sent else None


def learn(settings: Settings, database: Database, context: Context) -> str | None:
    """Answers to expressions of interest that came from a listing of the sender become verdicts on the pair.

    A yes says that the two fit; what a no teaches depends on its reason (`verdicts.ABOUT_THE_PAIR`).
    """
    with database.reading() as session:
        given = set(session.scalars(select(PairVerdict.given_by).where(PairVerdict.given_by.startswith(_GIVEN_BY))))
        answers = [one for one in answered(session) if one.own_listing and _name(one) not in given][:LEARNED_AT_ONCE]
    return f"{sum(_learned(settings, database, context, one) for one in answers)} verdicts" if answers else None


def _name(interest: Interest) -> str:
    return _GIVEN_BY + str(interest.id)


def _learned(settings: Settings, database: Database, context: Context, interest: Interest) -> bool:
    """Keep an answer as a verdict; False where there is nothing to learn from."""
    assert interest.own_listing  # noqa: S101 - only such are handed in
    need, offer = sorted((interest.listing, interest.own_listing), key=lambda side: not side.is_need)
    as_said = Context(Actor(_name(interest), Role.SYSTEM), context.now)
    agreed = interest.state == State.ACCEPTED
    judgement, reason = (Judgement.FIT, None) if agreed else (Judgement.NO, Refusal(str(interest.reason)))
    try:
        shown = training.shown(settings, database, as_said, need.id, offer.id)
    except NotFound:  # one of the two has ended, or they are no candidates for each other
        return False
    with database.transaction() as session:
        verdicts.give(session, as_said, need.id, offer.id, judgement, shown, reason, interest.reason_text)
    return True

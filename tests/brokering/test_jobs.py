"""What time does to brokering: answers become verdicts, once each."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from techex.brokering import deals, jobs, pipeline, service
from techex.brokering.rules import Verb
from techex.brokering.service import Draft
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.core.mail import Letter
from techex.matching.tables import PairVerdict
from techex.organisations import service as organisations
from techex.search.service import embed_pending
from techex.settings import Settings

from .stage import actor_of, stage
from .test_deals import HOUSE, TEXTS, agreed


def test_an_answer_teaches_once_what_the_pair_is_worth(
    database: Database, settings: Settings, context: Context
) -> None:
    with database.transaction() as session:
        pair = stage(session, context)
        sender = organisations.get_organisation(session, "dai-hoc-phuong-nam")
        actors = {name: Context(actor_of(session, name), context.now) for name in ("officer", "operator", "engineer")}
        args = (HOUSE, pair.need, sender, Draft(TEXTS, "en"), pair.offer)
        interest = service.send(session, actors["officer"], *args)
        for name, verb in (("operator", Verb.SCREEN), ("operator", Verb.FORWARD)):
            service.take(session, actors[name], HOUSE, interest.id, verb)
    assert embed_pending(settings, database) > 0
    assert jobs.learn(settings, database, context) is None, "an open one says nothing yet"
    with database.transaction() as session:
        service.take(session, actors["engineer"], HOUSE, interest.id, Verb.DECLINE, reason="benefit_unclear")
    assert jobs.learn(settings, database, context) == "1 verdicts"
    assert jobs.learn(settings, database, context) is None
    with database.reading() as session:
        verdict = session.scalars(select(PairVerdict)).one()
    assert (verdict.need_id, verdict.offer_id) == (pair.need, pair.offer)
    assert (verdict.judgement, verdict.reason, verdict.given_by) == ("no", "benefit_unclear", f"interest {interest.id}")
    assert 0 <= verdict.shown["strength"] <= 100


def test_a_silent_deal_is_asked_after_once_at_each_mark_and_its_contract_later(
    database: Database, settings: Settings, context: Context
) -> None:
    known = settings.model_copy(update={"base_url": "https://exchange.example"})
    with database.transaction() as session:
        deal = agreed(session, context, stage(session, context))
        deals.take(session, Context(actor_of(session, "operator"), context.now), deal.id, pipeline.Verb.INTRODUCE)
        number = deal.id

    def letters(days: int) -> str | None:
        return jobs.remind(known, database, Context(COMMAND_LINE, context.now + timedelta(days=days)))

    assert letters(29) is None
    assert letters(31) == "3 letters", "two editors of the firm and the officer"
    assert letters(60) is None
    assert letters(95) == "3 letters"
    assert jobs.remind(settings, database, context) is None, "an exchange without an address writes no links"
    with database.transaction() as session:
        found = session.get_one(deals.Deal, number)
        found.stage, found.signed_at = pipeline.Stage.SIGNED.value, context.now
    assert letters(170) is None
    assert letters(185) == "3 letters"
    assert letters(200) is None
    with database.reading() as session:
        texts = [letter.text for letter in session.scalars(select(Letter)) if letter.key.startswith("deal-")]
    assert len(texts) == 9
    assert all(f"https://exchange.example/deals/{number}" in text for text in texts)

"""What time does to brokering: answers become verdicts, once each."""

from __future__ import annotations

from sqlalchemy import select

from techex.brokering import jobs, service
from techex.brokering.rules import Verb
from techex.brokering.service import Draft
from techex.core.context import Context
from techex.core.database import Database
from techex.matching.tables import PairVerdict
from techex.organisations import service as organisations
from techex.search.service import embed_pending
from techex.settings import Settings

from .stage import actor_of, stage
from .test_deals import HOUSE, TEXTS


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

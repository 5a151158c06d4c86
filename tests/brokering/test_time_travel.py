"""Two and a half years of the clock, from before Tết on: what lapses, what is asked, whom letters remind; each once.

`techex work` does its rounds at moments we travel to; nobody else looks at the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from techex import work
from techex.brokering import deals, service
from techex.brokering.pipeline import Verb
from techex.brokering.rules import Verb as InterestVerb
from techex.brokering.service import Draft
from techex.brokering.tables import Interest
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.core.mail import Letter
from techex.organisations import service as organisations
from techex.organisations.tables import OperatorPlace
from techex.settings import Settings
from tests.cast import CAST, person_of

from .stage import actor_of, stage
from .test_deals import CONTRACT, HOUSE, TEXTS, agreed

FRIDAY = datetime(2027, 1, 29, 3, tzinfo=UTC)  # ten in the morning in Hanoi, a week before Tết
OURS = ("lapse interests", "ask after deals", "deadlines")


def _rounds(settings: Settings, database: Database, moments: Iterable[datetime]) -> None:
    worker = work.Worker(settings, database)
    for moment in moments:
        with time_machine.travel(moment, tick=False):
            worker.round(moment)


def _letters(database: Database, prefix: str) -> list[Letter]:
    with database.reading() as session:
        return list(session.scalars(select(Letter).where(Letter.key.startswith(prefix)).order_by(Letter.id)))


@pytest.fixture
def known(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(work, "JOBS", {name: work.JOBS[name] for name in OURS})
    return settings.model_copy(update={"base_url": "https://exchange.example"})


def test_an_answer_before_tet_is_due_after_it_is_reminded_of_once_and_lapses_once(
    known: Settings, database: Database
) -> None:
    with database.transaction() as session:
        context = Context(COMMAND_LINE, FRIDAY)
        pair = stage(session, context)
        person_of(session, "officer").timezone = "America/New_York"
        other = person_of(session, "other_operator")
        session.add(OperatorPlace(person_id=other.id, place_code="VN-79", granted_at=FRIDAY))
        session.flush()
        firm = organisations.get_organisation(session, "det-may-song-hong")
        at = {name: Context(actor_of(session, name), FRIDAY) for name in ("engineer", "other_operator")}
        number = service.send(session, at["engineer"], HOUSE, pair.offer, firm, Draft(TEXTS, "en"), pair.need).id
        for verb in (InterestVerb.SCREEN, InterestVerb.FORWARD):
            interest = service.take(session, at["other_operator"], HOUSE, number, verb)
        # 1 to 3 February, then Tết from the 4th to the 10th, 11, 12, 15 to 19 February.
        assert interest.due == date(2027, 2, 19)
    hours = [datetime(2027, 2, 17, tzinfo=UTC) + timedelta(hours=number) for number in range(24 * 4)]
    _rounds(known, database, [FRIDAY, *hours])
    reminded = _letters(database, "deadlines-")
    assert [letter.recipient for letter in reminded] == [CAST["officer"].email]
    assert reminded[0].created_at == datetime(2027, 2, 18, 12, tzinfo=UTC), "seven in New York, the working day before"
    lapsed = _letters(database, f"interest-{number}-lapsed")
    assert Counter(letter.recipient for letter in lapsed) == Counter(
        CAST[name].email for name in ("engineer", "editor")
    )
    # The 19th ends last at noon of the 20th in Greenwich: New York has had its whole day.
    assert {letter.created_at for letter in lapsed} == {datetime(2027, 2, 20, 12, tzinfo=UTC)}
    with database.reading() as session:
        row = session.get_one(Interest, number)
        assert (row.state, [step.verb for step in row.steps].count("lapse")) == ("lapsed", 1)


def test_a_deal_is_asked_after_once_at_each_mark_over_two_years_and_a_half(known: Settings, database: Database) -> None:
    with database.transaction() as session:
        deal = agreed(session, Context(COMMAND_LINE, FRIDAY), stage(session, Context(COMMAND_LINE, FRIDAY)))
        at = {name: actor_of(session, name) for name in ("engineer", "officer", "operator")}
        deals.take(session, Context(at["operator"], FRIDAY), deal.id, Verb.INTRODUCE)
        number = deal.id
    del work.JOBS["deadlines"]
    step = timedelta(days=10)
    signed = FRIDAY + 19 * step
    _rounds(known, database, [FRIDAY + count * step for count in range(20)])
    with database.transaction() as session:
        for name, verb in (("officer", Verb.NEGOTIATE), ("officer", Verb.DRAW_UP), ("officer", Verb.CONFIRM)):
            deals.take(session, Context(at[name], signed), number, verb, given=CONTRACT)
        deals.take(session, Context(at["engineer"], signed), number, Verb.CONFIRM)
    _rounds(known, database, [signed + count * step for count in range(80)])
    people = {CAST[name].email for name in ("engineer", "editor", "officer")}
    for name, began, marks in (
        ("silent", FRIDAY, {days: timedelta(days=days) for days in (30, 90, 180)}),
        ("outcome", signed, {months: timedelta(days=30 * months) for months in (6, 12, 24)}),
    ):
        found = _letters(database, f"deal-{number}-{name}-")
        assert len(found) == 3 * len(marks), "three people, three marks, each once"
        for mark, after in marks.items():
            letters = [letter for letter in found if letter.key.startswith(f"deal-{number}-{name}-{mark}-")]
            assert {letter.recipient for letter in letters} == people
            assert all(timedelta() <= letter.created_at - began - after < step for letter in letters)

"""What goes on beside the stages of a deal: tasks, participants, credits, receipts, outcomes; who sees none of it."""

from __future__ import annotations

import hashlib
import html
import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from techex.accounts.service import House
from techex.brokering import course, credits, deals, marks, outcomes, participants, pipeline, tasks
from techex.brokering.course import ParticipantState, ParticipantVerb, Seat, TaskState, TaskVerb
from techex.brokering.course_tables import DealCredit, DealParticipant, DealTask
from techex.brokering.deal_tables import Deal
from techex.brokering.pipeline import DONE, Verb
from techex.core.context import Context
from techex.core.database import Database
from techex.core.mail import Letter
from techex.errors import Conflict
from techex.regions import working_days
from techex.web import identity
from tests.cast import CAST, Browser, person_of, sign_in

from .stage import Pair, actor_of, stage
from .test_deals import CONTRACT, _take, agreed

HOUSE = House("TechEx", lambda endpoint, **values: f"https://exchange.example/{endpoint}/{values}")
SECRET = "Canary of the task: bring forty litres of Zyphora."  # noqa: S105 - a canary


@pytest.fixture
def deal(demo_app: Flask, pair: Pair, context: Context) -> int:
    """A deal whose sides were introduced."""
    with demo_app.app_context(), identity.database().transaction() as session:
        made = agreed(session, context, pair)
        deals.take(session, Context(actor_of(session, "operator"), context.now), made.id, Verb.INTRODUCE)
        return made.id


def _person(app: Flask, name: str) -> int:
    with app.app_context(), identity.database().transaction() as session:
        return person_of(session, name).id


def _text(browser: Browser, path: str) -> str:
    return browser.get(path).get_data(as_text=True)


def _task(browser: Browser, number: int, owner: int, **more: Any) -> Any:
    return browser.post(f"/deals/{number}/tasks", data={"title": SECRET, "owner": owner, "working": 5} | more)


def _letters(app: Flask, name: str) -> list[Letter]:
    with app.app_context(), identity.database().reading() as session:
        return list(session.scalars(select(Letter).where(Letter.recipient == CAST[name].email).order_by(Letter.id)))


def test_everything_that_is_shown_has_words() -> None:
    assert set(course.TASK_STATES) == set(TaskState)
    assert set(course.TASK_LABELS) == {row.verb for row in course.TASKS} == set(TaskVerb)
    assert set(course.PARTICIPANT_STATES) == set(ParticipantState)
    assert set(course.PARTICIPANT_LABELS) == {row.verb for row in course.PARTICIPANTS} == set(ParticipantVerb)
    assert {f"task_{verb}" for verb in TaskVerb} | {f"guest_{verb}" for verb in ParticipantVerb} <= set(DONE)


def test_nobody_takes_part_without_the_yes_of_both_sides_and_their_own() -> None:
    table = {
        (source, row.verb, who): row.target for row in course.PARTICIPANTS for source in row.sources for who in row.who
    }
    reached, ways = set(), [(ParticipantState.ASKED_BOTH, frozenset[Seat]())]
    while ways:
        state, agreed_by = ways.pop()
        if state is ParticipantState.JOINED:
            reached.add(agreed_by)
            continue
        for (source, verb, who), target in table.items():
            if source is state and verb in (ParticipantVerb.AGREE, ParticipantVerb.JOIN):
                ways.append((target, agreed_by | {who}))
    assert reached == {frozenset({Seat.SENDER, Seat.RECEIVER, Seat.GUEST})}


def test_a_task_has_a_person_and_a_working_day_and_is_done_by_its_owner(demo_app: Flask, deal: int) -> None:
    officer, engineer = sign_in(demo_app, "officer"), sign_in(demo_app, "engineer")
    assert _task(officer, deal, _person(demo_app, "engineer")).status_code == 303
    page = _text(engineer, f"/deals/{deal}")
    assert SECRET in page
    assert CAST["engineer"].called in page
    letters = _letters(demo_app, "engineer")
    assert letters[-1].subject == f"TechEx: a task for you in deal {deal}"
    assert "Zyphora" not in letters[-1].text
    with demo_app.app_context(), identity.database().reading() as session:
        task = session.scalars(select(DealTask)).one()
        assert working_days.is_working_day(task.due)
        acting = Context(actor_of(session, "engineer"))
        assert [one.id for one in tasks.open_of(session, acting)] == [task.id]
    assert engineer.post(f"/deals/{deal}/tasks/{task.id}/do", data={"revision": 1}).status_code == 303
    assert officer.post(f"/deals/{deal}/tasks/{task.id}/drop", data={"revision": 1}).status_code == 409, "too late"
    assert officer.post(f"/deals/{deal}/tasks/{task.id}/reopen", data={"revision": 2}).status_code == 303
    assert "did a task" in _text(officer, f"/deals/{deal}")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": ""}, "has 0 characters"),
        ({"owner": 0}, "Choose somebody of the deal"),
        ({"due": "2020-01-01"}, "from today on"),
        ({"due": "31 June"}, "from today on"),
    ],
)
def test_what_is_wrong_with_a_task_is_said_with_everything_still_there(
    demo_app: Flask, deal: int, wrong: dict[str, Any], sentence: str
) -> None:
    officer, owner = sign_in(demo_app, "officer"), _person(demo_app, "engineer")
    reply = officer.post(f"/deals/{deal}/tasks", data={"title": SECRET, "owner": owner} | wrong)
    assert reply.status_code == 422
    page = reply.get_data(as_text=True)
    assert sentence in page
    assert ("Zyphora" in page) is ("title" not in wrong)


def test_a_task_is_for_somebody_of_the_deal_only(demo_app: Flask, deal: int) -> None:
    assert _task(sign_in(demo_app, "officer"), deal, _person(demo_app, "rival")).status_code == 422


def test_a_confirmation_stands_when_a_task_is_set_after_it(demo_app: Flask, deal: int) -> None:
    officer, engineer = sign_in(demo_app, "officer"), sign_in(demo_app, "engineer")
    _take(officer, deal, "negotiate")
    _take(officer, deal, "draw_up", **CONTRACT)
    _take(officer, deal, "confirm")
    _task(engineer, deal, _person(demo_app, "engineer"))
    _take(engineer, deal, "confirm")
    assert "both sides" in _text(officer, f"/deals/{deal}")


def test_owners_are_reminded_a_working_day_before_and_once_when_late(database: Database, context: Context) -> None:
    with database.transaction() as session:
        pair = stage(session, context)
        made = agreed(session, context, pair)
        operator = Context(actor_of(session, "operator"), context.now)
        deals.take(session, operator, made.id, Verb.INTRODUCE)
        owner = person_of(session, "engineer").id
        friday = date(2026, 11, 27)
        task = tasks.add(session, operator, None, made.id, "Send a sample", owner, date(2026, 11, 28))
        assert task.due == date(2026, 11, 30), "a Saturday moves to Monday"

        def letters(day: date) -> int:
            return tasks.remind(session, Context(context.actor, context.now + (day - context.now.date())), HOUSE)

        assert letters(friday - timedelta(days=1)) == 0
        assert letters(friday) == 1
        assert letters(friday + timedelta(days=2)) == 0, "once"
        assert letters(date(2026, 12, 1)) == 1
        assert letters(date(2026, 12, 9)) == 0
        session.rollback()


@pytest.mark.parametrize(
    ("timezone", "before", "after"),
    [
        ("", datetime(2026, 11, 30, 16, 55, tzinfo=UTC), datetime(2026, 11, 30, 17, 5, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 12, 1, 4, 55, tzinfo=UTC), datetime(2026, 12, 1, 5, 5, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 11, 30, 10, 55, tzinfo=UTC), datetime(2026, 11, 30, 11, 5, tzinfo=UTC)),
        ("Mars/Olympus", datetime(2026, 11, 30, 16, 55, tzinfo=UTC), datetime(2026, 11, 30, 17, 5, tzinfo=UTC)),
    ],
)
def test_a_task_is_late_once_its_day_is_over_where_its_owner_is(
    database: Database, context: Context, timezone: str, before: datetime, after: datetime
) -> None:
    with database.transaction() as session:
        made = agreed(session, context, stage(session, context))
        operator = Context(actor_of(session, "operator"), context.now)
        deals.take(session, operator, made.id, Verb.INTRODUCE)
        owner = person_of(session, "engineer")
        owner.timezone = timezone
        tasks.add(session, operator, None, made.id, "Send a sample", owner.id, date(2026, 11, 30))
        assert tasks.remind(session, Context(context.actor, before), HOUSE) == 1, "it is due today or tomorrow"
        assert tasks.remind(session, Context(context.actor, before), HOUSE) == 0
        assert tasks.remind(session, Context(context.actor, after), HOUSE) == 1, "now it is late"
        session.rollback()


def test_a_laboratory_takes_part_once_both_sides_and_itself_agree_and_sees_little(
    demo_app: Flask, pair: Pair, deal: int
) -> None:
    names = ("officer", "engineer", "operator", "rival", "stranger")
    officer, engineer, operator, rival, stranger = (sign_in(demo_app, name) for name in names)
    officer.post(f"/deals/{deal}/messages", data={"text": "Canary of the talk: eleven."})
    data = {"role": "tester", "whom": "https://exchange.example/organisations/doi-thu", "note": "Wash fastness tests."}
    assert operator.post(f"/deals/{deal}/participants", data=data).status_code == 303
    with demo_app.app_context(), identity.database().reading() as session:
        number = session.scalars(select(DealParticipant.id)).one()
    path = f"/participations/{number}"
    assert rival.get(path).status_code == stranger.get(path).status_code == 404, "nobody is told before both agree"
    assert officer.post(f"{path}/agree", data={"revision": 1}).status_code == 303
    assert rival.get(path).status_code == 404
    assert officer.post(f"{path}/agree", data={"revision": 2}).status_code == 403, "each side for itself"
    assert engineer.post(f"{path}/agree", data={"revision": 2}).status_code == 303
    assert _letters(demo_app, "rival")[-1].subject == f"TechEx: will you take part in deal {deal}?"
    page = _text(rival, path)
    assert "Wash fastness tests." in page
    assert CAST["officer"].email not in page
    assert "Đại học Phương Nam" not in page
    assert rival.post(f"{path}/join", data={"revision": 3}).status_code == 303
    page = _text(rival, path)
    assert CAST["officer"].email in page
    assert "eleven" not in page
    assert rival.get(f"/deals/{deal}").status_code == 404
    assert f"/participations/{number}" in _text(rival, "/participations")
    assert _task(engineer, deal, _person(demo_app, "rival")).status_code == 303
    assert "Zyphora" in _text(rival, path)
    with demo_app.app_context(), identity.database().reading() as session:
        task = session.scalars(select(DealTask)).one().id
    assert rival.post(f"/deals/{deal}/tasks/{task}/drop", data={"revision": 1}).status_code == 403
    assert rival.post(f"/deals/{deal}/tasks/{task}/do", data={"revision": 1}).status_code == 303
    assert engineer.post(f"{path}/end", data={"revision": 4}).status_code == 303
    assert rival.get(path).status_code == 404, "who is out sees nothing more"


def test_the_operator_of_another_place_joins_and_both_exchanges_are_credited(demo_app: Flask, deal: int) -> None:
    officer, engineer, other = (sign_in(demo_app, name) for name in ("officer", "engineer", "other_operator"))
    assert "the exchange of Hung Yen" in _text(officer, f"/deals/{deal}")
    officer.post(f"/deals/{deal}/participants", data={"role": "exchange", "whom": CAST["other_operator"].email.upper()})
    with demo_app.app_context(), identity.database().reading() as session:
        number = session.scalars(select(DealParticipant.id)).one()
    assert engineer.post(f"/participations/{number}/agree", data={"revision": 1}).status_code == 303
    assert other.post(f"/participations/{number}/join", data={"revision": 2}).status_code == 303
    page = _text(officer, f"/deals/{deal}")
    assert "the exchange of Tay Ninh (1/2)" in page
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(Deal).where(Deal.id != deal).values(signed_at=None))
        session.execute(update(Deal).where(Deal.id == deal).values(signed_at=Deal.opened_at))
        shares, total = credits.shares(session)
        assert (dict(shares), total) == ({"VN-33": Fraction(1, 2), "VN-80": Fraction(1, 2)}, 1)
        assert credits.shares(session, ["VN-33"]) == ({"VN-33": Fraction(1, 2), "": Fraction(1, 2)}, 1)
        assert credits.shares(session, ["VN-01"]) == ({}, 0)
        assert session.scalars(select(DealCredit.place_code).where(DealCredit.deal_id == deal)).all()
    page = _text(sign_in(demo_app, "operator"), "/figures")
    assert "Contracts by exchange" in page
    assert "another place" in page
    for name in ("administrator", "officer"):
        assert ("Contracts by exchange" in _text(sign_in(demo_app, name), "/figures")) is (name == "administrator")
    assert "Contracts by exchange" not in _text(sign_in(demo_app, "operator"), "/figures?as=everybody")


def test_a_name_that_nobody_has_and_a_side_of_the_deal_are_refused(demo_app: Flask, deal: int) -> None:
    officer = sign_in(demo_app, "officer")
    path = f"/deals/{deal}/participants"
    assert officer.post(path, data={"role": "tester", "whom": "nobody-at-all"}).status_code == 422
    assert officer.post(path, data={"role": "tester", "whom": CAST["rival"].email}).status_code == 422, "no operator"
    assert officer.post(path, data={"role": "tester", "whom": "det-may-song-hong"}).status_code == 409


def test_a_receipt_can_be_counted_again_by_anybody_who_has_it(demo_app: Flask, deal: int) -> None:
    officer, engineer = sign_in(demo_app, "officer"), sign_in(demo_app, "engineer")
    _take(officer, deal, "negotiate")
    _take(officer, deal, "draw_up", **CONTRACT)
    _take(officer, deal, "confirm")
    link = re.search(rf"/deals/{deal}/receipts/\d+", _text(engineer, f"/deals/{deal}"))
    assert link
    page = _text(engineer, link[0])
    assert "one side alone signs nothing" in page
    found = re.search(r'id="content">(.*?)</pre>', page, re.DOTALL)
    assert found
    digest = hashlib.sha256(html.unescape(found[1]).encode()).hexdigest()
    assert f"<code>{digest}</code>" in page
    _take(engineer, deal, "confirm")
    assert "confirmed the same" in _text(engineer, link[0])
    assert sign_in(demo_app, "rival").get(link[0]).status_code == 404
    assert engineer.get(f"/deals/{deal}/receipts/1").status_code == 404, "the opening is no confirmation"


def test_each_side_says_once_what_came_of_it_at_each_mark(demo_app: Flask, deal: int) -> None:
    officer, engineer = sign_in(demo_app, "officer"), sign_in(demo_app, "engineer")
    path = f"/deals/{deal}/outcomes/6"
    given = {"in_use": "partly", "jobs": "3", "text": "Two baths of five run cold."}
    assert officer.post(path, data=given).status_code == 409, "nothing is signed"
    with demo_app.app_context(), identity.database().transaction() as session:
        moment = session.get_one(Deal, deal).opened_at - timedelta(days=200)
        session.execute(update(Deal).where(Deal.id == deal).values(signed_at=moment, stage="implemented"))
    assert "Answer three questions" in _text(officer, f"/deals/{deal}")
    assert officer.post(path, data={"in_use": "perhaps", "jobs": "-1"}).status_code == 422
    assert officer.post(path, data=given).status_code == 303
    assert officer.post(path, data=given).status_code == 409
    assert officer.post(f"/deals/{deal}/outcomes/12", data=given).status_code == 409, "too early"
    assert officer.get(f"/deals/{deal}/outcomes/7").status_code == 404
    figures = _text(sign_in(demo_app, "operator"), "/figures")
    assert "Is it in use? Answers of both sides" in figures
    page = _text(engineer, path)
    assert "Two baths of five run cold." in page
    assert "Is it in use?" in page
    assert "Is it in use?" not in _text(officer, path)
    assert sign_in(demo_app, "rival").get(path).status_code == 404


def test_a_mark_is_asked_until_both_have_answered_or_an_operator_has(database: Database, context: Context) -> None:
    with database.transaction() as session:
        pair = stage(session, context)
        made = agreed(session, context, pair)
        made.signed_at, made.stage = context.now, "implemented"
        later = context.now + timedelta(days=190)
        assert not marks.is_asked(made, context.now.date())
        assert marks.is_asked(made, later.date())
        for name in ("officer", "engineer"):
            assert deals.is_due(made, later.date()) == "outcome"
            acting = Context(actor_of(session, name), later)
            outcomes.answer(session, acting, made.id, 6, {"in_use": "yes"}, "en")
        assert deals.is_due(made, later.date()) is None
        year = context.now + timedelta(days=370)
        assert marks.is_asked(made, year.date())
        deals.take(
            session, Context(actor_of(session, "operator"), year), made.id, Verb.REVIEW, given={"outcome": "Runs."}
        )
        assert not marks.is_asked(made, year.date())
        assert marks.is_asked(made, (context.now + timedelta(days=725)).date()), "and after two years once more"
        session.rollback()


def test_one_press_says_that_the_talks_go_on(database: Database, context: Context) -> None:
    with database.transaction() as session:
        pair = stage(session, context)
        made = agreed(session, context, pair)
        deals.take(session, Context(actor_of(session, "operator"), context.now), made.id, Verb.INTRODUCE)
        later = context.now + timedelta(days=40)
        assert deals.is_due(made, later.date()) == "reminder"
        outcomes.goes_on(session, Context(actor_of(session, "engineer"), later), made.id)
        assert deals.is_due(made, later.date()) is None
        assert pipeline.Stage(made.stage) is pipeline.Stage.INTRODUCED
        deals.take(
            session, Context(actor_of(session, "engineer"), later), made.id, Verb.LOSE, given={"reason": "too_early"}
        )
        assert (made.lost_at, made.reason) == ("introduced", "too_early")
        with pytest.raises(Conflict):
            outcomes.goes_on(session, Context(actor_of(session, "engineer"), later), made.id)
        session.rollback()


@pytest.mark.parametrize("name", ["rival", "stranger", "administrator", "other_operator", "unarmed_operator"])
def test_nobody_else_reads_or_writes_any_of_it(demo_app: Flask, deal: int, name: str) -> None:
    _task(sign_in(demo_app, "officer"), deal, _person(demo_app, "engineer"))
    browser = sign_in(demo_app, name)
    owner = {"title": "x", "owner": _person(demo_app, "engineer"), "role": "tester", "whom": "doi-thu"}
    for path in ("tasks", "tasks/1/do", "participants", "outcomes/6", "goes-on"):
        assert browser.post(f"/deals/{deal}/{path}", data=owner | {"revision": 1}).status_code == 404
    for path in (f"/deals/{deal}/receipts/1", f"/deals/{deal}/outcomes/6", "/participations/1"):
        assert browser.get(path).status_code == 404
    assert "None." in _text(browser, "/participations")
    with demo_app.app_context(), identity.database().reading() as session:
        assert len(session.scalars(select(DealTask)).all()) == 1
        assert participants.of_actor(session, Context(actor_of(session, name))) == []

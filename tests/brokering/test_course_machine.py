"""Tasks and further participants of a deal against a model written by hand: sides, operators, guests who come and go,
old pages, kills, and the end of the deal in the middle of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.brokering import course, deals, participants, tasks
from techex.brokering.course import ParticipantVerb, TaskVerb
from techex.brokering.course_tables import DealParticipant, DealTask
from techex.brokering.deal_tables import Deal
from techex.brokering.pipeline import Verb
from techex.core.context import Context
from techex.core.mail import Letter
from tests.cast import CAST, person_of

from .machines import DEPTH, EXAMPLES, MOST_POINTS, PEOPLE, QUICKLY, Files, Run, Server, World
from .stage import Pair, actor_of
from .test_deals import HOUSE, agreed

SIDE = {"engineer": "receiver", "editor": "receiver", "officer": "sender"}
INSIDE = (*SIDE, "operator")
# Who can be named, by whom they act.
GUESTS = {"doi-thu": "rival", CAST["other_operator"].email: "other_operator"}
GUEST_NEXT = {
    ("asked_both", "sender", "agree"): "asked_receiver",
    ("asked_both", "receiver", "agree"): "asked_sender",
    ("asked_sender", "sender", "agree"): "invited",
    ("asked_receiver", "receiver", "agree"): "invited",
    ("asked_both", "sender", "refuse"): "refused",
    ("asked_both", "receiver", "refuse"): "refused",
    ("asked_sender", "sender", "refuse"): "refused",
    ("asked_receiver", "receiver", "refuse"): "refused",
    ("invited", "guest", "join"): "joined",
    ("invited", "guest", "stay_out"): "refused",
    ("joined", "guest", "leave"): "left",
    **{(state, who, "end"): "left" for state in ("invited", "joined") for who in ("sender", "receiver", "operator")},
}
TASK_NEXT = {
    ("open", "owner", "do"): "done",
    ("open", "inside", "do"): "done",
    ("open", "inside", "drop"): "dropped",
    ("done", "inside", "reopen"): "open",
    ("dropped", "inside", "reopen"): "open",
}
# What begins something, which a deal that is lost does no more.
BEGINS = {"agree", "join", "reopen"}
LIVING = ("asked_both", "asked_sender", "asked_receiver", "invited", "joined")


@dataclass
class Guest:
    """What the model knows of one further participant."""

    number: int
    who: str
    state: str
    revision: int = 1


@dataclass
class Task:
    """What the model knows of one task."""

    number: int
    owner: str
    state: str = "open"
    revision: int = 1


def _introduced(session: Session, pair: Pair, context: Context) -> int:
    number = agreed(session, context, pair).id
    deals.take(session, Context(actor_of(session, "operator"), context.now), number, Verb.INTRODUCE)
    return number


class CourseMachine(RuleBasedStateMachine):
    """Anybody names, answers, asks and does anything in one deal."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.run: Run = world.run()
        self.number = world.number
        self.lost = False
        self.guests: list[Guest] = []
        self.tasks: list[Task] = []
        self.invitations = self.given = 0
        with self.run.database.reading() as session:
            self.people = {name: person_of(session, name).id for name in PEOPLE}
            self.lines = len(session.get_one(Deal, self.number).ledger)

    def teardown(self) -> None:
        assert self.run.chain_holds()
        self.run.close()

    def _joined(self, name: str) -> bool:
        return any(one.who == name and one.state == "joined" for one in self.guests)

    @rule(
        name=st.sampled_from([*INSIDE, *PEOPLE]),
        whom=st.sampled_from([*GUESTS, *GUESTS, "det-may-song-hong", "nobody-here"]),
        crash_at=st.integers(-2 * MOST_POINTS, MOST_POINTS),
    )
    def name_guest(self, name: str, whom: str, crash_at: int) -> None:
        """Somebody names a further participant."""
        made: list[int] = []

        def do(session: Session) -> None:
            at = self.run.acting(name)
            made.append(participants.name_one(session, at, self.number, "tester", whom, "Tests.", "en").id)

        known = whom in GUESTS and not any(one.who == GUESTS[whom] and one.state in LIVING for one in self.guests)
        outcome = self.run.attempt(do, max(0, crash_at))
        if outcome == "killed":
            return
        assert (outcome == "done") == (name in INSIDE and known and not self.lost), (name, whom, self.guests)
        if outcome == "done":
            state = {"sender": "asked_receiver", "receiver": "asked_sender"}.get(SIDE.get(name, ""), "asked_both")
            self.guests.append(Guest(made[0], GUESTS[whom], state))
            self.lines += 1

    def _guest_expected(self, one: Guest, name: str, verb: str) -> str | None:
        if self.lost and verb in BEGINS:
            return None
        seat = SIDE.get(name, "operator" if name == "operator" else "guest" if name == one.who else "")
        return GUEST_NEXT.get((one.state, seat, verb))

    @rule(
        at=st.integers(0, 9),
        name=st.sampled_from(PEOPLE),
        verb=st.sampled_from([verb.value for verb in ParticipantVerb] + ["agree", "join"] * 2),
        old=st.integers(0, 4),
        crash_at=st.integers(-2 * MOST_POINTS, MOST_POINTS),
    )
    def answer(self, at: int, name: str, verb: str, old: int, crash_at: int) -> None:
        """Somebody presses a button about a participant, one time in five on an old page."""
        if not self.guests:
            return
        one = self.guests[at % len(self.guests)]
        expected = self._guest_expected(one, name, verb) if old else None

        def do(session: Session) -> None:
            revision = one.revision if old else one.revision - 1
            participants.take(session, self.run.acting(name), HOUSE, one.number, ParticipantVerb(verb), revision)

        outcome = self.run.attempt(do, max(0, crash_at))
        if outcome == "killed":
            return
        assert (outcome == "done") == (expected is not None), (one, name, verb, old, self.lost, outcome)
        if expected is not None:
            one.state, one.revision = expected, one.revision + 1
            self.invitations += expected == "invited"
            self.lines += 1

    @rule(at=st.integers(0, 9), choice=st.integers(0, 9))
    def go_on(self, at: int, choice: int) -> None:
        """Somebody who may brings a participant further, so that runs get far."""
        if not self.guests:
            return
        one = self.guests[-1 - at % min(2, len(self.guests))]
        ways = [(name, verb) for name in PEOPLE for verb in ("agree", "join") if self._guest_expected(one, name, verb)]
        if ways:
            self.answer(self.guests.index(one), *ways[choice % len(ways)], old=1, crash_at=0)

    @rule(
        name=st.sampled_from([*INSIDE, *PEOPLE]),
        owner=st.sampled_from(PEOPLE),
        crash_at=st.integers(-2 * MOST_POINTS, MOST_POINTS),
    )
    def ask(self, name: str, owner: str, crash_at: int) -> None:
        """Somebody sets a task for somebody."""
        made: list[int] = []

        def do(session: Session) -> None:
            at = self.run.acting(name)
            made.append(tasks.add(session, at, HOUSE, self.number, "Send a sample", self.people[owner], None).id)

        outcome = self.run.attempt(do, max(0, crash_at))
        if outcome == "killed":
            return
        possible = name in INSIDE and (owner in INSIDE or self._joined(owner)) and not self.lost
        assert (outcome == "done") == possible, (name, owner, self.guests, self.lost)
        if outcome == "done":
            self.tasks.append(Task(made[0], owner))
            self.given += name != owner
            self.lines += 1

    def _task_expected(self, one: Task, name: str, verb: str) -> str | None:
        if self.lost and verb in BEGINS:
            return None
        if name in INSIDE:
            return TASK_NEXT.get((one.state, "inside", verb))
        return TASK_NEXT.get((one.state, "owner", verb)) if name == one.owner and self._joined(name) else None

    @rule(
        at=st.integers(0, 9),
        name=st.sampled_from(PEOPLE),
        verb=st.sampled_from([verb.value for verb in TaskVerb]),
        old=st.integers(0, 4),
        crash_at=st.integers(-2 * MOST_POINTS, MOST_POINTS),
    )
    def work(self, at: int, name: str, verb: str, old: int, crash_at: int) -> None:
        """Somebody does, drops or opens a task, one time in five on an old page."""
        if not self.tasks:
            return
        one = self.tasks[at % len(self.tasks)]
        expected = self._task_expected(one, name, verb) if old else None

        def do(session: Session) -> None:
            revision = one.revision if old else one.revision - 1
            tasks.take(session, self.run.acting(name), self.number, one.number, TaskVerb(verb), revision)

        outcome = self.run.attempt(do, max(0, crash_at))
        if outcome == "killed":
            return
        assert (outcome == "done") == (expected is not None), (one, name, verb, old, self.lost, outcome)
        if expected is not None:
            one.state, one.revision = expected, one.revision + 1
            self.lines += 1

    @rule(days=st.integers(0, 3))
    def wait(self, days: int) -> None:
        """Time passes."""
        self.run.now += timedelta(days=days, hours=7)

    @rule(sure=st.integers(0, 7))
    def lose(self, sure: int) -> None:
        """The deal comes to nothing, now and then."""
        if sure or self.lost:
            return

        def do(session: Session) -> None:
            deals.take(session, self.run.acting("officer"), self.number, Verb.LOSE, given={"reason": "out_of_scope"})

        assert self.run.attempt(do) == "done"
        self.lost = True
        self.lines += 1

    @invariant()
    def rows_say_what_the_model_says(self) -> None:
        """Participants, tasks, the ledger and its chain, letters, and what each may see and do now."""
        with self.run.database.reading() as session:
            deal = session.get_one(Deal, self.number)
            assert deals.broken_at(deal) is None
            assert len(deal.ledger) == self.lines, "one line for each step, none for what was refused or killed"
            named = session.scalars(select(DealParticipant).order_by(DealParticipant.id)).unique().all()
            assert [(one.id, one.state, one.revision) for one in named] == [
                (one.number, one.state, one.revision) for one in self.guests
            ]
            rows = session.scalars(select(DealTask).order_by(DealTask.id)).unique().all()
            assert [(row.id, row.state, row.revision) for row in rows] == [
                (one.number, one.state, one.revision) for one in self.tasks
            ]
            assert all((row.closed_at is None) == (row.state == "open") for row in rows)
            for prefix, count in (("guest-", self.invitations), ("task-", self.given)):
                told = select(func.count()).select_from(Letter).where(Letter.key.startswith(prefix))
                assert session.scalar(told) == count, prefix
            for name in PEOPLE:
                at = self.run.acting(name)
                for row, one in zip(named, self.guests, strict=True):
                    options = {option.verb.value for option in participants.allowed(at, row)}
                    assert options == {verb for verb in ParticipantVerb if self._guest_expected(one, name, verb)}, name
                for task, known in zip(rows, self.tasks, strict=True):
                    possible = {option.verb.value for option in tasks.allowed(session, at, task)}
                    if name in INSIDE or self._joined(name):
                        assert possible == {verb for verb in TaskVerb if self._task_expected(known, name, verb)}, name
                invited = {one.number for one in self.guests if one.who == name and one.state in ("invited", "joined")}
                assert {one.id for one in participants.of_actor(session, at)} == invited, name
                assert (participants.seat(session, at, deal) is not None) == self._joined(name), name
                mine = {one.number for one in self.tasks if one.owner == name and one.state == "open"}
                shown = {task.id for task in tasks.open_of(session, at)}
                assert shown == (mine if name in INSIDE or self._joined(name) else set()), name


def _world(store: Files | Server, context: Context) -> World:
    return World(store, context, lambda session, pair: _introduced(session, pair, context))


def _walk(world: World, depth: settings) -> None:
    run_state_machine_as_test(lambda: CourseMachine(world), settings=depth)


def test_whatever_several_people_do_in_a_deal_the_model_and_the_rows_agree(
    migrated: Path, tmp_path: Path, context: Context
) -> None:
    _walk(_world(Files(migrated, tmp_path), context), settings(DEPTH, max_examples=max(4, EXAMPLES // 2)))


@pytest.mark.postgresql
def test_the_same_on_postgresql(request: pytest.FixtureRequest, context: Context) -> None:
    _walk(_world(Server(request.getfixturevalue("postgresql")), context), QUICKLY)


def test_the_models_know_every_row_of_both_tables() -> None:
    guests = {
        (source.value, seat.value, row.verb.value): row.target.value
        for row in course.PARTICIPANTS
        for source in row.sources
        for seat in row.who
    }
    assert guests == GUEST_NEXT
    assert {
        (source.value, party.value, row.verb.value): row.target.value
        for row in course.TASKS
        for source in row.sources
        for party in row.who
    } == TASK_NEXT

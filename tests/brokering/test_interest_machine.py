"""Expressions of interest against a model written by hand: several people, old pages, kills, the clock.

The model is a second opinion: it does not read the table that buttons and checks are read from.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.brokering import deals, rules, service
from techex.brokering.rules import Party, State, Verb
from techex.brokering.service import Draft
from techex.brokering.tables import Interest
from techex.core.context import Context
from techex.core.mail import Letter
from techex.organisations import service as organisations
from techex.regions import working_days

from .machines import DEPTH, MOST_POINTS, PEOPLE, Files, Run, World
from .stage import Pair, actor_of
from .test_deals import HOUSE, TEXTS

# Who stands where, and what each step leads to.
PARTY = {"officer": "sender", "engineer": "receiver", "editor": "receiver", "operator": "operator", "clock": "clock"}
NEXT = {
    ("sent", "operator", "screen"): "screened",
    ("screened", "operator", "forward"): "forwarded",
    ("sent", "operator", "refuse"): "declined",
    ("screened", "operator", "refuse"): "declined",
    ("forwarded", "receiver", "accept"): "accepted",
    ("forwarded", "receiver", "decline"): "declined",
    ("sent", "sender", "withdraw"): "withdrawn",
    ("screened", "sender", "withdraw"): "withdrawn",
    ("forwarded", "sender", "withdraw"): "withdrawn",
    ("forwarded", "clock", "lapse"): "lapsed",
}
TURN = {"sent": "operator", "screened": "operator", "forwarded": "receiver"}
ENDS = {"accepted", "declined", "withdrawn", "lapsed"}
VERBS = sorted({verb for _, _, verb in NEXT} | {"agree"})


def _send(session: Session, pair: Pair, context: Context) -> int:
    sender = organisations.get_organisation(session, "dai-hoc-phuong-nam")
    officer = Context(actor_of(session, "officer"), context.now)
    return service.send(session, officer, HOUSE, pair.need, sender, Draft(TEXTS, "en"), pair.offer).id


@pytest.fixture
def world(migrated: Path, tmp_path: Path, context: Context) -> World:
    return World(Files(migrated, tmp_path), context, lambda session, pair: _send(session, pair, context))


class InterestMachine(RuleBasedStateMachine):
    """Anybody tries anything; the model says what must come of it."""

    reached: ClassVar[set[str]] = set()

    def __init__(self, world: World) -> None:
        super().__init__()
        self.run: Run = world.run()
        self.number = world.number
        self.state, self.revision, self.taken = "sent", 1, ["send"]
        self.due = working_days.after(working_days.here(self.run.now), 2)

    def teardown(self) -> None:
        assert self.run.chain_holds()
        self.run.close()

    def _expected(self, name: str, verb: str) -> str | None:
        if verb == "lapse" and not working_days.is_over(self.due, self.run.now):
            return None
        return NEXT.get((self.state, PARTY.get(name, ""), verb))

    @rule(
        name=st.sampled_from([*PEOPLE, "clock"]),
        verb=st.sampled_from(VERBS),
        page=st.sampled_from(["now", "now", "now", "old", "none"]),
        crash_at=st.integers(-MOST_POINTS, MOST_POINTS),
    )
    def step(self, name: str, verb: str, page: str, crash_at: int) -> None:
        """Somebody presses a button on a page that may be old; the process may die of it."""
        revision = {"now": self.revision, "old": self.revision - 1, "none": None}[page]
        reason = "out_of_scope" if verb in ("refuse", "decline") else ""

        def do(session: Session) -> None:
            at = self.run.acting(name)
            service.take(session, at, HOUSE, self.number, Verb(verb), revision, reason=reason)

        expected = None if page == "old" else self._expected(name, verb)
        outcome = self.run.attempt(do, max(0, crash_at))
        if outcome == "killed":
            return
        assert (outcome == "done") == (expected is not None), (self.state, name, verb, page, outcome)
        if expected is not None:
            self.state, self.revision = expected, self.revision + 1
            self.taken.append(verb)
            if expected == "forwarded":
                self.due = working_days.after(working_days.here(self.run.now), 10)
            type(self).reached.add(expected)

    @rule(days=st.integers(0, 12))
    def wait(self, days: int) -> None:
        """Time passes."""
        self.run.now += timedelta(days=days, hours=7)

    @rule(first=st.sampled_from(["engineer", "officer"]), second=st.sampled_from(["editor", "operator"]))
    def at_once(self, first: str, second: str) -> None:
        """Two have the same page before them and both act: at most one step is taken."""
        seen, done = self.revision, 0
        choices = {"engineer": "accept", "editor": "decline", "officer": "withdraw", "operator": "screen"}
        for name in (first, second):

            def do(session: Session, name: str = name) -> None:
                verb = Verb(choices[name])
                service.take(session, self.run.acting(name), HOUSE, self.number, verb, seen, reason="too_early")

            expected = self._expected(name, choices[name]) if seen == self.revision else None
            outcome = self.run.attempt(do)
            assert (outcome == "done") == (expected is not None)
            if expected is not None:
                self.state, self.revision, done = expected, self.revision + 1, done + 1
                self.taken.append(choices[name])
                type(self).reached.add(expected)
        assert done <= 1

    @invariant()
    def rows_say_what_the_model_says(self) -> None:
        """State, revision, history, whose turn it is, deadline, end, letters, and the deal it opened."""
        with self.run.database.reading() as session:
            row = session.get_one(Interest, self.number)
            assert (row.state, row.revision) == (self.state, self.revision)
            assert [step.verb for step in row.steps] == self.taken
            party = rules.turn(State(row.state))
            assert (party.value if party else None) == TURN.get(self.state)
            assert (row.due is None) == (row.closed_at is not None) == (self.state in ENDS)
            assert row.due is None or row.due == self.due
            assert (row.forwarded_at is not None) == ("forward" in self.taken)
            assert (row.reason is not None) == (self.state == "declined")
            assert (deals.of_interest(session, row) is not None) == (self.state == "accepted")
            told = session.scalars(select(Letter.key).where(Letter.key.startswith("interest-"))).all()
            stages = {key.split("-")[2] for key in told}
            assert stages <= {"sent", "forwarded", self.state, *ENDS}
            assert ("forwarded" in stages) == ("forward" in self.taken)
            turned = [
                name
                for name in (*PEOPLE, "clock")
                for option in rules.allowed(self.run.acting(name).actor, row.standing, working_days.here(self.run.now))
                if option.verb not in (Verb.WITHDRAW, Verb.LAPSE)
            ]
            assert {PARTY[name] for name in turned} == {TURN[self.state]} if self.state in TURN else turned == []


def test_whatever_several_people_do_the_model_and_the_rows_agree(world: World) -> None:
    InterestMachine.reached = {"sent"}
    run_state_machine_as_test(lambda: InterestMachine(world), settings=DEPTH)


def test_every_state_is_reached_by_the_shortest_way_the_model_knows(world: World) -> None:
    ways: dict[str, list[tuple[str, str]]] = {"sent": []}
    while len(ways) < len(TURN) + len(ENDS):
        for (source, party, verb), target in NEXT.items():
            if source in ways and target not in ways:
                ways[target] = [*ways[source], (party, verb)]
    names = {party: name for name, party in PARTY.items()}
    for target, way in ways.items():
        machine = InterestMachine(world)
        for party, verb in way:
            if verb == "lapse":
                machine.wait(12)
                machine.wait(12)
            machine.step(names[party], verb, "now", 0)
        assert machine.state == target
        machine.rows_say_what_the_model_says()
        machine.teardown()


def test_a_step_that_is_killed_anywhere_leaves_all_or_nothing(world: World) -> None:
    killed, run = 0, world.run()

    def screen(session: Session) -> None:
        service.take(session, run.acting("operator"), HOUSE, world.number, Verb.SCREEN)

    # Nothing is left behind by a kill, so the next one meets what the first one met.
    while run.attempt(screen, killed + 1) == "killed":
        killed += 1
    with run.database.reading() as session:
        assert session.get_one(Interest, world.number).state == "screened"
    assert run.chain_holds()
    assert killed > 10
    run.close()


def test_the_model_knows_every_row_of_the_table() -> None:
    """What the table says in its own words, and nothing beside it."""
    said = {
        (source.value, {Party.SYSTEM: "clock"}.get(row.who, row.who.value), row.verb.value): row.target.value
        for row in rules.TRANSITIONS
        for source in row.sources
    }
    assert said == NEXT


def test_none_of_the_others_may_do_anything(world: World) -> None:
    run = world.run()
    with run.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Interest)) == 1
        standing = session.get_one(Interest, world.number).standing
    today = run.now.date()
    assert [name for name in PEOPLE if rules.allowed(world.actors[name], standing, today)] == ["officer", "operator"]
    run.close()

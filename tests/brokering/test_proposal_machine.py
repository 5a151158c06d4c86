"""An operator's proposals to both sides against a model written by hand: several people, old pages, kills, the clock.

With both listings open to everybody both sides are asked at once; with a restricted need its owner is asked first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from techex.brokering import deals, proposals, rules, service
from techex.brokering.rules import Party, State, Verb
from techex.brokering.tables import Interest
from techex.core.context import Context
from techex.listings.tables import Listing
from techex.regions import working_days

from .machines import DEPTH, MOST_POINTS, PEOPLE, QUICKLY, Files, Run, Server, World
from .test_deals import HOUSE

NOTE = "We compared both texts and think that an hour of talk would be worth it for the two of you."
# The sender is whoever owns the result, or, where the need is restricted, the firm, which is asked first.
UNIVERSITY, FIRM = ("officer",), ("engineer", "editor")
# (state, who, verb) -> state
NEXT = {
    ("asked_first", "sender", "agree"): "sender_agreed",
    ("asked_first", "sender", "decline"): "declined",
    ("asked_both", "sender", "agree"): "sender_agreed",
    ("asked_both", "receiver", "agree"): "receiver_agreed",
    ("asked_both", "sender", "decline"): "declined",
    ("asked_both", "receiver", "decline"): "declined",
    ("sender_agreed", "receiver", "agree"): "accepted",
    ("sender_agreed", "receiver", "decline"): "declined",
    ("receiver_agreed", "sender", "agree"): "accepted",
    ("receiver_agreed", "sender", "decline"): "declined",
    **{
        (state, who, verb): target
        for state in ("asked_first", "asked_both", "sender_agreed", "receiver_agreed")
        for who, verb, target in (("operator", "withdraw", "withdrawn"), ("clock", "lapse", "lapsed"))
    },
}
WAITS = {
    "asked_first": {"sender"},
    "asked_both": {"sender", "receiver"},
    "sender_agreed": {"receiver"},
    "receiver_agreed": {"sender"},
}
MOST_A_WEEK, NO_IS_HEARD = 3, timedelta(days=180)


@dataclass
class Asked:
    """What the model knows of one proposal."""

    number: int
    state: str
    sent: datetime
    due: date
    told_second: bool
    closed: datetime | None = None
    revision: int = 1
    taken: list[str] = field(default_factory=lambda: ["propose"])


class ProposalMachine(RuleBasedStateMachine):
    """Operators propose the same pair again and again; anybody answers anything."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.run: Run = world.run()
        self.all: list[Asked] = []
        self.first_only = False

    def teardown(self) -> None:
        assert self.run.chain_holds()
        self.run.close()

    @initialize(restricted=st.booleans())
    def listings(self, restricted: bool) -> None:
        """Where the need is restricted, its owner is asked before the other side learns of it."""
        self.first_only = restricted
        if restricted:
            with self.run.database.transaction() as session:
                row = update(Listing).where(Listing.id == self.run.world.pair.need)
                session.execute(row.values(visibility="restricted"))

    def _party(self, name: str) -> str:
        first, second = (FIRM, UNIVERSITY) if self.first_only else (UNIVERSITY, FIRM)
        if name in first:
            return "sender"
        return "receiver" if name in second else name

    def _due(self) -> date:
        return working_days.after(working_days.here(self.run.now), 10)

    def _may_propose(self, name: str) -> bool:
        now = self.run.now
        if name != "operator" or any(one.state in {*WAITS, "accepted"} for one in self.all):
            return False
        if any(one.state == "declined" and one.closed and one.closed > now - NO_IS_HEARD for one in self.all):
            return False
        return sum(one.sent > now - timedelta(days=7) for one in self.all) < MOST_A_WEEK

    @rule(name=st.sampled_from(["operator", "operator", *PEOPLE]), crash_at=st.integers(-MOST_POINTS, MOST_POINTS))
    def propose(self, name: str, crash_at: int) -> None:
        """Somebody lays the pair before both sides."""
        pair, made = self.run.world.pair, []

        def do(session: Session) -> None:
            at = self.run.acting(name)
            made.append(proposals.propose(session, at, HOUSE, pair.need, pair.offer, NOTE, "en").id)

        outcome = self.run.attempt(do, max(0, crash_at))
        if outcome == "killed":
            return
        assert (outcome == "done") == self._may_propose(name), (name, [one.state for one in self.all])
        if outcome == "done":
            state = "asked_first" if self.first_only else "asked_both"
            self.all.append(Asked(made[0], state, self.run.now, self._due(), not self.first_only))

    def _expected(self, one: Asked, name: str, verb: str) -> str | None:
        if verb == "lapse" and not working_days.is_over(one.due, self.run.now):
            return None
        return NEXT.get((one.state, self._party(name), verb))

    @rule(
        name=st.sampled_from([*PEOPLE, "clock"]),
        verb=st.sampled_from([verb.value for verb in Verb] + ["agree"] * 6),
        page=st.sampled_from(["now", "now", "now", "old", "none"]),
        crash_at=st.integers(-MOST_POINTS, MOST_POINTS),
    )
    def answer(self, name: str, verb: str, page: str, crash_at: int) -> None:
        """Somebody presses a button on a page that may be old; the process may die of it."""
        if not self.all:
            return
        one = self.all[-1]
        revision = {"now": one.revision, "old": one.revision - 1, "none": None}[page]
        reason = "out_of_scope" if verb in ("refuse", "decline") else ""

        def do(session: Session) -> None:
            service.take(session, self.run.acting(name), HOUSE, one.number, Verb(verb), revision, reason=reason)

        expected = None if page == "old" else self._expected(one, name, verb)
        outcome = self.run.attempt(do, max(0, crash_at))
        if outcome == "killed":
            return
        assert (outcome == "done") == (expected is not None), (one, name, verb, page, outcome)
        if expected is not None:
            self._note(one, verb, expected)

    def _note(self, one: Asked, verb: str, expected: str) -> None:
        one.state, one.revision = expected, one.revision + 1
        one.taken.append(verb)
        if expected == "sender_agreed" and not one.told_second:
            one.told_second, one.due = True, self._due()
        if expected not in WAITS:
            one.closed = self.run.now

    @rule(days=st.integers(0, 12))
    def wait(self, days: int) -> None:
        """Time passes, and what nobody has answered lapses by the daily job."""
        self.run.now += timedelta(days=days, hours=7)

        def do(session: Session) -> None:
            service.lapse(session, self.run.acting("clock"), HOUSE)

        late = [one for one in self.all if self._expected(one, "clock", "lapse")]
        assert self.run.attempt(do) == "done"
        for one in late:
            self._note(one, "lapse", "lapsed")

    @invariant()
    def rows_say_what_the_model_says(self) -> None:
        """States, steps, whom they wait for, days, the deal that a second yes opened, and who may see what."""
        with self.run.database.reading() as session:
            rows = session.scalars(select(Interest).order_by(Interest.id)).unique().all()
            assert [(row.id, row.state, row.revision) for row in rows] == [
                (one.number, one.state, one.revision) for one in self.all
            ]
            for row, one in zip(rows, self.all, strict=True):
                assert row.proposed
                assert [step.verb for step in row.steps] == one.taken
                assert row.due == (one.due if one.state in WAITS else None)
                assert row.closed_at == one.closed
                assert (row.forwarded_at is not None) == one.told_second
                assert (row.reason is not None) == (one.state == "declined")
                assert (deals.of_interest(session, row) is not None) == (one.state == "accepted")
                for name in PEOPLE:
                    at = self.run.acting(name)
                    options = {option.verb.value for option in service.verbs(at, row)}
                    assert options == {verb.value for verb in Verb if self._expected(one, name, verb.value)}, name
                    party = "sender" if name == "viewer" and self.first_only else self._party(name)
                    told = (
                        one.told_second if name == "viewer" or party == "receiver" else party in ("sender", "operator")
                    )
                    told |= name == "viewer" and self.first_only
                    assert rules.may_see(at.actor, row.standing) == told, name
                turn = rules.turn(State(row.state))
                asked = {"sender", "receiver"} if turn is Party.BOTH else {turn.value} if turn else set()
                assert asked == WAITS.get(one.state, set())


def _nothing(_session: Session, _pair: object) -> int:
    return 0


def _walk(world: World, depth: settings) -> None:
    run_state_machine_as_test(lambda: ProposalMachine(world), settings=depth)


def test_whatever_several_people_answer_the_model_and_the_rows_agree(
    migrated: Path, tmp_path: Path, context: Context
) -> None:
    _walk(World(Files(migrated, tmp_path), context, _nothing), DEPTH)


@pytest.mark.postgresql
def test_the_same_on_postgresql(request: pytest.FixtureRequest, context: Context) -> None:
    _walk(World(Server(request.getfixturevalue("postgresql")), context, _nothing), QUICKLY)


def test_every_state_of_a_proposal_is_reached(migrated: Path, tmp_path: Path, context: Context) -> None:
    world = World(Files(migrated, tmp_path), context, _nothing)
    ways = {
        "accepted": (False, [("engineer", "agree"), ("officer", "agree")]),
        "declined": (False, [("officer", "agree"), ("editor", "decline")]),
        "withdrawn": (True, [("operator", "withdraw")]),
    }
    seen = set()
    for target, (restricted, way) in ways.items():
        machine = ProposalMachine(world)
        machine.listings(restricted)
        machine.propose("operator", 0)
        seen.add(machine.all[-1].state)
        for name, verb in way:
            machine.answer(name, verb, "now", 0)
            seen.add(machine.all[-1].state)
            machine.rows_say_what_the_model_says()
        assert machine.all[-1].state == target
        machine.propose("operator", 0)
        assert len(machine.all) == (2 if target == "withdrawn" else 1), "a no and a yes are heard"
        for _ in range(2):
            machine.wait(12)
        seen.add(machine.all[-1].state)
        machine.teardown()
    assert seen == {*WAITS, "accepted", "declined", "withdrawn", "lapsed"}


def test_the_model_knows_every_row_of_the_table_of_proposals() -> None:
    said = {
        (source.value, {Party.SYSTEM: "clock"}.get(row.who, row.who.value), row.verb.value): row.target.value
        for row in rules.PROPOSALS
        for source in row.sources
    }
    assert said == NEXT

"""Deals against a model written by hand: both sides, operators, strangers, old pages, two at once, kills."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex.brokering import deals, pipeline
from techex.brokering.deal_tables import Deal, DealMessage
from techex.brokering.disclosing import Act
from techex.brokering.pipeline import Stage, Verb
from techex.core.context import Context

from .machines import DEPTH, MOST_POINTS, PEOPLE, Files, Run, World
from .stage import Pair, actor_of
from .test_deals import CONTRACT, agreed

SIDE = {"engineer": "firm", "editor": "firm", "officer": "university"}
AT_HOME = CONTRACT
ABROAD = CONTRACT | {"origin": "NL", "currency": "EUR"}
GIVEN = {"reason": "out_of_scope", "outcome": "It runs.", "registration": "1/GCN"}
BEFORE_SIGNING = ("lead", "introduced", "under_nda", "evaluation", "valuation", "negotiation")
TALKING = BEFORE_SIGNING[1:5]
# verb -> (from which stages, to which, who): "any" is a side or an operator.
STEPS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "introduce": (("lead",), "introduced", "operator"),
    "keep_secret": (("introduced",), "under_nda", "any"),
    "evaluate": (("introduced", "under_nda"), "evaluation", "any"),
    "valuate": (("introduced", "under_nda", "evaluation"), "valuation", "any"),
    "negotiate": (TALKING, "negotiation", "any"),
    "draw_up": (("negotiation",), "negotiation", "any"),
    "confirm": (("negotiation",), "signed", "side"),
    "register": (("signed",), "registered", "any"),
    "implement": (("signed", "registered"), "implemented", "any"),
    "review": (("implemented",), "reviewed", "operator"),
    "lose": (BEFORE_SIGNING, "lost", "any"),
}


@pytest.fixture
def world(migrated: Path, tmp_path: Path, context: Context) -> World:
    return World(Files(migrated, tmp_path), context, lambda session, pair: agreed(session, context, pair).id)


class DealMachine(RuleBasedStateMachine):
    """Anybody tries anything; the model says what must come of it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.run: Run = world.run()
        self.number = world.number
        self.stage, self.revision = "lead", self._revision()
        self.abroad: bool | None = None  # whether the contract on the table crosses a border
        self.confirmed: set[str] = set()
        self.agreement: set[str] | None = None  # who has accepted the text on the table
        self.messages = 0

    def teardown(self) -> None:
        assert self.run.chain_holds()
        self.run.close()

    def _revision(self) -> int:
        with self.run.database.reading() as session:
            return session.get_one(Deal, self.number).revision

    def _expected(self, name: str, verb: str) -> str | None:
        sources, target, who = STEPS[verb]
        side, operator = SIDE.get(name), name == "operator"
        may = {"side": bool(side), "operator": operator, "any": bool(side) or operator}[who]
        if self.stage not in sources or not may:
            return None
        if verb == "keep_secret" and len(self.agreement or ()) < 2:
            return None
        if verb == "confirm":
            if self.abroad is None or side in self.confirmed:
                return None
            return "signed" if self.confirmed else "negotiation"
        if verb == "register" and not self.abroad:
            return None
        if verb == "implement" and self.stage == "signed" and self.abroad:
            return None
        return target

    @rule(
        name=st.sampled_from(PEOPLE),
        verb=st.sampled_from([*STEPS, *(verb for verb in STEPS if verb != "lose")]),
        page=st.sampled_from(["now", "now", "now", "old", "none"]),
        abroad=st.booleans(),
        crash_at=st.integers(-2 * MOST_POINTS, MOST_POINTS),
    )
    def step(self, name: str, verb: str, page: str, abroad: bool, crash_at: int) -> None:
        """Somebody presses a button on a page that may be old; the process may die of it."""
        revision = {"now": self.revision, "old": self.revision - 1, "none": None}[page]
        expected = None if page == "old" else self._expected(name, verb)
        outcome = self._take(name, verb, revision, abroad, max(0, crash_at))
        if outcome == "killed":
            return
        assert (outcome == "done") == (expected is not None), (self.stage, name, verb, page, outcome)
        if expected is not None:
            self._note(name, verb, expected, abroad)

    @rule(
        name=st.sampled_from(["engineer", "officer", "operator"]),
        choice=st.integers(0, 9),
        abroad=st.booleans(),
    )
    def go_on(self, name: str, choice: int, abroad: bool) -> None:
        """Somebody who may takes one of the steps that lead on, so that runs get far."""
        options = [verb for verb in STEPS if verb != "lose" and self._expected(name, verb) is not None]
        if options:
            self.step(name, options[choice % len(options)], "now", abroad, 0)

    @rule(crash_at=st.integers(-MOST_POINTS, MOST_POINTS), name=st.sampled_from(PEOPLE))
    def write(self, name: str, crash_at: int) -> None:
        """A message, which changes no stage and voids no confirmation."""

        def do(session: Session) -> None:
            deals.write_message(session, self.run.acting(name), self.number, "Is Tuesday good?", "en")

        outcome = self.run.attempt(do, max(0, crash_at))
        if outcome != "killed":
            may = name in (*SIDE, "operator", "viewer") and self.stage != "lead"
            assert (outcome == "done") <= may
            self.messages += outcome == "done"

    @rule(side=st.sampled_from(["engineer", "officer"]), anew=st.booleans())
    def agree(self, side: str, anew: bool) -> None:
        """A text on confidentiality is laid before both, or accepted by one."""
        if self.stage in ("lead", "lost") or len(self.agreement or ()) == 2:
            return
        version = {"version": 1, "paper": 1, "sha256": "a" * 64, "person": 1}

        def do(session: Session) -> None:
            deal, at = session.get_one(Deal, self.number), self.run.acting(side)
            own = pipeline.side_of(at.actor, deals.standing(deal))
            act = Act.PROPOSE if anew or self.agreement is None else Act.ACCEPT
            deals.note(session, at, deal, act, own, version | {"name": "Lan", "capacity": "director"})

        assert self.run.attempt(do) == "done"
        if anew or self.agreement is None:
            self.agreement = set()
        else:
            self.agreement.add(SIDE[side])

    @rule(first=st.sampled_from(["engineer", "officer"]), second=st.sampled_from(["editor", "operator"]))
    def at_once(self, first: str, second: str) -> None:
        """Two have the same page before them and both act: exactly one of two possible steps is taken."""
        seen, done = self.revision, 0
        for name, verb in ((first, "evaluate"), (second, "lose" if self.stage == "valuation" else "negotiate")):
            expected = self._expected(name, verb) if seen == self.revision else None
            outcome = self._take(name, verb, seen, False, 0)
            assert (outcome == "done") == (expected is not None)
            if expected is not None:
                self._note(name, verb, expected, False)
                done += 1
        assert done <= 1

    def _take(self, name: str, verb: str, revision: int | None, abroad: bool, crash_at: int) -> str:
        given: dict[str, Any] = GIVEN | (ABROAD if abroad else AT_HOME)

        def do(session: Session) -> None:
            deals.take(session, self.run.acting(name), self.number, Verb(verb), revision, given)

        return self.run.attempt(do, crash_at)

    def _note(self, name: str, verb: str, expected: str, abroad: bool) -> None:
        before, self.stage, self.revision = self.revision, expected, self._revision()
        assert self.revision > before, "every step makes older pages old"
        if verb == "confirm":
            self.confirmed.add(SIDE[name])
        else:
            self.confirmed = self.confirmed if self.stage in ("signed", "registered", "implemented") else set()
        if verb == "draw_up":
            self.abroad = abroad

    @invariant()
    def rows_say_what_the_model_says(self) -> None:
        """Stage, revision, ledger and its chain, contract, moments, messages, and what each may do now."""
        with self.run.database.reading() as session:
            deal = session.get_one(Deal, self.number)
            assert (deal.stage, deal.revision) == (self.stage, self.revision)
            assert deals.broken_at(deal) is None
            assert [step.number for step in deal.ledger] == list(range(1, len(deal.ledger) + 1))
            assert session.scalar(select(func.count()).select_from(DealMessage)) == self.messages
            assert (deal.contract is not None) == (self.abroad is not None)
            signed = self.stage in ("signed", "registered", "implemented", "reviewed")
            assert (deal.signed_at is not None) == signed
            assert (deal.introduced_at is None) <= (self.stage in ("lead", "lost"))
            assert (deal.closed_at is not None) == (self.stage in ("lost", "reviewed"))
            assert (deal.reason is not None) == (deal.lost_at is not None) == (self.stage == "lost")
            if signed:
                confirmations = [step for step in deal.ledger if step.verb == Verb.CONFIRM][-2:]
                assert len({step.organisation_id for step in confirmations}) == 2
                assert [step.detail for step in confirmations] == [deal.contract] * 2, "both confirmed this text"
                assert (self.stage == "registered") <= bool(deal.registration)
            elif self.stage == "negotiation":
                assert len(deals.standing(deal).done_by) == len(self.confirmed) < 2
            for name in PEOPLE:
                at = self.run.acting(name)
                offered = {row.verb.value for row in deals.verbs(at, deal)}
                assert offered == {verb for verb in STEPS if self._expected(name, verb) is not None}, name
                sees = pipeline.may_see(at.actor, deals.standing(deal))
                assert sees == (name in (*SIDE, "viewer", "operator"))


def test_whatever_several_people_do_the_model_and_the_rows_agree(world: World) -> None:
    run_state_machine_as_test(lambda: DealMachine(world), settings=DEPTH)


def test_every_stage_is_reached(world: World) -> None:
    ways = {
        "lost": [("operator", "introduce"), ("engineer", "lose")],
        "reviewed": [
            *(("operator", "introduce"), ("engineer", "nda"), ("engineer", "evaluate"), ("officer", "valuate")),
            *(("officer", "negotiate"), ("engineer", "draw_up"), ("engineer", "confirm"), ("officer", "confirm")),
            *(("officer", "register"), ("engineer", "implement"), ("operator", "review")),
        ],
    }
    reached = {"lead"}
    for target, way in ways.items():
        machine = DealMachine(world)
        for name, verb in way:
            if verb == "nda":
                for side in ("engineer", "engineer", "officer"):
                    machine.agree(side, False)
                verb = "keep_secret"
            machine.step(name, verb, "now", True, 0)
            reached.add(machine.stage)
            machine.rows_say_what_the_model_says()
        assert machine.stage == target
        machine.teardown()
    assert reached == {stage.value for stage in Stage}


def test_the_second_confirmation_killed_anywhere_leaves_all_or_nothing(
    migrated: Path, tmp_path: Path, context: Context
) -> None:
    def confirmed_once(session: Session, pair: Pair) -> int:
        number = agreed(session, context, pair).id
        for name, verb in (("operator", "introduce"), ("officer", "negotiate"), ("officer", "draw_up")):
            deals.take(session, Context(actor_of(session, name), context.now), number, Verb(verb), given=AT_HOME)
        deals.take(session, Context(actor_of(session, "officer"), context.now), number, Verb.CONFIRM)
        return number

    world, killed = World(Files(migrated, tmp_path), context, confirmed_once), 0
    run = world.run()

    def confirm(session: Session) -> None:
        deals.take(session, run.acting("engineer"), world.number, Verb.CONFIRM)

    # Nothing is left behind by a kill, so the next one meets what the first one met.
    while run.attempt(confirm, killed + 1) == "killed":
        killed += 1
    with run.database.reading() as session:
        deal = session.get_one(Deal, world.number)
        assert deal.stage == Stage.SIGNED
        assert deals.broken_at(deal) is None
    assert run.chain_holds()
    assert killed > 20
    run.close()


def test_the_model_knows_every_row_of_the_table() -> None:
    said = {(source.value, row.verb.value) for row in pipeline.TRANSITIONS for source in row.sources}
    assert said == {(source, verb) for verb, (sources, _, _) in STEPS.items() for source in sources}

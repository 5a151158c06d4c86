"""Two people press at the same moment, in threads with sessions of their own and in processes: exactly one wins, the
other is told; where both may win, both do and the ledger stays whole. On SQLite and on PostgreSQL.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex import paths
from techex.brokering import deals, outcomes, participants, proposals, service, tasks
from techex.brokering.course import ParticipantVerb, TaskVerb
from techex.brokering.course_tables import DealOutcome
from techex.brokering.deal_tables import Deal, DealMessage
from techex.brokering.pipeline import Verb
from techex.brokering.rules import State
from techex.brokering.rules import Verb as InterestVerb
from techex.brokering.tables import Interest
from techex.core.context import Actor, Context
from techex.core.database import Database
from techex.errors import Conflict
from tests.cast import person_of

from .stage import Pair, actor_of, stage
from .test_deals import CONTRACT, HOUSE, agreed

NOTE = "We compared both texts and think that an hour of talk would be worth it for the two of you."
Step = Callable[[Session, Context], object]


class Scene:
    """The stage in one database, with the people who act on it."""

    def __init__(self, database: Database, context: Context) -> None:
        self.database, self.now = database, context.now
        with database.transaction() as session:
            self.pair: Pair = stage(session, context)
            names = ("officer", "engineer", "editor", "operator")
            self.actors: dict[str, Actor] = {name: actor_of(session, name) for name in names}
            self.people = {name: person_of(session, name).id for name in names}

    def does(self, name: str, step: Step) -> None:
        """One step in a transaction of its own."""
        with self.database.transaction() as session:
            step(session, Context(self.actors[name], self.now))

    def introduced(self, context: Context) -> int:
        """The number of a deal whose sides were introduced."""
        with self.database.transaction() as session:
            number = agreed(session, context, self.pair).id
            deals.take(session, Context(self.actors["operator"], self.now), number, Verb.INTRODUCE)
        return number

    def at_once(self, *steps: tuple[str, Step]) -> list[str]:
        """Do these in threads that start together; what became of each: "" or the sentence of the conflict."""
        barrier = Barrier(len(steps))

        def one(row: tuple[str, Step]) -> str:
            barrier.wait()
            try:
                self.does(*row)
            except Conflict as error:
                return str(error)
            return ""

        with ThreadPoolExecutor(len(steps)) as pool:
            return list(pool.map(one, steps))


@pytest.fixture
def scene(each_database: Database, context: Context) -> Scene:
    return Scene(each_database, context)


def _one_wins(told: Sequence[str]) -> None:
    assert sorted(map(bool, told)) == [False, True], told
    assert any("quicker" in sentence or "already" in sentence for sentence in told)


def test_two_steps_of_a_deal(scene: Scene, context: Context) -> None:
    number = scene.introduced(context)
    with scene.database.reading() as session:
        revision = session.get_one(Deal, number).revision
    told = scene.at_once(
        ("officer", lambda session, at: deals.take(session, at, number, Verb.EVALUATE, revision)),
        ("engineer", lambda session, at: deals.take(session, at, number, Verb.LOSE, revision, {"reason": "too_early"})),
    )
    _one_wins(told)
    with scene.database.reading() as session:
        found = session.get_one(Deal, number)
        assert found.stage in ("evaluation", "lost")
        assert deals.broken_at(found) is None


def test_two_people_of_one_side_confirm_and_it_counts_once(scene: Scene, context: Context) -> None:
    number = scene.introduced(context)
    for verb in (Verb.NEGOTIATE, Verb.DRAW_UP):
        scene.does("officer", lambda session, at, verb=verb: deals.take(session, at, number, verb, given=CONTRACT))  # type: ignore[misc]
    with scene.database.reading() as session:
        revision = session.get_one(Deal, number).revision
    confirm: Step = lambda session, at: deals.take(session, at, number, Verb.CONFIRM, revision)  # noqa: E731
    _one_wins(scene.at_once(("engineer", confirm), ("editor", confirm)))
    with scene.database.reading() as session:
        found = session.get_one(Deal, number)
        assert found.stage == "negotiation", "one side alone signs nothing"
        assert [step.verb for step in found.ledger].count("confirm") == 1


def test_the_other_side_says_yes_while_it_is_withdrawn(scene: Scene, context: Context) -> None:
    with scene.database.transaction() as session:
        at = Context(scene.actors["operator"], scene.now)
        number = proposals.propose(session, at, None, scene.pair.need, scene.pair.offer, NOTE, "en").id
        revision = session.get_one(Interest, number).revision
    told = scene.at_once(
        ("operator", lambda session, at: service.take(session, at, None, number, InterestVerb.WITHDRAW, revision)),
        ("engineer", lambda session, at: service.take(session, at, None, number, InterestVerb.AGREE, revision)),
    )
    _one_wins(told)


def test_both_sides_agree_and_one_deal_comes_of_it(scene: Scene, context: Context) -> None:
    with scene.database.transaction() as session:
        at = Context(scene.actors["operator"], scene.now)
        number = proposals.propose(session, at, None, scene.pair.need, scene.pair.offer, NOTE, "en").id
        revision = session.get_one(Interest, number).revision
    agree: Step = lambda session, at: service.take(session, at, HOUSE, number, InterestVerb.AGREE, revision)  # noqa: E731
    told = scene.at_once(("officer", agree), ("engineer", agree))
    _one_wins(told)
    late = "officer" if told[0] else "engineer"
    scene.does(late, lambda session, at: service.take(session, at, HOUSE, number, InterestVerb.AGREE))
    with scene.database.reading() as session:
        assert session.get_one(Interest, number).state == State.ACCEPTED
        assert session.scalar(select(func.count()).select_from(Deal)) == 1


def test_two_operators_propose_the_same_pair(scene: Scene) -> None:
    propose: Step = lambda session, at: proposals.propose(  # noqa: E731
        session, at, None, scene.pair.need, scene.pair.offer, NOTE, "en"
    )
    told = scene.at_once(("operator", propose), ("operator", propose))
    assert sorted(map(bool, told)) == [False, True]
    assert "in touch already" in "".join(told)


def test_a_task_is_done_and_dropped(scene: Scene, context: Context) -> None:
    number = scene.introduced(context)
    with scene.database.transaction() as session:
        at = Context(scene.actors["officer"], scene.now)
        task = tasks.add(session, at, None, number, "Send a sample", scene.people["engineer"], None).id
    told = scene.at_once(
        ("engineer", lambda session, at: tasks.take(session, at, number, task, TaskVerb.DO, 1)),
        ("officer", lambda session, at: tasks.take(session, at, number, task, TaskVerb.DROP, 1)),
    )
    _one_wins(told)


def test_a_participant_is_agreed_to_and_refused(scene: Scene, context: Context) -> None:
    number = scene.introduced(context)
    with scene.database.transaction() as session:
        at = Context(scene.actors["operator"], scene.now)
        guest = participants.name_one(session, at, number, "tester", "doi-thu", "", "en").id
    told = scene.at_once(
        ("engineer", lambda session, at: participants.take(session, at, None, guest, ParticipantVerb.AGREE, 1)),
        ("officer", lambda session, at: participants.take(session, at, None, guest, ParticipantVerb.REFUSE, 1)),
    )
    _one_wins(told)


def test_one_side_answers_for_its_outcome_twice(scene: Scene, context: Context) -> None:
    number = scene.introduced(context)
    with scene.database.transaction() as session:
        session.get_one(Deal, number).signed_at = scene.now.replace(year=scene.now.year - 1)
    say: Step = lambda session, at: outcomes.answer(session, at, number, 6, {"in_use": "yes"}, "en")  # noqa: E731
    _one_wins(scene.at_once(("engineer", say), ("editor", say)))
    with scene.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(DealOutcome)) == 1


def test_what_both_may_say_both_say_and_the_ledger_follows(scene: Scene, context: Context) -> None:
    number = scene.introduced(context)
    write: Step = lambda session, at: deals.write_message(session, at, number, "At the same moment.", "en")  # noqa: E731
    assert scene.at_once(*[(name, write) for name in ("officer", "engineer", "editor", "operator")]) == [""] * 4
    with scene.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(DealMessage)) == 4
        assert deals.broken_at(session.get_one(Deal, number)) is None


PRESS = """
import sys
from datetime import datetime
from techex.migrations.metadata import import_tables
import_tables()
from techex.brokering import deals
from techex.brokering.pipeline import Verb
from techex.core.context import Context
from techex.core.database import Database
from techex.errors import Conflict
from tests.brokering.stage import actor_of
address, number, revision, name, verb, now = sys.argv[1:]
database = Database(address)
with database.reading() as session:
    actor = actor_of(session, name)
print("ready", flush=True)
sys.stdin.readline()
try:
    with database.transaction() as session:
        given = {"reason": "too_early"}
        deals.take(session, Context(actor, datetime.fromisoformat(now)), int(number), Verb(verb), int(revision), given)
    print("won")
except Conflict as error:
    print("told:", error)
"""


def test_two_processes(scene: Scene, context: Context) -> None:
    number = scene.introduced(context)
    with scene.database.reading() as session:
        revision = session.get_one(Deal, number).revision
    address = scene.database.engine.url.render_as_string(hide_password=False)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PRESS, address, str(number), str(revision), name, verb, scene.now.isoformat()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=paths.CHECKOUT,
        )
        for name, verb in (("officer", "evaluate"), ("engineer", "lose"))
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    said = []
    for process in running:
        assert process.stdin
        process.stdin.write("now\n")
        process.stdin.flush()
    for process in running:
        out, _ = process.communicate(timeout=60)
        said.append(out.strip())
    assert sorted(said)[1] == "won", said
    assert sorted(said)[0].startswith("told: Somebody else was quicker"), said

"""Whatever people try, in whatever order: an expression of interest moves along its table and keeps its history."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from techex.accounts.service import House
from techex.brokering import service
from techex.brokering.rules import (
    DONE,
    LABELS,
    NEEDS_REASON,
    OPEN,
    PROPOSALS,
    REASONS,
    STATES,
    TRANSITIONS,
    State,
    Verb,
    turn,
)
from techex.brokering.service import Draft
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.errors import Conflict, NotAllowed, NotFound
from techex.matching.verdicts import Refusal
from techex.organisations import service as organisations

from .stage import actor_of, stage

HOUSE = House("TechEx", lambda endpoint, **values: f"https://exchange.example/{endpoint}/{values}")
TEXTS = {"who": "We have forty people and study textile chemistry. " * 4, "why": "We look for a dye house. " * 8}
PEOPLE = ("engineer", "viewer", "officer", "operator", "other_operator", "rival", "administrator")
BEGINS = {State.SENT, State.ASKED_FIRST, State.ASKED_BOTH}
TABLE = {(source, row.verb): row.target for row in TRANSITIONS for source in row.sources}


def test_everything_that_is_shown_has_words() -> None:
    assert set(STATES) == set(State)
    assert set(LABELS) == set(Verb)
    assert set(DONE) == {"send", "propose", *(verb.value for verb in Verb)}
    assert set(REASONS) == set(Refusal)


def test_as_long_as_it_is_open_it_is_somebody_s_turn() -> None:
    assert {state for state in State if turn(state)} == set(OPEN)
    assert {row.target for row in (*TRANSITIONS, *PROPOSALS)} == set(State) - BEGINS
    assert not any(source not in OPEN for row in (*TRANSITIONS, *PROPOSALS) for source in row.sources), (
        "an end is an end"
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(Verb), st.integers(0, 20)), max_size=14))
def test_only_the_table_moves_it_and_every_step_is_on_record(
    database: Database, context: Context, tries: list[tuple[str, Verb, int]]
) -> None:
    with database.transaction() as session:
        pair = stage(session, context)
        sender = organisations.get_organisation(session, "dai-hoc-phuong-nam")
        actors = {name: actor_of(session, name) for name in PEOPLE}
        draft = Draft(TEXTS, "en")
        interest = service.send(session, Context(actors["officer"], context.now), HOUSE, pair.need, sender, draft)
        state, now, taken = State.SENT, context.now, ["send"]
        for name, verb, days in tries:
            now += timedelta(days=days)
            actor = COMMAND_LINE if verb is Verb.LAPSE else actors[name]
            reason = "out_of_scope" if verb in NEEDS_REASON else ""
            try:
                service.take(session, Context(actor, now), HOUSE, interest.id, verb, reason=reason)
            except (Conflict, NotAllowed, NotFound):
                assert interest.state == state
                continue
            assert TABLE[state, verb] == interest.state
            state = State(interest.state)
            taken.append(verb.value)
            assert (interest.due is not None) == (state in OPEN)
            assert (interest.closed_at is not None) == (state not in OPEN)
        session.refresh(interest, ["steps"])
        assert [step.verb for step in interest.steps] == taken
        session.rollback()

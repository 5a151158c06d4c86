"""Papers for further participants: not confidential, by the consent of both sides, until one of them ends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from techex.brokering import deals, guest_papers, participants
from techex.brokering.course import ParticipantVerb
from techex.brokering.deal_tables import Deal
from techex.brokering.disclosing import Act, Rung
from techex.brokering.pipeline import Verb
from techex.core.context import Context
from techex.web import identity
from tests.cast import Browser, sign_in

from .stage import Pair, actor_of
from .test_deals import agreed
from .test_papers import pdf

SENDER, RECEIVER = 1, 2
TITLES = {rung: f"Zyphora on {rung.value}" for rung in Rung}


@dataclass
class Line:
    verb: str
    organisation_id: int | None
    detail: dict[str, Any] = field(default_factory=dict)


@given(
    st.lists(st.tuples(st.sampled_from([guest_papers.OPEN, guest_papers.SHUT]), st.integers(1, 2), st.integers(7, 8)))
)
def test_the_last_word_of_each_side_about_each_participant_counts(said: list[tuple[str, int, int]]) -> None:
    lines = [Line(verb, side, {"participant": guest}) for verb, side, guest in said]
    for guest in (7, 8):
        last = {side: verb for verb, side, about in said if about == guest}
        expected = {side for side, verb in last.items() if verb == guest_papers.OPEN}
        assert guest_papers.consented([Line("introduce", None), *lines], guest) == expected


@pytest.fixture
def guest(demo_app: Flask, pair: Pair, context: Context) -> tuple[int, int]:
    """A deal with a paper of the university on each rung, and a laboratory that takes part in it."""
    with demo_app.app_context(), identity.database().transaction() as session:
        at = {
            name: Context(actor_of(session, name), context.now) for name in ("operator", "officer", "engineer", "rival")
        }
        deal = agreed(session, context, pair).id
        deals.take(session, at["operator"], deal, Verb.INTRODUCE)
        one = participants.name_one(session, at["officer"], deal, "tester", "doi-thu", "Tests.", "en").id
        for name, verb in (("engineer", ParticipantVerb.AGREE), ("rival", ParticipantVerb.JOIN)):
            revision = session.get_one(participants.DealParticipant, one).revision
            participants.take(session, at[name], None, one, verb, revision)
    officer = sign_in(demo_app, "officer")
    for number, (rung, title) in enumerate(TITLES.items()):
        data = {"title": title, "rung": rung.value, "file": (BytesIO(pdf(f"% {number}")), "paper.pdf")}
        assert officer.post(f"/deals/{deal}/papers", data=data).status_code == 303
    return deal, one


def _choose(browser: Browser, one: int, opened: str = "yes") -> int:
    return int(browser.post(f"/participations/{one}/papers", data={"open": opened}).status_code)


def test_both_sides_let_a_participant_read_and_either_ends_it(demo_app: Flask, guest: tuple[int, int]) -> None:
    deal, one = guest
    officer, engineer, rival = (sign_in(demo_app, name) for name in ("officer", "engineer", "rival"))
    page, readable = f"/participations/{one}", (TITLES[Rung.TEASER], TITLES[Rung.NON_CONFIDENTIAL])

    def seen() -> set[str]:
        text = rival.get(page).text
        return {title for title in TITLES.values() if f">{title}</a>" in text}

    def statuses() -> list[int]:
        return [rival.get(f"{page}/papers/{number}/1").status_code for number in range(1, 6)]

    assert (seen(), statuses()) == (set(), [404] * 5)
    assert _choose(officer, one) == 303
    assert (seen(), statuses()) == (set(), [404] * 5), "one side is not enough"
    assert "one side would let them read" in engineer.get(f"/deals/{deal}").text
    assert _choose(engineer, one) == _choose(engineer, one) == 303
    assert (seen(), statuses()) == (set(readable), [200, 200, 404, 404, 404]), "what is secret stays with the sides"
    assert rival.get(f"/deals/{deal}/papers/2/1").status_code == rival.get(f"/deals/{deal}").status_code == 404
    assert rival.get("/deals/search?q=Zyphora").text.count("Zyphora on") == 0
    with demo_app.app_context(), identity.database().reading() as session:
        row = session.get_one(Deal, deal)
        assert deals.broken_at(row) is None
        looks = [line for line in row.ledger if line.verb == Act.LOOK]
        assert [(line.detail["participant"], line.detail["paper"]) for line in looks] == [(one, 1), (one, 2)]
        assert len([line for line in row.ledger if line.verb == guest_papers.OPEN]) == 2, "said twice, noted once"
    assert "lets a further participant read" in officer.get(f"/deals/{deal}").text
    assert officer.post(f"/deals/{deal}/papers/2/rung", data={"rung": "under_nda"}).status_code == 303
    assert statuses() == [200, 404, 404, 404, 404], "a paper that becomes secret is shut at once"
    assert _choose(engineer, one, "no") == 303
    assert (seen(), statuses()) == (set(), [404] * 5)


def test_only_editors_of_both_sides_decide_and_nobody_once_it_is_over(demo_app: Flask, guest: tuple[int, int]) -> None:
    deal, one = guest
    tried = {"operator": 403, "viewer": 403, "rival": 403, "other_operator": 404, "stranger": 404, "administrator": 404}
    assert {name: _choose(sign_in(demo_app, name), one) for name in tried} == tried
    officer, engineer = sign_in(demo_app, "officer"), sign_in(demo_app, "engineer")
    assert _choose(officer, one) == _choose(engineer, one) == 303
    assert sign_in(demo_app, "stranger").get(f"/participations/{one}/papers/1/1").status_code == 404
    assert sign_in(demo_app, "rival").get(f"/participations/{one}/papers/1/1").status_code == 200
    with demo_app.app_context(), identity.database().reading() as session:
        revision = session.scalars(select(Deal.revision).where(Deal.id == deal)).one()
    lost = {"revision": revision, "reason": "out_of_scope"}
    assert officer.post(f"/deals/{deal}/lose", data=lost).status_code == 303
    assert sign_in(demo_app, "rival").get(f"/participations/{one}/papers/1/1").status_code == 404
    assert _choose(officer, one, "no") == 409

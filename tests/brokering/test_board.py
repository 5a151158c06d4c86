"""The board of deals: which cards may go where, and moving one without a script."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from techex.brokering import service
from techex.brokering.board import Move, moves
from techex.brokering.deal_tables import Deal
from techex.brokering.pipeline import OPEN, Stage, Standing, Verb
from techex.brokering.rules import Verb as InterestVerb
from techex.brokering.service import Draft
from techex.core.context import COMMAND_LINE, Actor, Context, MemberRole, Membership, Role
from techex.organisations import service as organisations
from techex.web import identity
from tests.admin.test_desk import HOUSE, TEXTS
from tests.brokering.stage import actor_of, stage
from tests.cast import sign_in

OPERATOR = Actor("Mai", Role.PERSON, 1, (), frozenset({"VN-33"}), second_factor=True)
SIDE = Actor("Lan", Role.PERSON, 2, (Membership(10, MemberRole.MANAGER, verified=True),))


def _at(stage: Stage, **more: object) -> Standing:
    return Standing(stage, (10, 20), ("VN-33", "VN-79"), **more)  # type: ignore[arg-type]


def test_an_operator_moves_a_lead_with_one_press_and_losing_it_asks_why() -> None:
    assert moves(OPERATOR, _at(Stage.LEAD)) == [
        Move(Stage.INTRODUCED, Verb.INTRODUCE, asks=False),
        Move(Stage.LOST, Verb.LOSE, asks=True),
    ]


def test_a_contract_is_never_signed_by_moving_a_card() -> None:
    for actor, standing in (
        (OPERATOR, _at(Stage.NEGOTIATION)),
        (SIDE, _at(Stage.NEGOTIATION)),
        (SIDE, _at(Stage.NEGOTIATION, has_contract=True)),
    ):
        signing = [move for move in moves(actor, standing) if move.stage is Stage.SIGNED]
        assert [move.asks for move in signing] == [True]
    assert Stage.SIGNED not in {move.stage for move in moves(OPERATOR, _at(Stage.NEGOTIATION, has_contract=True))}


def test_whoever_only_reads_moves_nothing_and_no_card_goes_back() -> None:
    viewer = Actor("Hà", Role.PERSON, 3, (Membership(10, MemberRole.VIEWER, verified=True),))
    order = list(Stage)
    for at in OPEN:
        assert moves(viewer, _at(at)) == []
        assert all(order.index(move.stage) > order.index(at) for move in moves(SIDE, _at(at)))


@pytest.fixture
def deal(demo_app: Flask) -> int:
    with demo_app.app_context(), identity.database().transaction() as session:
        pair = stage(session, Context(COMMAND_LINE))
        sender = organisations.get_organisation(session, "dai-hoc-phuong-nam")
        at = {name: Context(actor_of(session, name)) for name in ("officer", "operator", "engineer")}
        one = service.send(session, at["officer"], HOUSE, pair.need, sender, Draft(TEXTS, "en"), pair.offer)
        for name, verb in (("operator", "screen"), ("operator", "forward"), ("engineer", "accept")):
            service.take(session, at[name], HOUSE, one.id, InterestVerb(verb))
        return session.scalars(select(Deal.id)).one()


def _stage(app: Flask, number: int) -> str:
    with app.app_context(), identity.database().reading() as session:
        return str(session.scalars(select(Deal.stage).where(Deal.id == number)).one())


def test_a_card_is_moved_with_a_plain_form_and_the_board_says_where_it_stands(demo_app: Flask, deal: int) -> None:
    operator = sign_in(demo_app, "operator")
    assert f'action="/deals/{deal}/move"' in operator.get("/deals").text
    reply = operator.post(f"/deals/{deal}/move", data={"stage": "introduced", "revision": "1"})
    assert reply.status_code == 303
    assert _stage(demo_app, deal) == Stage.INTRODUCED
    assert f"Deal No. {deal} stands here now: Introduced." in operator.get(reply.headers["Location"]).text


def test_what_asks_for_facts_opens_the_form_on_the_deals_page_and_moves_nothing(demo_app: Flask, deal: int) -> None:
    operator = sign_in(demo_app, "operator")
    reply = operator.post(f"/deals/{deal}/move", data={"stage": "lost", "revision": "1"})
    assert reply.headers["Location"].endswith(f"/deals/{deal}?step=lose#step-lose")
    assert _stage(demo_app, deal) == Stage.LEAD
    assert '<details class="declining" id="step-lose" open>' in operator.get(reply.headers["Location"]).text


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("operator", {"stage": "introduced", "revision": "77"}, 409),
        ("operator", {"stage": "reviewed"}, 409),
        ("operator", {"stage": "no stage"}, 409),
        ("engineer", {"stage": "introduced", "revision": "1"}, 409),
        ("rival", {"stage": "introduced", "revision": "1"}, 404),
        ("other_operator", {"stage": "introduced", "revision": "1"}, 404),
    ],
)
def test_nobody_moves_a_card_where_it_may_not_go(
    demo_app: Flask, deal: int, name: str, data: dict[str, str], status: int
) -> None:
    assert sign_in(demo_app, name).post(f"/deals/{deal}/move", data=data).status_code == status
    assert _stage(demo_app, deal) == Stage.LEAD

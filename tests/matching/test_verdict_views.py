"""Editors and operators say on the page of a pair what they think of it; nobody else is asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from techex.listings.tables import Listing
from techex.matching.tables import PairVerdict
from techex.organisations import service as organisations
from techex.web import identity
from tests.cast import CAST, Browser, person_of, sign_in
from tests.matching.test_pair_views import first_pair, numbers
from tests.matching.test_views import some_need

Enter = Callable[[str], Browser]
FORM = "What do you say of this pair?"


@pytest.fixture
def enter(demo_app: Flask) -> Enter:
    return lambda name: sign_in(demo_app, name)


@pytest.fixture
def pair(demo_app: Flask) -> str:
    """A need of the engineer's firm in Hưng Yên beside a result of others in Hà Nội."""
    address = first_pair(demo_app.test_client(), f"/matches/{some_need(demo_app).id}")
    need, offer = numbers(address)
    with demo_app.app_context(), identity.database().transaction() as session:
        person_of(session, "engineer")
        owner = organisations.get_organisation(session, CAST["engineer"].organisation)
        listing = session.get_one(Listing, need)
        listing.organisation_id, listing.country, listing.province = owner.id, "VN", "33"
        other = session.get_one(Listing, offer)
        other.country, other.province = "VN", "01"
    return f"/pairs/{need}/{offer}"


def given(app: Flask) -> list[tuple[str, str | None, bool]]:
    with app.app_context(), identity.database().reading() as session:
        rows = session.scalars(select(PairVerdict).order_by(PairVerdict.id))
        return [(row.judgement, row.reason, row.replaced_at is None) for row in rows]


def test_an_editor_and_an_operator_judge_and_change_their_mind(demo_app: Flask, enter: Enter, pair: str) -> None:
    for name in ("editor", "operator"):
        browser = enter(name)
        assert FORM in browser.get(pair).text
        reply = browser.post(f"{pair}/verdict", data={"judgement": "fit"})
        assert (reply.status_code, reply.location) == (303, f"{pair}#verdict")
        assert "They fit. A new one takes its place." in browser.get(pair).text
    browser.post(f"{pair}/verdict", data={"judgement": "no", "reason": "terms_or_price", "text": "Too dear."})
    page = browser.get(pair).text
    assert "They do not fit. A new one" in page
    assert "Too dear." in page
    assert "Too dear." not in enter("editor").get(pair).text
    assert given(demo_app) == [("fit", None, True), ("fit", None, False), ("no", "terms_or_price", True)]


def test_what_is_missing_is_said_beside_what_was_typed(demo_app: Flask, enter: Enter, pair: str) -> None:
    browser = enter("engineer")
    for sent, said in (
        ({}, "Say whether the two fit"),
        ({"judgement": "no", "text": "Because."}, "A no needs its reason"),
        ({"judgement": "fit", "reason": "too_early"}, "A fit has no reason against it"),
        ({"judgement": "no", "reason": "because"}, "Choose a reason of the list"),
    ):
        reply = browser.post(f"{pair}/verdict", data=sent)
        assert reply.status_code == 422, sent
        assert said in reply.text
        assert sent.get("text", "") in reply.text
    assert given(demo_app) == []


def test_nobody_else_is_asked_or_heard(demo_app: Flask, enter: Enter, pair: str) -> None:
    for name in ("viewer", "rival", "stranger", "other_operator", "administrator"):
        browser = enter(name)
        assert FORM not in browser.get(pair).text, name
        assert browser.post(f"{pair}/verdict", data={"judgement": "fit"}).status_code == 403, name
    assert FORM not in demo_app.test_client().get(pair).text
    assert given(demo_app) == []

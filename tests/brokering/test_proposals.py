"""An operator's proposal to both sides: the look before, both answers, and what neither side learns too early."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from techex.brokering import deals, proposals, service
from techex.brokering.jobs import lapse
from techex.brokering.proposals import PROPOSED_A_WEEK
from techex.brokering.rules import OPEN, PROPOSALS, PROPOSED, Party, State, Verb
from techex.brokering.tables import Interest
from techex.core.context import COMMAND_LINE, Context, command_line_context
from techex.core.database import Database
from techex.core.mail import Letter
from techex.errors import Conflict, NotAllowed, NotFound
from techex.listings.rules import Kind
from techex.listings.service import post, publish
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.settings import load_settings
from techex.web import identity
from tests.cast import CAST, Browser, sign_in

from .stage import OFFER, Pair, actor_of, stage

NOTE = "We compared both texts and think that an hour of talk would be worth it for the two of you."
SECRET = "Canary of the need: ninety tons of Zyphora a year."  # noqa: S105 - a canary


def _address(pair: Pair) -> str:
    return f"/pairs/{pair.need}/{pair.offer}/proposal"


def _propose(app: Flask, pair: Pair, note: str = NOTE) -> int:
    reply = sign_in(app, "operator").post(_address(pair), data={"note": note})
    assert reply.status_code == 303, reply.get_data(as_text=True)
    return int(reply.headers["Location"].rsplit("/", 1)[1])


def _take(browser: Browser, number: int, verb: str, **data: Any) -> Any:
    page = browser.get(f"/interests/{number}").get_data(as_text=True)
    revision = re.search(r'name="revision" value="(\d+)"', page)
    return browser.post(f"/interests/{number}/{verb}", data={"revision": revision[1] if revision else 0} | data)


def _page(browser: Browser, number: int) -> str:
    return browser.get(f"/interests/{number}").get_data(as_text=True)


def _letters(app: Flask, name: str) -> list[str]:
    with app.app_context(), identity.database().reading() as session:
        return list(session.scalars(select(Letter.subject).where(Letter.recipient == CAST[name].email)))


def _restrict(app: Flask, listing_id: int, **more: Any) -> None:
    values = {"visibility": "restricted", "summary": SECRET, "title": SECRET[:60]} | more
    with app.app_context(), identity.database().transaction() as session:
        session.execute(update(Listing).where(Listing.id == listing_id).values(**values))


def test_the_table_ends_and_every_open_state_has_somebody_whose_turn_it_is() -> None:
    targets = {row.target for row in PROPOSALS}
    assert targets - set(PROPOSED) == {State.ACCEPTED, State.DECLINED, State.WITHDRAWN, State.LAPSED}
    assert all(source in PROPOSED for row in PROPOSALS for source in row.sources)
    for state, party in PROPOSED.items():
        asked = {row.who for row in PROPOSALS if state in row.sources and row.verb is Verb.AGREE}
        assert asked == ({Party.SENDER, Party.RECEIVER} if party is Party.BOTH else {party})
        assert state in OPEN


def test_after_a_look_one_press_asks_both_and_two_yes_make_a_deal(demo_app: Flask, pair: Pair) -> None:
    operator, officer, engineer = (sign_in(demo_app, name) for name in ("operator", "officer", "engineer"))
    assert "Propose to both sides" in operator.get(f"/pairs/{pair.need}/{pair.offer}").get_data(as_text=True)
    look = operator.get(_address(pair)).get_data(as_text=True)
    assert "0 of 3" in look, "what lies before both is shown before the press"
    assert "The need asks" in look or "nothing that could be held" in look or "language model" in look
    number = _propose(demo_app, pair)
    for browser, own, other in ((officer, "Enzymes that dye", "Dye bath"), (engineer, "Dye bath", "Enzymes that dye")):
        page = _page(browser, number)
        assert "Yes, introduce us" in page
        assert page.index(own) < page.index(other)
        assert NOTE[:40] in page
        assert CAST["operator"].called not in page.split("</nav>")[-1]
    assert (
        _letters(demo_app, "officer") == _letters(demo_app, "engineer") == [f"TechEx: a proposal for you, No. {number}"]
    )
    assert _take(officer, number, "agree").status_code == 303
    page = _page(officer, number)
    assert "the other side" in page
    assert "Yes, introduce us" not in page
    assert _take(officer, number, "agree").status_code in (403, 409)
    assert _take(engineer, number, "agree").status_code == 303
    deal = re.search(r"/deals/(\d+)", _page(engineer, number))
    assert deal
    assert f"TechEx: both sides of proposal No. {number} agree" in _letters(demo_app, "operator")
    assert operator.post(f"/deals/{deal[1]}/introduce", data={"revision": 1}).status_code == 303
    assert CAST["officer"].email in engineer.get(f"/deals/{deal[1]}").get_data(as_text=True)


@pytest.mark.parametrize(("first", "second"), [("officer", "engineer"), ("engineer", "officer")])
def test_a_no_with_its_reason_reaches_the_other_side_in_kind_words(
    demo_app: Flask, pair: Pair, first: str, second: str
) -> None:
    number = _propose(demo_app, pair)
    decliner, other = sign_in(demo_app, first), sign_in(demo_app, second)
    assert _take(decliner, number, "decline").status_code == 422
    assert _take(decliner, number, "decline", reason="benefit_unclear").status_code == 303
    assert "They could not see yet what it would gain them" in _page(other, number)
    listing = f"/results/{pair.offer}" if first == "engineer" else f"/needs/{pair.need}"
    assert "1 reader: The benefit is unclear" in other.get(listing).get_data(as_text=True)
    assert "1 reader" not in decliner.get(listing).get_data(as_text=True)
    again = sign_in(demo_app, "operator").post(_address(pair), data={"note": NOTE})
    assert again.status_code == 409
    assert "heard for 180 days" in again.get_data(as_text=True)


def test_the_owner_of_a_closed_listing_is_asked_first_and_the_other_side_learns_nothing_before(
    demo_app: Flask, pair: Pair
) -> None:
    _restrict(demo_app, pair.need)
    operator, officer, engineer = (sign_in(demo_app, name) for name in ("operator", "officer", "engineer"))
    assert "is asked first" in operator.get(_address(pair)).get_data(as_text=True)
    assert operator.post(_address(pair), data={"note": f"{NOTE} {SECRET[:60]}"}).status_code == 422, (
        "it quotes the title"
    )
    number = _propose(demo_app, pair)
    assert officer.get(f"/interests/{number}").status_code == officer.get("/interests/99").status_code == 404
    assert f"/interests/{number}" not in officer.get("/interests").get_data(as_text=True)
    assert _letters(demo_app, "officer") == []
    assert _take(engineer, number, "agree").status_code == 303
    for path in (f"/interests/{number}", "/interests"):
        page = officer.get(path).get_data(as_text=True)
        assert f"/interests/{number}" in page
        assert "Zyphora" not in page
        assert "Dệt may Sông Hồng" not in page
    assert len(_letters(demo_app, "officer")) == 1
    assert _take(officer, number, "agree").status_code == 303
    deal = re.search(r"/deals/(\d+)", _page(officer, number))
    assert deal
    for path in (f"/deals/{deal[1]}", "/deals", "/deals?view=list", "/deals.csv"):
        assert "Zyphora" not in officer.get(path).get_data(as_text=True)
    operator.post(f"/deals/{deal[1]}/introduce", data={"revision": 1})
    assert "Zyphora" in officer.get(f"/needs/{pair.need}").get_data(as_text=True), "now it is for them too"
    assert sign_in(demo_app, "rival").get(f"/needs/{pair.need}").status_code == 404


def test_where_there_is_a_teaser_both_are_asked_at_once_and_it_alone_is_told(demo_app: Flask, pair: Pair) -> None:
    told = "A dye house in the north would like to save heat."
    _restrict(demo_app, pair.need, teaser="members", teaser_text=told)
    number = _propose(demo_app, pair)
    page = _page(sign_in(demo_app, "officer"), number)
    assert told in page
    assert "Zyphora" not in page
    assert "Yes, introduce us" in page


def test_two_closed_listings_are_not_proposed(demo_app: Flask, pair: Pair) -> None:
    for listing in (pair.need, pair.offer):
        _restrict(demo_app, listing)
    reply = sign_in(demo_app, "operator").post(_address(pair), data={"note": NOTE})
    assert reply.status_code == 409
    assert "Neither side may read" in reply.get_data(as_text=True)


def test_no_organisation_is_flooded(demo_app: Flask, pair: Pair, context: Context) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        university = organisations.get_organisation(session, "dai-hoc-phuong-nam")
        draft = checked_draft(Kind.OFFER, OFFER, language="en", country="VN", province="79")
        offers = [post(session, context, university, draft) for _ in range(PROPOSED_A_WEEK)]
        for offer in offers:
            publish(session, context, offer)
        numbers = [offer.id for offer in offers]
    for number in numbers:
        _propose(demo_app, Pair(pair.need, number, pair.firm, pair.university))
    reply = sign_in(demo_app, "operator").post(_address(pair), data={"note": NOTE})
    assert reply.status_code == 409
    assert "3 proposals within a week" in reply.get_data(as_text=True)
    assert "3 of 3" in reply.get_data(as_text=True)


def test_a_pair_that_is_in_touch_is_not_proposed_again(demo_app: Flask, pair: Pair) -> None:
    number = _propose(demo_app, pair)
    reply = sign_in(demo_app, "operator").post(_address(pair), data={"note": NOTE})
    assert reply.status_code == 409
    assert f"No. {number}" in reply.get_data(as_text=True)


def test_no_answer_in_time_lapses_for_both_to_see(demo_app: Flask, pair: Pair) -> None:
    number = _propose(demo_app, pair)
    officer, engineer = sign_in(demo_app, "officer"), sign_in(demo_app, "engineer")
    _take(officer, number, "agree")
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(Interest).values(due=date(2026, 1, 5)))
    database = demo_app.extensions["techex.database"]
    assert lapse(load_settings(), database, command_line_context()) == "1 lapsed"
    for browser in (officer, engineer):
        assert "no answer in time" in _page(browser, number)
    assert _take(engineer, number, "agree").status_code == 409


@pytest.mark.parametrize("name", ["rival", "stranger", "administrator", "other_operator", "unarmed_operator"])
def test_nobody_else_proposes_or_learns_of_it(demo_app: Flask, pair: Pair, name: str) -> None:
    browser = sign_in(demo_app, name)
    assert browser.get(_address(pair)).status_code == browser.post(_address(pair)).status_code == 403
    assert "Propose to both" not in browser.get(f"/pairs/{pair.need}/{pair.offer}").get_data(as_text=True)
    number = _propose(demo_app, pair)
    assert browser.get(f"/interests/{number}").status_code == 404
    assert browser.post(f"/interests/{number}/agree", data={"revision": 1}).status_code == 404


def test_a_viewer_of_one_side_is_told_that_the_answer_is_for_somebody_else(demo_app: Flask, pair: Pair) -> None:
    number = _propose(demo_app, pair)
    reply = sign_in(demo_app, "viewer").post(f"/interests/{number}/agree", data={"revision": 1})
    assert (reply.status_code, "This step is for somebody else to take." in reply.text) == (403, True)


def test_an_operator_takes_a_proposal_back_and_finds_what_is_open(demo_app: Flask, pair: Pair) -> None:
    number = _propose(demo_app, pair)
    operator = sign_in(demo_app, "operator")
    with demo_app.app_context(), identity.database().reading() as session:
        acting = Context(actor_of(session, "operator"))
        assert [one.id for one in proposals.open_for(session, acting)] == [number]
        elsewhere = Context(actor_of(session, "other_operator"))
        assert proposals.open_for(session, elsewhere) == []
    assert _take(operator, number, "withdraw").status_code == 303
    assert "withdrawn" in _page(sign_in(demo_app, "engineer"), number)
    with demo_app.app_context(), identity.database().reading() as session:
        assert service.of_person(session, acting)[0].state == State.WITHDRAWN


def test_the_desk_says_when_a_call_may_still_save_a_proposal_and_what_one_has_to_do(
    demo_app: Flask, pair: Pair
) -> None:
    number = _propose(demo_app, pair)
    operator = sign_in(demo_app, "operator")
    assert f'href="/interests/{number}"' not in operator.get("/desk").get_data(as_text=True)
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(
            update(Interest).where(Interest.id == number).values(due=datetime.now(UTC).date() + timedelta(days=1))
        )
    page = operator.get("/desk?task=proposal").get_data(as_text=True)
    assert f"/interests/{number}" in page
    assert "an answer is due within days" in page


def test_from_the_page_of_a_pair_a_side_asks_for_an_introduction_itself(demo_app: Flask, pair: Pair) -> None:
    path = f"/pairs/{pair.need}/{pair.offer}"
    page = sign_in(demo_app, "officer").get(path).get_data(as_text=True)
    assert f"/interests/new?listing={pair.need}&amp;own={pair.offer}" in page
    for name in ("viewer", "rival", "stranger", "operator"):
        assert "/interests/new" not in sign_in(demo_app, name).get(path).get_data(as_text=True)


ACTING = {"officer": Party.SENDER, "engineer": Party.RECEIVER, "editor": Party.RECEIVER, "operator": Party.OPERATOR}
TRIED = (Verb.AGREE, Verb.DECLINE, Verb.WITHDRAW, Verb.LAPSE, Verb.ACCEPT, Verb.FORWARD)
TABLE = {(source, row.verb, row.who): row.target for row in PROPOSALS for source in row.sources}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    closed=st.booleans(),
    tries=st.lists(st.tuples(st.sampled_from([*ACTING, "rival", "viewer"]), st.sampled_from(TRIED)), max_size=10),
)
def test_only_the_table_moves_a_proposal_whoever_tries_whatever(
    database: Database, context: Context, closed: bool, tries: list[tuple[str, Verb]]
) -> None:
    with database.transaction() as session:
        pair = stage(session, context)
        if closed:  # the firm is asked first, so it is the sender
            session.execute(update(Listing).where(Listing.id == pair.need).values(visibility="restricted"))
            session.expire_all()
        acting = ACTING | (
            {"officer": Party.RECEIVER, "engineer": Party.SENDER, "editor": Party.SENDER} if closed else {}
        )
        actors = {name: actor_of(session, name) for name in (*acting, "rival", "viewer")}
        one = proposals.propose(
            session, Context(actors["operator"], context.now), None, pair.need, pair.offer, NOTE, "en"
        )
        state = State.ASKED_FIRST if closed else State.ASKED_BOTH
        assert one.state == state
        for name, verb in tries:
            late = verb is Verb.LAPSE
            actor = COMMAND_LINE if late else actors[name]
            party = Party.SYSTEM if late else acting.get(name)
            now = context.now + timedelta(days=60 if late else 0)
            try:
                service.take(session, Context(actor, now), None, one.id, verb, reason="too_early")
            except (Conflict, NotAllowed, NotFound):
                assert (state, verb, party) not in TABLE
                continue
            assert party is not None
            state = TABLE[state, verb, party]
            assert one.state == state
            assert (one.due is not None) == (state in OPEN)
        assert (deals.of_interest(session, one) is not None) == (state is State.ACCEPTED)
        session.rollback()

"""Batches: what the receiver may see, a look before the press, caps, one letter each."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select, update

from techex.admin import letter_needs
from techex.brokering.batch_tables import Batch, BatchLine
from techex.brokering.batches import BATCHES_A_WEEK
from techex.core.audit import AuditEntry
from techex.core.context import COMMAND_LINE, Context
from techex.core.mail import Letter
from techex.listings.rules import Kind
from techex.listings.service import post, publish
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.web import identity
from tests.brokering.stage import NEED, OFFER, Pair, stage
from tests.cast import CAST, person_of, sign_in


@pytest.fixture
def pair(demo_app: Flask) -> Pair:
    """A need of the firm, and offers of the university: for everybody, for members, restricted."""
    with demo_app.app_context(), identity.database().transaction() as session:
        context = Context(COMMAND_LINE)
        found = stage(session, context)
        summary = "Enzymes for a bath of cotton cloth before it is dyed with reactive dyes, soaked for twenty minutes."
        session.execute(update(Listing).where(Listing.id == found.need).values(summary=summary))
        university = organisations.get_organisation(session, "dai-hoc-phuong-nam")
        for word, visibility in (("Members", "members"), ("Secret", "restricted")):
            values = OFFER | {"title": f"{word} enzymes that dye cotton cold"}
            draft = checked_draft(Kind.OFFER, values, language="en", country="VN", province="79")
            listing = post(session, context, university, draft)
            publish(session, context, listing)
            listing.visibility = visibility
        return found


def _numbers(app: Flask, title: str) -> list[int]:
    with app.app_context(), identity.database().reading() as session:
        return list(session.scalars(select(Listing.id).where(Listing.title.startswith(title))))


def _look(app: Flask, pair: Pair, *numbers: int, note: str = "Worth a call.") -> str:
    query = "".join(f"&with={number}" for number in numbers)
    reply = sign_in(app, "operator").get(f"/batches/new?listing={pair.need}&look=1&note={note}{query}")
    assert reply.status_code == 200
    return str(reply.text)


def _press(app: Flask, pair: Pair, *numbers: int, once: str = "one", name: str = "operator") -> int:
    data = {"listing": pair.need, "look": "1", "note": "Worth a call.", "once": once, "with": list(numbers)}
    reply = sign_in(app, name).post("/batches/new", data=data)
    return int(reply.status_code)


def test_only_what_the_receiver_may_see_can_go_in(demo_app: Flask, pair: Pair) -> None:
    page = _look(demo_app, pair)
    assert "Enzymes that dye cotton cold" in page
    assert "Members enzymes" in page, "the firm is verified"
    assert "Secret enzymes" not in page, "the operator may read it, the firm may not"
    (secret,) = _numbers(demo_app, "Secret")
    assert _press(demo_app, pair, secret) == 422
    assert "Secret enzymes" not in _look(demo_app, pair, secret, pair.offer)


def test_the_letter_is_shown_before_the_press_and_quotes_public_listings_only(demo_app: Flask, pair: Pair) -> None:
    (members,) = _numbers(demo_app, "Members")
    page = _look(demo_app, pair, pair.offer, members)
    letter = page[page.index('class="letter"') :]
    assert "Enzymes that dye cotton cold" in letter
    assert "Worth a call." in letter
    assert f"A listing for members, number {members}" in letter
    assert "Members enzymes" not in letter
    with demo_app.app_context(), identity.database().reading() as session:
        assert session.scalars(select(Batch)).all() == [], "a look sends nothing"


def test_one_press_writes_one_letter_to_each_and_a_second_one_nothing(demo_app: Flask, pair: Pair) -> None:
    shown = _look(demo_app, pair, pair.offer)
    assert [_press(demo_app, pair, pair.offer) for _ in range(2)] == [303, 303]
    with demo_app.app_context(), identity.database().reading() as session:
        batch = session.scalars(select(Batch)).unique().one()
        letters = session.scalars(select(Letter).where(Letter.key.startswith("batch-"))).all()
        assert sorted(letter.recipient.split("@")[0] for letter in letters) == ["huy", "lan"], "not the viewer"
        assert batch.letters == 2
        first = letters[0].text.split("\n\n")[0]
        assert first.splitlines()[0] in shown.replace("&#34;", '"').replace("&#39;", "'")
        entry = session.scalars(select(AuditEntry).where(AuditEntry.verb == "batch sent")).one()
        assert entry.detail["listings"] == [pair.offer]
    assert "sent before" in _look(demo_app, pair)


def test_no_organisation_is_flooded(demo_app: Flask, pair: Pair) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        now = Context(COMMAND_LINE).now
        for number in range(BATCHES_A_WEEK):
            ends = {"listing_id": pair.need, "receiver_id": pair.firm, "once": str(number), "sent_at": now}
            session.add(Batch(**ends, lines=[BatchLine(listing_id=pair.need, rank=1, strength=50)]))
    assert "that is enough for now" in _look(demo_app, pair, pair.offer)
    assert _press(demo_app, pair, pair.offer) == 409
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(Batch).values(sent_at=now - timedelta(days=8)))
    assert _press(demo_app, pair, pair.offer) == 303


def test_one_press_on_a_letter_ends_them_for_its_reader_also_one_that_waits(demo_app: Flask, pair: Pair) -> None:
    assert _press(demo_app, pair, pair.offer) == 303
    database, stranger = demo_app.extensions["techex.database"], demo_app.test_client()
    with database.reading() as session:
        letter = session.scalars(select(Letter).where(Letter.recipient == CAST["editor"].email)).one()
        assert f"{letter.unsubscribe}" in letter.text
        path = urlsplit(letter.unsubscribe).path
        huy, lan = (person_of(session, name).id for name in ("editor", "engineer"))
        need = ("batches", pair.firm)
        assert letter_needs.holds(session, Context(COMMAND_LINE).now, huy, need)
    assert path not in _look(demo_app, pair), "nobody else gets that link"
    assert "No more letters with batches?" in stranger.get(path, headers={"Accept-Language": "en"}).text
    for _ in range(2):
        reply = stranger.open(path, method="POST", data={"List-Unsubscribe": "One-Click"})
        assert (reply.status_code, reply.headers["Cache-Control"]) == (200, "no-store")
    with database.reading() as session:
        assert not letter_needs.holds(session, Context(COMMAND_LINE).now, huy, need)
        assert letter_needs.holds(session, Context(COMMAND_LINE).now, lan, need)
    assert "1 person reads it, 1 does not want batches" in _look(demo_app, pair)
    editor = sign_in(demo_app, "editor")
    assert "You get no letters with batches." in editor.get("/batches").text
    back = {"organisation": pair.firm, "for": "me", "wanted": "yes"}
    assert editor.post("/batches/wanted", data=back).status_code == 303
    assert "2 people read it" in _look(demo_app, pair)
    assert stranger.post(path[:-2] + "ab").status_code == 404


def test_a_manager_refuses_batches_for_the_organisation_and_the_operator_reads_it(demo_app: Flask, pair: Pair) -> None:
    none = {"organisation": pair.firm, "for": "everybody", "wanted": "no"}
    refused = {"editor": 403, "viewer": 404, "rival": 404, "operator": 404}
    assert {name: sign_in(demo_app, name).post("/batches/wanted", data=none).status_code for name in refused} == refused
    assert "does not want batches" not in _look(demo_app, pair)
    manager = sign_in(demo_app, "engineer")
    assert manager.post("/batches/wanted", data=none).status_code == 303
    assert "This organisation does not want batches." in _look(demo_app, pair)
    assert _press(demo_app, pair, pair.offer) == 409
    assert manager.post("/batches/wanted", data=none | {"wanted": "yes"}).status_code == 303
    assert _press(demo_app, pair, pair.offer) == 303


@pytest.mark.parametrize(("name", "status"), [("other_operator", 403), ("engineer", 403), ("unarmed_operator", 403)])
def test_nobody_else_sends(demo_app: Flask, pair: Pair, name: str, status: int) -> None:
    assert _press(demo_app, pair, pair.offer, name=name) == status
    assert sign_in(demo_app, name).get(f"/batches/new?listing={pair.need}").status_code == status


def test_it_is_read_by_its_receivers_and_their_operators_and_what_went_is_gone(demo_app: Flask, pair: Pair) -> None:
    assert _press(demo_app, pair, pair.offer) == 303
    for name, status in (("engineer", 200), ("viewer", 200), ("operator", 200), ("officer", 404), ("rival", 404)):
        browser = sign_in(demo_app, name)
        assert browser.get("/batches/1").status_code == status, name
        assert browser.get("/batches/1.pdf").status_code == status, name
        assert ("Dye bath" in browser.get("/batches").text) == (status == 200), name
    assert "Enzymes that dye" in sign_in(demo_app, "engineer").get("/batches/1").text
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(update(Listing).where(Listing.id == pair.offer).values(visibility="restricted"))
    for address in ("/batches/1", "/batches/1.pdf"):
        reply = sign_in(demo_app, "engineer").get(address)
        assert "Enzymes that dye" not in _text(reply.data) if address.endswith("pdf") else reply.text


def _text(data: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages))


def test_the_paper_is_the_same_bytes_each_time_and_markup_in_it_stays_text(demo_app: Flask, pair: Pair) -> None:
    address = f"/batches/new.pdf?listing={pair.need}&look=1&with={pair.offer}&note=%23panic(1)+$x$+*b*"
    operator = sign_in(demo_app, "operator")
    one, other = operator.get(address).data, operator.get(address).data
    assert one == other
    text = _text(one)
    assert NEED["title"] in text
    assert "Enzymes that dye cotton cold" in text
    assert "#panic(1) $x$ *b*" in text

"""From a firm's draft to its archive, as the people of the cast see it: review, versions, visibility, time."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from techex.core.context import COMMAND_LINE, Actor, Context, MemberRole, Membership, Role
from techex.core.database import Database
from techex.core.mail import Letter
from techex.listings import ageing, disclosure, reviews, service
from techex.listings.content import Piece, pieces
from techex.listings.lifecycle import Verb
from techex.listings.rules import Kind, ListingDraft, State, Visibility
from techex.listings.tables import Listing, Review
from techex.listings.validation import checked_draft
from techex.matching.survey_tables import SurveyedListing
from techex.matching.surveyed import PUBLIC
from techex.organisations.service import get_organisation
from techex.regions import working_days
from tests.cast import CAST, person_of, sign_in

MARKS = {"benefit": "4", "clarity": "4", "cooperation": "3", "wording": "4"}
FIRM = "det-may-song-hong"
Firm = Callable[[], Context]


def draft(kind: Kind = Kind.NEED, **over: Any) -> ListingDraft:
    values: dict[str, Any] = {
        "title": "Khử màu nước thải dệt nhuộm",
        "summary": "Cần giảm độ màu nước thải xuống dưới 50 Pt-Co mà không sinh thêm bùn, 400 m³ mỗi ngày.",
        "contact": "Chị Lan, phòng kỹ thuật",
    }
    if kind is Kind.OFFER:
        values |= {"description": "Màng lọc nano kết hợp oxy hoá bậc cao. " * 4, "ip_numbers": "1-2020-04567"}
        values |= {"price": 250_000_000, "currency": "VND"}
    return checked_draft(kind, values | over, language="vi", country="VN", province="33")


@pytest.fixture
def exchange(app: Flask) -> Database:
    database: Database = app.extensions["techex.database"]
    with database.transaction() as session:
        for name in CAST:
            person_of(session, name)
    return database


def as_editor(session: Session, now: datetime | None = None) -> Context:
    person, firm = person_of(session, "editor"), get_organisation(session, FIRM)
    member = Membership(firm.id, MemberRole.EDITOR, True)
    return Context(Actor(person.name, Role.PERSON, person.id, (member,)), now or datetime.now(UTC))


def posted(database: Database, state: State = State.DRAFT, kind: Kind = Kind.NEED, **over: Any) -> int:
    """A listing of the firm in this state."""
    with database.transaction() as session:
        context = as_editor(session)
        listing = service.post(session, context, get_organisation(session, FIRM), draft(kind, **over))
        if state is State.PUBLISHED:
            service.publish(session, Context(COMMAND_LINE), listing)
        elif state is not State.DRAFT:
            service.do(session, context, listing, Verb.SUBMIT)
        return listing.id


def state_of(database: Database, number: int) -> str:
    with database.reading() as session:
        return session.get_one(Listing, number).state


def came(page: str) -> list[str]:
    """The words that a page shows as new."""
    return [words.strip() for words in re.findall("<ins>(.*?)</ins>", page)]


def test_a_need_is_submitted_returned_amended_read_twice_and_published(app: Flask, exchange: Database) -> None:
    number = posted(exchange)
    editor, operator, second = (sign_in(app, name) for name in ("editor", "operator", "other_operator"))
    assert "Submit for review" in editor.get("/my/listings").text
    assert editor.post(f"/listings/{number}/submit").status_code == 303
    assert sign_in(app, "rival").get(f"/needs/{number}").status_code == 404
    assert "Khử màu" in operator.get("/review").text
    assert "Nothing waits for you" in second.get("/review").text, "another place, and no first reader yet"
    operator.post(f"/review/{number}/take_up")
    assert operator.post(f"/review/{number}/return").status_code == 422, "its owner has to know why"
    operator.post(f"/review/{number}/return", data={"comment.title": "Nói rõ mỗi ngày bao nhiêu."})
    assert "Nói rõ mỗi ngày bao nhiêu." in editor.get("/my/listings").text
    with exchange.transaction() as session:
        letters = session.scalars(select(Letter)).all()
        assert {letter.recipient for letter in letters} == {CAST["editor"].email, CAST["engineer"].email}
        assert all("Khử màu" not in letter.text for letter in letters)
        changed = draft(title="Khử màu 400 m³ nước thải dệt nhuộm mỗi ngày")
        service.edit(session, as_editor(session), session.get_one(Listing, number), changed)
    editor.post(f"/listings/{number}/submit")
    operator.post(f"/review/{number}/take_up")
    assert came(operator.get(f"/review/{number}").text) == ["400 m³", "mỗi ngày"]
    assert operator.post(f"/review/{number}/publish", data=MARKS | {"wording": "0"}).status_code == 422
    operator.post(f"/review/{number}/publish", data=MARKS)
    assert state_of(exchange, number) == State.UNDER_REVIEW, "a second reader is wanted"
    assert "second reader wanted" in second.get("/review").text
    assert second.post(f"/review/{number}/publish").status_code == 403, "it is not their place"
    second.post(f"/review/{number}/read", data=MARKS)
    assert operator.post(f"/review/{number}/publish").status_code == 303
    assert FlaskClient(app, app.response_class).get(f"/needs/{number}").status_code == 200


def test_owners_see_at_a_glance_which_of_their_listings_are_matched(app: Flask, exchange: Database) -> None:
    titles = ("Khử màu nước thải dệt nhuộm", "Dệt lưới không nút", "Sợi bí mật chống cháy")
    strong, lonely, hidden = (posted(exchange, State.PUBLISHED, title=title) for title in titles)
    draft_of_later = posted(exchange, title="Nhuộm không nước")
    with exchange.transaction() as session:
        rows = ((strong, 83, 3), (lonely, 12, 0), (hidden, 99, 9))
        for listing, best, suitable in rows:
            session.add(SurveyedListing(scope=PUBLIC, listing_id=listing, best=best, suitable=suitable, shown=0))
        session.get_one(Listing, hidden).visibility = Visibility.RESTRICTED.value
    editor = sign_in(app, "editor")
    page = editor.get("/my/listings").text
    assert "3 results suit it, the best with strength 83" in page
    assert "Nothing suits it yet; the nearest has strength 12" in page
    assert "strength 99" not in page, "it was shared when all were compared, and is not any more"
    by_strength = re.findall(r"/needs/(\d+)", editor.get("/my/listings?sort=strongest&kind=need").text)
    assert list(dict.fromkeys(map(int, by_strength)))[:2] == [strong, lonely]
    alone = editor.get("/my/listings?matches=none").text
    assert f"/needs/{lonely}" in alone
    assert f"/needs/{strong}" not in alone
    lines = csv.DictReader(io.StringIO(editor.get("/my/listings.csv").data.decode("utf-8-sig")))
    told = {int(line["Number"]): (line["Suitable matches"], line["Strongest match"]) for line in lines}
    assert told == {strong: ("3", "83"), lonely: ("0", "12"), hidden: ("", ""), draft_of_later: ("", "")}
    assert "strength 83" not in sign_in(app, "rival").get("/my/listings").text


def test_one_reader_is_enough_where_the_exchange_says_so(exchange: Database) -> None:
    number = posted(exchange, State.SUBMITTED)
    with exchange.transaction() as session:
        operator = person_of(session, "operator")
        actor = Actor("o", Role.PERSON, operator.id, (), frozenset({"VN-33"}), second_factor=True)
        context, listing = Context(actor), session.get_one(Listing, number)
        reviews.take_up(session, context, listing)
        reviews.read(session, context, listing, reviews.Scores(3, 3, 2, 2), {})
        reviews.publish(session, context, listing, readers=1)
        assert listing.state == State.PUBLISHED


def test_what_is_late_says_so(app: Flask, exchange: Database) -> None:
    posted(exchange, State.SUBMITTED)
    with exchange.transaction() as session:
        review = session.scalars(select(Review)).one()
        review.due = working_days.here(datetime.now(UTC)) - timedelta(days=2)
    assert "2 days late" in sign_in(app, "operator").get("/review").text


def test_a_new_version_stands_only_once_it_is_accepted(app: Flask, exchange: Database) -> None:
    number = posted(exchange, State.PUBLISHED)
    with exchange.transaction() as session:
        listing = session.get_one(Listing, number)
        revision = service.propose(session, as_editor(session), listing, draft(title="Khử màu nước thải nhuộm vải")).id
    anybody, operator = app.test_client(), sign_in(app, "operator")
    assert "Khử màu nước thải dệt nhuộm" in anybody.get(f"/needs/{number}").text
    assert "new version of a published listing" in operator.get("/review").text
    assert operator.post(f"/review/{number}/accept", data={"revision": str(revision + 1)}).status_code == 409
    operator.post(f"/review/{number}/accept", data={"revision": str(revision)})
    assert "Khử màu nước thải nhuộm vải" in anybody.get(f"/needs/{number}").text
    assert came(sign_in(app, "viewer").get(f"/listings/{number}/history").text) == ["vải"]
    assert sign_in(app, "rival").get(f"/listings/{number}/history").status_code == 404


def test_words_that_went_and_words_that_came_are_told_apart() -> None:
    assert pieces("lọc 300 m³", "lọc 400 m³") == [
        Piece("lọc ", "same"),
        Piece("300", "removed"),
        Piece("400", "added"),
        Piece(" m³", "same"),
    ]


def _readers(app: Flask, path: str, words: str) -> set[str]:
    people = ("stranger", "unverified", "rival", "officer", "viewer", "editor", "operator", "unarmed_operator")
    found = {name for name in people if words in sign_in(app, name).get(path).text}
    return found | ({"anonymous"} if words in app.test_client().get(path).text else set())


def test_fields_have_the_readers_that_the_table_names(app: Flask, exchange: Database) -> None:
    number = posted(exchange, State.PUBLISHED, Kind.OFFER)
    own, operators = {"viewer", "editor"}, {"operator"}
    assert _readers(app, f"/results/{number}", "1-2020-04567") == own | operators
    assert _readers(app, f"/results/{number}", "Chị Lan, phòng kỹ thuật") == own | operators
    assert _readers(app, f"/results/{number}", "250,000,000") == own | operators | {"rival", "officer"}


def test_an_anonymous_listing_is_nobodys_until_an_operator_introduces_it(app: Flask, exchange: Database) -> None:
    number = posted(exchange, State.PUBLISHED)
    editor = sign_in(app, "editor")
    sent = editor.post(f"/listings/{number}/visibility", data={"visibility": "public", "anonymous": "yes"})
    assert sent.status_code == 303
    knowing = {"viewer", "editor", "operator"}
    assert _readers(app, f"/needs/{number}", "Sông Hồng") == knowing
    assert _readers(app, f"/organisations/{FIRM}", "Khử màu") == knowing
    assert _readers(app, f"/needs?organisation={FIRM}", "Khử màu") == knowing
    assert _readers(app, "/needs?org=enterprise", "Khử màu") == knowing
    assert _readers(app, "/needs?q=song+hong", "Khử màu") == knowing
    sign_in(app, "operator").post(f"/review/{number}/introduce", data={"organisation": "dai-hoc-phuong-nam"})
    assert _readers(app, f"/needs/{number}", "Sông Hồng") == knowing | {"officer"}
    assert _readers(app, "/places/VN-33", "Sông Hồng") == knowing | {"officer"}


def test_a_restricted_listing_is_read_by_whom_it_is_shared_with_and_told_of_as_its_owner_says(
    app: Flask, exchange: Database
) -> None:
    number, editor = posted(exchange, State.PUBLISHED), sign_in(app, "editor")
    told = "Một xưởng ở đồng bằng sông Hồng tìm cách xử lý nước thải."
    asked = {
        "visibility": "restricted",
        "teaser": "members",
        "shared_with": "dai-hoc-phuong-nam",
        "teaser_text": "ngắn",
    }
    assert editor.post(f"/listings/{number}/visibility", data=asked).status_code == 422
    editor.post(f"/listings/{number}/visibility", data=asked | {"teaser_text": told})
    assert _readers(app, f"/needs/{number}", "400 m³") == {"viewer", "editor", "operator", "officer"}
    assert _readers(app, f"/needs/{number}", told) == {"rival"}
    assert "rival" in _readers(app, "/on-request", told)
    assert "anonymous" not in _readers(app, "/on-request", told)
    assert _readers(app, "/needs", "400 m³") == {"operator"}
    assert "Shared with you" in sign_in(app, "officer").get("/my/listings").text


def test_a_reported_listing_is_hidden_until_an_operator_has_looked(app: Flask, exchange: Database) -> None:
    number = posted(exchange, State.PUBLISHED)
    stranger, operator, anybody = sign_in(app, "stranger"), sign_in(app, "operator"), app.test_client()
    assert stranger.post(f"/listings/{number}/report", data={"ground": "untrue", "reason": "no"}).status_code == 422
    why = {"ground": "untrue", "reason": "Nước thải này không có thật."}
    assert "it is hidden" in stranger.post(f"/listings/{number}/report", data=why).text
    assert anybody.get(f"/needs/{number}").status_code == 404
    assert "Nước thải này không có thật." in operator.get(f"/review/{number}").text
    operator.post(f"/review/{number}/release")
    assert anybody.get(f"/needs/{number}").status_code == 200
    assert stranger.post(f"/listings/{number}/report", data=why).status_code == 409, "an operator has looked"


def test_nobody_hides_many_listings_in_a_day(app: Flask, exchange: Database) -> None:
    stranger = sign_in(app, "stranger")
    why = {"ground": "untrue", "reason": "Nước thải này không có thật."}
    codes = [
        stranger.post(f"/listings/{posted(exchange, State.PUBLISHED)}/report", data=why).status_code
        for _ in range(disclosure.MOST_REPORTS_A_DAY + 1)
    ]
    assert codes == [200] * disclosure.MOST_REPORTS_A_DAY + [409]


def test_the_link_of_a_notice_changes_nothing_before_the_button_and_works_once(app: Flask, exchange: Database) -> None:
    number, key = posted(exchange, State.PUBLISHED), str(app.config["SECRET_KEY"])
    with exchange.reading() as session:
        end = session.get_one(Listing, number).expires_at
    assert end is not None
    context = Context(COMMAND_LINE, end - timedelta(days=ageing.NOTICE_DAYS))
    links: list[str] = []

    def link_for(listing: Listing) -> str:
        links.append(f"/goes-on/{ageing.token_for(listing, key)}")
        return links[-1]

    assert ageing.grow_older(exchange, context, link_for, "TechEx").asked == 1
    assert ageing.grow_older(exchange, context, link_for, "TechEx").asked == 0
    with exchange.transaction() as session:
        listing = session.get_one(Listing, number)
        shift = datetime.now(UTC) - context.now
        assert listing.published_at is not None
        listing.published_at, listing.expires_at = listing.published_at + shift, end + shift
        link = link_for(listing)
    reader = sign_in(app, "stranger")
    for _ in range(3):
        assert reader.get(link).status_code == 200
        assert app.test_client().head(link).status_code == 200
    with exchange.reading() as session:
        assert session.get_one(Listing, number).extended_at is None
    assert reader.post(link).status_code == 200
    with exchange.reading() as session:
        listing = session.get_one(Listing, number)
        assert listing.expires_at == (listing.published_at or end) + timedelta(days=730)
    assert reader.post(link).status_code == 409
    assert reader.get(link + "x").status_code == 404


def test_what_nobody_extends_expires_and_is_archived_two_years_after_its_publication(exchange: Database) -> None:
    number = posted(exchange, State.PUBLISHED)
    for days, state in ((364, "published"), (366, "expired"), (729, "expired"), (731, "archived")):
        ageing.grow_older(exchange, Context(COMMAND_LINE, datetime.now(UTC) + timedelta(days=days)), None, "TechEx")
        assert state_of(exchange, number) == state


def test_only_editors_write_for_their_organisation(exchange: Database) -> None:
    with exchange.transaction() as session:
        firm = get_organisation(session, FIRM)
        viewer = Actor("v", Role.PERSON, 1, (Membership(firm.id, MemberRole.VIEWER, True),))
        with pytest.raises(service.NotAllowed):
            service.post(session, Context(viewer), firm, draft())


def test_an_operator_finds_what_is_restricted_in_lists_and_a_member_does_not(app: Flask, exchange: Database) -> None:
    number = posted(exchange, State.PUBLISHED)
    with exchange.transaction() as session:
        listing = session.get_one(Listing, number)
        listing.visibility = Visibility.RESTRICTED.value
    assert "Khử màu" in sign_in(app, "operator").get("/needs").text
    assert "Khử màu" not in sign_in(app, "rival").get("/needs").text

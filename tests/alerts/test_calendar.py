"""Deadlines in calendars: whose they are, what they hold and do not hold, and that calendar programs can read them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from sqlalchemy import select, update

from techex.accounts.tables import Person
from techex.alerts import ics
from techex.alerts.ics import Reader
from techex.alerts.people import data_of, leave
from techex.alerts.tables import CalendarFeed
from techex.brokering import deals, service
from techex.brokering.pipeline import Verb
from techex.brokering.rules import Verb as InterestVerb
from techex.core.context import COMMAND_LINE, Context
from techex.core.deadlines import Deadline
from techex.listings.rules import Kind, Visibility
from techex.listings.service import post
from techex.listings.tables import Listing, Review
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.web import identity
from tests.brokering.stage import NEED, Pair, actor_of, stage
from tests.brokering.test_deals import HOUSE, TEXTS
from tests.cast import CAST, Browser, person_of, sign_in

HOST = "localhost"
SECRET = "Canary: a title that only members may read"  # noqa: S105 - a canary


@pytest.fixture
def pair(demo_app: Flask) -> Pair:
    with demo_app.app_context(), identity.database().transaction() as session:
        return stage(session, Context(COMMAND_LINE))


@pytest.fixture
def asked(demo_app: Flask, pair: Pair) -> int:
    """An expression of interest that the firm has to answer."""
    with demo_app.app_context(), identity.database().transaction() as session:
        at = {name: Context(actor_of(session, name)) for name in ("officer", "operator")}
        sender = organisations.get_organisation(session, "dai-hoc-phuong-nam")
        from techex.brokering.service import Draft

        interest = service.send(session, at["officer"], HOUSE, pair.need, sender, Draft(TEXTS, "en"), pair.offer)
        for verb in (InterestVerb.SCREEN, InterestVerb.FORWARD):
            service.take(session, at["operator"], HOUSE, interest.id, verb)
        return interest.id


def _address(browser: Browser) -> str:
    page = browser.post("/alerts/calendar").get_data(as_text=True)
    found = re.search(r'value="http://localhost(/calendar/[\w-]+\.ics)"', page)
    assert found, page
    return found[1]


def _read(app: Flask, address: str, **headers: str) -> Any:
    return app.test_client().get(address, headers=headers)


def _events(app: Flask, browser: Browser) -> dict[str, Any]:
    reply = _read(app, _address(browser))
    assert reply.status_code == 200
    calendar = Calendar.from_ical(reply.data)
    return {str(event["UID"]).partition("@")[0]: event for event in calendar.walk("VEVENT")}


def test_whoever_has_the_address_reads_it_without_signing_in_until_it_is_made_anew(demo_app: Flask, asked: int) -> None:
    engineer = sign_in(demo_app, "engineer")
    first = _address(engineer)
    reply = _read(demo_app, first)
    assert (reply.status_code, reply.mimetype) == (200, "text/calendar")
    assert f"UID:interest-{asked}-answer@{HOST}" in reply.text
    assert first.split("/")[-1][:20] not in engineer.get("/alerts/calendar").get_data(as_text=True), "shown once"
    with demo_app.app_context(), identity.database().reading() as session:
        feed = session.scalars(select(CalendarFeed)).one()
        assert feed.token_hash not in first
        assert feed.read_at
    second = _address(engineer)
    assert _read(demo_app, first).status_code == 404
    assert _read(demo_app, second).status_code == 200
    assert engineer.post("/alerts/calendar/end").status_code == 303
    assert _read(demo_app, second).status_code == 404
    assert engineer.post("/alerts/calendar/end").status_code == 303, "ended twice is ended"


def test_an_account_that_is_closed_has_no_calendar(demo_app: Flask, asked: int) -> None:
    address = _address(sign_in(demo_app, "engineer"))
    with demo_app.app_context(), identity.database().transaction() as session:
        person = person_of(session, "engineer")
        person.disabled_at = datetime.now(UTC)
    assert _read(demo_app, address).status_code == 404
    with demo_app.app_context(), identity.database().transaction() as session:
        person = person_of(session, "engineer")
        person.disabled_at = None
        assert data_of(session, person.id)["calendar"]
        leave(session, Context(COMMAND_LINE), person.id)
        assert data_of(session, person.id) == {"alerts": [], "calendar": None, "letters_about_deadlines": True}
    assert _read(demo_app, address).status_code == 404


def test_each_hears_of_what_waits_for_them_and_of_nothing_else(demo_app: Flask, pair: Pair, asked: int) -> None:
    answer = f"interest-{asked}-answer"
    for name in ("engineer", "editor"):
        assert answer in _events(demo_app, sign_in(demo_app, name)), name
    for name in ("viewer", "rival", "stranger", "officer", "operator", "unarmed_operator", "administrator"):
        assert answer not in _events(demo_app, sign_in(demo_app, name)), name
    assert f"listing-{pair.need}-ends" in _events(demo_app, sign_in(demo_app, "editor"))
    assert f"listing-{pair.offer}-ends" in _events(demo_app, sign_in(demo_app, "officer"))
    assert _events(demo_app, sign_in(demo_app, "viewer")) == {}
    with demo_app.app_context(), identity.database().transaction() as session:
        engineer = Context(actor_of(session, "engineer"))
        service.take(session, engineer, HOUSE, asked, InterestVerb.ACCEPT)
        interest = service.get(session, engineer, asked)
        deal = deals.of_interest(session, interest)
        assert deal
        deals.take(session, Context(actor_of(session, "operator")), deal.id, Verb.INTRODUCE)
        number = deal.id
    found = _events(demo_app, sign_in(demo_app, "engineer"))
    assert answer not in found, "what is done is gone"
    assert f"deal-{number}-silent-30" in found
    assert f"deal-{number}-silent-90" not in found, "one question after the other"
    with demo_app.app_context(), identity.database().transaction() as session:
        member = organisations.get_organisation(session, "det-may-song-hong")
        from techex.organisations.tables import OrganisationMember

        session.execute(
            update(OrganisationMember).where(OrganisationMember.organisation_id == member.id).values(role="viewer")
        )
    assert _events(demo_app, sign_in(demo_app, "engineer")) == {}, "rights are asked at each reading"


def test_operators_hear_by_number_what_they_have_to_read(demo_app: Flask, pair: Pair) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        context = Context(actor_of(session, "engineer"))
        owner = organisations.get_organisation(session, "det-may-song-hong")
        draft = checked_draft(Kind.NEED, NEED | {"title": SECRET}, language="en", country="VN", province="33")
        from techex.listings import service as listings
        from techex.listings.lifecycle import Verb as ListingVerb

        listing = post(session, context, owner, draft)
        listings.do(session, context, listing, ListingVerb.SUBMIT)
        review = session.scalars(select(Review)).one()
        number, due = review.id, review.due
    event = _events(demo_app, sign_in(demo_app, "operator"))[f"review-{number}"]
    assert event["DTSTART"].dt == due
    assert SECRET not in str(event)
    for name in ("other_operator", "unarmed_operator", "engineer", "administrator"):
        assert f"review-{number}" not in _events(demo_app, sign_in(demo_app, name)), name


def test_it_holds_titles_that_everybody_may_read_and_no_others(demo_app: Flask, pair: Pair, asked: int) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        session.get_one(Listing, pair.need).visibility = Visibility.MEMBERS.value
    engineer = sign_in(demo_app, "engineer")
    text = _read(demo_app, _address(engineer)).text.replace("\r\n ", "")
    assert f"expression of interest {asked}" in text
    for hidden in (NEED["title"], "Phương Nam", TEXTS["who"][:20], CAST["officer"].called):
        assert hidden not in text
    with demo_app.app_context(), identity.database().transaction() as session:
        session.get_one(Listing, pair.need).visibility = Visibility.PUBLIC.value
    assert NEED["title"] in _read(demo_app, _address(engineer)).text.replace("\r\n ", "")


def test_it_is_written_in_the_reader_s_language_and_zone(demo_app: Flask, pair: Pair, asked: int) -> None:
    engineer = sign_in(demo_app, "engineer")
    with demo_app.app_context(), identity.database().transaction() as session:
        person = person_of(session, "engineer")
        person.language, person.timezone = "vi", "America/New_York"
        moment = session.get_one(Listing, pair.need).expires_at
    assert moment
    events = _events(demo_app, engineer)
    assert "Trả lời" in str(events[f"interest-{asked}-answer"]["SUMMARY"])
    ends = events[f"listing-{pair.need}-ends"]["DTSTART"]
    assert ends.params["TZID"] == "America/New_York"
    assert ends.dt == moment.replace(microsecond=0)
    assert isinstance(events[f"interest-{asked}-answer"]["DTSTART"].dt, date)
    assert events[f"interest-{asked}-answer"]["DTSTART"].params["VALUE"] == "DATE"


def test_what_has_not_changed_is_not_sent_again(demo_app: Flask, asked: int) -> None:
    address = _address(sign_in(demo_app, "engineer"))
    for coding in ("identity", "gzip"):
        first = _read(demo_app, address, **{"Accept-Encoding": coding})
        again = _read(demo_app, address, **{"Accept-Encoding": coding, "If-None-Match": first.headers["ETag"]})
        assert (first.status_code, again.status_code, again.data) == (200, 304, b""), coding
    with demo_app.app_context(), identity.database().transaction() as session:
        engineer = Context(actor_of(session, "engineer"))
        service.take(session, engineer, HOUSE, asked, InterestVerb.DECLINE, reason="out_of_scope")
    assert _read(demo_app, address, **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_program_that_comes_too_often_is_told_to_wait(demo_app: Flask, asked: int) -> None:
    from techex.alerts.calendar_views import RATES, WRONG_RATES

    address = _address(sign_in(demo_app, "engineer"))
    statuses = [_read(demo_app, address).status_code for _ in range(RATES[0].times + 1)]
    assert statuses == [200] * RATES[0].times + [429]
    statuses = [_read(demo_app, f"/calendar/{number}.ics").status_code for number in range(WRONG_RATES[0].times + 1)]
    assert statuses == [404] * WRONG_RATES[0].times + [429]


def test_one_deadline_is_a_file_for_those_it_waits_for(demo_app: Flask, asked: int) -> None:
    path = f"/alerts/deadlines/interest-{asked}-answer.ics"
    engineer = sign_in(demo_app, "engineer")
    assert path in engineer.get("/alerts/calendar").get_data(as_text=True)
    reply = engineer.get(path)
    events = Calendar.from_ical(reply.data).walk("VEVENT")
    assert [str(event["UID"]) for event in events] == [f"interest-{asked}-answer@{HOST}"]
    assert sign_in(demo_app, "rival").get(path).status_code == 404


DEADLINES = st.builds(
    Deadline,
    key=st.from_regex(r"[a-z]{2,9}-[0-9]{1,6}-[a-z]{2,6}", fullmatch=True),
    due=st.dates(date(2026, 1, 1), date(2030, 1, 1))
    | st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    what=st.just("Answer expression of interest %(number)s"),
    values=st.fixed_dictionaries({"number": st.integers(1, 10**9)}),
    path=st.just("/interests/7"),
    changed_at=st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    revision=st.integers(0, 9999),
    title=st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=300),
)
_NAME = rb"[A-Z][A-Z0-9-]*"
_PARAMETER = rb';[A-Z-]+=(?:"[^"\x00-\x08\x0a-\x1f\x7f]*"|[^";:,\x00-\x08\x0a-\x1f\x7f]*)'
_LINE = re.compile(_NAME + rb"(?:" + _PARAMETER + rb")*:[^\x00-\x08\x0a-\x1f\x7f]*")


@settings(max_examples=60)
@given(
    deadlines=st.lists(DEADLINES, max_size=4, unique_by=lambda one: one.key),
    zone=st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Amsterdam", "America/New_York", "UTC"]),
    language=st.sampled_from(["vi", "en"]),
)
def test_whatever_titles_say_the_file_follows_the_rules_of_rfc_5545(
    deadlines: list[Deadline], zone: str, language: str
) -> None:
    """Read back twice: by the library that wrote it, and by the rules of RFC 5545 §3.1, §3.3.11 and §3.6 by hand."""
    reader = Reader("Sàn giao dịch", "https://exchange.example", language, ZoneInfo(zone))
    written = ics.written(reader, deadlines)
    assert written == ics.written(reader, deadlines)
    assert written.endswith(b"\r\n")
    lines = written.split(b"\r\n")[:-1]
    assert all(len(line) <= 75 and b"\n" not in line and b"\r" not in line for line in lines)
    for line in lines:
        line.decode()  # no character is cut in two
    whole = written.replace(b"\r\n ", b"").split(b"\r\n")[:-1]
    assert all(_LINE.fullmatch(line) for line in whole)
    opened: list[bytes] = []
    for line in whole:
        name, _, value = line.partition(b":")
        if name == b"BEGIN":
            opened.append(value)
        elif name == b"END":
            assert opened.pop() == value
    assert opened == []
    zones = {line.partition(b":")[2] for line in whole if line.startswith(b"TZID:")}
    used = {found for line in whole for found in re.findall(rb";TZID=([^:;]+)", line)}
    assert used <= zones
    events = Calendar.from_ical(written).walk("VEVENT")
    assert len(events) == len(deadlines)
    for event, deadline in zip(events, deadlines, strict=True):
        assert str(event["UID"]) == f"{deadline.key}@exchange.example"
        assert str(event["SUMMARY"]).split() == ics.said(reader, deadline).split()
        assert int(event["SEQUENCE"]) == deadline.revision
        assert event["DTSTAMP"].dt == deadline.changed_at.replace(microsecond=0)
        begins, due = event["DTSTART"].dt, deadline.due
        if isinstance(due, datetime):  # as moments: times in an hour that comes twice equal no other to Python
            begins, due = begins.astimezone(UTC), due.replace(microsecond=0)
        assert begins == due
        assert [alarm["ACTION"] for alarm in event.walk("VALARM")] == ["DISPLAY"]


def test_a_zone_s_clock_changes_are_told_with_it() -> None:
    moment = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)  # half an hour before the clocks of Amsterdam go forward
    later = moment + timedelta(hours=1)
    rows = [Deadline(f"a-{number}", due, "x", {}, "/", moment) for number, due in enumerate((moment, later))]
    reader = Reader("TechEx", "https://exchange.example", "en", ZoneInfo("Europe/Amsterdam"))
    text = ics.written(reader, rows).decode()
    assert "DTSTART;TZID=Europe/Amsterdam:20270328T013000" in text
    assert "DTSTART;TZID=Europe/Amsterdam:20270328T033000" in text, "the hour between does not exist there"
    assert "BEGIN:DAYLIGHT" in text
    assert "BEGIN:STANDARD" in text


def test_of_an_hour_that_comes_twice_each_is_told_apart() -> None:
    first = datetime(2028, 10, 29, 0, 30, tzinfo=UTC)  # half past two in Amsterdam, and an hour later once more
    reader = Reader("TechEx", "https://exchange.example", "en", ZoneInfo("Europe/Amsterdam"))
    rows = [Deadline(f"a-{hour}", first + timedelta(hours=hour), "x", {}, "/", first) for hour in (0, 1)]
    found = [
        event["DTSTART"].dt.astimezone(UTC) for event in Calendar.from_ical(ics.written(reader, rows)).walk("VEVENT")
    ]
    assert found == [first, first + timedelta(hours=1)]


def test_a_deadline_that_moves_counts_its_revisions(demo_app: Flask, pair: Pair) -> None:
    from techex.listings import deadlines

    with demo_app.app_context(), identity.database().transaction() as session:
        context = Context(actor_of(session, "engineer"))
        listing = session.get_one(Listing, pair.need)
        assert listing.expires_at
        before = next(iter(deadlines.of_person(session, context)))
        listing.extended_at = context.now
        listing.expires_at += timedelta(days=365)
        session.flush()
        after = next(iter(deadlines.of_person(session, context)))
    assert (before.key, before.path) == (after.key, after.path)
    assert after.revision > before.revision
    assert after.changed_at > before.changed_at


def test_the_page_explains_itself_in_both_languages(demo_app: Flask, asked: int) -> None:
    engineer = sign_in(demo_app, "engineer")
    for language, words in (("en", "Subscribe from web"), ("vi", "Đăng ký từ web")):
        page = engineer.get("/alerts/calendar", headers={"Accept-Language": language}).get_data(as_text=True)
        for name in ("Google Calendar", "Outlook", "Apple", words):
            assert name in page
    with demo_app.app_context(), identity.database().reading() as session:
        assert session.scalar(select(Person.language).where(Person.id == person_of(session, "engineer").id)) == "en"

"""Alerts as their readers meet them: begun below a search, told once of each match, stopped with one press."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from techex.alerts import service
from techex.alerts.finding import finder
from techex.alerts.rules import HOUR, MOST_ALERTS, Cadence, next_time
from techex.alerts.service import Place
from techex.alerts.tables import Alert
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.core.mail import Letter
from techex.core.outbox import message_of
from techex.listings.rules import Kind, Visibility
from techex.listings.service import post, publish, withdraw
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.web import identity
from tests.cast import CAST, Browser, person_of, sign_in
from tests.matching.second_matcher import WordMatcher

TEXT = "enzymes that dye cotton cold at sixty degrees"
OFFER = {
    "title": "Enzymes that dye cotton cold at sixty degrees",
    "summary": "Enzymes that dye cotton cold at sixty degrees, for dye houses of every size.",
    "description": "Enzymes dye the cotton cold, at sixty degrees, twenty minutes long, in any usual machine. " * 2,
    "advantages": "Half the heat of the usual bath.",
}
LATER = timedelta(days=8)


def _begin(browser: Browser, **changed: str) -> int:
    return int(browser.post("/alerts", data={"text": TEXT, "cadence": "daily"} | changed).status_code)


def _publish(app: Flask, visibility: Visibility = Visibility.PUBLIC) -> int:
    with app.app_context(), identity.database().transaction() as session:
        context = Context(COMMAND_LINE)
        owner = organisations.get_organisation(session, "dai-hoc-phuong-nam")
        draft = checked_draft(Kind.OFFER, OFFER, language="en", country="VN", province="79", visibility=visibility)
        listing = post(session, context, owner, draft)
        publish(session, context, listing)
        return listing.id


def _look(app: Flask, after: timedelta = LATER) -> int:
    """One round of the clock, so much later; how many matches letters tell of."""
    place = Place("TechEx", "https://exchange.example", "Asia/Ho_Chi_Minh", app.config["SECRET_KEY"])
    with app.app_context():
        context = Context(COMMAND_LINE, datetime.now(UTC) + after)
        with identity.database().reading() as session:
            due = service.due(session, context, 50)
        told = 0
        for person_id in due:
            with identity.database().transaction() as session:
                told += service.look(session, context, place, person_id, finder(WordMatcher()))
        return told


def _letters(app: Flask, name: str) -> list[Letter]:
    with app.app_context(), identity.database().reading() as session:
        query = select(Letter).where(Letter.recipient == CAST[name].email, Letter.unsubscribe != "")
        return list(session.scalars(query.order_by(Letter.id)))


@pytest.fixture
def engineer(demo_app: Flask) -> Browser:
    sign_in(demo_app, "officer")  # whose university will publish
    return sign_in(demo_app, "engineer")


def test_what_is_new_is_told_once_with_why_it_is_there(demo_app: Flask, engineer: Browser) -> None:
    assert "Tell me by letter" in engineer.get("/matches", query_string={"text": TEXT}).get_data(as_text=True)
    assert _begin(engineer) == 303
    assert _look(demo_app) == 0, "what was there when it began is known"
    number = _publish(demo_app)
    assert _look(demo_app, timedelta(minutes=1)) == 0, "a daily alert waits for its hour"
    assert _look(demo_app, LATER * 2) == 1
    assert _look(demo_app, LATER * 3) == 0, "never a second time"
    letter = _letters(demo_app, "engineer")[0]
    assert OFFER["title"] in letter.text
    assert f"https://exchange.example/results/{number}" in letter.text
    assert "strength" in letter.text
    assert "enzymes" in letter.text


def test_mail_programs_find_the_one_press_that_ends_it(demo_app: Flask, engineer: Browser) -> None:
    _begin(engineer)
    _publish(demo_app)
    _look(demo_app, LATER)
    letter = _letters(demo_app, "engineer")[0]
    sent = BytesParser(policy=policy.default).parsebytes(message_of(letter, "TechEx <x@exchange.example>").as_bytes())
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = str(sent["List-Unsubscribe"]).strip(" <>").removeprefix("https://exchange.example")
    stranger = demo_app.test_client()
    assert "Stop this alert?" in stranger.get(path, headers={"Accept-Language": "en"}).get_data(as_text=True)
    with demo_app.app_context(), identity.database().reading() as session:
        assert session.scalar(select(func.count()).select_from(Alert)) == 1, "a link scanner stops nothing"
    for _ in range(2):
        reply = stranger.open(path, method="POST", data={"List-Unsubscribe": "One-Click"})
        assert reply.status_code == 200
    with demo_app.app_context(), identity.database().reading() as session:
        assert session.scalar(select(func.count()).select_from(Alert)) == 0
    assert stranger.get(path[:-3] + "abc").status_code == 404


def test_a_letter_tells_of_several_alerts_and_of_each_match_once(demo_app: Flask, engineer: Browser) -> None:
    for text in (TEXT, TEXT + " at once", "cotton dyed cold with enzymes at sixty degrees"):
        assert _begin(engineer, text=text) == 303
    first = _publish(demo_app)
    assert _look(demo_app) == 1
    letters = _letters(demo_app, "engineer")
    assert len(letters) == 1
    assert letters[0].text.count(f"/results/{first}\n") + letters[0].text.endswith(f"/results/{first}") == 1
    assert _look(demo_app, LATER * 2) == 0, "no other alert tells of it later"
    path = letters[0].unsubscribe.removeprefix("https://exchange.example")
    demo_app.test_client().open(path, method="POST", data={"List-Unsubscribe": "One-Click"})
    with demo_app.app_context(), identity.database().reading() as session:
        assert session.scalar(select(func.count()).select_from(Alert)) == 2, "the press ends what the letter told of"


def test_nobody_is_told_of_their_own_organisation_s_listings(demo_app: Flask, engineer: Browser) -> None:
    assert _begin(sign_in(demo_app, "officer")) == 303
    _publish(demo_app)
    assert _look(demo_app) == 0


@pytest.mark.parametrize(("name", "told"), [("engineer", 1), ("stranger", 0), ("unverified", 0), ("operator", 0)])
def test_of_a_listing_for_members_only_members_hear_and_no_letter_holds_its_title(
    demo_app: Flask, engineer: Browser, name: str, told: int
) -> None:
    assert _begin(sign_in(demo_app, name)) == 303
    number = _publish(demo_app, Visibility.MEMBERS)
    assert _look(demo_app) == told
    for letter in _letters(demo_app, name):
        assert "dye cotton cold at sixty degrees, for" not in letter.text
        assert f"number {number}" in letter.text
        assert letter.text.count(OFFER["title"]) == 0


def test_alerts_belong_to_one_person(demo_app: Flask, engineer: Browser) -> None:
    _begin(engineer)
    with demo_app.app_context(), identity.database().reading() as session:
        number = session.scalar(select(Alert.id))
    rival = sign_in(demo_app, "rival")
    assert TEXT not in rival.get("/alerts").get_data(as_text=True)
    assert rival.post(f"/alerts/{number}/stop").status_code == 404
    assert rival.post(f"/alerts/{number}/cadence", data={"cadence": "weekly"}).status_code == 404
    assert TEXT in engineer.get("/alerts").get_data(as_text=True)
    assert engineer.post(f"/alerts/{number}/cadence", data={"cadence": "weekly"}).status_code == 303
    assert engineer.post(f"/alerts/{number}/cadence", data={"cadence": "hourly"}).status_code == 422
    assert engineer.post(f"/alerts/{number}/stop").status_code == 303
    assert TEXT not in engineer.get("/alerts").get_data(as_text=True)


def test_the_same_search_twice_is_one_alert_and_there_is_an_end_of_them(demo_app: Flask, engineer: Browser) -> None:
    for code in ("daily", "weekly"):
        assert _begin(engineer, cadence=code, order="plain" if code == "weekly" else "") == 303
    page = engineer.get("/alerts").get_data(as_text=True)
    assert "1 search is looked at" in page
    assert re.search(r'value="weekly" selected', page)
    statuses = [_begin(engineer, text=f"{TEXT} number {number}") for number in range(MOST_ALERTS)]
    assert statuses == [303] * (MOST_ALERTS - 1) + [409]


def test_an_alert_on_one_s_own_need_ends_quietly_with_it(demo_app: Flask, engineer: Browser) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        need = session.scalars(select(Listing).where(Listing.kind == "need").order_by(Listing.id)).first()
        assert need
        number = need.id
    assert engineer.post("/alerts", data={"listing": number, "cadence": "at_once"}).status_code == 303
    assert engineer.post("/alerts", data={"cadence": "daily"}).status_code == 422, "a text or a listing"
    with demo_app.app_context(), identity.database().transaction() as session:
        withdraw(session, Context(COMMAND_LINE), session.get_one(Listing, number))
    assert _look(demo_app) == 0
    assert engineer.get("/alerts").status_code == 200


def _file(browser: Browser, query: str = "") -> list[dict[str, str]]:
    reply = browser.get(f"/alerts.csv{query}")
    assert reply.status_code == 200
    return list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))


def test_one_s_alerts_are_narrowed_sorted_and_taken_along_as_a_file(demo_app: Flask, engineer: Browser) -> None:
    _begin(engineer)
    _begin(engineer, text="a membrane for salt water", cadence="weekly", field="207")
    _begin(engineer, text="zeolites for gas", cadence="weekly", **{"for": "need"})
    rows = _file(engineer)
    assert [row["About"] for row in rows] == ["zeolites for gas", "a membrane for salt water", TEXT], "the newest first"
    assert [row["Kind"] for row in rows] == ["Need", "Result", "Result"]
    assert [row["Filters"] for row in rows] == ["0", "1", "0"]
    assert rows[2]["How often"] == "once a day, at seven"
    assert [row["About"] for row in _file(engineer, "?often=weekly&sort=title")] == [
        "a membrane for salt water",
        "zeolites for gas",
    ]
    page = engineer.get("/alerts?often=weekly&what=need").text
    assert "1 search is looked at" in page
    assert "zeolites for gas" in page
    assert TEXT not in page
    assert "No line is like that" in engineer.get("/alerts?q=zzz").text
    assert _file(sign_in(demo_app, "rival")) == []
    assert demo_app.test_client().get("/alerts.csv").status_code == 403


def test_the_file_of_alerts_tells_the_days_that_the_page_tells(demo_app: Flask, engineer: Browser) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        person_of(session, "engineer").timezone = "Pacific/Auckland"  # where it is tomorrow already
    _begin(engineer)
    row = _file(engineer)[0]
    assert f'<time datetime="{row["Next look"]}">' in engineer.get("/alerts").get_data(as_text=True)


BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
ZONES = [ZoneInfo(name) for name in ("Asia/Ho_Chi_Minh", "Europe/Amsterdam", "America/New_York", "UTC")]


@given(
    cadence=st.sampled_from(Cadence),
    after=st.integers(0, 4 * 365 * 24 * 60).map(
        lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    zone=st.sampled_from(ZONES),
)
def test_the_next_time_is_later_at_seven_where_the_reader_is(cadence: Cadence, after: datetime, zone: ZoneInfo) -> None:
    moment = next_time(cadence, after, zone)
    local = moment.astimezone(zone)
    assert moment > after
    if cadence is not Cadence.AT_ONCE:
        assert (local.hour, local.minute) == (HOUR, 0), "also on days on which the clock is changed"
        assert moment - after <= timedelta(days=7 if cadence is Cadence.WEEKLY else 1, hours=1)
    if cadence is Cadence.WEEKLY:
        assert local.weekday() == 0


def test_a_letter_and_what_it_told_are_kept_together_or_not_at_all(
    demo_app: Flask, engineer: Browser, database: Database
) -> None:
    _begin(engineer)
    _publish(demo_app)
    place = Place("TechEx", "https://exchange.example", "UTC", "key")
    context = Context(COMMAND_LINE, datetime.now(UTC) + LATER)

    with demo_app.app_context():
        with identity.database().transaction() as session:
            number = person_of(session, "engineer").id
            assert service.look(session, context, place, number, finder(WordMatcher())) == 1
            session.rollback()  # as a kill would leave it
        assert _letters(demo_app, "engineer") == []
        with identity.database().transaction() as session:
            assert service.look(session, context, place, number, finder(WordMatcher())) == 1
            assert service.look(session, context, place, number, finder(WordMatcher())) == 0
    assert len(_letters(demo_app, "engineer")) == 1


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        ("Europe/Amsterdam", datetime(2027, 3, 25, 12, tzinfo=UTC)),  # forward on 28 March
        ("Europe/Amsterdam", datetime(2027, 10, 28, 12, tzinfo=UTC)),  # back on 31 October
        ("America/New_York", datetime(2027, 3, 11, 12, tzinfo=UTC)),  # forward on 14 March
        ("America/New_York", datetime(2027, 11, 4, 12, tzinfo=UTC)),  # back on 7 November
        ("Asia/Ho_Chi_Minh", datetime(2027, 3, 25, 12, tzinfo=UTC)),  # never
    ],
)
def test_a_daily_letter_comes_once_a_day_at_seven_while_clocks_change(zone: str, begins: datetime) -> None:
    place, moments = ZoneInfo(zone), [begins]
    for _ in range(8):
        moments.append(next_time(Cadence.DAILY, moments[-1], place))
    local = [moment.astimezone(place) for moment in moments[1:]]
    assert {(moment.hour, moment.minute) for moment in local} == {(7, 0)}
    assert [later.date() - day.date() for day, later in pairwise(local)] == [timedelta(days=1)] * 7
    shortest, longest = (f([later - day for day, later in pairwise(moments[1:])]) for f in (min, max))
    day = timedelta(hours=24)
    assert (shortest < day) + (longest > day) == (zone != "Asia/Ho_Chi_Minh"), "one day of the week is another length"


def test_an_alert_for_an_absent_listing_is_refused_as_not_found(demo_app: Flask) -> None:
    asked = {"listing": "999999", "cadence": "weekly"}
    assert sign_in(demo_app, "engineer").post("/alerts", data=asked).status_code == 404

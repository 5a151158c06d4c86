"""Letters about deadlines: on the last working day before, of each once, until their reader wants none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from techex.admin import deadlines
from techex.alerts.deadline_letters import is_near, token_for
from techex.brokering import service
from techex.brokering.rules import Verb
from techex.brokering.service import Draft
from techex.core.context import COMMAND_LINE, Context
from techex.core.database import Database
from techex.core.mail import Letter
from techex.organisations import service as organisations
from techex.settings import Settings
from techex.web import identity
from tests.brokering.stage import actor_of, stage
from tests.brokering.test_deals import HOUSE, TEXTS
from tests.cast import CAST, person_of, sign_in


@pytest.mark.parametrize(
    ("today", "due", "near"),
    [
        (date(2026, 11, 23), date(2026, 11, 24), True),
        (date(2026, 11, 20), date(2026, 11, 23), True),  # a Friday before a Monday
        (date(2026, 11, 19), date(2026, 11, 23), False),
        (date(2027, 2, 3), date(2027, 2, 11), True),  # the last working day before Tết, the first one after it
        (date(2027, 2, 2), date(2027, 2, 11), False),
        (date(2026, 11, 26), date(2026, 11, 24), True),  # late, and nobody was told
    ],
)
def test_it_is_near_from_the_last_working_day_before(today: date, due: date, near: bool) -> None:
    assert is_near(today, due) is near


def test_a_deadline_is_told_once_to_those_it_waits_for(settings: Settings, database: Database) -> None:
    known = settings.model_copy(update={"base_url": "https://exchange.example"})
    begin = datetime(2026, 11, 23, 3, tzinfo=UTC)  # a Monday
    with database.transaction() as session:
        context = Context(COMMAND_LINE, begin)
        pair = stage(session, context)
        person_of(session, "editor").timezone = "America/New_York"
        person_of(session, "editor").language = "vi"
        at = {name: Context(actor_of(session, name), begin) for name in ("officer", "operator")}
        sender = organisations.get_organisation(session, "dai-hoc-phuong-nam")
        interest = service.send(session, at["officer"], HOUSE, pair.need, sender, Draft(TEXTS, "en"), pair.offer)
        for verb in (Verb.SCREEN, Verb.FORWARD):
            service.take(session, at["operator"], HOUSE, interest.id, verb)
        assert interest.due == date(2026, 12, 8), "the Cultural Day of 24 November is free"
    midnight = begin.replace(hour=0)
    for days in (0, *range(11, 17)):
        for minutes in (-1, 0, 12 * 60 - 1, 12 * 60):
            deadlines.tell(known, database, Context(COMMAND_LINE, midnight + timedelta(days=days, minutes=minutes)))
    with database.reading() as session:
        letters = list(session.scalars(select(Letter).where(Letter.key.startswith("deadlines-"))))
    to = {letter.recipient: letter for letter in letters}
    assert len(letters) == len(to) == 2
    assert to[CAST["engineer"].email].created_at == datetime(2026, 12, 7, 0, tzinfo=UTC), "Monday at seven in Hanoi"
    assert to[CAST["editor"].email].created_at == datetime(2026, 12, 7, 12, tzinfo=UTC), "and in New York, in winter"
    assert "thứ ba, 8 tháng 12, 2026" in to[CAST["editor"].email].text.lower()
    assert f"https://exchange.example/interests/{interest.id}" in to[CAST["engineer"].email].text
    assert deadlines.tell(settings, database, Context(COMMAND_LINE, begin + timedelta(days=20))) is None, (
        "no address, no links"
    )


def test_one_press_ends_them_and_a_scanner_that_follows_the_link_does_not(app: Flask) -> None:
    person = sign_in(app, "engineer")
    with app.app_context(), identity.database().reading() as session:
        number = person_of(session, "engineer").id
    token = token_for(number, app.config["SECRET_KEY"])
    path, stranger = f"/alerts/deadlines/stop/{token}", app.test_client()
    assert stranger.get(path).status_code == 200
    assert 'value="no"' in person.get("/alerts/calendar").get_data(as_text=True)
    for _ in range(2):
        assert stranger.open(path, method="POST", data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert 'value="yes"' in person.get("/alerts/calendar").get_data(as_text=True)
    assert person.post("/alerts/deadlines/letters", data={"on": "yes"}).status_code == 303
    assert 'value="no"' in person.get("/alerts/calendar").get_data(as_text=True)
    assert stranger.get(path[:-2] + "ab").status_code == 404

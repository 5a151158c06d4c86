"""Deadlines as iCalendar (RFC 5545, 7986), by the `icalendar` library; pure: the same deadlines, the same bytes.

A deadline that is a day is an all-day event, one that is a moment stands in the reader's time zone. None makes its
reader busy. DTSTAMP is when it was last moved, so a file changes only when something in it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event, Timezone

from techex.core import mail
from techex.core.deadlines import Deadline
from techex.core.vocabulary import N_

REFRESH = timedelta(hours=6)  # asked of calendar programs; most come when they like
BEFORE_A_DAY = timedelta(hours=-15)  # at nine of the morning of the day before
BEFORE_A_MOMENT = timedelta(days=-1)
_NAME = N_("%(exchange)s: deadlines")
_OPEN = N_("What is to be done, and where: %(link)s")


@dataclass(frozen=True)
class Reader:
    """For whom a calendar is written, and where the exchange is."""

    exchange: str
    base: str  # address of the exchange, without a slash at the end
    language: str
    zone: ZoneInfo


def name_of(reader: Reader) -> str:
    """What the calendar is called."""
    return mail.said_in(reader.language, _NAME) % {"exchange": reader.exchange}


def said(reader: Reader, deadline: Deadline) -> str:
    """What is to be done, in one line of the reader's language."""
    what = mail.said_in(reader.language, deadline.what) % deadline.values
    return f"{what} · {deadline.title}" if deadline.title else what


def written(reader: Reader, deadlines: Sequence[Deadline]) -> bytes:
    """The calendar with these deadlines."""
    calendar = Calendar()
    calendar.add("prodid", "-//TechEx//Deadlines//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    name = name_of(reader)
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", str(reader.zone))
    calendar.add("refresh-interval", REFRESH, {"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    for deadline in deadlines:
        calendar.add_component(_event(reader, deadline))
    moments = [deadline.day_in(UTC) for deadline in deadlines if deadline.is_moment]
    if moments:
        years = min(moments).year - 1, max(moments).year + 1  # so that both changes of the clock of a year are told
        zones = [_zone(name, *years) for name in sorted(calendar.get_missing_tzids())]
        calendar.subcomponents[:0] = zones
    return bytes(calendar.to_ical())


@lru_cache(maxsize=64)
def _zone(name: str, first: int, last: int) -> Timezone:
    """When clocks change in these years; kept, since the library asks for every day of them (16 ms)."""
    return Timezone.from_tzid(name, first_date=date(first, 1, 1), last_date=date(last, 12, 31))


def _event(reader: Reader, deadline: Deadline) -> Event:
    line, link = said(reader, deadline), reader.base + deadline.path
    event = Event()
    event.add("uid", f"{deadline.key}@{urlsplit(reader.base).hostname or 'localhost'}")
    event.add("dtstamp", _whole(deadline.changed_at))
    event.add("last-modified", _whole(deadline.changed_at))
    event.add("sequence", deadline.revision)
    if isinstance(deadline.due, datetime):
        local = deadline.due.astimezone(reader.zone).replace(microsecond=0)
        # Of an hour that comes twice as clocks go back, local time means the first (RFC 5545 §3.3.5).
        event.add("dtstart", local.astimezone(UTC) if local.fold else local)
    else:
        event.add("dtstart", deadline.due)
        event.add("dtend", deadline.due + timedelta(days=1))
    event.add("summary", line)
    event.add("description", mail.said_in(reader.language, _OPEN) % {"link": link})
    event.add("url", link)
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT")
    event.add("status", "CONFIRMED")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", line)
    alarm.add("trigger", BEFORE_A_MOMENT if deadline.is_moment else BEFORE_A_DAY)
    event.add_component(alarm)
    return event


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)

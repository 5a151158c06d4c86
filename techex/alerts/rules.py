"""How often an alert writes, and when next: in its reader's time zone, over the days on which clocks change; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from techex.core.vocabulary import N_

MOST_ALERTS = 30  # of one person
MOST_IN_A_LETTER = 30  # matches; the next letter goes on, and the page has all
MOST_OF_AN_ALERT = 10
LONGEST_QUOTE = 160  # characters of a passage that says why
HOUR = 7  # of the morning, where its reader is
AT_ONCE = timedelta(minutes=10)


class Cadence(StrEnum):
    """How often an alert may write."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"


CADENCES: Mapping[Cadence, str] = {
    Cadence.AT_ONCE: N_("at once"),
    Cadence.DAILY: N_("once a day, at seven"),
    Cadence.WEEKLY: N_("once a week, on Monday at seven"),
}


def next_time(cadence: Cadence, after: datetime, zone: ZoneInfo) -> datetime:
    """The next moment (UTC) at which an alert looks, after a moment."""
    if cadence is Cadence.AT_ONCE:
        return after + AT_ONCE
    local = after.astimezone(zone)
    # Built from the date, so that seven stays seven on the day on which the clock is changed.
    day = local.date()
    while True:
        moment = datetime(day.year, day.month, day.day, HOUR, tzinfo=zone)
        if moment > local and (cadence is Cadence.DAILY or day.weekday() == 0):
            return moment.astimezone(UTC)
        day += timedelta(days=1)

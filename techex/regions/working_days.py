"""Deadlines in working days: the weeks of a country without its public holidays, by the `holidays` library."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from techex.regions.rules import HOME_COUNTRY

HOME = ZoneInfo("Asia/Ho_Chi_Minh")
LAST_PLACE = timezone(timedelta(hours=-12))  # where a day ends last on Earth


def here(moment: datetime) -> date:
    """The day it is in Vietnam, from which deadlines are counted: at six in the morning that is not yet yesterday."""
    return moment.astimezone(HOME).date()


def day_of(timezone: str, moment: datetime) -> date:
    """The day it is for somebody in a time zone; in Vietnam where none is named, or none that this machine knows."""
    try:
        return moment.astimezone(ZoneInfo(timezone) if timezone else HOME).date()
    except (KeyError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        return here(moment)


def everywhere(moment: datetime) -> date:
    """The day that has begun everywhere: a deadline before it is over for everybody, wherever they are."""
    return moment.astimezone(LAST_PLACE).date()


def is_over(due: date, moment: datetime) -> bool:
    """True once a day by which something was due has ended in every time zone."""
    return due < everywhere(moment)


@cache
def _calendar(country: str) -> holidays.HolidayBase | None:
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:  # a country the library has no calendar of: weekends alone are free
        return None


@cache
def is_working_day(day: date, country: str = HOME_COUNTRY) -> bool:
    """True for a day on which an office of that country works, also for a Saturday that makes up for a day off."""
    calendar = _calendar(country)
    return day.weekday() < 5 if calendar is None else calendar.is_working_day(day)


def after(day: date, working_days: int, country: str = HOME_COUNTRY) -> date:
    """The working day that comes so many working days after `day`."""
    while working_days > 0:
        day += timedelta(days=1)
        working_days -= is_working_day(day, country)
    return day


def until(today: date, due: date, country: str = HOME_COUNTRY) -> int:
    """The working days that are left after `today` up to and with `due`; below 0 so many have passed since."""
    first, last = min(today, due), max(today, due)
    days = (first + timedelta(days=number) for number in range(1, (last - first).days + 1))
    count = sum(is_working_day(day, country) for day in days)
    return count if due >= today else -count

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from techex.regions.working_days import after, day_of, here, is_working_day


@pytest.mark.parametrize(
    "free", [date(2026, 4, 30), date(2026, 5, 1), date(2026, 9, 2), date(2026, 2, 17), date(2026, 11, 22)]
)
def test_public_holidays_and_sundays_of_vietnam_are_free(free: date) -> None:
    assert not is_working_day(free)


def test_a_deadline_jumps_over_tet() -> None:
    # Tết 2026 lies around 17 February: three working days after the 12th lie beyond it.
    assert after(date(2026, 2, 12), 3) > date(2026, 2, 20)
    assert is_working_day(after(date(2026, 2, 12), 3))


def test_a_saturday_that_makes_up_for_a_day_off_is_worked_and_the_day_off_is_not() -> None:
    assert is_working_day(date(2026, 8, 22))  # the Saturday for the Monday between a Sunday and the National Day
    assert not is_working_day(date(2026, 8, 31))
    assert not is_working_day(date(2026, 8, 15)), "other Saturdays are free"
    assert after(date(2026, 8, 21), 1) == date(2026, 8, 22)


def test_tet_moves_with_the_moon_and_deadlines_with_it() -> None:
    # The first day of the year of the Goat is 6 February 2027, of the Monkey 26 January 2028.
    assert after(date(2027, 2, 3), 1) == date(2027, 2, 11)
    assert after(date(2026, 2, 3), 1) == date(2026, 2, 4), "a year before, that week was worked"
    assert not is_working_day(date(2028, 1, 26))
    assert is_working_day(date(2027, 1, 26))


def test_a_partner_abroad_has_the_holidays_of_its_own_country() -> None:
    assert not is_working_day(date(2026, 4, 27), "NL")  # King's Day
    assert is_working_day(date(2026, 4, 27), "KR")
    assert not is_working_day(date(2026, 4, 25), "ZZ"), "of an unknown country at least the weekends are free"


def test_no_days_after_a_day_is_that_day() -> None:
    assert after(date(2026, 11, 22), 0) == date(2026, 11, 22)


def test_the_day_is_that_of_the_time_zone_and_of_vietnam_where_none_is_known() -> None:
    evening = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
    assert day_of("", evening) == day_of("Mars/Olympus", evening) == here(evening) == date(2026, 11, 23)
    assert day_of("Europe/Berlin", evening) == date(2026, 11, 22)

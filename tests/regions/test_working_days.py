from __future__ import annotations

from datetime import date

import pytest

from techex.regions.working_days import after, is_working_day


@pytest.mark.parametrize(
    "free", [date(2026, 4, 30), date(2026, 5, 1), date(2026, 9, 2), date(2026, 2, 17), date(2026, 11, 22)]
)
def test_public_holidays_and_sundays_of_vietnam_are_free(free: date) -> None:
    assert not is_working_day(free)


def test_a_deadline_jumps_over_tet() -> None:
    # Tết 2026 lies around 17 February: three working days after the 12th lie beyond it.
    assert after(date(2026, 2, 12), 3) > date(2026, 2, 20)
    assert is_working_day(after(date(2026, 2, 12), 3))


def test_a_partner_abroad_has_the_holidays_of_its_own_country() -> None:
    assert not is_working_day(date(2026, 4, 27), "NL")  # King's Day
    assert is_working_day(date(2026, 4, 27), "KR")
    assert not is_working_day(date(2026, 4, 25), "ZZ"), "of an unknown country at least the weekends are free"


def test_no_days_after_a_day_is_that_day() -> None:
    assert after(date(2026, 11, 22), 0) == date(2026, 11, 22)

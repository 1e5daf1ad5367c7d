from datetime import date, datetime

import pytest

from triage.errors import ConfigError
from triage.types import BEIJING
from triage.workdays import add_working_days, is_workday


def test_make_up_days_work_and_holidays_rest():
    assert not is_workday(date(2026, 10, 1))
    assert is_workday(date(2026, 9, 30))
    assert not is_workday(date(2026, 11, 21))  # a Saturday


def test_national_day_week_is_skipped():
    assert add_working_days(datetime(2026, 9, 28, 9, tzinfo=BEIJING), 3) == datetime(2026, 10, 8, 18, tzinfo=BEIJING)


def test_the_day_counts_in_beijing():
    late = datetime.fromisoformat("2026-11-19T17:30:00+00:00")  # Friday 01:30 in Beijing
    assert add_working_days(late, 1).date() == date(2026, 11, 23)


def test_our_file_stands_in_for_a_year_the_package_does_not_know():
    assert not is_workday(date(2027, 10, 1))
    assert is_workday(date(2027, 10, 8))


def test_an_unknown_year_is_said_with_its_remedy():
    with pytest.raises(ConfigError, match=r"does not know 2040: update chinesecalendar or add the year"):
        is_workday(date(2040, 1, 3))

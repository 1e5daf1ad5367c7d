"""Working days in China: the chinesecalendar package, corrected by data/calendar/workdays.yaml."""

from datetime import date, datetime, time, timedelta
from functools import cache

import chinese_calendar

from triage.errors import ConfigError
from triage.resources import DATA, read_yaml
from triage.types import BEIJING

# Where a calendar for other years has to be added, for the error message.
_FILE = "data/calendar/workdays.yaml"
_CLOSING = time(18, 0)


@cache
def is_workday(day: date) -> bool:
    """Whether banks' offices work that day, make-up Saturdays and Sundays (调休) included.

    Raises: ConfigError for a year that neither the package nor our file knows.
    """
    calendar = _corrections()
    if day in calendar["days"]:
        return calendar["days"][day] == "workday"
    if day.year in calendar["years"]:
        year = calendar["years"][day.year]
        return day in year["workdays"] or (day.weekday() < 5 and day not in year["holidays"])
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:
        raise ConfigError(f"the working-day calendar does not know {day.year}: update chinesecalendar or add the year to {_FILE}") from None


@cache
def is_holiday(day: date) -> bool:
    """Whether the day is a public holiday or a weekend day off. Raises: ConfigError as `is_workday`."""
    return not is_workday(day)


@cache
def spring_festival(year: int) -> date:
    """The first day of the lunar year that begins in a year. Raises: ConfigError where the table of our file ends."""
    for day in _corrections()["spring_festival"]:
        if day.year == year:
            return day
    raise ConfigError(f"the first day of the lunar year {year} is not known: add it to {_FILE}")


def add_working_days(start: datetime, days: int) -> datetime:
    """The close of business (18:00 Beijing time) of the n-th working day after the day of `start`.

    Args:
        start: aware datetime.
        days: at least 1.

    Raises: ConfigError for a year without a calendar.
    """
    return _close_of_business(start.astimezone(BEIJING).date(), days)


@cache
def _close_of_business(day: date, days: int) -> datetime:
    while days:
        day += timedelta(days=1)
        days -= is_workday(day)
    return datetime.combine(day, _CLOSING, BEIJING)


@cache
def _corrections() -> dict:
    return read_yaml(DATA / "calendar" / "workdays.yaml")

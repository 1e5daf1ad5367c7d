"""What comes back every year: a category's share of all complaints at this time of the year, learned from the years before.

Spring Festival, the ends of quarters, Double 11 and the like raise some categories everywhere; seen in 84 days of baseline they are
outbreaks, seen in two years they are the season. Days of earlier years are matched by date, round Spring Festival by their distance from
it. Of two years the smaller deviation counts, and none where the two disagree: an outbreak of last year must not blind this year's test.
Trends need no model: between the middle of the baseline and the days judged lie two months, in which a category that grows by a
fifth a year grows by 3 %.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from triage.hotspots.regression import Floats
from triage.hotspots.series import Counts, group_of
from triage.workdays import spring_festival

_AROUND = 30  # days before and after Spring Festival that move with it


@dataclass(frozen=True, slots=True)
class SeasonSettings:
    """Settings.

    Attributes:
        years: years that must agree; 0 = no season.
        smooth: days to either side that a day is averaged with.
        prior: complaints' worth of belief, on these days together, that a category has no season.
        least_present: share of a year's days that must have data.
    """

    years: int = 2
    smooth: int = 2
    prior: float = 20.0
    least_present: float = 0.8

    def history(self, span: int) -> int:
        """Days of history that a season over the last `span` days needs."""
        return 366 * self.years + span + _AROUND + self.smooth if self.years else span


def seasons(counts: Counts, span: int, rows: NDArray[np.intp], settings: SeasonSettings) -> Floats:
    """How much larger a part of all complaints each category and group is on each of the last days than in the baseline, as it was in the
    years before; shape (span, categories + groups), mean about 1 over the baseline, 1 where too little history is known.

    Args:
        counts: the whole history.
        span: number of last days.
        rows: those of them that make the baseline.
        settings: see there.
    """
    member = np.eye(len(counts.groups))[[counts.groups.index(group_of(category)) for category in counts.categories]]
    keys = len(counts.categories) + len(counts.groups)
    deviation: Floats | None = None
    if counts.days < 365 * settings.years + span:
        return np.ones((span, keys))
    for back in range(1, settings.years + 1):
        days = np.array([counts.day(matching(counts.end - timedelta(days=span - 1 - i), back)) for i in range(span)])
        if days.min() < settings.smooth:
            return np.ones((span, keys))
        first, last = int(days.min()) - settings.smooth, int(days.max()) + settings.smooth + 1
        categories = counts.observed[first:last].sum(axis=(2, 3), dtype=np.int64).astype(float)
        whole = categories.sum(axis=1)
        if (whole > 0).mean() < settings.least_present:
            return np.ones((span, keys))
        own = np.concatenate([categories, categories @ member], axis=1)  # (days, keys)
        own, whole = (_smoothed(table, days - first, settings.smooth) for table in (own, whole[:, None]))
        share = own[rows].sum(axis=0) / max(whole[rows].sum(), 1.0)
        expected = whole * share
        this = (own + settings.prior) / (expected + settings.prior) - 1
        deviation = this if deviation is None else _common(deviation, this)
    season = np.ones((span, keys)) if deviation is None else 1 + deviation
    return season / season[rows].mean(axis=0)


def matching(day: date, back: int) -> date:
    """The same day some years before: as far from Spring Festival where it is near, else the same date.

    >>> matching(date(2026, 2, 17), 1)
    datetime.date(2025, 1, 29)
    >>> matching(date(2026, 11, 11), 2)
    datetime.date(2024, 11, 11)
    """
    distance = (day - spring_festival(day.year)).days
    if abs(distance) <= _AROUND:
        return spring_festival(day.year - back) + timedelta(days=distance)
    if (day.month, day.day) == (2, 29):
        return date(day.year - back, 2, 28)
    return day.replace(year=day.year - back)


def _smoothed(table: Floats, days: NDArray[np.intp], around: int) -> Floats:
    """Sums over the days around each of some days, (days, columns)."""
    sums = np.pad(np.cumsum(table, axis=0), ((1, 0), (0, 0)))
    return sums[days + around + 1] - sums[days - around]


def _common(one: Floats, other: Floats) -> Floats:
    """The smaller of two deviations, none where they point different ways."""
    return np.where(one * other > 0, np.sign(one) * np.minimum(np.abs(one), np.abs(other)), 0.0)

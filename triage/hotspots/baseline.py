"""What each cell of the counts would have had on the days judged, had nothing happened, and how surprising what it had is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from triage.hotspots.predictive import upper_tail
from triage.hotspots.regression import Floats
from triage.hotspots.series import Counts
from triage.workdays import is_workday

_SUSPECT = 2.58  # standardised residual from which a past week counts less (Noufaily et al. 2013)
_WEEK = 7


@dataclass(frozen=True, slots=True)
class BaselineSettings:
    """Settings of the predictive test.

    Attributes:
        days: length of the baseline.
        gap: days before the longest window that are left out, as an outbreak may have begun.
        least_days: days with data that the baseline needs.
        prior_days: days' worth of belief in the parent's baseline times the cell's share.
        prior_blocks: blocks' worth of belief that a cell varies as all cells of its size do.
    """

    days: int = 84
    gap: int = 3
    least_days: int = 14
    prior_days: float = 7.0
    prior_blocks: float = 20.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """A fitted null. `rate`: complaints on a day of exposure 1, (cells,); `known`: exposure behind it, (cells,); `exposure`: of each day
    of the table, (days, cells); `daily`, `weekly`: variance over mean of a day's and of a week's count, (cells,)."""

    rate: Floats
    known: Floats
    exposure: Floats
    daily: Floats
    weekly: Floats

    def dispersion(self, duration: int, judged: Floats) -> Floats:
        """Variance over mean of what a window will hold, the doubt about the rate included, (cells,).

        Args:
            duration: days of the window; between a day and a week the two dispersions are mixed.
            judged: exposure of its days, (cells,).
        """
        long = min((duration - 1) / (_WEEK - 1), 1.0)
        noise = (1 - long) * self.daily + long * np.maximum(self.daily, self.weekly)
        return noise * (1 + judged / self.known)


@dataclass(frozen=True, slots=True)
class Windows:
    """Cells over the windows that end on the day judged; tables have shape (durations, cells).

    Attributes:
        durations: days.
        observed, expected, dispersion: of each window.
        p: exact one-sided p-values; 1 where the effect is below the floor, or the window has too few days with data.
    """

    durations: tuple[int, ...]
    observed: Floats
    expected: Floats
    dispersion: Floats
    p: Floats

    @property
    def best(self) -> NDArray[np.intp]:
        """The most telling window of each cell, (cells,)."""
        return self.p.argmin(axis=0)


@dataclass(frozen=True, slots=True)
class Floor:
    """Effects too small to matter: fewer complaints above the expected, or a smaller ratio (EpiSODIC's floor)."""

    excess: float = 3.0
    ratio: float = 1.5

    def passed(self, observed: Floats, expected: Floats) -> NDArray[np.bool_]:
        """Elementwise."""
        return (observed - expected >= self.excess) & (observed >= self.ratio * expected)


def day_kind(day: date) -> int:
    """0-6 = Monday-Sunday; a public holiday counts as a Sunday, a make-up working day at the weekend (调休) as a Friday.

    Raises: ConfigError for a year without a calendar.
    """
    if is_workday(day):
        return min(day.weekday(), 4)
    return max(day.weekday(), 5) if day.weekday() > 4 else 6


def day_weights(counts: Counts, rows: NDArray[np.intp], kinds: NDArray[np.intp]) -> Floats:
    """Relative volume of each day by its kind, mean about 1, shape (days,); learned from the whole store.

    A kind of day (a holiday week, say) is shrunk to 1 by a day's worth of complaints.

    Args:
        counts: daily counts.
        rows: days to learn from.
        kinds: `day_kind` of each day.
    """
    volume = counts.observed[rows].sum(axis=(1, 2, 3))
    mean = volume.mean()
    sums, days = np.bincount(kinds[rows], volume, minlength=7), np.bincount(kinds[rows], minlength=7)
    return ((sums + mean) / (days + 1) / mean)[kinds]


def baseline_rows(
    present: NDArray[np.bool_], end: int, durations: Sequence[int], settings: BaselineSettings
) -> tuple[NDArray[np.intp], tuple[int, ...]]:
    """The days with data that make the baseline, and the windows that leave enough of them: short history allows short windows only.

    Args:
        present: days with data, (days,).
        end: number of days up to the one judged.
        durations: windows wished for, ascending.
        settings: see there.
    """
    for most in range(len(durations), 0, -1):
        last = end - durations[most - 1] - settings.gap
        rows = np.arange(max(last - settings.days, 0), max(last, 0))
        rows = rows[present[rows]]
        if len(rows) >= settings.least_days:
            return rows, tuple(durations[:most])
    return np.arange(0), ()


def fit(table: Floats, rows: NDArray[np.intp], exposure: Floats, prior: Floats, settings: BaselineSettings) -> Baseline:
    """Fit the null to the baseline's days.

    The rate of a cell is gamma distributed: a priori round the rate believed (worth `prior_days`), then updated by the baseline, in
    which weeks with far too many complaints (a past outbreak) count less, as in Noufaily et al. 2013.

    Args:
        table: daily counts, (days, cells).
        rows: days of the baseline.
        exposure: of each day, (days, cells): the day's weight, times what moves many cells at once.
        prior: complaints believed on a day of exposure 1, (cells,).
        settings: see there.
    """
    counts, lived = table[rows], exposure[rows]
    edges = np.linspace(0, len(rows), max(len(rows) // _WEEK, 1) + 1).astype(int)[:-1]
    sums, weeks = np.add.reduceat(counts, edges, axis=0), np.add.reduceat(lived, edges, axis=0)
    known = lived.sum(axis=0) + settings.prior_days
    rate = (counts.sum(axis=0) + settings.prior_days * prior) / known
    weekly = _dispersion(sums - weeks * rate, rate * weeks.mean(axis=0), settings.prior_blocks)
    residual = (sums - weeks * rate) / np.sqrt(np.maximum(weeks * rate * weekly, 0.25))
    trust = np.where(residual > _SUSPECT, (_SUSPECT / np.maximum(residual, _SUSPECT)) ** 2, 1.0)
    rate = ((trust * sums).sum(axis=0) + settings.prior_days * prior) / ((trust * weeks).sum(axis=0) + settings.prior_days)
    soft = np.sqrt(trust)
    weekly = _dispersion(soft * (sums - weeks * rate), rate * weeks.mean(axis=0), settings.prior_blocks)
    by_day = np.repeat(soft, np.diff(np.append(edges, len(rows))), axis=0)
    daily = _dispersion(by_day * (counts - lived * rate), rate * lived.mean(axis=0), settings.prior_blocks)
    return Baseline(rate, known, exposure, daily, weekly)


def _dispersion(residual: Floats, mean: Floats, prior_blocks: float) -> Floats:
    """Variance over mean of blocks, at least 1, shrunk to what cells of the size have, (cells,); residuals have shape (blocks, cells)."""
    blocks = len(residual)
    if blocks < 4:
        return np.ones(len(mean))
    mean = np.maximum(mean, 0.05)
    own = np.square(residual).sum(axis=0) / (blocks - 1) / mean
    # Cells alike in size vary alike: the belief is the mean over cells expecting about as much (within a factor of 4).
    size = np.clip(np.floor(np.log(mean) / np.log(4.0)), -3, 8).astype(int) + 3
    common = np.bincount(size, own) / np.maximum(np.bincount(size), 1)
    return np.maximum(((blocks - 1) * own + prior_blocks * common[size]) / (blocks - 1 + prior_blocks), 1.0)


def judge(
    table: Floats,
    present: NDArray[np.bool_],
    end: int,
    durations: tuple[int, ...],
    null: Baseline,
    floor: Floor,
) -> Windows:
    """Test the windows up to the day before `end` against the null.

    Args:
        table: daily counts, (days, cells).
        present: days with data, (days,).
        end: number of days up to the one judged, itself included.
        durations: days of the windows; a window of which half the days are missing is not judged.
        null: from `fit`.
        floor: least effect.
    """
    shape = (len(durations), table.shape[1])
    observed, expected, dispersion, p = np.zeros(shape), np.zeros(shape), np.ones(shape), np.ones(shape)
    for i, duration in enumerate(durations):
        window = np.arange(max(end - duration, 0), end)
        window = window[present[window]]
        if 2 * len(window) <= duration:
            continue
        judged = null.exposure[window].sum(axis=0)
        observed[i], expected[i] = table[window].sum(axis=0), null.rate * judged
        dispersion[i] = null.dispersion(duration, judged)
        cells = np.flatnonzero(floor.passed(observed[i], expected[i]))
        p[i, cells] = upper_tail(observed[i, cells], expected[i, cells], dispersion[i, cells])
    return Windows(durations, observed, expected, dispersion, p)

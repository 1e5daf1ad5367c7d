"""Negative binomial CUSUM for slow drifts: rises too small to show in a week, and lasting for months.

Höhle & Paul 2008 (Comput Stat Data Anal 52:4357): the log likelihood ratio of a mean `ratio` times the expected one is summed up and
never falls below zero. The mean comes from the season-trend model, which leaves the last half year out, lest it learn the drift.

The likelihood ratio has mean 1 under the null, so that the sum exceeds h with probability at most exp(-h) in any period (Lundberg's
inequality for the reflected random walk; Siegmund 1985, Sequential Analysis, section 2.6): exp(-sum) is the p-value, and the limit is
-log alpha without a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from scipy import special

from triage.hotspots.farrington import Judged
from triage.hotspots.regression import Floats
from triage.hotspots.season_trend import SeasonTrend, baseline

_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Cusum:
    """Settings: `ratio` of the mean to be found to the expected one; `gap_years` left out before a fit; `errors` = standard errors of its
    logarithm by which the mean is raised; `alpha` of a period."""

    ratio: float = 1.5
    gap_years: float = 0.5
    errors: float = 0.5
    alpha: float = 0.01


def cusum(
    observed: Floats, settings: Cusum, model: SeasonTrend, dates: Sequence[date] | None = None, exposure: Floats | None = None
) -> Judged:
    """Judge every period by the sum up to it.

    The sum stops growing at twice the limit, so that the alarm ends soon after the drift. A missing period leaves it as it is. The upper
    bound is the greatest count that would have kept the sum within its limit.

    Args:
        observed: counts, shape (series, periods); NaN = missing.
        settings: see there.
        model: of the expected counts; its gap is replaced.
        dates, exposure: as for `season_trend`.
    """
    year = 365.25 / (dates[1] - dates[0]).days if dates else 52.0
    expected = baseline(observed, replace(model, gap=round(settings.gap_years * year)), dates, exposure)
    # A baseline that is off stays off for months, and a sum would take that for a drift: so it is measured against the upper limit.
    usual = expected.mean * np.exp(settings.errors * np.sqrt(expected.error))
    limit = -np.log(settings.alpha)
    sums, upper = np.full(observed.shape, np.nan), np.full(observed.shape, np.nan)
    level = np.zeros(len(observed))
    for t in range(observed.shape[1]):
        at = np.flatnonzero(np.isfinite(observed[:, t]) & np.isfinite(expected.mean[:, t]))
        mean, phi = usual[at, t], expected.dispersion[at, t]
        upper[at, t] = _greatest_within(limit - level[at], mean, phi, settings.ratio)
        level[at] = np.clip(level[at] + _log_ratio(observed[at, t], mean, phi, settings.ratio), 0.0, 2 * limit)
        sums[at, t] = level[at]
    with np.errstate(invalid="ignore"):
        alarm = observed > upper
    return Judged(expected.mean, upper, np.exp(-sums), alarm, expected.dispersion, expected.trend)


def _log_ratio(y: Floats, mean: Floats, dispersion: Floats, ratio: float) -> Floats:
    """log of P(y | ratio x mean) / P(y | mean), negative binomial of variance dispersion x mean (Poisson at 1)."""
    excess = np.maximum(dispersion - 1, 1e-12)
    size = np.maximum(mean, 1e-12) / excess
    raised = special.gammaln(y + ratio * size) - special.gammaln(ratio * size)
    usual = special.gammaln(y + size) - special.gammaln(size)
    poisson = y * np.log(ratio) - (ratio - 1) * mean
    return np.where(dispersion > 1 + 1e-6, raised - usual - (ratio - 1) * size * np.log(np.maximum(dispersion, 1.0)), poisson)


def _greatest_within(room: Floats, mean: Floats, dispersion: Floats, ratio: float) -> Floats:
    """Greatest whole count whose log ratio is at most `room`, found by halving; -1 where none is."""
    low, high = np.full(len(room), -1.0), 20.0 * (mean + 1) + 100.0 * dispersion
    for _ in range(_HALVINGS):
        middle = np.floor((low + high) / 2)
        fits = _log_ratio(np.maximum(middle, 0.0), mean, dispersion, ratio) <= room
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return low

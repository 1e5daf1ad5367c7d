"""Season-trend model of count series with a scan over the last periods: the detector behind `triage surveil` unless told otherwise.

Every series gets a quasi-Poisson regression on a linear trend, the first harmonics of the year and, for daily counts, the kind of day
(Höhle & Paul 2008, Comput Stat Data Anal 52:4357; Unkel et al. 2012, J R Stat Soc A 175:49) over all its history up to `years`, where
Farrington's method has three years and a step function. Weak Gaussian priors on the coefficients (a ridge) keep trend and season of
short or sparse series in bounds. Past outbreaks are weighted down by their exact tail probability: unlike a threshold on residuals it is
right for counts of any size.

A period alarms when it is itself raised and the sum of the last 1, 2 or 3 periods is improbable: outbreaks last several weeks, and the
scan over window lengths (Naus & Wallenstein 2006, Stat Med 25:197) adds up what each week alone does not prove. Every window has its share
of the level (a weighted Tippett test: Genovese, Roeder & Wasserman 2006, Biometrika 93:509), most of it the sum of two, over which an
outbreak stands out best. The shares sum to more than 1 as the windows overlap; simulation under the null set their sum.

All series over the same periods share one design matrix, so that a Newton step of all fits is a few matrix products.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy import special

from triage.errors import ConfigError
from triage.hotspots.baseline import day_kind
from triage.hotspots.farrington import Judged
from triage.hotspots.predictive import negative_binomial, upper_tail
from triage.hotspots.regression import Floats

_CHUNK = 256  # series at a time: their history stays in the cache
_ROUNDS = 4  # of outlier weights in the first fit of a series; later fits start from the one before and need one
_STEPS = 20
_LOG_RANGE = (-50.0, 25.0)
_LATEST, _SHIFT = 52, 0.25  # where more than a quarter of the latest 52 periods are outliers, it is the level that has shifted


@dataclass(frozen=True, slots=True)
class SeasonTrend:
    """Settings. The constants were chosen on series from `training.simulated_series`: `shares` for at most .009
    false alarms a week at alpha .01 where past outbreaks are in the history (.012 where none are).

    Attributes:
        years: history used at most.
        least_years: history that a judgement needs.
        harmonics: of the yearly season.
        gap: last periods before a fit that it leaves out, as an outbreak may have begun.
        refit: periods that a fit serves.
        trend_sd, season_sd: prior standard deviations: of the change of the log mean in a year, of the coefficients of the first harmonic
            and of the kinds of day; those of harmonic j have 1/j of it.
        outlier_p: periods with a smaller tail probability lose weight in proportion.
        windows: lengths of the sums tested, periods.
        shares: of the level, by window.
        raised_p: an alarm needs a period whose own tail probability is at most this: the week after an outbreak is none.
        alpha: one-sided level of the bound.
    """

    years: float = 8.0
    least_years: float = 2.0
    harmonics: int = 2
    gap: int = 8
    refit: int = 4
    trend_sd: float = 0.3
    season_sd: float = 0.7
    outlier_p: float = 0.001
    windows: tuple[int, ...] = (1, 2, 3)
    shares: tuple[float, ...] = (0.45, 1.1, 0.45)
    raised_p: float = 0.2
    alpha: float = 0.01


DAILY = SeasonTrend(years=3.0, least_years=0.25, gap=14, refit=7, windows=(1, 3, 7), shares=(0.6, 0.6, 0.6))  # weekdays show soon


@dataclass(frozen=True, slots=True)
class Baseline:
    """What to expect of each period of each series from the periods before it; arrays (series, periods), NaN = not enough history.

    Attributes:
        mean: expected count.
        dispersion: variance over mean of a period's count, at least 1.
        error: variance of the logarithm of `mean`.
        trend: change of the log mean in a period.
    """

    mean: Floats
    dispersion: Floats
    error: Floats
    trend: Floats


@dataclass(frozen=True, slots=True)
class _Fits:
    """S fits: coefficients (S, p), their covariance (S, p, p), dispersion (S,)."""

    coefficients: Floats
    covariance: Floats
    dispersion: Floats


def season_trend(
    observed: Floats, settings: SeasonTrend = SeasonTrend(), dates: Sequence[date] | None = None, exposure: Floats | None = None
) -> Judged:
    """Judge every period that has enough history.

    Args:
        observed: counts, shape (series, periods), in order of time without gaps; NaN = missing, which is left out and never judged.
        settings: see there.
        dates: the periods' dates where known; else periods are weeks and 52 make a year.
        exposure: persons, accounts, days or calls at risk, shape of `observed`, all above 0; None = constant.
    """
    return judge(observed, baseline(observed, settings, dates, exposure), settings)


def baseline(observed: Floats, settings: SeasonTrend, dates: Sequence[date] | None = None, exposure: Floats | None = None) -> Baseline:
    """Fit every series as of every `refit` periods. Arguments as for `season_trend`."""
    design, prior, year = _design(observed.shape[1], settings, dates)
    parts = []
    for begin in range(0, len(observed), _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        offset = np.zeros((1, observed.shape[1])) if exposure is None else np.log(exposure[rows])
        parts.append(_fit_in_turn(observed[rows], offset, design, prior, year, settings))
    return Baseline(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def judge(observed: Floats, expected: Baseline, settings: SeasonTrend) -> Judged:
    """Bounds and p-values of the scan over the last periods; missing periods count in no window."""
    known = np.isfinite(observed) & np.isfinite(expected.mean)
    y, mean = np.where(known, observed, 0.0), np.where(known, expected.mean, 0.0)
    at = np.nonzero(known)
    spread = expected.dispersion[at] + expected.error[at] * mean[at]
    raised = max(settings.raised_p, settings.alpha)
    least, own = negative_binomial(mean[at], spread, y[at], raised)
    bound, combined = np.full(len(at[0]), np.inf), np.ones(len(at[0]))
    for length, share in zip(settings.windows, settings.shares, strict=True):
        count, rate = _trailing(y, length)[at], _trailing(mean, length)[at]
        spread = expected.dispersion[at] + expected.error[at] * rate
        upper, p = negative_binomial(rate, spread, count, settings.alpha * share)
        bound, combined = np.minimum(bound, upper - (count - y[at])), np.minimum(combined, p / share)
    bound = np.maximum(bound, least)
    combined = np.where(own <= raised, combined, own)
    upperbound, pvalue = np.full(observed.shape, np.nan), np.full(observed.shape, np.nan)
    upperbound[at], pvalue[at] = bound, combined
    with np.errstate(invalid="ignore"):
        alarm = observed > upperbound
    return Judged(expected.mean, upperbound, pvalue, alarm, expected.dispersion, expected.trend)


def _trailing(values: Floats, length: int) -> Floats:
    """Sum of the last `length` periods."""
    total = np.cumsum(values, axis=1)
    total[:, length:] -= total[:, :-length].copy()
    return total


def _design(periods: int, settings: SeasonTrend, dates: Sequence[date] | None) -> tuple[Floats, Floats, float]:
    """Regressors (periods, p), their prior precisions (p,), and periods in a year."""
    step = (dates[1] - dates[0]).days if dates else 7
    year = 365.25 / step if dates else 52.0
    time = np.arange(periods) / year
    columns, precision = [np.ones(periods), time - time.mean()], [1e-4, settings.trend_sd**-2]
    for j in range(1, settings.harmonics + 1):
        columns += [np.cos(2 * np.pi * j * time), np.sin(2 * np.pi * j * time)]
        precision += [(settings.season_sd / j) ** -2] * 2
    if dates and step == 1:
        kinds = np.array([_kind(day) for day in dates])
        columns += list(np.eye(7)[kinds].T)  # all seven beside the intercept: the prior makes them differences from their mean
        precision += [settings.season_sd**-2] * 7
    return np.column_stack(columns), np.array(precision), year


def _kind(day: date) -> int:
    """Of a day, holidays regarded in the years whose calendar is known."""
    try:
        return day_kind(day)
    except ConfigError:
        return day.weekday()


def _fit_in_turn(observed: Floats, offset: Floats, design: Floats, prior: Floats, year: float, settings: SeasonTrend) -> tuple[Floats, ...]:
    """The fields of `Baseline` for some series."""
    known = np.isfinite(observed)
    y, weight = np.where(known, observed, 0.0), known.astype(float)
    answers = tuple(np.full(observed.shape, np.nan) for _ in range(4))
    fits: _Fits | None = None
    periods = observed.shape[1]
    for begin in range(int(np.ceil(settings.least_years * year)), periods, settings.refit):
        past = slice(max(begin - settings.gap - int(settings.years * year), 0), begin - settings.gap)
        part = (y[:, past], weight[:, past], design[past], offset[:, past], prior)
        fits = _first_fit(*part, settings) if fits is None else _fit(*part, settings, fits)
        now = slice(begin, min(begin + settings.refit, periods))
        x = design[now]
        answers[0][:, now] = _mean(fits.coefficients, x, offset[:, now])
        answers[1][:, now] = fits.dispersion[:, None]
        answers[2][:, now] = ((x @ fits.covariance) * x).sum(axis=2)
        answers[3][:, now] = fits.coefficients[:, 1, None] / year
    return answers


def _first_fit(y: Floats, weight: Floats, x: Floats, offset: Floats, prior: Floats, settings: SeasonTrend) -> _Fits:
    """Fit from nothing. At first counts are clipped, so that a giant one cannot hide behind the dispersion that it causes."""
    clipped = np.minimum(y, 3 * np.quantile(y, 0.9, axis=1, keepdims=True) + 3)
    fits = _fit(clipped, weight, x, offset, prior, settings, None)
    for _ in range(_ROUNDS):
        fits = _fit(y, weight, x, offset, prior, settings, fits)
    return fits


def _fit(y: Floats, weight: Floats, x: Floats, offset: Floats, prior: Floats, settings: SeasonTrend, before: _Fits | None) -> _Fits:
    """Penalised quasi-Poisson regressions by Newton's method; `before` = where to start and what tells outliers.

    Args:
        y, weight: counts and 0 = missing / 1, shape (S, n).
        x, offset, prior: regressors (n, p), log exposure (S or 1, n), precisions (p,).
        settings: for `outlier_p`.
        before: earlier fits of the same series, if any.
    """
    size, p = len(y), x.shape[1]
    if before is None:
        at = np.zeros((size, p))
        at[:, 0] = np.log(((weight * y).sum(axis=1) + 0.5) / ((weight * np.exp(offset)).sum(axis=1) + 1e-9))
        steps = _STEPS
    else:
        weight = weight * _outlier_weights(y, _mean(before.coefficients, x, offset), before.dispersion[:, None], settings.outlier_p)
        at, steps = before.coefficients.copy(), 2
    target = (weight * y) @ x
    rows, columns = np.triu_indices(p)
    squares = x[:, rows] * x[:, columns]
    information = np.empty((size, p, p))
    mean = _mean(at, x, offset)
    for _ in range(steps):
        work = weight * mean
        information[:, rows, columns] = information[:, columns, rows] = work @ squares
        information[:, range(p), range(p)] += prior
        step = np.linalg.solve(information, (target - work @ x - at * prior)[:, :, None])[:, :, 0]
        at += np.clip(step, -2.0, 2.0)
        mean = _mean(at, x, offset)
        if np.abs(step).max() < 1e-4:
            break
    residual = y - mean
    freedom = np.maximum((weight > 0).sum(axis=1) - p, 1.0)
    pearson = np.einsum("ij,ij,ij->i", weight, residual, residual / np.maximum(mean, 1e-12))
    z = special.ndtri(1 - settings.alpha)
    dispersion = np.maximum(pearson / freedom * (1 + (z * z + 1) / (2 * freedom)), 1.0)
    return _Fits(at, np.linalg.inv(information) * dispersion[:, None, None], dispersion)


def _mean(coefficients: Floats, x: Floats, offset: Floats) -> Floats:
    return np.exp(np.clip(coefficients @ x.T + offset, *_LOG_RANGE))


def _outlier_weights(y: Floats, mean: Floats, dispersion: Floats, threshold: float) -> Floats:
    """1, and less for periods whose tail probability is below the threshold; after a shift of level 1 for all, for else it would never be
    learned."""
    weight = np.ones_like(y)
    at = np.nonzero(y > mean + 2 * np.sqrt(dispersion * mean))  # others are nowhere near it
    weight[at] = np.minimum(upper_tail(y[at], mean[at], np.broadcast_to(dispersion, y.shape)[at]) / threshold, 1.0)
    weight[(weight[:, -_LATEST:] < 1).mean(axis=1) > _SHIFT] = 1.0
    return weight

"""The improved Farrington algorithm over many series and weeks at once.

Farrington, Andrews, Beale & Catchpole 1996 (J R Stat Soc A 159:547) compare a week with the same weeks of past years by a
quasi-Poisson regression whose outlying weeks are weighted down; Noufaily et al. 2013 (Stat Med 32:1206) use all past weeks with a
seasonal factor of 10 levels, weigh down only residuals above 2.58, leave the last 26 weeks out and bound by a negative binomial;
Salmon, Schumacher & Höhle 2016 (J Stat Softw 70(10)) describe the options and the "muan" bound.

The design (factor level of each past week and its distance in time) is the same for every week judged, so that all series and weeks
are fitted together (see `triage.hotspots.regression`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from triage.hotspots.predictive import negative_binomial
from triage.hotspots.regression import Basis, Fits, Floats, fit

Bound = Literal["delta", "nbPlugin", "muan"]

_CHUNK = 512  # fits at a time: a (512, 133) float64 array stays in the second-level cache
_TINY = np.finfo(float).eps


@dataclass(frozen=True, slots=True)
class FarringtonConfig:
    """Settings, with the names of the R package's control list in brackets.

    Attributes:
        years: years looked back (b).
        half_window: weeks either side of the same week a year ago (w).
        periods: levels of the seasonal factor (noPeriods); 1 = only the weeks around the same week of past years are used.
        weeks_left_out: last weeks not used, since an outbreak may have begun (pastWeeksNotIncluded).
        weights_threshold: standardised Anscombe residuals above it are weighted down (weightsThreshold).
        alpha: one-sided level of the bound.
        trend_p: the trend stays in when its p-value is below (pThresholdTrend); 1 = always.
        bound: delta = two-thirds power normal bound (Farrington 1996), nbPlugin = quantile of the negative binomial, muan = the same at
            the upper confidence limit of the mean (thresholdMethod).
        least_cases, within_weeks: a week is judged only with at least so many cases in so many weeks up to it (limit54).
    """

    years: int = 3
    half_window: int = 3
    periods: int = 10
    weeks_left_out: int = 26
    weights_threshold: float = 2.58
    alpha: float = 0.01
    trend_p: float = 1.0
    bound: Bound = "nbPlugin"
    least_cases: int = 5
    within_weeks: int = 4


CONFIGS: dict[str, FarringtonConfig] = {
    "default": FarringtonConfig(periods=1, weeks_left_out=3, alpha=0.05, trend_p=0.05, bound="delta"),
    "jss_orig": FarringtonConfig(
        years=4, periods=1, weeks_left_out=3, weights_threshold=1, alpha=0.05, trend_p=0.05, bound="delta", least_cases=0, within_weeks=50
    ),
    "jss_improved": FarringtonConfig(years=4, alpha=0.05, least_cases=0, within_weeks=50),
    "noufaily_a01": FarringtonConfig(),
    "muan": FarringtonConfig(bound="muan"),
}


@dataclass(frozen=True, slots=True)
class Design:
    """Past weeks used for every week judged. `lags` (n,): weeks back; `level` (n,): their factor level, that of the week judged is 0."""

    lags: NDArray[np.intp]
    level: NDArray[np.intp]

    @property
    def reach(self) -> int:
        """Weeks of history that a week needs before it."""
        return int(self.lags.max())


def design(config: FarringtonConfig, anniversaries: Sequence[int]) -> Design:
    """Past weeks for a week whose anniversaries lie so many weeks back, one year first.

    The weeks within `half_window` of an anniversary are level 0; with a seasonal factor the weeks between two such windows are cut,
    oldest first, into `periods - 1` levels of equal size (the first ones take a remainder).
    """
    half = config.half_window
    lags: list[int] = []
    level: list[int] = []
    for later, centre in reversed(list(zip([0, *anniversaries], anniversaries, strict=False))):
        window = range(centre + half, centre - half - 1, -1)
        lags += window
        level += [0] * len(window)
        if config.periods > 1:
            between = np.arange(centre - half - 1, later + half, -1)
            for number, block in enumerate(np.array_split(between, config.periods - 1), start=1):
                lags += block.tolist()
                level += [number] * len(block)
    kept = np.asarray(lags) > config.weeks_left_out
    return Design(np.asarray(lags)[kept], np.asarray(level)[kept])


def anniversaries(dates: Sequence[date], years: int) -> NDArray[np.intp]:
    """Weeks back from each date to the week nearest the same date 1 .. `years` years before, shape (weeks, years); the dates are a
    week apart."""
    back = []
    for day in dates:
        month, number = (3, 1) if (day.month, day.day) == (2, 29) else (day.month, day.day)
        back.append([round((day - date(day.year - i, month, number)).days / 7) for i in range(1, years + 1)])
    return np.array(back, dtype=np.intp).reshape(len(back), years)


@dataclass(frozen=True, slots=True)
class Judged:
    """Answers, each of shape (series, weeks); NaN where a week could not be judged."""

    expected: Floats
    upperbound: Floats
    pvalue: Floats
    alarm: NDArray[np.bool_]
    dispersion: Floats
    trend: Floats


def farrington(observed: Floats, config: FarringtonConfig, dates: Sequence[date] | None = None, weeks_a_year: int = 52) -> Judged:
    """Judge every week that has enough history.

    Args:
        observed: counts, shape (series, weeks), in order of time without gaps; NaN = missing, which is left out and never judged.
        config: settings.
        dates: the weeks' dates where known: anniversaries then follow the calendar, as 53 weeks make a year now and then.
        weeks_a_year: weeks between anniversaries where dates are not known.
    """
    series, weeks = observed.shape
    if dates is None:
        back = np.broadcast_to(np.arange(1, config.years + 1) * weeks_a_year, (weeks, config.years))
    else:
        back = anniversaries(dates, config.years)
    power = np.cbrt(observed) ** 2
    results = {name: np.full((series, weeks), np.nan) for name in ("expected", "upperbound", "pvalue", "dispersion", "trend")}
    for years_back in np.unique(back, axis=0):
        used = design(config, years_back.tolist())
        basis = Basis(used.level, -used.lags.astype(float) / weeks_a_year)
        judged = (back == years_back).all(axis=1) & (np.arange(weeks) >= used.reach)
        rows, columns = np.nonzero(np.isfinite(observed) & judged)
        for begin in range(0, len(rows), _CHUNK):
            row, column = rows[begin : begin + _CHUNK], columns[begin : begin + _CHUNK]
            past = (row[:, None], column[:, None] - used.lags)
            with np.errstate(over="ignore", invalid="ignore"):  # a trend through zeros runs off: its mean is none, or refused as too large
                found = _robust_fit(observed[past], power[past], basis, config)
            results["expected"][row, column] = found.mean
            results["dispersion"][row, column] = found.dispersion
            results["trend"][row, column] = found.trend / weeks_a_year
            results["upperbound"][row, column], results["pvalue"][row, column] = _bound(found, observed[row, column], config)
    results["upperbound"][_recent(observed, config.within_weeks) < config.least_cases] = np.nan
    with np.errstate(invalid="ignore"):
        return Judged(alarm=observed > results["upperbound"], **results)


def _recent(observed: Floats, weeks: int) -> Floats:
    """Cases in the `weeks` weeks up to each one."""
    total = np.cumsum(np.nan_to_num(observed), axis=1)
    total[:, weeks:] -= total[:, :-weeks].copy()
    return total


@dataclass(frozen=True, slots=True)
class _Fit:
    """B fits, arrays (B,): mean and variance of the linear predictor at the week judged, dispersion (>= 1), trend a week and its p,
    largest past count."""

    mean: Floats
    eta_variance: Floats
    dispersion: Floats
    trend: Floats
    trend_p: Floats
    largest: Floats


def _robust_fit(past: Floats, past_power: Floats, basis: Basis, config: FarringtonConfig) -> _Fit:
    """Fit with trend; again without where the trend is not wanted: not significant, or the mean runs above all that was seen."""
    found = _reweighted(past, past_power, basis, config, trend=True)
    with np.errstate(invalid="ignore"):
        keep = ((config.trend_p >= 1) | (found.trend_p < config.trend_p)) & (found.mean <= found.largest)
    redo = np.flatnonzero(~keep)
    if len(redo):
        plain = _reweighted(past[redo], past_power[redo], basis, config, trend=False)
        for name in ("mean", "eta_variance", "dispersion", "trend", "trend_p"):
            getattr(found, name)[redo] = getattr(plain, name)
    return found


def _reweighted(past: Floats, past_power: Floats, basis: Basis, config: FarringtonConfig, trend: bool) -> _Fit:
    """Fit, weigh outlying weeks down by the inverse square of their residual, fit again."""
    known = np.isfinite(past)
    y, weight = np.where(known, past, 0.0), known.astype(float)
    found = fit(y, weight, basis, trend)
    residual = _anscombe(np.where(known, past_power, 0.0), found)
    high = known & (residual > config.weights_threshold)
    again = np.flatnonzero(high.any(axis=1))
    if len(again):
        high = high[again]
        weight = np.where(high, 1 / np.square(np.where(high, residual[again], 1.0)), weight[again])
        weight *= (known[again].sum(axis=1) / weight.sum(axis=1))[:, None]
        second = fit(y[again], weight, basis, trend)
        for name in ("mean0", "variance0", "slope", "slope_variance", "dispersion", "scale"):
            getattr(found, name)[again] = getattr(second, name)
    error = np.sqrt(found.scale * found.slope_variance)
    t = np.divide(np.abs(found.slope), error, out=np.full(len(y), np.inf), where=error > 0)
    return _Fit(
        mean=found.mean0,
        eta_variance=found.scale * found.variance0,
        dispersion=found.dispersion,
        trend=found.slope,
        trend_p=2 * special.stdtr(found.freedom, -t) if trend and config.trend_p < 1 else np.full(len(y), np.nan),
        largest=y.max(axis=1),
    )


def _anscombe(y_power: Floats, found: Fits) -> Floats:
    """Standardised Anscombe residuals of a Poisson mean (Farrington 1996, section 3.5), shape (B, n); `y_power` is y to the 2/3."""
    sixth = np.exp(found.eta / 6)  # mean to the 1/6; its fourth power is mean to the 2/3
    square = sixth * sixth
    scale = np.sqrt(found.dispersion[:, None] * np.maximum(1 - found.leverage, _TINY))
    return np.where(y_power > 0, 1.5 * (y_power - square * square) / (sixth * scale), 0.0)


def _bound(found: _Fit, now: Floats, config: FarringtonConfig) -> tuple[Floats, Floats]:
    """Upper bound and P(count >= now) of each fit, shape (B,) each."""
    z = special.ndtri(1 - config.alpha)
    if config.bound == "delta":
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = np.sqrt(found.dispersion / found.mean + found.eta_variance)  # standard error of prediction / mean
            upper = found.mean * (1 + 2 / 3 * z * relative) ** 1.5
            score = ((now / found.mean) ** (2 / 3) - 1) / (2 / 3 * relative)
        return upper, special.ndtr(-score)
    mean = found.mean * np.exp(z * np.sqrt(found.eta_variance)) if config.bound == "muan" else found.mean
    return negative_binomial(mean, found.dispersion, now, config.alpha)

"""The improved Farrington algorithm over many series and weeks at once.

Farrington, Andrews, Beale & Catchpole 1996 (J R Stat Soc A 159:547) compare a week with the same weeks of past years by a
quasi-Poisson regression whose outlying weeks are weighted down; Noufaily et al. 2013 (Stat Med 32:1206) use all past weeks with a
seasonal factor of 10 levels, weigh down only residuals above 2.58, leave the last 26 weeks out and bound by a negative binomial;
Salmon, Schumacher & Höhle 2016 (J Stat Softw 70(10)) describe the options and the "muan" bound.

The design (factor level of each past week and its distance in time) is the same for every week judged, so that all fits share it,
and factor + linear trend make the normal equations an arrow: they are solved in closed form by sums over levels, B fits at a time,
each sum a matrix product. No solver runs per fit; that is what makes this fast.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Bound = Literal["delta", "nbPlugin", "muan"]
Floats = NDArray[np.float64]

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

    @property
    def time(self) -> Floats:
        """Weeks from the week judged, negative, shape (n,)."""
        return -self.lags.astype(float)

    @property
    def indicator(self) -> Floats:
        """1 where a past week (row) has a level (column), shape (n, levels)."""
        return np.eye(self.level.max() + 1)[self.level]


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
    results = {name: np.full((series, weeks), np.nan) for name in ("expected", "upperbound", "pvalue", "dispersion", "trend")}
    for years_back in np.unique(back, axis=0):
        used = design(config, years_back.tolist())
        judged = (back == years_back).all(axis=1) & (np.arange(weeks) >= used.reach)
        rows, columns = np.nonzero(np.isfinite(observed) & judged)
        for begin in range(0, len(rows), _CHUNK):
            row, column = rows[begin : begin + _CHUNK], columns[begin : begin + _CHUNK]
            fit = _robust_fit(observed[row[:, None], column[:, None] - used.lags], used, config)
            results["expected"][row, column] = fit.mean
            results["dispersion"][row, column] = fit.dispersion
            results["trend"][row, column] = fit.trend
            results["upperbound"][row, column], results["pvalue"][row, column] = _bound(fit, observed[row, column], config)
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


def _robust_fit(past: Floats, used: Design, config: FarringtonConfig) -> _Fit:
    """Fit with trend; again without where the trend is not wanted: not significant, or the mean runs above all that was seen."""
    fit = _reweighted(past, used, config, trend=True)
    with np.errstate(invalid="ignore"):
        keep = ((config.trend_p >= 1) | (fit.trend_p < config.trend_p)) & (fit.mean <= fit.largest)
    redo = np.flatnonzero(~keep)
    if len(redo):
        plain = _reweighted(past[redo], used, config, trend=False)
        for name in ("mean", "eta_variance", "dispersion", "trend", "trend_p"):
            getattr(fit, name)[redo] = getattr(plain, name)
    return fit


def _reweighted(past: Floats, used: Design, config: FarringtonConfig, trend: bool) -> _Fit:
    known = np.isfinite(past).astype(float)
    y = np.where(known > 0, past, 0.0)
    first = _irls(y, known, used, trend)
    residual = _anscombe(y, first, known)
    high = residual > config.weights_threshold
    weight = np.where(high, 1 / np.square(np.where(high, residual, 1.0)), 1.0) * known
    weight *= (known.sum(axis=1) / weight.sum(axis=1))[:, None]
    second = _irls(y, weight, used, trend)
    absent = np.full(len(y), np.nan)
    error = np.sqrt(second.scale * second.trend_variance)
    t = np.divide(np.abs(second.trend), error, out=np.full(len(y), np.inf), where=error > 0)
    return _Fit(
        mean=second.mean0,
        eta_variance=second.scale * second.variance0,
        dispersion=second.dispersion,
        trend=second.trend if trend else absent,
        trend_p=2 * stats.t.sf(t, second.freedom) if trend else absent,
        largest=y.max(axis=1),
    )


@dataclass(frozen=True, slots=True)
class _Irls:
    mean: Floats  # (B, n)
    leverage: Floats  # (B, n)
    mean0: Floats  # (B,) at the week judged: level 0, time 0
    variance0: Floats  # (B,) of its linear predictor, at dispersion 1
    trend: Floats
    trend_variance: Floats
    dispersion: Floats
    scale: Floats  # variance of the working residuals
    freedom: Floats


def _irls(y: Floats, weight: Floats, used_weeks: Design, trend: bool) -> _Irls:
    """Quasi-Poisson regression log mean = a[level] + c time by iteratively reweighted least squares (McCullagh & Nelder 1989).

    With S = sum of working weights, T = sum of weight x time, Z = sum of weight x working response, by level, the normal equations
    give c = (sum w t z - sum T Z / S) / D with D = sum w t^2 - sum T^2 / S, and a = (Z - c T) / S. A level whose counts are all zero
    has mean zero and says nothing about c: it is taken out instead of letting its coefficient run to minus infinity.
    """
    levels, level, time = used_weeks.indicator, used_weeks.level, used_weeks.time
    total = (weight * y) @ levels
    live = (total > 0).astype(float)
    used = weight * live[:, level]
    mean = y + 0.1
    eta = np.log(mean)
    ylogy = special.xlogy(y, y)
    deviance = np.full(len(y), np.inf)
    a = np.zeros((len(y), levels.shape[1]))
    c = np.zeros(len(y))
    active = np.arange(len(y))
    for _ in range(25):
        w_a, y_a, mean_a, eta_a = used[active], y[active], mean[active], eta[active]
        work = w_a * mean_a
        wz = work * eta_a + w_a * (y_a - mean_a)
        s, z = work @ levels, wz @ levels
        s = np.where(s > 0, s, 1.0)
        if trend:
            wt = work * time
            t = wt @ levels
            d = wt @ time - (t * t / s).sum(axis=1)
            slope = np.divide(wz @ time - (t * z / s).sum(axis=1), d, out=np.zeros_like(d), where=d > 0)
            base = (z - slope[:, None] * t) / s
            eta_a = base[:, level] + slope[:, None] * time
            c[active] = slope
        else:
            base = z / s
            eta_a = base[:, level]
        mean_a = np.maximum(np.exp(eta_a), _TINY)
        a[active], mean[active], eta[active] = base, mean_a, eta_a
        new = 2 * (w_a * (ylogy[active] - y_a * eta_a - y_a + mean_a)).sum(axis=1)
        moving = np.abs(new - deviance[active]) >= 1e-8 * (np.abs(new) + 0.1)
        deviance[active] = new
        active = active[moving]
        if not len(active):
            break
    work = used * mean
    s = work @ levels
    safe = np.where(s > 0, s, np.inf)
    mean *= live[:, level]
    if trend:
        t = (work * time) @ levels
        d = (work * time) @ time - (t * t / safe).sum(axis=1)
        d = np.where(d > 0, d, np.inf)
        leverage = work * (1 / safe[:, level] + (time - (t / safe)[:, level]) ** 2 / d[:, None])
        variance0 = 1 / safe[:, 0] + (t[:, 0] / safe[:, 0]) ** 2 / d
        trend_variance = 1 / d
    else:
        leverage, variance0, trend_variance = work / safe[:, level], 1 / safe[:, 0], np.full(len(y), np.nan)
    freedom = (weight > 0).sum(axis=1) - ((weight @ levels) > 0).sum(axis=1) - int(trend)
    working = np.divide(y - mean, mean, out=np.zeros_like(mean), where=mean > 0)
    dispersion = np.maximum((weight * mean * working**2).sum(axis=1) / np.maximum(freedom, 1), 1.0)
    scale = (weight * working**2).sum(axis=1) / np.maximum(freedom, 1)
    known0 = (weight @ levels)[:, 0] > 0
    mean0 = np.where(known0 & (freedom > 0), np.where(live[:, 0] > 0, np.exp(a[:, 0]), 0.0), np.nan)
    return _Irls(mean, leverage, mean0, variance0, c, trend_variance, dispersion, scale, freedom)


def _anscombe(y: Floats, fit: _Irls, known: Floats) -> Floats:
    """Standardised Anscombe residuals of a Poisson mean (Farrington 1996, section 3.5)."""
    mean = np.where(fit.mean > 0, fit.mean, 1.0)
    raw = 1.5 * (np.cbrt(y) ** 2 - np.cbrt(mean) ** 2) / mean ** (1 / 6)
    scale = np.sqrt(fit.dispersion[:, None] * np.maximum(1 - fit.leverage, _TINY))
    return np.where((known > 0) & (fit.mean > 0), raw / scale, 0.0)


def _bound(fit: _Fit, now: Floats, config: FarringtonConfig) -> tuple[Floats, Floats]:
    """Upper bound and P(count >= now) of each fit, shape (B,) each."""
    z = stats.norm.ppf(1 - config.alpha)
    if config.bound == "delta":
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = np.sqrt(fit.dispersion / fit.mean + fit.eta_variance)  # standard error of prediction / mean
            upper = fit.mean * (1 + 2 / 3 * z * relative) ** 1.5
            score = ((now / fit.mean) ** (2 / 3) - 1) / (2 / 3 * relative)
        return upper, stats.norm.sf(score)
    mean = fit.mean * np.exp(z * np.sqrt(fit.eta_variance)) if config.bound == "muan" else fit.mean
    return negative_binomial(mean, fit.dispersion, now, config.alpha)


def negative_binomial(mean: Floats, dispersion: Floats, now: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Quantile at 1 - alpha and P(Y >= now) of a negative binomial with variance dispersion x mean (Poisson at dispersion 1).

    Args:
        mean, dispersion, now: shape (B,); NaN means give NaN.
        alpha: one-sided level.
    """
    upper, pvalue = np.full(mean.shape, np.nan), np.full(mean.shape, np.nan)
    plain = np.isfinite(mean) & (dispersion <= 1)
    wide = np.isfinite(mean) & (dispersion > 1)
    upper[plain], pvalue[plain] = stats.poisson.ppf(1 - alpha, mean[plain]), stats.poisson.sf(now[plain] - 1, mean[plain])
    size, p = mean[wide] / (dispersion[wide] - 1), 1 / dispersion[wide]
    upper[wide], pvalue[wide] = stats.nbinom.ppf(1 - alpha, size, p), stats.nbinom.sf(now[wide] - 1, size, p)
    zero = mean == 0
    upper[zero], pvalue[zero] = 0.0, np.where(now[zero] > 0, 0.0, 1.0)
    return upper, pvalue

"""Count series in, expected counts, bounds and alarms out: all methods behind `surveil`."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Literal, get_args

import numpy as np

from triage.errors import InputError
from triage.hotspots.cusum import Cusum, cusum
from triage.hotspots.farrington import CONFIGS, Judged, farrington
from triage.hotspots.predictive import negative_binomial
from triage.hotspots.regression import Floats
from triage.hotspots.season_trend import DAILY, SeasonTrend, season_trend

Method = Literal["best", "farrington-flexible", "gamma-poisson", "cusum", "rare"]
METHODS: tuple[str, ...] = get_args(Method)
LEAST_PERIODS = 10


@dataclass(frozen=True, slots=True)
class GammaPoisson:
    """Settings of the predictive test against the last periods.

    Attributes:
        baseline: periods looked back; fewer while a series is short.
        gap: periods before the one judged that are left out, as an outbreak may have begun; at least `window` - 1.
        least: periods with data that a judgement needs.
        prior: periods' worth of belief that counts vary as Poisson counts do; it steadies the dispersion of short histories.
        window: periods summed for the test, the one judged being the last.
        least_cases: an alarm needs so many in the window.
        alpha: one-sided level of the bound.
    """

    baseline: int = 52
    gap: int = 1
    least: int = 8
    prior: float = 10.0
    window: int = 1
    least_cases: int = 1
    alpha: float = 0.01


RARE = GammaPoisson(baseline=520, gap=4, least=26, window=4, least_cases=2)  # two or more grave cases in four weeks, after ten years' rate


def surveil(
    observed: Floats,
    method: str = "best",
    config: str | None = None,
    alpha: float | None = None,
    dates: Sequence[date] | None = None,
    exposure: Floats | None = None,
    incomplete: int = 0,
) -> Judged:
    """Judge every period of every series by its own past.

    Args:
        observed: counts, shape (series, periods), without gaps in time; NaN = missing: never judged, never taken for zero.
        method: best = season-trend model from two years of history on, gamma-Poisson before; farrington-flexible = Noufaily et al. 2013
            as in R; gamma-poisson = predictive test against the last 52 periods; cusum = slow drifts; rare = a count rule for events too
            rare for a season.
        config: named settings of farrington-flexible (default "noufaily_a01").
        alpha: one-sided level; None = that of the method or config.
        dates: dates of weekly or daily periods, where known: season and anniversaries then follow the calendar, and daily counts have
            weekdays and holidays.
        exposure: persons, accounts or calls at risk in each period, shape of `observed`; None = constant. A share of a period's
            complaints known to have been reported by now is an exposure too.
        incomplete: last periods that are still being reported: they are not judged.

    Raises:
        InputError: unknown method or config, alpha outside (0, 0.5), negative counts, under 10 periods, exposure not above 0 or with
            farrington-flexible.
    """
    _check(observed, method, config, alpha, exposure, incomplete)
    if incomplete:
        observed = observed.copy()
        observed[:, max(observed.shape[1] - incomplete, 0) :] = np.nan
    level = {} if alpha is None else {"alpha": alpha}
    weekly = dates is not None and (dates[1] - dates[0]).days == 7
    if method == "farrington-flexible":
        return farrington(observed, replace(CONFIGS[config or "noufaily_a01"], **level), dates if weekly else None)
    if method == "gamma-poisson":
        return gamma_poisson(observed, replace(GammaPoisson(), **level), exposure)
    if method == "rare":
        return gamma_poisson(observed, replace(RARE, **level), exposure)
    model = DAILY if dates is not None and not weekly else SeasonTrend()
    if method == "cusum":
        return cusum(observed, replace(Cusum(), **level), model, dates, exposure)
    judged = season_trend(observed, replace(model, **level), dates, exposure)
    return _completed(judged, gamma_poisson(observed, replace(GammaPoisson(), **level), exposure))


def _check(observed: Floats, method: str, config: str | None, alpha: float | None, exposure: Floats | None, incomplete: int) -> None:
    if method not in METHODS:
        raise InputError("method", method, f"one of {', '.join(METHODS)}")
    if config is not None and method != "farrington-flexible":
        raise InputError("config", config, f"none: {method} has no named settings")
    if config is not None and config not in CONFIGS:
        raise InputError("config", config, f"one of {', '.join(CONFIGS)}")
    if alpha is not None and not 0 < alpha < 0.5:
        raise InputError("alpha", alpha, "a level between 0 and 0.5")
    if incomplete < 0:
        raise InputError("incomplete", incomplete, "a number of periods")
    if observed.shape[1] < LEAST_PERIODS:
        raise InputError("observed", f"{observed.shape[1]} periods", f"at least {LEAST_PERIODS} periods")
    if np.nanmin(observed, initial=0.0) < 0:
        raise InputError("observed", float(np.nanmin(observed)), "counts of 0 or more")
    if exposure is not None and method == "farrington-flexible":
        raise InputError("exposure", "given", "none: farrington-flexible takes no exposure")
    if exposure is not None and not (np.isfinite(exposure) & (exposure > 0)).all():
        raise InputError("exposure", float(np.min(exposure)), "numbers above 0 in every period")


def _completed(judged: Judged, short: Judged) -> Judged:
    """The answers of the first, and of the second where the first has none."""
    use = np.isfinite(judged.expected)
    return Judged(*(np.where(use, getattr(judged, f.name), getattr(short, f.name)) for f in fields(Judged)))


def gamma_poisson(observed: Floats, settings: GammaPoisson = GammaPoisson(), exposure: Floats | None = None) -> Judged:
    """Predictive test of each period, or of the `window` periods up to it, against the mean rate of those before.

    With n past periods of total s and exposure e, the rate has a gamma posterior of shape s and rate e, and the next count is negative
    binomial with mean s / e and variance (1 + 1/e) times that of a period (Gelman et al. 2013, Bayesian Data Analysis, section 2.6); the
    variance of a period is estimated from the past, phi times its mean, phi >= 1. A past without a case has mean 0.5 / e (Jeffreys'
    prior), so that a first case is rare but not impossible.

    Args:
        observed: counts, shape (series, periods); NaN = missing.
        settings: see there.
        exposure: as for `surveil`.
    """
    known = np.isfinite(observed)
    y = np.where(known, observed, 0.0)
    at_risk = known * (1.0 if exposure is None else exposure)
    squares = np.divide(y * y, at_risk, out=np.zeros_like(y), where=known)
    n, s, e, q = (_past(values, settings) for values in (known.astype(float), y, at_risk, squares))
    judged = known & (n >= settings.least)
    periods, e = np.maximum(n, 1.0), np.where(e > 0, e, 1.0)
    rate = np.maximum(s, 0.5) / e
    pearson = np.maximum(q / rate - s, 0.0) / np.maximum(periods - 1, 1.0)
    phi = np.maximum((periods * pearson + settings.prior) / (periods + settings.prior), 1.0)
    count, size = _recent(y, settings.window), _recent(at_risk, settings.window)
    upper, pvalue = np.full(observed.shape, np.nan), np.full(observed.shape, np.nan)
    at = np.nonzero(judged)
    upper[at], pvalue[at] = negative_binomial((rate * size)[at], (phi * (1 + size / e))[at], count[at], settings.alpha)
    upper = np.maximum(np.maximum(upper, settings.least_cases - 1) - (count - y), 0.0)  # what the period itself may have
    with np.errstate(invalid="ignore"):
        alarm = observed > upper
    blank = np.where(judged, 1.0, np.nan)
    return Judged(rate * at_risk * blank, upper, pvalue, alarm, phi * blank, np.full(observed.shape, np.nan))


def _past(values: Floats, settings: GammaPoisson) -> Floats:
    """Sum over the baseline of each period, shape (series, periods)."""
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    end = np.maximum(np.arange(values.shape[1]) - settings.gap, 0)
    return total[:, end] - total[:, np.maximum(end - settings.baseline, 0)]


def _recent(values: Floats, window: int) -> Floats:
    """Sum of the `window` periods up to each one."""
    total = np.cumsum(values, axis=1)
    total[:, window:] -= total[:, :-window].copy()
    return total

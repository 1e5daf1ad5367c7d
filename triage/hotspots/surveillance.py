"""Count series in, expected counts, bounds and alarms out: all methods behind `surveil`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

import numpy as np

from triage.errors import InputError
from triage.hotspots.farrington import CONFIGS, Judged, farrington
from triage.hotspots.predictive import negative_binomial
from triage.hotspots.regression import Floats

Method = Literal["gamma-poisson", "farrington-flexible"]
METHODS: tuple[str, ...] = get_args(Method)
LEAST_PERIODS = 10


@dataclass(frozen=True, slots=True)
class GammaPoisson:
    """Settings of the predictive test against the last periods.

    Attributes:
        baseline: periods looked back; fewer while a series is short.
        gap: periods before the one judged that are left out, as an outbreak may have begun.
        least: periods with data that a judgement needs.
        prior: periods' worth of belief that counts vary as Poisson counts do; it steadies the dispersion of short histories.
        alpha: one-sided level of the bound.
    """

    baseline: int = 52
    gap: int = 1
    least: int = 8
    prior: float = 10.0
    alpha: float = 0.01


def surveil(
    observed: Floats, method: str = "gamma-poisson", config: str | None = None, alpha: float | None = None, dates: Sequence[date] | None = None
) -> Judged:
    """Judge every period of every series by its own past.

    Args:
        observed: counts, shape (series, periods), without gaps in time; NaN = missing: never judged, never taken for zero.
        method: one of `METHODS`.
        config: named settings of farrington-flexible (default "noufaily_a01").
        alpha: one-sided level; None = that of the method or config.
        dates: weekly dates, where known, for the anniversaries of farrington-flexible.

    Raises:
        InputError: unknown method or config, alpha outside (0, 0.5), negative counts, under 10 periods.
    """
    if alpha is not None and not 0 < alpha < 0.5:
        raise InputError("alpha", alpha, "a level between 0 and 0.5")
    if observed.shape[1] < LEAST_PERIODS:
        raise InputError("observed", f"{observed.shape[1]} periods", f"at least {LEAST_PERIODS} periods")
    if np.nanmin(observed, initial=0.0) < 0:
        raise InputError("observed", float(np.nanmin(observed)), "counts of 0 or more")
    if method == "gamma-poisson":
        if config is not None:
            raise InputError("config", config, "none: gamma-poisson has no named settings")
        return gamma_poisson(observed, GammaPoisson() if alpha is None else GammaPoisson(alpha=alpha))
    if method != "farrington-flexible":
        raise InputError("method", method, f"one of {', '.join(METHODS)}")
    name = config or "noufaily_a01"
    if name not in CONFIGS:
        raise InputError("config", name, f"one of {', '.join(CONFIGS)}")
    settings = CONFIGS[name] if alpha is None else replace(CONFIGS[name], alpha=alpha)
    return farrington(observed, settings, dates)


def gamma_poisson(observed: Floats, settings: GammaPoisson = GammaPoisson()) -> Judged:
    """Predictive test of each period against the mean of those before it.

    With n past periods of total s, the rate has a gamma posterior of shape s and rate n, and the next count is negative binomial with
    mean s / n and variance (1 + 1/n) times that of a period (Gelman et al. 2013, Bayesian Data Analysis, section 2.6); the variance of
    a period is estimated from the past, phi times its mean, phi >= 1. A past without a case has mean 0.5 / n (Jeffreys' prior), so that
    a first case is rare but not impossible.

    Args:
        observed: counts, shape (series, periods); NaN = missing.
        settings: see there.
    """
    known = np.isfinite(observed)
    y = np.where(known, observed, 0.0)
    n, s, squares = (_trailing(values, settings) for values in (known.astype(float), y, y * y))
    judged = known & (n >= settings.least)
    periods = np.maximum(n, 1.0)
    mean = np.maximum(s, 0.5) / periods
    variance = np.maximum(squares - s * s / periods, 0.0) / np.maximum(periods - 1, 1.0)
    phi = np.maximum((periods * variance / mean + settings.prior) / (periods + settings.prior), 1.0)
    upper, pvalue = np.full(observed.shape, np.nan), np.full(observed.shape, np.nan)
    at = np.nonzero(judged)
    upper[at], pvalue[at] = negative_binomial(mean[at], (phi * (1 + 1 / periods))[at], y[at], settings.alpha)
    with np.errstate(invalid="ignore"):
        alarm = observed > upper
    blank = np.where(judged, 1.0, np.nan)
    return Judged(mean * blank, upper, pvalue, alarm, phi * blank, np.full(observed.shape, np.nan))


def _trailing(values: Floats, settings: GammaPoisson) -> Floats:
    """Sum over the baseline of each period, shape (series, periods)."""
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    end = np.maximum(np.arange(values.shape[1]) - settings.gap, 0)
    return total[:, end] - total[:, np.maximum(end - settings.baseline, 0)]

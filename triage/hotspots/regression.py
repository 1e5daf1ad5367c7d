"""Quasi-Poisson regressions on a factor and a linear trend, many at once.

log mean = a[level] + c time, the same levels and times for every fit. A factor and one slope make the information matrix an arrow,
so that a Newton step (= iteratively reweighted least squares, McCullagh & Nelder 1989) has a closed form in three sums by level:
with w = weight x mean, S = sum w, T = sum w time (each by level) and Q = sum w time^2,

    D = Q - sum T^2 / S,    dc = (gc - sum T ga / S) / D,    da = (ga - T dc) / S

where ga and gc are the score. The sums of all fits together are one matrix product; no solver runs per fit, which makes a fit cost
microseconds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 30
_DEAD = -700.0  # the intercept of a level without a single case: its mean is zero, and it says nothing about the slope


class Basis:
    """What all fits share.

    Args:
        level: level of each row, 0 .. K-1, shape (n,).
        time: shape (n,), any unit; predictions are made at level 0 and time 0.
    """

    def __init__(self, level: NDArray[np.intp], time: Floats):
        indicator = np.eye(level.max() + 1)[level]
        self.levels = indicator.shape[1]
        self.indicator = indicator
        self.time = time
        self.predictor = np.column_stack([indicator, time]).T.copy()  # (K + 1, n)
        self.sums = np.column_stack([indicator, indicator * time[:, None], time**2])  # (n, 2 K + 1)


@dataclass(frozen=True, slots=True)
class Fits:
    """B fits of n rows. Variances are at dispersion 1; NaN `mean0` = there is no data to fit, or as many parameters as data.

    Attributes:
        eta: linear predictor, (B, n).
        leverage: (B, n).
        mean0, variance0: prediction at level 0 and time 0 and the variance of its logarithm, (B,).
        slope, slope_variance: (B,); NaN without trend.
        dispersion: Pearson's, at least 1, (B,).
        scale: variance of the working residuals (y - mean) / mean, (B,).
        freedom: degrees of freedom, (B,).
    """

    eta: Floats
    leverage: Floats
    mean0: Floats
    variance0: Floats
    slope: Floats
    slope_variance: Floats
    dispersion: Floats
    scale: Floats
    freedom: Floats


def fit(y: Floats, weight: Floats, basis: Basis, trend: bool) -> Fits:
    """Fit B series.

    Args:
        y: counts, shape (B, n).
        weight: prior weights, shape (B, n); 0 = missing.
        basis: levels and times of the n rows.
        trend: whether to fit the slope.
    """
    k = basis.levels
    case_weight, cases = weight @ basis.indicator, (weight * y) @ basis.indicator
    live = cases > 0
    intercept = np.where(live, np.log(np.where(live, cases, 1.0) / np.where(live, case_weight, 1.0)), _DEAD)
    slope = np.zeros(len(y))
    if trend:
        intercept, slope = _newton(weight, cases, (weight * y) @ basis.time, intercept, slope, live, basis)
    eta = np.column_stack([intercept, slope]) @ basis.predictor
    mean = np.exp(eta)
    work = weight * mean
    sums = work @ basis.sums
    s = np.where(live, sums[:, :k], np.inf)
    if trend:
        centre = sums[:, k : 2 * k] / s
        d = sums[:, -1] - (centre * sums[:, k : 2 * k]).sum(axis=1)
        slope_variance = np.where(d > 0, 1 / np.where(d > 0, d, 1.0), 0.0)
        variance = np.column_stack([1 / s + centre**2 * slope_variance[:, None], -2 * centre * slope_variance[:, None], slope_variance])
        leverage = work * (variance @ basis.sums.T)
        variance0 = variance[:, 0]
    else:
        slope_variance = np.full(len(y), np.nan)
        variance0 = 1 / s[:, 0]
        leverage = work * ((1 / s) @ basis.indicator.T)
    freedom = (weight > 0).sum(axis=1) - (case_weight > 0).sum(axis=1) - int(trend)
    working = y / np.maximum(mean, 1e-300) - 1
    weighted = weight * working
    scale = np.einsum("ij,ij->i", weighted, working) / np.maximum(freedom, 1)
    dispersion = np.maximum(np.einsum("ij,ij,ij->i", weighted, working, mean) / np.maximum(freedom, 1), 1.0)
    usable = (case_weight[:, 0] > 0) & (freedom > 0)
    mean0 = np.where(usable, np.where(live[:, 0], np.exp(np.minimum(intercept[:, 0], 600.0)), 0.0), np.nan)
    return Fits(eta, leverage, mean0, variance0, slope if trend else slope_variance, slope_variance, dispersion, scale, freedom)


def _newton(
    weight: Floats, cases: Floats, cases_time: Floats, intercept: Floats, slope: Floats, live: NDArray[np.bool_], basis: Basis
) -> tuple[Floats, Floats]:
    """Newton's method from the level means; a step that lowers the likelihood is halved until it does not."""
    k = basis.levels
    at = np.column_stack([intercept, slope])
    step = np.zeros_like(at)
    best = np.full(len(at), np.inf)
    for _ in range(_STEPS):
        sums = (weight * np.exp(at @ basis.predictor)) @ basis.sums
        loss = sums[:, :k].sum(axis=1) - (np.where(live, at[:, :k], 0.0) * cases).sum(axis=1) - at[:, k] * cases_time
        worse = loss > best + 1e-7 * np.abs(best)
        s = np.where(live, sums[:, :k], 1.0)
        t = np.where(live, sums[:, k : 2 * k], 0.0)
        score = np.where(live, cases - sums[:, :k], 0.0)
        score_slope = cases_time - t.sum(axis=1)
        d = sums[:, -1] - (t * t / s).sum(axis=1)
        ds = np.where(d > 1e-9 * sums[:, -1], (score_slope - (t * score / s).sum(axis=1)) / np.where(d > 0, d, 1.0), 0.0)
        newton = np.column_stack([(score - t * ds[:, None]) / s, ds])
        newton[:, :k][~live] = 0.0
        gain = (newton[:, :k] * score).sum(axis=1) + ds * score_slope
        step = np.where(worse[:, None], -np.abs(0.5) * step, newton) if worse.any() else newton
        best = np.where(worse, best, loss)
        at = at + step
        if worse.any():
            step = np.where(worse[:, None], -step, step)  # what is left of a halved step, to be halved again if need be
        elif (gain < 1e-9).all():
            break
    return at[:, :k], at[:, k]

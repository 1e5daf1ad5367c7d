"""Negative binomial tails and quantiles, vectorised: the predictive distribution of a count.

A count with mean m and variance phi m (phi = dispersion >= 1) is negative binomial with size m / (phi - 1), Poisson at phi = 1. It is
also the gamma-Poisson predictive distribution: a Poisson count whose rate was estimated from a gamma posterior.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


def upper_tail(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """P(Y >= count), exactly; all arguments broadcast."""
    wide = dispersion > 1
    excess = np.where(wide, dispersion - 1, 1.0)
    positive, size = np.maximum(count, 1.0), np.maximum(mean / excess, 1e-300)
    found = np.where(wide, special.betainc(positive, size, excess / (1 + excess)), special.gammainc(positive, mean))
    return np.where(count <= 0, 1.0, np.where(mean > 0, found, 0.0))


def negative_binomial(mean: Floats, dispersion: Floats, now: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Smallest bound with P(Y > bound) <= alpha, and P(Y >= now).

    The quantile starts from the Cornish-Fisher expansion, from where the exact integer is mostly a step or two away; steps double, so
    that it is soon found where the expansion fails. SciPy's discrete quantile is twenty times as slow.

    Args:
        mean, dispersion, now: shape (B,); a mean that is not finite gives NaN.
        alpha: one-sided level.
    """
    known = np.isfinite(mean) & (mean < 1e9)
    mu, phi = np.where(known, mean, 1.0), np.where(known, dispersion, 1.0)
    z = special.ndtri(1 - alpha)
    skew = (2 * phi - 1) / np.sqrt(np.maximum(mu * phi, 1e-300))
    upper = np.clip(np.round(mu + np.sqrt(mu * phi) * (z + skew * (z * z - 1) / 6)), 0, None)
    upper[mu < 1e-12] = 0.0
    enough = _enough(upper, mu, phi, alpha)
    # Between `short`, which is not enough, and `upper`, which is; -1 is never enough.
    short = np.where(enough, upper - 1, upper)
    up, step = np.flatnonzero(~enough), 1.0
    while len(up):
        short[up], upper[up] = upper[up], upper[up] + step
        up, step = up[~_enough(upper[up], mu[up], phi[up], alpha)], 2 * step
    down, step = np.flatnonzero(enough & (upper > 0)), 1.0
    while len(down):
        down = down[(short[down] >= 0) & _enough(short[down], mu[down], phi[down], alpha)]
        upper[down], short[down] = short[down], np.maximum(short[down] - step, -1.0)
        step *= 2
    wide = np.flatnonzero(upper - short > 1)
    while len(wide):
        middle = np.floor((upper[wide] + short[wide]) / 2)
        good = _enough(middle, mu[wide], phi[wide], alpha)
        upper[wide], short[wide] = np.where(good, middle, upper[wide]), np.where(good, short[wide], middle)
        wide = wide[upper[wide] - short[wide] > 1]
    return np.where(known, upper, np.nan), np.where(known, upper_tail(now, mu, phi), np.nan)


def _enough(bound: Floats, mean: Floats, dispersion: Floats, alpha: float) -> NDArray[np.bool_]:
    """Whether P(Y > bound) <= alpha."""
    return upper_tail(bound + 1, mean, dispersion) <= alpha

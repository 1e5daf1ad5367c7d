"""Weekly count series after Noufaily et al. 2013 (Stat Med 32:1206, section 3.1): 42 scenarios of level, trend, season and dispersion.

The constants of the detector behind `triage surveil` were chosen on series drawn here, so that series held elsewhere stay a fair test.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.hotspots.regression import Floats

WEEKS = 624
BASELINE = 312  # from here on past outbreaks occur
TEST = 575  # the last 49 weeks are judged
# theta, trend beta, gamma1, gamma2 of the harmonics, dispersion phi: each with and without trend and with 0, 1 and 2 harmonics
_LEVELS = (
    (0.1, 0.0025, 0.6, 0.6, 1.5), (-2.0, 0.005, 0.1, 0.3, 2.0), (1.5, 0.003, 0.2, -0.4, 1.0), (0.5, 0.002, 0.5, 0.5, 5.0),
    (2.5, 0.001, 1.0, 0.1, 3.0), (3.75, 0.001, 0.1, -0.1, 1.1), (5.0, 0.0001, 0.05, 0.01, 1.2),
)  # fmt: skip
_PAST_SIZES = (2, 3, 5, 10)
_SIZES = (1, 3, 5, 7, 9)


@dataclass(frozen=True, slots=True)
class Series:
    """Simulated series. Arrays (series, weeks): `quiet` = counts with past outbreaks only, `outbreak` = cases of the one to be found."""

    scenario: NDArray[np.intp]
    size_factor: NDArray[np.intp]
    mean: Floats
    quiet: Floats
    outbreak: Floats


def simulate_series(repetitions: int, seed: int) -> Series:
    """Draw `repetitions` series of each of the 42 scenarios, with one outbreak each in the last 49 weeks.

    Counts are negative binomial with variance phi times the mean. The size of an outbreak is Poisson with mean k standard deviations of
    the week it begins in, k = 1, 3, 5, 7, 9 in turn; its cases fall after that by a lognormal distribution (0, 0.5) of weeks.
    """
    rng = np.random.default_rng(seed)
    week = np.arange(1, WEEKS + 1)
    rows: list[tuple[int, int, Floats, Floats, Floats]] = []
    for scenario in range(42):
        theta, beta, gamma1, gamma2, phi = _LEVELS[scenario // 6]
        trend, harmonics = scenario % 6 >= 3, scenario % 3
        angle = 2 * np.pi * week / 52
        season = sum((gamma1 * np.cos(j * angle) + gamma2 * np.sin(j * angle) for j in range(1, harmonics + 1)), np.zeros(WEEKS))
        mean = np.exp(theta + beta * trend * week + season)
        for repetition in range(repetitions):
            quiet = (rng.poisson(mean) if phi == 1 else rng.negative_binomial(mean / (phi - 1), 1 / phi)).astype(float)
            for k, start in zip(_PAST_SIZES, rng.choice(np.arange(BASELINE, TEST - 8), 4, replace=False), strict=True):
                quiet += _outbreak(rng, k * np.sqrt(phi * mean[start]), start, TEST)
            k = _SIZES[repetition % len(_SIZES)]
            start = rng.integers(TEST, WEEKS - 4)
            rows.append((scenario + 1, k, mean, quiet, _outbreak(rng, k * np.sqrt(phi * mean[start]), start, WEEKS)))
    scenarios, sizes, means, counts, outbreaks = zip(*rows, strict=True)
    return Series(np.array(scenarios), np.array(sizes), np.array(means), np.array(counts), np.array(outbreaks))


def _outbreak(rng: np.random.Generator, expected: float, start: int, end: int) -> Floats:
    """Cases by week of an outbreak beginning in week `start`, none from `end` on."""
    after = np.floor(rng.lognormal(0, 0.5, rng.poisson(expected))).astype(int)
    return np.bincount(np.minimum(start + after, end - 1), minlength=WEEKS).astype(float)

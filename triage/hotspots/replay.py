"""How often chance alone brings a finding about: a quiet history replayed through the very test that judges real counts.

A window is tested for each of several durations every day, and the days overlap: the smallest of these p-values is no p-value. Instead
of a formula, long quiet series of every size are drawn (negative binomial, fixed seed) and go through the same baseline, windows and
effect floor; what comes out says for a cell of that size how often a p-value so small turns up, and how long it then stays.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from triage.hotspots.baseline import BaselineSettings, Floor, baseline_rows, fit, judge
from triage.hotspots.regression import Floats

_SIZES = np.geomspace(0.002, 500.0, 14)  # complaints a day
_THRESHOLDS = np.geomspace(1.0, 1e-5, 11)
_CELLS = 400  # series of each size
_DAYS = 120  # days judged of each
_REFIT = 6  # days between two fits: a baseline hardly moves in less
_NOISE = 0.02  # squared coefficient of variation of a day's rate, once what moves many cells is taken out
_ENOUGH = 15  # days beyond a threshold that measure its probability
_SEED = 20_091


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the replay measured.

    Attributes:
        tail: log probability, a day, of a smallest p-value at or below each threshold, (sizes, thresholds).
        stay: mean days that a cell stays below a small threshold once it is there.
    """

    tail: Floats
    stay: float

    def p_value(self, smallest: Floats, size: Floats) -> Floats:
        """Probability that chance makes the smallest p-value of a cell this small on a given day.

        Args:
            smallest: smallest p-value over the windows, (cells,).
            size: complaints expected a day, (cells,).
        """
        where = np.interp(np.log(np.maximum(size, 1e-9)), np.log(_SIZES), np.arange(len(_SIZES)))
        low = np.minimum(where.astype(int), len(_SIZES) - 2)
        mixed = self.tail[low] + (where - low)[:, None] * (self.tail[low + 1] - self.tail[low])
        depth = -np.log(np.maximum(smallest, 1e-300)) / -np.log(_THRESHOLDS[1])
        left = np.minimum(depth.astype(int), len(_THRESHOLDS) - 2)
        rows = np.arange(len(smallest))
        inside = mixed[rows, left] + (depth - left) * (mixed[rows, left + 1] - mixed[rows, left])
        # Beyond the last threshold a p-value ten times as small is ten times as rare.
        beyond = mixed[:, -1] + np.log(np.maximum(smallest, 1e-300)) - np.log(_THRESHOLDS[-1])
        return np.exp(np.where(depth > len(_THRESHOLDS) - 1, beyond, inside))


@cache
def calibrate(durations: tuple[int, ...], floor: Floor, settings: BaselineSettings) -> Calibration:
    """Replay quiet histories; a second or two, kept for the life of the process.

    Args:
        durations: windows, days.
        floor: least effect.
        settings: of the baseline.
    """
    rng = np.random.default_rng(_SEED)
    history = durations[-1] + settings.gap + settings.days
    size = np.repeat(_SIZES, _CELLS)
    table = rng.poisson(rng.gamma(1 / _NOISE, _NOISE * size, (history + _DAYS, len(size)))).astype(float)
    present, exposure = np.ones(len(table), dtype=bool), np.ones(table.shape)
    smallest = np.empty((_DAYS, len(size)))
    for day in range(_DAYS):
        end = history + day + 1
        if day % _REFIT == 0:
            rows, _ = baseline_rows(present, end, durations, settings)
            null = fit(table, rows, exposure, table[rows].mean(axis=0), settings)
        smallest[day] = judge(table, present, end, durations, null, floor).p.min(axis=0)
    by_size = smallest.reshape(_DAYS, len(_SIZES), _CELLS)
    tail = np.stack([_tail(by_size[:, i].ravel()) for i in range(len(_SIZES))])
    below = smallest <= _THRESHOLDS[6]
    begun = below[1:] & ~below[:-1]
    return Calibration(tail, float(below.sum() / max(begun.sum() + below[0].sum(), 1)))


def _tail(smallest: NDArray[np.float64]) -> Floats:
    """Log probability of each threshold; where too few days went beyond one, it shrinks as the threshold does."""
    found = np.empty(len(_THRESHOLDS))
    for i, threshold in enumerate(_THRESHOLDS):
        beyond = np.count_nonzero(smallest <= threshold)
        measured = np.log((beyond + 0.5) / len(smallest))
        if beyond >= _ENOUGH or i == 0:
            found[i] = min(measured, found[i - 1]) if i else measured
        else:
            found[i] = found[i - 1] + np.log(threshold / _THRESHOLDS[i - 1])
    return np.minimum(found, 0.0)

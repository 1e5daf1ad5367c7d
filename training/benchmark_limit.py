"""How soon any test could tell of an outbreak at a given rate of false alerts.

The test knows what none in service can: which cell is raised, from which day on, by how much, and the true mean of each of its days,
shared noise included, so that counts are Poisson (without that knowledge they are negative binomial, and later told). By the lemma of
Neyman and Pearson the sum of the counts since the first day then decides, each day, at the level that the alert budget leaves a cell.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from triage.hotspots.regression import Floats

_DRAWS = 200


def level(alerts_a_week: float, cells: int) -> float:
    """False alerts of a cell on a day where the budget is shared evenly."""
    return alerts_a_week / 7 / cells


def delays(null: Sequence[Floats], raised: Sequence[Floats], alpha: float, seed: int = 0) -> NDArray[np.float64]:
    """Days from the first day of each outbreak to the alert, 1 = on the first day, inf = never; (outbreaks x draws,).

    Args:
        null: true means of the days of each outbreak without it, (days,).
        raised: the same with it.
        alpha: from `level`.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    found = []
    for quiet, loud in zip(null, raised, strict=True):
        least = stats.poisson.isf(alpha, np.cumsum(quiet)) + 1  # the smallest count that chance reaches with probability alpha at most
        told = np.cumsum(rng.poisson(loud, (_DRAWS, len(loud))), axis=1) >= least
        found.append(np.where(told.any(axis=1), told.argmax(axis=1) + 1.0, np.inf))
    return np.concatenate(found) if found else np.empty(0)

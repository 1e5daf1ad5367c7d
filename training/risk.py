"""The review threshold for a stated risk: which answers may pass unseen when at most so many of them may be wrong."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

DELTA = 0.05
"""Probability (0-1) with which the promise may fail, over the draw of the held-out texts."""


def error_bound(errors: int, n: int, delta: float) -> float:
    """Upper bound of an error rate that `errors` of `n` independent answers showed, at confidence 1 - delta (Clopper and Pearson 1934).

    >>> round(error_bound(0, 29, 0.05), 3)
    0.098
    """
    return 1.0 if errors >= n else float(beta.ppf(1 - delta, errors + 1, n - errors))


def threshold_for_risk(confidence: NDArray[np.floating], correct: NDArray[np.bool_], risk: float, delta: float = DELTA) -> float | None:
    """The lowest confidence from which answers may pass: with probability 1 - delta at most a share `risk` of those that do is wrong.

    Selection with guaranteed risk (Geifman and El-Yaniv 2017, algorithm 2): a binary search over the confidences seen, each step of which
    bounds the error at a confidence corrected for the number of steps. The promise holds for texts like the held-out ones that are
    independent of each other; texts of one author are less independent than that.

    Args:
        confidence: (n,) of held-out answers, 0-1.
        correct: (n,) whether each is right.
        risk: share (0-1) of wrong answers that may pass.
        delta: see above.

    Returns:
        The threshold, or None when the promise can be given for no threshold: the answers err too often, or are too few to tell.
    """
    n = len(confidence)
    if not n:
        return None
    ascending = np.sort(confidence)
    steps = math.ceil(math.log2(n)) + 1
    low, high, found = 0, n - 1, None
    while low <= high:
        middle = (low + high) // 2
        passing = confidence >= ascending[middle]
        if error_bound(int((~correct[passing]).sum()), int(passing.sum()), delta / steps) <= risk:
            found, high = float(ascending[middle]), middle - 1
        else:
            low = middle + 1
    return found

"""Which of many cells stand out: hierarchical Benjamini-Hochberg, and an alert budget in days between false alerts."""

import numpy as np
from numpy.typing import NDArray

from triage.hotspots.regression import Floats


def benjamini_hochberg(p: Floats, fdr: float) -> NDArray[np.bool_]:
    """Which hypotheses fall at a false discovery rate (Benjamini & Hochberg 1995), shape of `p`."""
    order = np.argsort(p)
    passing = np.flatnonzero(p[order] <= fdr * np.arange(1, len(p) + 1) / len(p))
    rejected = np.zeros(len(p), dtype=bool)
    if len(passing):
        rejected[order[: passing[-1] + 1]] = True
    return rejected


def simes(p: Floats) -> float:
    """P-value of the hypothesis that none of these stands out (Simes 1986)."""
    return float(min(1.0, (np.sort(p) * len(p) / np.arange(1, len(p) + 1)).min()))


def hierarchical(p: Floats, family: NDArray[np.intp], fdr: float) -> NDArray[np.bool_]:
    """Parents first: families by their Simes p-value, then the members of the R families selected out of F at the level fdr R / F.

    Yekutieli 2008 (J Am Stat Assoc 103:309) tests the tree from the top; Benjamini & Bogomolov 2014 (J R Stat Soc B 76:297) show that
    the second level keeps the error rate on average over the families selected. A family stands out by its aggregate or by any member,
    so that an outbreak in one small region is not lost in the sum.

    Args:
        p: (cells,).
        family: family of each cell, 0 .. F-1, (cells,).
        fdr: false discovery rate.
    """
    families = int(family.max()) + 1
    order = np.argsort(family, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(family, minlength=families))[:-1])
    parents = benjamini_hochberg(np.array([simes(p[rows]) if len(rows) else 1.0 for rows in members]), fdr)
    rejected = np.zeros(len(p), dtype=bool)
    for rows in (members[i] for i in np.flatnonzero(parents)):
        rejected[rows] = benjamini_hochberg(p[rows], fdr * parents.sum() / families)
    return rejected


def recurrence(p: Floats, size: NDArray[np.intp] | int, share: float, stay: float) -> Floats:
    """Days in which chance brings about one finding as rare, if the layer may spend this share of all false alerts.

    Args:
        p: calibrated p-values a day, any shape.
        size: cells in the layer.
        share: of the alert budget.
        stay: mean days that a false alert stays: those days are one alert.
    """
    return share * stay / np.maximum(p * size, 1e-12)

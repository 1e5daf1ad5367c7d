"""The classifier's errors in the simulation, as `python -m training.confusion` measured them (data/simulation/confusion.csv)."""

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np

from triage.errors import ConfigError, InputError
from triage.hotspots.regression import Floats
from triage.hotspots.series import group_of
from triage.resources import DATA, read_text

PATH = DATA / "simulation" / "confusion.csv"
CROSS_VALIDATION = "cross_validation"
_BELIEF = 20.0
"""Texts' worth of belief that a category errs as all of them do together: most have few texts in a small test."""


@cache
def measured_errors(path: Path = PATH) -> dict[str, dict[tuple[str, str], int]]:
    """Texts by (true, predicted) category of each test. Raises: ConfigError when the table is missing or broken."""
    found: dict[str, dict[tuple[str, str], int]] = {}
    try:
        for row in csv.DictReader(read_text(path).splitlines()):
            found.setdefault(row["test"], {})[row["true"], row["predicted"]] = int(row["texts"])
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{path}: expected the columns test, true, predicted, texts ({error})") from None
    return found


def confusion_matrix(categories: Iterable[str], test: str = CROSS_VALIDATION, path: Path = PATH) -> Floats:
    """P(predicted | true), shape (categories, categories), every row summing to 1.

    A row with few texts leans on what all categories do together: their share of right answers, of errors within the group and outside,
    those outside falling on categories as all errors do.

    Args:
        categories: in the order of rows and columns.
        test: of the table.
        path: of the table.

    Raises:
        InputError: there is no such test.
        ConfigError: the table is missing or broken.
    """
    keys = tuple(categories)
    known = measured_errors(path)
    if test not in known:
        raise InputError("test", test, f"one of {', '.join(known)}")
    counts = np.array([[known[test].get((true, predicted), 0) for predicted in keys] for true in keys], dtype=float)
    groups = np.array([group_of(key) for key in keys])
    same, group = np.eye(len(keys), dtype=bool), groups[:, None] == groups
    taken = (counts * ~same).sum(axis=0) + 1.0  # how often each is taken for another
    prior = np.zeros_like(counts)
    for part in (same, group & ~same, ~group):
        weight = np.where(part, taken, 0.0)
        share = counts[part].sum() / counts.sum()
        prior += share * weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
    prior /= prior.sum(axis=1, keepdims=True)
    return (counts + _BELIEF * prior) / (counts.sum(axis=1, keepdims=True) + _BELIEF)

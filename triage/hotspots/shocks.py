"""What moves many cells at once is no hotspot of each: a busy day of the bank, of a category everywhere, of a region in everything.

The bank's factor of a day is the median over categories, which an outbreak in a few leaves alone. Around it, a cell moves with its
category elsewhere and with all else in its region (the cell itself is left out, so that it cannot explain itself away, and what towers
above its expectation is cut off); these factors are shrunk to 1 by how much such factors vary: with a gamma factor of variance v,
observed O and expected E it is (O + 1/v) / (E + 1/v). Without them cells are nearly Poisson, and a rise is seen days earlier.
"""

import numpy as np

from triage.hotspots.cells import ANY, Cells
from triage.hotspots.regression import Floats
from triage.hotspots.series import Counts, group_of

_LEAST_SPREAD = 0.005  # variance that a factor has at least: a campaign may come that the baseline has not seen
_BANK_SPREAD = 0.05
_TOWERING = 2.58  # standard deviations


def exposures(counts: Counts, cells: Cells, weight: Floats, rows: np.ndarray, season: Floats | None = None) -> Floats:
    """How much each cell is exposed on each day, shape (days, cells): the day's weight times the factors of all that the cell is part of.

    Args:
        counts: what the cells were made of.
        cells: from `cells_of`.
        weight: of each day, (days,).
        rows: days of the baseline, from which rates and variances are learned.
        season: of each category and group (`season.seasons`), (days, keys); None = none.
    """
    placed = counts.observed.sum(axis=3).astype(float)  # (days, categories, regions)
    groups = [counts.groups.index(group_of(category)) for category in counts.categories]
    member = np.eye(len(counts.groups))[groups]  # (categories, groups)
    table = np.concatenate([placed, np.einsum("dcr,cg->dgr", placed, member)], axis=1)  # (days, keys, regions)
    usual = weight[:, None] * (np.ones(table.shape[:2]) if season is None else season)  # (days, keys)
    plain = table[rows].sum(axis=0) / usual[rows].sum(axis=0)[:, None] * usual[:, :, None]
    single = slice(len(counts.categories))
    bank = _bank(placed.sum(axis=2), plain[:, single].sum(axis=2))
    expected = plain * bank[:, None, None]
    cut = np.minimum(table, expected + _TOWERING * np.sqrt(expected) + 1)
    by_key, key_expected = cut.sum(axis=2), expected.sum(axis=2)
    by_region, region_expected = cut[:, single].sum(axis=1), expected[:, single].sum(axis=1)
    elsewhere = _factor(by_key[:, :, None] - cut, key_expected[:, :, None] - expected, _spread(by_key[rows], key_expected[rows])[:, None])
    beside = _factor(by_region[:, None] - cut, region_expected[:, None] - expected, _spread(by_region[rows], region_expected[rows]))
    local = bank[:, None, None] * elsewhere * beside
    both = np.concatenate([local, np.broadcast_to(bank[:, None, None], (*local.shape[:2], 1))], axis=2)  # (days, keys, regions + anywhere)
    place = {region: i for i, region in enumerate((*counts.regions, ANY))}
    column = np.array([place[cell.region] for cell in cells.cells])
    return usual[:, cells.family] * both[:, cells.family, column]


def _bank(observed: Floats, expected: Floats) -> Floats:
    """How much busier than usual the bank is each day, (days,): the median category's ratio, each weighing by its expectation."""
    ratio = observed / np.maximum(expected, 1e-12)
    order = np.argsort(ratio, axis=1)
    passed = np.cumsum(np.take_along_axis(expected, order, axis=1), axis=1)
    middle = (passed < passed[:, -1:] / 2).sum(axis=1)
    median = np.take_along_axis(ratio, np.take_along_axis(order, middle[:, None], axis=1), axis=1)[:, 0]
    total = expected.sum(axis=1)
    return _factor(median * total, total, np.array(_BANK_SPREAD))


def _factor(observed: Floats, expected: Floats, spread: Floats) -> Floats:
    return (observed + 1 / spread) / (expected + 1 / spread)


def _spread(observed: Floats, expected: Floats) -> Floats:
    """Variance of the factor behind some series: what their counts vary more than Poisson counts do; (days, series) in, (series,) out."""
    extra = (np.square(observed - expected) - expected).sum(axis=0) / np.maximum(np.square(expected).sum(axis=0), 1e-12)
    return np.clip(extra, _LEAST_SPREAD, 1.0)

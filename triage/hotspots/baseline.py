"""What each cell of the counts would have had on the days judged, had nothing happened, and how surprising what it had is."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from triage.hotspots.predictive import upper_tail
from triage.hotspots.regression import Floats
from triage.hotspots.series import Counts, group_of
from triage.workdays import is_workday

ANYWHERE = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is counted together. `category` is a category or a group; empty region or channel = all of them."""

    category: str
    region: str = ANYWHERE
    channel: str = ANYWHERE

    @property
    def is_group(self) -> bool:
        return "." not in self.category


@dataclass(frozen=True, slots=True)
class Tested:
    """A cell over the days judged. `before` = complaints of the period of equal length before; `p_value` is one-sided."""

    cell: Cell
    first: date
    last: date
    observed: int
    expected: float
    before: int
    p_value: float

    @property
    def excess(self) -> float:
        return self.observed - self.expected

    @property
    def ratio(self) -> float:
        return self.observed / max(self.expected, 0.01)


@dataclass(frozen=True, slots=True)
class BaselineSettings:
    """Settings of the predictive test.

    Attributes:
        days: length of the baseline.
        gap: days before the window that are left out, as an outbreak may have begun.
        least_days: days with data that the baseline needs.
        prior_days: days' worth of belief in the parent's baseline times the cell's share.
        prior_blocks: windows' worth of belief that a cell varies as all cells of its size do.
        mid_p: count only half the probability of the very count observed.
    """

    days: int = 56
    gap: int = 7
    least_days: int = 14
    prior_days: float = 7.0
    prior_blocks: float = 20.0
    mid_p: bool = False


def cells_of(counts: Counts, by_channel: bool) -> tuple[list[Cell], Floats]:
    """All cells and their daily counts, shape (days, cells): category and group, by region and anywhere, and each of these by channel
    if wanted."""
    observed = counts.observed
    groups = [group_of(category) for category in counts.categories]
    by_group = np.stack([observed[:, [g == group for g in groups]].sum(axis=1) for group in counts.groups], axis=1)
    layers: list[tuple[list[Cell], Floats]] = []
    for keys, table in ((counts.categories, observed), (counts.groups, by_group)):
        for regions, placed in ((counts.regions, table), ((ANYWHERE,), table.sum(axis=2, keepdims=True))):
            layers.append(([Cell(key, region) for key in keys for region in regions], placed.sum(axis=3)))
            if by_channel:
                layers.append(([Cell(key, region, channel) for key in keys for region in regions for channel in counts.channels], placed))
    cells = [cell for part, _ in layers for cell in part]
    return cells, np.concatenate([table.reshape(counts.days, -1) for _, table in layers], axis=1).astype(float)


def day_kind(day: date) -> int:
    """0-6 = Monday-Sunday; a public holiday counts as a Sunday, a make-up working day at the weekend (调休) as a Friday.

    Raises: ConfigError for a year without a calendar.
    """
    if is_workday(day):
        return min(day.weekday(), 4)
    return max(day.weekday(), 5) if day.weekday() > 4 else 6


def judge_window(
    counts: Counts, cells: list[Cell], table: Floats, last: date, length: int, settings: BaselineSettings
) -> list[Tested]:
    """Test the `length` days up to `last` of every cell against its baseline; empty when there is not enough data.

    The rate of a cell is gamma distributed: a priori round its parent's rate times its share (worth `prior_days`), then updated by the
    baseline. Days weigh by the weekday profile of the whole store, holidays included. The predictive distribution is negative binomial
    with the variance of window-long blocks of the baseline, shrunk to that of all cells, and of the rate itself.

    Args:
        counts: for its dates and missing days.
        cells, table: from `cells_of`.
        last: last day judged.
        length: days judged.
        settings: see there.
    """
    end = counts.day(last) + 1
    start = end - length
    baseline = np.arange(max(start - settings.gap - settings.days, 0), max(start - settings.gap, 0))
    present = counts.present()
    if start < 0 or end > counts.days:
        return []
    window = np.arange(start, end)[present[start:end]]
    baseline = baseline[present[baseline]]
    if 2 * len(window) <= length or len(baseline) < settings.least_days:
        return []
    weight = _day_weights(counts, table, baseline)
    exposure, judged = weight[baseline].sum(), weight[window].sum()
    total = table[baseline].sum(axis=0)
    prior = _shares(cells, total) / exposure
    rate = (total + settings.prior_days * prior) / (exposure + settings.prior_days)
    observed = table[window].sum(axis=0)
    expected = rate * judged
    expected *= _surge(cells, observed, expected)
    residual = table[baseline] - np.outer(weight[baseline], total / exposure)
    phi = np.maximum(*(_dispersion(residual, expected, length, blocks, settings) for blocks in (1, length)))
    predictive = phi * (1 + judged / (exposure + settings.prior_days))
    p = upper_tail(observed, expected, predictive)
    if settings.mid_p:
        p = (p + upper_tail(observed + 1, expected, predictive)) / 2
    before = table[max(start - length, 0) : start].sum(axis=0)
    first = counts.start + timedelta(days=start)
    return [
        Tested(cell, first, last, int(o), float(e), int(b), float(q))
        for cell, o, e, b, q in zip(cells, observed, expected, before, p, strict=True)
    ]


def _surge(cells: list[Cell], observed: Floats, expected: Floats) -> float:
    """How much busier the whole bank is than its baseline: the median ratio over categories, at least 1.

    After a holiday or a campaign everything rises; that is no hotspot of each category. An outbreak in a few categories leaves the
    median alone.
    """
    large = [i for i, cell in enumerate(cells) if not (cell.is_group or cell.region or cell.channel) and expected[i] >= 5]
    return max(float(np.median(observed[large] / expected[large])), 1.0) if len(large) >= 8 else 1.0


def _day_weights(counts: Counts, table: Floats, baseline: NDArray[np.intp]) -> Floats:
    """Relative volume of each day by its kind, mean about 1, shape (days,); learned from the whole store over the baseline.

    A kind of day (a holiday week, say) is shrunk to 1 by a day's worth of complaints.
    """
    kinds = np.array([day_kind(counts.start + timedelta(days=i)) for i in range(counts.days)])
    volume = counts.observed.sum(axis=(1, 2, 3))[baseline]
    mean = volume.mean()
    sums, days = np.bincount(kinds[baseline], volume, minlength=7), np.bincount(kinds[baseline], minlength=7)
    return ((sums + mean) / (days + 1) / mean)[kinds]


def _shares(cells: list[Cell], total: Floats) -> Floats:
    """A priori complaints of each cell over the baseline: its parent's, times the share that the cell's place and channel have of all.

    The parent of a cell anywhere is its category's group, of which it has an equal share; a group anywhere is its own.
    """
    position = {cell: i for i, cell in enumerate(cells)}
    everything = sum(total[i] for i, cell in enumerate(cells) if cell.is_group and not cell.region and not cell.channel)
    part: dict[tuple[str, str], float] = {}
    members: dict[str, int] = {}
    for i, cell in enumerate(cells):
        if cell.is_group:
            part[cell.region, cell.channel] = part.get((cell.region, cell.channel), 0.0) + total[i]
        elif not cell.region and not cell.channel:
            members[group_of(cell.category)] = members.get(group_of(cell.category), 0) + 1
    prior = np.empty(len(cells))
    for i, cell in enumerate(cells):
        if cell.region or cell.channel:
            prior[i] = total[position[Cell(cell.category)]] * part[cell.region, cell.channel] / max(everything, 1.0)
        elif cell.is_group:
            prior[i] = total[i]
        else:
            prior[i] = total[position[Cell(group_of(cell.category))]] / members[group_of(cell.category)]
    return prior


def _dispersion(residual: Floats, expected: Floats, length: int, block: int, settings: BaselineSettings) -> Floats:
    """Variance over mean of sums of `block` days, at least 1, shape (cells,).

    Args:
        residual: counts less their expectation, shape (baseline days, cells).
        expected: complaints expected over `length` days, shape (cells,).
        length: days of the window.
        block: days summed; where days are independent any block gives the same answer, where weeks drift long blocks see it.
        settings: see there.
    """
    blocks = len(residual) // block
    if blocks < 4:
        return np.ones(len(expected))
    sums = residual[len(residual) - blocks * block :].reshape(blocks, block, -1).sum(axis=1)
    mean = np.maximum(expected * block / length, 0.25)
    own = sums.var(axis=0, ddof=1) / mean
    # Cells alike in size vary alike: the belief is the mean over cells expecting about as much (within a factor of 4).
    size = np.clip(np.floor(np.log(mean) / np.log(4.0)), -1, 8).astype(int) + 1
    common = np.bincount(size, own) / np.maximum(np.bincount(size), 1)
    shrunk = ((blocks - 1) * own + settings.prior_blocks * common[size]) / (blocks - 1 + settings.prior_blocks)
    return np.maximum(shrunk, 1.0)

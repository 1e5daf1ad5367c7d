"""Every cell of the counts judged against its null, and which of them the error rates allow to be told."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from triage.hotspots.baseline import Baseline, baseline_rows, day_kind, day_weights, fit, judge
from triage.hotspots.cells import LAYERS, Cell, Cells, cells_of, shares
from triage.hotspots.events import Judged, ZoneFound
from triage.hotspots.places import zones_of
from triage.hotspots.regression import Floats
from triage.hotspots.replay import Calibration, calibrate
from triage.hotspots.scan import null_maxima, p_value, prune, scan
from triage.hotspots.season import seasons
from triage.hotspots.selection import hierarchical, recurrence
from triage.hotspots.series import Counts
from triage.hotspots.settings import DetectionSettings
from triage.hotspots.shocks import exposures
from triage.regions import UNKNOWN

LONGEST = 36_500.0
"""Days; a recurrence interval beyond a century says no more than a century."""
_RARE = 1e-4  # a cell too small to reach this p-value past the effect floor counts as a part of a cell in the budget
_GIANT, _GIANT_FLOOR = 5, 20  # times the 95th percentile of the cell's days, and complaints: a day beyond both together is no count
_PROMISING = 8.0  # chance alone seldom lets a zone score as much: below it no draws are spent


def judge_cells(counts: Counts, last: date, settings: DetectionSettings) -> tuple[Judged, list[int], list[ZoneFound]] | None:
    """Every cell, the columns of those that stand out, and the zones that do; None when there is too little history.

    Args:
        counts: daily counts without what is ignored.
        last: last day judged, within the counts.
        settings: see there.

    Raises:
        ConfigError: a year without a working-day calendar.
    """
    whole = _recent(counts, last, counts.days)
    counts = _recent(counts, last, settings.durations[-1] + settings.baseline.gap + settings.baseline.days)
    end, present = counts.days, counts.present()
    rows, durations = baseline_rows(present, end, settings.durations, settings.baseline)
    if not durations:
        return None
    counts = _tamed(counts, rows)
    cells = cells_of(counts, settings.by_channel)
    kinds = np.array([day_kind(counts.start + timedelta(days=i)) for i in range(counts.days)])
    weight = day_weights(counts, rows, kinds)
    prior = shares(cells, cells.table[rows].sum(axis=0)) / weight[rows].sum()
    season = seasons(whole, counts.days, rows, settings.season)
    null = fit(cells.table, rows, exposures(counts, cells, weight, rows, season), prior, settings.baseline)
    windows = judge(cells.table, present, end, durations, null, settings.floor)
    calibration = calibrate(durations, settings.floor, settings.baseline)
    p = calibration.p_value(windows.p.min(axis=0), null.rate)
    p[[cell.region == UNKNOWN for cell in cells.cells]] = 1.0
    weights, interval = _rationed(cells, p, null.rate, calibration, settings)
    passing = hierarchical(np.minimum(p / weights, 1.0), cells.family, settings.budget.fdr)
    passing &= interval >= 7 / settings.budget.alerts_a_week
    judged = Judged(cells, windows, p, interval, counts.regions, settings.floor)
    return judged, np.flatnonzero(passing).tolist(), find_zones(judged, null, calibration, settings)


def _tamed(counts: Counts, rows: NDArray[np.intp]) -> Counts:
    """The counts, where a single giant day of the baseline (a wrong import, a load test) gives way to the cell's median day."""
    past = counts.observed[rows]
    middle, high = len(rows) // 2, int(0.95 * (len(rows) - 1))
    ranked = np.partition(past, (middle, high), axis=0)
    giant = past > _GIANT * ranked[high] + _GIANT_FLOOR
    if not giant.any():
        return counts
    observed = counts.observed.copy()
    observed[rows] = np.where(giant, ranked[middle], past)
    return replace(counts, observed=observed)


def _recent(counts: Counts, last: date, span: int) -> Counts:
    end = counts.day(last) + 1
    begin = max(end - span, 0)
    return replace(counts, start=counts.start + timedelta(days=begin), observed=counts.observed[begin:end])


def _rationed(cells: Cells, p: Floats, rate: Floats, calibration: Calibration, settings: DetectionSettings) -> tuple[Floats, Floats]:
    """Weight of each cell's p-value (mean about 1, Genovese, Roeder & Wasserman 2006) and the days between false alerts like it."""
    reach = np.minimum(calibration.p_value(np.full(len(p), 0.3), rate) / _RARE, 1.0)
    weights, interval = np.empty(len(p)), np.empty(len(p))
    for i, layer in enumerate(LAYERS):
        rows = cells.layer == i
        size, share = max(reach[rows].sum(), 1.0), settings.budget.share(layer)
        weights[rows] = share * reach.sum() / size
        interval[rows] = recurrence(p[rows], size, share, calibration.stay)
    return weights, np.minimum(interval, LONGEST)


def find_zones(judged: Judged, null: Baseline, calibration: Calibration, settings: DetectionSettings) -> list[ZoneFound]:
    """The best zone of several regions of each category, where the alert budget allows it.

    Args:
        judged: every cell.
        null: their baseline.
        calibration: of the same windows.
        settings: see there.
    """
    placed = tuple(region for region in judged.regions if region != UNKNOWN)
    if len(placed) < 2:
        return []
    zones, durations, found = zones_of(placed), judged.windows.durations, []
    days = durations[-1]
    categories = [key for key in judged.cells.keys if "." in key]
    for number, key in enumerate(categories):
        columns = np.array([judged.cells.position[Cell(key, region)] for region in placed])
        observed, expected = judged.cells.table[-days:, columns], null.exposure[-days:, columns] * null.rate[columns]
        best = next(iter(scan(observed, expected, zones)), None)
        if best is None or len(best.places) < 2 or best.score < _PROMISING:
            continue
        pruned = prune(best, observed, expected)
        # The scan tries every duration; the event is told over the nearest of those that are tested.
        window = int(np.abs(np.array(durations) - pruned.duration).argmin())
        members = columns[list(pruned.places)]
        together = [table[window, members].sum() for table in (judged.windows.observed, judged.windows.expected)]
        if len(members) < 2 or not settings.floor.passed(*together):
            continue
        phi = float(judged.windows.dispersion[window, columns].mean())
        p = p_value(best.score, null_maxima(expected, zones, settings.replications, number, phi))
        interval = float(recurrence(np.array(p), len(categories), settings.budget.zone, calibration.stay))
        if interval >= 7 / settings.budget.alerts_a_week:
            found.append(ZoneFound(key, tuple(placed[i] for i in pruned.places), window, p, min(interval, LONGEST)))
    return found

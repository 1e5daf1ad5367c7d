"""Heat map, frequent issues, matrix and regional risk index: pure functions over counts.

The store sums its daily roll-ups of a time range into `CellCount` rows, once for the range asked for and once for the same
number of days before; everything here is arithmetic on the two. `days` and `previous_days` are the days of each range on which
the store has data: a range that reaches back beyond the first complaint must not make the past look quiet.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triage.types import HeatCell, Issue, RegionRisk

if TYPE_CHECKING:
    from triage.regions import Region

PRIOR_CASES = 10.0
"""Complaints' worth of prior: a region with 10 complaints is pulled half way to the national figure, one with 1,000 hardly at all."""
RISK_WEIGHTS = {"rate": 0.30, "severity": 0.25, "exceedance": 0.25, "hotspots": 0.20}


@dataclass(frozen=True, slots=True)
class CellCount:
    """Complaints of one region and category over a whole time range: all, those of severity 3 or 4, those with negative sentiment."""

    region: str
    category: str
    n: int
    severe: int = 0
    negative: int = 0


@dataclass(frozen=True, slots=True)
class Matrix:
    """Category x region: `counts[i][j]` and `expected[i][j]` are those of `categories[i]` in `regions[j]`; `expected` is None
    throughout where there is no period before."""

    categories: tuple[str, ...]
    regions: tuple[str, ...]
    counts: list[list[int]]
    expected: list[list[float | None]]


@dataclass(slots=True)
class _Sum:
    """Running totals of one region or category."""

    n: int = 0
    severe: int = 0
    negative: int = 0

    def add(self, cell: CellCount) -> None:
        self.n += cell.n
        self.severe += cell.severe
        self.negative += cell.negative


def heat_cells(
    counts: Iterable[CellCount], previous: Iterable[CellCount], regions: Sequence["Region"], days: int, previous_days: int
) -> list[HeatCell]:
    """One cell per region of `regions`, in their order, those without complaints included.

    Args:
        counts: rows of the time range; rows of other regions (and of complaints without one) are left out.
        previous: rows of the period before.
        regions: the regions to show: all provinces, or the cities of one.
        days: days of the range with data.
        previous_days: days of the period before with data; 0 = there is no baseline.
    """
    counts = list(counts)
    now, before = _by_region(counts), _by_region(previous)
    top: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for cell in counts:
        top[cell.region][cell.category] += cell.n
    cells = []
    for region in regions:
        total = now.get(region.adcode, _Sum())
        expected = _scale(before.get(region.adcode, _Sum()).n, days, previous_days)
        rate = total.n / region.population * 1e6 / days if region.population and days else None
        cells.append(
            HeatCell(
                region=region.adcode,
                name=region.short,
                count=total.n,
                severe=total.severe,
                negative=total.negative,
                rate=rate,
                expected=expected,
                exceedance=None if expected is None else exceedance(total.n, expected),
                top_category=top[region.adcode].most_common(1)[0][0] if total.n else None,
            )
        )
    return cells


def exceedance(count: int, expected: float) -> float:
    """(count - expected) / sqrt(expected): the Pearson residual of a Poisson count.

    `expected` under 1 counts as 1 in the divisor, so that three complaints where there were none read as 3 and not as infinity.
    """
    return (count - expected) / math.sqrt(max(expected, 1.0))


def frequent_issues(
    counts: Iterable[CellCount],
    previous: Iterable[CellCount],
    names: Mapping[str, str],
    days: int,
    previous_days: int,
    limit: int = 20,
) -> list[Issue]:
    """The categories with most complaints, most frequent first.

    Args:
        counts: rows of the time range.
        previous: rows of the period before.
        names: category key -> name; a key without a name keeps the key.
        days: days of the range with data.
        previous_days: days of the period before with data; `change` compares complaints a day.
        limit: at most so many issues.
    """
    now: defaultdict[str, _Sum] = defaultdict(_Sum)
    places: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for cell in counts:
        now[cell.category].add(cell)
        places[cell.category][cell.region] += cell.n
    before: Counter[str] = Counter()
    for cell in previous:
        before[cell.category] += cell.n
    everything = sum(total.n for total in now.values())
    ranked = sorted((key for key in now if now[key].n), key=lambda key: (-now[key].n, key))[:limit]
    return [
        Issue(
            category=key,
            name=names.get(key, key),
            count=now[key].n,
            share=now[key].n / everything,
            severe=now[key].severe,
            previous=before[key],
            change=change(now[key].n, _scale(before[key], days, previous_days)),
            top_regions=tuple(region for region, n in places[key].most_common(3) if n),
        )
        for key in ranked
    ]


def change(count: int, expected: float | None) -> float | None:
    """Relative change, .35 = 35 % more; None where there is nothing to compare with."""
    return count / expected - 1 if expected else None


def matrix(
    counts: Iterable[CellCount],
    previous: Iterable[CellCount],
    categories: Sequence[str],
    regions: Sequence[str],
    days: int,
    previous_days: int,
) -> Matrix:
    """Counts and expectations of every category (rows) in every region (columns); rows of other keys are left out.

    Args:
        counts: rows of the time range.
        previous: rows of the period before.
        categories: keys, in the order wanted.
        regions: adcodes, in the order wanted.
        days: days of the range with data.
        previous_days: days of the period before with data.
    """
    row, column = {key: i for i, key in enumerate(categories)}, {key: j for j, key in enumerate(regions)}

    def table(cells: Iterable[CellCount]) -> list[list[int]]:
        sums = [[0] * len(regions) for _ in categories]
        for cell in cells:
            if cell.category in row and cell.region in column:
                sums[row[cell.category]][column[cell.region]] += cell.n
        return sums

    expected = [[_scale(n, days, previous_days) for n in line] for line in table(previous)]
    return Matrix(tuple(categories), tuple(regions), table(counts), expected)


def risk_index(
    counts: Iterable[CellCount],
    previous: Iterable[CellCount],
    regions: Sequence["Region"],
    days: int,
    previous_days: int,
    hotspots: Mapping[str, int],
) -> list[RegionRisk]:
    """Regional risk index 0-100, highest first.

    Three ratios say how a region compares; each is shrunk towards 1 by a gamma prior worth k = `PRIOR_CASES` complaints (Clayton &
    Kaldor 1987, empirical Bayes relative risks), so that a handful of complaints cannot put a small region on top:

    - rate: (n + k) / (n_pop + k), n_pop = the complaints the region would have had at the rate of all `regions` together
      (by population; by equal shares where no population is known, as among cities);
    - severity: (s + k) / (n s0 + k), s = complaints of severity 3-4, s0 = their share in all regions;
    - exceedance: (n + k) / (e + k), e = expected from the period before (1 without one).

    A ratio r becomes a part of 0-100 by 100 r^2 / (1 + r^2): 1 -> 50, 1.5 -> 69, 2 -> 80, 3 -> 90. Open hotspots h give
    100 (1 - 2^-h): 0, 50, 75, ... The index is the mean of the four, weighted by `RISK_WEIGHTS`: a region like all others without a
    hotspot has 40. The weights are a convention for ranking, not an estimate.

    Args:
        counts: rows of the time range.
        previous: rows of the period before.
        regions: the regions to compare with each other.
        days: days of the range with data.
        previous_days: days of the period before with data; 0 = there is no baseline.
        hotspots: adcode -> open hotspots there.
    """
    now, before = _by_region(counts), _by_region(previous)
    totals = [now.get(region.adcode, _Sum()) for region in regions]
    n_all, severe_all = sum(total.n for total in totals), sum(total.severe for total in totals)
    severe_share = severe_all / n_all if n_all else 0.0
    populations = [region.population for region in regions]
    exposure = populations if all(populations) else [1] * len(regions)
    k = PRIOR_CASES
    found = []
    for region, total, weight in zip(regions, totals, exposure, strict=True):
        rate = (total.n + k) / (n_all * weight / sum(exposure) + k)
        severity = (total.severe + k) / (total.n * severe_share + k)
        expected = _scale(before.get(region.adcode, _Sum()).n, days, previous_days)
        rise = 1.0 if expected is None else (total.n + k) / (expected + k)
        open_hotspots = hotspots.get(region.adcode, 0)
        parts = {
            "rate": _part(rate),
            "severity": _part(severity),
            "exceedance": _part(rise),
            "hotspots": 100 * (1 - 0.5**open_hotspots),
        }
        found.append(
            RegionRisk(
                region=region.adcode,
                name=region.short,
                index=round(sum(RISK_WEIGHTS[key] * part for key, part in parts.items()), 1),
                count=total.n,
                rate_part=round(parts["rate"], 1),
                severity_part=round(parts["severity"], 1),
                exceedance_part=round(parts["exceedance"], 1),
                hotspots=open_hotspots,
            )
        )
    return sorted(found, key=lambda risk: (-risk.index, risk.region))


def _part(ratio: float) -> float:
    return 100 * ratio**2 / (1 + ratio**2)


def _scale(previous: int, days: int, previous_days: int) -> float | None:
    """Complaints expected on `days` days at the daily rate of the period before."""
    return previous / previous_days * days if previous_days else None


def _by_region(cells: Iterable[CellCount]) -> dict[str, _Sum]:
    sums: defaultdict[str, _Sum] = defaultdict(_Sum)
    for cell in cells:
        sums[cell.region].add(cell)
    return dict(sums)

"""Surveillance of count series beside R: parity, detection on simulated series, speed. Part of `make bench-hotspots`.

References (outputs of R surveillance 1.20.3, simulated series of Noufaily et al. 2013) are no part of this repository; without the folder
the parts that need them say so, and detection is measured on series simulated here.
"""

import csv
import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.simulated_series import TEST, simulate_series
from triage.hotspots.farrington import CONFIGS, Judged, farrington
from triage.hotspots.regression import Floats
from triage.hotspots.surveillance import surveil

Alarms = NDArray[np.bool_]
_R_MS = 7.0  # milliseconds a series-week of R surveillance 1.20.3 on one core
_SERIES = 4_340


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Series with one outbreak each; arrays (series, weeks). `first`, `last`: index of the outbreak's weeks, (series,)."""

    name: str
    quiet: Floats
    outbreak: Floats
    first: NDArray[np.intp]
    last: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Detection:
    """False positive rate over null weeks; outbreaks found by their end, and in their first week; alarms on weeks with outbreak cases."""

    fpr: float
    pod: float
    first_week: float
    ppv: float

    def __str__(self) -> str:
        return f"{self.fpr:>8.4f}{self.pod:>8.3f}{self.first_week:>12.3f}{self.ppv:>8.2f}"


def report(folder: Path) -> Iterator[str]:
    """Lines of the report. `folder` = references, which may be missing."""
    yield "## Parity with R surveillance 1.20.3 farringtonFlexible"
    if folder.is_dir():
        yield from _parity(folder)
    else:
        yield f"skipped: no folder {folder} with the outputs of R"
    yield ""
    yield "## Detection: one outbreak in the last 49 weeks of each series (simulated)"
    held = [held_series(folder)] if folder.is_dir() else []
    if not held:
        yield f"the 420 reference series are skipped: no folder {folder}"
    for benchmark in [*held, own_series()]:
        yield f"{benchmark.name:52}{'FPR':>8}{'POD':>8}{'first week':>12}{'PPV':>8}"
        for name, alarms in _methods().items():
            yield f"  {name:50}{detection(benchmark, alarms(benchmark.quiet), alarms(benchmark.quiet + benchmark.outbreak))}"
        if benchmark in held:
            for name in ("nbPlugin", "muan"):
                quiet, outbreak = (r_alarms(folder, f"noufaily_{name}", variant, benchmark.quiet.shape) for variant in ("null", "outbreak"))
                yield f"  {'R farringtonFlexible ' + name + ', 5 years':50}{detection(benchmark, quiet, outbreak)}"
    yield ""
    yield f"## Speed: {_SERIES:,} series of 312 weeks, processor time of one thread"
    yield from _speed()


def detection(benchmark: Benchmark, quiet: Alarms, outbreak: Alarms) -> Detection:
    """Figures from alarms on the series without and with their outbreak."""
    weeks = np.arange(quiet.shape[1])
    inside = (weeks >= benchmark.first[:, None]) & (weeks <= benchmark.last[:, None])
    test = slice(TEST, None)
    raised = outbreak[:, test]
    return Detection(
        fpr=float(quiet[:, test].mean()),
        pod=float((outbreak & inside).any(axis=1).mean()),
        first_week=float(outbreak[np.arange(len(outbreak)), benchmark.first].mean()),
        ppv=float((benchmark.outbreak[:, test] > 0)[raised].mean()),
    )


def held_series(folder: Path) -> Benchmark:
    """The 420 reference series: no constant was chosen on them."""
    with gzip.open(folder / "noufaily_series.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",", skiprows=1)
    table = table.reshape(len(np.unique(table[:, 0])), -1, table.shape[1])
    with (folder / "noufaily_meta.csv").open() as file:
        meta = {int(row["series"]): row for row in csv.DictReader(file)}
    of = [meta[int(number)] for number in table[:, 0, 0]]
    first, last = (np.array([int(row[name]) - 1 for row in of]) for name in ("start", "end"))
    return Benchmark(f"{len(table)} reference series", table[:, :, 2], table[:, :, 3], first, last)


def own_series() -> Benchmark:
    """Series drawn as those that the constants were chosen on, with another seed; outbreaks without a case are left out."""
    series = simulate_series(10, 20_130)
    drawn = series.outbreak.any(axis=1)
    quiet, outbreak = series.quiet[drawn], series.outbreak[drawn]
    last = outbreak.shape[1] - 1 - (outbreak[:, ::-1] > 0).argmax(axis=1)
    return Benchmark(f"{len(quiet)} series simulated here", quiet, outbreak, (outbreak > 0).argmax(axis=1), last)


def r_alarms(folder: Path, method: str, variant: str, shape: tuple[int, ...]) -> Alarms:
    """R's alarms on the reference series, shape (series, weeks)."""
    found = np.zeros(shape, dtype=bool)
    rows: dict[str, int] = {}
    with gzip.open(folder / "noufaily_R_alarms.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            number = rows.setdefault(row["series"], len(rows))
            if row["method"] == method and row["variant"] == variant:
                found[number, int(row["t"]) - 1] = row["alarm"] == "1"
    return found


def _methods() -> dict[str, Callable[[Floats], Alarms]]:
    five = {bound: replace(CONFIGS["noufaily_a01"], years=5, bound=bound) for bound in ("nbPlugin", "muan")}
    original = replace(CONFIGS["jss_orig"], years=5, alpha=0.01, least_cases=5, within_weeks=4)
    return {
        "best (season-trend, scan over 1-3 weeks)": lambda counts: surveil(counts).alarm,
        "farrington-flexible, nbPlugin, 5 years": lambda counts: farrington(counts, five["nbPlugin"]).alarm,
        "farrington-flexible, muan, 5 years": lambda counts: farrington(counts, five["muan"]).alarm,
        "original Farrington 1996, 5 years": lambda counts: farrington(counts, original).alarm,
        "gamma-poisson": lambda counts: surveil(counts, "gamma-poisson").alarm,
        "cusum": lambda counts: surveil(counts, "cusum").alarm,
        "EARS C1 (3 standard deviations over 7 weeks)": _ears,
        "rule of thumb: 13 weeks 35 % above the 13 before": _rule_of_thumb,
    }


def _ears(counts: Floats) -> Alarms:
    """Hutwagner et al. 2003, Emerg Infect Dis 9:1: method C1."""
    found = np.zeros(counts.shape, dtype=bool)
    past = np.lib.stride_tricks.sliding_window_view(counts, 7, axis=1)[:, :-1]
    found[:, 7:] = counts[:, 7:] > past.mean(axis=2) + 3 * past.std(axis=2, ddof=1)
    return found


def _rule_of_thumb(counts: Floats) -> Alarms:
    total = np.cumsum(np.pad(counts, ((0, 0), (1, 0))), axis=1)
    quarter = total[:, 13:] - total[:, :-13]
    found = np.zeros(counts.shape, dtype=bool)
    found[:, 25:] = quarter[:, 13:] > 1.35 * quarter[:, :-13]
    return found


def _parity(folder: Path) -> Iterator[str]:
    yield f"{'series':10}{'config':16}{'weeks':>6}{'alarms':>8}{'R':>5}{'alarms equal':>14}{'largest difference of a bound':>31}"
    for series in ("newport", "agona", "shadar"):
        with (folder / f"series_{series}.csv").open() as file:
            weeks = list(csv.DictReader(file))
        counts = np.array([[float(week["observed"]) for week in weeks]])
        dates = [date.fromisoformat(week["epoch"]) for week in weeks] if series == "newport" else None
        for config in ("noufaily_a01", "muan", "default", "jss_improved"):
            with (folder / f"farringtonFlexible_{series}_{config}.csv").open() as file:
                rows = list(csv.DictReader(file))
            at = np.array([int(row["t"]) for row in rows]) - 1
            judged: Judged = farrington(counts, CONFIGS[config], dates)
            alarms = np.array([float(row["alarm"]) > 0 for row in rows])
            bounds = np.array([float(row["upperbound"]) if row["upperbound"] not in ("", "NA") else np.nan for row in rows])
            ours, bound = judged.alarm[0, at], judged.upperbound[0, at]
            known = np.isfinite(bounds)
            gap = np.abs(bound - bounds)[known].max() if (known == np.isfinite(bound)).all() else np.nan
            same = "yes" if (ours == alarms).all() else f"{(ours != alarms).sum()} differ"
            yield f"{series:10}{config:16}{len(at):>6}{ours.sum():>8}{alarms.sum():>5}{same:>14}{gap:>31.1e}"


def _speed() -> Iterator[str]:
    drawn = simulate_series(-(-_SERIES // 42), 7).quiet[:_SERIES, -312:]
    yield f"{'method':24}{'weeks judged':>14}{'seconds':>9}{'us a series-week':>18}{'times R':>9}"
    for method in ("best", "farrington-flexible", "gamma-poisson", "cusum"):
        begin = time.process_time()
        judged = surveil(drawn, method)
        seconds = time.process_time() - begin
        # Where the best method is short of history it falls back on a cheaper one: only the model's own weeks count.
        weeks = _SERIES * (312 - 104) if method == "best" else int(np.isfinite(judged.expected).sum())
        yield f"{method:24}{weeks:>14,}{seconds:>9.1f}{1e6 * seconds / weeks:>18.1f}{1e3 * _R_MS * weeks / 1e6 / seconds:>9.0f}"

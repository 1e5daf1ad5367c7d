"""What surveillance and hotspot detection find and what they cost: `make bench-hotspots`. Nothing here is asserted.

Counts are simulated (模拟数据): outbreaks are planted in them and judged day by day, as the service would, under the categories of a
classifier with the errors that were measured (data/simulation/confusion.csv), and as far as complaints are recorded by then. Beside what
was found stands what could have been at best (`training.benchmark_limit`).
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from training import benchmark_limit
from training.benchmark_streams import DURATIONS, END, JUDGED, RISKS, Tally, follow, plant, plant_by_size
from training.benchmark_surveillance import report
from training.simulate import load_settings
from training.simulated_counts import simulate_counts
from training.simulated_errors import CROSS_VALIDATION, confusion_matrix, measured_errors
from triage.hotspots.regression import Floats
from triage.hotspots.settings import Budget, DetectionSettings

_BANDS = ((1.0, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 16.0))
"""Complaints a day that are usual where an outbreak lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What `hotspot_report` simulates; see `--help`."""

    streams: int
    a_day: float
    usual: float
    history: int
    errors: str
    settings: DetectionSettings

    @property
    def confusion(self) -> Floats:
        """P(predicted | true)."""
        return confusion_matrix(load_settings()["categories"], self.errors)

    @property
    def alpha(self) -> float:
        """Level that the alert budget leaves each of the cells category x province. While nothing is to be found, the false discovery rate
        is the share of days on which something is told none the less."""
        budget = self.settings.budget
        return benchmark_limit.level(min(budget.alerts_a_week, 7 * budget.fdr), len(load_settings()["categories"]) * 34)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m training.benchmark_hotspots", description=__doc__)
    add = parser.add_argument
    add("--references", type=Path, default=Path("../shared/hotspot"), metavar="DIR", help="outputs of R (default: %(default)s)")
    add("--streams", type=int, default=10, metavar="N", help="simulated streams of each kind (default: 10)")
    add("--a-day", type=float, default=600.0, metavar="N", help="complaints a day (default: 600, a bank of 220,000 a year)")
    add("--usual", type=float, default=2.0, metavar="N", help="outbreaks lie where at least so many a day are usual (default: 2)")
    add("--history", type=int, default=365, metavar="DAYS", help="default: 365")
    add("--errors", choices=tuple(measured_errors()), default=CROSS_VALIDATION, help="of the classifier (default: %(default)s)")
    add("--fdr", type=float, default=Budget().fdr, metavar="Q", help="default: %(default)s")
    add("--alerts-a-week", type=float, default=Budget().alerts_a_week, metavar="N", help="default: %(default)s")
    add("--only", choices=("surveillance", "hotspots", "sizes"), help="one of the parts")
    args = parser.parse_args(argv)
    settings = DetectionSettings()
    settings = replace(settings, budget=replace(settings.budget, fdr=args.fdr, alerts_a_week=args.alerts_a_week))
    bench = Bench(
        streams=args.streams, a_day=args.a_day, usual=args.usual, history=args.history, errors=args.errors, settings=settings
    )  # fmt: skip
    parts = {
        "surveillance": lambda: ["# Surveillance of count series", *report(args.references)],
        "hotspots": lambda: hotspot_report(bench),
        "sizes": lambda: size_report(bench),
    }
    for name, lines in parts.items():
        if args.only in (None, name):
            for line in lines():
                print(line, flush=True)
            print()
    return 0


def hotspot_report(bench: Bench) -> Iterator[str]:
    """Lines of the report on `find_hotspots`."""
    yield f"# Hotspots on simulated counts: {bench.a_day:,.0f} complaints a day, {bench.history} days of history, {bench.streams} streams of {JUDGED} days judged"
    yield "# 44 categories x 34 provinces x 9 channels and parents; delays = letters and the like recorded days later"
    yield f"# at best: a test that knows cell, first day, size and the true mean of each day, at {bench.alpha:.1e} false alerts a cell and day"
    for name, confusion, delayed in (
        ("true categories", None, False),
        (f"predicted categories (errors: {bench.errors}), delays", bench.confusion, True),
    ):
        quiet, raised = Tally(), Tally()
        for number in range(bench.streams):
            rng = np.random.default_rng([5, number])
            for planted, tally in (([], quiet), (plant(rng, number, bench.usual / bench.a_day), raised)):
                stream = simulate_counts(END, bench.history + JUDGED, bench.a_day, planted, 100 + number, confusion, delayed)
                follow(stream, tally, bench.settings)
        yield ""
        yield f"## {name} (simulated)"
        yield f"alerts a week where nothing is planted: {_plus_minus(quiet.false_alerts_a_week)}"
        yield from _false(raised)
        yield f"seconds a daily run: {(quiet.seconds + raised.seconds) / (quiet.days + raised.days):.2f}"
        yield f"{'relative risk':>14}{'days':>6}" + _HEADER
        for risk in RISKS:
            for days in DURATIONS:
                chosen = [i for i, p in enumerate(raised.planted) if (p.relative_risk, p.days) == (risk, days)]
                if chosen:
                    yield f"{risk:>14}{days:>6}" + _row(raised, chosen, bench.alpha)


def size_report(bench: Bench) -> Iterator[str]:
    """Lines of the report on outbreaks of relative risk 2 over two weeks in one province, by how many complaints a day are usual there."""
    a_day = max(bench.a_day, 1_500.0)  # in a smaller bank hardly a cell has more than 4 a day
    yield f"# Relative risk 2 over two weeks in one province: {a_day:,.0f} complaints a day, {bench.streams} streams of each size"
    for name, confusion, delayed in (
        ("true categories", None, False),
        (f"predicted categories (errors: {bench.errors}), delays", bench.confusion, True),
    ):
        yield ""
        yield f"## {name} (simulated)"
        yield f"{'usual a day':>20}" + _HEADER
        every = Tally()
        for low, high in _BANDS:
            tally = Tally()
            for number in range(bench.streams):
                planted = plant_by_size(np.random.default_rng([9, number]), low / a_day, high / a_day)
                stream = simulate_counts(END, bench.history + JUDGED, a_day, planted, 500 + number, confusion, delayed)
                follow(stream, tally, bench.settings)
            every.events += tally.events
            every.days += tally.days
            if tally.planted:
                yield f"{f'{low:g}-{high:g}':>20}" + _row(tally, range(len(tally.planted)), bench.alpha)
        yield from _false(every)


_HEADER = f"{'outbreaks':>11}{'usual':>7}{'POD':>7}{'at best':>9}{'median delay, days':>20}{'at best':>9}{'within 3 days':>15}{'at best':>9}{'Jaccard':>9}"


def _row(tally: Tally, chosen: Sequence[int], alpha: float) -> str:
    """POD, median delay over all outbreaks (those never found have the longest), share found within 3 days, place; each with the limit."""
    delay = np.array([tally.found[i][0] if i in tally.found else np.inf for i in chosen])
    best = benchmark_limit.delays([tally.null[i] for i in chosen], [tally.raised[i] for i in chosen], alpha)
    place = np.array([tally.found[i][1] for i in chosen if i in tally.found])
    figures = [f"{len(chosen):>11}{np.median([tally.expected[i] for i in chosen]):>7.1f}"]
    figures += [f"{np.isfinite(delay).mean():>7.2f}{np.isfinite(best).mean():>9.2f}"]
    figures += [f"{_days(delay):>20}{_days(best):>9}{(delay <= 3).mean():>15.2f}{(best <= 3).mean():>9.2f}"]
    return "".join(figures) + (f"{place.mean():>9.2f}" if len(place) else f"{'-':>9}")


def _days(delay: Floats) -> str:
    ranked = np.sort(delay)  # of an even number the later of the two in the middle: one of them may be never
    middle = ranked[len(ranked) // 2]
    return f"{middle:.0f}" if np.isfinite(middle) else "never"


def _false(tally: Tally) -> Iterator[str]:
    share = _plus_minus(tally.false_discovery_rate)
    yield f"false discovery rate where {len(tally.planted) / max(len(tally.events), 1):.0f} outbreaks are planted: {share} of {sum(n for _, n in tally.events)} alerts"
    yield f"false alerts a week there: {_plus_minus(tally.false_alerts_a_week)}"


def _plus_minus(value: tuple[float, float]) -> str:
    return f"{value[0]:.2f} (standard error {value[1]:.2f})"


if __name__ == "__main__":
    raise SystemExit(main())

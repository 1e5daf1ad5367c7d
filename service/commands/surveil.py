"""triage surveil: count series from a CSV file -> expected count, upper bound and alarm per period."""

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import numpy as np

from triage.errors import InputError
from triage.hotspots.farrington import CONFIGS, Judged
from triage.hotspots.surveillance import LEAST_PERIODS, METHODS, surveil

COLUMNS = ("series", "t", "observed", "expected", "upperbound", "alarm", "pvalue")
_ONLY = "1"  # the name of the series in a file without a column `series`


@dataclass(frozen=True, slots=True)
class _Series:
    """One series on an even grid: `labels` as the file spells them (None = a gap), NaN where there is no count; `exposure` None = none."""

    name: str
    first: int
    labels: tuple[str | None, ...]
    observed: tuple[float, ...]
    exposure: tuple[float, ...] | None
    dates: tuple[date, ...] | None


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the file."""

    label: str
    observed: float
    epoch: str
    exposure: float | None


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "surveil",
        help="expected count, bound and alarm for each period of count series",
        description="Reads CSV `t,observed` or `series,t,observed` (t: whole numbers or dates; a column `epoch` with dates, where there is "
        "one, gives the calendar) and writes CSV series,t,observed,expected,upperbound,alarm,pvalue. A period that is missing from the file "
        "is missing, not zero. A period without enough history has no expectation. Periods should be complete: see --incomplete. A column "
        "`exposure` (customers, accounts, calls; or the share of a period's complaints reported by now) makes rates of the counts.",
    )
    parser.add_argument("--counts", required=True, metavar="FILE", help="CSV file, - = standard input")
    parser.add_argument("--method", default=METHODS[0], help=f"one of {', '.join(METHODS)} (default: {METHODS[0]})")
    parser.add_argument("--config", metavar="NAME", help=f"settings of farrington-flexible: {', '.join(CONFIGS)} (default: noufaily_a01)")
    parser.add_argument("--alpha", type=float, metavar="A", help="one-sided level of the bound (default: that of the method or config)")
    parser.add_argument(
        "--incomplete", type=int, default=0, metavar="N", help="last N periods are still being reported: not judged (default: 0)"
    )
    parser.add_argument("--from", dest="first", metavar="T", help="write periods from T on (default: all)")
    parser.add_argument("--out", metavar="FILE", help="default: standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, judge, write. Raises: InputError."""
    series = read_series(args.counts)
    first = None if args.first is None else _period(args.first, "--from", None)
    judged = dict(_judge(series, args))
    if all(np.isnan(answers.expected[row]).all() for answers, row in judged.values()):
        longest = max(len(one.observed) for one in series)
        raise InputError(
            "--counts", f"{longest} periods at most", f"more history for {args.method}; gamma-poisson needs {LEAST_PERIODS} periods"
        )
    with nullcontext(sys.stdout) if args.out is None else Path(args.out).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for number, one in enumerate(series):
            writer.writerows(_rows(one, *judged[number], first))
    return 0


def _judge(series: list[_Series], args: argparse.Namespace) -> Iterator[tuple[int, tuple[Judged, int]]]:
    """(position, (answers, row in them)); series over the same periods are judged together."""
    alike: defaultdict[tuple[int, int, tuple[date, ...] | None], list[int]] = defaultdict(list)
    for number, one in enumerate(series):
        if len(one.observed) < LEAST_PERIODS:
            raise InputError("--counts", f"series {one.name}: {len(one.observed)} periods", f"at least {LEAST_PERIODS} periods")
        alike[one.first, len(one.observed), one.dates[:2] if one.dates else None].append(number)
    for numbers in alike.values():
        observed = np.array([series[number].observed for number in numbers])
        exposed = series[0].exposure is not None
        exposure = np.array([series[number].exposure for number in numbers]) if exposed else None
        judged = surveil(observed, args.method, args.config, args.alpha, series[numbers[0]].dates, exposure, args.incomplete)
        yield from ((number, (judged, row)) for row, number in enumerate(numbers))


def _rows(one: _Series, judged: Judged, row: int, first: int | None) -> Iterator[list[str]]:
    for i, (label, observed) in enumerate(zip(one.labels, one.observed, strict=True)):
        if label is None or (first is not None and _period(label, "t", None) < first):
            continue
        numbers = (judged.expected[row, i], judged.upperbound[row, i], judged.pvalue[row, i])
        expected, upper, pvalue = ("" if np.isnan(x) else f"{x:.10g}" for x in numbers)
        count = "" if np.isnan(observed) else f"{observed:g}"
        yield [one.name, label, count, expected, upper, str(int(judged.alarm[row, i])), pvalue]


def read_series(name: str) -> list[_Series]:
    """The series of a CSV file, in the file's order, each sorted by time and put on an even grid.

    Raises:
        InputError: no such file, not UTF-8, a missing column, a `t` or count that cannot be read, or the same period twice.
    """
    path = Path(name)
    if name != "-" and not path.is_file():
        raise InputError("--counts", name, "an existing CSV file")
    with nullcontext(sys.stdin) if name == "-" else path.open(encoding="utf-8-sig", newline="") as file:
        try:
            return _parse(file)
        except UnicodeDecodeError:
            raise InputError("--counts", name, "a file in UTF-8") from None


def _parse(file: TextIO) -> list[_Series]:
    reader = csv.DictReader(file)
    columns = reader.fieldnames or []
    missing = [column for column in ("t", "observed") if column not in columns]
    if missing:
        raise InputError("--counts", ", ".join(columns), f"the columns t and observed; {missing[0]} is missing")
    exposed = "exposure" in columns
    found: dict[str, dict[int, _Row]] = {}
    dated: set[bool] = set()
    for number, row in enumerate(reader, start=1):
        periods = found.setdefault(row.get("series") or _ONLY, {})
        t = _period(row["t"], "t", number)
        dated.add(_is_date(row["t"]))
        if t in periods:
            raise InputError("t", row["t"], "each period once in a series", number)
        exposure = _exposure(row["exposure"], number) if exposed else None
        periods[t] = _Row(row["t"], _count(row["observed"], number), row.get("epoch") or row["t"], exposure)
    if not found:
        raise InputError("--counts", "no rows", "at least one series")
    if len(dated) > 1:
        raise InputError("t", "dates and numbers", "one kind of t throughout")
    return [_on_grid(name, periods) for name, periods in found.items()]


def _on_grid(name: str, periods: dict[int, _Row]) -> _Series:
    """Fill gaps with missing periods; a step is the smallest distance between two periods."""
    ts = sorted(periods)
    step = min((b - a for a, b in pairwise(ts)), default=1)
    uneven = next((t for t in ts if (t - ts[0]) % step), None)
    if uneven is not None:
        raise InputError("t", periods[uneven].label, f"periods {step} apart, as elsewhere in series {name!r}")
    cells = [periods.get(t) for t in range(ts[0], ts[-1] + 1, step)]
    first = periods[ts[0]]
    dates = _calendar(first, periods[ts[1]], step, len(cells)) if len(ts) > 1 else None
    # A gap has no count, so that any exposure will do for it.
    exposure = None if first.exposure is None else tuple(c.exposure if c else first.exposure for c in cells)
    labels, observed = tuple(c.label if c else None for c in cells), tuple(c.observed if c else float("nan") for c in cells)
    return _Series(name, ts[0], labels, observed, exposure, dates)


def _calendar(first: _Row, second: _Row, step: int, periods: int) -> tuple[date, ...] | None:
    """Dates of daily or weekly periods, where they are known."""
    if not (_is_date(first.epoch) and _is_date(second.epoch)):
        return None
    start = date.fromisoformat(first.epoch)
    elapsed = (date.fromisoformat(second.epoch) - start).days
    days = elapsed * step / (_period(second.label, "t", None) - _period(first.label, "t", None))
    if days not in (1, 7):
        return None
    return tuple(start + timedelta(days=int(days) * i) for i in range(periods))


def _period(text: str, field: str, row: int | None) -> int:
    if _is_date(text):
        return date.fromisoformat(text).toordinal()
    try:
        return int(text)
    except (TypeError, ValueError):
        raise InputError(field, text, "a whole number or a date such as 2026-03-02", row) from None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except (TypeError, ValueError):
        return False
    return "-" in text


def _count(text: str | None, row: int) -> float:
    if not text or text == "NA":
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        raise InputError("observed", text, "a count", row) from None
    if not 0 <= value < float("inf"):
        raise InputError("observed", text, "a count of 0 or more", row)
    return value


def _exposure(text: str | None, row: int) -> float:
    try:
        value = float(text or "")
    except ValueError:
        raise InputError("exposure", text, "a number above 0", row) from None
    if not 0 < value < float("inf"):
        raise InputError("exposure", text, "a number above 0", row)
    return value

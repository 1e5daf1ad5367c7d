import argparse
import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from service.commands import surveil
from triage.errors import InputError
from triage.workdays import is_workday


def run(path: Path, *options: str) -> list[dict[str, str]]:
    parser = argparse.ArgumentParser()
    surveil.add_parser(parser.add_subparsers())
    out = path.with_suffix(".out")
    args = parser.parse_args(["surveil", "--counts", str(path), "--out", str(out), *options])
    assert args.run(args) == 0
    with out.open() as file:
        return list(csv.DictReader(file))


def counts(path: Path, lines: list[str]) -> Path:
    path = path / "counts.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_each_period_has_its_expectation_bound_and_alarm(tmp_path):
    rows = run(counts(tmp_path, ["t,observed", *(f"{t},{40 if t == 30 else 5}" for t in range(1, 31))]))
    assert list(rows[0]) == ["series", "t", "observed", "expected", "upperbound", "alarm", "pvalue"]
    assert rows[0]["expected"] == "" and rows[0]["alarm"] == "0"
    assert (rows[-1]["t"], rows[-1]["observed"], rows[-1]["expected"], rows[-1]["alarm"]) == ("30", "40", "5", "1")


def test_rows_out_of_order_are_put_in_order(tmp_path):
    lines = [f"{t},{t % 4}" for t in range(1, 31)]
    tidy = run(counts(tmp_path, ["t,observed", *lines]))
    assert run(counts(tmp_path, ["t,observed", *reversed(lines)])) == tidy


def test_a_gap_is_missing_and_not_zero(tmp_path):
    rows = run(counts(tmp_path, ["t,observed", *(f"{t},9" for t in range(1, 41) if not 20 <= t < 30)]))
    assert len(rows) == 30 and rows[-1]["expected"] == "9" and {row["alarm"] for row in rows} == {"0"}


def test_several_series_of_several_lengths_keep_their_order(tmp_path):
    lines = [f"b,{t},4" for t in range(20)] + [f"a,{t},7" for t in range(5, 40)]
    rows = run(counts(tmp_path, ["series,t,observed", *lines]))
    assert [(row["series"], row["t"]) for row in rows] == [tuple(line.split(",")[:2]) for line in lines]
    assert (rows[19]["expected"], rows[-1]["expected"]) == ("4", "7")


def test_dates_are_periods_too_and_from_cuts_what_is_before(tmp_path):
    days = [date(2026, 1, 5) + timedelta(weeks=i) for i in range(30)]
    rows = run(counts(tmp_path, ["t,observed", *(f"{day},3" for day in days)]), "--from", "2026-06-01")
    assert [row["t"] for row in rows] == [str(day) for day in days if day >= date(2026, 6, 1)]


def test_a_column_exposure_makes_rates_of_the_counts(tmp_path):
    lines = ["t,observed,exposure", *(f"{t},{15 if t == 29 else 5},{300 if t == 29 else 100}" for t in range(30) if t != 12)]
    rows = run(counts(tmp_path, lines))
    assert (rows[-1]["expected"], rows[-1]["alarm"]) == ("15", "0")


def test_periods_said_to_be_incomplete_have_their_count_and_no_verdict(tmp_path):
    rows = run(counts(tmp_path, ["t,observed", *(f"{t},{5 if t < 29 else 50}" for t in range(30))]), "--incomplete", "1")
    assert (rows[-1]["observed"], rows[-1]["expected"], rows[-1]["alarm"]) == ("50", "", "0") and rows[-2]["expected"] == "5"


def test_daily_dates_have_weekdays(tmp_path):
    days = [date(2025, 1, 6) + timedelta(days=i) for i in range(280)]
    rows = run(counts(tmp_path, ["t,observed", *(f"{day},{20 if is_workday(day) else 6}" for day in days)]))
    assert all(abs(float(row["expected"]) - float(row["observed"])) < 3 for row in rows[-21:]) and {row["alarm"] for row in rows[120:]} == {
        "0"
    }


@pytest.mark.parametrize(
    ("lines", "options", "field"),
    [
        (["t,observed", *(f"{t},1" for t in range(9))], [], "--counts"),
        (["t,observed", *(f"{t},1" for t in range(20)), "5,2"], [], "t"),
        (["week,observed", "1,2"], [], "--counts"),
        (["t,observed", "1,many"], [], "observed"),
        (["t,observed", "1,-4"], [], "observed"),
        (["t,observed", "first,4"], [], "t"),
        (["t,observed"], [], "--counts"),
        (["t,observed,exposure", *(f"{t},1,{t}" for t in range(20))], [], "exposure"),
        (["t,observed,exposure", *(f"{t},1," for t in range(20))], [], "exposure"),
        (["t,observed", *(f"{t},1" for t in range(20))], ["--method", "farrington-flexible"], "--counts"),
        (["t,observed", *(f"{t},1" for t in range(20))], ["--from", "soon"], "--from"),
    ],
)
def test_bad_files_are_refused_by_name(tmp_path, lines, options, field):
    with pytest.raises(InputError) as error:
        run(counts(tmp_path, lines), *options)
    assert error.value.field == field

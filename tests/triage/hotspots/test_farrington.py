import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from triage.hotspots.farrington import CONFIGS, anniversaries, design, farrington

REFERENCE = Path(__file__).parents[4] / "shared" / "hotspot"
reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason="the outputs of R surveillance are not at hand")


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) if row[name] not in ("", "NA") else np.nan for row in rows])


@reference
@pytest.mark.parametrize("series", ["newport", "agona", "shadar"])
@pytest.mark.parametrize("config", ["noufaily_a01", "muan", "jss_improved", "default"])
def test_bounds_and_alarms_are_those_of_r_surveillance(series, config):
    with (REFERENCE / f"series_{series}.csv").open() as file:
        weeks = list(csv.DictReader(file))
    with (REFERENCE / f"farringtonFlexible_{series}_{config}.csv").open() as file:
        expected = list(csv.DictReader(file))
    dates = [date.fromisoformat(week["epoch"]) for week in weeks] if series == "newport" else None
    judged = farrington(column(weeks, "observed")[None], CONFIGS[config], dates)
    at = np.array([int(row["t"]) for row in expected]) - 1
    assert (judged.alarm[0, at] == (column(expected, "alarm") > 0)).all()
    np.testing.assert_allclose(judged.upperbound[0, at], column(expected, "upperbound"), atol=1e-3)
    np.testing.assert_allclose(judged.pvalue[0, at], column(expected, "pvalue"), atol=1e-3)
    np.testing.assert_allclose(judged.dispersion[0, at], column(expected, "phi"), atol=1e-3)
    known = np.isfinite(column(expected, "expected"))
    np.testing.assert_allclose(judged.expected[0, at][known], column(expected, "expected")[known], atol=1e-3)


def test_the_baseline_is_seven_weeks_a_year_ago_and_nine_levels_of_five_between():
    used = design(CONFIGS["noufaily_a01"], [52, 104, 156])
    assert used.reach == 159 and used.lags.min() == 27
    oldest = np.bincount(used.level[(used.lags > 104 + 3) & (used.lags <= 159)])
    assert oldest.tolist() == [7] + [5] * 9


def test_anniversaries_follow_the_calendar_over_a_year_of_53_weeks():
    assert anniversaries([date(2007, 1, 29)], 3).tolist() == [[52, 104, 157]]
    assert anniversaries([date(2024, 2, 29)], 1).tolist() == [[52]]


def test_series_judged_together_are_judged_as_alone():
    counts = np.random.default_rng(1).poisson(6, (5, 230)).astype(float)
    together = farrington(counts, CONFIGS["noufaily_a01"])
    alone = farrington(counts[3:4], CONFIGS["noufaily_a01"])
    np.testing.assert_allclose(together.upperbound[3], alone.upperbound[0])
    np.testing.assert_allclose(together.expected[3], alone.expected[0], rtol=1e-6)


def test_missing_weeks_are_not_zeros():
    counts = np.full((2, 230), 20.0)
    counts[1, 100:110] = np.nan
    judged = farrington(counts, CONFIGS["noufaily_a01"])
    assert judged.expected[:, -1] == pytest.approx([20, 20], rel=1e-6)
    assert np.isnan(judged.expected[1, 100:110]).all() and not judged.alarm[1, 100:110].any()


def test_a_series_of_zeros_expects_zero_and_raises_no_alarm():
    judged = farrington(np.zeros((1, 230)), CONFIGS["jss_improved"])
    assert judged.expected[0, -1] == 0 and judged.upperbound[0, -1] == 0 and not judged.alarm.any()


def test_one_giant_week_in_the_past_is_weighted_down():
    counts = np.random.default_rng(2).poisson(6, (1, 230)).astype(float)
    plain = farrington(counts, CONFIGS["noufaily_a01"]).expected[0, 229]
    counts[0, 120] = 5_000
    assert farrington(counts, CONFIGS["noufaily_a01"]).expected[0, 229] == pytest.approx(plain, rel=0.5)

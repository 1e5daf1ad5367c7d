from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from training.simulated_series import TEST, simulate_series
from triage.hotspots.season_trend import SeasonTrend, baseline, season_trend
from triage.hotspots.surveillance import surveil
from triage.workdays import is_workday


@pytest.fixture(scope="module")
def quiet():
    """Ten years of weeks of 60 series, a season of +-40 % and a trend of +8 % a year."""
    week = np.arange(520)
    mean = 8 * np.exp(0.4 * np.cos(2 * np.pi * week / 52) + 0.08 * week / 52)
    return mean, np.random.default_rng(5).negative_binomial(mean / 0.5, 1 / 1.5, (60, 520)).astype(float)


def test_the_baseline_follows_season_trend_and_dispersion(quiet):
    mean, counts = quiet
    found = baseline(counts, SeasonTrend())
    assert np.abs(np.log(found.mean[:, -52:] / mean[-52:])).mean() < 0.06
    assert found.dispersion[:, -1].mean() == pytest.approx(1.5, rel=0.06)
    assert found.trend[:, -1].mean() * 52 == pytest.approx(0.08, abs=0.02)


def test_two_years_of_history_are_needed_and_the_future_is_not_seen(quiet):
    counts = quiet[1][:5].copy()
    judged = season_trend(counts)
    assert np.isnan(judged.expected[:, :104]).all() and np.isfinite(judged.expected[:, 104:]).all()
    counts[:, 400:] *= 7
    np.testing.assert_array_equal(season_trend(counts).upperbound[:, :400], judged.upperbound[:, :400])


def test_false_alarms_keep_the_level_and_outbreaks_of_two_weeks_are_found():
    series = simulate_series(5, 1)
    late = slice(260, None)
    quiet, outbreak = series.quiet[:, late], series.outbreak[:, late]
    assert season_trend(quiet).alarm[:, TEST - 260 :].mean() < 0.011
    assert (season_trend(quiet + outbreak).alarm & (outbreak > 0)).any(axis=1).mean() > 0.45


def test_two_weeks_alarm_together_where_neither_would_alone(quiet):
    counts = np.tile(np.random.default_rng(6).poisson(20.0, 300), (3, 1)).astype(float)
    counts[:, -2:] = 20
    counts[1, -1] = counts[2, -2] = counts[2, -1] = 30
    assert season_trend(counts).alarm[:, -1].tolist() == [False, False, True]


def test_a_week_as_usual_after_an_outbreak_is_no_alarm():
    counts = np.random.default_rng(7).poisson(10.0, (1, 300)).astype(float)
    counts[0, -2:] = [60, 10]
    assert season_trend(counts).alarm[0, -2:].tolist() == [True, False]


def test_alarms_are_the_p_values_up_to_the_level(quiet):
    for alpha in (0.001, 0.01, 0.05):
        judged = season_trend(quiet[1], replace(SeasonTrend(), alpha=alpha))
        known = np.isfinite(judged.expected)
        assert (judged.alarm[known] == (judged.pvalue[known] <= alpha)).all()


def test_one_giant_week_in_the_past_changes_nothing_but_its_own_verdict(quiet):
    counts = quiet[1][:5].copy()
    plain = season_trend(counts)
    counts[:, 60] = 100_000  # in the history of the first fit
    counts[:, 300] = 100_000
    judged = season_trend(counts)
    assert judged.alarm[:, 300].all()
    assert judged.expected[:, 104:] == pytest.approx(plain.expected[:, 104:], rel=0.15)
    assert judged.dispersion[:, -1] == pytest.approx(plain.dispersion[:, -1], rel=0.15)


def test_a_shift_of_level_is_an_alarm_and_then_learned():
    rng = np.random.default_rng(10)
    counts = np.concatenate([rng.poisson(10.0, (10, 200)), rng.poisson(25.0, (10, 200))], axis=1).astype(float)
    alarm = season_trend(counts).alarm
    assert alarm[:, 201:215].mean() > 0.9 and alarm[:, -52:].mean() < 0.02


def test_missing_weeks_are_left_out_and_not_judged(quiet):
    counts = quiet[1][:5].copy()
    plain = season_trend(counts)
    counts[:, 250:290] = np.nan
    judged = season_trend(counts)
    assert np.isnan(judged.pvalue[:, 250:290]).all() and not judged.alarm[:, 250:290].any()
    assert judged.expected[:, 300:] == pytest.approx(plain.expected[:, 300:], rel=0.15)


def test_zeros_and_then_a_first_case():
    counts = np.zeros((1, 200))
    assert not season_trend(counts).alarm.any()
    counts[0, -1] = 4
    assert season_trend(counts).alarm[0, -1]


def test_twice_the_customers_are_no_outbreak():
    rng = np.random.default_rng(8)
    exposure = np.where(np.arange(300) < 290, 1_000.0, 3_000.0) * np.ones((40, 1))
    counts = rng.poisson(0.01 * exposure).astype(float)
    assert surveil(counts).alarm[:, 290:].mean() > 0.9
    assert surveil(counts, exposure=exposure).alarm[:, 290:].mean() < 0.05


def test_daily_counts_have_weekdays_and_holidays():
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(700)]
    usual = np.array([10.0 if is_workday(day) else 3.0 for day in days])
    counts = np.random.default_rng(9).poisson(usual, (30, 700)).astype(float)
    judged = season_trend(counts, replace(SeasonTrend(), windows=(1,), shares=(1.0,), least_years=0.25), days)
    assert judged.expected[:, 600:][:, usual[600:] < 5].mean() == pytest.approx(3, rel=0.15)
    assert surveil(counts, dates=days).alarm[:, 100:].mean() < 0.015

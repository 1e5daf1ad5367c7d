from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from training.benchmark_limit import delays, level
from training.benchmark_streams import END, RISKS, Tally, follow, plant, plant_by_size
from training.benchmark_surveillance import Benchmark, detection, held_series, own_series, r_alarms
from training.simulated_counts import Planted, simulate_counts
from training.simulated_series import TEST, WEEKS

REFERENCE = Path(__file__).parents[3] / "shared" / "hotspot"


def test_an_outbreak_is_found_between_its_first_and_last_week_only():
    quiet, cases = np.zeros((2, WEEKS)), np.zeros((2, WEEKS))
    cases[:, 600:602] = 5
    series = Benchmark("two", quiet, cases, np.array([600, 600]), np.array([601, 601]))
    alarms = np.zeros((2, WEEKS), dtype=bool)
    alarms[0, 601] = alarms[1, 602] = True
    found = detection(series, np.zeros_like(alarms), alarms)
    assert (found.fpr, found.pod, found.first_week, found.ppv) == (0.0, 0.5, 0.0, 0.5)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the outputs of R surveillance are not at hand")
def test_the_figures_of_r_are_those_published_with_its_alarms():
    series = held_series(REFERENCE)
    alarms = [r_alarms(REFERENCE, "noufaily_nbPlugin", variant, series.quiet.shape) for variant in ("null", "outbreak")]
    found = detection(series, *alarms)
    assert (round(found.fpr, 4), round(found.pod, 3), round(found.ppv, 2)) == (0.0089, 0.433, 0.60)


def test_own_series_have_an_outbreak_in_the_weeks_judged():
    series = own_series()
    assert (series.first >= TEST).all() and (series.outbreak.sum(axis=1) > 0).all() and series.quiet.shape[1] == WEEKS


def test_two_streams_have_every_risk_with_every_duration():
    planted = [p for number in (0, 1) for p in plant(np.random.default_rng(number), number, 2 / 600)]
    assert len({(p.relative_risk, p.days) for p in planted}) == len(planted) == 3 * len(RISKS)


def test_a_large_outbreak_is_found_where_it_is_and_counted_once():
    planted = Planted("account.restriction", ("440000",), END - timedelta(days=9), END - timedelta(days=1), 5.0)
    tally = Tally()
    follow(simulate_counts(END, 150, 600.0, [planted], 3), tally, judged=10)
    delay, place = tally.found[0]
    assert delay <= 4 and place == 1.0 and tally.days == 10
    [(false, every)] = tally.events
    assert every - false == 1


def test_outbreaks_by_size_lie_where_so_many_are_usual():
    planted = plant_by_size(np.random.default_rng(1), 2 / 1500, 4 / 1500)
    stream = simulate_counts(END, 60, 1_500.0, planted, 1)
    assert len(planted) == len({p.category for p in planted}) == len({p.regions for p in planted}) == 6
    assert all(1 < usual < 6 for usual in stream.expected)


def test_rates_have_the_error_of_so_few_streams():
    tally = Tally(events=[(1, 4), (3, 4), (0, 2), (2, 6)], days=4 * 35)
    share, error = tally.false_discovery_rate
    assert share == 6 / 16 and 0.05 < error < 0.25
    assert tally.false_alerts_a_week == (pytest.approx(6 / 20), pytest.approx(np.std([1, 3, 0, 2], ddof=1) / 5 / 2))


def test_the_limit_is_what_the_poisson_distribution_allows():
    quiet = [np.full(14, 5.0)]
    at_once = delays(quiet, [np.full(14, 500.0)], 1e-4)
    never = delays(quiet, [np.full(14, 5.0)], 1e-9)
    assert (at_once == 1).all() and np.isinf(never).all()
    double = delays(quiet, [np.full(14, 10.0)], level(3.0, 1_500))
    assert 3 <= np.median(double) <= 4

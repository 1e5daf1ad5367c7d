from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from training.benchmark_hotspots import END, RISKS, Tally, follow, plant
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
    assert delay <= 4 and place == 1.0 and sum(0 in event.outbreaks for event in tally.events) == 1
    assert isinstance(tally.events[0].last, date) and tally.days == 10

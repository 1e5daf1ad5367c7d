import numpy as np
import pytest
from scipy import stats

from triage.errors import InputError
from triage.hotspots.predictive import negative_binomial, upper_tail
from triage.hotspots.surveillance import surveil


def test_tails_and_quantiles_are_those_of_scipy():
    mean, dispersion = (grid.ravel() for grid in np.meshgrid([0.01, 0.5, 3.0, 40.0, 900.0], [1.0, 1.2, 2.0, 30.0]))
    count = np.round(mean * 1.4)
    bound, pvalue = negative_binomial(mean, dispersion, count, 0.01)
    for m, phi, k, upper, p in zip(mean, dispersion, count, bound, pvalue, strict=True):
        exact = stats.poisson(m) if phi == 1 else stats.nbinom(m / (phi - 1), 1 / phi)
        assert upper == exact.ppf(0.99) and p == pytest.approx(exact.sf(k - 1), rel=1e-9)


def test_a_quantile_is_found_where_its_approximation_fails():
    mean, dispersion = np.array([2e7, 0.001]), np.array([1e9, 50.0])
    bound, _ = negative_binomial(mean, dispersion, mean, 0.01)
    assert (upper_tail(bound + 1, mean, dispersion) <= 0.01).all() and (upper_tail(bound, mean, dispersion) > 0.01)[bound > 0].all()


def test_nothing_expected_and_nothing_seen_is_no_surprise():
    assert upper_tail(np.array([0.0, 1.0]), np.array([0.0, 0.0]), np.array([1.0, 1.0])).tolist() == [1.0, 0.0]


def test_a_jump_raises_the_alarm_and_quiet_weeks_rarely_do():
    counts = np.random.default_rng(3).poisson(5, (200, 120)).astype(float)
    quiet = surveil(counts).alarm[:, 60:].mean()
    counts[:, -1] = 25
    assert quiet < 0.012 and surveil(counts).alarm[:, -1].mean() > 0.99


def test_a_short_history_is_judged_from_the_ninth_period_on():
    judged = surveil(np.full((1, 12), 3.0))
    assert np.isnan(judged.expected[0, :9]).all() and judged.expected[0, 9:] == pytest.approx(3.0)


def test_missing_periods_are_neither_judged_nor_zeros():
    counts = np.full((1, 40), 8.0)
    counts[0, 20:30] = np.nan
    judged = surveil(counts)
    assert judged.expected[0, -1] == pytest.approx(8.0) and np.isnan(judged.pvalue[0, 20:30]).all() and not judged.alarm.any()


def test_zeros_alone_give_no_alarm():
    assert not surveil(np.zeros((1, 30))).alarm.any()


def test_under_two_years_the_best_method_is_the_gamma_poisson_test():
    counts = np.random.default_rng(4).poisson(5, (20, 130)).astype(float)
    short, best = surveil(counts, "gamma-poisson"), surveil(counts)
    np.testing.assert_array_equal(best.upperbound[:, :104], short.upperbound[:, :104])
    assert not np.allclose(best.expected[:, 104:], short.expected[:, 104:])


def test_rates_follow_the_exposure():
    counts, exposure = np.full((1, 30), 4.0), np.full((1, 30), 100.0)
    counts[0, -1], exposure[0, -1] = 12, 300
    assert surveil(counts, "gamma-poisson").alarm[0, -1] and not surveil(counts, "gamma-poisson", exposure=exposure).alarm[0, -1]


def test_periods_still_being_reported_are_not_judged():
    counts = np.full((1, 40), 8.0)
    counts[0, -2:] = 90
    judged = surveil(counts, incomplete=2)
    assert np.isnan(judged.pvalue[0, -2:]).all() and not judged.alarm.any() and np.isfinite(judged.pvalue[0, -3])


def test_a_drift_too_small_for_a_week_is_found_by_the_cusum():
    rng = np.random.default_rng(5)
    counts = rng.poisson(10, (40, 300)).astype(float)
    assert surveil(counts, "cusum").alarm[:, 104:].mean() < 0.02
    counts[:, 280:] = rng.poisson(14, (40, 20))
    assert surveil(counts, "cusum").alarm[:, -1].mean() > 0.8 > 0.4 > surveil(counts).alarm[:, -1].mean()


def test_the_cusum_stops_soon_after_the_drift():
    counts = np.full((1, 300), 10.0)
    counts[0, 250:270] = 25
    alarm = surveil(counts, "cusum").alarm[0]
    assert alarm[255:270].all() and not alarm[280:].any()


def test_two_rare_events_in_four_weeks_are_one_too_many_and_one_is_not():
    counts = np.zeros((2, 200))
    counts[:, [20, 70, 120]] = 1
    counts[:, 180] = 1
    counts[1, 182] = 1
    alarm = surveil(counts, "rare").alarm
    assert not alarm[0].any() and np.flatnonzero(alarm[1]).tolist() == [182]


@pytest.mark.parametrize(
    ("counts", "options", "field"),
    [
        (np.ones((1, 9)), {}, "observed"),
        (-np.ones((1, 20)), {}, "observed"),
        (np.ones((1, 20)), {"method": "ears"}, "method"),
        (np.ones((1, 20)), {"method": "farrington-flexible", "config": "best"}, "config"),
        (np.ones((1, 20)), {"config": "muan"}, "config"),
        (np.ones((1, 20)), {"exposure": np.zeros((1, 20))}, "exposure"),
        (np.ones((1, 20)), {"method": "farrington-flexible", "exposure": np.ones((1, 20))}, "exposure"),
        (np.ones((1, 20)), {"incomplete": -1}, "incomplete"),
        (np.ones((1, 20)), {"alpha": 0.7}, "alpha"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_name(counts, options, field):
    with pytest.raises(InputError) as error:
        surveil(counts, **options)
    assert error.value.field == field

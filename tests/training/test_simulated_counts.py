from datetime import date, timedelta

import numpy as np
import pytest

from training.simulate import load_settings
from training.simulated_counts import Planted, provinces, simulate_counts
from training.simulated_errors import confusion_matrix

END = date(2026, 3, 31)
OUTBREAK = Planted("account.restriction", ("440000",), END - timedelta(days=20), END - timedelta(days=1), 3.0)


def test_a_stream_has_the_volume_asked_for_and_is_called_simulated():
    stream = simulate_counts(END, 120, 300.0, [], 1)
    assert stream.counts.simulated and stream.counts.end == END and stream.counts.days == 120
    assert stream.counts.observed.sum() / 120 == pytest.approx(300, rel=0.05)


def test_the_largest_province_has_the_published_share():
    regions, share = provinces(load_settings())
    assert regions[share.argmax()] == "440000" and share.sum() == pytest.approx(1) and len(regions) == 34
    assert share.max() == pytest.approx(0.115, abs=0.01)  # 广东 with 深圳


def test_an_outbreak_multiplies_its_place_and_category_and_nothing_else():
    plain, raised = (simulate_counts(END, 60, 2_000.0, planted, 2) for planted in ([], [OUTBREAK]))
    category, region = plain.counts.categories.index(OUTBREAK.category), plain.counts.regions.index("440000")
    rows = slice(39, 59)
    usual, seen = (s.counts.observed[rows, category, region].sum() / 20 for s in (plain, raised))
    assert raised.expected[0] == pytest.approx(usual, rel=0.2) and seen == pytest.approx(3 * usual, rel=0.2)
    assert raised.counts.observed[:39].sum() == pytest.approx(plain.counts.observed[:39].sum(), rel=0.05)


def test_a_classifiers_errors_keep_the_total_and_move_the_rest():
    matrix = confusion_matrix(load_settings()["categories"])
    right, wrong = (simulate_counts(END, 30, 500.0, [], 3, errors).counts.observed for errors in (None, matrix))
    assert wrong.sum() == right.sum() and (wrong.sum(axis=1) == right.sum(axis=1)).all() and (wrong != right).any()


def test_the_true_means_of_an_outbreak_tell_what_is_counted_with_and_without_it():
    stream = simulate_counts(END, 60, 2_000.0, [OUTBREAK], 2)
    np.testing.assert_allclose(stream.raised[0], 3 * stream.null[0])
    assert stream.null[0].shape == (20,) and stream.null[0].mean() == pytest.approx(stream.expected[0])
    matrix = confusion_matrix(load_settings()["categories"])
    [null], [raised] = (getattr(simulate_counts(END, 60, 2_000.0, [OUTBREAK], 2, matrix), name) for name in ("null", "raised"))
    assert (raised - null < 2 * stream.null[0]).all(), "some of its complaints are taken for others"


def test_what_is_not_yet_recorded_is_not_yet_known():
    stream = simulate_counts(END, 60, 1_000.0, [], 4, delayed=True)
    day = END - timedelta(days=5)
    known = stream.known(day).observed
    index = stream.counts.day(day)
    letters = stream.counts.channels.index("letter")
    assert known.shape[0] == index + 1
    assert known[-1, ..., letters].sum() < 0.6 * stream.counts.observed[index, ..., letters].sum()
    np.testing.assert_array_equal(known[:-3], stream.counts.observed[: index - 2])

import numpy as np
import pytest

from training.evaluate import Answers
from training.risk import error_bound, threshold_for_risk
from training.train import EVERY_ANSWER, review_thresholds


def draw(seed, n):
    """Confidences that are calibrated: an answer of confidence p is right with probability p."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1, n)
    return confidence, rng.random(n) < confidence


def test_the_bound_is_that_of_clopper_and_pearson():
    assert error_bound(0, 100, 0.05) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert error_bound(5, 100, 0.05) == pytest.approx(0.1023, abs=1e-4)
    assert error_bound(3, 3, 0.05) == 1.0


def test_what_passes_errs_no_more_than_was_promised_and_nearly_as_much():
    errors = []
    for seed in range(100):
        confidence, correct = draw(seed, 4000)
        threshold = threshold_for_risk(confidence, correct, 0.1)
        # From p on a calibrated answer errs with the mean of 1 - c over p .. 1.
        errors.append((1 - threshold) / 2)
    assert sum(error > 0.1 for error in errors) <= 5
    assert np.mean(errors) > 0.07


def test_more_risk_lets_more_answers_pass_and_the_whole_where_all_are_good():
    confidence, correct = draw(0, 4000)
    strict, loose = (threshold_for_risk(confidence, correct, risk) for risk in (0.05, 0.2))
    assert strict > loose
    assert threshold_for_risk(confidence, correct, 0.5) == confidence.min()


def test_a_risk_that_cannot_be_promised_has_no_threshold():
    confidence, _ = draw(0, 1000)
    assert threshold_for_risk(confidence, np.zeros(1000, dtype=bool), 0.1) is None
    assert threshold_for_risk(confidence[:20], np.ones(20, dtype=bool), 0.1) is None
    assert threshold_for_risk(confidence[:0], np.ones(0, dtype=bool), 0.1) is None


def test_thresholds_are_chosen_by_cost_or_for_the_stated_risk(caplog):
    confidence, correct = draw(0, 2000)
    labels = {"topic": ["a"] * 2000, "mood": ["b"] * 2000}
    held_out = {"topic": Answers(["a" if right else "x" for right in correct], confidence)}
    assert review_thresholds(labels, held_out, labels, None) == {"topic": 0.5, "mood": 0.5}
    chosen = review_thresholds(labels, held_out, labels, 0.1)
    assert chosen == {"topic": threshold_for_risk(confidence, correct, 0.1), "mood": EVERY_ANSWER}
    assert "mood: a risk of 0.1 cannot be promised" in caplog.text

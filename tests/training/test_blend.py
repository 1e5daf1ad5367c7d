import numpy as np
import pytest

from training.blend import NEVER, USUAL_SHARE, answered, choose_cascade, choose_shares, choose_temperatures
from training.cli import main
from training.encoder import too_much_lost
from training.evaluate import calibration_error
from triage.blend import Cascade, moved, pooled, tempered

HEADS = {"category": ("a", "b"), "severity": ("1", "2", "3")}


def distributions(probability_of_first):
    p = np.array(probability_of_first, dtype=float)
    return np.column_stack([p, 1 - p])


def test_the_better_of_two_models_gets_the_weight():
    target = {"category": np.array([0, 0, 1, 1])}
    good, bad = {"category": distributions([0.9, 0.9, 0.1, 0.1])}, {"category": distributions([0.4, 0.6, 0.5, 0.6])}
    assert choose_shares(bad, good, target) == {"category": 1.0}
    assert choose_shares(good, bad, target) == {"category": 0.0}


def test_models_that_err_on_different_texts_share_the_weight():
    target = {"category": np.zeros(4, dtype=int)}
    first, second = {"category": distributions([0.9, 0.9, 0.1, 0.9])}, {"category": distributions([0.9, 0.1, 0.9, 0.9])}
    assert 0.3 < choose_shares(first, second, target)["category"] < 0.7


def test_a_difference_that_chance_explains_leaves_the_usual_share():
    random = np.random.default_rng(0)
    # The second is a little likelier on these forty texts: within a standard error no more than the first.
    noise = random.permutation(np.repeat([0.1, -0.1], 20))
    first, second = {"category": distributions(0.6 + noise)}, {"category": distributions(0.61 - noise)}
    target = {"category": np.zeros(40, dtype=int)}
    assert choose_shares(first, second, target) == {"category": USUAL_SHARE}
    # On as many texts of which it is sure, it is.
    assert choose_shares(first, {"category": distributions(np.full(40, 0.97))}, target)["category"] > 0.9


def test_what_one_all_but_excludes_needs_the_other_to_be_very_sure():
    linear, encoder = np.array([[0.001, 0.6, 0.399], [0.5, 0.5, 0.0]]), np.array([[0.6, 0.3, 0.1], [0.0, 0.5, 0.5]])
    found = pooled(linear, encoder, 0.5)
    assert found.sum(axis=1) == pytest.approx(1)
    expected = np.sqrt(linear[0] * encoder[0])
    assert found[0] == pytest.approx(expected / expected.sum())
    assert found[0].argmax() == 1  # the arithmetic mean says 1 less clearly
    assert found[1].argmax() == 1
    assert np.isfinite(found).all()
    assert pooled(linear[:1], encoder[:1], 0.0) == pytest.approx(linear[:1])
    assert np.isnan(pooled(linear, np.full((2, 3), np.nan), 0.5)).all()


def test_only_rows_that_both_held_out_and_that_have_a_label_choose():
    linear = {"category": distributions([0.9, 0.1, 0.1])}
    encoder = {"category": distributions([0.6, np.nan, 0.9])}
    assert choose_shares(linear, encoder, {"category": np.array([0, 0, -1])}) == {"category": 0.0}
    nothing = {"category": np.full((3, 2), np.nan)}
    target = {"category": np.array([0, 0, 1])}
    assert choose_shares(linear, nothing, target) == {"category": USUAL_SHARE}
    assert choose_cascade(linear, nothing, target, {"category": 0.5}, HEADS).thresholds == {"category": NEVER}


def test_the_linear_answer_stands_down_to_where_it_would_lose():
    linear = {"category": distributions([0.95, 0.9, 0.8, 0.7, 0.6])}
    encoder = {"category": distributions([0.9, 0.9, 0.9, 0.0, 0.0])}
    target = {"category": np.array([0, 0, 0, 1, 1])}
    cascade = choose_cascade(linear, encoder, target, {"category": 1.0}, {"category": ("a", "b")})
    assert cascade.thresholds == {"category": pytest.approx(0.8)}
    assert cascade.settled(linear, HEADS).tolist() == [True, True, True, False, False]


def test_a_loss_that_is_allowed_is_used_up_and_not_exceeded():
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 2000)
    linear = distributions(np.clip(np.where(truth == 0, 0.65, 0.35) + random.normal(0, 0.2, 2000), 0.01, 0.99))
    encoder = distributions(np.clip(np.where(truth == 0, 0.7, 0.3) + random.normal(0, 0.15, 2000), 0.01, 0.99))
    shares = {"category": 0.6}
    both = pooled(linear, encoder, 0.6)
    losses = []
    for allowed in (0.0, 0.01, 1.0):
        cascade = choose_cascade(
            {"category": linear}, {"category": encoder}, {"category": truth}, shares, {"category": ("a", "b")}, allowed
        )
        settled = cascade.settled({"category": linear}, HEADS)
        answered = np.where(settled[:, None], linear, both)
        losses.append((both.argmax(axis=1) == truth).mean() - (answered.argmax(axis=1) == truth).mean())
        assert losses[-1] <= allowed + 1e-9
    assert losses[0] < losses[1] < losses[2]
    assert settled.all()


def test_a_model_of_complaints_looks_at_severe_ones_twice():
    empty = {"severity": np.full((1, 3), np.nan)}
    cascade = choose_cascade(empty, empty, {"severity": np.array([0])}, {"severity": 0.5}, HEADS)
    assert cascade.always_ask == {"severity": ("3",)}


def test_a_single_changed_answer_of_a_hundred_does_not_cost_the_eight_bits():
    before = np.ones(100, dtype=bool)
    one_less = before.copy()
    one_less[0] = False
    assert not too_much_lost(before, one_less)
    assert too_much_lost(np.repeat(before, 10), np.repeat(before, 10) & (np.arange(1000) % 50 != 0))
    assert not too_much_lost(before[:0], before[:0])


def test_what_is_answered_is_calibrated_as_a_whole():
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 4000)
    # Two models that see the truth through noise of their own: each calibrated, their mean too modest.
    seen = [np.where(truth == 0, 1, -1) + random.normal(0, 1.5, 4000) for _ in range(2)]
    first, second = ({"category": distributions(1 / (1 + np.exp(-2 * x / 1.5**2)))} for x in seen)
    cascade = Cascade({"category": 0.95}, {})
    answers, share = answered(first, second, {"category": 0.5}, cascade, {"category": ("a", "b")})
    assert 0 < share < 1
    targets = {"category": truth}
    [temperature] = choose_temperatures(answers, targets).values()
    assert temperature < 1
    before, after = answers["category"], tempered(answers["category"], temperature)
    errors = [calibration_error(p.max(axis=1), p.argmax(axis=1) == truth) for p in (before, after)]
    assert errors[1] < errors[0] / 3
    assert choose_temperatures(answers, targets, caution=1.6)["category"] == pytest.approx(1.6 * temperature, abs=1e-3)


def test_rows_that_were_not_held_out_calibrate_nothing_and_stay_unanswered():
    linear, encoder = {"category": distributions([0.9, 0.9])}, {"category": distributions([np.nan, np.nan])}
    answers, share = answered(linear, encoder, {"category": 0.5}, Cascade({"category": 0.5}, {}), {"category": ("a", "b")})
    assert share == 0.0
    assert np.isnan(answers["category"]).all()
    assert choose_temperatures(answers, {"category": np.array([0, 1])}) == {"category": 1.0}


def test_without_a_cascade_the_pool_stands_everywhere():
    linear, encoder = {"category": distributions([0.9, 0.2])}, {"category": distributions([0.7, 0.4])}
    found, settled = answered(linear, encoder, {"category": 0.5}, None, {"category": ("a", "b")})
    odds = np.sqrt([9 * 7 / 3, 2 / 8 * 4 / 6])
    np.testing.assert_allclose(found["category"], distributions(odds / (1 + odds)))
    assert settled == 0


def test_shares_of_several_heads_may_be_given_one_by_one(tmp_path, capsys):
    shares = ["--encoder-share", "category=0.6", "--encoder-share", "severity=0.4"]
    assert main(["train", "--data", str(tmp_path / "投诉.csv"), "--label-column", "topic", *shares, "--out", str(tmp_path / "m")]) == 2
    assert "category, severity" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--prior", "category:a=0.5"], "heads of --label-column"),
        (["--prior", "topic:转账=0.5"], "--family blend"),
        (["--family", "blend", "--prior", "topic:还款=0.5"], "labels of topic that the data has"),
        (["--family", "blend", "--held-out-group", "2"], "--group-column"),
        (["--family", "blend", "--group-column", "batch", "--held-out-group", "7"], "values of the column batch"),
        # Repeated, all of them count.
        (
            ["--family", "blend", "--group-column", "batch", "--held-out-group", "0", "1", "--held-out-group", "2"],
            "nothing is left to train on",
        ),
    ],
)
def test_options_of_a_blend_that_do_not_fit_the_data_are_refused(options, named, tmp_path, capsys):
    rows = [f"{text}{i},{topic},{i % 3}" for i in range(12) for text, topic in (("转账失败", "转账"), ("登录不了", "登录"))]
    (tmp_path / "投诉.csv").write_text("\n".join(["text,topic,batch", *rows]), encoding="utf-8")
    train = ["train", "--data", str(tmp_path / "投诉.csv"), "--label-column", "topic", "--out", str(tmp_path / "m")]
    assert main([*train, *options]) == 2
    assert named in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_a_label_that_is_rarer_in_service_is_answered_less():
    np.testing.assert_allclose(moved(distributions([0.5, 0.8]), (0.5, 1.0)), distributions([1 / 3, 2 / 3]))
    before = distributions([0.5, 0.8])
    assert moved(before, None) is before

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from training.cli import main
from training.evaluate import Answers, as_dict, as_table, calibration_error, measure, most_probable
from triage.tables import write_rows


def answers(labels, confidence=None):
    return Answers(labels, np.array(confidence if confidence is not None else [1.0] * len(labels)))


def test_rows_without_a_label_are_left_out_of_the_head():
    figures = measure(["a", None, "b", "a"], answers(["a", "b", "a", None]))
    assert (figures.n, figures.accuracy) == (2, 0.5)


def test_accuracy_f1_and_confusion_of_a_small_case():
    figures = measure(["a", "a", "b", "c"], answers(["a", "b", "b", "b"]))
    assert figures.accuracy == 0.5
    assert figures.per_class["a"].f1 == pytest.approx(2 / 3)
    assert figures.per_class["c"].n == 1
    assert figures.macro_f1 == pytest.approx((2 / 3 + 0.5 + 0) / 3)
    assert figures.confusion.counts == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert figures.qwk is None
    assert figures.group_accuracy is None


def test_the_kappa_of_levels_keeps_the_distance_over_a_level_that_does_not_occur():
    truth, given = ["1", "1", "4", "4"], ["1", "2", "4", "2"]
    assert measure(truth, answers(given)).qwk == pytest.approx(
        cohen_kappa_score([1, 1, 4, 4], [1, 2, 4, 2], labels=[1, 2, 3, 4], weights="quadratic")
    )
    assert measure(["2", "2"], answers(["2", "2"])).qwk == 1.0


def test_groups_agree_before_the_dot_but_other_must_agree_whole():
    truth = ["card.annual_fee", "card.rewards", "other.complaint", "other.complaint"]
    given = ["card.rewards", "loan.approval", "other.not_complaint", "other.complaint"]
    figures = measure(truth, answers(given))
    assert (figures.accuracy, figures.group_accuracy) == (0.25, 0.5)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    assert calibration_error(np.array([0.9] * 10), np.array([True] * 9 + [False])) == pytest.approx(0)
    assert calibration_error(np.array([0.9] * 10), np.array([False] * 10)) == pytest.approx(0.9)
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0


def test_cost_counts_reviews_and_the_errors_that_nobody_reviewed():
    figures = measure(["a"] * 4, answers(["a", "b", "b", "a"], [0.9, 0.8, 0.3, 0.2]), threshold=0.5)
    assert figures.review_share == 0.5
    assert figures.cost_per_1000 == pytest.approx(1000 * (2 * 1 + 1 * 2) / 4)


def test_coverage_takes_the_most_confident_first():
    confidence = np.linspace(0.1, 1, 10)
    figures = measure(["a"] * 10, answers(["b"] * 5 + ["a"] * 5, confidence))
    by_share = {c.share: c for c in figures.coverage}
    assert by_share[1.0].accuracy == 0.5
    assert by_share[0.5].accuracy == 1.0
    assert by_share[0.5].threshold == pytest.approx(0.6)


def test_a_row_of_nan_has_no_answer():
    found = most_probable(("a", "b"), np.array([[0.2, 0.8], [np.nan, np.nan]]))
    assert found.labels == ["b", None]
    assert found.confidence.tolist() == [0.8, 0.0]


def test_json_leaves_out_what_does_not_apply_and_the_table_has_a_line_a_head():
    measured = {"label": measure(["a", "b"], answers(["a", "b"])), "level": measure(["1", "2"], answers(["1", "2"]))}
    assert "qwk" not in as_dict(measured)["label"]
    assert as_dict(measured)["level"]["qwk"] == 1.0
    assert [line.split(" | ")[0] for line in as_table(measured).splitlines()[2:]] == ["| label", "| level"]


def test_labels_of_few_rows_do_not_count_in_the_mean_of_the_frequent_ones():
    truth = ["a"] * 5 + ["b"] * 5 + ["c"]
    figures = measure(truth, answers(["a"] * 5 + ["b"] * 4 + ["a", "d"]))
    expected = (figures.per_class["a"].f1 + figures.per_class["b"].f1) / 2
    assert figures.macro_f1_frequent == pytest.approx(expected)
    assert figures.macro_f1 < figures.macro_f1_frequent
    few = measure(["a", "b"], answers(["a", "b"]))
    assert few.macro_f1_frequent is None
    assert "macro_f1_frequent" not in few.summary()


def test_the_summary_says_how_wrong_the_most_confident_nine_of_ten_are():
    confidence = np.linspace(0.1, 1, 20)
    figures = measure(["a"] * 20, answers(["b"] * 4 + ["a"] * 16, confidence))
    assert figures.summary()["error_at_90_coverage"] == pytest.approx(2 / 18, abs=1e-4)


def test_labels_of_ones_own_under_the_names_of_the_bank_heads_are_measured_as_they_are(tmp_path, capsys):
    matters = {"转账": ("转账失败", "高", "差"), "登录": ("登录不了", "低", "好")}
    rows = [
        {"text": f"{who}{text}", "category": topic, "severity": level, "sentiment": mood, "channel": "微信群"}
        for who in ("我的卡", "昨天", "手机上", "在县里", "老人家", "公司户")
        for topic, (text, level, mood) in matters.items()
    ]
    write_rows(rows, tmp_path / "own.csv")
    data, model = ["--data", str(tmp_path / "own.csv")], str(tmp_path / "model")
    assert main(["train", *data, "--label-column", "category", "severity", "sentiment", "--out", model]) == 0
    assert main(["evaluate", "--model", model, *data]) == 0
    assert "| category | 12 |" in capsys.readouterr().out

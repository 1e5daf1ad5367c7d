from pathlib import Path

import numpy as np
import pytest

from training.confusion import cross_validated, write
from training.evaluate import Confusion
from training.examples import Examples
from training.simulate import load_settings
from training.simulated_errors import confusion_matrix, measured_errors
from triage.errors import ConfigError, InputError

CATEGORIES = tuple(load_settings()["categories"])


def test_every_measured_matrix_is_made_of_probabilities_and_right_more_often_than_wrong_in_one_way():
    for test in measured_errors():
        matrix = confusion_matrix(CATEGORIES, test)
        assert matrix.shape == (len(CATEGORIES), len(CATEGORIES)) and (matrix > 0).all()
        np.testing.assert_allclose(matrix.sum(axis=1), 1)
        assert (matrix.argmax(axis=1) == np.arange(len(CATEGORIES))).all()


def test_a_category_with_many_texts_has_its_own_errors_and_one_without_any_those_of_all(tmp_path: Path):
    path = tmp_path / "confusion.csv"
    labels = ("card.annual_fee", "card.rewards", "loan.approval")
    write({"some": Confusion(labels, [[800, 0, 200], [0, 0, 0], [0, 0, 1000]])}, path)
    matrix = confusion_matrix(labels, "some", path)
    assert matrix[0] == pytest.approx([0.8, 0.0, 0.2], abs=0.01)
    assert matrix[1, 1] == pytest.approx(0.9, abs=0.01) and matrix[1, 0] == pytest.approx(0.0, abs=0.01)


def test_the_table_holds_no_zeros_and_is_read_as_it_was_written(tmp_path: Path):
    path = tmp_path / "confusion.csv"
    write({"one": Confusion(("a.x", "a.y"), [[3, 1], [0, 2]])}, path)
    assert measured_errors(path) == {"one": {("a.x", "a.x"): 3, ("a.x", "a.y"): 1, ("a.y", "a.y"): 2}}


def test_an_unknown_test_and_a_broken_table_are_errors(tmp_path: Path):
    with pytest.raises(InputError, match="cross_validation"):
        confusion_matrix(CATEGORIES, "nowhere")
    broken = tmp_path / "confusion.csv"
    broken.write_text("test,true,predicted,texts\na,b,c,many\n", encoding="utf-8")
    with pytest.raises(ConfigError):
        measured_errors(broken)


def test_texts_are_answered_by_a_model_that_has_not_seen_their_batch():
    texts = [f"{word}{i}号又出了问题，请处理" for word in ("年费", "转账") for i in range(20)]
    labels = ["card.annual_fee"] * 20 + ["payment.transfer_failure"] * 20
    batches = [str(i % 5) for i in range(40)]
    examples = Examples(
        texts=tuple(texts), labels={"category": tuple(labels)}, groups=tuple(batches), channels=("",) * 40,
        rows=tuple(map(str, range(40))), files=(), skipped=(), kept={},
    )  # fmt: skip
    found = cross_validated(examples, courtesy=0.0)
    assert found.labels == ("card.annual_fee", "payment.transfer_failure") and found.counts == [[20, 0], [0, 20]]

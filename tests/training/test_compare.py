import csv
import json

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score

from training.cli import main
from training.compare import REPETITIONS, differences_of


def draw(seed: int, n: int = 400, labels: str = "1234"):
    rng = np.random.default_rng(seed)
    truth = rng.choice(list(labels), n)
    champion = np.where(rng.random(n) < 0.7, truth, rng.choice(list(labels), n))
    challenger = np.where(rng.random(n) < 0.9, truth, rng.choice(list(labels), n))
    return truth.tolist(), champion.tolist(), challenger.tolist()


def test_the_figures_are_those_of_scikit_learn():
    truth, champion, challenger = draw(0)
    found = differences_of(truth, champion, challenger, repetitions=50)
    assert found["accuracy"].champion == pytest.approx(np.mean(np.array(truth) == champion))
    assert found["macro_f1"].challenger == pytest.approx(f1_score(truth, challenger, average="macro"))
    expected = cohen_kappa_score([int(v) for v in truth], [int(v) for v in challenger], weights="quadratic")
    assert found["qwk"].challenger == pytest.approx(expected)
    assert "qwk" not in differences_of(["a", "b"], ["a", "b"], ["a", "a"], repetitions=50)


def test_a_clear_difference_is_decided_either_way_and_the_same_answers_are_not():
    truth, champion, challenger = draw(1)
    assert {d.verdict for d in differences_of(truth, champion, challenger).values()} == {"better"}
    assert {d.verdict for d in differences_of(truth, challenger, champion).values()} == {"worse"}
    assert {(d.verdict, d.gain, d.low, d.high) for d in differences_of(truth, champion, champion).values()} == {
        ("undecided", 0.0, 0.0, 0.0)
    }


def test_a_few_texts_decide_nothing():
    assert differences_of(["a"] * 6, ["a"] * 5 + ["b"], ["a"] * 6)["accuracy"].verdict == "undecided"


def test_the_interval_is_that_of_the_paired_difference():
    """Of accuracy it is known: the standard error of the mean of the differences of two 0/1 columns."""
    truth, champion, challenger = draw(2, n=1000)
    gains = (np.array(truth) == challenger).astype(float) - (np.array(truth) == champion)
    found = differences_of(truth, champion, challenger, repetitions=REPETITIONS)["accuracy"]
    half = 1.96 * gains.std() / np.sqrt(len(gains))
    assert (found.low, found.high) == (pytest.approx(gains.mean() - half, abs=0.004), pytest.approx(gains.mean() + half, abs=0.004))


def test_the_same_seed_gives_the_same_interval():
    sample = draw(3)
    assert differences_of(*sample, seed=5, repetitions=200) == differences_of(*sample, seed=5, repetitions=200)


def test_the_command_names_what_got_better_and_worse_with_the_texts(tmp_path, capsys):
    texts = ["转账失败", "转账没到账", "汇款转不出去", "登录不了", "登录失败", "刷脸登不进"]
    right, wrong = ["transfer"] * 3 + ["login"] * 3, ["login"] * 3 + ["transfer"] * 3
    for name, labels in (("right", right), ("wrong", wrong)):
        path = tmp_path / f"{name}.csv"
        path.write_text(
            "text,topic\n" + "".join(f"{t},{label}\n" for t, label in zip(texts * 3, labels * 3, strict=True)), encoding="utf-8"
        )
        assert main(["train", "--data", str(path), "--label-column", "topic", "--out", str(tmp_path / "m" / name), "--name", name]) == 0
    capsys.readouterr()
    arguments = [
        "compare",
        "--champion",
        str(tmp_path / "m" / "wrong"),
        "--challenger",
        str(tmp_path / "m" / "right"),
        "--data",
        str(tmp_path / "right.csv"),
    ]
    assert main([*arguments, "--changes", str(tmp_path / "changes.csv")]) == 0
    shown = capsys.readouterr().out
    assert "| topic | 18 | accuracy | 0.000 | 1.000 | +1.000 | +1.000 to +1.000 | better |" in shown
    assert "topic: 18 got better" in shown
    assert "right.csv:2  login -> transfer (label transfer)  转账没到账" in shown
    changes = list(csv.DictReader((tmp_path / "changes.csv").open(encoding="utf-8-sig")))
    assert [c["text"] for c in changes[:2]] == texts[:2]
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["topic"]["better"] == 18

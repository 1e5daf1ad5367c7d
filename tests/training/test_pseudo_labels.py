import json

import numpy as np
import pytest

from training import linear
from training.cli import main
from training.pseudo_labels import PseudoLabelled, pseudo_label, read_unlabelled
from triage import artifact
from triage.errors import InputError

TOPICS = {
    "转账": ["转账失败", "转账没到账", "钱转不出去", "转账限额太低"],
    "登录": ["登录失败", "登录要刷脸", "密码登录不了", "验证码收不到"],
}
TEXTS = [f"{text}{tail}" for texts in TOPICS.values() for text in texts for tail in ("", "了", "怎么办", "，气人", "!!")]
LABELS = [topic for topic, texts in TOPICS.items() for _ in range(len(texts) * 5)]
# Other words for the same, which no labelled text has.
STRANGE = ["汇款打水漂", "汇款打水漂啦", "又汇款打水漂"]


@pytest.fixture(scope="module")
def fitted():
    return linear.fit(TEXTS, {"topic": LABELS})


def write(path, texts):
    path.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts), encoding="utf-8")
    return path


def test_unlabelled_texts_are_read_once_and_never_those_that_are_known(tmp_path):
    file = write(tmp_path / "评论.jsonl", ["转账失败", "打不开", "打不开", "", "登录失败"])
    assert read_unlabelled([file], "text", known=["转账失败"]) == ("打不开", "登录失败")
    with pytest.raises(InputError, match="--unlabelled"):
        read_unlabelled([file], "text", known=["转账失败", "打不开", "登录失败"])


def test_a_teacher_labels_what_it_is_sure_of_and_only_that(fitted):
    classifier = fitted.classifier
    unsure = "天气真好"
    best = classifier.predict_proba([unsure])["topic"].max()
    taught = pseudo_label(classifier, ["topic"], ["转账又失败了", unsure])
    assert taught.labels["topic"][0] == "转账"
    assert (taught.labels["topic"][1] is None) == (best < 0.5)


def test_a_teacher_that_does_not_answer_a_head_is_refused(fitted):
    with pytest.raises(InputError, match="severity"):
        pseudo_label(fitted.classifier, ["topic", "severity"], ["转账失败"])


def test_the_student_learns_words_that_only_the_teacher_could_place(fitted):
    taught = PseudoLabelled(tuple(STRANGE), {"topic": ("转账",)}, {"topic": np.ones((len(STRANGE), 1))})
    student = linear.fit(TEXTS, {"topic": LABELS}, taught=taught)
    column = student.classifier.heads["topic"].index("转账")
    before, after = (f.classifier.predict_proba(["汇款打水漂"])["topic"][0, column] for f in (fitted, student))
    assert after > 0.8 > before
    assert student.held_out["topic"].shape == fitted.held_out["topic"].shape


def test_labels_that_the_data_does_not_know_are_left_out():
    taught = PseudoLabelled(("完全别的事",), {"topic": ("天气",)}, {"topic": np.ones((1, 1))})
    assert linear.fit(TEXTS, {"topic": LABELS}, taught=taught).classifier.heads["topic"] == ("登录", "转账")


def test_train_takes_a_teacher_and_says_so_on_the_card(tmp_path, capsys):
    data = tmp_path / "投诉.jsonl"
    rows = [{"text": text, "topic": label} for text, label in zip(TEXTS, LABELS, strict=True)]
    data.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    unlabelled = write(tmp_path / "评论.jsonl", ["转账总失败", "登录总失败", "转账失败"])
    start = ["train", "--data", str(data), "--label-column", "topic", "--out"]
    assert main([*start, str(tmp_path / "teacher")]) == 0
    more = ["--unlabelled", str(unlabelled), "--teacher", str(tmp_path / "teacher")]
    assert main([*start, str(tmp_path / "student"), *more]) == 0
    _, manifest = artifact.load(tmp_path / "student")
    assert (manifest.text["teacher"], manifest.text["pseudo_labelled_texts"]) == ("teacher", 2)
    assert "评论.jsonl that nobody labelled" in (tmp_path / "student" / "README.md").read_text(encoding="utf-8")
    capsys.readouterr()
    for missing, named in ((more[:2], "--teacher"), (more[2:], "--unlabelled"), ([*more, "--keep-encoder"], "--family blend")):
        assert main([*start, str(tmp_path / "refused"), *missing]) == 2
        assert named in capsys.readouterr().err
    assert not (tmp_path / "refused").exists()
    assert np.isfinite(list(manifest.metrics["cross_validation"]["topic"].values())).all()


def test_an_encoder_is_kept_over_corrected_labels_and_not_over_other_rows(tmp_path, capsys):
    def data(name, texts, labels):
        path = tmp_path / name / "投诉.jsonl"
        path.parent.mkdir()
        rows = [{"text": text, "topic": label} for text, label in zip(texts, labels, strict=True)]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    def refusal(path):
        assert main([*train, "--data", str(path), "--family", "blend", "--keep-encoder", *teacher, "--out", str(tmp_path / "b")]) == 2
        return capsys.readouterr().err

    train = ["train", "--label-column", "topic"]
    teacher = ["--teacher", str(tmp_path / "teacher"), "--unlabelled", str(write(tmp_path / "评论.jsonl", ["转账总失败"]))]
    given = data("given", TEXTS, LABELS)
    assert main([*train, "--data", str(given), "--out", str(tmp_path / "teacher")]) == 0
    capsys.readouterr()
    assert "the same rows" in refusal(data("fewer", TEXTS[1:], LABELS[1:]))
    # Past that check; this teacher has no encoder to keep.
    assert "a linear model" in refusal(data("corrected", TEXTS, [LABELS[-1], *LABELS[1:]]))

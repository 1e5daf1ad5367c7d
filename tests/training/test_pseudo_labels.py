import hashlib
import json

import numpy as np
import pytest
from onnx_encoder import voting_encoder

from training import families, linear
from training.cli import main
from training.pseudo_labels import PseudoLabelled, pseudo_label, read_unlabelled
from triage import artifact
from triage.blend import BlendClassifier
from triage.errors import InputError
from triage.text import dictionary_hash

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


@pytest.fixture
def keep(tmp_path):
    """A call that keeps the encoder of a model trained on the rows of groups 0 and 1, group 2 held out, and the folder of that model."""

    def rows(name, texts=TEXTS, labels=LABELS):
        path = tmp_path / name / "投诉.jsonl"
        path.parent.mkdir(exist_ok=True)
        rows = [{"text": text, "topic": label, "batch": i % 3} for i, (text, label) in enumerate(zip(texts, labels, strict=True))]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    folder, data = tmp_path / "teacher", rows("given")
    taught = {"teacher": "before", "unlabelled": "评论.jsonl", "pseudo_labelled_texts": 7, "pseudo_labels_from": 0.5}
    recipe = {"encoder_base": "roberta", "encoder_epochs": 3, "encoder_start_from": "before"}
    calibration = {"encoder_held_out_groups": "2", "encoder_caution": 1.1, "encoder_held_out_rows": 9, "temperature_topic": 3.0}
    heads = {"topic": ("登录", "转账")}
    encoder = voting_encoder({"登": (4.0, 0.0), "验": (4.0, 0.0), "转": (0.0, 4.0)}, heads)
    linear_part = linear.fit(TEXTS, {"topic": LABELS}).classifier
    manifest = artifact.Manifest(
        name="teacher", version="1", created="2026-01-01T00:00:00+08:00", family="blend", heads=heads, text=taught | recipe | calibration,
        dictionary_hash=dictionary_hash(), data=(artifact.DataFile(data.name, len(TEXTS), hashlib.sha256(data.read_bytes()).hexdigest()),), metrics={}, review_thresholds={},
        libraries=artifact.library_versions(), seed=0,
    )  # fmt: skip
    artifact.save(BlendClassifier(linear_part, encoder, {"topic": 0.5}, None, {"topic": 1.0}), manifest, "# card\n", folder)

    def call(*more, data=data, held_out=("--held-out-group", "2")):
        options = ["--label-column", "topic", "--group-column", "batch", "--family", "blend", "--keep-encoder", *held_out, *more]
        return main(["train", "--data", str(data), *options, "--out", str(tmp_path / "b")])

    call.rows, call.teacher = rows, ("--teacher", str(folder))
    return call


def test_a_blend_keeps_an_encoder_and_tells_how_that_one_was_made(keep, tmp_path, monkeypatch):
    def labelled(*arguments):
        raise AssertionError("nothing is taught")

    monkeypatch.setattr(families, "pseudo_label", labelled)
    assert keep(*keep.teacher, "--caution", "1.5", data=keep.rows("corrected", TEXTS, [LABELS[-1], *LABELS[1:]])) == 0
    classifier, manifest = artifact.load(tmp_path / "b")
    kept, _ = artifact.load(tmp_path / "teacher")
    assert classifier.encoder.model == kept.encoder.model
    told = {name: value for name, value in manifest.text.items() if name.startswith("encoder_")}
    assert told == {
        "encoder_base": "roberta", "encoder_epochs": 3, "encoder_start_from": "before", "encoder_held_out_groups": "2",
        "encoder_caution": 1.5, "encoder_held_out_rows": 13, "encoder_kept_from": "teacher",
    }  # fmt: skip
    # Of that encoder; the linear part that learnt beside it is gone.
    assert (manifest.text["teacher"], manifest.text["unlabelled"], manifest.text["pseudo_labelled_texts"]) == ("before", "评论.jsonl", 7)
    assert "pseudo_labels_from" not in manifest.text
    card = (tmp_path / "b" / "README.md").read_text(encoding="utf-8")
    assert "Its encoder is that of model `teacher`" in card
    assert "7 texts of 评论.jsonl that nobody labelled, as model `before`" in card


def test_rare_labels_are_favoured_on_top_of_a_prior(keep, tmp_path):
    labels = [LABELS[-1]] * 8 + LABELS[8:]
    assert keep(*keep.teacher, "--favour-rare", "0.5", "--prior", "topic:转账=0.8", data=keep.rows("uneven", TEXTS, labels)) == 0
    classifier, manifest = artifact.load(tmp_path / "b")
    rarity = {label: (len(labels) / 2 / labels.count(label)) ** 0.5 for label in ("登录", "转账")}
    assert rarity[labels[-1]] < 1 < max(rarity.values())
    np.testing.assert_allclose(classifier.priors["topic"], [rarity["登录"], 0.8 * rarity["转账"]], atol=1e-3)
    assert (manifest.text["favour_rare"], manifest.text["prior_topic_转账"]) == (0.5, 0.8)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "--teacher: got None"),
        (["--teacher", "x", "--unlabelled", "评论.jsonl"], "--unlabelled: got '--keep-encoder'"),
        (["--teacher", "x", "--epochs", "2"], "--epochs: got '--keep-encoder'"),
        (["--teacher", "x", "--start-from", "x"], "--start-from: got '--keep-encoder'"),
    ],
)
def test_what_an_encoder_that_is_kept_has_no_use_for_is_refused_before_anything_is_read(more, message, keep, tmp_path, capsys):
    assert keep(*more, data=tmp_path / "missing.jsonl") == 2
    assert message in capsys.readouterr().err


def test_an_encoder_that_has_seen_the_held_out_rows_or_knows_other_labels_is_not_kept(keep, capsys):
    def refusal(**changed):
        assert keep(*keep.teacher, **changed) == 2
        return capsys.readouterr().err

    assert "the same rows" in refusal(data=keep.rows("fewer", TEXTS[1:], LABELS[1:]))
    assert "--held-out-group: got '1', expected 2, as teacher-1 held out" in refusal(held_out=("--held-out-group", "1"))
    assert "--held-out-group: got None, expected 2" in refusal(held_out=())
    assert "--teacher: topic: got '天气'" in refusal(data=keep.rows("another", TEXTS, ["天气", *LABELS[1:]]))


def test_a_linear_model_has_no_encoder_to_keep(keep, tmp_path, capsys):
    data = keep.rows("given")
    assert main(["train", "--data", str(data), "--label-column", "topic", "--out", str(tmp_path / "linear")]) == 0
    assert keep("--teacher", str(tmp_path / "linear")) == 2
    assert "a linear model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        (["--held-out-group", "2"], False),
        (["--held-out-group", "1"], True),
        (["--held-out-group", "1", "2"], True),
        ([], True),
    ],
)
def test_an_encoder_to_start_from_that_was_trained_on_rows_held_out_now_is_warned_of(more, seen, keep, tmp_path, monkeypatch, caplog):
    def not_now(*arguments):
        raise InputError("training", None, "no training here")

    monkeypatch.setattr(families, "fit", not_now)
    options = ["--label-column", "topic", "--group-column", "batch", "--family", "encoder", "--start-from", keep.teacher[1], *more]
    assert main(["train", "--data", str(keep.rows("given")), *options, "--out", str(tmp_path / "b")]) == 2
    assert ("teacher-1 was trained on rows of 投诉.jsonl that are held out now" in caplog.text) == seen
    caplog.clear()
    assert main(["train", "--data", str(keep.rows("other", TEXTS[1:], LABELS[1:])), *options, "--out", str(tmp_path / "b")]) == 2
    assert "held out now" not in caplog.text

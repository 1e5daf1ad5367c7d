from dataclasses import replace

import pytest

from training.linear import LinearSettings, fit
from training.promote import KEPT, _compares, demote, previous, promote
from triage import artifact
from triage.artifact import DataFile, Manifest, read_manifest
from triage.errors import ArtifactError, InputError
from triage.text import dictionary_hash

TEXTS = ["转账失败", "转账没到账", "转账转不出去", "登录不了", "登录失败", "登录要刷脸"]
LABELS = ["transfer"] * 3 + ["login"] * 3
RIGHT = fit(TEXTS, {"topic": LABELS}, settings=LinearSettings(min_texts=1)).classifier
MOODS = ["bad", "good"] * 3
WRONG = fit(TEXTS, {"topic": LABELS[::-1]}, settings=LinearSettings(min_texts=1)).classifier


def saved(folder, version, macro_f1, classifier=RIGHT, head="topic", test="cross_validation", n=6, data="0"):
    if head != "topic":
        classifier = replace(classifier, heads={head: classifier.heads["topic"]}, temperatures={head: 1.0})
    manifest = Manifest(
        name="toy", version=version, created="2026-01-01T00:00:00+08:00", family="linear", heads=classifier.heads, text={},
        dictionary_hash=dictionary_hash(), data=(DataFile("toy.csv", 6, data * 64),),
        metrics={test: {h: {"n": n, "macro_f1": macro_f1} for h in classifier.heads}}, review_thresholds={head: 0.5},
        libraries=artifact.library_versions(), seed=0,
    )  # fmt: skip
    artifact.save(classifier, manifest, "# toy\n", folder)
    return folder


def saved_pair(folder, version, topics, moods):
    """A model of two heads that has learnt these labels by heart."""
    classifier = fit(TEXTS, {"topic": topics, "mood": moods}, settings=LinearSettings(min_texts=1, cost=100)).classifier
    return saved(folder, version, 0.9, classifier)


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def served(tmp_path, models):
    promote(saved(tmp_path / "first", "1", 0.80), models)
    return models / "toy-1"


def test_the_first_model_is_copied_and_served(served, models):
    assert artifact.served_folder(models) == served
    assert artifact.load(served)[1].version == "1"


def test_a_model_under_models_is_served_where_it_is(models, served):
    promote(saved(models / "toy-2", "2", 0.81), models)
    assert artifact.served_folder(models).name == "toy-2"
    assert sorted(p.name for p in models.iterdir()) == ["current", "previous", "toy-1", "toy-2"]


def test_a_worse_model_is_refused_unless_forced(tmp_path, models, served):
    worse = saved(tmp_path / "worse", "2", 0.70)
    with pytest.raises(InputError, match=r"got 0\.7, expected at least 0\.8000, that of the served toy-1"):
        promote(worse, models)
    assert artifact.served_folder(models) == served
    promote(worse, models, force=True)
    assert artifact.served_folder(models).name == "toy-2"


def test_on_data_both_models_are_measured_and_the_manifests_are_not_believed(tmp_path, models, served):
    data = tmp_path / "labelled.csv"
    data.write_text("text,topic\n" + "".join(f"{t},{label}\n" for t, label in zip(TEXTS, LABELS, strict=True)), encoding="utf-8")
    with pytest.raises(InputError, match="expected at least 1"):
        promote(saved(tmp_path / "boaster", "2", 0.99, WRONG), models, data)


def test_a_model_of_other_heads_does_not_take_the_place_unasked(tmp_path, models, served):
    with pytest.raises(InputError, match="those of the served toy-1"):
        promote(saved(tmp_path / "other", "2", 0.99, head="mood"), models)


def test_one_goes_back_step_by_step_and_forth_by_promoting_again(tmp_path, models, served):
    promote(saved(tmp_path / "second", "2", 0.9), models)
    promote(saved(tmp_path / "third", "3", 0.9), models)
    assert previous(models) == ["toy-2", "toy-1"]
    assert demote(models) == "toy-2"
    assert demote(models) == "toy-1"
    assert artifact.served_folder(models) == served
    with pytest.raises(ArtifactError, match="all were taken back"):
        demote(models)
    assert promote(models / "toy-3", models).replaced == "toy-1"
    assert previous(models) == ["toy-1"]


def test_only_the_last_five_are_remembered(tmp_path, models):
    for version in range(1, KEPT + 4):
        promote(saved(tmp_path / str(version), str(version), 0.9), models)
    assert previous(models) == [f"toy-{version}" for version in range(KEPT + 2, 2, -1)]


def test_without_a_previous_model_there_is_no_way_back(models, served):
    with pytest.raises(ArtifactError, match="none was replaced yet"):
        demote(models)


def test_a_damaged_model_is_not_promoted(tmp_path, models, served):
    folder = saved(tmp_path / "second", "2", 0.9)
    (folder / "README.md").write_text("changed", encoding="utf-8")
    with pytest.raises(ArtifactError, match="was changed"):
        promote(folder, models)


def test_a_version_that_is_there_already_is_not_overwritten(tmp_path, models, served):
    with pytest.raises(ArtifactError, match="give the model another --version"):
        promote(saved(tmp_path / "again", "1", 0.9), models)


def test_a_model_with_a_certain_loss_on_one_head_is_refused_though_the_mean_is_not_lower(tmp_path, models):
    rows = [(f"{text}{i}", topic, mood) for i in range(20) for text, topic, mood in zip(TEXTS, LABELS, MOODS, strict=True)]
    data = tmp_path / "labelled.csv"
    data.write_text("text,topic,mood\n" + "".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    promote(saved_pair(tmp_path / "first", "1", LABELS, MOODS[1:] + MOODS[:1]), models)
    with pytest.raises(InputError, match=r"topic accuracy: got .* expected no certain loss on the 1\.0000 of the served toy-1"):
        promote(saved_pair(tmp_path / "second", "2", [LABELS[-1], *LABELS[1:]], MOODS), models, data)


def test_models_without_a_common_test_are_compared_on_data_only(tmp_path, models, served):
    folder = saved(tmp_path / "second", "2", 0.9, test="other_file")
    with pytest.raises(InputError, match="share no test"):
        promote(folder, models)


@pytest.mark.parametrize("change", [{"data": "1"}, {"n": 7}, {"test": "held_out"}])
def test_figures_of_other_rows_are_not_compared(tmp_path, models, served, change):
    folder = saved(tmp_path / "second", "2", 0.9, **change)
    with pytest.raises(InputError, match="share no test that was measured alike"):
        promote(folder, models)
    data = tmp_path / "labelled.csv"
    data.write_text("text,topic\n" + "".join(f"{t},{label}\n" for t, label in zip(TEXTS, LABELS, strict=True)), encoding="utf-8")
    assert promote(folder, models, data).replaced == "toy-1"


def test_a_test_file_compares_across_training_data(tmp_path, models):
    promote(saved(tmp_path / "first", "1", 0.8, test="held_out_file"), models)
    assert promote(saved(tmp_path / "second", "2", 0.9, test="held_out_file", data="1"), models).replaced == "toy-1"


def test_the_held_out_rows_of_an_old_blend_do_not_pass_for_cross_validation(tmp_path):
    linear = read_manifest(saved(tmp_path / "first", "1", 0.8))
    assert _compares("cross_validation", linear, linear)
    assert not _compares("cross_validation", replace(linear, family="blend"), linear)

import json
from dataclasses import replace

import joblib
import numpy as np
import pytest

from training.linear import LinearSettings, fit
from triage import artifact
from triage.artifact import LAYOUT, DataFile, Manifest
from triage.errors import ArtifactError
from triage.text import dictionary_hash

TEXTS = ["转账失败", "转账没到账", "转账转不出去", "登录不了", "登录失败", "登录要刷脸"]
LABELS = {"category": ["transfer"] * 3 + ["login"] * 3}


def trained():
    return fit(TEXTS, LABELS, settings=LinearSettings(min_texts=1)).classifier


def manifest_of(classifier, **changes):
    manifest = Manifest(
        name="toy",
        version="1",
        created="2026-01-01T00:00:00+08:00",
        family="linear",
        heads=classifier.heads,
        text={"longest": 3},
        dictionary_hash=dictionary_hash(),
        data=(DataFile("toy.csv", 6, "0" * 64),),
        metrics={"cross_validation": {"category": {"accuracy": 1.0}}},
        review_thresholds={"category": 0.5},
        libraries=artifact.library_versions(),
        seed=0,
    )
    return replace(manifest, **changes)


@pytest.fixture
def folder(tmp_path):
    classifier = trained()
    artifact.save(classifier, manifest_of(classifier), "# toy\n", tmp_path / "toy-1")
    return tmp_path / "toy-1"


def change_manifest(folder, **changes):
    path = folder / LAYOUT.manifest
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def test_the_model_read_back_answers_as_the_one_that_was_trained(folder):
    classifier, manifest = artifact.load(folder)
    np.testing.assert_array_equal(classifier.predict_proba(TEXTS)["category"], trained().predict_proba(TEXTS)["category"])
    assert manifest == manifest_of(classifier, files=manifest.files)
    assert set(manifest.files) == {LAYOUT.classifier, LAYOUT.card}
    assert manifest.folder_name == "toy-1"


def test_training_twice_gives_the_same_bytes_whenever_it_happens(tmp_path):
    first = trained()
    second = trained()
    artifact.save(first, manifest_of(first), "# toy\n", tmp_path / "a")
    artifact.save(second, manifest_of(second, created="2027-02-02T00:00:00+08:00"), "# toy\n", tmp_path / "b")
    assert (tmp_path / "a" / LAYOUT.classifier).read_bytes() == (tmp_path / "b" / LAYOUT.classifier).read_bytes()


def test_one_changed_byte_is_refused_before_anything_is_unpickled(folder, monkeypatch):
    path = folder / LAYOUT.classifier
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    monkeypatch.setattr(joblib, "load", lambda *_: pytest.fail("unpickled"))
    with pytest.raises(ArtifactError, match=r"classifier\.joblib was changed.*train the model again"):
        artifact.load(folder)


def test_a_manifest_from_before_there_was_a_choice_of_risk_is_read(folder):
    path = folder / LAYOUT.manifest
    written = json.loads(path.read_text(encoding="utf-8"))
    del written["risk"]
    path.write_text(json.dumps(written), encoding="utf-8")
    assert artifact.load(folder)[1].risk is None


@pytest.mark.parametrize("name", [LAYOUT.classifier, LAYOUT.card])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name} is missing"):
        artifact.load(folder)


def test_a_file_that_the_manifest_does_not_know_is_named(folder):
    (folder / "extra").mkdir()
    (folder / "extra" / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"extra/notes\.txt is not in the manifest"):
        artifact.load(folder)


def test_a_model_of_another_dictionary_is_refused(folder):
    change_manifest(folder, dictionary_hash="0" * 64)
    with pytest.raises(ArtifactError, match=r"another dictionary; restore data/lexicon/words\.txt"):
        artifact.load(folder)


def test_a_model_of_another_scikit_learn_is_refused_and_a_patch_release_is_not(folder):
    installed = artifact.library_versions()
    major_minor = ".".join(installed["scikit-learn"].split(".")[:2])
    change_manifest(folder, libraries=installed | {"scikit-learn": f"{major_minor}.99"})
    artifact.load(folder)
    change_manifest(folder, libraries=installed | {"scikit-learn": "0.1.0"})
    with pytest.raises(ArtifactError, match=r"scikit-learn 0\.1, installed is .*install 0\.1 or train"):
        artifact.load(folder)


def test_labels_in_another_order_than_the_manifest_says_are_refused(folder):
    change_manifest(folder, heads={"category": ["transfer", "login"]})
    with pytest.raises(ArtifactError, match="not the linear classifier of its manifest"):
        artifact.load(folder)


def test_an_unknown_family_is_refused(folder):
    change_manifest(folder, family="oracle")
    with pytest.raises(ArtifactError, match="family 'oracle' is not known"):
        artifact.load(folder)


@pytest.mark.parametrize("content", ["", "[]", '{"name": "toy"}', "\x00"])
def test_a_broken_manifest_is_said_to_be_one(folder, content):
    (folder / LAYOUT.manifest).write_text(content, encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"manifest\.json is not a manifest"):
        artifact.load(folder)


def test_a_folder_without_a_manifest_is_no_model(tmp_path):
    with pytest.raises(ArtifactError, match="is not a model folder"):
        artifact.load(tmp_path)


def test_saving_replaces_an_older_model_whole_and_leaves_nothing_beside_it(folder):
    classifier = trained()
    artifact.save(classifier, manifest_of(classifier, seed=7), "# toy\n", folder)
    assert artifact.load(folder)[1].seed == 7
    assert [p.name for p in folder.parent.iterdir()] == ["toy-1"]


def test_saving_does_not_overwrite_a_folder_that_is_no_model(tmp_path):
    (tmp_path / "precious").mkdir()
    classifier = trained()
    with pytest.raises(ArtifactError, match="is not a model folder"):
        artifact.save(classifier, manifest_of(classifier), "", tmp_path / "precious")


def test_a_manifest_of_another_classifier_is_not_written(tmp_path):
    classifier = trained()
    with pytest.raises(ArtifactError, match="does not describe this classifier"):
        artifact.save(classifier, manifest_of(classifier, heads={"other": ("a", "b")}), "", tmp_path / "toy")


def test_the_served_model_is_the_one_named_in_current(tmp_path):
    with pytest.raises(ArtifactError, match="no model is served"):
        artifact.served_folder(tmp_path)
    (tmp_path / "current").write_text("toy-1\n", encoding="utf-8")
    assert artifact.served_folder(tmp_path) == tmp_path / "toy-1"

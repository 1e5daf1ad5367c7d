import hashlib
import json

import numpy as np
import pytest

pytest.importorskip("onnx", reason="builds its models with onnx, which serving does not need")

from onnx_encoder import voting_encoder

from training.linear import LinearSettings, fit
from triage import artifact
from triage.artifact import Manifest
from triage.blend import BlendClassifier, Cascade
from triage.errors import ArtifactError
from triage.families import FAMILIES, LAYOUT
from triage.text import dictionary_hash

TEXTS = ["转账失败", "转账没到账", "转账转不出去", "登录不了", "登录失败", "登录要刷脸"]
LABELS = {"category": ["转账"] * 3 + ["登录"] * 3}


def classifier_of(family):
    linear = fit(TEXTS, LABELS, settings=LinearSettings(min_texts=1)).classifier
    encoder = voting_encoder({"转": [0, 5], "登": [5, 0]}, linear.heads, max_pieces=64)
    blend = BlendClassifier(
        linear, encoder, {"category": 0.4}, Cascade({"category": 0.9}, {"category": ("转账",)}), {"category": 0.8}, {"category": (0.5, 1.0)}
    )
    return {"linear": linear, "encoder": encoder, "blend": blend}[family]


def saved(family, folder):
    classifier = classifier_of(family)
    manifest = Manifest(
        name="toy", version="1", created="2026-01-01T00:00:00+08:00", family=family, heads=classifier.heads, text={},
        dictionary_hash=dictionary_hash(), data=(), metrics={}, review_thresholds={"category": 0.5},
        libraries=artifact.library_versions(), seed=0,
    )  # fmt: skip
    return artifact.save(classifier, manifest, "# toy\n", folder)


def change_manifest(folder, **changes):
    path = folder / LAYOUT.manifest
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_of_any_family_read_back_answers_as_before(family, tmp_path):
    manifest = saved(family, tmp_path / "toy")
    classifier, read = artifact.load(tmp_path / "toy")
    assert read == manifest
    assert set(manifest.files) == {*FAMILIES[family].files, LAYOUT.card}
    for head, probabilities in classifier_of(family).predict_proba(TEXTS).items():
        np.testing.assert_array_equal(classifier.predict_proba(TEXTS)[head], probabilities)


def test_a_blend_in_a_hurry_is_its_linear_part_and_says_so(tmp_path):
    saved("blend", tmp_path / "blend")
    saved("linear", tmp_path / "linear")
    fast, manifest = artifact.load(tmp_path / "blend", fast=True)
    assert manifest.folder_name == "toy-1-fast"
    expected = classifier_of("linear").predict_proba(TEXTS)["category"]
    np.testing.assert_array_equal(fast.predict_proba(TEXTS)["category"], expected)
    _, unchanged = artifact.load(tmp_path / "linear", fast=True)
    assert unchanged.folder_name == "toy-1"


def test_shares_and_cascade_of_a_blend_survive(tmp_path):
    saved("blend", tmp_path / "toy")
    classifier, _ = artifact.load(tmp_path / "toy", threads=1)
    assert classifier.shares == {"category": 0.4}
    assert classifier.temperatures == {"category": 0.8}
    assert classifier.cascade == Cascade({"category": 0.9}, {"category": ("转账",)})
    assert (classifier.encoder.reader.max_pieces, classifier.encoder.threads) == (64, 1)


def test_a_blend_that_took_another_mean_is_not_answered_with_as_if_it_were_a_new_one(tmp_path):
    saved("blend", tmp_path / "toy")
    path = tmp_path / "toy" / LAYOUT.blend_settings
    settings = json.loads(path.read_text())
    path.write_text(json.dumps({"weights": settings.pop("shares")} | settings), encoding="utf-8")
    manifest = json.loads((tmp_path / "toy" / LAYOUT.manifest).read_text(encoding="utf-8"))
    change_manifest(tmp_path / "toy", files=manifest["files"] | {LAYOUT.blend_settings: hashlib.sha256(path.read_bytes()).hexdigest()})
    with pytest.raises(ArtifactError, match=r"earlier release.*train the model again"):
        artifact.load(tmp_path / "toy")


@pytest.mark.parametrize("family", ["encoder", "blend"])
def test_each_file_of_a_family_is_needed(family, tmp_path):
    saved(family, tmp_path / "toy")
    (tmp_path / "toy" / LAYOUT.tokenizer).unlink()
    with pytest.raises(ArtifactError, match=r"tokenizer\.json is missing"):
        artifact.load(tmp_path / "toy")


def test_an_encoder_does_not_mind_another_dictionary_and_a_blend_does(tmp_path):
    for family in ("encoder", "blend"):
        saved(family, tmp_path / family)
        change_manifest(tmp_path / family, dictionary_hash="0" * 64)
    artifact.load(tmp_path / "encoder")
    with pytest.raises(ArtifactError, match="another dictionary"):
        artifact.load(tmp_path / "blend")


def test_a_linear_model_does_not_pass_for_a_blend(tmp_path):
    saved("linear", tmp_path / "toy")
    change_manifest(tmp_path / "toy", family="blend")
    with pytest.raises(ArtifactError, match=r"blend\.json is missing"):
        artifact.load(tmp_path / "toy")


def test_an_encoder_of_other_heads_than_its_manifest_says_is_refused(tmp_path):
    saved("encoder", tmp_path / "toy")
    change_manifest(tmp_path / "toy", heads={"category": ["转账", "登录"]})
    with pytest.raises(ArtifactError, match="not the encoder classifier of its manifest"):
        artifact.load(tmp_path / "toy")

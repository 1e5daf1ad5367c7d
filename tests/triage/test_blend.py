from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("onnx", reason="builds its models with onnx, which serving does not need")

from onnx_encoder import voting_encoder

from training.linear import LinearSettings, fit
from triage.blend import BlendClassifier, Cascade

TEXTS = ["转账失败", "转账没到账", "转账转不出去", "登录不了", "登录失败", "登录要刷脸"]
LABELS = {"category": ["转账"] * 3 + ["登录"] * 3, "severity": ["3", "2", "2", "1", "2", "1"]}
NEVER = Cascade({"category": 1.01, "severity": 1.01}, {})


@pytest.fixture(scope="module")
def linear():
    return fit(TEXTS, LABELS, settings=LinearSettings(min_texts=1)).classifier


@pytest.fixture
def blend(linear):
    votes = {"转": [0, 5, 0, 0, 2], "登": [5, 0, 3, 0, 0]}
    return BlendClassifier(
        linear, voting_encoder(votes, linear.heads), {"category": 0.25, "severity": 1.0}, None, {"category": 1.0, "severity": 1.0}
    )


def test_the_answer_is_the_weighted_geometric_mean_of_both(blend):
    first, second, both = (part.predict_proba(TEXTS) for part in (blend.linear, blend.encoder, blend))
    expected = first["category"] ** 0.75 * second["category"] ** 0.25
    np.testing.assert_allclose(both["category"], expected / expected.sum(axis=1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(both["severity"], second["severity"], rtol=1e-5)


def test_a_temperature_changes_how_sure_it_is_and_not_what_it_says(blend):
    bare, sharp, flat = (
        replace(blend, temperatures={"category": t, "severity": 1.0}).predict_proba(TEXTS)["category"] for t in (1.0, 0.5, 2.0)
    )
    np.testing.assert_allclose(sharp, bare**2 / (bare**2).sum(axis=1, keepdims=True), rtol=1e-4)
    assert (sharp.max(axis=1) > bare.max(axis=1)).all()
    assert (flat.max(axis=1) < bare.max(axis=1)).all()
    assert (sharp.argmax(axis=1) == flat.argmax(axis=1)).all()


def test_the_encoder_is_not_asked_where_the_linear_answer_stands(blend):
    cascade = Cascade({"category": 0.0, "severity": 0.0}, {})
    answers = replace(blend, cascade=cascade)
    for head, probabilities in answers.predict_proba(TEXTS).items():
        np.testing.assert_array_equal(probabilities, blend.linear.predict_proba(TEXTS)[head])


def test_one_unsure_head_is_enough_to_ask_the_encoder_about_all(blend):
    unsure = replace(blend, cascade=Cascade({"category": 0.0, "severity": 1.01}, {}))
    for head, probabilities in unsure.predict_proba(TEXTS).items():
        np.testing.assert_array_equal(probabilities, blend.predict_proba(TEXTS)[head])


def test_severe_complaints_are_always_looked_at_twice(blend):
    cascade = Cascade({"category": 0.0, "severity": 0.0}, {"severity": ("3",)})
    linear = blend.linear.predict_proba(TEXTS)
    severe = linear["severity"].argmax(axis=1) == blend.heads["severity"].index("3")
    assert 0 < severe.sum() < len(TEXTS)
    assert (cascade.settled(linear, blend.heads) == ~severe).all()


def test_words_are_the_linear_parts(blend):
    labels = np.array([1, 0])
    texts = ["转账失败", "登录不了"]
    assert blend.explain(texts, "category", labels) == blend.linear.explain(texts, "category", labels)


def test_no_text_gives_empty_distributions(blend):
    assert replace(blend, cascade=NEVER).predict_proba([])["category"].shape == (0, 2)

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from training.linear import LinearSettings, fit, fit_head, temperature
from triage.errors import InputError

TOPICS = {
    "转账": ["转账失败", "转账没到账", "钱转不出去", "转账限额太低"],
    "登录": ["登录失败", "登录要刷脸", "密码登录不了", "验证码收不到"],
}
TEXTS = [f"{text}{tail}" for texts in TOPICS.values() for text in texts for tail in ("", "了", "怎么办", "，气人", "!!")]
LABELS = [topic for topic, texts in TOPICS.items() for _ in range(len(texts) * 5)]


@pytest.fixture(scope="module")
def fitted():
    return fit(TEXTS, {"topic": LABELS})


def test_a_model_trained_twice_is_the_same_to_the_byte(fitted):
    assert pickle.dumps(fit(TEXTS, {"topic": LABELS}).classifier) == pickle.dumps(fitted.classifier)


def test_held_out_answers_are_distributions_and_know_the_topic(fitted):
    held_out = fitted.held_out["topic"]
    assert held_out.shape == (40, 2)
    np.testing.assert_allclose(held_out.sum(axis=1), 1)
    labels = fitted.classifier.heads["topic"]
    assert np.mean([labels[i] == label for i, label in zip(held_out.argmax(axis=1), LABELS, strict=True)]) > 0.8


def test_texts_without_a_label_are_left_out_of_that_head_only():
    half = [label if i % 2 else None for i, label in enumerate(LABELS)]
    fitted = fit(TEXTS, {"topic": LABELS, "half": half})
    assert np.isnan(fitted.held_out["half"][::2]).all()
    assert not np.isnan(fitted.held_out["half"][1::2]).any()
    assert not np.isnan(fitted.held_out["topic"]).any()


def test_a_label_with_one_example_is_kept_as_a_label():
    fitted = fit([*TEXTS, "别的事"], {"topic": [*LABELS, "其他"]})
    column = fitted.classifier.heads["topic"].index("其他")
    own, foreign = fitted.classifier.predict_proba(["别的事", "转账失败"])["topic"][:, column]
    assert own > foreign


@pytest.mark.parametrize(("copies", "courtesy", "groups"), [(2, 0.0, None), (1, 1.0, None), (1, 1.0, "one batch")])
def test_a_repeated_text_does_not_tell_its_copy_the_answer(copies, courtesy, groups):
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("甲乙丙丁戊己庚辛壬癸"), 6)) for _ in range(60)] * copies
    labels = [str(random.integers(2)) for _ in range(60)] * copies
    found = fit(texts, {"topic": labels}, [groups] * len(texts) if groups else None, LinearSettings(courtesy=courtesy))
    answers = found.held_out["topic"].argmax(axis=1)
    right = np.mean([found.classifier.heads["topic"][i] == label for i, label in zip(answers, labels, strict=True)])
    assert right < 0.7  # the labels are random


def test_texts_without_anything_in_common_are_refused():
    with pytest.raises(InputError, match="12 texts without a character in common"):
        fit(list("甲乙丙丁戊己庚辛壬癸子丑"), {"topic": ["a", "b"] * 6})


def test_a_group_that_holds_a_label_alone_still_gives_a_model():
    fitted = fit(TEXTS, {"topic": LABELS}, groups=LABELS)
    assert np.isnan(fitted.held_out["topic"]).all()
    assert fitted.classifier.temperatures["topic"] == 1.0


def test_without_words_the_model_reads_characters_only():
    classifier = fit(TEXTS, {"topic": LABELS}, settings=LinearSettings(words=False)).classifier
    assert classifier.vectoriser.words == {}
    assert classifier.heads["topic"][classifier.predict_proba(["登录失败"])["topic"][0].argmax()] == "登录"


def test_the_vocabulary_keeps_the_most_frequent_ngrams():
    vectoriser = fit(TEXTS, {"topic": LABELS}, settings=LinearSettings(max_features=10, longest=1)).classifier.vectoriser
    assert len(vectoriser.characters) == len(vectoriser.words) == 10
    assert {"转", "登", "录"} <= set(vectoriser.characters)


def test_ngrams_that_labels_use_unevenly_weigh_more_in_what_is_served():
    # The first feature is in every text, the second and third tell the label.
    features = csr_matrix([[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 1]], dtype=float)
    target = np.array([0, 0, 1, 1])
    plain, uneven = (fit_head(features, target, 2, LinearSettings(naive_bayes=share), 0)[0] for share in (0.0, 1.0))
    for weights in (plain, uneven):
        assert (features @ weights).argmax(axis=1).tolist() == target.tolist()
    assert abs(uneven[0, 0]) == pytest.approx(0, abs=1e-9)
    assert abs(uneven[1, 0]) > abs(plain[1, 0])


def test_rare_labels_count_more_in_the_machines_of_all_labels():
    random = np.random.default_rng(0)
    features = csr_matrix(np.vstack([random.normal(0, 1, (300, 5)), random.normal(0.8, 1, (20, 5))]))
    target = np.repeat([0, 1], [300, 20])
    found = [
        (features @ weights + intercepts).argmax(axis=1).sum()
        for weights, intercepts in (
            fit_head(features, target, 3, LinearSettings(balance=balance, naive_bayes=0.0), 0) for balance in (0.0, 1.0)
        )
    ]
    assert found[0] < 20 < found[1]


def test_a_few_rows_without_an_error_do_not_make_certain():
    target = np.arange(20) % 2
    scores = np.where(target[:, None] == [0, 1], 1.0, -1.0)
    assert 1 - 1 / (1 + np.exp(-2 / temperature(scores, target))) > 0.01


def test_the_temperature_recovers_the_scale_of_the_scores():
    random = np.random.default_rng(0)
    logits = random.normal(size=(20_000, 4)) * 2
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    target = (shares.cumsum(axis=1) > random.random((20_000, 1))).argmax(axis=1)
    assert temperature(logits * 3, target) == pytest.approx(3, rel=0.05)


def test_caution_lowers_the_confidence_and_no_answer(fitted):
    careful = fit(TEXTS, {"topic": LABELS}, settings=LinearSettings(caution=2.0)).classifier.predict_proba(TEXTS)["topic"]
    usual = fitted.classifier.predict_proba(TEXTS)["topic"]
    assert (careful.argmax(axis=1) == usual.argmax(axis=1)).all()
    assert (careful.max(axis=1) < usual.max(axis=1)).all()


def test_which_number_it_is_does_not_matter_how_long_it_is_may():
    texts = [f"盗刷了{n}元" for n in (5000, 1200, 88)] + [f"年费{n}元" for n in (300, 5000, 1200)]
    labels = {"topic": ["theft"] * 3 + ["fee"] * 3}
    classifier = fit(texts, labels, settings=LinearSettings(min_texts=1)).classifier
    same, other, shorter = classifier.predict_proba(["盗刷了7341元", "盗刷了9999元", "盗刷了7元"])["topic"]
    assert same.tolist() == other.tolist() != shorter.tolist()
    assert "0000" in classifier.vectoriser.words


def test_a_letter_is_about_what_its_first_sentence_names():
    random = np.random.default_rng(0)
    matters = ["路灯不亮", "停水三天", "噪音扰民"]
    titles = random.integers(3, size=60)
    letters = [f"{matters[title]}。" + "，".join(matters[i] for i in random.permutation(3)) + "，都请处理。" for title in titles]

    def likelihood(openings: bool) -> float:
        held_out = fit(letters, {"matter": [matters[i] for i in titles]}, settings=LinearSettings(openings=openings)).held_out["matter"]
        return held_out[np.arange(60), np.array([sorted(matters).index(matters[i]) for i in titles])].mean()

    assert likelihood(True) > likelihood(False)

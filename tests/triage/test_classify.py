import pickle

import numpy as np
import pytest

from training.linear import LinearSettings, fit
from triage.classify import character_ngrams, lower_words, opening, word_ngrams
from triage.privacy import prepare

# Ten texts and their labels: enough to overfit, too few to generalise.
TEXTS = [
    prepare(text)
    for text in (
        "转账一直失败，钱也没退回来", "跨行转账提示失败了", "转帳失敗三次", "手机银行转账转不出去", "转账显示失败但是扣款了",
        "刷脸登录不上去", "登录一直提示验证码错误", "登陆要人脸识别，怎么都登不上", "密码对的就是登录不了", "換了手機之後登錄不了",
    )
]  # fmt: skip
CATEGORY = ["transfer"] * 5 + ["login"] * 5
MOOD = ["sad", "calm"] * 5
SETTINGS = LinearSettings(min_texts=1, cost=10)


@pytest.fixture(scope="module")
def classifier():
    return fit(TEXTS, {"category": CATEGORY, "mood": MOOD}, settings=SETTINGS).classifier


def labels(classifier, texts, head="category"):
    return [classifier.heads[head][i] for i in classifier.predict_proba(texts)[head].argmax(axis=1)]


def test_ten_texts_are_learnt_and_answered_alike_singly_batched_and_after_pickling(classifier):
    assert labels(classifier, TEXTS) == CATEGORY
    together = classifier.predict_proba(TEXTS)
    restored = pickle.loads(pickle.dumps(classifier)).predict_proba(TEXTS)
    for head in ("category", "mood"):
        alone = np.vstack([classifier.predict_proba([text])[head] for text in TEXTS])
        np.testing.assert_allclose(alone, together[head], atol=1e-6)
        np.testing.assert_array_equal(restored[head], together[head])


def test_every_head_gives_a_distribution_over_its_labels_in_order(classifier):
    answer = classifier.predict_proba(["转账失败", ""])
    assert classifier.heads == {"category": ("login", "transfer"), "mood": ("calm", "sad")}
    for head, probabilities in answer.items():
        assert probabilities.shape == (2, len(classifier.heads[head]))
        assert probabilities.dtype == np.float32
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_no_text_gives_no_rows(classifier):
    assert classifier.predict_proba([])["category"].shape == (0, 2)
    assert classifier.explain([], "category", np.array([], dtype=int)) == []


def test_a_text_of_unknown_characters_is_answered_from_the_intercepts_and_explained_by_nothing(classifier):
    assert np.isfinite(classifier.predict_proba(["Ω ♠ ♠"])["category"]).all()
    assert classifier.explain(["Ω ♠ ♠"], "category", np.array([0])) == [[]]


def test_the_explanation_names_words_of_the_text_that_speak_for_the_label(classifier):
    text = prepare("我的转账失败了")
    [explained] = classifier.explain([text], "category", np.array([classifier.heads["category"].index("transfer")]))
    assert "转账失败" in {word for word, _ in explained}
    weights = [weight for _, weight in explained]
    assert weights == sorted(weights, reverse=True)
    assert min(weights) > 0
    assert all(word in text for word, _ in explained)


def test_the_explanation_of_a_batch_is_that_of_its_texts(classifier):
    index = np.array([0, 1] * 5)
    batch = classifier.explain(TEXTS, "category", index)
    for text, i, together in zip(TEXTS, index, batch, strict=True):
        [alone] = classifier.explain([text], "category", np.array([i]))
        assert [word for word, _ in alone] == [word for word, _ in together]


def test_counting_agrees_with_a_plain_count_of_ngrams(classifier):
    text = "转账APP转账失败"
    row = classifier.vectoriser.counts([text]).toarray()[0]
    grams = character_ngrams(text, classifier.vectoriser.longest)
    for gram, column in classifier.vectoriser.characters.items():
        assert row[column] == grams.count(gram)
    pairs = word_ngrams(lower_words(text))
    for gram, column in classifier.vectoriser.words.items():
        assert row[column] == pairs.count(gram)


def test_weights_are_those_of_scikit_learn(classifier):
    texts = ["转账APP转账失败", "登录", "", "Ω"]
    vectoriser = classifier.vectoriser
    theirs = vectoriser.weighting.transform(vectoriser.counts(texts))
    np.testing.assert_array_equal(vectoriser.transform(texts).toarray(), theirs.toarray())


def test_an_opening_is_what_comes_before_a_further_sentence():
    assert opening("转账失败！！我昨天去了网点") == "转账失败！！"
    assert opening("转账失败\n我昨天去了网点。后来又去") == "转账失败\n"
    assert opening("转账失败，我昨天去了网点。") == opening("") == opening("。") == ""


def test_openings_are_counted_by_themselves_with_a_fixed_share():
    texts = ["路灯不亮。请修路灯。", "路灯太亮！刺眼", "路灯不亮", "刺眼"]
    vectoriser = fit(
        [*texts, "İ路灯。灯", "İ路灯。"], {"topic": ["a", "b"] * 3}, settings=LinearSettings(min_texts=2, longest=2)
    ).classifier.vectoriser
    assert vectoriser.openings == ("。", "亮", "灯", "路", "路灯")
    counted = vectoriser.counts([*texts, "İ路灯。灯"]).toarray()[:, vectoriser.first_opening :]
    np.testing.assert_array_equal(counted, [[1, 1, 1, 1, 1], [0, 1, 1, 1, 1], [0] * 5, [0] * 5, [1, 0, 1, 1, 1]])
    weighed = vectoriser.transform(texts).toarray()
    opened = np.linalg.norm(weighed[:, vectoriser.first_opening :], axis=1)
    np.testing.assert_allclose(np.linalg.norm(weighed, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(opened, [0.5 / 1.25**0.5] * 2 + [0, 0], rtol=1e-6)

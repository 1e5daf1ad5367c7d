import numpy as np

from training.augment import with_courtesy
from training.linear import LinearSettings, fit

TEXTS = [
    f"{subject}{matter}"
    for subject in ("我的卡", "昨天", "手机上", "公司户")
    for matter in ("转账失败", "钱转不出去", "登录不了", "刷脸不过")
]
LABELS = {"topic": ["转账", "转账", "登录", None] * 4}


def test_copies_follow_their_origins_and_keep_label_and_group():
    found = with_courtesy(TEXTS, LABELS, None, 0.5, seed=0)
    assert found.texts[: len(TEXTS)] == tuple(TEXTS)
    assert 0 < len(found.texts) - len(TEXTS) < len(TEXTS)
    for i in range(len(TEXTS), len(found.texts)):
        origin = TEXTS.index(found.groups[i])
        assert TEXTS[origin] in found.texts[i]
        assert found.texts[i] != TEXTS[origin]
        assert found.labels["topic"][i] == LABELS["topic"][origin]


def test_given_groups_are_kept_and_the_seed_decides():
    groups = [str(i % 3) for i in range(len(TEXTS))]
    found = with_courtesy(TEXTS, LABELS, groups, 1.0, seed=1)
    assert found.groups == (*groups, *groups)
    assert with_courtesy(TEXTS, LABELS, groups, 1.0, seed=1) == found != with_courtesy(TEXTS, LABELS, groups, 1.0, seed=2)


def test_training_with_copies_still_answers_out_of_fold_for_the_given_texts_only():
    fitted = fit(TEXTS, LABELS, settings=LinearSettings(min_texts=1, courtesy=0.8))
    assert fitted.held_out["topic"].shape == (len(TEXTS), 2)
    assert np.isnan(fitted.held_out["topic"][3]).all()
    assert "谢谢" in fitted.classifier.vectoriser.words

"""What makes a matter graver or a customer happier must not move the tags the other way."""

import pytest

MOOD = {"negative": 0, "neutral": 1, "positive": 2}
GRAVER = (
    "，已经向银保监会投诉",
    "，我已经打12378投诉了",
    "，再不解决我就去银保监会投诉",
    "，我要起诉你们",
    "，投诉了三次都没人解决",
)
PRAISE = ("，不过你们柜员态度很好，谢谢", "，但是客服很耐心，点赞", "。总体还是很满意的，支持")


@pytest.mark.parametrize("addition", GRAVER)
def test_what_is_graver_never_lowers_the_severity(tag, complaints, addition):
    before, after = tag(complaints), tag([text + addition for text in complaints])
    lowered = [
        f"{text}: {b.severity.level} -> {a.severity.level} ({a.category.key})"
        for text, b, a in zip(complaints, before, after, strict=True)
        if a.severity.level < b.severity.level
    ]
    assert not lowered


@pytest.mark.parametrize("addition", PRAISE)
def test_praise_never_makes_the_sentiment_worse(tag, texts, addition):
    before, after = tag(texts), tag([text + addition for text in texts])
    worse = [
        f"{text}: {b.sentiment.label} -> {a.sentiment.label}"
        for text, b, a in zip(texts, before, after, strict=True)
        if MOOD[a.sentiment.label] < MOOD[b.sentiment.label]
    ]
    # "不过" before praise also says that what came before was blame: a flat report may be read as negative after it.
    assert len(worse) <= 0.03 * len(texts), worse


def test_abuse_never_makes_the_sentiment_of_a_complaint_better(tag, complaints):
    before, after = tag(complaints), tag([f"{text}，垃圾银行，气死人了" for text in complaints])
    better = [
        f"{text}: {b.sentiment.label} -> {a.sentiment.label}"
        for text, b, a in zip(complaints, before, after, strict=True)
        if MOOD[a.sentiment.label] > MOOD[b.sentiment.label]
    ]
    assert not better


def test_a_larger_sum_in_dispute_never_lowers_the_severity(tag):
    frames = ("同一笔消费扣了我两次钱，多扣了{}元", "转账{}元，钱扣了对方没收到", "银行卡被盗刷了{}元", "退款{}元一直没到账")
    for frame in frames:
        levels = [t.severity.level for t in tag([frame.format(amount) for amount in (50, 500, 5_000, 50_000, 500_000)])]
        assert levels == sorted(levels), frame
        assert levels[-1] == 4, frame


def test_a_loss_denied_or_only_asked_about_is_none(tag):
    frames = (
        "没有被扣费，就是问问{}怎么收",
        "我没有被盗刷，只是想了解一下{}",
        "没扣我钱，想咨询{}",
        "不是投诉，问一下{}",
        "没有逾期，问问{}怎么算",
    )
    texts = [frame.format(subject) for frame in frames for subject in ("年费", "分期手续费", "利息", "短信费", "转账手续费")]
    grave = [f"{text}: {t.severity.level}" for text, t in zip(texts, tag(texts), strict=True) if t.severity.level > 1]
    assert len(grave) <= 0.04 * len(texts), grave


def test_a_negation_that_tells_the_loss_does_not_hide_it(tag):
    texts = (
        "没问过我就扣了一年的年费",
        "这笔钱不是我刷的，三千块没了",
        "退款到现在一分没退给我",
        "我没开过短信提醒，你们每个月扣我两块钱",
        "没有任何通知就把我工资扣走了",
    )
    assert all(t.severity.level >= 3 and t.category.key != "other.not_complaint" for t in tag(texts))


def test_a_threat_weighs_no_more_than_what_was_done(tag, complaints):
    threat = tag([f"{text}，如果不解决我就投诉到银保监会" for text in complaints])
    done = tag([f"{text}，我已经投诉到银保监会了" for text in complaints])
    assert not [text for text, t, d in zip(complaints, threat, done, strict=True) if t.severity.level > d.severity.level]
    assert sum(t.severity.level < d.severity.level for t, d in zip(threat, done, strict=True)) / len(complaints) >= 0.85


def test_a_regulator_taking_the_case_up_is_the_gravest(tag, complaints):
    after = tag([f"{text}，已经向银保监会投诉" for text in complaints])
    assert sum(t.severity.level == 4 for t in after) / len(after) >= 0.97


def test_a_regulator_that_has_the_case_is_not_overlooked_as_chatter_and_one_that_is_asked_about_is(tag):
    facts = ("转账没到账，已经投诉到银保监会", "我已经打12378投诉了", "银保监会已经立案了")
    chatter = ("投诉到银保监会有用吗", "听说有人去银保监会投诉成功了", "银保监会电话是多少")
    assert all(t.severity.level == 4 for t in tag(facts))
    assert all(t.needs_review for t in tag(facts) if t.category.key == "other.not_complaint")
    assert all(t.severity.level == 1 for t in tag(chatter) if t.category.key == "other.not_complaint")

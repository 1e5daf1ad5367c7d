from datetime import datetime

import pytest

from triage.facts import read
from triage.severity import assess, floors
from triage.taxonomy import load_taxonomy
from triage.text import normalise

TAXONOMY = load_taxonomy()
TOLD = datetime(2026, 11, 21, 10, 0)


def level(text, category, channel="app", probabilities=(0.7, 0.2, 0.1, 0.0)):
    text = normalise(text)
    return assess(probabilities, text, read(text, TOLD), TAXONOMY.category(category), channel, TAXONOMY)


@pytest.mark.parametrize(
    ("text", "category", "floor", "reason"),
    [
        ("我转了五万六，三天了还没到账", "payment.transfer_failure", 4, "涉及金额56,000元，五万元以上"),
        ("银行卡被盗刷300元", "security.unauthorised", 3, "资金损失"),
        ("再不处理我就去银保监会投诉", "service.handling", 3, "扬言诉诸监管机构"),
        ("我已经向12378投诉", "service.handling", 4, "已诉诸监管机构"),
        ("逼得我都不想活了", "collection.harassment", 4, "涉及人身安全或轻生"),
        ("卡被冻结了，孩子手术费交不上", "account.restriction", 4, "急用资金受阻"),
        ("我们三十多户一起联名要求退钱", "wealth.redemption", 4, "群体性诉求"),
    ],
)
def test_policy_raises_the_level_and_says_why(text, category, floor, reason):
    severity = level(text, category)
    assert severity.level == floor
    assert reason in severity.reasons


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("欠了八万，想分期还", "loan.restructuring"),
        ("限额最多只能转5万", "payment.transfer_limit"),
        ("没有被盗刷，就是问问", "other.not_complaint"),
        ("如果上征信怎么办", "other.not_complaint"),
    ],
)
def test_sums_in_passing_and_suppositions_raise_nothing(text, category):
    assert level(text, category).level == 1


def test_what_a_regulator_hands_over_is_critical():
    assert level("年费不该收", "card.annual_fee", channel="regulator").level == 4


def test_without_a_rule_the_models_median_decides():
    severity = level("更新以后很难用", "ebank.usability", probabilities=(0.45, 0.1, 0.4, 0.05))
    assert (severity.level, severity.confidence) == (2, 0.1)


def test_floors_never_lower_what_the_model_says():
    severity = level("被盗刷300元", "security.unauthorised", probabilities=(0, 0, 0.1, 0.9))
    assert severity.level == 4


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("转账没到账，已经投诉到银保监会", "已诉诸监管机构"),
        ("工单都立案了，12378已经受理", "已诉诸监管机构"),
        ("已经向法院起诉你们了", "已诉诸司法途径"),
        ("电视台记者已经来采访过了", "已诉诸媒体曝光"),
        ("我们三十多户一起联名要求退钱", "群体性诉求"),
        ("七万块钱，我不想活了", "涉及人身安全或轻生"),
    ],
)
def test_what_is_mistaken_for_no_complaint_keeps_the_floors_that_make_it_one(text, reason):
    severity = level(text, "other.not_complaint")
    assert severity.level == 4
    assert reason in severity.reasons


@pytest.mark.parametrize(
    "text",
    [
        "听说有人已向银保监会投诉，涉及五万元",
        "投诉到银保监会有用吗",
        "听说有人去银保监会投诉成功了",
        "怎么投诉到银保监会，要准备什么材料",
        "你可以打12378投诉",
        "上周打12378投诉过，第二天就解决了，谢谢",
        "坐等降准，已经学会看央行公告下饭了",
        "花呗没还，会被起诉吗",
        "法院短信来了你去领传票",
        "如果大家一起联名投诉会不会有用",
        "谁有迪士尼联名的，开卡礼是啥",
        "黑猫上看到好多人已经投诉了",
        "跳楼价办卡，羊毛党快来",
    ],
)
def test_questions_chatter_and_praise_that_name_a_regulator_stay_slight(text):
    assert level(text, "other.not_complaint").level == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("如果不解决我就投诉到银保监会", 3),
        ("再不处理就打12378了", 3),
        ("你可以打12378投诉", 1),
        ("不解决你就去银保监投诉", 1),
        ("我要是你就投诉到银保监会了", 1),
    ],
)
def test_ones_own_threat_counts_even_where_the_model_sees_no_complaint_and_advice_does_not(text, expected):
    assert level(text, "other.not_complaint").level == expected


def test_the_model_judges_what_a_regulator_passes_on_as_no_complaint():
    text = normalise("请问大额存单利率是多少")
    assert floors(text, read(text, TOLD), TAXONOMY.category("other.not_complaint"), "regulator") == []


@pytest.mark.parametrize(
    ("text", "category", "floor"),
    [
        ("催收说让我去死", "collection.harassment", 2),
        ("转圈，还是转圈。去死吧", "ebank.outage", 1),
        ("你们已经把我起诉了，利息还在涨", "loan.restructuring", 1),
        ("已经找了律师", "wealth.misselling", 3),
        ("我已经发到黑猫投诉了", "service.handling", 3),
        ("还说要去我孩子学校门口拉横幅", "collection.harassment", 2),
        ("联名信用卡年费不合理", "card.annual_fee", 1),
        ("多亏了客服，就是年费不该收", "card.annual_fee", 1),
        ("客服说有本事你就去银保监会投诉", "service.hotline", 1),
        ("骗子还在跟我妈视频", "security.fraud", 4),
        ("我爸明天手术，卡冻结了取不出钱", "account.restriction", 4),
        ("眼睛做过手术，刷脸通不过", "branch.procedure", 1),
        ("工人的工资发不出去，账户被停了", "account.restriction", 4),
    ],
)
def test_rules_read_who_says_it_and_what_it_is_about(text, category, floor):
    text = normalise(text)
    found = floors(text, read(text, TOLD), TAXONOMY.category(category), "app")
    assert max((rule.level for rule in found), default=1) == floor

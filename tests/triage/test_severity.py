from datetime import datetime

import numpy as np
import pytest

from triage.facts import read
from triage.severity import assess, floors
from triage.taxonomy import load_taxonomy
from triage.text import normalise

TAXONOMY = load_taxonomy()
TOLD = datetime(2026, 11, 21, 10, 0)


def level(text, category, channel="app", probabilities=(0.7, 0.2, 0.1, 0.0)):
    text = normalise(text)
    return assess(np.array(probabilities), text, read(text, TOLD), TAXONOMY.category(category), channel, TAXONOMY)


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


def test_no_complaint_has_no_floor_but_danger_to_life():
    text = normalise("听说有人已向银保监会投诉，涉及五万元")
    assert floors(text, read(text, TOLD), TAXONOMY.category("other.not_complaint"), "social") == []

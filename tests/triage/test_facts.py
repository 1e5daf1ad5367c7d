from datetime import datetime

import pytest

from triage.facts import read
from triage.privacy import find
from triage.text import normalise

TOLD = datetime(2026, 11, 21, 10, 0)


def facts(text, kind):
    return [fact.value for fact in read(normalise(text), TOLD).facts if fact.kind == kind]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("我在广东省深圳市", ["440300"]),
        ("内蒙这边", ["150000"]),
        ("朝阳区的网点", [("110000", "220100")]),
        ("北京朝阳区的网点", ["110000", "110000"]),
        ("魔都", ["310000"]),
        ("手机银行平台中心", []),
        ("阿里巴巴的花呗", []),
        ("新会员没有积分", []),
        ("吉林的卡", [("220000", "220200")]),
    ],
)
def test_places_get_their_code_and_ambiguous_ones_keep_all(text, places):
    assert facts(text, "place") == places


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("再不解决我就去银保监会投诉", ["regulator.threat"]),
        ("如果明天还不到账，我将向12378举报", ["regulator.threat"]),
        ("已经向银保监会投诉", ["regulator.done"]),
        ("12378转办的工单", ["regulator.done"]),
        ("请问银保监会的电话是多少", ["regulator.mention"]),
        ("准备走法律途径", ["court.threat"]),
    ],
)
def test_a_threat_is_told_from_a_fact(text, stages):
    assert facts(text, "escalation") == stages


def test_products_channels_and_demands_are_named():
    text = "在手机银行买的基金亏了，要求赔偿并道歉"
    assert facts(text, "product") == ["mobile_bank", "fund"]
    assert facts(text, "channel") == ["app"]
    assert facts(text, "demand") == ["compensate", "apologise"]


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("信用卡被盗刷了", ("loss",)),
        ("没有被盗刷", ()),
        ("就怕上征信", ()),
        ("我真的不想活了", ("safety",)),
        ("差点被骗", ()),
        ("手术费等着用", ("urgent_need",)),
    ],
)
def test_cues_hold_unless_negated_or_supposed(text, cues):
    assert read(normalise(text), TOLD).cues == cues


def test_spans_point_at_the_original_in_any_script():
    text = "我的帳戶３月５號被扣了３５００元，轉帳到廣東"
    for fact in read(normalise(text), TOLD).facts:
        assert fact.text == normalise(text)[fact.start : fact.end]
    assert [(f.kind, f.value, text[f.start : f.end]) for f in read(normalise(text), TOLD).facts] == [
        ("date", "2026-03-05", "３月５號"),
        ("amount", 3500.0, "３５００元"),
        ("place", "440000", "廣東"),
    ]


def test_nothing_inside_personal_data_is_a_fact():
    text = normalise("卡号6222000012345000被扣了20元")
    assert [f.value for f in read(text, TOLD, find(text)).facts if f.kind == "amount"] == [20.0]

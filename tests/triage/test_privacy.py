from datetime import datetime
from itertools import pairwise

import pytest

from triage.privacy import find, mask, prepare, redact
from triage.types import BEIJING, Complaint, Evidence, Fact, Label, Sentiment, Severity, Triage, Turn


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13800138000", "电话[手机号]"),
        ("打我138 0013 8000或138-0013-8000", "打我[手机号]或[手机号]"),
        ("+8613912345678", "[手机号]"),
        ("幺三八零零幺三八零零零", "[手机号]"),
        ("座机010-66668888", "座机[电话]"),
        ("身份证11010519491231002X", "身份证[身份证号]"),
        ("卡6222021234567890128被冻结", "卡[银行卡号]被冻结"),
        ("卡6222 0212 3456 7890 128被冻结", "卡[银行卡号]被冻结"),
        ("卡号:6222000011112222", "卡号:[账号]"),
        ("账号是 8110 1234 5678", "账号是 [账号]"),
        ("发到 zhang.san@example.com", "发到 [邮箱]"),
        ("我叫王秀兰,今年62", "我叫[姓名],今年62"),
        ("本人张伟于3月5号", "本人[姓名]于3月5号"),
        ("我叫欧阳明月的卡", "我叫[姓名]的卡"),
        ("姓名:陈静", "姓名:[姓名]"),
        ("住在人民路88号3栋2单元501室", "住在人民路[门牌号]"),
        ("加我qq1280434557", "加我[社交账号]"),
    ],
)
def test_personal_data_are_masked_and_their_kind_stays_readable(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "打了95588和400-820-8820没人接",
        "订单号202009270230201950",
        "身份证110105194912310021",  # wrong check character
        "转了3500000元",
        "我是高新区的客户",
        "本人于2020年办理",
        "点击收款人管理页面",
        "我本人去也不行",
        "1.28.3版本闪退",
        "用户名位置填了手机号",
        "2026年3月5日10:30",
    ],
)
def test_what_only_looks_personal_stays(text):
    assert mask(text) == text


def test_full_width_numbers_are_found_and_the_rest_keeps_its_form():
    assert mask("電話１３８００１３８０００，請回覆") == "電話[手机号]，請回覆"


def test_models_read_normalised_and_masked_text():
    assert prepare("轉帳失敗　１３８００１３８０００") == "转账失败 [手机号]"


def test_finding_gives_ordered_spans_that_do_not_overlap():
    spans = find("我叫李雷,13800138000,邮箱a@b.cn,住中山路5号")
    assert [s.kind for s in spans] == ["姓名", "手机号", "邮箱", "门牌号"]
    assert all(a.end <= b.start for a, b in pairwise(spans))


def _triage(facts=(), evidence=()):
    now = datetime(2026, 3, 1, tzinfo=BEIJING)
    label = Label("ebank.login", "登录与身份验证", 0.9)
    return Triage(
        id="1", category=label, alternatives=(), severity=Severity(2, "一般", 0.9), sentiment=Sentiment("negative", 0.9), facts=facts,
        evidence=evidence, channel="app", region=None, department="网络金融部", due=now, first_answer_due=now, report_due=None,
        needs_review=False, review_reasons=(), model="fake-1",
    )  # fmt: skip


def test_redaction_masks_all_turns_and_moves_the_spans_of_the_customers_words():
    complaint = Complaint(
        id="1",
        turns=(
            Turn(speaker="agent", text="请问您的电话是13912345678吗"),
            Turn(speaker="customer", text="不是,是13800138000"),
            Turn(speaker="customer", text="被扣了300元"),
        ),
        time=datetime(2026, 3, 1, tzinfo=BEIJING),
    )
    start = complaint.customer_text.index("300元")
    fact = Fact("amount", 300.0, "300元", start, start + 4)
    inside = Evidence("138", 4, 7, 1.0)

    stored, triage = redact(complaint, _triage(facts=(fact,), evidence=(inside,)))

    assert [turn.text for turn in stored.turns] == ["请问您的电话是[手机号]吗", "不是,是[手机号]", "被扣了300元"]
    moved = triage.facts[0]
    assert stored.customer_text[moved.start : moved.end] == "300元"
    assert triage.evidence == ()

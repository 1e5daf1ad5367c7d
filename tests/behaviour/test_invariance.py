"""What says nothing about the matter must not change the tags."""

import re

import opencc
import pytest

AMOUNTS = {
    "三百": "五百",
    "八百": "六百",
    "三千": "两千",
    "五千": "四千",
    "八千": "七千",
    "两万": "三万",
    "三万": "两万",
    "两千": "三千",
    "一百九十八": "一百六十八",
}
FILLERS = ("嗯", "那个", "就是说", "呃")
_AMOUNT = re.compile("|".join(sorted(AMOUNTS, key=len, reverse=True)))
_TO_TRADITIONAL = opencc.OpenCC("s2t")


def polite(text):
    return f"你好，{text}，麻烦帮忙看一下，谢谢"


def named(text):
    return f"我叫王建国，{text}"


def other_name(text):
    return f"我叫欧阳晓红，{text}"


def other_amount(text):
    return _AMOUNT.sub(lambda match: AMOUNTS[match.group()], text)


def spoken(text):
    """As a recogniser of speech writes it: no punctuation, fillers, a repeated beginning."""
    parts = [part for part in re.split("[，。？！]", text) if part]
    return parts[0][:2] + "".join(FILLERS[i % len(FILLERS)] + part for i, part in enumerate(parts))


def full_width(text):
    """Digits and letters as a Chinese input method writes them."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def traditional(text):
    return _TO_TRADITIONAL.convert(text)


def typed_in_a_hurry(text):
    """Blanks for punctuation and an emoji."""
    return re.sub("[，。]", " ", text) + " 😡"


def unchanged(tag, texts, change, read):
    before, after = tag(texts), tag([change(text) for text in texts])
    pairs = [(text, read(b), read(a)) for text, b, a in zip(texts, before, after, strict=True)]
    different = [f"{text}: {b} -> {a}" for text, b, a in pairs if b != a]
    return 1 - len(different) / len(texts), different


@pytest.mark.parametrize(
    ("change", "least"),
    [(named, 0.93), (other_amount, 0.98), (polite, 0.90), (spoken, 0.88), (full_width, 1.0), (traditional, 0.99), (typed_in_a_hurry, 0.93)],
)
def test_the_category_stays(tag, texts, change, least):
    share, different = unchanged(tag, texts, change, lambda triage: triage.category.key)
    assert share >= least, different


@pytest.mark.parametrize(
    ("change", "least"),
    [(named, 0.90), (other_amount, 0.98), (spoken, 0.85), (full_width, 1.0), (traditional, 0.97), (typed_in_a_hurry, 0.9)],
)
def test_the_severity_stays(tag, texts, change, least):
    share, different = unchanged(tag, texts, change, lambda triage: triage.severity.level)
    assert share >= least, different


def test_the_sum_in_digits_does_not_decide_the_category(tag):
    frames = {
        "同一笔消费扣了我两次钱，多扣了{}元": "payment.duplicate_charge",
        "转账{}元，钱扣了对方没收到": "payment.transfer_failure",
        "银行卡被盗刷了{}元": "security.unauthorised",
        "退款{}元一直没到账": "payment.refund",
        "信用卡年费{}元不合理，要求退": "card.annual_fee",
        "存了{}元定期，到期利息少了": "account.deposit",
        "理财亏了{}元": "wealth.loss",
        "被骗子骗走{}元": "security.fraud",
        "每月扣{}元短信费": "account.small_fee",
        "假币{}元银行不认": "branch.cash",
        "转错人了，{}元要不回来": "payment.wrong_transfer",
        "提前还贷要收{}元违约金": "loan.repayment",
    }
    sums = (3, 50, 88, 120, 500, 999, 1888, 2000, 5000, 7300, 12000, 50000, 86400, 500000)
    cases = [(frame.format(amount), category) for frame, category in frames.items() for amount in sums]
    wrong = [
        f"{text} -> {t.category.key}"
        for (text, category), t in zip(cases, tag([c[0] for c in cases]), strict=True)
        if t.category.key != category
    ]
    assert 1 - len(wrong) / len(cases) >= 0.95, wrong


def test_another_name_changes_nothing_at_all(tag, texts):
    first, second = tag([named(text) for text in texts]), tag([other_name(text) for text in texts])
    for a, b in zip(first, second, strict=True):
        assert (a.category, a.severity, a.sentiment) == (b.category, b.severity, b.sentiment)


def test_another_phone_or_card_number_changes_nothing_at_all(tag, texts):
    first = tag([f"{text}，电话13800138000" for text in texts])
    second = tag([f"{text}，电话15912345678" for text in texts])
    assert [(t.category, t.severity, t.sentiment) for t in first] == [(t.category, t.severity, t.sentiment) for t in second]


def test_the_order_and_company_of_texts_change_nothing(tag, texts):
    together = [t.category.key for t in tag(texts)]
    backwards = [t.category.key for t in tag(texts[::-1])][::-1]
    alone = [tag([text])[0].category.key for text in texts[:20]]
    assert together == backwards
    assert together[:20] == alone

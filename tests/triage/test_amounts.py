import pytest

from triage.amounts import find_amounts, parse_number


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("3万5", 35000), ("三万五千元", 35000), ("35,000.00元", 35000), ("3.5w", 35000), ("叁万伍仟元", 35000), ("三万五", 35000),
        ("两千多块", 2000), ("九毛九", 0.99), ("3块5毛", 3.5), ("一百二十万", 1_200_000), ("1.2亿", 120_000_000), ("十几万", 100_000),
        ("20多万", 200_000), ("二十来万", 200_000), ("1万零500元", 10_500), ("¥88.8", 88.8), ("rmb300", 300), ("一千八的年费", 1800),
        ("扣了3500", 3500), ("转了12345.67", 12345.67), ("额度50k", 50_000), ("存了二十五万三千", 253_000), ("一块五", 1.5), ("五毛钱", 0.5),
    ],
)  # fmt: skip
def test_every_notation_gives_yuan(text, yuan):
    assert [amount.yuan for amount in find_amounts(text)] == [yuan]


@pytest.mark.parametrize(
    "text",
    [
        "千万别转", "万一丢了", "几万块", "2万人", "排了两个小时", "2026年3月", "一块去", "4g网络", "iphone6s", "百分之三", "十分生气", "打95588",
        "3.5%", "等了12期", "亏了8个点", "收到95开头的短信", "元旦", "第3次", "100多人", "三千米",
    ],
)  # fmt: skip
def test_numbers_that_are_not_money_are_left_alone(text):
    assert find_amounts(text) == []


def test_foreign_money_names_its_currency_and_is_not_yuan():
    (amount,) = find_amounts("被收了300美元")
    assert (amount.value, amount.currency, amount.yuan) == (300, "USD", None)


def test_spans_are_exact():
    text = "先扣3万5,又扣九毛九,再扣1,200.50元。"
    assert [text[a.start : a.end] for a in find_amounts(text)] == ["3万5", "九毛九", "1,200.50元"]


@pytest.mark.parametrize(
    ("text", "value"), [("二零二六", 2026), ("十", 10), ("十五", 15), ("三万零五", 30005), ("两百五", 250), ("千", None), ("零", None)]
)
def test_numbers_are_read_as_spoken(text, value):
    assert parse_number(text) == value

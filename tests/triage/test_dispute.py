from datetime import datetime

import pytest

from triage.dispute import disputed_yuan
from triage.facts import read
from triage.taxonomy import load_taxonomy
from triage.text import normalise


@pytest.mark.parametrize(
    ("text", "category", "expected"),
    [
        ("我转了五万六，三天了还没到账", "payment.transfer_failure", 56_000),
        ("卡里有二十万，被盗刷了300元", "security.unauthorised", 300),
        ("卡里有二十万全被转走了", "security.unauthorised", 200_000),
        ("我每个月流水十几万，还收我3块短信费", "account.small_fee", 3),
        ("昨天汇8万收了我10元", "account.small_fee", 10),
        ("刷满5万元才免年费，不然扣我580元", "card.annual_fee", 580),
        ("装修分期20万，一次收了6万元手续费", "card.installment_fee", 60_000),
        ("取5万以上要提前一天预约", "branch.cash", 0),
        ("存了20万定期，到期利息少了300元", "account.deposit", 0),
        ("80万定期存单，柜台说系统里没有这笔", "account.deposit", 800_000),
        ("六十万进去现在剩五十三万", "wealth.loss", 70_000),
        ("十二万进的，现在九万四", "wealth.loss", 26_000),
        ("20万买的，亏了1300元", "wealth.loss", 1_300),
        ("20万元的理财，波动很大", "wealth.loss", 0),
        ("限额最多只能转5万元", "payment.transfer_limit", 0),
    ],
)
def test_the_sum_in_dispute_is_told_from_those_in_passing(text, category, expected):
    text = normalise(text)
    assert disputed_yuan(text, read(text, datetime(2026, 11, 21)).facts, load_taxonomy().category(category)) == expected

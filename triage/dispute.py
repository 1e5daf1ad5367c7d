"""Which of the sums in a text is in dispute, as against those mentioned in passing: a balance, a limit, what a fee was charged on."""

import re
from collections.abc import Sequence

from triage.taxonomy import Category
from triage.types import Fact

IN_DISPUTE = frozenset({
    "payment.transfer_failure", "payment.duplicate_charge", "payment.refund", "payment.wrong_transfer", "payment.third_party",
    "security.unauthorised", "security.fraud", "wealth.loss", "wealth.misselling", "wealth.redemption", "atm.fault", "branch.cash",
    "card.annual_fee", "card.installment_fee", "card.interest_penalty", "account.small_fee", "account.deposit",
})  # fmt: skip
"""Categories of money lost, stuck or wrongly taken; elsewhere a sum is as a rule a debt, a limit or a balance."""
# Where only a sum that was charged is in dispute, not the one it is charged on: 二十万的分期收了两万手续费.
_FEES = frozenset({"card.annual_fee", "card.installment_fee", "card.interest_penalty", "account.small_fee"})
_PASSING_BEFORE = re.compile(
    r"(?:额度|限额|最多|上限|资产|存款|年收入|月薪|工资|收入|流水|余额|账单|贷款|贷了|欠|欠款|买了|持有|本金|起存|满|存了|只能转|只能|消费|(?<![盗被人])刷了|刷满|首付|房价|总价|[卡账][里户]里?(?:还|就|只)?有)[^,。;!?]{0,6}$"
)
_PASSING_AFTER = re.compile(r"^(?:块钱?|元)?(?:钱)?(?:以上|以下|以内|之内|起(?!诉)|的?(?:额度|限额|定期|存款|房贷|车贷|贷款|欠款))")
# A sum that passes for a balance is the one in dispute after all: 卡里有二十万全被转走了.
_LOSS = r"(?:没了|不见|被转|被盗|被骗|被刷|一分不剩|未到账|没到账|不翼而飞|蒸发|查不到|没有这)"
_GONE = re.compile(rf"^[^,。;!?]{{0,8}}{_LOSS}|^[块元钱]*,(?:现在|居然|竟然)?(?:全部?|都|一下子?){_LOSS}")
_FEE_BEFORE = re.compile(r"(?:[收扣罚付交]|费|息|金)[了我去掉走的共约合计是要高达]{0,5}$")
_FEE_AFTER = re.compile(r"^[多余元块钱的]{0,4}(?:手续费|利息|年费|违约金|罚息|滞纳金|费用|短信费|管理费)")
_LOST_BEFORE = re.compile(r"(?:亏|损|跌|赔|少|没)[了损掉去失我大概将近快整超过差不多共]{0,6}$")
_LEFT_BEFORE = re.compile(r"(?:剩|如今|现在|目前|变成了?|只有|市值|净值|余额|得本息|拿到)[^,。;!?]{0,6}$")
_DEPOSIT_GONE = re.compile(r"没了|不见了|取不出|取不了|查不到|查无|没有(?:这|此)|系统里没有|假的|鉴定|没有记录|被人?[转取]|不是存款|不认")


def disputed_yuan(text: str, facts: Sequence[Fact], category: Category) -> float:
    """The largest sum (yuan) that is in dispute rather than mentioned in passing; 0 when there is none.

    Of a fee the sum charged, of an investment the part lost (stated, or paid in less what is left), of a deposit all of it where it
    cannot be had, nothing where only its interest is short.

    Args:
        text: normalised.
        facts: of the text.
        category: the category it was given.
    """
    key = category.key
    if key not in IN_DISPUTE or key == "branch.cash" or (key == "account.deposit" and not _DEPOSIT_GONE.search(text)):
        return 0.0
    sums = [f for f in facts if f.kind == "amount" and isinstance(f.value, float)]
    if key == "wealth.loss":
        return _lost_yuan(text, sums)
    if key == "account.deposit":
        return max((f.value for f in sums), default=0.0)
    stands = _is_charged if key in _FEES else _is_at_stake
    return max((f.value for f in sums if stands(text, f)), default=0.0)


def _is_charged(text: str, fact: Fact) -> bool:
    return bool(_FEE_BEFORE.search(text[max(0, fact.start - 8) : fact.start]) or _FEE_AFTER.search(text[fact.end : fact.end + 8]))


def _is_at_stake(text: str, fact: Fact) -> bool:
    before, after = text[max(0, fact.start - 12) : fact.start], text[fact.end : fact.end + 16]
    return not (_PASSING_BEFORE.search(before) or _PASSING_AFTER.search(after)) or bool(_GONE.search(after))


def _lost_yuan(text: str, sums: Sequence[Fact]) -> float:
    lost, left, paid = [0.0], [], []
    for fact in sums:
        before = text[max(0, fact.start - 12) : fact.start]
        kind = lost if _LOST_BEFORE.search(before) else left if _LEFT_BEFORE.search(before) else paid
        kind.append(fact.value)
    if left and paid and lost == [0.0]:
        lost.append(max(paid) - min(left))
    return max(lost)

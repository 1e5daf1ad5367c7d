"""How bad is it: the model's opinion, held up by the policy of the annotation guide, with the reasons a reader needs.

Policy only ever raises: each rule that applies states a least level and why. Between those floors the model decides, since most of
what makes a complaint serious is not in a list.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.facts import Reading
from triage.phrases import cues, phrase_name
from triage.taxonomy import Category, Taxonomy
from triage.types import Fact, Severity

DISPUTE_CRITICAL_YUAN = 50_000
# Where a sum in the text is as a rule the sum in dispute; elsewhere it is a debt, a limit or a balance.
_IN_DISPUTE = frozenset({
    "payment.transfer_failure", "payment.duplicate_charge", "payment.refund", "payment.wrong_transfer", "payment.third_party",
    "security.unauthorised", "security.fraud", "wealth.loss", "wealth.misselling", "wealth.redemption", "atm.fault", "branch.cash",
    "card.annual_fee", "card.installment_fee", "card.interest_penalty", "account.small_fee", "account.deposit",
})  # fmt: skip
# Money is blocked: an urgent need counts only here.
_BLOCKED = frozenset({
    "account.restriction", "account.lost_password", "payment.transfer_failure", "payment.transfer_limit", "payment.duplicate_charge",
    "payment.refund", "payment.wrong_transfer", "atm.fault", "branch.cash", "branch.procedure", "wealth.redemption", "security.fraud",
    "security.unauthorised", "loan.approval", "account.deposit",
})  # fmt: skip
_LOSS = frozenset({"payment.duplicate_charge", "payment.wrong_transfer", "security.unauthorised", "security.fraud", "payment.refund"})
_NOT_DISPUTED_BEFORE = re.compile(
    r"(?:额度|限额|最多|上限|资产|存款|年收入|月薪|工资|贷款|贷了|欠|欠款|买了|持有|本金|起存|满|存了|只能转|只能)[^,。;!?]{0,6}$"
)
_CROWD = re.compile(
    r"(?:我们|大家|全村|全小区|共|一共|业主|工友|受害[人者]|投资[人者]|储户)[^,。;!?]{0,6}?[一二三四五六七八九十百千几\d]{1,4}[多余来]?(?:户|名(?!额|下)|个人|人|位|家)(?!次)[^,。;!?]{0,8}(?:一起|联名|都被|全被|集体|联合|签名|准备|要求|受害|维权)"
)


@dataclass(frozen=True, slots=True)
class Floor:
    """A least level (1-4) and its reason in Chinese."""

    level: int
    reason: str


def assess(
    probabilities: NDArray[np.floating], text: str, reading: Reading, category: Category, channel: str, taxonomy: Taxonomy
) -> Severity:
    """Level, confidence and reasons of one complaint.

    Args:
        probabilities: (4,) the model's for levels 1 to 4.
        text: normalised customer text.
        reading: its facts and cues.
        category: the category it was given.
        channel: key of the channel it came by.

    Returns:
        The model's median level, raised to the highest floor; `confidence` is the model's probability of the level given.
    """
    rules = floors(text, reading, category, channel)
    # The median minimises the expected distance in levels, which is what an ordinal scale asks for.
    level = int(np.searchsorted(np.cumsum(probabilities), 0.5)) + 1
    level = min(level, len(probabilities))
    floor = max((rule.level for rule in rules), default=1)
    level = max(level, floor)
    reasons = tuple(dict.fromkeys(rule.reason for rule in sorted(rules, key=lambda r: -r.level)))
    return Severity(level, taxonomy.severities[level], round(float(probabilities[level - 1]), 4), reasons)


def floors(text: str, reading: Reading, category: Category, channel: str) -> list[Floor]:
    """The policy rules that apply to a complaint. What is no complaint has none but danger to life."""
    held = [(key, cues()[key]) for key in reading.cues]
    if category.key == "other.not_complaint":
        return [Floor(cue.level, cue.reason) for key, cue in held if key == "safety"]
    found = [
        Floor(cue.level, cue.reason)
        for key, cue in held
        if (key != "urgent_need" or category.key in _BLOCKED) and (key != "loss" or category.key in _IN_DISPUTE)
    ]
    found += _escalation(reading.facts)
    if channel == "regulator":
        found.append(Floor(4, "监管转办"))
    if _CROWD.search(text):
        found.append(Floor(4, "群体性诉求"))
    if category.key == "collection.harassment":
        found.append(Floor(2, "催收方式不当"))
    disputed = _disputed_yuan(text, reading.facts, category)
    if disputed >= DISPUTE_CRITICAL_YUAN:
        found.append(Floor(4, f"涉及金额{_yuan(disputed)}元，五万元以上"))
    elif disputed > 0 and category.key in _LOSS:
        found.append(Floor(3, f"涉及金额{_yuan(disputed)}元"))
    return found


def _escalation(facts: Sequence[Fact]) -> list[Floor]:
    found = []
    for fact in facts:
        if fact.kind != "escalation":
            continue
        key, stage = str(fact.value).split(".")
        if key not in ("regulator", "court", "media"):
            continue
        name = phrase_name("escalation", key)
        if stage == "done" and key != "media":
            found.append(Floor(4, f"已诉诸{name}"))
        elif stage == "threat":
            found.append(Floor(3, f"扬言诉诸{name}"))
    return found


def _disputed_yuan(text: str, facts: Sequence[Fact], category: Category) -> float:
    """The largest sum (yuan) that is in dispute rather than mentioned in passing; 0 when there is none."""
    if category.key not in _IN_DISPUTE:
        return 0.0
    return max(
        (
            f.value
            for f in facts
            if f.kind == "amount" and isinstance(f.value, float) and not _NOT_DISPUTED_BEFORE.search(text[max(0, f.start - 12) : f.start])
        ),
        default=0.0,
    )


def _yuan(value: float) -> str:
    return f"{value:,.2f}".removesuffix(".00")

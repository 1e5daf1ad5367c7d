"""How bad is it: the model's opinion, held up by the policy of the annotation guide, with the reasons a reader needs.

Policy only ever raises: each rule that applies states a least level and why. Between those floors the model decides, since most of
what makes a complaint serious is not in a list.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from triage.dispute import IN_DISPUTE, disputed_yuan
from triage.facts import Reading
from triage.phrases import cues, mentions, phrase_name
from triage.stance import own_fact
from triage.taxonomy import Category, Taxonomy
from triage.types import Fact, Severity

DISPUTE_CRITICAL_YUAN = 50_000
NOT_COMPLAINT = "other.not_complaint"
# Money is blocked: an urgent need counts only here.
_BLOCKED = frozenset({
    "account.restriction", "account.lost_password", "payment.transfer_failure", "payment.transfer_limit", "payment.duplicate_charge",
    "payment.refund", "payment.wrong_transfer", "atm.fault", "branch.cash", "branch.procedure", "wealth.redemption", "security.fraud",
    "security.unauthorised", "loan.approval", "account.deposit",
})  # fmt: skip
_LOSS = frozenset({"payment.duplicate_charge", "payment.wrong_transfer", "security.unauthorised", "security.fraud", "payment.refund"})
_CROWD = re.compile(
    r"(?:我们|大家|全村|全小区|共|一共|业主|工友|受害[人者]|投资[人者]|储户)[^,。;!?]{0,6}?[一二三四五六七八九十百千几\d]{1,4}[多余来]?(?:户|名(?!额|下)|个人|人|位|家)(?!次)[^,。;!?]{0,8}(?:一起|联名|都被|全被|集体|联合|签名|准备|要求|受害|维权)"
)
_FRAUD = frozenset({"security.fraud", "security.unauthorised"})
_UNDER_WAY = re.compile(
    r"(?:正在|还在|现在还)[^,。]{0,12}(?:转|扣|骗|刷|盗|催我|视频|打给|共享)|(?:刚刚|刚才|分钟前|就现在)[^,。]{0,10}(?:转|扣|骗|刷|盗)"
    r"|又来一条|又扣了|又一笔|一条接一条|一直在?往外|一分钟一条|还要再?转|叫我再转"
)
_MEDICAL = re.compile(
    r"(?<!过)手术(?!后)|(?:在医院|住院|急诊|重症)[^。]{0,15}(?:交|缴|押金|等钱|催|用钱)|(?:工人|员工|民工|班组)[^。]{0,12}(?:工资|工钱)"
)
_MEDIA_PRESS = re.compile(r"记者|媒体|电视台|今日头条|热搜|曝光")
_COMPLAINED = re.compile(
    r"投诉|举报|反映|反馈|访|找|打|[上转]报|告状|告到|递|寄|提交|写|转|立案|受理|介入|致电|联系|申诉|回复|函|督办|通过|向|去|收|说|[让叫]我|12\d{3}"
)
_SUES = re.compile(r"立案|受理|起诉|诉状|开庭|仲裁|诉讼|打官司|告")
_SUED = re.compile(r"被[^,。我]{0,6}$|把我$|(?:银行|贵行|行里|你们|催收|他们|对方|说)[^,。我]{0,6}$")
# It came to a good end, or the writer praises: 投诉到银监会,第二天就退回来了.
_SETTLED = re.compile(
    r"(?<!没)(?<!没有)(?<!未)(?:解决了|处理好|处理完|搞定|撤诉|撤销了?投诉|撤了诉|谈好|协商(?:好|成|下来|成功|过了)|(?<!不)同意(?:了|分期|减)|退(?:回来|回|还|给我|息)?了|退回来)"
    r"|成功|(?<!不)管用|(?<!没)(?<!没有)有效|效果(?:真|很)?好|厉害|给力|点赞|(?<!不)满意|态度好"
)

_OWN_THREAT = re.compile(
    r"(?:我们?|本人|咱们?)(?:就|只好|只能|只有|将|会|要|马上|直接|立刻|一定|肯定)|(?:否则|不然|再不|[不没](?:解决|处理|退|赔|给)[^,。]{0,4})[^你您他她]{0,5}就?[^你您他她]{0,4}$"
)
_ADVICE = re.compile(r"[你您他她][^,。]{0,6}$|建议|可以|大家|问我")


@dataclass(frozen=True, slots=True)
class Floor:
    """A least level (1-4) and its reason in Chinese."""

    level: int
    reason: str


def assess(probabilities: Sequence[float], text: str, reading: Reading, category: Category, channel: str, taxonomy: Taxonomy) -> Severity:
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
    level = bisect_left(list(accumulate(probabilities)), 0.5) + 1
    level = min(level, len(probabilities))
    floor = max((rule.level for rule in rules), default=1)
    level = max(level, floor)
    reasons = tuple(dict.fromkeys(rule.reason for rule in sorted(rules, key=lambda r: -r.level)))
    return Severity(level, taxonomy.severities[level], round(probabilities[level - 1], 4), reasons)


def floors(text: str, reading: Reading, category: Category, channel: str) -> list[Floor]:
    """The policy rules that apply to a complaint, none of them to a mere question, to hearsay or to what is denied.

    What is taken for no complaint keeps those that would make it one: danger to life, and, told as the writer's own and not as settled,
    a regulator, a court or the press that is already involved or that the writer threatens to turn to, and a group. What a regulator hands
    over stays with the model: it passes on questions too.
    """
    held = [(key, cues()[key]) for key in reading.cues]
    if category.key == NOT_COMPLAINT:
        safety = [Floor(cue.level, cue.reason) for key, cue in held if key == "safety"]
        involved = [floor for floor in _escalation(text, reading.facts) if floor.level == 4]
        involved += _escalation(text, [fact for fact in reading.facts if fact.kind == "escalation" and _own_threat(text, fact)])
        if _group_acts(text, reading.cues):
            involved.append(Floor(4, "群体性诉求"))
        return safety if involved and _SETTLED.search(text) else safety + involved
    found = [
        Floor(cue.level, cue.reason)
        for key, cue in held
        if (key != "urgent_need" or category.key in _BLOCKED)
        and (key != "loss" or category.key in IN_DISPUTE)
        and (key != "crowd" or category.key != "collection.harassment")  # there it is the collector who threatens with a banner
    ]
    found += _escalation(text, reading.facts)
    if channel == "regulator":
        found.append(Floor(4, "监管转办"))
    if _CROWD.search(text):
        found.append(Floor(4, "群体性诉求"))
    if category.key in _FRAUD and _UNDER_WAY.search(text):
        found.append(Floor(4, cues()["crime_now"].reason))
    if category.key in _BLOCKED and _MEDICAL.search(text):
        found.append(Floor(4, cues()["urgent_need"].reason))
    if category.key == "collection.harassment":
        found.append(Floor(2, "催收方式不当"))
    disputed = disputed_yuan(text, reading.facts, category)
    if disputed >= DISPUTE_CRITICAL_YUAN:
        found.append(Floor(4, f"涉及金额{_yuan(disputed)}元，五万元以上"))
    elif disputed > 0 and category.key in _LOSS:
        found.append(Floor(3, f"涉及金额{_yuan(disputed)}元"))
    return found


def _escalation(text: str, facts: Sequence[Fact]) -> list[Floor]:
    """Regulator, court, media: 4 where they have it already, 3 where it is threatened, and for what the guide calls no authority:
    one's own lawyer, the consumers' association, a post among friends. A court that the bank went to does not decide."""
    found = []
    for fact in facts:
        if fact.kind != "escalation":
            continue
        key, stage = str(fact.value).split(".")
        if key not in ("regulator", "court", "media"):
            continue
        name = phrase_name("escalation", key)
        if stage == "threat":
            found.append(Floor(3, f"扬言诉诸{name}"))
        elif stage == "done" and _turned_to(key, text, fact):
            found.append(Floor(4 if _is_authority(key, fact.text) else 3, f"已诉诸{name}"))
    return found


def _own_threat(text: str, fact: Fact) -> bool:
    """The writer's own threat, not advice to others: 不解决我就找银保监, not 你可以打12378."""
    before = text[max(0, fact.start - 10) : fact.start]
    return str(fact.value).endswith(".threat") and bool(_OWN_THREAT.search(before)) and not _ADVICE.search(before)


def _is_authority(key: str, name: str) -> bool:
    if key == "media":
        return bool(_MEDIA_PRESS.search(name))
    return name not in ("律师", "消协", "消费者协会")


def _turned_to(key: str, text: str, fact: Fact) -> bool:
    """Somebody put the case to it: not 看央行公告 nor 法院传票, and it is not the bank that sues."""
    around = text[max(0, fact.start - 12) : fact.end + 12]
    if key == "regulator":
        return bool(_COMPLAINED.search(around))
    if key == "court":
        sued = _SUED.search(text[max(0, fact.start - 12) : fact.start]) or text.startswith("我", fact.end)
        return not sued and bool(fact.text == "律师" or _SUES.search(around))
    return True


def _group_acts(text: str, found: Sequence[str]) -> bool:
    """A group that acts, told as a fact: 我们三十多户一起, not 听说有人联名."""
    if (crowd := _CROWD.search(text)) and own_fact(crowd.start(), crowd.end(), text):
        return True
    return "crowd" in found and any(own_fact(m.start, m.end, text) for m in mentions(text) if (m.kind, m.key) == ("cue", "crowd"))


def _yuan(value: float) -> str:
    return f"{value:,.2f}".removesuffix(".00")

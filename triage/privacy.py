"""Find and mask personal data: nothing is stored, logged or learnt from before it went through here.

What was masked stays readable as its kind, for instance `[手机号]`. Numbers that only look personal (order numbers, amounts, the
banks' own hotlines) are left alone: an identity card must have its check character (GB 11643-1999), a bank card its Luhn digit
(ISO/IEC 7812-1) unless the text itself calls the number a card or account.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from triage.text import normalise
from triage.types import Complaint, Evidence, Fact, Triage

_Span = TypeVar("_Span", Fact, Evidence)

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍"
    "韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边"
)
_COMPOUND = "欧阳|上官|司马|诸葛|夏侯|皇甫|尉迟|公孙|慕容|长孙|宇文|东方|令狐"
# Characters that begin the next word rather than end a name ("本人张伟于三月").
_NOT_IN_NAME = "的是在你我他她它于今来要想办从有到昨住身因为和与跟及向对把被将已曾说称叫持了就也都还没不去一二三四五六七八九十号电联手现户卡先女小老同本这那给用买打拨投反咨查"

_HAN_DIGIT = "零〇一二三四五六七八九幺两"
_ADDRESS_NUMBER = r"\d{1,5}(?:号(?:院|楼)?|弄|栋|幢|号楼|座)"

_PATTERN = re.compile(
    rf"""
    (?P<邮箱>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)
  | (?P<身份证号>(?<![0-9A-Za-z])\d{{6}}[ ]?(?:18|19|20)\d{{2}}[ ]?(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ ]?\d{{3}}[0-9Xx](?![0-9A-Za-z]))
  | (?P<银行卡号>(?<![0-9A-Za-z.])\d{{4}}(?:[ -]?\d{{4}}){{3}}(?:[ -]?\d{{1,3}})?(?![0-9A-Za-z]))
  | (?P<账号>(?<=[卡账])号(?:码)?(?:是|为)?[:： ]{{0,2}}\d(?:[ -]?\d){{9,22}}(?![0-9A-Za-z]))
  | (?P<手机号>(?<![0-9A-Za-z.])(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{{4}}){{2}}(?![0-9A-Za-z])|[幺一][三四五六七八九][{_HAN_DIGIT}]{{9}}(?![{_HAN_DIGIT}十百千万]))
  | (?P<电话>(?<![0-9A-Za-z.])(?:\(0\d{{2,3}}\)[ ]?|0\d{{2,3}}[ -]?)[2-9]\d{{6,7}}(?![0-9A-Za-z]))
  | (?P<社交账号>(?i:qq)(?:号|是|为)?[:： ]{{0,2}}[1-9]\d{{4,11}}|(?i:微信号|v信|vx|wx)(?:是|为)?[:： ]{{0,2}}[A-Za-z][A-Za-z0-9_-]{{5,19}})
  | (?P<姓名>(?:我叫|我的名字叫|我名字叫|本人姓名|本人叫|姓名(?:是|为|叫)?|名字是|(?<!用)户名(?:是|为)?|联系人(?:是|为)?|投诉人|申请人|持卡人|收款人|付款人|当事人|客户姓名|我是|本人|名叫)
        [:： ,，]{{0,2}}(?P<name>(?:{_COMPOUND}|[{_SURNAMES}])[一-龥]{{1,2}}))
  | (?P<门牌号>(?<=[路街道巷弄村胡同园区苑庄城里]){_ADDRESS_NUMBER}(?:\d{{1,4}}(?:栋|幢|号楼|座|单元|层|楼|室|户|号))*(?:\d{{3,4}}室?)?)
    """,
    re.VERBOSE,
)  # fmt: skip
# A text without any of these cannot hold personal data: most short reviews skip the pattern altogether. It begins with one class of
# characters, which the scanner looks for much faster than for alternatives.
_TRIGGER = re.compile(
    rf"""[\d@{_HAN_DIGIT}我本姓名户联诉请卡款事qQvVwW微](?:(?<=\d)[\d号栋弄幢座]|(?<=@)|(?<=[{_HAN_DIGIT}])[{_HAN_DIGIT}]{{8}}
    |(?<=我)[叫是]|(?<=本)人|(?<=姓)名|(?<=名)[字叫]|(?<=户)名|(?<=联)系人|(?<=[诉请卡款事])人
    |(?<=[qQ])[qQ]|(?<=[vVwW])[xX]|(?<=微)信号|(?<=v)信)""",
    re.VERBOSE,
)
# After these a name must also end at a boundary: 我是王芳, ... against 我是高新区的客户, 收款人李四, against 收款人管理页面.
_WEAK_LEADS = ("我是", "本人", "户名", "联系人", "投诉人", "申请人", "持卡人", "收款人", "付款人", "当事人")
_BOUNDARY = re.compile(r"[\s,，。.;；:：!！?？、)）]|$")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class PersonalData:
    """A stretch of a text that identifies a person; offsets in code points."""

    kind: str
    start: int
    end: int


def find(text: str) -> list[PersonalData]:
    """Personal data in a normalised text, in order, not overlapping.

    >>> [p.kind for p in find("我叫王秀兰，电话13800138000")]
    ['姓名', '手机号']
    """
    if not _TRIGGER.search(text):
        return []
    found = []
    position = 0
    while match := _PATTERN.search(text, position):
        kind = match.lastgroup if match.lastgroup != "name" else "姓名"
        span = _span(kind, match)
        if span:
            found.append(PersonalData(kind, *span))
            position = span[1]
        else:
            position = match.start() + 1
    return found


def mask(text: str) -> str:
    """A text with personal data replaced by their kinds; all else keeps the form the customer wrote (full-width, traditional ...).

    >>> mask("我的卡６２２２０２１２３４５６７８９０１２８被凍結")
    '我的卡[银行卡号]被凍結'
    """
    return replaced(text, find(normalise(text)))


def prepare(text: str) -> str:
    """What every model reads, in training as in serving: normalised, then masked."""
    text = normalise(text)
    return replaced(text, find(text))


def replaced(text: str, found: list[PersonalData]) -> str:
    """The text with what `find` found in it (or in its normalised form: the spans are the same) replaced by its kind."""
    if not found:
        return text
    parts, position = [], 0
    for item in found:
        parts += (text[position : item.start], f"[{item.kind}]")
        position = item.end
    return "".join(parts) + text[position:]


def redact(complaint: Complaint, triage: Triage) -> tuple[Complaint, Triage]:
    """A complaint fit for storage with its triage: texts masked (all speakers'), spans of facts and evidence moved along.

    Args:
        complaint: as it came in.
        triage: its tags, spans counted in `complaint.customer_text`.

    Returns:
        Both, spans counted in the masked customer text. Spans that lie in masked data are dropped.
    """
    found = find(normalise(complaint.customer_text))
    masked = replace(
        complaint,
        text=mask(complaint.text),
        turns=tuple(replace(turn, text=mask(turn.text)) for turn in complaint.turns),
    )
    if not found:
        return masked, triage
    return masked, replace(triage, facts=tuple(_moved(triage.facts, found)), evidence=tuple(_moved(triage.evidence, found)))


def _moved(spans: Iterable[_Span], found: list[PersonalData]) -> Iterable[_Span]:
    for span in spans:
        if any(span.start < item.end and item.start < span.end for item in found):
            continue
        shift = sum(len(item.kind) + 2 - (item.end - item.start) for item in found if item.end <= span.start)
        yield replace(span, start=span.start + shift, end=span.end + shift)


def _span(kind: str, match: re.Match[str]) -> tuple[int, int] | None:
    start, end = match.span(kind)
    digits = re.sub(r"[ -]", "", match[kind])
    if kind == "身份证号" and not _identity_card(digits):
        return None
    if kind == "银行卡号" and not (_luhn(digits) or match.string[:start].endswith(("卡", "户", "卡是", "卡:"))):
        return None
    if kind == "账号":
        start += len(re.match(r"号码?[是为]?[:： ]{0,2}", match[kind])[0])
    if kind == "姓名":
        return _name_span(match)
    return start, end


def _name_span(match: re.Match[str]) -> tuple[int, int] | None:
    start, end = match.span("name")
    surname = 2 if re.match(_COMPOUND, match["name"]) else 1
    while end - start > surname and any(c in _NOT_IN_NAME for c in match.string[start + surname : end]):
        end -= 1
    if end - start == surname:
        return None
    weak = match.string[match.start("姓名") : match.start("name")] in _WEAK_LEADS
    if weak and not _BOUNDARY.match(match.string, end) and not _first_word_of_story(match.string, end):
        return None
    return start, end


def _first_word_of_story(text: str, position: int) -> bool:
    return position < len(text) and text[position] in "于在从因向持昨"


def _identity_card(digits: str) -> bool:
    total = sum(int(d) * w for d, w in zip(digits[:17], _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == digits[17].upper()


def _luhn(digits: str) -> bool:
    if not 16 <= len(digits) <= 19:
        return False
    doubled = (sum(divmod(int(d) * 2, 10)) for d in digits[-2::-2])
    return (sum(doubled) + sum(int(d) for d in digits[-1::-2])) % 10 == 0

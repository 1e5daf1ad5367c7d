"""How a text puts what it names: as its writer's own fact, a threat, a supposition, a question, hearsay, someone else's words.

Rules over the clause in which a phrase stands and the one before it, after the scope rules of NegEx (Chapman et al. 2001) for negation:
a marker reaches forward to the phrase, as far as a handful of words may stand between. Spans count in normalised text.
"""

import re
from dataclasses import dataclass
from typing import Literal

Stage = Literal["done", "threat", "mention"]
_REACH = 30  # characters of a clause that are looked at on either side
# In transcripts a space stands where a comma would.
_CLAUSE_END = re.compile(r"[,。;!?\n…]|(?<=[一-鿿]) (?=[一-鿿])")
# 是不是 asks, it does not deny.
_NEGATED = re.compile(
    r"(?:没有?|未|并非|(?<!是)不是|不曾|无|不会|差点|险些|避免|防止|以免|不存在|谈不上|[没未](?:有)?(?:发现|发生|出现))"
    r"[被再也给遭到过有任何人]{0,5}$"
)
_SUPPOSED = re.compile(r"如果|要是|万一|怕|担心|会不会|以防|假如|是不是要|难道要|避免|防止|(?<!不)会$|以后会")
_SUPPOSED_BEFORE = re.compile(r"^(?:那|请问|想问下?|你好)?(?:如果|要是|万一|假如|假设)(?!不是|没有)")
_UNTRUE_BEFORE = re.compile(r"(?:如果|要)不是")
_NOT_DONE = re.compile(
    r"(?:没有?|未|从没|不曾|不想|不会|不要|不用|不必|没必要|别)(?:再|去|向|到|给|打|找|跟|和|在|往|通过|投诉|举报|反映|上){0,4}$"
)
_THREAT = re.compile(
    r"再不|否则|不然|如果|要是|就去|就要|就向|就找|就上|我要|我会|我就|我将|将会|将向|准备|打算|只能|只好|保留|必须|一定|等着|下一步|考虑|要去|会去"
    r"|去告|不排除|逼我|直接|将"
)
_PRESSED = re.compile(r"非要|非得|难道|逼我")
_DONE = re.compile(
    r"已|早就|转办|转来|转交|受理|立案|判决|传票|开庭|(?<!通)过了?$|了$|至今|上次|昨[天日晚]|前天|上周|上个?月|[刚今天]+(?:去|打)了"
)
_DONE_AFTER = re.compile(
    r"^(?:投诉|反映|反馈|举报|起诉|报道|采访)?(?:过|了)|^(?:已|受理|转办|转来|立案|介入|判|的?回复|让我|叫我|说)|^[^,]{0,4}(?:来|去)(?:采访|拍)?(?:过|了)"
)
_ASKED_AFTER = re.compile(
    r"(?<![是对])[吗么嘛](?:\?|$)|^(?:投诉)?(?:有没有用|有用没|有用|管用|行不行|可以|能解决|会怎|多久|怎么[投打弄操找]|电话是|会不会|能不能)|如何"
)
_ASKED_NEXT = re.compile(r"^(?:投诉)?(?:有没有用|有用|管用|行得通|可以|好使|靠谱|能解决)[^,。]{0,4}(?:[吗么呢]|$)")
_HEARSAY = re.compile(
    r"听说|据说|听[^,我]{0,4}[讲说]|看到|看见|刷到|网上说|新闻|帖子|评论里|(?<!没)(?<!没得)有人|别人|人家|网友|群友|楼主|老哥|大家都说"
)
_HEARSAY_BEFORE = re.compile(r"听说|据说|看到有?人?|刷到|网上说|(?<!没)有人[说讲]")
# Whose words follow; 我 after it takes the word back: 客服说查不到,我就找银保监会.
_QUOTED = re.compile(
    r"(?:客服|经理|柜员|柜台|工作人员|坐席|对方|他们?|她们?|你们|银行|催收|主任|行长|大堂|保安|前台)[^,。我]{0,6}?"
    r"(?:说|讲|表示|回复|回答|告诉|威胁|让|叫|建议|劝|来了?一?句|嘴硬|怼)[^,。]*$"
)
_QUOTE_OPEN = re.compile(r"[“「『][^”」』。]*$")
_SAID_BY_ME = re.compile(r"我(?:当时|就|也|已经)?(?:跟|对|和)?[^,。]{0,4}(?:说|讲|回|告诉)")
# Only an authority's own act makes another's words about it a fact.
_ACT_OF_AUTHORITY = re.compile(r"转办|转来|转下来|立案|受理|介入|督办")


@dataclass(frozen=True, slots=True)
class Clause:
    """Where a phrase stands: the parts of its clause before and after it, and the clauses before and behind (at most 30 characters)."""

    before: str
    after: str
    previous: str
    following: str


def clause_of(start: int, end: int, text: str) -> Clause:
    """The surroundings of the span start..end of a normalised text."""
    floor = max(0, start - _REACH)
    # One further than the phrase begins: a space just before it ends a clause by what follows it.
    stops = [m.end() for m in _CLAUSE_END.finditer(text, floor, start + 1) if m.end() <= start]
    first = stops[-1] if stops else floor
    stop = _CLAUSE_END.search(text, end)
    last = stop.start() if stop else min(len(text), end + _REACH)
    asks = "?" if stop and stop.group() == "?" else ""
    previous = _CLAUSE_END.split(text[max(0, first - _REACH) : max(0, first - 1)])[-1]
    return Clause(text[first:start], text[end:last] + asks, previous, _CLAUSE_END.split(text[last + 1 : last + 1 + _REACH], maxsplit=1)[0])


def stage(start: int, end: int, text: str) -> Stage:
    """How far an escalation named at start..end has gone: `done` (已向银保监会投诉), `threat` (再不解决就去银保监会), or a mere `mention`:
    asked about, heard of, denied, or in the words of the bank (客服说你去银保监会投诉好了)."""
    clause = clause_of(start, end, text)
    if _NOT_DONE.search(clause.before) or _heard_of(clause):
        return "mention"
    pressed = _PRESSED.search(clause.before)
    if _asked(clause) and not pressed:
        return "mention"
    if _quoted(clause, text, start) and not _ACT_OF_AUTHORITY.search(clause.before + clause.after):
        return "mention"
    threat, done = _last(_THREAT, clause.before), _last(_DONE, clause.before)
    if done > threat:
        return "done"
    told = clause.before.endswith("通过") or _DONE_AFTER.search(clause.after)
    if told and (threat < 0 or clause.before[threat:].startswith(("直接", "逼我"))):
        return "done"
    return "threat" if pressed or threat >= 0 or _THREAT.search(clause.previous) else "mention"


def holds(start: int, end: int, text: str, grave: bool) -> bool:
    """Whether what is named at start..end is said to be so: neither denied (没有被盗刷) nor, unless `grave`, supposed (万一被盗刷)."""
    clause = clause_of(start, end, text)
    if _NEGATED.search(clause.before):
        return False
    if grave or _UNTRUE_BEFORE.search(clause.before) or _UNTRUE_BEFORE.search(clause.previous):
        return True
    if _SUPPOSED.search(clause.before):
        return False
    return not _SUPPOSED_BEFORE.search(clause.previous) or clause.after.startswith("了") or "已" in clause.before


def own_fact(start: int, end: int, text: str) -> bool:
    """Whether the span is told as a fact and not as a question, a supposition, hearsay or another's words."""
    clause = clause_of(start, end, text)
    doubtful = _SUPPOSED.search(clause.before) or _SUPPOSED_BEFORE.search(clause.previous) or _NEGATED.search(clause.before)
    return not (doubtful or _asked(clause) or _heard_of(clause) or _quoted(clause, text, start))


def _asked(clause: Clause) -> bool:
    return bool(_ASKED_AFTER.search(clause.after) or _ASKED_NEXT.search(clause.following))


def _heard_of(clause: Clause) -> bool:
    return bool(_HEARSAY.search(clause.before) or ("我" not in clause.before and _HEARSAY_BEFORE.search(clause.previous)))


def _quoted(clause: Clause, text: str, start: int) -> bool:
    if quote := _QUOTE_OPEN.search(text, max(0, start - 2 * _REACH), start):
        return not _SAID_BY_ME.search(text[max(0, quote.start() - 12) : quote.start()])
    said = _QUOTED.search(clause.before)
    return bool(said) and "我" not in said.group().replace("让我", "").replace("叫我", "").replace("告诉我", "")


def _last(pattern: re.Pattern[str], text: str) -> int:
    """Where the last match begins; -1 without one."""
    return max((m.start() for m in pattern.finditer(text)), default=-1)

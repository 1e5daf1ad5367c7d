"""What a text states: sums, dates, bank products, channels, places, demands, threats to escalate; each with its span.

Everything here reads a normalised text (`triage.text.normalise`), whose spans are those of the original.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from triage.amounts import find_amounts
from triage.dates import find_dates
from triage.phrases import Mention, cues, mentions
from triage.privacy import PersonalData
from triage.regions import load_regions
from triage.text import cut
from triage.types import Fact

_CLAUSE_END = re.compile(r"[,。;!?\n…]")
_NEGATED = re.compile(r"(?:没有?|未|并非|不是|不曾|无|不会|差点|险些|避免|防止|以免)[被再也给遭到过]{0,2}$")
_HYPOTHETICAL = re.compile(r"如果|要是|万一|怕|担心|会不会|以防|假如|是不是要|难道要|避免|防止")
_THREAT = re.compile(
    r"再不|否则|不然|如果|要是|就去|就要|就向|就找|就上|我要|我会|我就|我将|将会|将向|准备|打算|只能|只好|保留|必须|一定|等着|下一步|考虑|要去|会去|去告|不排除|逼我|直接|将"
)
_DONE = re.compile(r"已|早就|转办|转来|转交|受理|立案|判决|传票|开庭|过了?$|了$|至今|上次")
_DONE_AFTER = re.compile(r"^(?:投诉|反映|反馈|举报|起诉|报道)?(?:过|了)|^(?:已|受理|转办|转来|立案|介入|判|的?回复|让我|叫我|说)")
_DIGITS_INSIDE = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything found in one text: the facts for people, and the severity cues (keys of `phrases.cues`) for the policy."""

    facts: tuple[Fact, ...]
    cues: tuple[str, ...]


def read(text: str, told: datetime, personal: Sequence[PersonalData] = ()) -> Reading:
    """Find the facts in a text.

    Args:
        text: normalised customer text.
        told: the complaint's time, for relative dates.
        personal: personal data in the text; nothing inside them is a fact.

    Returns:
        Facts in order of their start, and the cues that hold: neither negated (没被骗) nor hypothetical (怕上征信).
    """
    facts: list[Fact] = []
    if _DIGITS_INSIDE.search(text) or any(c in text for c in "一二两三四五六七八九十壹贰叁肆伍陆柒捌玖"):
        facts += [Fact("amount", a.yuan if a.yuan is not None else f"{a.value:g} {a.currency}", text[a.start : a.end], a.start, a.end)
                  for a in find_amounts(text)]  # fmt: skip
    facts += [Fact("date", d.value, text[d.start : d.end], d.start, d.end) for d in find_dates(text, told)]
    found = mentions(text)
    facts += [_fact(m, m.key, text) for m in found if m.kind in ("product", "channel", "demand")]
    facts += [_fact(m, f"{m.key}.{_stage(m, text)}", text) for m in found if m.kind == "escalation"]
    facts += _places([m for m in found if m.kind == "place"], text)
    if personal:
        facts = [f for f in facts if not any(f.start < p.end and p.start < f.end for p in personal)]
    held = dict.fromkeys(m.key for m in found if m.kind == "cue" and _holds(m, text))
    return Reading(tuple(sorted(facts, key=lambda f: (f.start, -f.end))), tuple(held))


def _fact(mention: Mention, value: str | tuple[str, ...], text: str) -> Fact:
    return Fact(mention.kind, value, text[mention.start : mention.end], mention.start, mention.end)


def _stage(mention: Mention, text: str) -> str:
    """`threat` (再不解决就去银保监会), `done` (已向银保监会投诉) or `mention`."""
    before, after = _around(mention, text)
    if _DONE_AFTER.search(after) or (_DONE.search(before) and not _THREAT.search(before)):
        return "done"
    if _THREAT.search(before) or _THREAT.search(_previous_clause(mention.start - len(before), text)):
        return "threat"
    return "mention"


def _holds(mention: Mention, text: str) -> bool:
    before, _ = _around(mention, text)
    if _NEGATED.search(before):
        return False
    return cues()[mention.key].level == 4 or not _HYPOTHETICAL.search(before)


def _around(mention: Mention, text: str) -> tuple[str, str]:
    """The parts of the clause before and after a mention."""
    starts = [m.end() for m in _CLAUSE_END.finditer(text, max(0, mention.start - 30), mention.start)]
    end = _CLAUSE_END.search(text, mention.end)
    return text[starts[-1] if starts else max(0, mention.start - 30) : mention.start], text[
        mention.end : end.start() if end else mention.end + 30
    ]


def _previous_clause(position: int, text: str) -> str:
    stripped = text[max(0, position - 24) : max(0, position - 1)]
    return _CLAUSE_END.split(stripped)[-1]


def _places(found: list[Mention], text: str) -> list[Fact]:
    if not found:
        return []
    # A place must be a word (or words) of its own: 平台中心 holds no 台中, 阿里巴巴 no 阿里.
    borders = {0, *accumulate(len(word) for word in cut(text.replace(" ", "·").replace("\n", "·")))}
    found = [m for m in found if m.start in borders and m.end in borders]
    regions = load_regions()
    settled = {regions.province_of(m.key) for m in found if " " not in m.key}
    facts = []
    for position, mention in enumerate(found):
        codes = mention.key.split()
        if len(codes) > 1:
            codes = [c for c in codes if regions.province_of(c) in settled] or codes
        following = found[position + 1].key if position + 1 < len(found) and found[position + 1].start - mention.end <= 1 else ""
        if len(codes) == 1 and any(c != codes[0] and regions.province_of(c) == codes[0] for c in following.split()):
            continue  # 广东省深圳市: the city says it all
        facts.append(_fact(mention, codes[0] if len(codes) == 1 else tuple(codes), text))
    return facts

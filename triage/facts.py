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
from triage.stance import holds, stage
from triage.text import cut
from triage.types import Fact

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
    facts += [_fact(m, f"{m.key}.{stage(m.start, m.end, text)}", text) for m in found if m.kind == "escalation"]
    facts += _places([m for m in found if m.kind == "place"], text)
    if personal:
        facts = [f for f in facts if not any(f.start < p.end and p.start < f.end for p in personal)]
    held = dict.fromkeys(m.key for m in found if m.kind == "cue" and holds(m.start, m.end, text, cues()[m.key].level == 4))
    return Reading(tuple(sorted(facts, key=lambda f: (f.start, -f.end))), tuple(held))


def _fact(mention: Mention, value: str | tuple[str, ...], text: str) -> Fact:
    return Fact(mention.kind, value, text[mention.start : mention.end], mention.start, mention.end)


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

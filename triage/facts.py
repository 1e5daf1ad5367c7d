"""What a text states: sums, dates, bank products, channels, places, demands, threats to escalate; each with its span.

Everything here reads a normalised text (`triage.text.normalise`), whose spans are those of the original.
"""

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
    facts = [
        Fact("amount", a.yuan if a.yuan is not None else f"{a.value:g} {a.currency}", text[a.start : a.end], a.start, a.end)
        for a in find_amounts(text)
    ]
    facts += [Fact("date", d.value, text[d.start : d.end], d.start, d.end) for d in find_dates(text, told)]
    places: list[Mention] = []
    held: dict[str, None] = {}
    for mention in mentions(text):
        match mention.kind:
            case "place":
                places.append(mention)
            case "cue":
                if mention.key not in held and holds(mention.start, mention.end, text, cues()[mention.key].level == 4):
                    held[mention.key] = None
            case "escalation":
                facts.append(_fact(mention, f"{mention.key}.{stage(mention.start, mention.end, text)}", text))
            case "product" | "channel" | "demand":
                facts.append(_fact(mention, mention.key, text))
    facts += _places(places, text)
    if personal:
        facts = [f for f in facts if not any(f.start < p.end and p.start < f.end for p in personal)]
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

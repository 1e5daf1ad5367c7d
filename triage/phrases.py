"""The named phrases of data/lexicon/phrases.yaml, found in one pass over a text (Aho-Corasick, leftmost longest)."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import ahocorasick_rs

from triage.regions import load_regions
from triage.resources import DATA, read_yaml

# Place names that are everyday words without 市, 区, 县 behind them, or parts of them.
_WORDS_FIRST = {"首都", "长安", "和平", "中山", "保定", "吉安", "广安", "安康", "安顺", "安阳", "普洱", "大同", "平凉", "山城", "石门", "中卫", "固原", "来宾", "冀", "琼", "黔", "渝", "巴中", "海南岛"}  # fmt: skip


class Mention(NamedTuple):
    """A phrase in a text: kind and key as in phrases.yaml; for a place, all adcodes that carry the name. Offsets in code points."""

    kind: str
    key: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase that sets a least severity (1-4) by itself, and the reason shown to people."""

    level: int
    reason: str


def mentions(text: str) -> list[Mention]:
    """All phrases in a normalised text, in order; one stretch may carry several meanings (手机银行: product and channel)."""
    automaton, meanings = _automaton()
    return [
        Mention(kind, key, start, end)
        for index, start, end in automaton.find_matches_as_indexes(text.lower())
        for kind, key in meanings[index]
    ]


def phrase_name(kind: str, key: str) -> str:
    """The Chinese name of a product, demand or escalation key."""
    return _lexicon()[kind][key]["zh"]


@cache
def cues() -> dict[str, Cue]:
    """The severity cues by key."""
    return {key: Cue(entry["level"], entry["zh"]) for key, entry in _lexicon()["cue"].items()}


@cache
def _lexicon() -> dict:
    return read_yaml(DATA / "lexicon" / "phrases.yaml")


@cache
def _automaton() -> tuple[ahocorasick_rs.AhoCorasick, list[list[tuple[str, str]]]]:
    meanings: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for kind, entries in _lexicon().items():
        for key, entry in entries.items():
            for name in entry["names"] if isinstance(entry, dict) else entry:
                meanings[name.lower()].append((kind, key))
    regions = load_regions()
    for name in regions.names:
        if len(name) > 1 and name not in _WORDS_FIRST:
            meanings[name].append(("place", " ".join(region.adcode for region in regions.candidates(name))))
    automaton = ahocorasick_rs.AhoCorasick(list(meanings), matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)
    return automaton, list(meanings.values())

"""Counts and texts in, hotspots out."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from triage.hotspots import explain
from triage.hotspots.baseline import ANYWHERE, BaselineSettings, Cell, Tested, cells_of, judge_window
from triage.hotspots.series import Counts, group_of
from triage.regions import UNKNOWN, load_regions
from triage.taxonomy import load_taxonomy
from triage.types import BEIJING, Hotspot, HotspotLevel, Window

_LONGEST = 36_500.0  # days; a recurrence interval beyond a century says no more than a century


class Texts(Protocol):
    """Where the texts behind the counts are read from."""

    def sample(self, category: str, regions: Sequence[str], window: Window, limit: int) -> list[tuple[str, str]]:
        """At most `limit` (id, masked text) pairs of a category or group in some regions (none = all) within a window."""
        ...


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """Settings of `find_hotspots`.

    Attributes:
        windows: lengths of the windows judged, days, each up to the last complete day.
        fdr: false discovery rate of the Benjamini-Hochberg rule over all cells and windows.
        least_excess, least_ratio: effect floor: complaints above the expected, and observed / expected (EpiSODIC's floor).
        least_recurrence_days: nothing is told that chance alone brings about more often than this.
        member_p: a region joins a hotspot of its category found elsewhere at this p-value, if it passes the effect floor.
        explained: share of a parent's excess at which its children explain it.
        by_channel: test channels too.
        warning_days, alarm_days: recurrence intervals from which a hotspot is a warning, an alarm.
        grave: groups whose complaints are mostly serious: their hotspots rank one level higher.
        ignored: categories that are no complaints: neither tested nor counted in their group.
        baseline: of the predictive test.
    """

    windows: tuple[int, ...] = (1, 7)
    fdr: float = 0.05
    least_excess: float = 3.0
    least_ratio: float = 1.5
    least_recurrence_days: float = 3.0
    member_p: float = 0.002
    explained: float = 0.6
    by_channel: bool = False
    warning_days: float = 100.0
    alarm_days: float = 3_650.0
    grave: frozenset[str] = frozenset({"security", "collection"})
    ignored: frozenset[str] = frozenset({"other.not_complaint"})
    baseline: BaselineSettings = field(default_factory=BaselineSettings)


@dataclass(frozen=True, slots=True)
class _Event:
    """Cells of one category or group and channel over one window, told as one."""

    key: str
    channel: str
    members: tuple[Tested, ...]

    @property
    def lead(self) -> Tested:
        return min(self.members, key=lambda tested: tested.p_value)

    @property
    def regions(self) -> tuple[str, ...]:
        """Highest excess first; () = the whole country."""
        ranked = sorted(self.members, key=lambda tested: (-tested.excess, tested.cell.region))
        return tuple(tested.cell.region for tested in ranked if tested.cell.region)

    @property
    def observed(self) -> int:
        return sum(tested.observed for tested in self.members)

    @property
    def expected(self) -> float:
        return sum(tested.expected for tested in self.members)


def find_hotspots(counts: Counts, texts: Texts, now: datetime, settings: DetectionSettings | None = None) -> list[Hotspot]:
    """The cells that had more complaints up to the last complete day than their baseline explains, gravest first.

    Every (category, region), their parents (group, whole country) and, if wanted, channels are tested on each window by a gamma-Poisson
    predictive test (`triage.hotspots.baseline`). What passes Benjamini & Hochberg 1995 and the effect floor is told once: the regions
    of one category are one event, a parent that they explain is left out, and where they do not explain it the parent stands for them.

    Args:
        counts: daily counts; days without any complaint are missing days. The day of `now` is not complete and not judged.
        texts: for the words and the evidence.
        now: aware time of judgement.
        settings: default = `DetectionSettings()`.

    Raises:
        ConfigError: a year without a working-day calendar.
    """
    settings = settings or DetectionSettings()
    last = now.astimezone(BEIJING).date() - timedelta(days=1)
    if not counts.start <= last <= counts.end:
        return []
    counts = counts.without(settings.ignored)
    cells, table = cells_of(counts, settings.by_channel)
    judged = [judge_window(counts, cells, table, last, length, settings.baseline) for length in settings.windows]
    tested = [t for window in judged for t in window if t.cell.region != UNKNOWN]
    if not tested:
        return []
    rejected = benjamini_hochberg(np.array([t.p_value for t in tested]), settings.fdr)
    found = [t for t, yes in zip(tested, rejected, strict=True) if yes and _matters(t, settings)]
    events = _events(found, tested, settings)
    rare = [event for event in events if _recurrence(event.lead.p_value, len(tested)) >= settings.least_recurrence_days]
    hotspots = [_hotspot(event, len(tested), texts, counts.simulated, settings) for event in rare]
    return sorted(hotspots, key=lambda hotspot: (-_LEVELS.index(hotspot.level), hotspot.p_value, hotspot.id))


def benjamini_hochberg(p: NDArray[np.float64], fdr: float) -> NDArray[np.bool_]:
    """Which hypotheses fall at a false discovery rate (Benjamini & Hochberg 1995), shape of `p`."""
    order = np.argsort(p)
    passing = np.flatnonzero(p[order] <= fdr * np.arange(1, len(p) + 1) / len(p))
    rejected = np.zeros(len(p), dtype=bool)
    if len(passing):
        rejected[order[: passing[-1] + 1]] = True
    return rejected


def _recurrence(p_value: float, tests: int) -> float:
    """Days in which chance brings about one such p-value, at so many tests a day; at most a century."""
    return 1 / max(p_value * tests, 1 / _LONGEST)


def _matters(tested: Tested, settings: DetectionSettings) -> bool:
    return tested.excess >= settings.least_excess and tested.ratio >= settings.least_ratio


def _events(found: list[Tested], tested: list[Tested], settings: DetectionSettings) -> list[_Event]:
    """One event for what belongs together; categories first, as they may explain their groups."""
    everything = {(t.cell, t.first): t for t in tested}
    regions = len({t.cell.region for t in tested if t.cell.region})
    categories = [t for t in found if not t.cell.is_group]
    events = _by_key(categories, everything, regions, settings)
    groups = [t for t in found if t.cell.is_group and not _explained(t, events, everything, settings)]
    return events + _by_key(groups, everything, regions, settings)


def _by_key(found: list[Tested], everything: dict[tuple[Cell, object], Tested], regions: int, settings: DetectionSettings) -> list[_Event]:
    by_key: defaultdict[tuple[str, str], list[Tested]] = defaultdict(list)
    for t in found:
        by_key[t.cell.category, t.cell.channel].append(t)
    events = []
    for (key, channel), members in by_key.items():
        # The most telling window of the event; places count in that window only.
        first = min(members, key=lambda t: t.p_value).first
        national = next((t for t in members if not t.cell.region and t.first == first), None)
        placed = {t.cell.region for t in members if t.cell.region}
        local = [
            t
            for (cell, begin), t in everything.items()
            if begin == first and cell.category == key and cell.channel == channel and cell.region and _matters(t, settings)
            and (cell.region in placed or t.p_value <= settings.member_p)
        ]  # fmt: skip
        explained = sum(t.excess for t in local)
        if national and (explained < settings.explained * national.excess or 2 * len(local) > regions):
            events.append(_Event(key, channel, (national,)))
        elif local:
            events.append(_Event(key, channel, tuple(local)))
    return events


def _explained(group: Tested, events: list[_Event], everything: dict[tuple[Cell, object], Tested], settings: DetectionSettings) -> bool:
    """Whether the events of its categories account for a group's excess in its place and window."""
    excess = 0.0
    for event in events:
        if group_of(event.key) == group.cell.category and event.channel == group.cell.channel:
            places = {t.cell.region for t in event.members}
            if group.cell.region and group.cell.region not in places and ANYWHERE not in places:
                continue
            inside = [group.cell.region] if group.cell.region else places
            excess += sum(everything[Cell(event.key, region, event.channel), group.first].excess for region in inside)
    return excess >= settings.explained * group.excess


_LEVELS: tuple[HotspotLevel, ...] = ("notice", "warning", "alarm")


def _hotspot(event: _Event, tests: int, texts: Texts, simulated: bool, settings: DetectionSettings) -> Hotspot:
    lead = event.lead
    observed, expected = event.observed, event.expected
    before = sum(t.before for t in event.members)
    interval = _recurrence(lead.p_value, tests)
    rank = int(interval >= settings.warning_days) + int(interval >= settings.alarm_days)
    rank = min(rank + (group_of(event.key) in settings.grave), len(_LEVELS) - 1)
    window = Window({"from": lead.first, "to": lead.last})
    length = (lead.last - lead.first).days + 1
    gap = timedelta(days=settings.baseline.gap)
    past = Window({"from": lead.first - gap - timedelta(days=settings.baseline.days), "to": lead.first - gap - timedelta(days=1)})
    sample = texts.sample(event.key, event.regions, window, 300)
    words = explain.terms([text for _, text in sample], [text for _, text in texts.sample(event.key, event.regions, past, 1_000)])
    identity = "|".join([event.key, ",".join(sorted(event.regions)), event.channel, str(lead.last)])
    return Hotspot(
        id=f"h-{hashlib.sha256(identity.encode()).hexdigest()[:16]}",
        category=event.key,
        regions=event.regions,
        channels=(event.channel,) if event.channel else (),
        window=window,
        observed=observed,
        expected=round(expected, 2),
        ratio=round(observed / max(expected, 0.01), 2),
        change=round(observed / before - 1, 3) if before else None,
        p_value=lead.p_value,
        recurrence_interval_days=round(interval, 1),
        level=_LEVELS[rank],
        title=_title(event, words, length, observed, expected),
        terms=tuple(words),
        evidence=tuple(explain.evidence(sample, words)),
        simulated=simulated,
    )


def _title(event: _Event, words: Sequence[str], length: int, observed: int, expected: float) -> str:
    """As a manager reads it: 广东 转账失败或未到账（手机银行、限额）：近7天 126 件，常态 48 件."""
    taxonomy, regions = load_taxonomy(), load_regions()
    names = [regions.get(code).short for code in event.regions[:3]]
    place = "、".join(names) + (f"等{len(event.regions)}地" if len(event.regions) > 3 else "") if names else "全国"
    kind = taxonomy.groups[event.key].name if "." not in event.key else taxonomy.category(event.key).name
    channel = f"·{taxonomy.channels[event.channel].name}" if event.channel else ""
    about = f"（{'、'.join(words[:2])}）" if words else ""
    when = "昨日" if length == 1 else f"近{length}天"
    usual = f"常态 {expected:.0f} 件" if expected >= 1 else "常态不到 1 件"
    return f"{place}{channel} {kind}{about}：{when} {observed} 件，{usual}"

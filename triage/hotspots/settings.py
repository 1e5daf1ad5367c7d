"""Settings of the hotspot detection."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import orjson

from triage.hotspots.baseline import BaselineSettings, Floor
from triage.hotspots.cells import Layer
from triage.hotspots.events import Merging
from triage.hotspots.season import SeasonSettings
from triage.hotspots.topics import TopicSettings

Mode = Literal["sensitive", "normal", "strict"]


@dataclass(frozen=True, slots=True)
class Budget:
    """How false alerts are rationed.

    Attributes:
        alerts_a_week: false alerts that chance may bring about in a week, over all cells.
        fdr: false discovery rate of the hierarchical Benjamini-Hochberg rule, over the cells of one day. Of the events of a month a larger
            share is false, as a false one is gone in days and a true one stays for weeks: `make bench-hotspots` measures it.
        category, region, group, channel, zone: the layers' parts of the budget: categories nationwide, categories in a region, groups,
            any of these by one channel, zones of several regions.
        theme: part of the budget that themes may spend on top.
    """

    alerts_a_week: float = 3.0
    fdr: float = 0.1
    category: float = 0.1
    region: float = 0.5
    group: float = 0.1
    channel: float = 0.2
    zone: float = 0.1
    theme: float = 0.2

    def share(self, layer: Layer) -> float:
        return getattr(self, layer)


@dataclass(frozen=True, slots=True)
class ThemeSettings:
    """Settings of `find_themes`.

    Attributes:
        durations: lengths of the windows judged, days, ascending, each up to the last complete day.
        history: days before the longest window that tell what is usual.
        texts: at most so many texts of a category are read, the latest.
        least_people: people who must have written within the window.
        ratio: how many times its usual number a theme must reach: what is always written about is no new theme.
        other: share of the themes' budget kept for what no category names, `other.*`.
        cause: share of a surge's excess from which on a theme is that surge's cause and is not told beside it.
        topics: of the clustering. Bursts must not bind there: the test takes the clusters as given whenever their texts came.
    """

    durations: tuple[int, ...] = (3, 7, 14)
    history: int = 84
    texts: int = 2_000
    least_people: int = 4
    ratio: float = 3.0
    other: float = 0.5
    cause: float = 0.5
    topics: TopicSettings = field(default_factory=lambda: TopicSettings(burst=0.0))


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """Settings of `find_hotspots`.

    Attributes:
        durations: lengths of the windows judged, days, ascending, each up to the last complete day.
        budget: of false alerts.
        floor: effect floor.
        merging: what is one event.
        by_channel: test channels too.
        warning_days, alarm_days: recurrence intervals from which a hotspot is a warning, an alarm.
        grave: groups whose complaints are mostly serious: their hotspots rank one level higher.
        ignored: categories that are no complaints: neither tested nor counted in their group.
        replications: draws behind the p-value of a zone.
        baseline: of the predictive test.
        season: what comes back every year.
        themes: of new issues within a category.
    """

    durations: tuple[int, ...] = (1, 2, 3, 4, 5, 7, 10, 14)
    budget: Budget = field(default_factory=Budget)
    floor: Floor = field(default_factory=Floor)
    merging: Merging = field(default_factory=Merging)
    by_channel: bool = True
    warning_days: float = 100.0
    alarm_days: float = 3_650.0
    grave: frozenset[str] = frozenset({"security", "collection"})
    ignored: frozenset[str] = frozenset({"other.not_complaint"})
    replications: int = 99
    baseline: BaselineSettings = field(default_factory=BaselineSettings)
    season: SeasonSettings = field(default_factory=SeasonSettings)
    themes: ThemeSettings = field(default_factory=ThemeSettings)

    @classmethod
    def of(cls, mode: Mode) -> "DetectionSettings":
        """The settings of a mode: how many false alerts an operator puts up with to hear of small outbreaks, and of all a day or so sooner."""
        return cls(budget=_BUDGETS[mode])

    @property
    def hash(self) -> str:
        """Short fingerprint: runs of equal settings have equal ones."""
        body = orjson.dumps(self, default=sorted, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(body).hexdigest()[:12]


_BUDGETS: dict[Mode, Budget] = {"sensitive": Budget(fdr=0.2), "normal": Budget(), "strict": Budget(alerts_a_week=0.5, fdr=0.02)}

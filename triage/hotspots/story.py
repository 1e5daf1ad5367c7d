"""An event as a manager reads it: where, how many against how many usually, what is new in it, and complaints that show it."""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Protocol

import numpy as np

from triage.hotspots import explain
from triage.hotspots.cells import ANY, Cell
from triage.hotspots.events import Event, Judged
from triage.hotspots.predictive import negative_binomial
from triage.hotspots.series import Counts, group_of
from triage.hotspots.settings import DetectionSettings
from triage.regions import UNKNOWN, load_regions
from triage.taxonomy import load_taxonomy
from triage.types import Hotspot, HotspotLevel, HotspotPart, Window

LEVELS: tuple[HotspotLevel, ...] = ("notice", "warning", "alarm")
_YEAR = 364  # days: the same weekdays a year ago
_PARTS = 3  # children named of each kind
_TAIL = 0.05  # of the interval of the expected, at each end


class Texts(Protocol):
    """Where the texts behind the counts are read from."""

    def sample(self, category: str, regions: Sequence[str], window: Window, limit: int) -> list[tuple[str, str]]:
        """At most `limit` (id, masked text) pairs of a category or group in some regions (none = all) within a window."""
        ...


def tell(event: Event, judged: Judged, counts: Counts, last: date, texts: Texts, settings: DetectionSettings) -> Hotspot:
    """The hotspot of an event.

    Args:
        event: from `assemble`.
        judged: what it was assembled from.
        counts: the whole history, for the change on the period and on the year before.
        last: last day judged.
        texts: for the words and the evidence.
        settings: see there.
    """
    length = judged.windows.durations[event.window]
    window = Window({"from": last - timedelta(days=length - 1), "to": last})
    past_end = window["from"] - timedelta(days=settings.baseline.gap + 1)
    past = Window({"from": past_end - timedelta(days=settings.baseline.days - 1), "to": past_end})
    sample = texts.sample(event.key, event.regions, window, 300)
    words = explain.terms([text for _, text in sample], [text for _, text in texts.sample(event.key, event.regions, past, 1_000)])
    identity = "|".join([event.key, ",".join(sorted(event.regions)), event.channel, str(last)])
    observed = round(event.observed)
    return Hotspot(
        id=f"h-{hashlib.sha256(identity.encode()).hexdigest()[:16]}",
        category=event.key,
        regions=event.regions,
        channels=(event.channel,) if event.channel else (),
        window=window,
        observed=observed,
        expected=round(event.expected, 2),
        expected_interval=interval(event.expected, event.dispersion),
        ratio=round(event.observed / max(event.expected, 0.01), 2),
        change=_change(event, counts, window, length),
        change_on_year=_change(event, counts, window, _YEAR),
        p_value=event.p_value,
        recurrence_interval_days=round(event.recurrence, 1),
        level=level(event.key, event.recurrence, settings),
        title=_title(event, words, length, observed),
        terms=tuple(words),
        evidence=tuple(explain.evidence(sample, words)),
        parts=_parts(event, judged),
        simulated=counts.simulated,
    )


def level(key: str, recurrence: float, settings: DetectionSettings) -> HotspotLevel:
    """How grave a finding is.

    Args:
        key: category or group.
        recurrence: days in which chance brings about one like it.
        settings: see there.
    """
    rank = int(recurrence >= settings.warning_days) + int(recurrence >= settings.alarm_days)
    return LEVELS[min(rank + (group_of(key) in settings.grave), len(LEVELS) - 1)]


def interval(expected: float, dispersion: float = 1.0) -> tuple[int, int]:
    """Between which counts nine quiet periods of ten lie; `dispersion` = variance over mean."""
    mean, phi = np.array([max(expected, 1e-9)]), np.array([max(dispersion, 1.0)])
    low, high = (negative_binomial(mean, phi, mean, alpha)[0][0] for alpha in (1 - _TAIL, _TAIL))
    return int(low), int(high)


def place_name(regions: Sequence[str]) -> str:
    """As a title begins: 广东、福建, 广东、福建、江西等5地, or 全国 for none."""
    names = [load_regions().get(code).short for code in regions[:3]]
    return "、".join(names) + (f"等{len(regions)}地" if len(regions) > 3 else "") if names else "全国"


def usually(length: int, expected: float) -> tuple[str, str]:
    """When and how often otherwise, as a title ends: 近7天, 常态 48 件."""
    return "昨日" if length == 1 else f"近{length}天", f"常态 {expected:.0f} 件" if expected >= 1 else "常态不到 1 件"


def _change(event: Event, counts: Counts, window: Window, back: int) -> float | None:
    """Relative to the same number of days `back` days before; None where these have no complaints or are not known."""
    begin, end = counts.day(window["from"]), counts.day(window["to"]) + 1
    if begin - back < 0 or not counts.present()[begin - back : end - back].all():
        return None
    categories = [i for i, key in enumerate(counts.categories) if event.key in (key, group_of(key))]
    regions = [i for i, code in enumerate(counts.regions) if not event.regions or code in event.regions]
    channels = [i for i, key in enumerate(counts.channels) if event.channel in (ANY, key)]
    before = counts.observed[begin - back : end - back][:, categories][:, :, regions][..., channels].sum()
    return round(event.observed / float(before) - 1, 3) if before else None


def _parts(event: Event, judged: Judged) -> tuple[HotspotPart, ...]:
    """The children that contribute most to the excess: categories of a group, regions, channels."""
    cells, windows, taxonomy = judged.cells, judged.windows, load_taxonomy()
    children = [key for key in cells.keys if "." in key and group_of(key) == event.key]
    regions = event.regions or tuple(region for region in judged.regions if region != UNKNOWN)
    places = event.regions or (ANY,)
    channels = dict.fromkeys(cell.channel for cell in cells.cells if cell.channel) if not event.channel else {}
    found: list[HotspotPart] = []
    for kind, members in (
        ("category", {key: [Cell(key, place, event.channel) for place in places] for key in children}),
        ("region", {region: [Cell(event.key, region, event.channel)] for region in regions} if len(regions) > 1 else {}),
        ("channel", {channel: [Cell(event.key, place, channel) for place in places] for channel in channels}),
    ):
        named = []
        for key, inside in members.items():
            columns = [cells.position[cell] for cell in inside]
            observed, expected = (float(table[event.window, columns].sum()) for table in (windows.observed, windows.expected))
            name = {"category": taxonomy.categories, "channel": taxonomy.channels}.get(kind, load_regions().by_code).get(key)
            shown = getattr(name, "short", getattr(name, "name", key))
            named.append(HotspotPart(kind=kind, key=key, name=shown, observed=round(observed), expected=round(expected, 2)))
        named.sort(key=lambda part: (part.expected - part.observed, part.key))
        found += [part for part in named[:_PARTS] if part.observed > part.expected]
    return tuple(found)


def _title(event: Event, words: Sequence[str], length: int, observed: int) -> str:
    """As a manager reads it: 广东 转账失败或未到账（手机银行、限额）：近7天 126 件，常态 48 件."""
    taxonomy = load_taxonomy()
    kind = taxonomy.groups[event.key].name if "." not in event.key else taxonomy.category(event.key).name
    channel = f"·{taxonomy.channels[event.channel].name}" if event.channel else ""
    about = f"（{'、'.join(words[:2])}）" if words else ""
    when, usual = usually(length, event.expected)
    return f"{place_name(event.regions)}{channel} {kind}{about}：{when} {observed} 件，{usual}"

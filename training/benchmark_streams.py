"""Streams of simulated counts with planted outbreaks, judged day by day as the service would."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from training.simulate import load_settings
from training.simulated_counts import Planted, Stream, provinces
from triage.hotspots.detect import DetectionSettings, find_hotspots
from triage.hotspots.places import load_places
from triage.hotspots.regression import Floats
from triage.hotspots.series import group_of
from triage.types import BEIJING, Hotspot, Window

RISKS = (1.3, 1.5, 2.0, 3.0)
DURATIONS = (3, 7, 14)
END = date(2026, 6, 30)
JUDGED = 35
"""Days judged at the end of each stream."""
_QUIET_DAYS = 7  # an alert on an event not seen for so long is a new one


class NoTexts:
    """Counts alone: titles have no words."""

    def sample(self, category: str, regions: Sequence[str], window: Window, limit: int) -> list[tuple[str, str]]:
        return []


@dataclass(slots=True)
class Event:
    """Hotspots of following days that are one to the person who reads them."""

    category: str
    regions: set[str]
    last: date
    outbreaks: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Tally:
    """Of one or more streams.

    Attributes:
        planted, expected, null, raised: the outbreaks, as in `Stream`.
        found: outbreak -> (days from its first day to the first alert, Jaccard index of the best place).
        events: (false, all) alerts of each stream.
        days, seconds: runs of the detection, and how long they took.
    """

    planted: list[Planted] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)
    null: list[Floats] = field(default_factory=list)
    raised: list[Floats] = field(default_factory=list)
    found: dict[int, tuple[int, float]] = field(default_factory=dict)
    events: list[tuple[int, int]] = field(default_factory=list)
    days: int = 0
    seconds: float = 0.0

    @property
    def false_alerts_a_week(self) -> tuple[float, float]:
        """Mean, and its standard error over the streams."""
        false = np.array(self.events, dtype=float)[:, 0]
        weeks = self.days / len(false) / 7
        return float(false.mean() / weeks), float(false.std(ddof=1) / weeks / np.sqrt(len(false))) if len(false) > 1 else float("nan")

    @property
    def false_discovery_rate(self) -> tuple[float, float]:
        """Share of all alerts that tell of no outbreak, and its standard error (a ratio's, by linearisation over the streams)."""
        false, every = np.array(self.events, dtype=float).T
        share = false.sum() / max(every.sum(), 1.0)
        if len(false) < 2 or not every.any():
            return float(share), float("nan")
        residual = false - share * every
        return float(share), float(residual.std(ddof=1) / every.mean() / np.sqrt(len(false)))


def plant(rng: np.random.Generator, number: int, least_share: float) -> list[Planted]:
    """Six outbreaks of different categories in one province or, three times of ten, with two of its neighbours; two streams in turn have
    every relative risk with every duration.

    Args:
        rng: of the choice; categories and provinces are drawn by their shares of complaints.
        number: of the stream.
        least_share: of all complaints that the category has in the place.
    """
    settings = load_settings()
    regions, place_share = provinces(settings)
    places = load_places()
    total = sum(settings["categories"].values())
    kinds = {key: share / total for key, share in settings["categories"].items() if key != "other.not_complaint"}
    by_share = np.array(list(kinds.values())) / sum(kinds.values())
    mixes = [(risk, days) for risk in RISKS for days in DURATIONS][number % 2 :: 2]
    planted: list[Planted] = []
    while len(planted) < len(mixes):
        category = str(rng.choice(list(kinds), p=by_share))
        centre = str(rng.choice(regions, p=place_share))
        around = list(places[centre].neighbours) if rng.random() < 0.3 else []
        zone = {centre, *map(str, rng.permutation(around)[:2])}
        share = sum(place_share[regions.index(region)] for region in zone)
        if kinds[category] * share < least_share or any(category == p.category for p in planted):
            continue
        risk, days = mixes[len(planted)]
        first = END - timedelta(days=int(rng.integers(days + 2, JUDGED - 3)))
        planted.append(Planted(category, tuple(sorted(zone)), first, first + timedelta(days=days - 1), risk))
    return planted


def plant_by_size(rng: np.random.Generator, least: float, most: float) -> list[Planted]:
    """Up to six outbreaks of relative risk 2 over two weeks, each in another category and province, where the category has in the
    province between two shares of all complaints.

    Args:
        rng: of the choice.
        least, most: shares of all complaints; `most` itself is left out.
    """
    settings = load_settings()
    regions, place_share = provinces(settings)
    total = sum(settings["categories"].values())
    shares = {key: share / total for key, share in settings["categories"].items() if key != "other.not_complaint"}
    cells = [
        (key, region) for key in shares for region, share in zip(regions, place_share, strict=True) if least <= shares[key] * share < most
    ]
    planted: list[Planted] = []
    for number in rng.permutation(len(cells)):
        category, region = cells[number]
        if len(planted) < 6 and not any(category == p.category or region in p.regions for p in planted):
            first = END - timedelta(days=int(rng.integers(16, JUDGED - 3)))
            planted.append(Planted(category, (region,), first, first + timedelta(days=13), 2.0))
    return planted


def follow(stream: Stream, tally: Tally, settings: DetectionSettings | None = None, judged: int = JUDGED) -> None:
    """Judge the last days of a stream one by one and add what is found to the tally."""
    base = len(tally.planted)
    tally.planted += stream.planted
    tally.expected += stream.expected
    tally.null += stream.null
    tally.raised += stream.raised
    events: list[Event] = []
    for back in range(judged - 1, -1, -1):
        last = stream.counts.end - timedelta(days=back)
        counts = stream.known(last)
        now = datetime.combine(last + timedelta(days=1), datetime.min.time(), BEIJING).replace(hour=8)
        begin = time.perf_counter()
        found = find_hotspots(counts, NoTexts(), now, settings)
        tally.seconds += time.perf_counter() - begin
        tally.days += 1
        for hotspot in found:
            event = _event(events, hotspot, last)
            for number, outbreak in enumerate(stream.planted, start=base):
                if _meets(hotspot, outbreak):
                    event.outbreaks.add(number)
                    delay, overlap = tally.found.get(number, ((last - outbreak.first).days + 1, 0.0))
                    tally.found[number] = (delay, max(overlap, _jaccard(hotspot, outbreak)))
    tally.events.append((sum(not event.outbreaks for event in events), len(events)))


def _event(events: list[Event], hotspot: Hotspot, day: date) -> Event:
    """The event that a hotspot goes on, or a new one: same category or group, a place in common, seen within the last week."""
    places = set(hotspot.regions)
    for event in events:
        related = (
            hotspot.category == event.category
            or group_of(hotspot.category) == event.category
            or hotspot.category == group_of(event.category)
        )
        if related and (day - event.last).days <= _QUIET_DAYS and (not places or not event.regions or places & event.regions):
            event.last, event.regions = day, event.regions | places
            return event
    events.append(Event(hotspot.category, places, day))
    return events[-1]


def _meets(hotspot: Hotspot, outbreak: Planted) -> bool:
    """Whether a hotspot tells of an outbreak: its category or group, its place, its days."""
    return (
        hotspot.category in (outbreak.category, group_of(outbreak.category))
        and (not hotspot.regions or bool(set(hotspot.regions) & set(outbreak.regions)))
        and hotspot.window["from"] <= outbreak.last
        and hotspot.window["to"] >= outbreak.first
    )


def _jaccard(hotspot: Hotspot, outbreak: Planted) -> float:
    told = set(hotspot.regions)
    return len(told & set(outbreak.regions)) / len(told | set(outbreak.regions)) if told else len(outbreak.regions) / 34

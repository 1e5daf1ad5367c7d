"""What surveillance and hotspot detection find and what they cost: `make bench-hotspots`. Nothing here is asserted.

Counts are simulated (模拟数据): outbreaks are planted in them and judged day by day, as the service would, under the categories of a
classifier with the errors that the model's manifest reports, and as far as complaints are recorded by then.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from training.benchmark_surveillance import report
from training.simulate import load_settings
from training.simulated_counts import Planted, Stream, confusion_matrix, provinces, simulate_counts
from triage.hotspots.detect import find_hotspots
from triage.hotspots.places import load_places
from triage.hotspots.regression import Floats
from triage.hotspots.series import group_of
from triage.types import BEIJING, Hotspot, Window

RISKS = (1.3, 1.5, 2.0, 3.0)
DURATIONS = (3, 7, 14)
END = date(2026, 6, 30)
_JUDGED = 35  # days judged at the end of each stream
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
    """Of one or more streams. `found`: outbreak -> (days from its first day to the first alert, Jaccard index of the best place)."""

    planted: list[Planted] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)
    found: dict[int, tuple[int, float]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    days: int = 0
    seconds: float = 0.0

    @property
    def false_discovery_rate(self) -> float:
        return sum(not event.outbreaks for event in self.events) / max(len(self.events), 1)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m training.benchmark_hotspots", description=__doc__)
    parser.add_argument(
        "--references", type=Path, default=Path("../shared/hotspot"), metavar="DIR", help="outputs of R (default: %(default)s)"
    )
    parser.add_argument("--streams", type=int, default=10, metavar="N", help="simulated streams with outbreaks, and without (default: 10)")
    parser.add_argument("--a-day", type=float, default=600.0, metavar="N", help="complaints a day (default: 600, a bank of 220,000 a year)")
    parser.add_argument(
        "--usual", type=float, default=2.0, metavar="N", help="outbreaks lie where at least so many a day are usual (default: 2)"
    )
    parser.add_argument("--history", type=int, default=365, metavar="DAYS", help="default: 365")
    parser.add_argument(
        "--accuracy", type=float, nargs=2, default=(0.83, 0.85), metavar=("CATEGORY", "GROUP"), help="of the classifier (default: .83 .85)"
    )
    parser.add_argument("--only", choices=("surveillance", "hotspots"), help="one of the two parts")
    args = parser.parse_args(argv)
    if args.only != "hotspots":
        print("# Surveillance of count series")
        for line in report(args.references):
            print(line, flush=True)
        print()
    if args.only != "surveillance":
        for line in hotspot_report(args.streams, args.a_day, args.usual, args.history, *args.accuracy):
            print(line, flush=True)
    return 0


def hotspot_report(streams: int, a_day: float, usual: float, history: int, accuracy: float, group_accuracy: float) -> Iterator[str]:
    """Lines of the report on `find_hotspots`."""
    settings = load_settings()
    categories = list(settings["categories"])
    shares = np.array(list(settings["categories"].values()), dtype=float)
    errors = confusion_matrix(categories, shares / shares.sum(), accuracy, group_accuracy)
    yield f"# Hotspots on simulated counts: {a_day:,.0f} complaints a day, {history} days of history, {streams} streams of {_JUDGED} days judged"
    yield f"# {len(categories)} categories x 34 provinces x 9 channels and parents; delays = letters and the like recorded days later"
    for name, confusion, delayed in (
        ("true categories", None, False),
        (f"predicted categories ({accuracy:.0%} right), delays", errors, True),
    ):
        quiet, raised = Tally(), Tally()
        for number in range(streams):
            rng = np.random.default_rng([5, number])
            for planted, tally in (([], quiet), (plant(rng, number, usual / a_day), raised)):
                follow(simulate_counts(END, history + _JUDGED, a_day, planted, 100 + number, confusion, delayed), tally)
        yield ""
        yield f"## {name} (simulated)"
        yield f"alerts a week where nothing is planted: {7 * len(quiet.events) / quiet.days:.2f}"
        yield f"false discovery rate where {len(raised.planted) // streams} outbreaks are planted: {raised.false_discovery_rate:.2f} of {len(raised.events)} alerts"
        yield f"seconds a daily run: {(quiet.seconds + raised.seconds) / (quiet.days + raised.days):.2f}"
        yield from _by_risk(raised)


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
        first = END - timedelta(days=int(rng.integers(days + 2, _JUDGED - 3)))
        planted.append(Planted(category, tuple(sorted(zone)), first, first + timedelta(days=days - 1), risk))
    return planted


def follow(stream: Stream, tally: Tally, judged: int = _JUDGED) -> None:
    """Judge the last days of a stream one by one and add what is found to the tally."""
    base = len(tally.planted)
    tally.planted += stream.planted
    tally.expected += stream.expected
    events: list[Event] = []
    for back in range(judged - 1, -1, -1):
        last = stream.counts.end - timedelta(days=back)
        counts = stream.known(last)
        now = datetime.combine(last + timedelta(days=1), datetime.min.time(), BEIJING).replace(hour=8)
        begin = time.perf_counter()
        found = find_hotspots(counts, NoTexts(), now)
        tally.seconds += time.perf_counter() - begin
        tally.days += 1
        for hotspot in found:
            event = _event(events, hotspot, last)
            for number, outbreak in enumerate(stream.planted, start=base):
                if _meets(hotspot, outbreak):
                    event.outbreaks.add(number)
                    delay, overlap = tally.found.get(number, ((last - outbreak.first).days + 1, 0.0))
                    tally.found[number] = (delay, max(overlap, _jaccard(hotspot, outbreak)))
    tally.events += events


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


def _by_risk(tally: Tally) -> Iterator[str]:
    yield f"{'relative risk':>14}{'days':>6}{'outbreaks':>11}{'usual a day':>13}{'POD':>7}{'median delay, days':>20}{'Jaccard of place':>18}"
    for risk in RISKS:
        for days in DURATIONS:
            numbers = [i for i, p in enumerate(tally.planted) if (p.relative_risk, p.days) == (risk, days)]
            if not numbers:
                continue
            found: Floats = np.array([tally.found[i] for i in numbers if i in tally.found]).reshape(-1, 2)
            delay, place = (f"{np.median(found[:, 0]):.0f}", f"{found[:, 1].mean():.2f}") if len(found) else ("-", "-")
            usual = float(np.median([tally.expected[i] for i in numbers]))
            yield f"{risk:>14}{days:>6}{len(numbers):>11}{usual:>13.1f}{len(found) / len(numbers):>7.2f}{delay:>20}{place:>18}"


if __name__ == "__main__":
    raise SystemExit(main())

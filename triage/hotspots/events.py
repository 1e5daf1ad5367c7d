"""Cells that stand out become events: one for what has one cause.

Neighbouring regions of one category are one event where the scan says so; regions far apart are events of their own, unless most of the
country is raised; a channel of an event, and a group whose categories explain it, are no events beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.hotspots.baseline import Floor, Windows
from triage.hotspots.cells import ANY, Cell, Cells
from triage.hotspots.places import zones_of
from triage.hotspots.regression import Floats
from triage.hotspots.scan import Zone, poisson_score
from triage.hotspots.series import group_of
from triage.regions import UNKNOWN


@dataclass(frozen=True, slots=True)
class Event:
    """Cells of one category or group, and channel, over one window. `regions` () = the whole country; `p_value` is that of its most
    telling cell or zone, `recurrence` days in which chance brings about one like it."""

    key: str
    regions: tuple[str, ...]
    channel: str
    window: int
    observed: float
    expected: float
    dispersion: float
    p_value: float
    recurrence: float

    @property
    def excess(self) -> float:
        return self.observed - self.expected


@dataclass(frozen=True, slots=True)
class Merging:
    """When cells are one event.

    Attributes:
        member_p: a region joins neighbours that were found at this p-value, if it passes the effect floor.
        explained: share of a parent's excess at which its children explain it.
        nationwide: share of the regions that are raised from which on an event is nationwide.
    """

    member_p: float = 0.01
    explained: float = 0.6
    nationwide: float = 0.5


@dataclass(frozen=True, slots=True)
class Judged:
    """All that is known of the cells on the day judged: `p_value` calibrated and `recurrence` in days, (cells,)."""

    cells: Cells
    windows: Windows
    p_value: Floats
    recurrence: Floats
    regions: tuple[str, ...]
    floor: Floor


@dataclass(frozen=True, slots=True)
class ZoneFound:
    """A zone of one category that stands out though none of its regions need do so by itself."""

    key: str
    regions: tuple[str, ...]
    window: int
    p_value: float
    recurrence: float


def assemble(judged: Judged, found: Iterable[int], zones: Sequence[ZoneFound], merging: Merging) -> list[Event]:
    """One event for what belongs together; categories first, as they may explain their groups, whole cells before their channels.

    Args:
        judged: every cell.
        found: columns of the cells that stand out.
        zones: zones that stand out.
        merging: see there.
    """
    by_key: dict[tuple[str, str], list[int]] = {}
    for i in found:
        cell = judged.cells.cells[i]
        by_key.setdefault((cell.category, cell.channel), []).append(i)
    for zone in zones:
        by_key.setdefault((zone.key, ANY), [])
    events: list[Event] = []
    for key, channel in sorted(by_key, key=lambda pair: ("." not in pair[0], pair[1] != ANY, pair)):
        own = [zone for zone in zones if zone.key == key] if channel == ANY else []
        left = [i for i in by_key[key, channel] if not _explained(judged, i, events, merging)]
        events += _placed(judged, key, channel, left, own, merging)
    return events


def _placed(judged: Judged, key: str, channel: str, found: list[int], zones: Sequence[ZoneFound], merging: Merging) -> list[Event]:
    """Events of one key and channel, by place."""
    cells, windows = judged.cells, judged.windows
    columns = np.array([cells.position[Cell(key, region, channel)] for region in judged.regions])
    national = cells.position[Cell(key, ANY, channel)]
    known = np.array([region != UNKNOWN for region in judged.regions])

    def raised(window: int) -> NDArray[np.bool_]:
        passed = judged.floor.passed(windows.observed[window, columns], windows.expected[window, columns])
        return known & passed & ((windows.p[window, columns] <= merging.member_p) | np.isin(columns, found))

    if national in found:
        window = int(windows.best[national])
        inside = raised(window)
        excess = (windows.observed - windows.expected)[window]
        if excess[columns[inside]].sum() < merging.explained * excess[national] or inside.mean() > merging.nationwide:
            return [_event(judged, key, channel, (), [national], window, national)]
    events: list[Event] = []
    left = {i: int(position) for position, i in enumerate(columns) if i in found}
    covered: set[int] = set()
    for zone in zones:
        members = [judged.regions.index(region) for region in zone.regions]
        inside = [i for i in left if left[i] in members]
        lead = min(inside, key=lambda i: judged.p_value[i], default=None)
        if lead is not None and judged.p_value[lead] < zone.p_value:
            continue  # the region says more than the zone; its own neighbours will join it
        event = _event(judged, key, channel, zone.regions, columns[members].tolist(), zone.window, None)
        events.append(_with_evidence(event, zone.p_value, zone.recurrence))
        covered |= set(members)
        left = {i: position for i, position in left.items() if position not in members}
    while left:
        lead = min(left, key=lambda i: (judged.p_value[i], i))
        window = int(windows.best[lead])
        inside = raised(window)
        if inside.mean() > merging.nationwide:
            return [_event(judged, key, channel, (), [national], window, lead)]
        members = [position for position in _zone(judged, left[lead], window, columns, inside) if position not in covered]
        regions = tuple(judged.regions[position] for position in members)
        events.append(_event(judged, key, channel, regions, columns[members].tolist(), window, lead))
        covered |= set(members)
        left = {i: position for i, position in left.items() if position not in covered}
    return events


def _zone(judged: Judged, place: int, window: int, columns: NDArray[np.intp], raised: NDArray[np.bool_]) -> list[int]:
    """The raised members of the zone round a place that scores highest over the window; members without evidence are left out."""
    zones = zones_of(judged.regions)
    observed, expected = (table[window, columns] * raised for table in (judged.windows.observed, judged.windows.expected))
    # Raised members only: of two zones that hold the same ones the smaller comes first.
    scores = np.where(zones.members[:, place] > 0, poisson_score(zones.members @ observed, zones.members @ expected), -1.0)
    zone: Zone = zones.zones[int(scores.argmax())]
    return [member for member in zone if raised[member] or member == place]


def _event(judged: Judged, key: str, channel: str, regions: tuple[str, ...], columns: list[int], window: int, lead: int | None) -> Event:
    windows = judged.windows
    expected = windows.expected[window, columns]
    variance = float((expected * windows.dispersion[window, columns]).sum())
    excess = windows.observed[window, columns] - expected
    ranked = sorted(zip(-excess, regions, strict=True)) if regions else []
    return Event(
        key=key,
        regions=tuple(region for _, region in ranked),
        channel=channel,
        window=window,
        observed=float(windows.observed[window, columns].sum()),
        expected=float(expected.sum()),
        dispersion=variance / max(float(expected.sum()), 1e-12),
        p_value=float(judged.p_value[lead]) if lead is not None else 1.0,
        recurrence=float(judged.recurrence[lead]) if lead is not None else 0.0,
    )


def _with_evidence(event: Event, p_value: float, recurrence: float) -> Event:
    values = {name: getattr(event, name) for name in ("key", "regions", "channel", "window", "observed", "expected", "dispersion")}
    return Event(**values, p_value=p_value, recurrence=recurrence)


def _explained(judged: Judged, i: int, events: Sequence[Event], merging: Merging) -> bool:
    """Whether events found before account for a cell's excess: of its categories for a group, of any channel for a channel."""
    cell, window = judged.cells.cells[i], int(judged.windows.best[i])
    excess = (judged.windows.observed - judged.windows.expected)[window]
    explained = 0.0
    for event in events:
        inside = event.key == cell.category or (cell.is_group and group_of(event.key) == cell.category)
        if not inside or (event.channel and event.channel != cell.channel and cell.channel):
            continue
        if cell.region and event.regions and cell.region not in event.regions:
            continue
        places = (cell.region,) if cell.region else (event.regions or (ANY,))
        explained += sum(excess[judged.cells.position[Cell(event.key, place, cell.channel or event.channel)]] for place in places)
    return explained >= merging.explained * excess[i]

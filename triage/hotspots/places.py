"""Where provinces lie and which border on which: data/regions_geo.csv, and the zones made of it."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from triage.errors import ConfigError
from triage.hotspots.scan import Zone, Zones, adjacency_zones, circular_zones
from triage.resources import DATA, read_text


@dataclass(frozen=True, slots=True)
class Place:
    """Seat of a region in degrees, and the adcodes of the regions it borders on (islands: across the strait)."""

    adcode: str
    longitude: float
    latitude: float
    neighbours: tuple[str, ...]


@cache
def load_places(path: Path | None = None) -> dict[str, Place]:
    """Places by adcode. Raises: ConfigError when the table is missing, or a neighbour does not name its neighbour."""
    path = path or DATA / "regions_geo.csv"
    rows = list(csv.DictReader(read_text(path).splitlines()))
    found = {
        row["adcode"]: Place(row["adcode"], float(row["longitude"]), float(row["latitude"]), tuple(row["neighbours"].split()))
        for row in rows
    }
    for place in found.values():
        for near in place.neighbours:
            if near not in found or place.adcode not in found[near].neighbours:
                raise ConfigError(f"{path}: {place.adcode} borders on {near}, but not the other way round")
    return found


@cache
def zones_of(regions: tuple[str, ...], circle: int = 6, connected: int = 3) -> Zones:
    """Circular and adjacency zones of some regions; a region without a known place is a zone of its own.

    Args:
        regions: adcodes, in the order of the columns to scan.
        circle: regions in a circle at most.
        connected: regions in a connected set at most.
    """
    known = load_places()
    position = {code: i for i, code in enumerate(regions)}
    # Who is near whom is decided on the whole map: without the places between them, two far ends of the country are no neighbours.
    placed = list(known)
    east, north = (np.array([getattr(known[code], axis) for code in placed]) for axis in ("longitude", "latitude"))
    near = {i: [placed.index(n) for n in known[code].neighbours] for i, code in enumerate(placed)}
    found: dict[Zone, None] = {(i,): None for i in range(len(regions))}
    for zone in (*circular_zones(east, north, circle), *adjacency_zones(near, connected)):
        inside = tuple(sorted(position[placed[i]] for i in zone if placed[i] in position))
        if inside:
            found.setdefault(inside)
    return Zones(list(found), len(regions))

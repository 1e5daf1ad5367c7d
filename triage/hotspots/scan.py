"""Where an outbreak is: the expectation-based Poisson space-time scan statistic.

Every zone (a set of neighbouring places) is compared with its baseline over every duration up to now; the score is the log likelihood
ratio of a raised rate, F = C log(C / B) + B - C where C > B, else 0 (Neill 2009, International Journal of Forecasting 25:498). The
significance of the largest score is judged against the largest scores of data drawn from the baselines. `population_score` is the
statistic of Kulldorff 2001 (J R Stat Soc A 164:61), where only the shares of the population are known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from triage.errors import InputError

Floats = NDArray[np.float64]
Zone = tuple[int, ...]
"""Indices of places, ascending."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A zone over the latest `duration` periods. `zone` is its number among the zones scanned, -1 once it was pruned."""

    zone: int
    places: Zone
    duration: int
    observed: float
    expected: float
    score: float

    @property
    def ratio(self) -> float:
        return self.observed / self.expected if self.expected else np.inf


class Zones:
    """The zones of a scan.

    Args:
        zones: sets of places, each ascending.
        places: number of places.

    Raises: InputError when there is no zone, or one names a place that does not exist.
    """

    def __init__(self, zones: Sequence[Zone], places: int):
        if not zones or any(not zone or min(zone) < 0 or max(zone) >= places for zone in zones):
            raise InputError("zones", len(zones), f"one or more sets of places 0..{places - 1}")
        self.zones = tuple(zones)
        self.members = np.zeros((len(zones), places))
        for row, zone in enumerate(zones):
            self.members[row, list(zone)] = 1.0


def circular_zones(longitude: Floats, latitude: Floats, most: int) -> list[Zone]:
    """Each place with its nearest neighbours on the globe, 0, 1, 2, ... of them; every set once.

    Args:
        longitude, latitude: degrees, shape (places,).
        most: places in a zone.
    """
    east, north = np.deg2rad(longitude), np.deg2rad(latitude)
    points = np.column_stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
    # The chord grows with the arc; a place is nearest to itself even where two share a point.
    distance = 1 - points @ points.T
    np.fill_diagonal(distance, -1.0)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :most]
    return list(dict.fromkeys(tuple(sorted(map(int, row[:size]))) for row in nearest for size in range(1, len(row) + 1)))


def adjacency_zones(neighbours: Mapping[int, Sequence[int]], most: int) -> list[Zone]:
    """Every connected set of at most `most` places, and each place with all its neighbours.

    Args:
        neighbours: of each place.
        most: places in a connected set; their number grows steeply with it.
    """
    layer: set[Zone] = {(place,) for place in neighbours}
    found = set(layer)
    for _ in range(most - 1):
        layer = {tuple(sorted({*zone, near})) for zone in layer for place in zone for near in neighbours[place] if near not in zone}
        found |= layer
    found |= {tuple(sorted({place, *near})) for place, near in neighbours.items()}
    return sorted(found, key=lambda zone: (len(zone), zone))


def poisson_score(observed: Floats, expected: Floats) -> Floats:
    """Log likelihood ratio of a raised rate against the baseline, 0 where nothing is raised; arguments broadcast."""
    raised = observed > expected
    safe = np.where(raised & (expected > 0), expected, 1.0)
    ratio = special.xlogy(observed, observed / safe) + expected - observed
    return np.where(raised, np.where(expected > 0, ratio, np.inf), 0.0)


def population_score(observed: Floats, expected: Floats, total: float) -> Floats:
    """Log likelihood ratio of a raised rate inside against outside (Kulldorff 2001); `expected` sums to `total` over everything."""
    rest, rest_expected = total - observed, total - expected
    raised = (observed > expected) & (expected > 0) & (rest_expected > 0)
    inside = special.xlogy(observed, observed / np.where(raised, expected, 1.0))
    outside = special.xlogy(rest, rest / np.where(raised, rest_expected, 1.0))
    return np.where(raised, inside + outside, 0.0)


def scan(observed: Floats, expected: Floats, zones: Zones, top: int = 1) -> list[Cluster]:
    """The `top` clusters of largest score among all zones and durations; those with a score of zero are left out.

    Args:
        observed: counts, shape (periods, places), the latest period last.
        expected: baselines, same shape.
        zones: over the same places.
        top: at most so many; they overlap.
    """
    cases, baseline = (_latest(table, zones) for table in (observed, expected))
    scores = poisson_score(cases, baseline)
    flat = scores.ravel()
    order = np.argsort(-flat, kind="stable")[:top]
    return [
        Cluster(zone, zones.zones[zone], duration + 1, float(cases[duration, zone]), float(baseline[duration, zone]), float(flat[i]))
        for i in order
        for duration, zone in [divmod(int(i), len(zones.zones))]
        if flat[i] > 0
    ]


def _latest(table: Floats, zones: Zones) -> Floats:
    """Sums over the latest 1, 2, ... periods of each zone, shape (..., periods, zones)."""
    return np.cumsum(table[..., ::-1, :], axis=-2) @ zones.members.T


def null_maxima(expected: Floats, zones: Zones, replications: int, seed: int, dispersion: float = 1.0) -> Floats:
    """Largest scores of data drawn from the baselines, shape (replications,).

    Args:
        expected: baselines, shape (periods, places).
        zones: over the same places.
        replications: how many.
        seed: of the draws.
        dispersion: variance over mean of a count; above 1 counts are negative binomial.
    """
    rng = np.random.default_rng(seed)
    maxima = np.empty(replications)
    baseline = _latest(expected, zones)
    batch = max(int(2e6 // baseline.size), 1)  # 16 MB a table
    for begin in range(0, replications, batch):
        size = (min(batch, replications - begin), *expected.shape)
        mean = np.broadcast_to(expected, size)
        if dispersion > 1:
            mean = rng.gamma(np.maximum(expected / (dispersion - 1), 1e-12), dispersion - 1, size)
        scores = poisson_score(_latest(rng.poisson(mean).astype(float), zones), baseline)
        maxima[begin : begin + size[0]] = scores.max(axis=(1, 2))
    return maxima


def p_value(score: float, maxima: Floats, method: Literal["gumbel", "rank"] = "gumbel") -> float:
    """Probability of so large a maximum by chance.

    Args:
        score: the largest score observed.
        maxima: from `null_maxima`.
        method: `rank`: (1 + maxima as large) / (1 + replications), exact but never below 1 / (1 + replications). `gumbel`: the tail of
            a Gumbel distribution fitted by moments, good to far smaller values (Abrams et al. 2010, Int J Health Geogr 9:61).
    """
    if method == "rank":
        return float((1 + np.count_nonzero(maxima >= score - 1e-9)) / (1 + len(maxima)))
    scale = max(float(maxima.std(ddof=1)) * np.sqrt(6) / np.pi, 1e-9)
    return float(stats.gumbel_r.sf(score, maxima.mean() - np.euler_gamma * scale, scale))


def prune(cluster: Cluster, observed: Floats, expected: Floats, least_gain: float = 0.0) -> Cluster:
    """The cluster less the places that take from its score, one after another, the worst first.

    Among all subsets of a zone the score is largest for the places of highest observed / expected (the linear-time subset scan of
    Neill 2012, J R Stat Soc B 74:337), so that dropping the lowest ratio while the score gains finds the best subset.

    Args:
        cluster: from `scan`.
        observed, expected: what was scanned, shape (periods, places).
        least_gain: by how much a place must lower the score to be dropped.
    """
    cases, baseline = observed[-cluster.duration :].sum(axis=0), expected[-cluster.duration :].sum(axis=0)
    places = sorted(cluster.places, key=lambda place: cases[place] / max(baseline[place], 1e-12))
    score = cluster.score
    while len(places) > 1:
        left = float(poisson_score(cases[places[1:]].sum(), baseline[places[1:]].sum()))
        if left <= score + least_gain:
            break
        places, score = places[1:], left
    if len(places) == len(cluster.places):
        return cluster
    return Cluster(-1, tuple(sorted(places)), cluster.duration, float(cases[places].sum()), float(baseline[places].sum()), score)

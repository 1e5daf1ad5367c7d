import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from triage.errors import ConfigError, InputError
from triage.hotspots.places import load_places, zones_of
from triage.hotspots.scan import (
    Cluster,
    Zones,
    adjacency_zones,
    circular_zones,
    null_maxima,
    p_value,
    poisson_score,
    population_score,
    prune,
    scan,
)
from triage.regions import load_regions

REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "hotspot"
reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference outputs of other programs are not here")
LINE = Zones(circular_zones(np.arange(5.0), np.zeros(5), 3), 5)


def rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def counties() -> list[str]:
    return [name for name in rows("scan_NM_counts_1986_1989.csv")[0] if name != "year"]


def new_mexico() -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[int, ...]]]:
    counts, baselines = (
        np.array([[float(row[name]) for name in counties()] for row in rows(f"scan_NM_{kind}_1986_1989.csv")])
        for kind in ("counts", "baselines")
    )
    seat = {row["county"]: (float(row["seat_long"]), float(row["seat_lat"])) for row in rows("scan_NM_geo.csv")}
    return counts, baselines, circular_zones(*np.array([seat[name] for name in counties()]).T, 15)


@reference
def test_new_mexico_has_the_zones_and_scores_of_the_reference() -> None:
    counts, baselines, zones = new_mexico()
    assert len(zones) == 415
    found = {(c.places, c.duration): c for c in scan(counts, baselines, Zones(zones, 32), top=415 * 4)}
    table = rows("scan_NM_ebpoisson_top200.csv")
    assert len(table) == 200
    for row in table:
        cluster = found[tuple(sorted(int(place) - 1 for place in row["locations"].split())), int(row["duration"])]
        assert cluster.observed == float(row["count"]) and cluster.score == pytest.approx(float(row["score"]), abs=1e-6)
        assert (cluster.expected, cluster.ratio) == (pytest.approx(float(row["baseline"])), pytest.approx(float(row["rr"])))
    ranked = sorted(found.values(), key=lambda c: -c.score)[:200]
    assert [c.score for c in ranked] == pytest.approx([float(row["score"]) for row in table], abs=1e-6)


@reference
def test_los_alamos_and_santa_fe_come_first_with_the_reference_p_value() -> None:
    counts, baselines, zones = new_mexico()
    [first] = scan(counts, baselines, Zones(zones, 32))
    assert [counties()[place] for place in first.places] == ["losalamos", "santafe"] and first.duration == 4
    assert first.score == pytest.approx(9.180617, abs=1e-6)
    maxima = null_maxima(baselines, Zones(zones, 32), 999, seed=1)
    assert p_value(first.score, maxima, "rank") == pytest.approx(0.004, abs=0.004)
    assert p_value(first.score, maxima) == pytest.approx(p_value(first.score, maxima, "rank"), abs=0.004)


def satscan_tables() -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Cases and expected cases by year 1973-1991 and county, standardised over age and sex; populations are read between the census years
    (dated to the first of July), linearly by day."""
    places = [line.split()[0] for line in (REFERENCE / "nm.geo").read_text().splitlines()]
    population = [line.split() for line in (REFERENCE / "nm.pop").read_text().splitlines()]
    cases = [line.split() for line in (REFERENCE / "nm.cas").read_text().splitlines()]
    strata, census = sorted({tuple(row[3:]) for row in population}), sorted({int(row[1]) for row in population})
    people, counts = np.zeros((len(strata), len(census), len(places))), np.zeros((len(strata), 19, len(places)))
    for place, year, number, *stratum in population:
        people[strata.index(tuple(stratum)), census.index(int(year)), places.index(place)] += float(number)
    for place, number, year, *stratum in cases:
        counts[strata.index(tuple(stratum)), int(year) - 1973, places.index(place)] += float(number)
    knots = np.array([date(1900 + year, 7, 1).toordinal() for year in census], dtype=float)

    def lived(begin: float, end: float) -> NDArray[np.float64]:
        inner = np.array([begin, *knots[(knots > begin) & (knots < end)], end])
        weights = np.array([[np.interp(day, knots, np.eye(len(knots))[i]) for i in range(len(knots))] for day in inner])
        trapezia = (np.diff(inner)[:, None] * (weights[1:] + weights[:-1]) / 2).sum(axis=0)
        return np.einsum("k,skp->sp", trapezia, people)

    risk = np.stack([lived(date(y, 1, 1).toordinal(), date(y + 1, 1, 1).toordinal()) for y in range(1973, 1992)], axis=1)
    expected = (risk * (counts.sum(axis=(1, 2)) / risk.sum(axis=(1, 2)))[:, None, None]).sum(axis=0)
    return counts.sum(axis=0), expected, places


@reference
def test_the_population_based_statistic_is_that_of_satscan() -> None:
    counts, expected, places = satscan_tables()
    told = ["Torrance", "Bernalillo", "Valencia", "SantaFe", "Guadelupe", "Socorro", "Sandoval", "SanMiguel", "LosAlamos"]
    inside = [places.index(name) for name in told]
    cases, baseline = counts[12:17, inside].sum(), expected[12:17, inside].sum()
    assert (cases, baseline) == (236, pytest.approx(176.22, abs=0.01))
    assert float(population_score(cases, baseline, counts.sum())) == pytest.approx(10.979758, abs=1e-6)


def test_the_score_is_zero_unless_raised() -> None:
    found = poisson_score(np.array([3.0, 0.0, 4.0, 1.0]), np.array([3.0, 2.0, 2.0, 0.0]))
    assert found[:3] == pytest.approx([0, 0, 4 * np.log(2) - 2]) and np.isinf(found[3])


def test_a_raised_pair_of_places_is_found_with_its_duration() -> None:
    expected = np.full((6, 5), 10.0)
    observed = expected.copy()
    observed[-3:, 1:3] = 25
    [cluster] = scan(observed, expected, LINE)
    assert (cluster.places, cluster.duration, cluster.observed, cluster.ratio) == ((1, 2), 3, 150, 2.5)


def test_quiet_counts_have_no_cluster() -> None:
    assert scan(np.full((4, 5), 2.0), np.full((4, 5), 3.0), LINE) == []


def test_members_without_evidence_are_pruned() -> None:
    expected, observed = np.full((2, 5), 10.0), np.full((2, 5), 10.0)
    observed[:, [1, 3]] = 30
    zone = Cluster(0, (1, 2, 3), 2, 140.0, 60.0, float(poisson_score(np.array(140.0), np.array(60.0))))
    pruned = prune(zone, observed, expected)
    assert pruned.places == (1, 3) and pruned.observed == 120 and pruned.score > zone.score
    assert prune(pruned, observed, expected) is pruned


def test_overdispersed_counts_have_larger_maxima() -> None:
    expected = np.full((4, 5), 5.0)
    plain, rough = (np.median(null_maxima(expected, LINE, 300, seed=0, dispersion=phi)) for phi in (1.0, 3.0))
    assert rough > 2 * plain


def test_circles_take_the_nearest_first_and_every_set_once() -> None:
    assert circular_zones(np.arange(3.0), np.zeros(3), 2) == [(0,), (0, 1), (1,), (2,), (1, 2)]


def test_adjacency_zones_are_connected() -> None:
    path = {0: [1], 1: [0, 2], 2: [1, 3], 3: [2]}
    assert adjacency_zones(path, 2) == [(0,), (1,), (2,), (3,), (0, 1), (1, 2), (2, 3), (0, 1, 2), (1, 2, 3)]


def test_zones_must_name_places_that_exist() -> None:
    with pytest.raises(InputError):
        Zones([(0, 5)], 5)


@pytest.mark.parametrize(("risk", "power", "jaccard"), [(1.3, 0.58, 0.67), (1.5, 0.97, 0.84), (2.0, 1.0, 0.98)])
def test_three_raised_provinces_are_found_and_placed_as_well_as_by_the_reference(risk: float, power: float, jaccard: float) -> None:
    """The published experiment: 31 provinces alike, 400 complaints a week, 4 weeks, level 5 %, circles of at most 10."""
    seats = np.array([[place.longitude, place.latitude] for place in load_places().values() if place.adcode < "700000"])
    expected = np.full((4, len(seats)), 400 / len(seats))
    zones, triples = Zones(circular_zones(*seats.T, 10), len(seats)), [z for z in circular_zones(*seats.T, 3) if len(z) == 3]
    threshold = np.quantile(null_maxima(expected, zones, 999, seed=1), 0.95)
    rng = np.random.default_rng(0)
    likeness = []
    for _ in range(400):
        truth = set(triples[rng.integers(len(triples))])
        rate = expected.copy()
        rate[:, list(truth)] *= risk
        [cluster] = scan(rng.poisson(rate).astype(float), expected, zones)
        if cluster.score >= threshold:
            likeness.append(len(truth & set(cluster.places)) / len(truth | set(cluster.places)))
    assert len(likeness) / 400 >= power and np.mean(likeness) >= jaccard


def test_every_province_has_a_place_and_zones_hold_it() -> None:
    provinces = tuple(province.adcode for province in load_regions().provinces)
    assert set(load_places()) == set(provinces)
    zones = zones_of((*provinces, "000000"))
    assert (34,) in zones.zones and not any(34 in zone for zone in zones.zones if len(zone) > 1)
    beijing, tianjin = provinces.index("110000"), provinces.index("120000")
    assert (beijing, tianjin) in zones.zones


def test_neighbours_must_name_each_other(tmp_path: Path) -> None:
    table = tmp_path / "geo.csv"
    table.write_text("adcode,longitude,latitude,neighbours\n110000,116,40,120000\n120000,117,39,\n")
    with pytest.raises(ConfigError, match="110000"):
        load_places(table)

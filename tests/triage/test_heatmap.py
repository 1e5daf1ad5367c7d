from dataclasses import dataclass

import pytest

from triage.heatmap import CellCount, exceedance, frequent_issues, heat_cells, matrix, risk_index


@dataclass(frozen=True)
class Place:
    """Stands for triage.regions.Region: the four fields that the heat map reads."""

    adcode: str
    short: str
    population: int | None = None


BEIJING, GUANGDONG, TIBET = Place("110000", "北京", 21_893_095), Place("440000", "广东", 126_012_510), Place("540000", "西藏", 3_648_100)
PLACES = [BEIJING, GUANGDONG, TIBET]


def test_every_region_has_a_cell_even_without_complaints():
    cells = heat_cells([CellCount("440000", "ebank.login", 7, 2, 5)], [], PLACES, 7, 7)
    assert [(cell.region, cell.count) for cell in cells] == [("110000", 0), ("440000", 7), ("540000", 0)]
    assert cells[1].severe == 2 and cells[1].negative == 5 and cells[0].top_category is None


def test_rate_is_per_million_inhabitants_and_day():
    [cell] = heat_cells([CellCount("540000", "atm.fault", 73)], [], [TIBET], 10, 10)
    assert cell.rate == pytest.approx(73 / 3.6481 / 10)


def test_a_city_without_known_population_has_no_rate():
    [cell] = heat_cells([CellCount("440300", "atm.fault", 3)], [], [Place("440300", "深圳")], 10, 10)
    assert cell.rate is None and cell.count == 3


def test_the_period_before_is_scaled_to_the_days_it_has_data_for():
    [cell] = heat_cells([CellCount("110000", "atm.fault", 60)], [CellCount("110000", "atm.fault", 20)], [BEIJING], 30, 15)
    assert cell.expected == 40 and cell.exceedance == pytest.approx(20 / 40**0.5)


def test_without_a_period_before_there_is_no_expectation():
    [cell] = heat_cells([CellCount("110000", "atm.fault", 60)], [], [BEIJING], 30, 0)
    assert cell.expected is None and cell.exceedance is None


def test_exceedance_stays_finite_where_nothing_was_expected():
    assert exceedance(3, 0.0) == 3.0


def test_the_top_category_is_the_most_frequent_one():
    rows = [CellCount("110000", "atm.fault", 2), CellCount("110000", "branch.queue", 5), CellCount("000000", "ebank.login", 9)]
    assert heat_cells(rows, [], [BEIJING], 1, 0)[0].top_category == "branch.queue"


def test_frequent_issues_come_with_share_change_and_places():
    now = [CellCount("110000", "atm.fault", 6, 1), CellCount("440000", "atm.fault", 12), CellCount("440000", "ebank.login", 2)]
    first, second = frequent_issues(now, [CellCount("110000", "atm.fault", 6)], {"atm.fault": "自助设备故障"}, 7, 7)
    assert (first.name, first.count, first.share, first.previous, first.change) == ("自助设备故障", 18, 0.9, 6, 2.0)
    assert first.top_regions == ("440000", "110000") and first.severe == 1
    assert second.change is None and second.previous == 0


def test_the_limit_cuts_the_list_of_issues():
    rows = [CellCount("110000", f"card.{i}", i) for i in range(1, 9)]
    assert [issue.count for issue in frequent_issues(rows, [], {}, 1, 0, limit=3)] == [8, 7, 6]


def test_the_matrix_is_category_by_region():
    now, before = [CellCount("110000", "a.x", 3), CellCount("999999", "a.x", 5)], [CellCount("110000", "a.x", 4)]
    table = matrix(now, before, ["a.x", "b.y"], ["110000", "440000"], 2, 4)
    assert table.counts == [[3, 0], [0, 0]] and table.expected == [[2.0, 0.0], [0.0, 0.0]]


def test_a_region_like_all_others_has_index_40():
    even = [Place("1", "甲", 1000), Place("2", "乙", 1000)]
    rows = [CellCount("1", "a.x", 100, 10), CellCount("2", "a.x", 100, 10)]
    assert [risk.index for risk in risk_index(rows, rows, even, 7, 7, {})] == [40.0, 40.0]


def test_a_few_complaints_do_not_put_a_small_region_on_top():
    tiny, large = Place("1", "小", 1_000), Place("2", "大", 1_000_000)
    rows = [CellCount("1", "a.x", 3, 1), CellCount("2", "a.x", 1_000, 100)]
    before = [CellCount("1", "a.x", 0), CellCount("2", "a.x", 500, 50)]
    first = risk_index(rows, before, [tiny, large], 7, 7, {})[0]
    assert first.region == "2"


def test_more_of_anything_raises_the_index():
    def index(n: int = 100, severe: int = 10, before: int = 100, hotspots: int = 0) -> float:
        rows = [CellCount("110000", "a.x", n, severe), CellCount("440000", "a.x", 500, 50)]
        risks = risk_index(rows, [CellCount("110000", "a.x", before), CellCount("440000", "a.x", 500)], PLACES, 7, 7, {"110000": hotspots})
        return next(risk.index for risk in risks if risk.region == "110000")

    assert index() < min(index(n=200, severe=20), index(severe=40), index(before=50), index(hotspots=1))
    assert index(n=0, severe=0, before=0) >= 0 and index(n=100_000, severe=90_000, before=1, hotspots=9) <= 100


def test_no_complaints_at_all_is_no_division_by_zero():
    assert len(risk_index([], [], PLACES, 7, 0, {})) == 3

from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient


@pytest.fixture
def filled(client: TestClient, now: datetime) -> TestClient:
    sent = [
        ("转账没到账", "深圳", "app", 0), ("转账没到账，已报警", "广州", "app", 1), ("年费收错了", "广东", "web", 1),
        ("转账没到账", "北京", "app", 2), ("密码忘了", "", "hotline", 3), ("转账没到账", "深圳", "app", 35),
    ]  # fmt: skip
    items = [
        {"text": text, "region": region, "channel": channel, "time": (now - timedelta(days=back)).isoformat()}
        for text, region, channel, back in sent
    ]
    assert client.post("/v1/complaints/batch", json={"complaints": items}).json()["failed"] == 0
    return client


def cells(answer: dict) -> dict[str, dict]:
    return {cell["region"]: cell for cell in answer["cells"]}


def test_the_heat_map_has_a_cell_for_each_of_the_34_provinces(filled: TestClient) -> None:
    answer = filled.get("/v1/heatmap").json()
    assert (answer["from"], answer["to"]) == ("2026-10-22", "2026-11-20")
    assert (answer["total"], answer["unlocated"], answer["simulated"]) == (5, 1, False)
    found = cells(answer)
    assert len(found) == 34
    guangdong = found["440000"]
    assert (guangdong["name"], guangdong["count"], guangdong["severe"], guangdong["negative"]) == ("广东", 3, 1, 3)
    assert guangdong["top_category"] == "payment.transfer_failure"
    assert guangdong["expected"] is not None
    assert found["710000"]["count"] == 0


def test_a_province_opens_into_its_cities(filled: TestClient) -> None:
    answer = filled.get("/v1/heatmap", params={"region": "广东"}).json()
    assert (answer["total"], answer["unlocated"]) == (3, 1)
    assert cells(answer)["440300"]["count"] == 1
    beijing = filled.get("/v1/heatmap", params={"region": "110000"}).json()
    assert (beijing["total"], beijing["unlocated"]) == (1, 0)


def test_a_city_has_no_cells_of_its_own(filled: TestClient) -> None:
    answer = filled.get("/v1/heatmap", params={"region": "440300"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "region"


def test_category_group_channel_and_range_narrow_the_heat_map(filled: TestClient) -> None:
    def total(**query: str) -> int:
        return filled.get("/v1/heatmap", params=query).json()["total"]

    assert total(category="payment.transfer_failure") == 3
    assert total(category="payment") == 3
    assert total(channel="web") == 1
    assert total(category="card", channel="app") == 0
    assert total(**{"from": "2026-11-20", "to": "2026-11-20"}) == 1


def test_the_matrix_is_category_by_province(filled: TestClient) -> None:
    answer = filled.get("/v1/heatmap/matrix").json()
    row = [category["key"] for category in answer["categories"]].index("payment.transfer_failure")
    column = [region["adcode"] for region in answer["regions"]].index("440000")
    assert answer["counts"][row][column] == 2
    assert answer["expected"][row][column] > 0
    assert answer["regions"][column]["name"] == "广东"


def test_frequent_issues_come_most_frequent_first(filled: TestClient) -> None:
    issues = filled.get("/v1/issues").json()["issues"]
    assert [issue["count"] for issue in issues] == [3, 1, 1]
    assert issues[0]["category"] == "payment.transfer_failure"
    assert issues[0]["previous"] == 1
    assert all("000000" not in issue["top_regions"] for issue in issues)
    assert len(filled.get("/v1/issues", params={"limit": 1, "region": "广东"}).json()["issues"]) == 1


@pytest.mark.parametrize(("step", "length"), [("day", 30), ("hour", 30 * 24)])
def test_trends_have_a_point_for_every_step(filled: TestClient, step: str, length: int) -> None:
    answer = filled.get("/v1/trends", params={"step": step, "category": "payment"}).json()
    assert len(answer["points"]) == length
    assert sum(point["count"] for point in answer["points"]) == 3
    assert answer["points"][0]["time"] == "2026-10-22T00:00:00+08:00"


def test_hourly_trends_are_limited_to_a_month(filled: TestClient) -> None:
    answer = filled.get("/v1/trends", params={"step": "hour", "from": "2026-01-01"})
    assert answer.status_code == 422
    assert "31" in answer.json()["errors"][0]["expected"]


def test_every_province_has_a_risk_index(filled: TestClient) -> None:
    risks = filled.get("/v1/regions/risk").json()["regions"]
    assert len(risks) == 34
    assert [risk["index"] for risk in risks] == sorted((risk["index"] for risk in risks), reverse=True)


@pytest.mark.parametrize("path", ["/v1/heatmap", "/v1/heatmap/matrix", "/v1/issues", "/v1/trends", "/v1/regions/risk"])
def test_an_empty_store_answers_with_zeros(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.json()["simulated"] is False

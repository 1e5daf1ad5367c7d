from dataclasses import replace
from datetime import datetime

import pytest
from fakes import HOTSPOT
from fastapi.testclient import TestClient

from triage.store import Store


@pytest.fixture
def with_hotspots(client: TestClient, store: Store, now: datetime) -> TestClient:
    store.upsert_hotspots([HOTSPOT, replace(HOTSPOT, id="h2", category="card", regions=())], now)
    return client


def test_hotspots_are_listed_with_the_precision_of_verdicts(with_hotspots: TestClient) -> None:
    answer = with_hotspots.get("/v1/hotspots").json()
    assert [hotspot["id"] for hotspot in answer["hotspots"]] == ["h1", "h2"]
    assert answer["precision"] == {"confirmed": 0, "dismissed": 0, "share": None}
    assert answer["simulated"]
    assert answer["hotspots"][0]["window"] == {"from": "2026-11-14", "to": "2026-11-20"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"category": "payment"}, ["h1"]),
        ({"category": "card"}, ["h2"]),
        ({"region": "北京"}, ["h2"]),
        ({"status": "confirmed"}, []),
        ({"limit": 1}, ["h1"]),
    ],
)
def test_hotspots_are_filtered(with_hotspots: TestClient, query: dict, expected: list[str]) -> None:
    assert [hotspot["id"] for hotspot in with_hotspots.get("/v1/hotspots", params=query).json()["hotspots"]] == expected


def test_a_verdict_changes_status_history_and_precision(with_hotspots: TestClient) -> None:
    answer = with_hotspots.post("/v1/hotspots/h1/confirm", json={"person": "林芳", "reason": "系统升级"})
    assert answer.status_code == 200
    assert answer.json()["status"] == "confirmed"
    event = with_hotspots.get("/v1/hotspots/h1").json()["history"][-1]
    assert (event["person"], event["reason"], event["time"]) == ("林芳", "系统升级", "2026-11-20T12:00:00+08:00")
    assert with_hotspots.get("/v1/hotspots").json()["precision"] == {"confirmed": 1, "dismissed": 0, "share": 1.0}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("h1/acknowledge", {"person": "林芳"}, 409),
        ("h2/confirm", {}, 422),
        ("h2/explode", {"person": "林芳"}, 422),
        ("none/confirm", {"person": "林芳"}, 404),
    ],
)
def test_a_verdict_that_cannot_be_is_a_problem(with_hotspots: TestClient, path: str, body: dict, status: int) -> None:
    with_hotspots.post("/v1/hotspots/h1/resolve", json={"person": "林芳"})
    answer = with_hotspots.post(f"/v1/hotspots/{path}", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_complaints_of_a_hotspot_are_those_of_its_cell_and_window(with_hotspots: TestClient) -> None:
    good = {"text": "转账没到账", "region": "深圳", "channel": "app", "time": "2026-11-15T10:00:00"}
    others = [{"channel": "web"}, {"region": "北京"}, {"time": "2026-11-10T10:00:00"}, {"text": "年费收错了"}]
    items = [good, *(good | other for other in others)]
    with_hotspots.post("/v1/complaints/batch", json={"complaints": items})
    assert len(with_hotspots.get("/v1/complaints", params={"hotspot": "h1"}).json()["complaints"]) == 1
    assert with_hotspots.get("/v1/complaints", params={"hotspot": "none"}).status_code == 404

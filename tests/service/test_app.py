import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeTagger
from fastapi.testclient import TestClient

from service.app import create_app
from service.routes import page
from service.settings import ApiKey, Settings
from triage.store import Store

OPERATOR, SENDER = "o" * 16, "s" * 16
COMPLAINT = {"text": "转账没到账", "source_id": "1"}


@pytest.fixture
def guarded(store: Store, tagger: FakeTagger) -> Iterator[TestClient]:
    keys = (ApiKey("林芳", "operate", OPERATOR), ApiKey("crm", "ingest", SENDER))
    with TestClient(create_app(Settings(hotspot_minutes=0, api_keys=keys), store, tagger)) as opened:
        yield opened


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (bearer("wrong" * 4), 401), (bearer(SENDER), 201), (bearer(OPERATOR), 201)])
def test_sending_needs_a_key_of_either_role(guarded: TestClient, headers: dict, status: int) -> None:
    assert guarded.post("/v1/complaints", json=COMPLAINT, headers=headers).status_code == status


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (bearer(SENDER), 403), (bearer(OPERATOR), 200)])
def test_reading_needs_the_operate_role(guarded: TestClient, headers: dict, status: int) -> None:
    answer = guarded.get("/v1/heatmap", headers=headers)
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_person_of_the_key_signs_a_correction(guarded: TestClient) -> None:
    key = guarded.post("/v1/complaints", json=COMPLAINT, headers=bearer(SENDER)).json()["id"]
    answer = guarded.patch(f"/v1/complaints/{key}/labels", json={"person": "someone else", "severity": 3}, headers=bearer(OPERATOR))
    assert answer.json()["corrections"][0]["person"] == "林芳"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/", "/docs", "/openapi.json"])
def test_health_and_page_need_no_key(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code == 200


def test_every_operation_of_the_contract_is_described(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    expected = {
        "complaints", "complaints/batch", "complaints/{complaint_id}", "complaints/{complaint_id}/labels", "tag", "heatmap", "heatmap/matrix",
        "issues", "trends", "regions/risk", "regions", "taxonomy", "model", "hotspots", "hotspots/{hotspot_id}", "hotspots/{hotspot_id}/{action}",
    }  # fmt: skip
    assert {f"/v1/{path}" for path in expected} <= set(paths)
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert {"from", "to", "cells"} <= set(schemas["HeatMap"]["properties"])


def test_the_description_for_people_loads_nothing_from_elsewhere(client: TestClient) -> None:
    text = client.get("/docs").text
    assert "/v1/complaints" in text
    assert "http" not in text.replace("http-equiv", "")


def test_taxonomy_regions_and_model_are_told(client: TestClient) -> None:
    assert len(client.get("/v1/taxonomy").json()["categories"]) == 44
    regions = {region["adcode"]: region for region in client.get("/v1/regions").json()["regions"]}
    assert regions["440300"]["parent"] == "440000"
    assert len(regions["440000"]["tile"]) == 2
    assert client.get("/v1/model").json()["name"] == "fake"


def test_metrics_count_requests_and_complaints(client: TestClient) -> None:
    client.post("/v1/complaints", json=COMPLAINT)
    client.post("/v1/complaints", json=COMPLAINT)
    client.post("/v1/complaints", json={"text": "别的事情"})
    text = client.get("/metrics").text
    assert 'triage_requests_total{method="POST",route="/v1/complaints",status="201"} 2.0' in text
    assert 'triage_complaints_total{group="payment"} 1.0' in text
    assert "triage_needs_review_total 1.0" in text


def test_the_log_holds_a_line_per_request_and_nothing_personal(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client.post("/v1/complaints", json={"text": "我叫王秀兰，电话13800138000，转账没到账"})
    client.post("/v1/complaints", json={"text": "我叫王秀兰", "region": "火星"})
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("triage")]
    assert sum('"route":"/v1/complaints"' in line for line in lines) == 2
    assert not any("王秀兰" in line or "13800138000" in line for line in lines)


def test_without_a_build_the_page_says_how_to_make_one(client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(page, "DIST", tmp_path)
    assert "make web" in client.get("/").text
    (tmp_path / "index.html").write_text("<h1>page</h1>")
    answer = client.get("/")
    assert answer.text == "<h1>page</h1>"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_readiness_tells_of_the_last_run(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ok", "empty": True, "last_hotspot_run": None}


def test_a_database_that_does_not_answer_is_said_to_be_away(tmp_path: Path, tagger: FakeTagger) -> None:
    path = tmp_path / "own.db"
    app = create_app(Settings(hotspot_minutes=0, database=str(path)), tagger=tagger)
    with TestClient(app, raise_server_exceptions=False) as client:
        with sqlite3.connect(path) as connection:
            connection.execute("DROP TABLE triages")
            connection.execute("DROP TABLE corrections")
            connection.execute("DROP TABLE complaints")
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_application_opens_its_own_store(tmp_path: Path, tagger: FakeTagger) -> None:
    app = create_app(Settings(hotspot_minutes=0, database=str(tmp_path / "own.db")), tagger=tagger)
    with TestClient(app) as client:
        assert client.post("/v1/complaints", json=COMPLAINT).status_code == 201
    assert (tmp_path / "own.db").is_file()

from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient

GOOD = {"text": "转账没到账，电话13800138000", "channel": "手机银行", "region": "深圳", "source": "crm", "source_id": "1"}


def problem(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert set(body) >= {"type", "title", "status", "detail", "instance"}
    return body


def test_a_complaint_goes_in_and_its_triage_comes_out(client: TestClient) -> None:
    answer = client.post("/v1/complaints", json=GOOD)
    assert answer.status_code == 201
    triage = answer.json()
    assert (triage["category"]["key"], triage["channel"], triage["region"]) == ("payment.transfer_failure", "app", "440300")
    record = client.get(f"/v1/complaints/{triage['id']}").json()
    assert record["triage"] == triage
    assert record["complaint"]["text"] == "转账没到账，电话[手机号]"
    assert record["complaint"]["time"] == "2026-11-20T12:00:00+08:00"


def test_a_conversation_is_taken_too(client: TestClient) -> None:
    turns = [{"speaker": "agent", "text": "您好"}, {"speaker": "customer", "text": "密码忘了", "time": "2026-11-20T11:58:00"}]
    answer = client.post("/v1/complaints", json={"turns": turns, "channel": "hotline"})
    assert answer.status_code == 201
    stored = client.get(f"/v1/complaints/{answer.json()['id']}").json()["complaint"]["turns"]
    assert stored[1] == {"speaker": "customer", "text": "密码忘了", "time": "2026-11-20T11:58:00+08:00"}


def test_the_same_complaint_again_is_the_same_record(client: TestClient) -> None:
    first = client.post("/v1/complaints", json=GOOD)
    again = client.post("/v1/complaints", json=GOOD)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


def test_the_senders_id_is_also_taken_as_id(client: TestClient) -> None:
    body = {key: value for key, value in GOOD.items() if key != "source_id"} | {"id": "1"}
    first = client.post("/v1/complaints", json=GOOD)
    assert client.post("/v1/complaints", json=body).json()["id"] == first.json()["id"]


def test_another_content_under_a_known_id_is_a_conflict(client: TestClient) -> None:
    client.post("/v1/complaints", json=GOOD)
    body = problem(client.post("/v1/complaints", json={**GOOD, "text": "年费收错了"}), 409)
    assert "'1'" in body["detail"]


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"text": ""}, "text", "with words"),
        ({"text": "😡😡😡！！！"}, "text", "with words"),
        ({"text": "\x00\x01 \x7f"}, "text", "with words"),
        ({"text": "转" * 20_001}, "text", "at most 20000"),
        ({"region": "亚特兰蒂斯"}, "region", "440000"),
        ({"channel": "carrier pigeon"}, "channel", "hotline"),
        ({"time": "2026-11-20T12:11:00+08:00"}, "time", "2026-11-20T12:00:00+08:00"),
        ({"time": "yesterday"}, "time", "datetime"),
        ({"turns": [{"speaker": "customer", "text": "密码忘了"}]}, "text", "either text or turns"),
        ({"text": "", "turns": [{"speaker": "agent", "text": "您好"}]}, "turns", "customer"),
        ({"text": "", "turns": [{"speaker": "robot", "text": "您好"}]}, "turns.0.speaker", "customer"),
        ({"text": 7}, "text", "string"),
        ({"colour": "red"}, "colour", "no field of this name"),
    ],
)
def test_bad_input_names_field_value_and_expectation(client: TestClient, change: dict, field: str, told: str) -> None:
    body = problem(client.post("/v1/complaints", json={**GOOD, **change}), 422)
    [error] = body["errors"]
    assert error["field"] == field
    assert "value" in error
    assert told in error["expected"]
    assert client.get("/v1/complaints").json()["complaints"] == []


def test_a_refused_text_is_not_sent_back(client: TestClient) -> None:
    answer = client.post("/v1/complaints", json={**GOOD, "text": ["我叫王秀兰"]})
    assert answer.status_code == 422
    assert "王秀兰" not in answer.text


def test_a_clock_ten_minutes_ahead_is_forgiven(client: TestClient) -> None:
    assert client.post("/v1/complaints", json={**GOOD, "time": "2026-11-20T12:10:00+08:00"}).status_code == 201


def test_english_is_taken_and_left_to_a_person(client: TestClient) -> None:
    answer = client.post("/v1/complaints", json={"text": "My transfer never arrived"})
    assert answer.status_code == 201
    assert answer.json()["needs_review"]


def test_a_body_that_is_not_utf_8_is_refused_with_the_place(client: TestClient) -> None:
    body = '{"text": "转账没到账"}'.encode("gb18030")
    told = problem(client.post("/v1/complaints", content=body, headers={"content-type": "application/json"}), 400)
    assert "UTF-8" in told["detail"]
    assert "position 12" in told["detail"]


@pytest.mark.parametrize("content", ["{", "", '{"text": "\\ud800"'])
def test_a_body_that_is_not_json_is_refused(client: TestClient, content: str) -> None:
    answer = client.post("/v1/complaints", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code)


def test_a_lone_surrogate_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/complaints", content='{"text": "转账\\ud800"}', headers={"content-type": "application/json"})
    problem(answer, 422)


def test_a_body_over_the_limit_is_refused(client: TestClient) -> None:
    body = b'{"complaints": [' + b" " * (4 * 2**20) + b"]}"
    told = problem(client.post("/v1/complaints/batch", content=body, headers={"content-type": "application/json"}), 413)
    assert "4194304" in told["detail"]


def test_a_batch_keeps_its_good_items(client: TestClient) -> None:
    client.post("/v1/complaints", json=GOOD)
    items = [GOOD, {**GOOD, "text": "年费收错了"}, {**GOOD, "source_id": "2"}, {**GOOD, "source_id": "3", "region": "火星"}, "nonsense"]
    answer = client.post("/v1/complaints/batch", json={"complaints": items})
    assert answer.status_code == 200
    body = answer.json()
    assert [result["status"] for result in body["results"]] == [200, 409, 201, 422, 422]
    assert [result["index"] for result in body["results"]] == [0, 1, 2, 3, 4]
    assert (body["stored"], body["failed"]) == (2, 3)
    assert body["results"][3]["error"]["errors"][0]["field"] == "region"
    assert body["results"][3]["triage"] is None
    assert len(client.get("/v1/complaints").json()["complaints"]) == 2


def test_a_batch_of_1001_is_refused_naming_the_limit(client: TestClient) -> None:
    body = problem(client.post("/v1/complaints/batch", json={"complaints": [GOOD] * 1001}), 422)
    assert "1000" in body["errors"][0]["expected"]


def test_tagging_stores_nothing_and_counts_spans_in_the_text_sent(client: TestClient) -> None:
    text = "电话13800138000，广东转账没到账"
    triage = client.post("/v1/tag", json={"text": text}).json()
    [fact] = triage["facts"]
    assert text[fact["start"] : fact["end"]] == "广东"
    several = client.post("/v1/tag", json={"complaints": [{"text": text}, {"text": ""}]}).json()["results"]
    assert [result["status"] for result in several] == [200, 422]
    assert client.get("/v1/complaints").json()["complaints"] == []


def test_tagging_a_bad_body_names_the_field(client: TestClient) -> None:
    body = problem(client.post("/v1/tag", json={"text": "转账", "region": 5}), 422)
    assert "region" in [error["field"] for error in body["errors"]]


def test_lists_are_paged_and_filtered(client: TestClient) -> None:
    for number in range(5):
        client.post("/v1/complaints", json={**GOOD, "source_id": str(number), "region": "北京" if number % 2 else "深圳"})
    first = client.get("/v1/complaints", params={"limit": 3}).json()
    second = client.get("/v1/complaints", params={"limit": 3, "cursor": first["next"]}).json()
    assert (len(first["complaints"]), len(second["complaints"]), second["next"]) == (3, 2, None)
    chosen = client.get("/v1/complaints", params={"region": "广东", "category": "payment", "channel": "app", "severity": 2}).json()
    assert len(chosen["complaints"]) == 3
    assert client.get("/v1/complaints", params={"from": "2026-11-21", "to": "2026-11-22"}).json()["complaints"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-11-21", "to": "2026-11-20"}, "from"),
        ({"from": "soon"}, "from"),
        ({"category": "card.none"}, "category"),
        ({"region": "火星"}, "region"),
        ({"channel": "火星"}, "channel"),
        ({"severity": 5}, "severity"),
        ({"limit": 201}, "limit"),
        ({"cursor": "x"}, "cursor"),
    ],
)
def test_bad_queries_name_the_parameter(client: TestClient, query: dict, field: str) -> None:
    body = problem(client.get("/v1/complaints", params=query), 422)
    assert body["errors"][0]["field"] == field


def test_a_correction_moves_the_heat_map(client: TestClient, now: datetime) -> None:
    key = client.post("/v1/complaints", json=GOOD).json()["id"]
    answer = client.patch(f"/v1/complaints/{key}/labels", json={"person": "林芳", "category": "card.annual_fee", "reason": "看错了"})
    assert answer.status_code == 200
    assert answer.json()["triage"]["category"]["key"] == "card.annual_fee"
    assert answer.json()["corrections"][0]["time"] == now.isoformat()
    counts = {key: client.get("/v1/heatmap", params={"category": key}).json()["total"] for key in ("card", "payment")}
    assert counts == {"card": 1, "payment": 0}


@pytest.mark.parametrize(
    "body", [{"category": "card.annual_fee"}, {"person": "林芳", "category": "card.none"}, {"person": "林芳", "severity": 7}]
)
def test_a_correction_needs_a_person_and_known_labels(client: TestClient, body: dict) -> None:
    key = client.post("/v1/complaints", json=GOOD).json()["id"]
    problem(client.patch(f"/v1/complaints/{key}/labels", json=body), 422)


def test_what_is_not_there_is_a_problem_too(client: TestClient) -> None:
    problem(client.get("/v1/complaints/none"), 404)
    problem(client.patch("/v1/complaints/none/labels", json={"person": "林芳"}), 404)
    problem(client.get("/v1/nothing"), 404)
    problem(client.delete("/v1/complaints"), 405)


def test_complaints_before_the_range_are_left_out_by_default(client: TestClient, now: datetime) -> None:
    client.post("/v1/complaints", json={**GOOD, "time": (now - timedelta(days=40)).isoformat()})
    assert client.get("/v1/complaints").json()["complaints"] == []

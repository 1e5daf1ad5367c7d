import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from fakes import HOTSPOT, FakeTagger
from fastapi.testclient import TestClient

from service.alerts import Alerts, WebhookError
from service.jobs import HotspotJob, run_detection
from service.metrics import Metrics
from service.settings import Settings
from triage.hotspots.detect import DetectionSettings
from triage.store import Store
from triage.types import Complaint, Hotspot


class Receiver:
    """A webhook that fails the first `failures` deliveries."""

    def __init__(self, failures: int = 0):
        self.failures = failures
        self.received: list[tuple[str, str]] = []

    def __call__(self, hotspot: Hotspot) -> None:
        if self.failures:
            self.failures -= 1
            raise WebhookError("down")
        self.received.append((hotspot.id, hotspot.level))


def alerts(store: Store, receiver: Receiver) -> Alerts:
    return Alerts(store, receiver, Metrics(), pauses=(0.0,))


def test_a_run_reads_the_store_and_is_recorded(store: Store, tagger: FakeTagger, now: datetime) -> None:
    complaint = Complaint(id="1", text="转账没到账", time=now)
    store.add([(complaint, *tagger.tag([complaint]))])

    def find(counts, texts, at, settings) -> list[Hotspot]:
        assert (counts.observed.sum(), counts.days, counts.end, at) == (1, 30, now.date(), now)
        return [HOTSPOT]

    found = run_detection(store, 30, now, find)
    assert [hotspot.id for hotspot in found.raised] == ["h1"]
    [run] = store.runs()
    assert (run.state, run.found) == ("done", 1) and '"days":30' in store.run_settings(run.settings)


def test_a_failed_run_is_recorded_and_the_next_repairs_it(store: Store, now: datetime) -> None:
    def fail(counts, texts, at, settings) -> list[Hotspot]:
        raise ArithmeticError("no convergence")

    with pytest.raises(ArithmeticError):
        run_detection(store, 30, now, fail)
    run_detection(store, 30, now, lambda counts, texts, at, settings: [HOTSPOT])
    assert [(run.state, run.error) for run in store.runs()] == [("done", ""), ("failed", "ArithmeticError: no convergence")]
    assert store.hotspot("h1").status == "new"


def test_the_thread_outlives_a_failed_run(store: Store, now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    runs, repaired = [], threading.Event()

    def find(counts, texts, at, settings) -> list[Hotspot]:
        runs.append(at)
        if len(runs) == 1:
            raise ArithmeticError("no convergence")
        repaired.set()
        return []

    job = HotspotJob(store, 0, 30, Metrics(), None, lambda: now, find)
    job.start()
    assert repaired.wait(10)
    job.stop()
    assert "no convergence" in caplog.text


def test_a_new_hotspot_is_sent_once_and_again_when_it_escalates(store: Store, now: datetime) -> None:
    receiver = Receiver()
    sender = alerts(store, receiver)
    for level in ("notice", "notice", "warning", "notice", "alarm"):
        store.upsert_hotspots([replace(HOTSPOT, level=level)], now)
        sender.send_all()
    assert receiver.received == [("h1", "notice"), ("h1", "warning"), ("h1", "alarm")]


def test_a_delivery_is_tried_again(store: Store, now: datetime) -> None:
    store.upsert_hotspots([HOTSPOT], now)
    receiver = Receiver(failures=1)
    assert alerts(store, receiver).send_all() == 1
    assert receiver.received == [("h1", "warning")]


def test_what_could_not_be_delivered_is_sent_after_the_next_run(store: Store, now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    store.upsert_hotspots([HOTSPOT], now)
    receiver = Receiver(failures=2)
    sender = alerts(store, receiver)
    assert sender.send_all() == 0
    assert "was not delivered" in caplog.text
    assert sender.send_all() == 1


def test_a_dismissed_hotspot_is_not_sent(store: Store, now: datetime) -> None:
    store.upsert_hotspots([HOTSPOT], now)
    store.set_hotspot_status("h1", "dismiss", "林芳", "活动", now)
    assert alerts(store, Receiver()).send_all() == 0


def test_new_issues_without_a_category_are_told_and_list_their_complaints(
    client: TestClient, store: Store, tagger: FakeTagger, now: datetime
) -> None:
    matters = ("空调太旧", "门口台阶坏了", "叫号屏看不清", "停车位被占", "饮水机没水", "保安态度生硬", "宣传册印错", "零钱不够用")
    usual = [f"{matters[i % 8]}，第{i}次来反映" for i in range(90)]
    ends = ("卡里就少了钱", "钱被转走了", "我妈填了", "账户少了八百", "有亲戚被骗", "真的是你们发的吗")
    texts = [(text, now - timedelta(days=92 - i)) for i, text in enumerate(usual)]
    texts += [(f"收到积分清零短信，点链接要验证码，{end}", now - timedelta(days=1 + i % 4)) for i, end in enumerate(ends)]
    complaints = [Complaint(id=str(i), text=text, time=time, region="440000") for i, (text, time) in enumerate(texts)]
    store.add(list(zip(complaints, tagger.tag(complaints), strict=True)))
    [theme] = run_detection(store, 120, now, lambda *_: []).raised
    assert theme.kind == "theme" and theme.title.startswith("广东 其他投诉出现新问题“")
    assert [hotspot["kind"] for hotspot in client.get("/v1/hotspots").json()["hotspots"]] == ["theme"]
    listed = client.get("/v1/complaints", params={"hotspot": theme.id}).json()["complaints"]
    assert {one["id"] for one in listed} == {str(i) for i in range(90, 96)}


def test_the_first_run_of_a_day_looks_for_themes(store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr("service.jobs.find_themes", lambda texts, categories, at, *rest: looked.append(at) or [])
    clock = iter((now, now + timedelta(hours=1), now + timedelta(days=1)))
    job = HotspotJob(store, 0, 30, Metrics(), None, lambda: next(clock), lambda *_: [])
    for _ in range(3):
        job.run_once()
    assert looked == [now, now + timedelta(days=1)]


def test_by_default_a_run_reads_enough_history_for_the_change_on_the_year_and_for_the_season() -> None:
    settings = DetectionSettings()
    span = settings.durations[-1] + settings.baseline.gap + settings.baseline.days
    assert Settings().hotspot_days >= settings.season.history(span) + 1 > 365 + settings.durations[-1]

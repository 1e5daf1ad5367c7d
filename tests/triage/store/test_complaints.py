import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from fakes import FakeTagger
from sqlalchemy import event

from triage.errors import InputError, NotFoundError
from triage.store import AddResult, Filters, Store, record_id
from triage.store import complaints as stored
from triage.types import Complaint, Correction, Turn

Send = Callable[..., AddResult]


@pytest.fixture
def send(store: Store, tagger: FakeTagger, now: datetime) -> Send:
    def send(text: str = "转账一直没到账", number: int | None = None, **fields) -> AddResult:
        key = None if number is None else str(number)
        identity = record_id("crm", key) if key else f"{text}-{fields}"
        complaint = Complaint(id=identity, text=text, source="crm", source_id=key, **{"time": now, **fields})
        return store.add([(complaint, *tagger.tag([complaint]))])[0]

    return send


def test_a_stored_complaint_comes_back_as_it_went_in(store: Store, send: Send, now: datetime) -> None:
    turns = (Turn(speaker="agent", text="您好", time=now), Turn(speaker="customer", text="密码忘了"))
    result = send("", turns=turns, channel="hotline", region="440300")
    record = store.get(result.id)
    assert record.complaint.turns == turns
    assert record.triage == result.triage
    assert (record.complaint.channel, record.triage.region, record.complaint.time) == ("hotline", "440300", now)
    assert record.corrections == ()


def test_personal_data_are_masked_and_spans_moved_before_anything_is_stored(store: Store, send: Send) -> None:
    record = store.get(send("我的电话13800138000，在广东转账没到账").id)
    assert record.complaint.text == "我的电话[手机号]，在广东转账没到账"
    [fact] = record.triage.facts
    assert record.complaint.text[fact.start : fact.end] == "广东"


def test_the_same_complaint_sent_twice_is_stored_once(store: Store, send: Send, now: datetime) -> None:
    first, second = send(number=1), send(number=1, time=now + timedelta(hours=1))
    assert (first.created, second.created, second.conflict) == (True, False, False)
    assert second.id == first.id
    assert len(store.search(Filters()).records) == 1


def test_another_content_under_a_known_id_is_a_conflict_and_changes_nothing(store: Store, send: Send) -> None:
    send(number=1)
    result = send("年费收错了", number=1)
    assert result.conflict
    assert store.get(result.id).complaint.text == "转账一直没到账"


def test_one_conflict_does_not_keep_the_other_items_of_a_batch_out(store: Store, tagger: FakeTagger, now: datetime) -> None:
    texts = ["转账没到账", "年费收错了", "转账没到账"]
    batch = [Complaint(id=record_id("crm", "1"), text=text, time=now, source="crm", source_id="1") for text in texts]
    batch.append(replace(batch[0], id=record_id("crm", "2"), source_id="2"))
    results = store.add(list(zip(batch, tagger.tag(batch), strict=True)))
    assert [(result.created, result.conflict) for result in results] == [(True, False), (False, True), (False, False), (True, False)]


def test_an_unknown_id_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        store.get("nowhere")


def test_pages_list_every_record_once_latest_first(store: Store, send: Send, now: datetime) -> None:
    for number in range(7):
        send(number=number, time=now - timedelta(minutes=number // 2))
    seen, cursor = [], None
    while True:
        page = store.search(Filters(), 3, cursor)
        seen += [record.complaint for record in page.records]
        cursor = page.next
        if cursor is None:
            break
    assert sorted(complaint.source_id for complaint in seen) == [str(number) for number in range(7)]
    assert [complaint.time for complaint in seen] == sorted((complaint.time for complaint in seen), reverse=True)


@pytest.mark.parametrize("cursor", ["x", "eHh4", "2026"])
def test_a_cursor_that_no_page_carried_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        store.search(Filters(), cursor=cursor)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), "0123"),
        (Filters(categories=("card.annual_fee",)), "1"),
        (Filters(regions=("440000",)), "01"),
        (Filters(regions=("440300",)), "0"),
        (Filters(regions=("440300", "110000")), "02"),
        (Filters(regions=("000000",)), "3"),
        (Filters(channels=("app",)), "2"),
        (Filters(severity=4), "2"),
        (Filters(sentiment="neutral"), "1"),
        (Filters(needs_review=True), "3"),
        (Filters(first=date(2026, 11, 20)), "012"),
        (Filters(last=date(2026, 11, 19)), "3"),
    ],
)
def test_filters_choose_records(store: Store, send: Send, now: datetime, filters: Filters, expected: str) -> None:
    send(number=0, region="440300")
    send("年费退了，谢谢", number=1, region="440000")
    send("转账被骗，已报警", number=2, region="110000", channel="app")
    send("别的事情", number=3, time=now - timedelta(days=1))
    found = {record.complaint.source_id for record in store.search(filters).records}
    assert found == set(expected)


def test_a_correction_is_in_force_and_the_model_s_choice_is_kept(store: Store, send: Send, now: datetime) -> None:
    sent = send()
    correction = Correction(person="林芳", time=now, category="card.annual_fee", severity=4, sentiment="neutral", reason="看错了")
    record = store.correct(sent.id, correction)
    triage = record.triage
    assert (triage.category.key, triage.category.confidence, triage.department) == ("card.annual_fee", 1.0, "信用卡中心")
    assert (triage.severity.level, triage.sentiment.label, triage.needs_review) == (4, "neutral", False)
    assert triage.alternatives[0].key == "payment.transfer_failure"
    assert triage.report_due == now + timedelta(hours=2)
    assert record.corrections == (correction,)
    assert store.get(sent.id) == record
    assert store.corrections() == [record]


def test_a_corrected_record_is_found_under_its_new_labels(store: Store, send: Send, now: datetime) -> None:
    sent = send()
    store.correct(sent.id, Correction(person="林芳", time=now, category="card.annual_fee"))
    assert not store.search(Filters(categories=("payment.transfer_failure",))).records
    assert store.search(Filters(categories=("card.annual_fee",))).records[0].id == sent.id


def test_the_last_of_several_corrections_wins(store: Store, send: Send, now: datetime) -> None:
    sent = send()
    store.correct(sent.id, Correction(person="甲", time=now, severity=4))
    record = store.correct(sent.id, Correction(person="乙", time=now + timedelta(minutes=1), severity=1))
    assert record.triage.severity.level == 1
    assert record.triage.report_due is None
    assert [correction.person for correction in record.corrections] == ["甲", "乙"]


def test_more_corrections_than_a_statement_takes_parameters_are_read(
    store: Store, tagger: FakeTagger, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "_LOOKUP", 20)  # of the 32,766 that SQLite allows, 400 are used; here 20 of 30
    sent = [Complaint(id=str(i), text=f"转账没到账{i}", time=now) for i in range(50)]
    store.add(list(zip(sent, tagger.tag(sent), strict=True)))
    for complaint in sent:
        store.correct(complaint.id, Correction(person="林芳", time=now, severity=3))

    @event.listens_for(store._database.engine, "checkout")
    def _limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 30)

    found = store.corrections()
    assert [record.id for record in found] == [complaint.id for complaint in sent]
    assert all(len(record.corrections) == 1 for record in found)


def test_a_store_is_empty_until_something_is_added(store: Store, send: Send) -> None:
    assert store.is_empty()
    send()
    assert not store.is_empty()


def test_texts_of_a_group_in_a_province_are_sampled_masked(store: Store, send: Send, now: datetime) -> None:
    send("转账没到账，电话13800138000", number=1, region="440300")
    send("转账没到账", number=2, region="110000")
    window = {"from": now.date(), "to": now.date()}
    assert store.texts().sample("payment", ["440000"], window, 10) == [(record_id("crm", "1"), "转账没到账，电话[手机号]")]

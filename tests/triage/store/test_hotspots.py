from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from fakes import NOW, FakeTagger

from triage.errors import ConflictError, NotFoundError
from triage.store import Precision, Store
from triage.types import Complaint, Hotspot, HotspotPart

FOUND = Hotspot(
    id="a",
    category="payment.transfer_failure",
    regions=("440000",),
    channels=(),
    window={"from": date(2026, 11, 13), "to": date(2026, 11, 19)},
    observed=40,
    expected=12.5,
    ratio=3.2,
    change=1.5,
    p_value=1e-6,
    recurrence_interval_days=400.0,
    level="warning",
    title="广东 转账失败",
)


def later(days: int, **changes) -> Hotspot:
    step = timedelta(days=days)
    window = {"from": FOUND.window["from"] + step, "to": FOUND.window["to"] + step}
    return replace(FOUND, id=f"a{days}", window=window, **changes)


def actions(store: Store, key: str = "a") -> list[str]:
    return [event.action for event in store.hotspot(key).history]


def test_a_new_hotspot_is_stored_with_its_first_event(store: Store, now: datetime) -> None:
    [raised] = store.upsert_hotspots([FOUND], now)
    assert replace(raised, history=()) == FOUND
    assert [(event.action, event.status, event.observed) for event in raised.history] == [("found", "new", 40)]


def test_the_same_run_twice_changes_nothing(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    assert store.upsert_hotspots([replace(FOUND, id="b")], now) == []
    assert actions(store) == ["found"]


def test_an_event_keeps_its_id_from_day_to_day(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    assert store.upsert_hotspots([later(1, observed=44)], now + timedelta(days=1)) == []
    [stored] = store.hotspots()
    assert (stored.id, stored.observed, stored.window["to"]) == ("a", 44, date(2026, 11, 20))
    assert actions(store) == ["found", "seen"]


def test_a_rise_of_the_level_is_an_escalation(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    [raised] = store.upsert_hotspots([later(1, level="alarm")], now)
    assert raised.level == "alarm"
    assert actions(store) == ["found", "escalated"]


@pytest.mark.parametrize(
    "other",
    [replace(FOUND, id="b", regions=("110000",)), replace(FOUND, id="b", regions=()), later(30), replace(FOUND, id="b", channels=("app",))],
)
def test_another_place_time_or_channel_is_another_event(store: Store, now: datetime, other: Hotspot) -> None:
    store.upsert_hotspots([FOUND], now)
    assert [hotspot.id for hotspot in store.upsert_hotspots([other], now)] == [other.id]


def test_two_findings_of_one_run_never_become_one_event(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    pair = [later(1, regions=("440000", "450000")), replace(later(1), id="b")]
    store.upsert_hotspots(pair, now)
    assert len(store.hotspots()) == 2


def test_verdicts_go_into_the_history_with_person_and_reason(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    store.set_hotspot_status("a", "acknowledge", "林芳", "", now)
    hotspot = store.set_hotspot_status("a", "confirm", "王强", "系统升级", now + timedelta(hours=1))
    assert hotspot.status == "confirmed"
    last = hotspot.history[-1]
    assert (last.action, last.status, last.person, last.reason) == ("confirm", "confirmed", "王强", "系统升级")
    assert last.time == now + timedelta(hours=1)


def test_a_forbidden_change_of_status_is_a_conflict(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    store.set_hotspot_status("a", "resolve", "林芳", "", now)
    with pytest.raises(ConflictError, match="resolved"):
        store.set_hotspot_status("a", "acknowledge", "林芳", "", now)


def test_an_unknown_hotspot_is_not_found(store: Store, now: datetime) -> None:
    with pytest.raises(NotFoundError):
        store.set_hotspot_status("nowhere", "confirm", "林芳", "", now)


def test_a_dismissed_event_stays_silent_until_it_rises_by_half(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    store.set_hotspot_status("a", "dismiss", "林芳", "活动", now)
    assert store.upsert_hotspots([later(1, observed=59)], now) == []
    [raised] = store.upsert_hotspots([later(2, observed=60)], now)
    assert (raised.id, raised.status) == ("a", "recurred")


def test_a_resolved_event_recurs_only_with_days_after_its_resolution(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    store.set_hotspot_status("a", "resolve", "林芳", "", NOW)
    assert store.upsert_hotspots([later(1)], now) == []
    [raised] = store.upsert_hotspots([later(2)], now)
    assert (raised.id, raised.status) == ("a", "recurred")


def test_hotspots_are_chosen_by_status_category_and_region(store: Store, now: datetime) -> None:
    nationwide = replace(FOUND, id="b", category="card.annual_fee", regions=())
    store.upsert_hotspots([FOUND, nationwide], now)
    store.set_hotspot_status("b", "confirm", "林芳", "", now)

    def ids(**filters) -> list[str]:
        return [hotspot.id for hotspot in store.hotspots(**filters)]

    assert ids(statuses=["confirmed"]) == ["b"]
    assert ids(categories=["payment.transfer_failure"]) == ["a"]
    assert sorted(ids(region="440300")) == ["a", "b"]
    assert ids(region="110000") == ["b"]


def test_precision_counts_the_last_verdict_on_each_hotspot(store: Store, now: datetime) -> None:
    assert store.hotspot_precision().share is None
    store.upsert_hotspots([FOUND, later(30), later(60)], now)
    for key, action in (("a", "dismiss"), ("a", "confirm"), ("a30", "dismiss"), ("a60", "acknowledge")):
        store.set_hotspot_status(key, action, "林芳", "", now)
    assert store.hotspot_precision() == Precision(confirmed=1, dismissed=1)


def test_the_webhook_is_owed_a_new_hotspot_once_and_again_after_an_escalation(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    [due] = store.unalerted_hotspots()
    store.mark_alerted(due)
    store.upsert_hotspots([later(1)], now)
    assert store.unalerted_hotspots() == []
    store.upsert_hotspots([later(2, level="alarm")], now)
    assert [hotspot.id for hotspot in store.unalerted_hotspots()] == ["a"]


def test_runs_are_recorded(store: Store, now: datetime) -> None:
    store.end_run(store.begin_run(now), 1.5, found=3)
    store.end_run(store.begin_run(now), 0.1, error="ValueError: x")
    store.begin_run(now)
    told = [(run.state, run.found, run.error) for run in store.runs()]
    assert told == [("running", None, ""), ("failed", None, "ValueError: x"), ("done", 3, "")]


def test_an_event_that_grows_keeps_its_id(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    assert store.upsert_hotspots([later(1, regions=("440000", "450000", "460000"))], now + timedelta(days=1)) == []
    assert store.hotspot("a").regions == ("440000", "450000", "460000")


def test_events_that_one_finding_covers_are_merged_and_both_tell_of_it(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND, replace(FOUND, id="b", regions=("450000",)), replace(FOUND, id="c", channels=("app",))], now)
    store.upsert_hotspots([later(1, regions=("440000", "450000"))], now + timedelta(days=1))
    assert {hotspot.id: hotspot.status for hotspot in store.hotspots()} == {"a": "new", "b": "resolved", "c": "resolved"}
    assert actions(store) == ["found", "seen", "merged", "merged"] and actions(store, "b") == ["found", "merged"]
    assert store.hotspot("b").history[-1].reason == "并入 a"


def test_a_nationwide_event_takes_the_local_ones_in(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    [raised] = store.upsert_hotspots([replace(later(1, regions=()), id="n")], now)
    assert raised.id == "n" and store.hotspot("a").status == "resolved"


def test_an_event_ends_when_a_week_with_data_has_not_shown_it(store: Store, tagger: FakeTagger, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    weeks_later = now + timedelta(days=9)
    store.upsert_hotspots([], weeks_later)
    assert actions(store) == ["found"], "days without data say nothing"
    complaints = [Complaint(id=str(day), text="转账没到账", time=NOW + timedelta(days=day)) for day in range(8)]
    store.add(list(zip(complaints, tagger.tag(complaints), strict=True)))
    store.upsert_hotspots([], weeks_later)
    assert actions(store) == ["found", "ended"] and store.hotspot("a").status == "resolved"


def test_a_dismissed_event_stays_silent_for_as_long_as_it_goes_on(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    store.set_hotspot_status("a", "dismiss", "林芳", "活动", now)
    for day in range(1, 30):
        assert store.upsert_hotspots([later(day)], now + timedelta(days=day)) == []
    assert actions(store) == ["found", "dismiss"] and len(store.hotspots()) == 1


def test_a_busy_day_within_a_dismissed_week_is_no_rise(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    store.set_hotspot_status("a", "dismiss", "林芳", "活动", now)
    last = date(2026, 11, 20)
    day = replace(later(1, observed=9, expected=1.8), window={"from": last, "to": last})
    assert store.upsert_hotspots([day], now) == []
    assert [h.status for h in store.upsert_hotspots([replace(day, observed=40, window={"from": last, "to": last})], now)] == ["recurred"]


def test_a_run_tells_what_it_was_set_to(store: Store, now: datetime) -> None:
    numbers = [store.begin_run(now, body) for body in ('{"days":30}', '{"days":30}', '{"days":60}')]
    keys = [run.settings for run in reversed(store.runs())]
    assert len(numbers) == 3 and keys[0] == keys[1] != keys[2]
    assert store.run_settings(keys[2]) == '{"days":60}'
    with pytest.raises(NotFoundError):
        store.run_settings("none")


def part(key: str, observed: int, expected: float) -> HotspotPart:
    return HotspotPart(kind="category", key=key, name="", observed=observed, expected=expected)


GROUP = replace(
    FOUND,
    id="g",
    category="payment",
    observed=90,
    expected=55.0,
    parts=(part("payment.transfer_failure", 40, 12.5), part("payment.refund", 9, 3.0)),
)


def test_a_groups_event_that_turns_out_to_be_one_categorys_keeps_its_id(store: Store, now: datetime) -> None:
    store.upsert_hotspots([GROUP], now)
    assert store.upsert_hotspots([later(1)], now + timedelta(days=1)) == []
    [stored] = store.hotspots()
    assert (stored.id, stored.category) == ("g", "payment.transfer_failure")
    assert [hotspot.id for hotspot in store.hotspots(categories=["payment.transfer_failure"])] == ["g"]
    assert stored.history[-1].reason == "支付结算 → 转账失败或未到账"


def test_a_categorys_event_that_spreads_over_its_group_keeps_its_id(store: Store, now: datetime) -> None:
    store.upsert_hotspots([FOUND], now)
    assert store.upsert_hotspots([replace(GROUP, window=later(1).window)], now + timedelta(days=1)) == []
    assert [(hotspot.id, hotspot.category) for hotspot in store.hotspots()] == [("a", "payment")]


def test_a_category_that_is_a_small_part_of_its_groups_event_is_another(store: Store, now: datetime) -> None:
    store.upsert_hotspots([GROUP], now)
    [raised] = store.upsert_hotspots([later(1, category="payment.refund")], now + timedelta(days=1))
    assert raised.id == "a1" and store.hotspot("g").status == "new"


def test_a_group_found_again_takes_its_categorys_event_in(store: Store, now: datetime) -> None:
    store.upsert_hotspots([GROUP, replace(FOUND, regions=("440000",))], now)
    store.upsert_hotspots([replace(GROUP, id="g1", window=later(1).window)], now + timedelta(days=1))
    assert {hotspot.id: hotspot.status for hotspot in store.hotspots()} == {"g": "new", "a": "resolved"}
    assert store.hotspot("a").history[-1].reason == "并入 g"


def test_a_group_and_a_category_found_together_stay_two(store: Store, now: datetime) -> None:
    store.upsert_hotspots([GROUP, FOUND], now)
    store.upsert_hotspots([later(1), replace(GROUP, id="g1", window=later(1).window)], now + timedelta(days=1))
    assert {hotspot.id: (hotspot.category, hotspot.status) for hotspot in store.hotspots()} == {
        "g": ("payment", "new"), "a": ("payment.transfer_failure", "new"),
    }  # fmt: skip


def test_a_dismissed_groups_event_stays_silent_when_it_is_told_as_a_category(store: Store, now: datetime) -> None:
    store.upsert_hotspots([GROUP], now)
    store.set_hotspot_status("g", "dismiss", "林芳", "活动", now)
    assert store.upsert_hotspots([later(1)], now + timedelta(days=1)) == []
    [raised] = store.upsert_hotspots([later(2, observed=90)], now + timedelta(days=2))
    assert (raised.id, raised.status) == ("g", "recurred")


THEME = replace(FOUND, id="t", kind="theme", observed=6, expected=0.2, terms=("积分", "短信", "验证码"), evidence=("1", "2", "3", "4"))


def test_a_theme_goes_on_by_its_complaints_or_by_its_words(store: Store, now: datetime) -> None:
    store.upsert_hotspots([THEME], now)
    store.upsert_hotspots([later(1, kind="theme", evidence=("3", "4", "5"), terms=("理财",))], now + timedelta(days=1))
    store.upsert_hotspots([later(2, kind="theme", evidence=("6", "7"), terms=("理财", "短信", "积分"))], now + timedelta(days=2))
    assert {hotspot.id for hotspot in store.hotspots()} == {"t", "a2"}
    store.upsert_hotspots([later(3, kind="theme", evidence=("8",), terms=("理财", "短信", "积分", "链接"))], now + timedelta(days=3))
    assert len(store.hotspots()) == 2


def test_a_theme_and_a_surge_of_one_category_are_two_unless_the_surge_consists_of_it(store: Store, now: datetime) -> None:
    store.upsert_hotspots([THEME], now)
    store.upsert_hotspots([FOUND], now)
    assert {hotspot.id: hotspot.status for hotspot in store.hotspots()} == {"t": "new", "a": "new"}
    store.upsert_hotspots([later(1, observed=10, expected=1.0)], now)
    assert store.hotspot("t").status == "resolved" and store.hotspot("t").history[-1].reason == "并入 a"

from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from fakes import NOW, FakeTagger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triage.heatmap import CellCount
from triage.regions import NATION, UNKNOWN
from triage.store import Store, record_id
from triage.types import BEIJING, Complaint, Correction

DAY = date(2026, 11, 20)
TEXTS = ("转账没到账", "年费收错了", "密码忘了，已报警", "别的事情，谢谢")


def complaint(number: int, **fields) -> Complaint:
    values = {"text": "转账没到账", "time": NOW, "channel": "app", "region": "440300"} | fields
    return Complaint(id=record_id("crm", str(number)), source="crm", source_id=str(number), **values)


def fill(store: Store, *complaints: Complaint) -> None:
    store.add(list(zip(complaints, FakeTagger().tag(complaints), strict=True)))


def count(store: Store, region: str = NATION, categories: list[str] | None = None, channel: str | None = None, day: date = DAY) -> int:
    if categories is None:
        return sum(cell.n for cell in store.cells(day, day, [region], channel))
    return sum(cell.n for cell in store.cells_by_category(day, day, [region], channel, categories))


def test_a_complaint_counts_in_its_city_its_province_and_the_country(store: Store) -> None:
    fill(store, complaint(1))
    assert [count(store, region) for region in ("440300", "440000", NATION, "110000")] == [1, 1, 1, 0]


def test_a_complaint_without_a_region_counts_in_the_country_and_as_unknown(store: Store) -> None:
    fill(store, complaint(1, region=None))
    assert [count(store, region) for region in (UNKNOWN, NATION)] == [1, 1]


def test_category_and_channel_narrow_the_count(store: Store) -> None:
    fill(store, complaint(1), complaint(2, text="年费收错了", channel="hotline"))
    assert count(store) == 2
    assert count(store, categories=["card.annual_fee"]) == 1
    assert count(store, channel="app") == 1
    assert count(store, "440300", ["card.annual_fee"], "app") == 0


def test_cells_carry_severe_and_negative_complaints(store: Store) -> None:
    fill(store, complaint(1, text="密码忘了，已报警"), complaint(2, text="密码找回来了，谢谢"))
    assert store.cells_by_category(DAY, DAY, ["440000"]) == [CellCount("440000", "account.lost_password", 2, 1, 1)]


def test_a_day_is_a_beijing_day(store: Store) -> None:
    fill(store, complaint(1, time=datetime.fromisoformat("2026-11-19T16:30:00+00:00")))
    assert count(store, day=date(2026, 11, 20)) == 1
    assert count(store, day=date(2026, 11, 19)) == 0


def test_sending_a_complaint_again_does_not_count_it_again(store: Store) -> None:
    fill(store, complaint(1), complaint(2))
    fill(store, complaint(1), complaint(3))
    assert count(store) == 3


def test_a_correction_moves_the_counts(store: Store) -> None:
    fill(store, complaint(1), complaint(2))
    change = Correction(person="林芳", time=NOW, category="card.annual_fee", severity=4, sentiment="neutral")
    store.correct(record_id("crm", "1"), change)
    assert store.cells_by_category(DAY, DAY, ["440300"]) == [
        CellCount("440300", "card.annual_fee", 1, 1, 0),
        CellCount("440300", "payment.transfer_failure", 1, 0, 1),
    ]
    assert store.cells(DAY, DAY, [NATION]) == [CellCount(NATION, "", 2, 1, 1)]


def test_trends_fill_gaps_with_zero(store: Store) -> None:
    fill(store, complaint(1), complaint(2, time=NOW - timedelta(days=2)))
    points = store.daily(DAY - timedelta(days=3), DAY, "440000")
    assert [point.count for point in points] == [0, 1, 0, 1]
    assert points[0].time == datetime(2026, 11, 17, tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("region", "categories", "channel", "expected"),
    [
        (NATION, None, None, 3),
        ("440000", None, None, 2),
        ("440300", None, None, 1),
        ("440000", ["payment.transfer_failure"], None, 1),
        (NATION, None, "app", 2),
        ("440300", ["card.annual_fee"], "app", 0),
    ],
)
def test_hours_count_as_days_do(store: Store, region: str, categories: list[str] | None, channel: str | None, expected: int) -> None:
    fill(store, complaint(1), complaint(2, region="440000", text="年费收错了"), complaint(3, region="110000", channel="web"))
    points = store.hourly(DAY, DAY, region, categories, channel)
    assert len(points) == 24
    assert points[12].count == sum(point.count for point in points) == expected
    assert sum(point.count for point in store.daily(DAY, DAY, region, categories, channel)) == expected


def test_counts_hold_every_complaint_in_its_day_category_province_and_channel(store: Store) -> None:
    fill(store, complaint(1), complaint(2, simulated=True), complaint(3, region=None, time=NOW - timedelta(days=1)))
    counts = store.counts(DAY - timedelta(days=1), DAY)
    category, channel = counts.categories.index("payment.transfer_failure"), counts.channels.index("app")
    assert counts.observed[1, category, counts.regions.index("440000"), channel] == 2
    assert counts.observed[0, category, counts.regions.index(UNKNOWN), channel] == 1
    assert counts.observed.sum() == 3
    assert counts.simulated
    assert store.any_simulated(DAY, DAY)
    assert not store.any_simulated(DAY - timedelta(days=1), DAY - timedelta(days=1))


@pytest.mark.parametrize("length", [1, 2, 6, 7, 8, 13, 14, 30])
@pytest.mark.parametrize("back", range(7))
def test_weeks_and_the_days_around_them_add_up(store: Store, back: int, length: int) -> None:
    fill(store, *(complaint(number, time=NOW - timedelta(days=number)) for number in range(40)))
    last = DAY - timedelta(days=back)
    [cell] = store.cells_by_category(last - timedelta(days=length - 1), last, ["440300"])
    assert cell.n == length


def test_days_with_data_are_counted(store: Store) -> None:
    fill(store, complaint(1), complaint(2, time=NOW - timedelta(days=5)))
    assert store.days_with_data(DAY - timedelta(days=9), DAY) == 2
    assert store.days_with_data(DAY - timedelta(days=4), DAY - timedelta(days=1)) == 0


COMPLAINTS = st.lists(
    st.tuples(
        st.sampled_from(TEXTS), st.sampled_from(["440300", "440100", "440000", "110000", None]), st.sampled_from(["app", "web"]),
        st.integers(0, 2), st.sampled_from([None, "card.annual_fee", "card.rewards"]),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COMPLAINTS)
def test_roll_ups_equal_a_count_of_the_records(tmp_path_factory: pytest.TempPathFactory, sent: list) -> None:
    with Store.open(str(tmp_path_factory.mktemp("store") / "triage.db")) as store:
        tally: Counter[tuple] = Counter()
        for number, (text, region, channel, back, corrected) in enumerate(sent):
            one = complaint(number, text=text, region=region, channel=channel, time=NOW - timedelta(days=back))
            fill(store, one)
            if corrected:
                store.correct(one.id, Correction(person="林芳", time=NOW, category=corrected))
            category = store.get(one.id).triage.category.key
            place = region or UNKNOWN
            for code in {place, f"{place[:2]}0000", NATION}:
                tally[code, category] += 1
        places = ["440300", "440100", "440000", "110000", UNKNOWN, NATION]
        cells = store.cells_by_category(DAY - timedelta(days=2), DAY, places)
        assert {(cell.region, cell.category): cell.n for cell in cells} == dict(tally)
        assert sum(cell.n for cell in store.cells(DAY - timedelta(days=2), DAY, places)) == sum(tally.values())
        assert sum(point.count for point in store.hourly(DAY - timedelta(days=2), DAY, NATION)) == len(sent)

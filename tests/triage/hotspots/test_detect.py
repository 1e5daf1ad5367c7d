from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from triage.errors import InputError
from triage.hotspots.baseline import day_kind
from triage.hotspots.cells import Cell, cells_of
from triage.hotspots.detect import DetectionSettings, find_hotspots
from triage.hotspots.explain import evidence, terms
from triage.hotspots.replay import calibrate
from triage.hotspots.selection import benjamini_hochberg, hierarchical, simes
from triage.hotspots.series import Counts
from triage.taxonomy import load_taxonomy
from triage.types import BEIJING

CATEGORIES = ("ebank.login", "ebank.outage", "payment.transfer_failure", "payment.refund", "loan.repayment", "other.not_complaint")
REGIONS = ("110000", "440000", "510000", "650000", "000000")
CHANNELS = ("app", "hotline")
START = date(2026, 1, 12)
DAYS = 70
NOW = datetime(2026, 3, 23, 9, tzinfo=BEIJING)  # the last complete day is the 70th


class NoTexts:
    def sample(self, category, regions, window, limit):
        return []


class OutbreakTexts:
    """The last week tells of failing transfers, the time before of other things."""

    def sample(self, category, regions, window, limit):
        if window["to"] >= NOW.date() - timedelta(days=1):
            return [(f"now{i}", f"手机银行转账失败，第{i}次提示系统超时，{'货款' * (i % 3)}") for i in range(12)]
        return [(f"past{i}", f"汇款退汇，户名写错了，柜台{i}号办的") for i in range(20)]


def counts(seed: int = 1, mean: float = 1.5) -> Counts:
    observed = np.random.default_rng(seed).poisson(mean, (DAYS, len(CATEGORIES), len(REGIONS), len(CHANNELS))).astype(np.int32)
    return Counts(START, CATEGORIES, REGIONS, CHANNELS, observed)


def raised(by: int, category: str, *regions: str, days: int = 7, base: Counts | None = None) -> Counts:
    base = base or counts()
    observed = base.observed.copy()
    for region in regions:
        observed[-days:, CATEGORIES.index(category), REGIONS.index(region)] += by
    return replace(base, observed=observed)


def test_quiet_counts_keep_the_alert_budget():
    """At most 3 false alerts a week: over 40 quiet days at most 17."""
    assert sum(len(find_hotspots(counts(seed), NoTexts(), NOW)) for seed in range(40)) <= 12


def test_a_rise_in_one_province_is_told_once_and_there():
    [hotspot] = find_hotspots(raised(4, "payment.transfer_failure", "440000"), NoTexts(), NOW)
    assert (hotspot.category, hotspot.regions, hotspot.channels) == ("payment.transfer_failure", ("440000",), ())
    assert hotspot.window == {"from": date(2026, 3, 16), "to": date(2026, 3, 22)}
    assert hotspot.observed > 56 and hotspot.expected == pytest.approx(21, rel=0.3) and hotspot.ratio > 2.5
    assert hotspot.level == "alarm" and hotspot.status == "new" and hotspot.p_value < 1e-6 and hotspot.change > 1
    low, high = hotspot.expected_interval
    assert low < hotspot.expected < high < hotspot.observed and hotspot.change_on_year is None
    assert {part.kind for part in hotspot.parts} == {"channel"}


NEIGHBOURS = ("440000", "450000", "110000", "650000", "230000", "510000", "310000", "000000")


def in_china(seed: int = 3) -> Counts:
    observed = np.random.default_rng(seed).poisson(1.5, (DAYS, len(CATEGORIES), len(NEIGHBOURS), len(CHANNELS))).astype(np.int32)
    return Counts(START, CATEGORIES, NEIGHBOURS, CHANNELS, observed)


def test_neighbouring_provinces_of_one_category_are_one_hotspot():
    base = in_china()
    base.observed[-7:, 4, :2] += 4
    [hotspot] = find_hotspots(base, NoTexts(), NOW)
    assert set(hotspot.regions) == {"440000", "450000"} and hotspot.category == "loan.repayment"


def test_provinces_far_apart_are_hotspots_of_their_own():
    base = in_china()
    base.observed[-7:, 4, [0, 3]] += 5
    found = find_hotspots(base, NoTexts(), NOW)
    assert [hotspot.regions for hotspot in sorted(found, key=lambda h: h.regions)] == [("440000",), ("650000",)]


def test_a_rise_everywhere_is_national():
    [hotspot] = find_hotspots(raised(3, "loan.repayment", *REGIONS), NoTexts(), NOW)
    assert hotspot.regions == () and hotspot.title.startswith("全国 还款与提前还款：近7天 ")


def test_the_title_names_place_category_words_and_figures():
    [hotspot] = find_hotspots(raised(4, "payment.transfer_failure", "440000"), OutbreakTexts(), NOW)
    assert (
        hotspot.title
        == f"广东 转账失败或未到账（{'、'.join(hotspot.terms[:2])}）：近7天 {hotspot.observed} 件，常态 {hotspot.expected:.0f} 件"
    )
    assert "转账失败" in hotspot.terms and len(hotspot.evidence) == 5 and hotspot.evidence[0].startswith("now")


def test_the_day_that_is_not_over_is_not_judged():
    late = raised(40, "ebank.login", "510000", days=1)
    assert find_hotspots(late, NoTexts(), NOW) and not find_hotspots(late, NoTexts(), NOW - timedelta(days=1))


def test_an_outage_of_the_store_is_missing_and_not_zero():
    base = counts()
    observed = base.observed.copy()
    observed[20:34] = 0  # two weeks without any complaint
    assert find_hotspots(replace(base, observed=observed), NoTexts(), NOW) == []
    observed[-2:] = 0
    assert find_hotspots(replace(base, observed=observed), NoTexts(), NOW) == []


def test_too_little_history_gives_no_verdict():
    base = raised(50, "ebank.login", "510000")
    short = Counts(START + timedelta(days=DAYS - 15), CATEGORIES, REGIONS, CHANNELS, base.observed[-15:])
    assert find_hotspots(short, NoTexts(), NOW) == []


def test_counts_that_end_before_yesterday_give_no_verdict():
    assert find_hotspots(raised(9, "ebank.login", "510000"), NoTexts(), NOW + timedelta(days=9)) == []


def test_the_whole_bank_being_busier_is_no_hotspot_of_every_category():
    categories = tuple(category for category in load_taxonomy().categories if category != "other.not_complaint")[:12]
    rng = np.random.default_rng(4)
    observed = rng.poisson(2.0, (DAYS, 12, 5, 2)).astype(np.int32)
    observed[-1] = rng.poisson(4.0, (12, 5, 2))
    assert find_hotspots(Counts(START, categories, REGIONS, CHANNELS, observed), NoTexts(), NOW) == []


def test_praise_and_places_unknown_are_never_hotspots_of_their_own():
    assert find_hotspots(raised(9, "other.not_complaint", "440000"), NoTexts(), NOW) in ([], find_hotspots(counts(), NoTexts(), NOW))
    found = find_hotspots(raised(4, "ebank.login", "000000"), NoTexts(), NOW)
    assert all("000000" not in hotspot.regions for hotspot in found)


def test_a_rise_of_one_small_channel_is_told_there():
    base = counts()
    base.observed[:, 0, 1, 1] = np.random.default_rng(5).poisson(30.0, DAYS)  # the hotline would hide it
    base.observed[-7:, 0, 1, 0] += 4
    [hotspot] = find_hotspots(base, NoTexts(), NOW)
    assert (hotspot.category, hotspot.regions, hotspot.channels) == ("ebank.login", ("440000",), ("app",))
    assert find_hotspots(base, NoTexts(), NOW, DetectionSettings(by_channel=False)) == []


def test_a_channel_of_a_hotspot_is_its_part():
    base = counts()
    base.observed[-7:, 0, 1, 0] += 5
    [hotspot] = find_hotspots(base, NoTexts(), NOW)
    assert hotspot.channels == () and [(part.kind, part.key) for part in hotspot.parts[:1]] == [("channel", "app")]


def test_running_twice_gives_the_same_ids():
    once, again = (find_hotspots(raised(4, "loan.repayment", "440000"), NoTexts(), NOW) for _ in range(2))
    assert once == again


def test_parents_are_sums_of_their_children():
    base = counts()
    found = cells_of(base, by_channel=True)
    column, table = found.position, found.table
    assert len(column) == len(found.cells) == (6 + 4) * (5 + 1) * (1 + 2)
    children = table[:, column[Cell("ebank.login", "110000")]] + table[:, column[Cell("ebank.outage", "110000")]]
    assert (table[:, column[Cell("ebank", "110000")]] == children).all()
    assert (table[:, column[Cell("ebank.login")]] == base.observed[:, 0].sum(axis=(1, 2))).all()


def test_holidays_count_as_sundays_and_make_up_days_as_fridays():
    assert [day_kind(date(2025, 10, day)) for day in (1, 11, 13, 19)] == [6, 4, 0, 6]


def test_benjamini_hochberg_on_the_papers_example():
    p = np.array([0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0])
    assert benjamini_hochberg(p, 0.05).sum() == 4


def test_simes_on_a_known_example():
    assert simes(np.array([0.04, 0.01, 0.03])) == pytest.approx(0.03)


def test_a_child_is_only_told_within_a_family_that_stands_out():
    family = np.repeat([0, 1, 2], 4)
    p = np.array([1e-6, 0.01, 0.5, 0.8, 0.04, 0.6, 0.7, 0.9, 0.5, 0.5, 0.5, 0.5])
    assert hierarchical(p, family, 0.05).tolist() == [True, *[False] * 11]  # .01 misses .05 / 3 families x 2 / 4
    assert hierarchical(p, family, 0.2).tolist() == [True, True, *[False] * 10]


def test_calibrated_p_values_hold_on_quiet_series():
    settings = DetectionSettings()
    calibration = calibrate(settings.durations, settings.floor, settings.baseline)
    sizes = np.array([0.3, 2.0, 10.0, 60.0])
    assert (calibration.p_value(np.full(4, 1e-4), sizes) > 1e-4 * 0.9).all()
    ladder = calibration.p_value(np.geomspace(1e-12, 0.3, 40), np.full(40, 3.0))
    assert (np.diff(ladder) >= 0).all() and ladder[0] < 1e-10


def test_the_settings_hash_tells_settings_apart():
    assert DetectionSettings().hash == DetectionSettings().hash != DetectionSettings(by_channel=False).hash


def test_a_stricter_mode_tells_less_of_what_is_doubtful_and_all_of_what_is_plain():
    strict = DetectionSettings.of("strict")
    plain = raised(4, "payment.transfer_failure", "440000")
    assert [h.category for h in find_hotspots(plain, NoTexts(), NOW, strict)] == ["payment.transfer_failure"]
    told = {
        mode: sum(len(find_hotspots(counts(seed), NoTexts(), NOW, DetectionSettings.of(mode))) for seed in range(20))
        for mode in ("strict", "sensitive")
    }
    assert told["strict"] <= told["sensitive"] <= 9 and DetectionSettings.of("normal") == DetectionSettings()


def test_the_change_on_the_year_is_told_where_the_year_is_known():
    days = 480
    observed = np.random.default_rng(3).poisson(1.5, (days, len(CATEGORIES), len(REGIONS), len(CHANNELS))).astype(np.int32)
    observed[-7:, 4, 1] += 5
    start = NOW.date() - timedelta(days=days)
    hotspot = find_hotspots(Counts(start, CATEGORIES, REGIONS, CHANNELS, observed), NoTexts(), NOW)[0]
    assert hotspot.category == "loan.repayment" and hotspot.change_on_year > 1


def test_terms_are_words_of_the_window_and_not_of_the_baseline():
    found = terms(["手机银行转账失败", "转账失败提示超时", "还是转账失败"], ["手机银行很好用", "手机银行登录不了", "手机银行闪退"])
    assert found[0] == "转账失败" and "手机银行" not in found


def test_evidence_is_diverse():
    texts = [(f"a{i}", "转账失败提示超时请稍后") for i in range(9)] + [("b", "转账失败钱却扣了"), ("c", "换了手机也转账失败")]
    chosen = evidence(texts, ["转账失败"])
    assert {"b", "c"} <= set(chosen) and len(chosen) == 3


def test_counts_must_fit_their_keys():
    with pytest.raises(InputError):
        Counts(START, CATEGORIES, REGIONS, CHANNELS, np.zeros((3, 2, 2, 2), np.int32))


def test_one_giant_count_long_ago_does_not_blind_the_test():
    base = raised(4, "payment.transfer_failure", "440000")
    base.observed[20, 2, 1] = 100_000
    found = find_hotspots(base, NoTexts(), NOW)
    assert [(hotspot.category, hotspot.regions) for hotspot in found] == [("payment.transfer_failure", ("440000",))]


def test_counts_of_zeros_give_no_verdict():
    empty = Counts(START, CATEGORIES, REGIONS, CHANNELS, np.zeros((DAYS, len(CATEGORIES), len(REGIONS), len(CHANNELS)), np.int32))
    assert find_hotspots(empty, NoTexts(), NOW) == []


def test_a_region_without_a_past_stands_out_when_it_begins_to_complain():
    base = counts()
    base.observed[:-3, :, 3] = 0
    base.observed[-3:, :, 3] = 0
    base.observed[-3:, 0, 3] = 6
    [hotspot] = find_hotspots(base, NoTexts(), NOW)
    assert (hotspot.category, hotspot.regions) == ("ebank.login", ("650000",))

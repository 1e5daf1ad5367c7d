from datetime import date, datetime, timedelta

import numpy as np
import pytest

from triage.hotspots.detect import DetectionSettings, find_hotspots
from triage.hotspots.season import SeasonSettings, matching, seasons
from triage.hotspots.series import Counts
from triage.types import BEIJING, Hotspot
from triage.workdays import spring_festival

CATEGORIES = ("ebank.login", "ebank.outage", "payment.refund", "loan.repayment", "card.rewards", "branch.queue")
REGIONS = ("110000", "440000", "510000", "650000")
END = date(2025, 11, 14)
SPAN = 101
BASELINE = np.arange(84)


class NoTexts:
    def sample(self, category, regions, window, limit):
        return []


def history(*peaks: date, days: int = 860, end: date = END, category: int = 2) -> Counts:
    """Four complaints a cell and day, and nine in one category in the week up to each of some days."""
    start = end - timedelta(days=days - 1)
    mean = np.full((days, len(CATEGORIES), len(REGIONS), 1), 4.0)
    for peak in peaks:
        last = (peak - start).days
        mean[last - 6 : last + 1, category] = 9.0
    return Counts(start, CATEGORIES, REGIONS, ("app",), np.random.default_rng(1).poisson(mean).astype(np.int32))


def found(counts: Counts) -> list[Hotspot]:
    now = datetime(END.year, END.month, END.day, 8, tzinfo=BEIJING) + timedelta(days=1)
    return find_hotspots(counts, NoTexts(), now, DetectionSettings(by_channel=False))


def factor(counts: Counts, category: int = 2) -> float:
    return float(seasons(counts, SPAN, BASELINE, SeasonSettings())[-4, category])


def test_what_comes_back_every_year_is_no_hotspot():
    years = [END, END.replace(year=2024), END.replace(year=2023)]
    assert found(history(END))[0].category in ("payment.refund", "payment")
    assert found(history(*years)) == []


def test_an_outbreak_beyond_the_season_is_still_told():
    counts = history(END, END.replace(year=2024), END.replace(year=2023))
    counts.observed[-7:, 2] *= 2
    assert found(counts)[0].category in ("payment.refund", "payment")


def test_an_outbreak_of_one_year_is_no_season():
    counts = history(END, END.replace(year=2024))
    assert factor(counts) == pytest.approx(1, abs=0.1)
    assert found(counts)[0].category in ("payment.refund", "payment")


def test_the_season_is_shrunk_and_shared_by_the_group():
    counts = history(END.replace(year=2024), END.replace(year=2023))
    season = seasons(counts, SPAN, BASELINE, SeasonSettings())
    assert 1.3 < season[-4, 2] < 2.5 and season[-4, len(CATEGORIES) + 1] == season[-4, 2]  # the group payment has this category only
    np.testing.assert_allclose(season[:80, 0], 1, atol=0.25)
    np.testing.assert_allclose(season[BASELINE].mean(axis=0), 1)


def test_spring_festival_moves_its_season_along():
    end = spring_festival(2026) - timedelta(days=1)
    counts = history(*(spring_festival(year) - timedelta(days=1) for year in (2025, 2024)), end=end, days=900)
    assert factor(counts) > 1.3
    assert matching(end, 1) == spring_festival(2025) - timedelta(days=1) and matching(date(2024, 2, 29), 1) in (
        date(2023, 2, 10),
        date(2023, 2, 28),
    )


def test_under_two_years_there_is_no_season():
    assert (seasons(history(END.replace(year=2024), days=600), SPAN, BASELINE, SeasonSettings()) == 1).all()
    assert (seasons(history(), SPAN, BASELINE, SeasonSettings(years=0)) == 1).all()


def test_years_with_outages_tell_no_season():
    counts = history(END.replace(year=2024), END.replace(year=2023))
    counts.observed[380:450] = 0
    assert factor(counts) == 1


def test_the_history_that_a_season_needs_is_enough():
    settings = SeasonSettings()
    need = settings.history(SPAN)
    counts = history(END.replace(year=2024), END.replace(year=2023), days=need)
    assert (seasons(counts, SPAN, BASELINE, settings) != 1).any()

from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from triage.hotspots.cells import Cell, cells_of
from triage.hotspots.series import Counts
from triage.hotspots.shocks import exposures

CATEGORIES = (
    "card.annual_fee",
    "card.rewards",
    "ebank.login",
    "ebank.outage",
    "loan.approval",
    "loan.repayment",
    "atm.fault",
    "branch.queue",
)
REGIONS = ("110000", "120000", "130000", "310000", "440000", "510000")
DAYS = 60
STEADY = Counts(date(2026, 1, 5), CATEGORIES, REGIONS, ("app",), np.full((DAYS, len(CATEGORIES), len(REGIONS), 1), 20, np.int32))


def last_day(observed: NDArray[np.int32]) -> dict[Cell, float]:
    counts = replace(STEADY, observed=observed)
    cells = cells_of(counts, by_channel=False)
    found = exposures(counts, cells, np.ones(DAYS), np.arange(DAYS - 14))
    assert np.allclose(found[0], 1.0)
    return dict(zip(cells.cells, found[-1].tolist(), strict=True))


def test_a_busy_day_of_the_bank_is_expected_of_every_cell() -> None:
    observed = STEADY.observed.copy()
    observed[-1] *= 2
    assert all(1.9 < exposure < 2.1 for exposure in last_day(observed).values())


def test_a_cell_does_not_explain_itself_away() -> None:
    observed = STEADY.observed.copy()
    observed[-1, 2, 4] *= 5
    exposure = last_day(observed)
    assert exposure[Cell("ebank.login", "440000")] == 1.0
    assert min(exposure.values()) > 0.95 and max(exposure.values()) < 1.05


def test_a_category_busy_everywhere_is_expected_to_be_so_in_each_region() -> None:
    observed = STEADY.observed.copy()
    observed[-1, 2] = 28
    exposure = last_day(observed)
    assert 1.1 < exposure[Cell("ebank.login", "440000")] < 1.4
    assert exposure[Cell("ebank.login")] == 1.0 and exposure[Cell("atm.fault", "440000")] < 1.1


def test_a_region_busy_in_everything_is_expected_to_be_so_in_each_category() -> None:
    observed = STEADY.observed.copy()
    observed[-1, :, 4] = 28
    exposure = last_day(observed)
    assert 1.1 < exposure[Cell("ebank.login", "440000")] < 1.5 and exposure[Cell("ebank.login", "510000")] < 1.1

from datetime import datetime

import pytest

from triage.dates import find_dates

TOLD = datetime(2026, 11, 21, 10, 0)  # a Saturday


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026年2月14日", "2026-02-14"), ("2026-2-14", "2026-02-14"), ("2026.02.14", "2026-02-14"), ("3月5号", "2026-03-05"), ("十二月三十一号到期", "2026-12-31"),
        ("2月29日", "2024-02-29"), ("昨晚十点多", "2026-11-20"), ("大前天", "2026-11-18"), ("上周三", "2026-11-11"), ("上上周三", "2026-11-04"), ("上个月15号", "2026-10-15"),
        ("上个月", "2026-10"), ("去年国庆", "2025-10-01"), ("去年3月", "2025-03"), ("2024年5月", "2024-05"), ("前年", "2024"), ("二十五号", None), ("2月30日", None),
        ("一年多", None), ("三个月", None), ("前日", "2026-11-19"),
    ],
)  # fmt: skip
def test_dates_become_iso_as_precise_as_they_were_told(text, value):
    assert [d.value for d in find_dates(text, TOLD)] == ([value] if value else [])


def test_the_sixtieth_day_ahead_is_next_year_when_the_year_ends():
    assert [d.value for d in find_dates("1月5号到期", TOLD)] == ["2027-01-05"]

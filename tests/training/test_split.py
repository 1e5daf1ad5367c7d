from datetime import datetime

import pytest

from training.cli import main
from training.rows import DataRow, load_rows, moment
from training.split import split
from triage.errors import InputError
from triage.tables import read_rows, write_rows
from triage.types import BEIJING


def row(i: int, **values: object) -> DataRow:
    return DataRow(f"a.csv:{i}", str(values.get("text", f"第{i}条")), {"label": "ab"[i % 2], **values})


def numbers(rows) -> list[int]:
    return [int(row.place.split(":")[1]) for row in rows]


def test_labels_are_spread_evenly_and_the_same_text_stays_on_one_side():
    rows = [row(i, text=f"第{i // 2}条", label="a" if i % 10 else "rare") for i in range(100)]
    parts = split(rows, 0.2, "label")
    assert len(parts.train) + len(parts.test) == 100
    assert parts.shared_texts == 0
    assert 16 <= len(parts.test) <= 24
    assert numbers(split(rows, 0.2, "label", seed=0).test) == numbers(parts.test) != numbers(split(rows, 0.2, "label", seed=1).test)


def test_a_group_is_never_on_both_sides():
    rows = [row(i, author=f"u{i % 9}") for i in range(90)]
    parts = split(rows, 0.3, "label", group_column="author")
    assert not {r.values["author"] for r in parts.train} & {r.values["author"] for r in parts.test}
    assert parts.test


def test_by_time_the_latest_rows_are_the_test_and_equal_times_are_not_parted():
    days = [3, 1, 2, 5, 4, 5, 5, 1, 2, 3]
    parts = split([row(i, day=f"2026-01-{day:02}") for i, day in enumerate(days)], 0.2, "label", time_column="day")
    assert numbers(parts.test) == [3, 5, 6]
    assert parts.cut == datetime(2026, 1, 5, tzinfo=BEIJING)


def test_by_time_and_group_what_a_known_author_wrote_later_is_in_neither():
    rows = [row(i, day=f"2026-01-{i + 1:02}", author="known" if i in (0, 8) else f"u{i}") for i in range(10)]
    parts = split(rows, 0.3, "label", "author", "day")
    assert (numbers(parts.test), numbers(parts.left_out)) == ([7, 9], [8])


def test_what_cannot_be_parted_is_said():
    with pytest.raises(InputError, match="the one group 'x'"):
        split([row(i, author="x") for i in range(9)], 0.2, "label", group_column="author")
    with pytest.raises(InputError, match="rows on both sides"):
        split([row(i, day="2026-01-01") for i in range(9)], 0.2, "label", time_column="day")
    with pytest.raises(InputError, match=r"a\.csv:0: day: got 'soon'"):
        split([row(i, day="soon") for i in range(9)], 0.2, "label", time_column="day")


@pytest.mark.parametrize("text", ["2026-03-02 09:05", "2026/3/2 9:05", "2026-03-02T09:05", "2026-03-02T09:05+08:00", "2026-03-02T01:05Z"])
def test_times_as_people_and_spreadsheets_write_them(text):
    assert moment(text, "t") == datetime(2026, 3, 2, 9, 5, tzinfo=BEIJING)


def test_the_command_writes_both_sides_in_the_format_of_the_data_with_every_column(tmp_path, capsys):
    rows = [{"内容": f"第{i}条", "事由": "ab"[i % 2], "日期": f"2026/1/{i + 1}", "备注": "x"} for i in range(20)]
    write_rows(rows, tmp_path / "a.xlsx")
    arguments = ["data", "--data", str(tmp_path / "a.xlsx"), "--text-column", "内容", "--label-column", "事由"]
    assert main([*arguments, "--split", "0.25", "--time-column", "日期", "--out", str(tmp_path / "parts")]) == 0
    assert [dict(r.values) for r in read_rows(tmp_path / "parts" / "test.xlsx")] == rows[15:]
    assert len(load_rows([tmp_path / "parts" / "train.xlsx"], "内容", ["事由", "日期", "备注"])) == 15
    assert "tested on rows from 2026-01-16" in capsys.readouterr().err

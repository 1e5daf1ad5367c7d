from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from fakes import FakeTagger

from service.importing import ImportReport, import_file
from triage.errors import InputError
from triage.store import Filters, Store
from triage.types import BEIJING, Complaint

HEAD = "编号,内容,渠道,地区,时间\n"
COLUMNS = {"编号": "source_id", "内容": "text", "渠道": "channel", "地区": "region", "时间": "time"}


@pytest.fixture
def load(store: Store, tagger: FakeTagger, now: datetime, tmp_path: Path):
    def load(content: str | bytes, name: str = "export.csv", columns: dict[str, str] = COLUMNS) -> ImportReport:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return import_file(path, store, tagger, now, columns)

    return load


def stored(store: Store) -> dict[str | None, Complaint]:
    return {record.complaint.source_id: record.complaint for record in store.search(Filters()).records}


def test_a_mapped_export_is_stored_with_its_fields(load, store: Store) -> None:
    assert load(HEAD + "7,转账没到账,手机银行,深圳,2026/3/5 9:07\n") == ImportReport(stored=1)
    complaint = stored(store)["7"]
    assert (complaint.channel, complaint.region, complaint.source) == ("app", "440300", "export")
    assert complaint.time == datetime(2026, 3, 5, 9, 7, tzinfo=BEIJING)


def test_an_import_run_again_stores_nothing_new(load, store: Store) -> None:
    content = HEAD + "1,转账没到账,,,\n2,年费收错了,,,\n"
    load(content)
    assert load(content + "3,密码忘了,,,\n") == ImportReport(stored=1, known=2)
    assert len(stored(store)) == 3


def test_bad_rows_are_told_and_counted_and_good_ones_kept(load, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        "1,转账没到账,,,",
        "2,,,,",
        "3,年费收错了,,火星,",
        "4,年费收错了,飞鸽,,",
        "5,密码忘了,,,2027-01-01",
        "6,密码忘了,,,soon",
        "1,别的内容,,,",
    ]
    assert load(HEAD + "\n".join(rows)) == ImportReport(stored=1, failed=6)
    told = capsys.readouterr().err
    for number, field in enumerate(("text", "region", "channel", "time", "time", "source_id"), 2):
        assert f"triage: row {number}: {field}" in told
    assert set(stored(store)) == {"1"}


def test_rows_without_an_id_are_known_by_their_number(load, store: Store) -> None:
    content = "text\n转账没到账\n年费收错了\n"
    assert load(content, columns={}) == ImportReport(stored=2)
    assert load(content, columns={}) == ImportReport(known=2)
    assert set(stored(store)) == {"row-1", "row-2"}


def test_a_gb18030_export_is_read(load, store: Store) -> None:
    assert load((HEAD + "1,转账没到账,,,\n").encode("gb18030")).stored == 1
    assert stored(store)["1"].text == "转账没到账"


def test_a_workbook_brings_numbers_and_dates_of_its_own(load, store: Store, tagger: FakeTagger, now: datetime, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["id", "text", "time"])
    book.active.append([1024.0, "转账没到账", datetime(2026, 3, 5, 9, 7)])
    book.save(tmp_path / "export.xlsx")
    assert import_file(tmp_path / "export.xlsx", store, tagger, now).stored == 1
    assert stored(store)["1024"].time == datetime(2026, 3, 5, 9, 7, tzinfo=BEIJING)


def test_conversations_come_as_json_lines(load, store: Store) -> None:
    line = '{"id": "1", "turns": [{"speaker": "customer", "text": "密码忘了"}], "note": "ignored"}\n'
    assert load(line, "calls.jsonl", {}).stored == 1
    assert stored(store)["1"].turns[0].text == "密码忘了"


def test_a_file_without_a_text_column_names_those_it_has(load) -> None:
    with pytest.raises(InputError, match="编号, 内容"):
        load(HEAD + "1,转账没到账,,,\n", columns={})


def test_a_mapped_column_that_is_not_there_is_named(load) -> None:
    with pytest.raises(InputError, match="正文"):
        load(HEAD + "1,转账没到账,,,\n", columns={"正文": "text"})


def test_a_file_that_breaks_off_keeps_what_was_read(load, store: Store) -> None:
    with pytest.raises(InputError, match="row 2"):
        load('{"id": "1", "text": "转账没到账"}\n{broken\n', "export.jsonl", {})
    assert set(stored(store)) == {"1"}


def test_simulated_complaints_are_marked(store: Store, tagger: FakeTagger, now: datetime, tmp_path: Path) -> None:
    path = tmp_path / "simulated.jsonl"
    path.write_text('{"id": "1", "text": "转账没到账"}\n')
    import_file(path, store, tagger, now, simulated=True)
    assert stored(store)["1"].simulated
    assert store.any_simulated(now.date() - timedelta(days=1), now.date())

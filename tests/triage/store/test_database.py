import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from fakes import NOW, FakeTagger

from triage.errors import ConfigError
from triage.regions import NATION
from triage.store import Store, record_id
from triage.types import Complaint


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/name", "nonsense://x", "sqlite:/broken"])
def test_a_database_that_cannot_be_used_is_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigError, match="database"):
        Store.open(url)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("not a database, but long enough to be looked at as one " * 50)
    with pytest.raises(ConfigError, match=r"notes\.db"):
        Store.open(str(path))


def test_a_password_is_not_shown() -> None:
    with pytest.raises(ConfigError) as raised:
        Store.open("postgresql+psycopg://user:secret@127.0.0.1:1/none")
    assert "secret" not in str(raised.value)


def test_a_newer_schema_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "triage.db"
    Store.open(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    with pytest.raises(ConfigError, match=r"version 99.*newer release"):
        Store.open(str(path))


def test_what_is_stored_is_there_after_reopening(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'folder' / 'triage.db'}"
    complaint = Complaint(id="1", text="转账没到账", time=NOW)
    with Store.open(url) as store:
        store.add([(complaint, *FakeTagger().tag([complaint]))])
    with Store.open(url) as store:
        assert store.get("1").complaint == complaint


def test_many_threads_write_and_read_without_losing_a_count(store: Store, tagger: FakeTagger) -> None:
    def send(number: int) -> int:
        key = str(number)
        complaint = Complaint(id=record_id("t", key), text="转账没到账", time=NOW, source="t", source_id=key, region="440300")
        store.add([(complaint, *tagger.tag([complaint]))])
        return len(store.cells(NOW.date(), NOW.date(), ["440000"]))

    with ThreadPoolExecutor(8) as pool:
        assert all(seen == 1 for seen in pool.map(send, range(80)))
    assert store.cells(date(2026, 11, 20), date(2026, 11, 20), [NATION])[0].n == 80


def test_two_stores_on_one_file_see_each_other(tmp_path: Path, tagger: FakeTagger) -> None:
    url = str(tmp_path / "triage.db")
    complaint = Complaint(id="1", text="转账没到账", time=NOW)
    with Store.open(url) as one, Store.open(url) as other:
        one.add([(complaint, *tagger.tag([complaint]))])
        assert other.get("1").id == "1"


def test_a_database_of_version_1_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "triage.db"
    Store.open(str(path)).close()
    with sqlite3.connect(path) as connection:
        connection.executescript("DROP TABLE run_settings; ALTER TABLE runs DROP COLUMN settings; UPDATE meta SET value = '1'")
    with Store.open(str(path)) as store:
        store.begin_run(NOW, "{}")
        assert store.run_settings(store.runs()[0].settings) == "{}"

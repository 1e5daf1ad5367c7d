import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from fakes import NOW, FakeTagger

from service.cli import main
from triage.store import Store
from triage.types import Complaint


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def complains(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on stderr of a command that refuses its input."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    assert line.startswith("triage: ")
    return line


def test_a_port_in_use_is_one_readable_line(capsys: pytest.CaptureFixture[str], busy_port: int) -> None:
    assert f"port: got {busy_port}, expected a free port on 127.0.0.1" in complains(capsys, "serve", "--port", str(busy_port))


def test_a_missing_model_is_one_readable_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "nowhere" in complains(capsys, "serve", "--port", "0", "--model", "nowhere")


def test_an_unreadable_database_is_one_readable_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("no database " * 500)
    assert "notes.db" in complains(capsys, "hotspots", "--database", "notes.db")


def test_an_address_of_another_machine_is_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_AUTH", "off")
    complains(capsys, "serve", "--host", "192.0.2.1", "--port", "0")


def test_a_wrong_map_entry_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "COLUMN=FIELD" in complains(capsys, "import", "x.csv", "--map", "内容=words")


def test_a_wrong_time_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "ISO 8601" in complains(capsys, "hotspots", "--now", "soon")


def test_hotspots_are_found_in_what_is_stored_and_told_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open("t.db") as store:
        counts = [3] * 60 + [30, 1]  # complaints a day; the last day is today and not judged
        days = [NOW - timedelta(days=back) for back in range(len(counts) - 1, -1, -1)]
        stream = [(day, number) for day, count in zip(days, counts, strict=True) for number in range(count)]
        complaints = [
            Complaint(id=f"{day:%m%d}-{number}", text="转账没到账", time=day, region="440000", channel="app") for day, number in stream
        ]
        store.add(list(zip(complaints, FakeTagger().tag(complaints), strict=True)))
    assert main(["hotspots", "--database", "t.db", "--now", NOW.isoformat(), "--json"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    hotspot = orjson.loads(line)
    assert (hotspot["category"], hotspot["regions"], hotspot["status"]) == ("payment.transfer_failure", ["440000"], "new")
    assert main(["hotspots", "--database", "t.db", "--now", NOW.isoformat()]) == 0
    assert "广东" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["serve", "import", "hotspots", "tag", "surveil", "topics"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: triage" in capsys.readouterr().out


def test_serving_never_imports_training() -> None:
    code = "import sys, service.cli, service.app; service.cli.build_parser(); sys.exit('training' in sys.modules or 'torch' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0

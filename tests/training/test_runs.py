import orjson
import pytest

from training import runs
from training.cli import main
from triage.errors import ConfigError, InputError


@pytest.fixture
def data(tmp_path):
    texts = ["转账失败", "转账没到账", "登录不了", "登录失败"]
    path = tmp_path / "a.csv"
    path.write_text("text,topic\n" + "".join(f"{t}{i},{t[:2]}\n" for i in range(5) for t in texts), encoding="utf-8")
    return path


def train(data, out, *more) -> int:
    return main(["train", "--data", str(data), "--label-column", "topic", "--out", str(out), "--seed", "3", *more])


def test_training_and_promoting_append_a_line_each_with_data_settings_figures_and_seed(data, tmp_path, runs_of_tests, capsys):
    assert train(data, tmp_path / "m" / "model") == 0
    assert main(["promote", "--model", str(tmp_path / "m" / "model"), "--models", str(tmp_path / "models")]) == 0
    [trained] = runs.read(runs_of_tests)
    [promoted] = runs.read(tmp_path / "models" / "runs.jsonl")
    assert (trained["command"], trained["name"], trained["seed"]) == ("train", "custom-linear-1", 3)
    assert trained["data"][0]["rows"] == 20
    assert len(trained["data"][0]["sha256"]) == 64
    assert trained["settings"]["cost"] == 0.5
    assert trained["figures"]["cross_validation"]["topic"]["macro_f1"] == 1.0
    assert (promoted["command"], promoted["figures"], promoted["replaced"]) == ("promote", trained["figures"], None)


def test_the_table_shows_a_line_a_run_and_json_the_whole(data, tmp_path, capsysbinary):
    assert train(data, tmp_path / "m" / "first") == 0
    assert train(data, tmp_path / "m" / "second", "--version", "2") == 0
    capsysbinary.readouterr()
    assert main(["runs", "--last", "1"]) == 0
    header, line = capsysbinary.readouterr().out.decode().splitlines()
    assert header.split()[:3] == ["time", "command", "model"]
    assert "custom-linear-2" in line
    assert "cross_validation: topic macro_f1 1.000" in line
    assert main(["runs", "--json"]) == 0
    assert [orjson.loads(row)["name"] for row in capsysbinary.readouterr().out.splitlines()] == ["custom-linear-1", "custom-linear-2"]


def test_without_a_table_or_with_a_broken_line_it_says_so(tmp_path):
    with pytest.raises(InputError, match="`triage train` begins one"):
        runs.read(tmp_path / "none.jsonl")
    (tmp_path / "broken.jsonl").write_text('{"time": 1}\n{oops\n', encoding="utf-8")
    with pytest.raises(InputError, match="row 2: runs"):
        runs.read(tmp_path / "broken.jsonl")


def test_a_table_that_cannot_be_written_is_known_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(runs.os, "access", lambda path, mode: False)
    with pytest.raises(ConfigError, match="--runs"):
        runs.require_writable(tmp_path / "runs.jsonl")

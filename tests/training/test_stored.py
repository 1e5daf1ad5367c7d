from datetime import timedelta

import orjson
from fakes import NOW, FakeTagger

from training.cli import main
from training.examples import read_examples
from triage.store import Store
from triage.types import Complaint, Correction, Turn


def fill(url: str) -> None:
    complaints = [
        Complaint(id="a", text="转账没到账，我电话13800138000", time=NOW, channel="app", region="440000"),
        Complaint(
            id="b", turns=(Turn(speaker="agent", text="您好"), Turn(speaker="customer", text="密码忘了")), time=NOW + timedelta(hours=1)
        ),
        Complaint(id="c", text="年费太贵", time=NOW),
        Complaint(id="d", text="模拟的转账", time=NOW, simulated=True),
    ]
    with Store.open(url) as store:
        store.add(list(zip(complaints, FakeTagger().tag(complaints), strict=True)))
        store.correct("a", Correction(person="王", time=NOW, category="payment.refund"))
        store.correct("a", Correction(person="李", time=NOW, category="payment.transfer_limit", severity=3))
        store.correct("b", Correction(person="王", time=NOW, sentiment="neutral"))
        store.correct("d", Correction(person="王", time=NOW, severity=1))


def export(url: str, path, *more: str):
    assert main(["data", "--database", url, "--out", str(path), *more]) == 0
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_corrections_come_back_as_rows_of_the_corpus_with_what_a_person_said_only(tmp_path):
    url = f"sqlite:///{tmp_path / 't.db'}"
    fill(url)
    first, second = export(url, tmp_path / "corrections.jsonl")
    assert (first["category"], first["severity"], first["sentiment"]) == ("payment.transfer_limit", 3, None)
    assert (first["text"], first["channel"], first["region"]) == ("转账没到账，我电话[手机号]", "app", "440000")
    assert (second["turns"][1]["text"], second["sentiment"]) == ("密码忘了", "neutral")
    assert "王" not in (tmp_path / "corrections.jsonl").read_text(encoding="utf-8")


def test_the_export_is_read_like_any_training_data(tmp_path):
    url = f"sqlite:///{tmp_path / 't.db'}"
    fill(url)
    export(url, tmp_path / "corrections.jsonl")
    examples = read_examples([tmp_path / "corrections.jsonl"], ["category", "severity"], group_column="batch")
    assert examples.texts == ("转账没到账,我电话[手机号]", "密码忘了")
    assert examples.labels == {"category": ("payment.transfer_limit", None), "severity": ("3", None)}
    assert examples.groups == ("corrections", "corrections")


def test_all_stored_complaints_can_be_had_for_labelling(tmp_path):
    url = f"sqlite:///{tmp_path / 't.db'}"
    fill(url)
    assert {row["id"]: row["category"] for row in export(url, tmp_path / "all.jsonl", "--all")} == {
        "a": "payment.transfer_limit",
        "b": None,
        "c": None,
    }


def test_a_database_without_corrections_is_said_with_status_2(tmp_path, capsys):
    assert main(["data", "--database", str(tmp_path / "t.db"), "--out", str(tmp_path / "x.jsonl")]) == 2
    assert "at least one complaint that a person corrected" in capsys.readouterr().err

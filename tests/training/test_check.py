import csv
import json
from pathlib import Path

import pytest

from training.check import as_rows, check, summary
from training.cli import main
from training.examples import load_examples
from triage.taxonomy import load_taxonomy

TEXTS = ["转账失败", "登录不了", "排队太久", "乱扣年费", "闪退", "客服打不通"]


def table(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def rows(count: int = 12) -> list[dict[str, object]]:
    return [{"text": f"{TEXTS[i % 6]}{i}", "topic": "ab"[i % 2]} for i in range(count)]


def problems(path: Path, column: str = "topic", taxonomy: bool = False):
    return check(load_examples([path], [column]), load_taxonomy() if taxonomy else None)


def data(path: Path, *more: str, column: str = "topic") -> int:
    return main(["data", "--data", str(path), "--label-column", column, *more])


def test_clean_data_have_no_problem(tmp_path):
    assert problems(table(tmp_path / "a.csv", rows())) == []


def test_a_row_without_a_text_a_label_alone_and_a_missing_label_are_warnings_with_their_rows(tmp_path):
    found = rows()
    found[2]["text"] = " "
    found[4]["topic"] = "c"
    found[5]["topic"] = ""
    by_kind = {p.kind: p for p in problems(table(tmp_path / "a.csv", found))}
    assert {kind: p.rows for kind, p in by_kind.items()} == {"no text": ("a.csv:3",), "one example": ("a.csv:5",), "no label": ("a.csv:6",)}
    assert not any(p.error for p in by_kind.values())


def test_the_same_text_under_two_labels_names_all_its_rows(tmp_path):
    found = [*rows(), {"text": "登录不了1", "topic": "a"}, {"text": "登錄不了1", "topic": "b"}, {"text": "转账失败0", "topic": "a"}]
    contradiction, repeated = sorted(problems(table(tmp_path / "a.csv", found)), key=lambda p: p.kind)
    assert (contradiction.kind, contradiction.rows) == ("contradiction", ("a.csv:2", "a.csv:13", "a.csv:14"))
    assert contradiction.found == "the same text is labelled a, b"
    assert (repeated.kind, repeated.rows) == ("repeated text", ("a.csv:1", "a.csv:15"))


def test_labels_the_taxonomy_does_not_know_are_errors_row_by_row(tmp_path):
    found = [{"text": row["text"], "category": "card.annual_fee" if i % 2 else "ebank.login"} for i, row in enumerate(rows(14))]
    found[3]["category"] = found[9]["category"] = "card.anual_fee"
    path = table(tmp_path / "a.csv", found)
    strangers = problems(path, "category", taxonomy=True)
    assert [p.rows for p in strangers] == [("a.csv:4",), ("a.csv:10",)]
    assert all(p.error and "card.anual_fee" in p.found for p in strangers)
    [line] = summary(strangers)
    assert line.startswith("error: category: unknown label, 2 times: a.csv:4 ('card.anual_fee' is not one of")
    assert [row["row"] for row in as_rows(strangers)] == ["a.csv:4", "a.csv:10"]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (rows(3), "error: topic: few rows: 3 labelled rows, at least 10 are needed to train on"),
        ([row | {"topic": "a"} for row in rows()], "error: topic: one label: every row is labelled 'a'"),
    ],
)
def test_what_cannot_be_trained_on_ends_with_status_2(tmp_path, capsys, found, said):
    assert data(table(tmp_path / "a.csv", found)) == 2
    captured = capsys.readouterr()
    assert said in captured.out
    assert captured.err == "triage: the data have errors, see above\n"


def test_problems_are_written_as_a_table_and_as_json_without_texts(tmp_path, capsysbinary):
    found = [*rows(), {"text": "登录不了1", "topic": "a"}]
    assert data(table(tmp_path / "a.csv", found), "--problems", str(tmp_path / "problems.csv"), "--json") == 0
    [problem] = json.loads(capsysbinary.readouterr().out)["problems"]
    assert (problem["kind"], problem["rows"]) == ("contradiction", ["a.csv:2", "a.csv:13"])
    written = list(csv.DictReader((tmp_path / "problems.csv").open(encoding="utf-8-sig")))
    assert [row["row"] for row in written] == ["a.csv:2", "a.csv:13"]
    assert "登录" not in (tmp_path / "problems.csv").read_text(encoding="utf-8")


def test_arguments_that_do_nothing_together_are_refused(tmp_path, capsys):
    path = table(tmp_path / "a.csv", rows())
    assert data(path, "--split", "0.2") == 2
    assert data(path, "--out", str(tmp_path / "x.csv")) == 2
    assert main(["data"]) == 2
    assert capsys.readouterr().err.count("triage: --") == 3

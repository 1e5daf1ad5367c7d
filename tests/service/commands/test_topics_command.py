import argparse
import json
from pathlib import Path

import pytest

from service.commands import topics
from triage.errors import InputError

ROWS = [
    {"id": f"c{i}", "content": text, "when": f"2026-03-{i + 1:02d}", "user": f"u{i}"}
    for i, text in enumerate(["小区车库漏水严重", "小区车库一直漏水", "车库漏水没人管小区", "路灯坏了", "公交改道了", "水有异味"])
]


def run(path: Path, *options: str) -> int:
    parser = argparse.ArgumentParser()
    topics.add_parser(parser.add_subparsers())
    args = parser.parse_args(["topics", str(path), *options])
    return args.run(args)


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    path = path / "texts.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_each_line_is_a_topic_with_its_ids(tmp_path, capsys):
    assert run(written(tmp_path, ROWS), "--text-column", "content", "--time-column", "when") == 0
    [topic] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert list(topic) == ["rank", "title", "terms", "size", "people", "from", "to", "score", "ids"]
    assert topic["ids"] == ["c0", "c1", "c2"] and topic["from"] == "2026-03-01"


def test_a_missing_column_and_a_bad_time_are_named(tmp_path):
    with pytest.raises(InputError):
        run(written(tmp_path, ROWS))
    with pytest.raises(InputError) as error:
        run(written(tmp_path, [{"text": "漏水", "time": "soon"}]))
    assert error.value.field == "time" and error.value.row == 1

import io
import logging
import sys
from datetime import UTC, datetime

import openpyxl
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from triage.errors import InputError
from triage.tables import Row, read_rows, write_rows

ROWS = [{"text": "扣了我三千五，没人管", "label": "费用"}, {"text": '他说"退不了",\n还挂了电话', "label": "态度"}]


class Stdin:
    def __init__(self, data: bytes):
        self.buffer = io.BytesIO(data)


def written(path, data: bytes):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", ["csv", "tsv", "xlsx", "jsonl", "parquet"])
def test_what_was_written_is_read_back(tmp_path, suffix):
    path = tmp_path / f"rows.{suffix}"
    assert write_rows(iter(ROWS), path) == 2
    assert [row.values for row in read_rows(path, columns=["text", "label"])] == ROWS
    assert [row.number for row in read_rows(path)] == [1, 2]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_lists_times_and_empty_values_are_written_flat(tmp_path, suffix):
    path = tmp_path / f"rows.{suffix}"
    write_rows([{"a": [1, "二"], "t": datetime(2026, 1, 2, tzinfo=UTC), "n": None, "x": 1.5}], path)
    [row] = read_rows(path)
    assert row.values["a"] == '[1,"二"]'
    assert row.values["t"] == "2026-01-02T00:00:00+00:00"
    assert row.values["n"] in (None, "")
    assert float(row.values["x"]) == 1.5


def test_a_text_that_begins_with_an_equals_sign_is_no_formula_in_a_workbook(tmp_path):
    path = tmp_path / "rows.xlsx"
    write_rows([{"text": "=1+1"}, {"text": "a\x00b"}], path)
    cells = [cell for (cell,) in openpyxl.load_workbook(path).active.iter_rows(min_row=2)]
    assert [(c.value, c.data_type) for c in cells] == [("=1+1", "s"), ("a b", "s")]


def test_a_parquet_file_longer_than_a_batch_keeps_a_column_that_starts_empty(tmp_path):
    path = tmp_path / "rows.parquet"
    assert write_rows(({"i": i, "region": None if i < 10_000 else "440000"} for i in range(10_001)), path) == 10_001
    assert parquet.read_table(path).column("region").to_pylist()[-2:] == [None, "440000"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_text_is_read_in_either_encoding_and_gb18030_is_said(tmp_path, caplog, encoding):
    path = written(tmp_path / "a.csv", "id,text\n1,plain\n2,转账失败😡\n".encode(encoding))
    with caplog.at_level(logging.WARNING):
        assert [row.values["text"] for row in read_rows(path)] == ["plain", "转账失败😡"]
    assert ("read as GB18030" in caplog.text) == (encoding == "gb18030")


def test_text_of_no_known_encoding_is_located(tmp_path):
    path = written(tmp_path / "a.jsonl", '{"text": "好"}\n'.encode() + b'{"text": "\xff\xff"}\n')
    rows = read_rows(path)
    assert next(rows).values == {"text": "好"}
    with pytest.raises(InputError, match=r"line 2, byte 26: got b'\\xff', expected UTF-8 text"):
        next(rows)


def test_utf_16_is_named(tmp_path):
    with pytest.raises(InputError, match="UTF-16"):
        read_rows(written(tmp_path / "a.csv", "text\n好\n".encode("utf-16")))


def test_a_missing_column_names_those_found(tmp_path):
    path = written(tmp_path / "a.csv", "编号,投诉内容\n1,慢\n".encode())
    with pytest.raises(InputError, match=r"column: got 'text', expected one of the columns 编号, 投诉内容"):
        read_rows(path, columns=["text"])


@pytest.mark.parametrize(("name", "data"), [("a.csv", b""), ("a.csv", b"text,label\n"), ("a.jsonl", b"\n \n"), ("a.txt", b"")])
def test_a_file_without_a_row_is_refused(tmp_path, name, data):
    with pytest.raises(InputError, match="at least one row"):
        read_rows(written(tmp_path / name, data))


def test_an_empty_workbook_is_refused(tmp_path):
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="at least one row"):
        read_rows(tmp_path / "a.xlsx")


@pytest.mark.parametrize("line", ["{", "[1]", "7"])
def test_a_line_that_is_no_object_is_numbered(tmp_path, line):
    rows = read_rows(written(tmp_path / "a.jsonl", f'{{"text": "a"}}\n\n{line}\n'.encode()))
    with pytest.raises(InputError, match="row 3"):
        list(rows)


def test_a_row_with_too_many_cells_is_numbered_and_short_rows_are_filled(tmp_path):
    path = written(tmp_path / "a.csv", b"text,label\na\nb,c,\nd,e,f\n")
    rows = read_rows(path)
    assert next(rows) == Row(1, {"text": "a", "label": None})
    assert next(rows) == Row(2, {"text": "b", "label": "c"})
    with pytest.raises(InputError, match=r"row 3: .*3 cells"):
        next(rows)


def test_an_open_quote_is_an_error_not_one_long_cell(tmp_path):
    with pytest.raises(InputError, match="well-formed CSV"):
        list(read_rows(written(tmp_path / "a.csv", b'text\nok\n"never closed\nmore\n')))


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="column names that differ"):
        read_rows(written(tmp_path / "a.csv", b"text,text\na,b\n"))


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx", "a.parquet"])
def test_a_binary_file_that_is_not_what_its_name_says_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="file"):
        read_rows(written(tmp_path / name, b"not a table"))


def test_a_missing_file_and_an_unknown_suffix_are_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv"):
        read_rows(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r"a name ending in \.csv"):
        read_rows(tmp_path / "a.doc")


def test_workbook_rows_keep_their_numbers_over_empty_ones(tmp_path):
    book = openpyxl.Workbook()
    for row in (["text", None, "label", None], ["a", 1, "x", None], [None, None, None], ["b", 2, "y", None]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert list(read_rows(tmp_path / "a.xlsx")) == [
        Row(1, {"text": "a", "": 1, "label": "x"}),
        Row(3, {"text": "b", "": 2, "label": "y"}),
    ]


def test_parquet_keeps_types(tmp_path):
    parquet.write_table(pa.table({"text": ["a"], "level": [3]}), tmp_path / "a.parquet")
    assert list(read_rows(tmp_path / "a.parquet")) == [Row(1, {"text": "a", "level": 3})]


def test_standard_input_needs_a_format_and_is_read_line_by_line(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Stdin("第一条\n\n第二条\r\n".encode()))
    with pytest.raises(InputError, match="--format"):
        read_rows("-")
    assert list(read_rows("-", "text")) == [Row(1, {"text": "第一条"}), Row(3, {"text": "第二条"})]


def test_a_failed_write_leaves_no_file(tmp_path):
    def broken():
        yield {"text": "a"}
        raise InputError("text", "", "a text")

    with pytest.raises(InputError):
        write_rows(broken(), tmp_path / "a.jsonl")
    assert list(tmp_path.iterdir()) == []

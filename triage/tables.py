"""Rows of a file: CSV, TSV, XLSX, JSON Lines, Parquet or plain lines in, the same out. Read row by row where the format allows.

Text files are UTF-8 (with or without BOM) or GB18030, which covers GBK and GB2312; the second is said through `logging`.
"""

import csv
import itertools
import logging
import sys
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Literal, get_args

import openpyxl
import orjson
import pyarrow as pa
import pyarrow.parquet as parquet
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import InvalidFileException

from triage.errors import InputError

Format = Literal["csv", "tsv", "xlsx", "jsonl", "parquet", "text"]
STDIN = "-"

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".xlsx": "xlsx", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".txt": "text",
}  # fmt: skip
_STREAMED = ("csv", "tsv", "jsonl", "text")
_PARQUET_ROWS = 10_000
_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """A data row: `number` counts from 1, without the header (plain lines and JSON Lines: the line); `values` by column."""

    number: int
    values: dict[str, object]


def read_rows(source: Path | str, fmt: Format | None = None, columns: Collection[str] = ()) -> Iterator[Row]:
    """Yield the rows of a file.

    Args:
        source: a path, or "-" for standard input (then `fmt` is needed: csv, tsv, jsonl or text).
        fmt: the format; by default that of the file's suffix. Plain lines ("text") have the one column `text`.
        columns: must be there: in the header, or in JSON Lines in the first row.

    Yields:
        Rows in order. Empty lines are skipped; an XLSX file is read from its first sheet.

    Raises:
        InputError: no such file, unknown format, no row at all, a column missing or twice, text that is neither UTF-8 nor GB18030
            (with line and byte), a row that the format does not allow (with its number).
    """
    name = str(source)
    fmt = fmt or _format_of(name)
    rows = _rows(source, name, fmt)
    first = next(rows, None)
    if first is None:
        raise InputError(name, "", "at least one row of data")
    require_columns(first.values, columns, name)
    return itertools.chain([first], rows)


def require_columns(found: Collection[str], wanted: Collection[str], name: str) -> None:
    """Raises: InputError when a wanted column is not among those found, which it names."""
    for column in wanted:
        if column not in found:
            raise InputError(f"{name}: column", column, f"one of the columns {', '.join(map(str, found))}")


def write_rows(rows: Iterable[Mapping[str, object]], target: Path | str, fmt: Format | None = None) -> int:
    """Write rows to a file, which appears only when it is complete, or to standard output ("-").

    Args:
        rows: column -> value; all rows have the first row's columns, except in JSON Lines. Lists and mappings become JSON text in flat formats.
        target: a path, or "-".
        fmt: by default that of the suffix, JSON Lines on standard output. CSV is UTF-8 with BOM, as spreadsheets expect.

    Returns:
        How many rows were written.

    Raises:
        InputError: unknown format, or a format that cannot go to standard output.
    """
    name = str(target)
    fmt = fmt or ("jsonl" if name == STDIN else _format_of(name))
    write = {"jsonl": _write_jsonl, "csv": _write_csv, "tsv": _write_tsv, "xlsx": _write_xlsx, "parquet": _write_parquet}.get(fmt)
    if write is None:
        raise InputError("format", fmt, "csv, tsv, xlsx, jsonl or parquet")
    if name == STDIN:
        if fmt not in _STREAMED:
            raise InputError("format", fmt, "csv, tsv or jsonl on standard output")
        return write(rows, sys.stdout.buffer)
    path = Path(target)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            count = write(rows, file)
        temporary.replace(path)
    except FileNotFoundError:
        raise InputError("out", name, "a path in a folder that exists") from None
    finally:
        temporary.unlink(missing_ok=True)
    return count


def _format_of(name: str) -> Format:
    if name == STDIN:
        raise InputError("format", None, "csv, tsv, jsonl or text for standard input (--format)")
    try:
        return _SUFFIXES[Path(name).suffix.lower()]
    except KeyError:
        raise InputError("file", name, f"a name ending in {', '.join(_SUFFIXES)}, or --format") from None


def _rows(source: Path | str, name: str, fmt: Format) -> Iterator[Row]:
    if fmt not in get_args(Format):
        raise InputError("format", fmt, f"one of {', '.join(get_args(Format))}")
    if fmt == "xlsx":
        return _read_xlsx(Path(source))
    if fmt == "parquet":
        return _read_parquet(Path(source))
    lines = _lines(source, name)
    if fmt == "jsonl":
        return _read_jsonl(lines, name)
    if fmt == "text":
        return (Row(i, {"text": line.rstrip("\r\n")}) for i, line in enumerate(lines, 1) if line.strip())
    return _read_csv(lines, name, "," if fmt == "csv" else "\t")


@contextmanager
def _opened(source: Path | str, name: str) -> Iterator[BinaryIO]:
    if name == STDIN:
        yield sys.stdin.buffer
        return
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - closed below
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError("file", name, f"a readable file ({error.strerror})") from None
    with file:
        yield file


def _lines(source: Path | str, name: str) -> Iterator[str]:
    """Decoded lines with their ends. The first line beyond ASCII settles the encoding, the rest must follow it."""
    encoding, offset = None, 0
    with _opened(source, name) as file:
        for number, line in enumerate(file, 1):
            if number == 1 and line.startswith(_UTF16_BOMS):
                raise InputError(name, line[:2], "UTF-8 or GB18030 (this is UTF-16: save it as 'CSV UTF-8')")
            if number == 1 and line.startswith(_BOM):
                encoding, offset, line = "utf-8", len(_BOM), line[len(_BOM) :]
            if encoding is None and not line.isascii():
                encoding = _encoding(line)
                if encoding == "gb18030":
                    log.warning("%s is not UTF-8: read as GB18030", name)
            try:
                yield line.decode(encoding or "ascii")
            except UnicodeDecodeError as error:
                byte = offset + error.start
                found = line[error.start : error.end]
                raise InputError(f"{name}: line {number}, byte {byte}", found, f"{encoding.upper()} text") from None
            offset += len(line)


def _encoding(line: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            line.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "utf-8"  # neither: the error that follows is about UTF-8


def _read_jsonl(lines: Iterator[str], name: str) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(name, line[:40], f"one JSON object a line ({error})", row=number) from None
        if not isinstance(values, dict):
            raise InputError(name, line[:40], "a JSON object", row=number)
        yield Row(number, values)


def _read_csv(lines: Iterator[str], name: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    number = 0
    try:
        for cells in reader:
            if not cells:
                continue
            if header is None:
                header = _header(cells, name)
                continue
            number += 1
            if any(cells[len(header) :]):
                expected = f"{len(header)} as in the header (quote cells that contain the delimiter)"
                raise InputError(name, f"{len(cells)} cells", expected, row=number)
            yield Row(number, dict(itertools.zip_longest(header, cells[: len(header)])))
    except csv.Error as error:
        raise InputError(name, str(error), "a well-formed CSV file", row=number + 1) from None


def _read_xlsx(path: Path) -> Iterator[Row]:
    with _opened(path, str(path)) as file:
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError):
            raise InputError("file", str(path), "an .xlsx workbook (an old .xls must be saved as .xlsx)") from None
        sheet = iter(book.worksheets[0].iter_rows(values_only=True))
        header = _header(next(sheet, ()), str(path))
        for number, cells in enumerate(sheet, 1):
            if any(cell is not None for cell in cells):
                yield Row(number, dict(itertools.zip_longest(header, cells[: len(header)])))
        book.close()


def _read_parquet(path: Path) -> Iterator[Row]:
    with _opened(path, str(path)) as file:
        try:
            table = parquet.ParquetFile(file)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError("file", str(path), f"a Parquet file ({error})") from None
        numbers = itertools.count(1)
        for batch in table.iter_batches(_PARQUET_ROWS):
            for values in batch.to_pylist():
                yield Row(next(numbers), values)


def _header(cells: Iterable[object], name: str) -> list[str]:
    header = ["" if cell is None else str(cell).strip() for cell in cells]
    while header and not header[-1]:
        header.pop()
    for column in header:
        if header.count(column) > 1:
            raise InputError(f"{name}: header", column, "column names that differ")
    return header


def _flat(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat() if isinstance(value, date) else orjson.dumps(value).decode()


def _write_jsonl(rows: Iterable[Mapping[str, object]], file: BinaryIO) -> int:
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the count is the answer
        file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    file.flush()
    return count


def _write_csv(rows: Iterable[Mapping[str, object]], file: BinaryIO, delimiter: str = ",") -> int:
    if file is not sys.stdout.buffer:  # spreadsheets open files, not pipes
        file.write(_BOM)
    count = 0
    for count, row in enumerate(rows, 1):
        if count == 1:
            file.write(_csv_line(row, delimiter))
        file.write(_csv_line([_flat(value) for value in row.values()], delimiter))
    file.flush()
    return count


def _write_tsv(rows: Iterable[Mapping[str, object]], file: BinaryIO) -> int:
    return _write_csv(rows, file, "\t")


class _Line:
    """A file that keeps what the csv module writes into it."""

    def write(self, text: str) -> None:
        self.text = text


def _csv_line(cells: Iterable[object], delimiter: str) -> bytes:
    line = _Line()
    csv.writer(line, delimiter=delimiter).writerow(cells)
    return line.text.encode()


def _write_xlsx(rows: Iterable[Mapping[str, object]], file: BinaryIO) -> int:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("triage")
    count = 0
    for count, row in enumerate(rows, 1):
        if count == 1:
            sheet.append(list(row))
        sheet.append([_cell(sheet, value) for value in row.values()])
    book.save(file)
    return count


def _cell(sheet: object, value: object) -> object:
    value = _flat(value)
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub(" ", value))
    cell.data_type = "s"  # a text that begins with "=" is no formula
    return cell


def _write_parquet(rows: Iterable[Mapping[str, object]], file: BinaryIO) -> int:
    rows = iter(rows)
    writer, count = None, 0
    while batch := [{column: _flat(value) for column, value in row.items()} for row in itertools.islice(rows, _PARQUET_ROWS)]:
        table = pa.Table.from_pylist(batch, schema=writer.schema if writer else None)
        if writer is None:
            # A column without a value yet has no type; text is what an unset label or region will be.
            fields = [pa.field(f.name, pa.string() if pa.types.is_null(f.type) else f.type) for f in table.schema]
            table = table.cast(pa.schema(fields))
            writer = parquet.ParquetWriter(file, table.schema)
        writer.write_table(table)
        count += len(batch)
    if writer:
        writer.close()
    return count

"""A bank's export becomes stored complaints: each row is checked by itself, bad ones are reported and left out."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path

from pydantic import ValidationError
from tqdm import tqdm

from service.deps import TagsComplaints
from service.exception_handlers import problem_of
from service.intake import complaint_from
from service.schemas import ComplaintIn
from triage.errors import InputError, TriageError
from triage.store import Store
from triage.tables import Row, read_rows
from triage.types import Complaint

_LOCAL_TIME = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
FIELDS = ("text", "turns", "channel", "region", "time", "source", "source_id")
_BATCH = 1_000
"""Rows tagged and stored in one transaction."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Rows of a file: stored by this run, stored before, refused."""

    stored: int = 0
    known: int = 0
    failed: int = 0


def import_file(
    path: Path,
    store: Store,
    tagger: TagsComplaints,
    now: datetime,
    columns: Mapping[str, str] | None = None,
    source: str | None = None,
    simulated: bool = False,
) -> ImportReport:
    """Tag and store the rows of a file; a row that was imported before is left as it is.

    Args:
        path: CSV, TSV, XLSX, JSONL or Parquet.
        store: where to.
        tagger: tags them.
        now: the time of rows without one.
        columns: column -> field (`FIELDS`); a column called like a field (or `id`) needs no entry.
        source: names the sending system in rows that do not; None = the file's name. A row without an id is known by its number.
        simulated: whether the complaints are made up.

    Raises:
        InputError: the file cannot be read, or has no column for the text. Bad rows are written to stderr and counted instead.
    """
    columns = columns or {}
    rows = read_rows(path, columns=columns)
    first = next(rows)  # read_rows refuses a file without a row
    if not {"text", "turns"} & {columns.get(column, column) for column in first.values}:
        raise InputError("text", ", ".join(first.values), "a column `text`, or --map COLUMN=text")
    report = ImportReport()
    progress = tqdm(chain([first], rows), desc="import", unit=" rows", file=sys.stderr, mininterval=0.5)
    for batch in _batches(progress):
        good: list[tuple[int, Complaint]] = []
        for row in batch:
            try:
                good.append((row.number, complaint_of(row, columns, source or path.stem, now, simulated)))
            except (ValidationError, InputError) as error:
                _refuse(row.number, error)
        complaints = [complaint for _, complaint in good]
        results = store.add(list(zip(complaints, tagger.tag(complaints), strict=True)))
        for (number, complaint), result in zip(good, results, strict=True):
            if result.conflict:
                _refuse(number, InputError("source_id", complaint.source_id, "a new id: another content is stored under this one"))
        stored = sum(result.created for result in results)
        known = sum(not result.created and not result.conflict for result in results)
        failed = len(batch) - stored - known
        report = replace(report, stored=report.stored + stored, known=report.known + known, failed=report.failed + failed)
    return report


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    broken: InputError | None = None
    while broken is None:
        batch: list[Row] = []
        try:
            for row in islice(remaining, _BATCH):
                batch.append(row)  # one by one: extend() would lose the rows before an error
        except InputError as error:  # the file cannot be read on from here: what was read so far is kept
            broken = error
        if not batch:
            break
        yield batch
    if broken is not None:
        raise broken


def complaint_of(
    row: Row, columns: Mapping[str, str], source: str, now: datetime, simulated: bool = False, name: str | None = None
) -> Complaint:
    """The complaint of a row; arguments as for `import_file` and `complaint_from`. Raises: ValidationError, InputError."""
    values: dict[str, object] = {"source": source, "source_id": f"row-{row.number}"}
    for column, value in row.values.items():
        field = columns.get(column, "source_id" if column == "id" else column)
        if field in FIELDS and not _blank(value):
            values[field] = _time(value) if field == "time" else _plain(value)
    return complaint_from(ComplaintIn.model_validate(values), now, simulated, name)


def _blank(value: object) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())  # NaN differs from itself


def _plain(value: object) -> object:
    """Cells of spreadsheets come as numbers and dates; ids such as 1024.0 lose their decimals."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str | list | date) else str(value)


def _time(value: object) -> object:
    """Spreadsheet exports write 2026/3/5 9:07; what is not of that form is left to the schema."""
    match = _LOCAL_TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return _plain(value)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # no zone: Beijing time
    except ValueError:
        return value


def _refuse(number: int, error: TriageError | ValidationError) -> None:
    tqdm.write(f"triage: row {number}: {problem_of(error, '')['detail']}", file=sys.stderr)

"""Rows of several labelled files as one table, every column kept: what `triage data` corrects, splits and writes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from training.examples import label_of, text_of
from triage.errors import InputError
from triage.privacy import prepare
from triage.tables import read_rows, require_columns, write_rows
from triage.types import BEIJING

PLACE = "place"
"""Column of a review sheet that says which row of which file it is about."""


@dataclass(frozen=True, slots=True)
class DataRow:
    """A row of a file: `place` is "file:row", `text` is prepared as a classifier reads it, `values` are the file's own."""

    place: str
    text: str
    values: dict[str, object]


def load_rows(files: Sequence[Path], text_column: str, columns: Sequence[str]) -> list[DataRow]:
    """The rows of the files, in order; those without a text are left out.

    Args:
        files: of any format of `triage.tables`.
        text_column: where the text is (or `turns`).
        columns: must be there.

    Raises: InputError as `training.examples.read_examples`.
    """
    found = []
    for path in files:
        for row in read_rows(path):
            place = f"{path.name}:{row.number}"
            require_columns(row.values, columns, place)
            text = text_of(row, text_column, place)
            if text.strip():
                found.append(DataRow(place, prepare(text), row.values))
    return found


def write(rows: Iterable[DataRow], path: Path) -> int:
    """Write rows; tables get the columns of all of them. Returns how many. Raises: InputError, see `triage.tables.write_rows`."""
    rows = list(rows)
    columns = dict.fromkeys(column for row in rows for column in row.values)
    if path.suffix in (".jsonl", ".ndjson"):
        return write_rows((row.values for row in rows), path)
    return write_rows(({column: row.values.get(column) for column in columns} for row in rows), path)


def suffix_for(files: Sequence[Path]) -> str:
    """In what format rows of these files are written: JSON Lines, which loses nothing, if any of them is, else that of the first."""
    suffixes = [path.suffix.lower() for path in files]
    return ".jsonl" if {".jsonl", ".ndjson"} & set(suffixes) else suffixes[0]


def corrected(rows: Sequence[DataRow], sheet: Path, label_columns: Sequence[str], text_column: str = "text") -> tuple[list[DataRow], int]:
    """Rows with the labels that a person filled into a review sheet (`triage review`).

    Args:
        rows: of the files that were reviewed, unchanged since.
        sheet: with the columns `place`, the text and label columns; an empty label leaves the row's own.
        label_columns: to take over; those that the sheet does not have are left as they are.
        text_column: of the sheet.

    Returns:
        The rows, and how many labels changed.

    Raises:
        InputError: the sheet names a row that is not there, or another text stands there now; or two of the files have one name, and what
            it says of one row would be taken over into both.
    """
    verdicts: dict[str, dict[str, str]] = {}
    texts: dict[str, str] = {}
    for row in rows:
        if row.place in texts:
            name = row.place.rpartition(":")[0]
            raise InputError("--data", f"two files {name}", f"one file of each name: {sheet.name} tells rows apart by file name and number")
        texts[row.place] = row.text
    for row in read_rows(sheet, columns=[PLACE, text_column]):
        place = str(row.values[PLACE])
        if place not in texts:
            raise InputError(f"{sheet.name}: {PLACE}", place, "a row of the files given with --data", row.number)
        if _without_blanks(str(row.values[text_column] or "")) != _without_blanks(texts[place]):
            raise InputError(
                f"{sheet.name}: {text_column}", place, "the text of that row: the file was changed after the review", row.number
            )
        verdicts[place] = {column: label for column in label_columns if (label := label_of(row.values.get(column)))}
    changed = sum(label != label_of(row.values.get(column)) for row in rows for column, label in verdicts.get(row.place, {}).items())
    return [_relabelled(row, verdicts.get(row.place, {})) for row in rows], changed


def moment(value: object, field: str) -> datetime:
    """A cell as a time, Beijing time unless it says otherwise. Raises: InputError naming `field`."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        try:
            value = datetime.fromisoformat(_padded(str(value).strip()))
        except ValueError:
            raise InputError(field, value, "a time such as 2026-03-02 or 2026-03-02 10:15") from None
    return value if value.tzinfo else value.replace(tzinfo=BEIJING)


def _relabelled(row: DataRow, labels: Mapping[str, str]) -> DataRow:
    """Whole numbers stay numbers where they were."""
    typed = {
        column: int(label) if isinstance(row.values.get(column), int) and label.isdecimal() else label for column, label in labels.items()
    }
    return DataRow(row.place, row.text, row.values | typed)


def _padded(text: str) -> str:
    """2026/3/2 9:05 -> 2026-03-02 09:05, as spreadsheets write times and ISO 8601 does not."""
    day, _, clock = text.replace("/", "-").partition(" ")
    day = "-".join(part.zfill(2) for part in day.split("-"))
    return f"{day} {clock.strip().zfill(5) if clock.strip().find(':') == 1 else clock.strip()}".strip()


def _without_blanks(text: str) -> str:
    """Spreadsheets change line ends and blanks."""
    return "".join(text.split())

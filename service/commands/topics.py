"""triage topics: emerging issues in any pile of dated texts."""

import argparse
import sys
from collections.abc import Iterator
from datetime import date, datetime, time

import orjson

from triage.errors import InputError
from triage.hotspots.topics import DatedText, Topic, emerging
from triage.tables import Row, read_rows
from triage.types import BEIJING

_PERSON, _TITLE = ("person", "user"), "title"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "topics",
        help="emerging issues in dated texts",
        description="Reads dated texts (CSV, XLSX, JSON Lines or Parquet) and writes one issue a line, most telling first: what several "
        "people began to write about. Columns `id`, `title` and `person` (or `user`) are used where the file has them.",
    )
    parser.add_argument("file", metavar="FILE", help="- = standard input (then --format)")
    parser.add_argument("--text-column", default="text", metavar="NAME", help="default: text")
    parser.add_argument("--time-column", default="time", metavar="NAME", help="default: time")
    parser.add_argument("--format", choices=("csv", "tsv", "jsonl"), help="of standard input, or of a file whose name does not tell")
    parser.add_argument("--top", type=int, default=10, metavar="N", help="at most so many issues (default: 10)")
    parser.add_argument("--table", action="store_true", help="a table for people instead of JSON Lines")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, cluster, write. Raises: InputError."""
    if args.top < 1:
        raise InputError("--top", args.top, "at least 1")
    rows = read_rows(args.file, args.format, (args.text_column, args.time_column))
    topics = emerging(list(_texts(rows, args.text_column, args.time_column)), args.top)
    for topic in topics:
        if args.table:
            people = f"{topic.size:4d} texts {topic.people:4d} people"
            print(f"{topic.rank:3d} {topic.score:8.2f} {people}  {topic.first}..{topic.last}  {topic.title}  [{' '.join(topic.terms)}]")
        else:
            sys.stdout.write(orjson.dumps(line(topic), option=orjson.OPT_APPEND_NEWLINE).decode())
    return 0


def line(topic: Topic) -> dict[str, object]:
    """A topic as `triage topics` writes it."""
    return {
        "rank": topic.rank,
        "title": topic.title,
        "terms": topic.terms,
        "size": topic.size,
        "people": topic.people,
        "from": topic.first,
        "to": topic.last,
        "score": topic.score,
        "ids": topic.ids,
    }


def _texts(rows: Iterator[Row], text_column: str, time_column: str) -> Iterator[DatedText]:
    for row in rows:
        values = row.values
        for column in (text_column, time_column):
            if column not in values:
                raise InputError(column, None, f"the columns {text_column} and {time_column} in each row", row.number)
        person = next((values[name] for name in _PERSON if values.get(name)), "")
        yield DatedText(
            id=str(values.get("id") or row.number),
            text=str(values[text_column] or ""),
            time=_time(values[time_column], time_column, row.number),
            person=str(person),
            title=str(values.get(_TITLE) or ""),
        )


def _time(value: object, column: str, row: int) -> datetime:
    """Beijing time unless it says otherwise."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        try:
            value = datetime.fromisoformat(str(value).strip().replace("/", "-"))
        except ValueError:
            raise InputError(column, value, "a time such as 2026-03-02 or 2026-03-02T10:15", row) from None
    return value if value.tzinfo else value.replace(tzinfo=BEIJING)

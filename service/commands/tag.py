"""triage tag: the complaints of a file in, their triages out; nothing is stored."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from service import deps
from service.tagging import Answer, flat, tag_rows
from triage.errors import InputError
from triage.tables import STDIN, read_rows, write_rows

_FORMATS = ("jsonl", "csv", "xlsx", "parquet")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "tag",
        help="tag the complaints of a file",
        description="Tag the complaints of a CSV, TSV, XLSX, JSONL, Parquet or plain text file (one complaint a line) and write one answer a row"
        " in the same order. Columns called id, turns, channel, region and time are read when they are there. A row that cannot be tagged is"
        " answered with its error. Exit status 2: the file as a whole or all of its rows are not what they must be.",
    )
    parser.add_argument("file", metavar="FILE|-", help="- reads JSON Lines or plain lines from standard input")
    parser.add_argument("--text-column", default="text", metavar="COLUMN", help="what holds the complaint (default: text)")
    parser.add_argument("--format", choices=_FORMATS, help="of the output (default: by the name of --out, else jsonl)")
    parser.add_argument("--input-format", choices=("jsonl", "csv", "tsv", "text", "xlsx", "parquet"), help="(default: by the file's name)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument("--model", type=Path, metavar="DIR", help="model folder (default: the one that is served)")
    parser.add_argument("--fast", action="store_true", help="of a blend ask only the linear part: thousands of texts a second, more errors")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Tag a file. Raises: TriageError."""
    if args.workers < 1:
        raise InputError("--workers", args.workers, "at least 1")
    target = args.out or STDIN
    fmt = args.format or (None if args.out else "jsonl")
    jsonl = fmt == "jsonl" or (fmt is None and args.out.suffix.lower() in (".jsonl", ".ndjson"))
    text_columns = () if args.text_column == "text" else (args.text_column,)
    rows = read_rows(args.file, args.input_format or _sniffed(args.file), text_columns)
    tally = _Tally()
    answers = tally.counted(tag_rows(rows, args.model, {args.text_column: "text"}, deps.now(), args.workers, args.fast))
    shown = tqdm(answers, desc="tag", unit=" rows", file=sys.stderr, mininterval=0.5, disable=not sys.stderr.isatty())
    write_rows(shown if jsonl else map(flat, shown), target, fmt)
    if tally.failed:
        print(f"triage: {tally.failed} of {tally.rows} rows could not be tagged; their answers hold the error", file=sys.stderr)
    return 2 if tally.failed == tally.rows else 0


class _Tally:
    """Counts what passes through."""

    def __init__(self) -> None:
        self.rows = 0
        self.failed = 0

    def counted(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        for answer in answers:
            self.rows += 1
            self.failed += isinstance(answer, dict) and "error" in answer
            yield answer


def _sniffed(file: str) -> str | None:
    """Standard input has no name to tell its format by: JSON Lines begin with a brace."""
    if file != STDIN:
        return None
    return "jsonl" if sys.stdin.buffer.peek(1)[:1] == b"{" else "text"

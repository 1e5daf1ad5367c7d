"""triage import: a bank's export into the store."""

import argparse
import os
import sys
from pathlib import Path

import orjson

from service import deps
from service.importing import FIELDS, import_file
from service.settings import Settings
from triage.errors import InputError
from triage.store import Store
from triage.tagger import Tagger


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "import",
        help="tag the complaints of a file and store them",
        description="Tag the complaints of a CSV, TSV, XLSX, JSONL or Parquet file and store them. Rows with an error are reported and"
        " left out (exit status 2), the others are stored; a row that was imported before is not stored again.",
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--database", metavar="URL", help=f"default: {Settings().database}")
    parser.add_argument("--model", type=Path, metavar="DIR", help="model folder (default: the one shipped)")
    parser.add_argument("--fast", action="store_true", help="of a blend ask only the linear part: thousands of texts a second, more errors")
    parser.add_argument(
        "--map", nargs="+", default=[], metavar="COLUMN=FIELD", help=f"what columns hold; fields: {', '.join(FIELDS)}", dest="columns"
    )
    parser.add_argument("--source", help="name of the sending system, for rows that give none (default: the file's name)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import, and write {"stored", "known", "failed"} to stdout. Raises: TriageError."""
    settings = Settings.read(os.environ, database=args.database, model=args.model)
    columns = dict(_entry(text) for text in args.columns)
    tagger = Tagger.load(settings.model, args.fast or settings.fast)
    with Store.open(settings.database) as store:
        report = import_file(args.file, store, tagger, deps.now(), columns, args.source)
    sys.stdout.write(orjson.dumps(report, option=orjson.OPT_APPEND_NEWLINE).decode())
    return 2 if report.failed else 0


def _entry(text: str) -> tuple[str, str]:
    column, separator, field = text.rpartition("=")
    if not separator or field not in FIELDS:
        raise InputError("--map", text, f"COLUMN=FIELD with a field of {', '.join(FIELDS)}")
    return column, field

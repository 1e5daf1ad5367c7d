"""What several commands ask for in the same words."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import orjson

from triage.taxonomy import Taxonomy, load_taxonomy

Run = Callable[[argparse.Namespace], int]


def add_command(subparsers: argparse._SubParsersAction, name: str, run: Run) -> argparse.ArgumentParser:
    """A sub-command whose help is the first paragraph of what runs it."""
    summary = run.__doc__.split("\n\n")[0].replace("%", "%%")
    parser = subparsers.add_parser(name, help=summary, description=run.__doc__)
    parser.set_defaults(run=run)
    return parser


def add_data_arguments(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Labelled files and their columns."""
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        nargs="+",
        action="extend",
        required=required,
        metavar="FILE",
        help="CSV, TSV, XLSX, JSONL or Parquet, labelled; may be repeated",
    )
    add("--label-column", nargs="+", action="extend", required=required, metavar="COLUMN", help="one head each; may be repeated")
    add("--text-column", default="text", metavar="COLUMN", help="default: text (a row with `turns` gives the customer's words)")
    add("--group-column", metavar="COLUMN", help="author or batch: never on both sides of a cross-validation fold")
    add("--taxonomy", nargs="?", const="", metavar="FILE", help="refuse labels that it does not know; without FILE: the bank taxonomy")


def taxonomy_of(args: argparse.Namespace) -> Taxonomy | None:
    """The taxonomy that `--taxonomy` asks for. Raises: ConfigError."""
    if args.taxonomy is None:
        return None
    return load_taxonomy(Path(args.taxonomy)) if args.taxonomy else load_taxonomy()


def label_columns(args: argparse.Namespace) -> tuple[str, ...]:
    """The label columns, each once."""
    return tuple(dict.fromkeys(args.label_column))


def print_json(value: object) -> None:
    """One line of JSON on standard output."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


def number(text: str) -> float:
    """Type of an argument that is any number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def share(text: str) -> float:
    """Type of an argument above 0 and under 1."""
    value = number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and under 1")
    return value


def seed(text: str) -> int:
    """Type of an argument that starts random numbers: 0 to 2**32 - 1, what NumPy takes."""
    if not text.isascii() or not text.isdigit() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {2**32 - 1}")
    return int(text)

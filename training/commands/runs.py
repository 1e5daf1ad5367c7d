"""`triage runs`: what was trained and promoted."""

import argparse
from pathlib import Path

from training import runs
from training.commands.arguments import add_command, print_json


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = add_command(subparsers, "runs", run)
    add = parser.add_argument
    add("--runs", type=Path, default=runs.RUNS, metavar="FILE", help="default: models/runs.jsonl")
    add("--last", type=int, metavar="N", help="only the last N runs")
    add("--json", action="store_true", help="JSON Lines, as recorded")


def run(args: argparse.Namespace) -> int:
    """Show the models that were trained and promoted: when, on how many rows, with which seed and figures."""
    rows = runs.read(args.runs)[-(args.last or 0) :]
    if args.json:
        for row in rows:
            print_json(row)
    else:
        print(runs.as_table(rows))
    return 0

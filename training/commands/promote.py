"""`triage promote`: serve another model, or the one before."""

import argparse
from datetime import datetime
from pathlib import Path

from training import runs
from training.commands import compare
from training.commands.arguments import add_command
from training.promote import demote, previous, promote
from triage.artifact import read_manifest
from triage.resources import MODELS
from triage.types import BEIJING


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = add_command(subparsers, "promote", run)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", type=Path, metavar="DIR", help="a model folder")
    which.add_argument("--back", action="store_true", help="serve the model before again; may be repeated")
    add = parser.add_argument
    add("--data", type=Path, metavar="FILE", help="labelled file on which to compare it with the served model; default: their manifests")
    add("--text-column", default="text", metavar="COLUMN", help="of --data; default: text")
    add("--models", type=Path, default=MODELS, metavar="DIR", help="where the served models lie")
    add("--force", action="store_true", help="even when it is worse")


def run(args: argparse.Namespace) -> int:
    """Serve another model from the next start on, unless it is worse than the served one."""
    table = args.models / runs.RUNS.name
    now = datetime.now(BEIJING)
    if args.back:
        name = demote(args.models)
        runs.record(table, "promote", read_manifest(args.models / name), now, {"back": True})
        print(f"served: {name}")
    else:
        done = promote(args.model, args.models, args.data, args.force, args.text_column)
        details: dict[str, object] = {"replaced": done.replaced, "forced": args.force}
        if done.comparison:
            print(f"{compare.as_table(done.comparison)}\n")
            details["compared"] = {"data": args.data.name, "heads": compare.as_dict(done.comparison)}
        runs.record(table, "promote", done.manifest, now, details)
        print(f"served: {done.manifest.folder_name}")
    if names := previous(args.models):
        print(f"to go back to: {', '.join(names)}")
    return 0

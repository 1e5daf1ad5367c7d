"""The `triage` command: one module per sub-command; training runs in a process of its own, so that serving never imports it."""

import argparse
import importlib
import logging
import subprocess
import sys
from collections.abc import Sequence

from triage.errors import TriageError

COMMANDS = ("serve", "tag", "import_", "hotspots", "surveil", "topics")
TRAINING = {
    "data": "check, correct and part labelled files; export corrections",
    "train": "fit a model on labelled files",
    "evaluate": "measure a model on a labelled file, with a report",
    "compare": "champion against challenger on the same rows",
    "promote": "make a model the one that is served",
    "review": "sheets of doubtful labels, and of texts worth labelling",
    "runs": "what was trained and promoted",
    "simulate": "write a stream of complaints with planted hotspots",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command.

    Args:
        argv: the arguments after the command's name; None = those of the process.

    Returns:
        The exit status: 0, or 2 for input that is not what it must be.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in TRAINING:
        return subprocess.run([sys.executable, "-m", "training", *arguments], check=False).returncode
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    args = build_parser(arguments[:1]).parse_args(arguments)
    try:
        return args.run(args)
    except TriageError as error:
        print(f"triage: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def build_parser(wanted: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of all sub-commands, or of the one wanted: the others' imports (a web server, a database) take seconds."""
    parser = argparse.ArgumentParser(prog="triage", description="Tags complaints, finds hotspots, serves the heat map.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in [name for name in COMMANDS if name.rstrip("_") in wanted] or COMMANDS:
        importlib.import_module(f"service.commands.{name}").add_parser(subparsers)
    for name, summary in TRAINING.items():
        subparsers.add_parser(name, help=summary, add_help=False)
    return parser


if __name__ == "__main__":
    sys.exit(main())

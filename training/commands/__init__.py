"""One module per sub-command: `add_parser(subparsers)` and `run(args) -> int`."""

from training.commands import compare, data, evaluate, promote, review, runs

__all__ = ["compare", "data", "evaluate", "promote", "review", "runs"]

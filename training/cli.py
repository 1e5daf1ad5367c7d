"""`triage train | data | evaluate | promote | simulate`: the commands that make models and data, run as `python -m training`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from training import evaluate, promote, simulate, train
from training.commands import data
from training.commands.arguments import add_command, add_data_arguments, label_columns, print_json, taxonomy_of
from training.examples import read_examples
from training.linear import LinearSettings
from triage import artifact
from triage.errors import InputError, TriageError
from triage.resources import MODELS
from triage.tables import read_rows
from triage.types import BEIJING

FAMILIES = ("linear",)
_DEFAULTS = LinearSettings()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command; returns the exit status, 2 for input that is not what it must be."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    args = build_parser().parse_args(argv)
    try:
        return args.run(args)
    except TriageError as error:
        print(f"triage: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """The parser of all sub-commands."""
    parser = argparse.ArgumentParser(prog="triage", description="Make models and data.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(subparsers)
    data.add_parser(subparsers)
    _add_evaluate(subparsers)
    _add_promote(subparsers)
    simulate.add_parser(subparsers)
    return parser


def run_train(args: argparse.Namespace) -> int:
    """Fit a model on labelled files of any taxonomy, measure it, and save it with its model card."""
    taxonomy = taxonomy_of(args)
    request = train.Request(
        data=tuple(args.data),
        label_columns=label_columns(args),
        text_column=args.text_column,
        group_column=args.group_column,
        taxonomy=taxonomy,
        tests=tuple(args.test),
        notes=_notes(args.notes),
        name=args.name or f"{taxonomy.name if taxonomy else 'custom'}-{args.family}",
        version=args.version,
        seed=args.seed,
        settings=LinearSettings(cost=args.cost, balance=args.balance, caution=args.caution),
    )
    out = args.out or MODELS / request.folder_name
    manifest, measured = train.train(request, out, datetime.now(BEIJING))
    if args.json:
        print_json({test: evaluate.as_dict(figures) for test, figures in measured.items()})
        return 0
    print(f"{manifest.folder_name} -> {out}\n")
    for test, figures in measured.items():
        print(f"{test}\n{evaluate.as_table(figures)}\n")
    return 0


def run_evaluate(args: argparse.Namespace) -> int:
    """Measure a model on a labelled file: each of its heads that the file has a column of."""
    classifier, manifest = artifact.load(args.model or artifact.served_folder())
    columns = next(read_rows(args.data)).values
    heads = [head for head in manifest.heads if head in columns]
    if not heads:
        raise InputError(f"{args.data.name}: column", ", ".join(columns), f"at least one of the model's heads {', '.join(manifest.heads)}")
    examples = read_examples([args.data], heads, args.text_column)
    answers = evaluate.answer(classifier, manifest, examples)
    measured = evaluate.figures(examples, answers, manifest.review_thresholds)
    if not measured:
        raise InputError(f"{args.data.name}: {', '.join(heads)}", None, "at least one row with a text and a label")
    if args.report:
        evaluate.write_report(args.report, f"{manifest.folder_name} on {args.data.name}", examples, answers, measured)
    if args.json:
        print_json(evaluate.as_dict(measured))
    else:
        print(evaluate.as_table(measured))
    return 0


def run_promote(args: argparse.Namespace) -> int:
    """Serve another model from the next start on, unless it is worse than the served one."""
    if args.back:
        print(f"served: {promote.demote(args.models)}")
    else:
        print(f"served: {promote.promote(args.model, args.models, args.data, args.force).folder_name}")
    return 0


def _add_train(subparsers: argparse._SubParsersAction) -> None:
    parser = add_command(subparsers, "train", run_train)
    add_data_arguments(parser)
    add = parser.add_argument
    add("--test", type=Path, nargs="+", default=[], metavar="FILE", help="labelled files to measure the model on afterwards")
    add("--family", choices=FAMILIES, default="linear")
    add("--cost", type=_positive, default=_DEFAULTS.cost, metavar="C", help=f"of the linear heads; default {_DEFAULTS.cost:g}")
    add(
        "--balance",
        type=float,
        default=_DEFAULTS.balance,
        metavar="0..1",
        help=f"extra weight of rare labels; default {_DEFAULTS.balance:g}",
    )
    add(
        "--caution",
        type=_positive,
        default=_DEFAULTS.caution,
        metavar="T",
        help="above 1 where texts in service differ from these: lower confidence",
    )
    add("--name", help="of the model; default: the taxonomy's name (or custom) and the family, such as bank-linear")
    add("--version", default="1", help="default: 1")
    add("--notes", type=Path, metavar="FILE", help="Markdown for 'Use and limits' of the model card")
    add("--seed", type=int, default=0)
    add("--out", type=Path, metavar="DIR", help="model folder; default: models/NAME-VERSION")
    add("--json", action="store_true", help="figures as JSON")


def _add_evaluate(subparsers: argparse._SubParsersAction) -> None:
    parser = add_command(subparsers, "evaluate", run_evaluate)
    add = parser.add_argument
    add("--model", type=Path, metavar="DIR", help="default: the served model")
    add("--data", type=Path, required=True, metavar="FILE")
    add("--text-column", default="text", metavar="COLUMN")
    add("--report", type=Path, metavar="DIR", help="also write tables, confusions and the wrong rows there")
    add("--json", action="store_true", help="figures as JSON")


def _add_promote(subparsers: argparse._SubParsersAction) -> None:
    parser = add_command(subparsers, "promote", run_promote)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", type=Path, metavar="DIR", help="a model folder")
    which.add_argument("--back", action="store_true", help="serve the previous model again")
    add = parser.add_argument
    add("--data", type=Path, metavar="FILE", help="labelled file on which to compare it with the served model; default: their manifests")
    add("--models", type=Path, default=MODELS, metavar="DIR", help="where the served models lie")
    add("--force", action="store_true", help="even when it is worse")


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _notes(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError("notes", str(path), "a Markdown file") from None

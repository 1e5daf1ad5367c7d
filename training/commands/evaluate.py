"""`triage evaluate`: figures of a model on a labelled file, and a report on them."""

import argparse
from pathlib import Path

from training import evaluate, plots
from training.commands.arguments import add_command, print_json
from training.examples import heads_in, read_examples
from training.report import Measured, write_report
from triage import artifact
from triage.errors import InputError

SLICES = ("channel", "region")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = add_command(subparsers, "evaluate", run)
    add = parser.add_argument
    add("--model", type=Path, metavar="DIR", help="default: the served model")
    add("--data", type=Path, required=True, metavar="FILE")
    add("--text-column", default="text", metavar="COLUMN")
    add(
        "--report",
        type=Path,
        metavar="DIR",
        help="also write a report there: Markdown, HTML, PNG plots, all wrong rows with their evidence",
    )
    add("--slice", nargs="+", default=list(SLICES), metavar="COLUMN", help="figures by these columns too, where the file has them")
    add("--no-plots", action="store_true", help="a report without plots: no matplotlib needed")
    add("--no-texts", action="store_true", help="a report without texts (they are masked anyhow)")
    add("--json", action="store_true", help="figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Measure a model on a labelled file: each of its heads that the file has a column of."""
    if args.report and not args.no_plots:
        plots.require_matplotlib()
    classifier, manifest = artifact.load(args.model or artifact.served_folder())
    heads = heads_in(args.data, manifest.heads)
    examples = read_examples([args.data], heads, args.text_column, keep=args.slice)
    answers = evaluate.answer(classifier, manifest, examples)
    thresholds = manifest.review_thresholds
    measured = evaluate.figures(examples, answers, thresholds)
    if not measured:
        raise InputError(f"{args.data.name}: {', '.join(heads)}", None, "at least one row with a text and a label")
    if args.report:
        title = f"{manifest.folder_name} on {args.data.name}"
        subject = Measured(title=title, classifier=classifier, examples=examples, answers=answers, figures=measured, thresholds=thresholds)
        write_report(args.report, subject, not args.no_plots, not args.no_texts)
    if args.json:
        print_json(evaluate.as_dict(measured))
    else:
        print(evaluate.as_table(measured))
    return 0

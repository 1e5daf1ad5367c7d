"""`triage review`: sheets for people to fill in."""

import argparse
from pathlib import Path

from training import evaluate, review
from training.commands.arguments import add_command, add_data_arguments, label_columns, seed, taxonomy_of
from training.examples import read_examples, require_trainable
from triage import artifact
from triage.errors import InputError
from triage.tables import write_rows

KEPT = ("id", "channel", "region", "time")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = add_command(subparsers, "review", run)
    add_data_arguments(parser, required=False)
    add = parser.add_argument
    add(
        "--unlabelled",
        type=Path,
        nargs="+",
        action="extend",
        metavar="FILE",
        help="instead of --data: choose texts that are worth labelling next; may be repeated",
    )
    add("--next", type=int, default=100, metavar="N", help="how many of them; default: 100")
    add("--model", type=Path, metavar="DIR", help="with --unlabelled, of any family; default: the served model")
    add("--out", type=Path, required=True, metavar="FILE", help="the sheet: CSV, XLSX, JSONL ...")
    add("--seed", type=seed, default=0)


def run(args: argparse.Namespace) -> int:
    """Write a sheet to fill in: labels of --data that are probably wrong, or texts of --unlabelled that are worth labelling next.

    Wrong labels are found by the cross-validation of a linear model trained on --data, whatever family is served: it has every row answered
    by a model that did not see it, which an encoder would need several trainings for. What only an encoder would notice is not found. Texts
    to label are chosen by --model, which may be of any family.
    """
    if bool(args.data) == bool(args.unlabelled):
        raise InputError("--data, --unlabelled", None, "one of the two")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    return _next(args) if args.unlabelled else _errors(args)


def _errors(args: argparse.Namespace) -> int:
    if not args.label_column:
        raise InputError("--label-column", None, "the label columns to look at")
    review.require_cleanlab()
    examples = read_examples(args.data, label_columns(args), args.text_column, args.group_column, taxonomy_of(args))
    require_trainable(examples)
    probabilities = review.out_of_fold_probabilities(examples, seed=args.seed)
    suspects = {head: review.label_errors(examples.labels[head], *probabilities[head]) for head in examples.labels}
    rows = review.error_sheet(examples, suspects)
    if args.text_column != "text":
        rows = [{args.text_column if column == "text" else column: value for column, value in row.items()} for row in rows]
    write_rows(rows, args.out)
    for head, found in suspects.items():
        labelled = sum(label is not None for label in examples.labels[head])
        print(f"{head}: {len(found)} of {labelled} labels are probably wrong (cross-validation of a linear model)")
    print(f"{args.out}: {len(rows)} rows. Fill in what is wrong; `triage data --review {args.out.name} --out FILE` takes it over.")
    return 0


def _next(args: argparse.Namespace) -> int:
    if args.next < 1:
        raise InputError("--next", args.next, "at least 1")
    classifier, manifest = artifact.load(args.model or artifact.served_folder())
    keep = [*KEPT, *([args.group_column] if args.group_column else [])]
    examples = read_examples(args.unlabelled, [], args.text_column, keep=keep)
    if not examples.texts:
        raise InputError("--unlabelled", args.unlabelled[0].name, "at least one row with a text")
    answers = evaluate.answer(classifier, manifest, examples)
    chosen = review.worth_labelling(examples.texts, answers, args.next, args.seed)
    rows = review.labelling_sheet(examples, answers, chosen)
    write_rows(rows, args.out)
    print(f"{args.out}: {len(rows)} of {len(examples.texts)} texts. Fill in {', '.join(answers)}; `triage train --data` reads the sheet.")
    return 0

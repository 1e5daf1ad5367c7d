"""`triage data`: check labelled files, take in what people corrected, part them, write them."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from training import check, stored
from training.commands.arguments import add_command, add_data_arguments, label_columns, print_json, seed, share, taxonomy_of
from training.examples import load_examples
from training.rows import DataRow, corrected, load_rows, suffix_for, write
from training.split import Split, split
from triage.errors import InputError
from triage.store import Store
from triage.tables import write_rows


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = add_command(subparsers, "data", run)
    add_data_arguments(parser, required=False)
    add = parser.add_argument
    add("--problems", type=Path, metavar="FILE", help="write all problems there, a row each (CSV, XLSX ...)")
    add("--review", type=Path, metavar="FILE", help="take over the labels filled into a sheet of `triage review`")
    add("--split", type=share, metavar="SHARE", help="write train.* and test.* into the folder --out, with this share of test rows")
    add("--time-column", metavar="COLUMN", help="with --split: test on the latest rows")
    add("--seed", type=seed, default=0, help="of the split; default: 0")
    add("--database", metavar="URL", help="instead of --data: export what people corrected in the service")
    add("--all", action="store_true", help="with --database: uncorrected complaints too, unlabelled")
    add("--out", type=Path, metavar="PATH", help="the file (a folder with --split) to write the rows to")
    add("--json", action="store_true", help="counts and problems as JSON")


def run(args: argparse.Namespace) -> int:
    """Check labelled files and say by row what is wrong; part them for a test; bring corrections back as data. Exit status 2 on errors."""
    if args.database:
        return _export(args)
    if not args.data or not args.label_column:
        raise InputError("--data and --label-column", None, "labelled files and their label columns, or --database")
    if (args.split or args.review) and not args.out:
        raise InputError("--out", None, "where to write the rows: a folder with --split, else a file")
    if args.out and not (args.split or args.review):
        raise InputError("--out", str(args.out), "--split or --review: otherwise the rows are as they were")
    examples = load_examples(args.data, label_columns(args), args.text_column, args.group_column)
    problems = check.check(examples, taxonomy_of(args))
    counts = {head: dict(Counter(label for label in column if label).most_common()) for head, column in examples.labels.items()}
    if args.problems:
        args.problems.parent.mkdir(parents=True, exist_ok=True)
        write_rows(check.as_rows(problems), args.problems)
    if args.json:
        files = [asdict(file) for file in examples.files]
        print_json({"files": files, "skipped": len(examples.skipped), "labels": counts, "problems": [asdict(p) for p in problems]})
    else:
        print(f"{len(examples.texts)} texts in {len(examples.files)} files, {len(examples.skipped)} rows without text")
        for head, by_label in counts.items():
            print(f"{head}: {', '.join(f'{label} {n}' for label, n in by_label.items())}")
        for line in check.summary(problems):
            print(line)
    if any(problem.error for problem in problems):
        print("triage: the data have errors, see above", file=sys.stderr)
        return 2
    if args.out:
        _write(args)
    return 0


def _write(args: argparse.Namespace) -> None:
    columns = [*label_columns(args), *([args.group_column] if args.group_column else [])]
    rows = load_rows(args.data, args.text_column, columns)
    if args.review:
        rows, changed = corrected(rows, args.review, label_columns(args), args.text_column)
        print(f"{changed} labels corrected by {args.review.name}", file=sys.stderr)
    if not args.split:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        _say(args.out, write(rows, args.out))
        return
    parts = split(rows, args.split, label_columns(args)[0], args.group_column, args.time_column, args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, part in _parts(parts):
        path = args.out / f"{name}{suffix_for(args.data)}"
        _say(path, write(part, path))
    if parts.cut:
        print(f"tested on rows from {parts.cut:%Y-%m-%d %H:%M} on", file=sys.stderr)
    if parts.left_out:
        print(f"{len(parts.left_out)} later rows of groups that are trained on are in neither", file=sys.stderr)
    if parts.shared_texts:
        print(f"{parts.shared_texts} test rows have a text that is trained on too", file=sys.stderr)


def _parts(parts: Split) -> Iterator[tuple[str, tuple[DataRow, ...]]]:
    yield "train", parts.train
    yield "test", parts.test
    if parts.left_out:
        yield "left_out", parts.left_out


def _export(args: argparse.Namespace) -> int:
    if not args.out:
        raise InputError("--out", None, "a file to write the stored complaints to")
    with Store.open(args.database) as store:
        rows = stored.all_rows(store) if args.all else stored.corrected_rows(store)
        first = next(rows, None)
        if first is None:
            raise InputError("--database", args.database, "at least one complaint" + ("" if args.all else " that a person corrected"))
        args.out.parent.mkdir(parents=True, exist_ok=True)
        _say(args.out, write_rows(chain([first], rows), args.out))
    return 0


def _say(path: Path, rows: int) -> None:
    print(f"{path}: {rows} rows", file=sys.stderr)

"""`triage compare`: champion against challenger on the same labelled rows."""

import argparse
from dataclasses import asdict
from pathlib import Path

from training import evaluate
from training.commands.arguments import add_command, print_json, seed
from training.compare import Change, Comparison, compare
from training.examples import heads_in, read_examples
from triage import artifact
from triage.errors import InputError
from triage.tables import write_rows

_TEXT = 70  # characters of a text that the terminal shows


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = add_command(subparsers, "compare", run)
    add = parser.add_argument
    add("--challenger", type=Path, required=True, metavar="DIR", help="a model folder")
    add("--champion", type=Path, metavar="DIR", help="default: the served model")
    add("--data", type=Path, required=True, metavar="FILE", help="labelled, trained on by neither")
    add("--text-column", default="text", metavar="COLUMN")
    add("--show", type=int, default=5, metavar="N", help="texts a head that got better and worse; default: 5")
    add("--changes", type=Path, metavar="FILE", help="write all texts that got better or worse there (CSV, XLSX ...)")
    add("--seed", type=seed, default=0, help="of the bootstrap")
    add("--json", action="store_true", help="figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Compare two models on the same rows: differences with 95 % intervals (paired bootstrap), and what got better and worse."""
    old_classifier, old = artifact.load(args.champion or artifact.served_folder())
    new_classifier, new = artifact.load(args.challenger)
    common = [head for head in old.heads if head in new.heads]
    if not common:
        raise InputError("--challenger", ", ".join(new.heads), f"a model with a head of {old.folder_name}: {', '.join(old.heads)}")
    examples = read_examples([args.data], heads_in(args.data, common), args.text_column)
    answers = evaluate.answer(old_classifier, old, examples), evaluate.answer(new_classifier, new, examples)
    found = compare(examples, *answers, seed=args.seed)
    if not found.n:
        raise InputError(f"{args.data.name}: {', '.join(common)}", None, "at least one row with a text and a label")
    if args.changes:
        args.changes.parent.mkdir(parents=True, exist_ok=True)
        write_rows((asdict(change) for change in found.changes), args.changes)
    if args.json:
        print_json(as_dict(found))
        return 0
    print(f"champion {old.folder_name}, challenger {new.folder_name}, {args.data.name}\n")
    print(as_table(found))
    for head in found.n:
        for better in (True, False):
            changes = [change for change in found.changes if change.head == head and change.better is better]
            print(f"\n{head}: {len(changes)} got {'better' if better else 'worse'}")
            for change in sorted(changes, key=lambda c: -c.confidence)[: args.show]:
                print(_line(change))
    return 0


def as_table(found: Comparison) -> str:
    """A line a head and figure, in Markdown."""
    lines = ["| head | n | figure | champion | challenger | difference | 95 % interval | |", "|---|---|---|---|---|---|---|---|"]
    for head, by_name in found.differences.items():
        for name, d in by_name.items():
            lines.append(
                f"| {head} | {found.n[head]} | {name} | {d.champion:.3f} | {d.challenger:.3f} | {d.gain:+.3f} | {d.low:+.3f} to {d.high:+.3f} | {d.verdict} |"
            )
    return "\n".join(lines)


def as_dict(found: Comparison) -> dict[str, dict[str, object]]:
    """{"head": {"n", "better", "worse", "figures": {"accuracy": {"champion", "challenger", "gain", "low", "high", "verdict"}, ...}}}."""
    return {
        head: {
            "n": found.n[head],
            "better": sum(change.better for change in found.changes if change.head == head),
            "worse": sum(not change.better for change in found.changes if change.head == head),
            "figures": {name: asdict(d) | {"gain": d.gain, "verdict": d.verdict} for name, d in by_name.items()},
        }
        for head, by_name in found.differences.items()
    }


def _line(change: Change) -> str:
    text = " ".join(change.text.split())
    shown = text if len(text) <= _TEXT else f"{text[:_TEXT]}…"
    return f"  {change.row}  {change.champion} -> {change.challenger} (label {change.label})  {shown}"

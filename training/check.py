"""What is wrong with labelled files, row by row: what `triage data` reports and `triage train` would refuse or stumble over."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from training.examples import LEAST_ROWS, Examples, strangers
from triage.taxonomy import Taxonomy

Kind = Literal["no text", "unknown label", "contradiction", "repeated text", "no label", "one example", "one label", "few rows"]
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the data that a person should see.

    Args:
        kind: what it is.
        error: `triage train` refuses such data; otherwise it goes on and the model may suffer.
        rows: the "file:row" concerned; empty where it is a column as a whole.
        column: the label column, "" where it is the text.
        found: in words, without the text itself.
    """

    kind: Kind
    error: bool
    rows: tuple[str, ...]
    column: str
    found: str


def check(examples: Examples, taxonomy: Taxonomy | None = None) -> list[Problem]:
    """All problems, errors first.

    Args:
        examples: as `training.examples.load_examples` reads them.
        taxonomy: when given, its heads may have its labels only.
    """
    found = [Problem("no text", False, (row,), "", "the row is left out") for row in examples.skipped]
    if taxonomy:
        found += _unknown(examples, taxonomy)
    for head, column in examples.labels.items():
        found += _of_head(examples, head, column)
    return sorted(found, key=lambda problem: not problem.error)


def as_rows(problems: Iterable[Problem]) -> list[dict[str, object]]:
    """A table row for each row of the data that a problem concerns, to be written to a file."""
    return [
        {"row": row, "column": p.column, "problem": p.kind, "error": "yes" if p.error else "no", "found": p.found}
        for p in problems
        for row in p.rows or ("",)
    ]


def summary(problems: Iterable[Problem]) -> list[str]:
    """A line for each kind of problem and column, with the first ten rows."""
    alike: defaultdict[tuple[bool, str, str], list[Problem]] = defaultdict(list)
    for problem in problems:
        alike[problem.error, problem.kind, problem.column].append(problem)
    return [_line(error, kind, column, members) for (error, kind, column), members in alike.items()]


def _line(error: bool, kind: str, column: str, members: list[Problem]) -> str:
    head = f"{'error' if error else 'warning'}: {f'{column}: ' if column else ''}{kind}"
    if not any(problem.rows for problem in members):
        return f"{head}: {'; '.join(problem.found for problem in members)}"
    shown = [f"{' / '.join(p.rows[:_SHOWN])} ({p.found})" for p in members[:_SHOWN]]
    more = f"; {len(members) - _SHOWN} more" if len(members) > _SHOWN else ""
    return f"{head}, {len(members)} times: {'; '.join(shown)}{more}"


def _unknown(examples: Examples, taxonomy: Taxonomy) -> Iterator[Problem]:
    for head, found in strangers(examples, taxonomy).items():
        for row, label in found.items():
            yield Problem("unknown label", True, (row,), head, f"{label!r} is not one of {', '.join(taxonomy.labels[head][:3])} ...")


def _of_head(examples: Examples, head: str, column: tuple[str | None, ...]) -> Iterator[Problem]:
    rows_of: defaultdict[str, list[str]] = defaultdict(list)
    for row, label in zip(examples.rows, column, strict=True):
        rows_of[label or ""].append(row)
    unlabelled = rows_of.pop("", [])
    total = sum(map(len, rows_of.values()))
    if total < LEAST_ROWS:
        yield Problem("few rows", True, (), head, f"{total} labelled rows, at least {LEAST_ROWS} are needed to train on")
    if len(rows_of) == 1:
        yield Problem("one label", True, (), head, f"every row is labelled {next(iter(rows_of))!r}, two labels are needed to tell apart")
    if unlabelled and total:
        yield Problem("no label", False, tuple(unlabelled), head, f"{len(unlabelled)} rows are left out of this head")
    for label, rows in sorted(rows_of.items()):
        if len(rows) == 1:
            yield Problem("one example", False, tuple(rows), head, f"only one row is labelled {label!r}; it can hardly be learnt or tested")
    yield from _same_texts(examples, head, column)


def _same_texts(examples: Examples, head: str, column: tuple[str | None, ...]) -> Iterator[Problem]:
    seen: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for text, row, label in zip(examples.texts, examples.rows, column, strict=True):
        if label is not None:
            seen[text].append((row, label))
    for members in seen.values():
        labels = Counter(label for _, label in members)
        rows = tuple(row for row, _ in members)
        if len(labels) > 1:
            yield Problem("contradiction", False, rows, head, "the same text is labelled " + ", ".join(sorted(labels)))
        elif len(members) > 1:
            yield Problem("repeated text", False, rows, head, f"the same text is labelled {members[0][1]} {len(members)} times")

"""Figures of parts of a test: by channel, length, region, whatever column a file has."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.evaluate import Answers, HeadFigures, measure
from training.examples import Examples
from triage.regions import load_regions

LENGTHS = (20, 60, 150)
"""Upper ends of the classes of length, in characters."""
_MOST = 20


@dataclass(frozen=True, slots=True)
class Slice:
    """The texts with one value of one column, and a head's figures on them."""

    column: str
    value: str
    figures: HeadFigures


def slices(examples: Examples, head: str, answers: Answers, threshold: float) -> list[Slice]:
    """Slices by length and by each column the examples kept, largest first, at most twenty a column; rows without a value are left out."""
    columns = {"length": [_length(text) for text in examples.texts]}
    columns |= {column: [_place(value) if column == "region" else value for value in values] for column, values in examples.kept.items()}
    found = []
    for column, values in columns.items():
        members = _members(values, examples.labels[head], answers)
        ordered = sorted(members.items()) if column == "length" else sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
        for value, rows in ordered[:_MOST]:
            figures = measure([examples.labels[head][i] for i in rows], answers.at(rows), threshold)
            found.append(Slice(column, value, figures))
    return found


def _members(values: Sequence[str], truth: Sequence[str | None], answers: Answers) -> Mapping[str, list[int]]:
    members: defaultdict[str, list[int]] = defaultdict(list)
    for i, value in enumerate(values):
        if value and truth[i] is not None and answers.labels[i] is not None:
            members[value].append(i)
    return members


def _length(text: str) -> str:
    end = next((end for end in LENGTHS if len(text) <= end), None)
    start = 0 if end == LENGTHS[0] else max(e for e in LENGTHS if end is None or e < end) + 1
    return f"{start:>3}-{end:<3} characters" if end else f"{start:>3} characters and more"


def _place(value: str) -> str:
    """An adcode becomes the name of its province; names stay as they are."""
    regions = load_regions()
    return regions.by_code[regions.province_of(value)].name if value in regions.by_code else value

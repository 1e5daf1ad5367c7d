"""Labelled texts from files: read, checked, reported on, split."""

import hashlib
import logging
import warnings
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, StratifiedKFold

from triage.artifact import DataFile
from triage.errors import InputError
from triage.privacy import prepare
from triage.tables import Row, read_rows, require_columns
from triage.taxonomy import Taxonomy
from triage.types import BEIJING, Complaint, Turn

FOLDS = 5
LEAST_ROWS = 10
_SHOWN_ROWS = 10
# The words of a call carry no time of their own; a complaint must have one.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=BEIJING)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Labelled texts of one or more files, in their order.

    Args:
        texts: as a classifier reads them (`triage.privacy.prepare`).
        labels: head -> label of each text; None where the row has none.
        groups: what each text came with (author, batch), or None without a group column.
        channels: key or name of the channel of each row that states one, else "".
        rows: "file:row" of each text, for reports.
        kept: further column -> its value in each row, "" where the row has none.
        files: what was read, with the number of rows used.
        skipped: "file:row" of the rows without a text.
    """

    texts: tuple[str, ...]
    labels: dict[str, tuple[str | None, ...]]
    groups: tuple[str, ...] | None
    channels: tuple[str, ...]
    rows: tuple[str, ...]
    files: tuple[DataFile, ...]
    skipped: tuple[str, ...]
    kept: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def contradictions(self, head: str) -> list[tuple[str, ...]]:
        """Rows whose text is the same and whose labels of the head differ, a tuple for each such text."""
        seen: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for text, label, row in zip(self.texts, self.labels[head], self.rows, strict=True):
            if label is not None:
                seen[text].setdefault(label, row)
        return [tuple(by_label.values()) for by_label in seen.values() if len(by_label) > 1]


def read_examples(
    files: Sequence[Path],
    label_columns: Sequence[str],
    text_column: str = "text",
    group_column: str | None = None,
    taxonomy: Taxonomy | None = None,
    keep: Sequence[str] = (),
) -> Examples:
    """Read labelled files of any format of `triage.tables`; rows without a text and texts under two labels are warned of.

    Args:
        files: read in this order.
        label_columns: one head each. An empty or null label leaves the row out of that head.
        text_column: where the text is; a row with `turns` (speaker, text) instead gives the customer's words.
        group_column: for instance the author.
        taxonomy: when given, labels of `category`, `severity` and `sentiment` must be its own.
        keep: further columns to keep, where a row has them.

    Raises:
        InputError: a file or column is missing, a turn is malformed, a label is not in the taxonomy (with the rows).
    """
    examples = load_examples(files, label_columns, text_column, group_column, keep)
    if examples.skipped:
        log.warning("%d rows have no text and were left out: %s", len(examples.skipped), _some(examples.skipped))
    if taxonomy:
        _require_known(examples, taxonomy)
    for column in label_columns:
        if found := examples.contradictions(column):
            log.warning("%s: %d texts have two labels: %s", column, len(found), _some([" / ".join(rows) for rows in found]))
    return examples


def load_examples(
    files: Sequence[Path],
    label_columns: Sequence[str],
    text_column: str = "text",
    group_column: str | None = None,
    keep: Sequence[str] = (),
) -> Examples:
    """As `read_examples`, without a word on what is in the rows: `training.check` reports on that."""
    texts, labels, groups, channels, rows, sources, skipped = [], {column: [] for column in label_columns}, [], [], [], [], []
    kept: dict[str, list[str]] = {column: [] for column in keep}
    for path in files:
        used = 0
        for row in read_rows(path):
            place = f"{path.name}:{row.number}"
            require_columns(row.values, [*label_columns, *([group_column] if group_column else [])], place)
            text = text_of(row, text_column, place)
            if not text.strip():
                skipped.append(place)
                continue
            used += 1
            texts.append(prepare(text))
            rows.append(place)
            groups.append(str(row.values[group_column]) if group_column else "")
            channels.append(str(row.values.get("channel") or ""))
            for column in label_columns:
                labels[column].append(label_of(row.values[column]))
            for column in keep:
                kept[column].append(label_of(row.values.get(column)) or "")
        sources.append(DataFile(path.name, used, hashlib.sha256(path.read_bytes()).hexdigest()))
    return Examples(
        texts=tuple(texts),
        labels={column: tuple(values) for column, values in labels.items()},
        groups=tuple(groups) if group_column else None,
        channels=tuple(channels),
        rows=tuple(rows),
        files=tuple(sources),
        skipped=tuple(skipped),
        kept={column: tuple(values) for column, values in kept.items()},
    )


def heads_in(path: Path, heads: Collection[str]) -> list[str]:
    """The heads of a model that a file has a column of. Raises: InputError when it has none of them."""
    columns = next(read_rows(path)).values
    found = [head for head in heads if head in columns]
    if not found:
        raise InputError(f"{path.name}: column", ", ".join(columns), f"at least one of the model's heads {', '.join(heads)}")
    return found


def require_trainable(examples: Examples) -> None:
    """Raises: InputError when a head has under 10 labelled rows, only one label, or no label twice. Labels with one example are warned of."""
    for head, column in examples.labels.items():
        counts = Counter(label for label in column if label is not None)
        if counts.total() < LEAST_ROWS:
            raise InputError(head, f"{counts.total()} labelled rows", f"at least {LEAST_ROWS} to train on")
        if len(counts) < 2:
            raise InputError(head, f"the one label {next(iter(counts))!r}", "at least two labels to tell apart")
        if counts.total() == len(counts):
            expected = "a label that several rows share: give rows the same labels, or leave this column out of --label-column"
            raise InputError(head, f"{len(counts)} labels in {counts.total()} rows, each once", expected)
        if rare := sorted(label for label, count in counts.items() if count == 1):
            log.warning("%s: one example only of %s; kept, but it can hardly be learnt and is never tested", head, _some(rare))


def kept_together(texts: Sequence[str], groups: Sequence[str] | None) -> Sequence[str] | None:
    """The group of each text: its author or batch where there are several, else the text itself where one is repeated, else None.

    Rows of one group are never both trained and tested on; a text that is would test the memory.
    """
    if groups is not None and len(set(groups)) > 1:
        return groups
    return texts if len(set(texts)) < len(texts) else None


def folds(
    target: NDArray[np.integer], groups: Sequence[str] | None, seed: int
) -> Iterator[tuple[NDArray[np.integer], NDArray[np.integer]]]:
    """Five (fewer for few examples) pairs of training and test row numbers that part groups where there are several, else labels evenly.

    Args:
        target: label index of each row.
        groups: of each row, or None, see `kept_together`.
        seed: of the shuffling; groups need none.
    """
    if groups is not None and len(set(groups)) > 1:
        return GroupKFold(min(FOLDS, len(set(groups)))).split(target, target, groups)
    splits = max(2, min(FOLDS, int(np.bincount(target).max())))
    with warnings.catch_warnings():
        # Labels with fewer examples than folds were reported when the data were read.
        warnings.simplefilter("ignore", UserWarning)
        return iter(list(StratifiedKFold(splits, shuffle=True, random_state=seed).split(target, target)))


def text_of(row: Row, text_column: str, place: str) -> str:
    """What a row says: its text, or the customer's words of its `turns`; "" where it says nothing.

    Raises: InputError naming `place` when the column is missing or a turn is malformed.
    """
    turns = row.values.get("turns")
    if turns is None or row.values.get(text_column):
        require_columns(row.values, [text_column], place)
        value = row.values[text_column]
        return "" if value is None else str(value)
    try:
        spoken = tuple(Turn(speaker=turn["speaker"], text=turn["text"]) for turn in turns)
    except (KeyError, TypeError):
        raise InputError(f"{place}: turns", turns, 'a list of {"speaker": ..., "text": ...}') from None
    return Complaint(id="", turns=spoken, time=_ANY_TIME).customer_text


def label_of(value: object) -> str | None:
    """A cell as a label: without blanks at its ends, whole numbers without a point, None where it is empty."""
    if isinstance(value, float) and value.is_integer():  # spreadsheets know no whole numbers
        value = int(value)
    return None if value is None else str(value).strip() or None


def strangers(examples: Examples, taxonomy: Taxonomy) -> dict[str, dict[str, str]]:
    """Head -> "file:row" -> label, for each label that the taxonomy does not know. Heads of other names may have any label."""
    return {
        head: {
            row: label
            for row, label in zip(examples.rows, examples.labels.get(head, ()), strict=False)
            if label is not None and label not in known
        }
        for head, known in taxonomy.labels.items()
    }


def _require_known(examples: Examples, taxonomy: Taxonomy) -> None:
    known = taxonomy.labels
    for head, found in strangers(examples, taxonomy).items():
        if found:
            expected = f"labels of taxonomy {taxonomy.name!r} such as {', '.join(known[head][:4])}"
            raise InputError(f"{head} ({_some(list(found))})", ", ".join(sorted(set(found.values()))), expected)


def _some(items: Sequence[str]) -> str:
    more = len(items) - _SHOWN_ROWS
    return ", ".join(items[:_SHOWN_ROWS]) + (f" and {more} more" if more > 0 else "")

"""Part labelled rows into training and test rows so that the test is as hard as service: by author or batch, and by time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sklearn.model_selection import GroupShuffleSplit

from training.examples import label_of
from training.rows import DataRow, moment
from triage.errors import InputError


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to train on and to test on, in their order; `left_out` may be in neither.

    Args:
        left_out: later rows of a group that wrote before the test began: they would tell the model what it is tested on.
        cut: the time from which rows are tested on, None when time was not asked for.
    """

    train: tuple[DataRow, ...]
    test: tuple[DataRow, ...]
    left_out: tuple[DataRow, ...] = ()
    cut: datetime | None = None

    @property
    def shared_texts(self) -> int:
        """Test rows whose text is trained on too."""
        known = {row.text for row in self.train}
        return sum(row.text in known for row in self.test)


def split(
    rows: Sequence[DataRow],
    share: float,
    label_column: str,
    group_column: str | None = None,
    time_column: str | None = None,
    seed: int = 0,
) -> Split:
    """Part rows.

    Args:
        rows: to part.
        share: of the test rows, above 0 and under 1; groups and rows of the same time are not parted, so it is approximate.
        label_column: without group and time, its labels are spread evenly over both sides, and the same text stays on one.
        group_column: author or batch: never on both sides.
        time_column: the last rows are the test, as in service, where a model meets what came after it.
        seed: of the random choice; time needs none.

    Raises:
        InputError: a row has no readable time, or one side would be empty.
    """
    if time_column:
        found = _by_time(rows, share, time_column, group_column)
    elif group_column:
        found = _by_group(rows, share, group_column, seed)
    else:
        found = _by_label(rows, share, label_column, seed)
    if not found.train or not found.test:
        raise InputError(
            "--split", f"{len(found.train)} rows to train on and {len(found.test)} to test on", "rows on both sides: more groups or times"
        )
    return found


def _by_time(rows: Sequence[DataRow], share: float, time_column: str, group_column: str | None) -> Split:
    times = [moment(row.values.get(time_column), f"{row.place}: {time_column}") for row in rows]
    cut = sorted(times)[min(len(times) - 1, round((1 - share) * len(times)))]
    if not group_column:
        return _parted(rows, [time >= cut for time in times], cut=cut)
    before = {str(row.values[group_column]) for row, time in zip(rows, times, strict=True) if time < cut}
    late = [(row, time >= cut) for row, time in zip(rows, times, strict=True)]
    return Split(
        train=tuple(row for row, tested in late if not tested),
        test=tuple(row for row, tested in late if tested and str(row.values[group_column]) not in before),
        left_out=tuple(row for row, tested in late if tested and str(row.values[group_column]) in before),
        cut=cut,
    )


def _by_group(rows: Sequence[DataRow], share: float, group_column: str, seed: int) -> Split:
    groups = [str(row.values[group_column]) for row in rows]
    if len(set(groups)) < 2:
        raise InputError(f"--group-column {group_column}", f"the one group {groups[0]!r}", "at least two groups to part")
    parting = GroupShuffleSplit(n_splits=1, test_size=share, random_state=seed)
    _, test = next(parting.split(rows, groups=groups))
    tested = set(test.tolist())
    return _parted(rows, [i in tested for i in range(len(rows))])


def _by_label(rows: Sequence[DataRow], share: float, label_column: str, seed: int) -> Split:
    """By distinct text, evenly over the labels; a label too rare to be shared stays in training."""
    label_of_text: dict[str, str] = {}
    for row in rows:
        label_of_text.setdefault(row.text, label_of(row.values.get(label_column)) or "")
    by_label: dict[str, list[str]] = {}
    for text, label in label_of_text.items():
        by_label.setdefault(label, []).append(text)
    rng = np.random.default_rng(seed)
    tested: set[str] = set()
    for texts in by_label.values():
        tested.update(texts[i] for i in rng.permutation(len(texts))[: round(share * len(texts))])
    return _parted(rows, [row.text in tested for row in rows])


def _parted(rows: Sequence[DataRow], tested: Sequence[bool], cut: datetime | None = None) -> Split:
    pairs = list(zip(rows, tested, strict=True))
    return Split(tuple(row for row, is_tested in pairs if not is_tested), tuple(row for row, is_tested in pairs if is_tested), cut=cut)

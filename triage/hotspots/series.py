"""Daily counts per cell, and their parents by summation."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from triage.errors import InputError


@dataclass(frozen=True, slots=True)
class Counts:
    """Daily complaints per category, region and channel.

    Attributes:
        start: the day of `observed[0]`.
        categories: keys, `group.name`.
        regions: adcodes of provinces; complaints without a region stand under "000000".
        channels: keys of the taxonomy's channels.
        observed: int32, shape (days, categories, regions, channels), complaints a day.
        simulated: whether any of the complaints is simulated.
    """

    start: date
    categories: tuple[str, ...]
    regions: tuple[str, ...]
    channels: tuple[str, ...]
    observed: NDArray[np.int32]
    simulated: bool = False

    def __post_init__(self) -> None:
        shape = (len(self.categories), len(self.regions), len(self.channels))
        if self.observed.ndim != 4 or self.observed.shape[1:] != shape:
            raise InputError("observed", self.observed.shape, f"an array of shape (days, {', '.join(map(str, shape))})")

    @property
    def days(self) -> int:
        """Number of days, missing ones included."""
        return self.observed.shape[0]

    @property
    def end(self) -> date:
        """The last day."""
        return self.start + timedelta(days=self.days - 1)

    @property
    def groups(self) -> tuple[str, ...]:
        """Keys of the categories' groups, in the order of their first category."""
        return tuple(dict.fromkeys(group_of(category) for category in self.categories))

    def without(self, categories: Collection[str]) -> "Counts":
        """The same counts less some categories."""
        kept = [i for i, category in enumerate(self.categories) if category not in categories]
        return replace(self, categories=tuple(self.categories[i] for i in kept), observed=self.observed[:, kept])

    def day(self, day: date) -> int:
        """Index of a day along the first axis; may lie outside the data."""
        return (day - self.start).days

    def present(self) -> NDArray[np.bool_]:
        """Which days have data, shape (days,): a day without a single complaint anywhere is missing (an outage, or before the store
        began), not a day of zeros."""
        return self.observed.any(axis=(1, 2, 3))


def group_of(category: str) -> str:
    """Key of the group a category belongs to.

    >>> group_of("card.annual_fee")
    'card'
    """
    return category.split(".", 1)[0]

"""Daily counts without texts, with planted outbreaks: what hotspot detection is measured on. Everything here is simulated (模拟数据).

Shares, seasons, noise and delays are those of `triage simulate` (data/simulation/bank.yaml). Complaints are counted under the category
that a classifier would have given them, right or wrong, and, if wanted, on the day they were made as far as they are recorded by then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.simulate import day_weights, load_settings
from triage.hotspots.regression import Floats
from triage.hotspots.series import Counts, group_of
from triage.regions import load_regions
from triage.workdays import spring_festival


@dataclass(frozen=True, slots=True)
class Planted:
    """An outbreak: complaints of `category` in `regions` (provinces) come `relative_risk` times as often on days `first` .. `last`."""

    category: str
    regions: tuple[str, ...]
    first: date
    last: date
    relative_risk: float

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Stream:
    """Simulated counts as they become known.

    Attributes:
        counts: in the end, under predicted categories.
        recorded: the same by days of delay, (delays, days, categories, regions, channels).
        planted: the outbreaks.
        expected: complaints a day in its place and category that each outbreak multiplies, mean over its days.
        null, raised: of each outbreak, the true mean of what is counted in its place under its category on each of its days, without and
            with it, (days of the outbreak,): what no test can know better.
    """

    counts: Counts
    recorded: NDArray[np.int32]
    planted: tuple[Planted, ...]
    expected: tuple[float, ...]
    null: tuple[Floats, ...]
    raised: tuple[Floats, ...]

    def known(self, last: date) -> Counts:
        """The counts up to a day as they are recorded by its end."""
        days = self.counts.day(last) + 1
        observed = self.recorded[0, :days].copy()
        for delay in range(1, len(self.recorded)):
            observed[: days - delay] += self.recorded[delay, : days - delay]
        return replace(self.counts, observed=observed)


def simulate_counts(
    end: date,
    days: int,
    a_day: float,
    planted: Sequence[Planted],
    seed: int,
    confusion: Floats | None = None,
    delayed: bool = False,
    peaks: bool = False,
) -> Stream:
    """Draw a stream.

    Args:
        end: last day.
        days: length.
        a_day: complaints on a mean day, over the whole bank.
        planted: outbreaks.
        seed: of all randomness.
        confusion: P(predicted | true), (categories, categories), in the order of data/simulation/bank.yaml (`simulated_errors`); None = no errors.
        delayed: whether complaints are recorded days after they were made.
        peaks: whether some categories have their peaks at the same time of each year.
    """
    rng = np.random.default_rng(seed)
    settings = load_settings()
    categories, channels = tuple(settings["categories"]), tuple(settings["channels"])
    regions, place_share = provinces(settings)
    shares = _normalised(settings["categories"].values())
    calendar = [end - timedelta(days=days - 1 - i) for i in range(days)]
    weights = day_weights(settings, calendar)
    day = weights / weights.mean() * rng.gamma(settings["day_shape"], 1 / settings["day_shape"], days)
    kind = shares * rng.gamma(settings["category_shape"], 1 / settings["category_shape"], (days, len(categories)))
    if peaks:
        kind *= peak_factors(settings, calendar, categories)
    place = place_share * rng.gamma(settings["region_shape"], 1 / settings["region_shape"], (days, len(regions)))
    mean = a_day * day[:, None, None] * kind[:, :, None] * place[:, None, :]  # (days, categories, regions)
    quiet = mean.copy()
    usual = []
    for outbreak in planted:
        rows = slice((outbreak.first - calendar[0]).days, (outbreak.last - calendar[0]).days + 1)
        column = [regions.index(region) for region in outbreak.regions]
        index = categories.index(outbreak.category)
        usual.append(float(mean[rows, index][:, column].sum() / outbreak.days))
        for c in column:
            mean[rows, index, c] *= outbreak.relative_risk
    channel_share = _normalised(settings["channels"].values())
    drawn = rng.poisson(mean[..., None] * channel_share).astype(np.int32)
    if confusion is not None:
        drawn = _confused(rng, drawn, confusion)
    recorded = _by_delay(rng, drawn, channels, settings["delay"]) if delayed else drawn[None]
    counts = Counts(calendar[0], categories, regions, channels, drawn, simulated=True)
    null, raised = ([_counted(table, outbreak, counts, confusion) for outbreak in planted] for table in (quiet, mean))
    return Stream(counts, recorded, tuple(planted), tuple(usual), tuple(null), tuple(raised))


def _counted(mean: Floats, outbreak: Planted, counts: Counts, confusion: Floats | None) -> Floats:
    """Mean of the complaints in an outbreak's place that are counted under its category, on each of its days."""
    rows = slice(counts.day(outbreak.first), counts.day(outbreak.last) + 1)
    inside = mean[rows][:, :, [counts.regions.index(region) for region in outbreak.regions]].sum(axis=2)
    index = counts.categories.index(outbreak.category)
    return inside[:, index] if confusion is None else inside @ confusion[:, index]


def peak_factors(settings: dict[str, Any], calendar: Sequence[date], categories: Sequence[str]) -> Floats:
    """How many times its usual number each category has on each day, (days, categories); a category's own peak goes before its group's."""
    found = np.ones((len(calendar), len(categories)))
    for peak in settings["peaks"]:
        inside = np.array([_within(day, peak["from"], peak["to"]) for day in calendar])
        for i, category in enumerate(categories):
            found[inside, i] *= peak["factors"].get(category, peak["factors"].get(group_of(category), 1.0))
    return found


def _within(day: date, first: int | str, last: int | str) -> bool:
    if isinstance(first, int):
        return first <= (day - spring_festival(day.year)).days <= last
    today = f"{day:%m-%d}"
    return first <= today <= last if first <= last else today >= first or today <= last


def provinces(settings: dict[str, Any]) -> tuple[tuple[str, ...], Floats]:
    """Adcodes of the provinces and their shares of complaints; cities named in the settings count in their province."""
    regions = load_regions()
    share = {province.adcode: 0.0 for province in regions.provinces}
    for name, percent in settings["regions"].items():
        share[regions.province_of(regions.resolve(name))] += percent
    return tuple(share), _normalised([value or settings["region_floor"] for value in share.values()])


def _confused(rng: np.random.Generator, counts: NDArray[np.int32], confusion: Floats) -> NDArray[np.int32]:
    """Counts by predicted category from counts by true category, (days, categories, regions, channels)."""
    found = np.zeros_like(counts)
    for category, row in enumerate(confusion):
        day, region, channel = np.nonzero(counts[:, category])
        moved = rng.multinomial(counts[day, category, region, channel], row)
        for predicted in np.flatnonzero(moved.any(axis=0)):
            found[day, predicted, region, channel] += moved[:, predicted].astype(np.int32)
    return found


def _by_delay(
    rng: np.random.Generator, counts: NDArray[np.int32], channels: Sequence[str], delay: dict[str, list[float]]
) -> NDArray[np.int32]:
    """Counts by days until they are recorded, (delays, days, categories, regions, channels)."""
    most = max(len(shares) for shares in delay.values())
    found = np.zeros((most, *counts.shape), np.int32)
    for i, channel in enumerate(channels):
        shares = delay.get(channel, [1.0])
        found[: len(shares), ..., i] = np.moveaxis(rng.multinomial(counts[..., i], _normalised(shares)), -1, 0)
    return found


def _normalised(weights: Any) -> Floats:
    found = np.asarray(list(weights), dtype=float)
    return found / found.sum()

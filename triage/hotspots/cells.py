"""The cells that are tested: category and group, by region and anywhere, by channel and by any, and what each would believe of itself
from its parents."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from triage.hotspots.regression import Floats
from triage.hotspots.series import Counts, group_of

ANY = ""
Layer = Literal["category", "region", "group", "channel", "zone", "theme"]
LAYERS: tuple[Layer, ...] = ("category", "region", "group", "channel")


@dataclass(frozen=True, slots=True)
class Cell:
    """What is counted together. `category` is a category or a group; empty region or channel = all of them."""

    category: str
    region: str = ANY
    channel: str = ANY

    @property
    def is_group(self) -> bool:
        return "." not in self.category

    @property
    def layer(self) -> Layer:
        """A category everywhere, in a region, its group, or one of these by one channel."""
        if self.channel:
            return "channel"
        return "group" if self.is_group else "region" if self.region else "category"


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells and their daily counts.

    Attributes:
        cells: in the order of the columns.
        table: (days, cells).
        position: column of each cell.
        layer: index into LAYERS, (cells,).
        family: index of the cell's category or group among `keys`, (cells,).
        keys: categories, then groups.
    """

    cells: list[Cell]
    table: Floats
    position: dict[Cell, int]
    layer: NDArray[np.intp]
    family: NDArray[np.intp]
    keys: tuple[str, ...]


def cells_of(counts: Counts, by_channel: bool) -> Cells:
    """All cells: category and group, by region and anywhere, and each of these by channel if wanted."""
    observed = counts.observed
    groups = [group_of(category) for category in counts.categories]
    by_group = np.stack([observed[:, [g == group for g in groups]].sum(axis=1) for group in counts.groups], axis=1)
    layers: list[tuple[list[Cell], Floats]] = []
    for keys, table in ((counts.categories, observed), (counts.groups, by_group)):
        for regions, placed in ((counts.regions, table), ((ANY,), table.sum(axis=2, keepdims=True))):
            layers.append(([Cell(key, region) for key in keys for region in regions], placed.sum(axis=3)))
            if by_channel:
                layers.append(([Cell(key, region, channel) for key in keys for region in regions for channel in counts.channels], placed))
    cells = [cell for part, _ in layers for cell in part]
    keys = (*counts.categories, *counts.groups)
    number = {key: i for i, key in enumerate(keys)}
    return Cells(
        cells=cells,
        table=np.concatenate([table.reshape(counts.days, -1) for _, table in layers], axis=1).astype(float),
        position={cell: i for i, cell in enumerate(cells)},
        layer=np.array([LAYERS.index(cell.layer) for cell in cells]),
        family=np.array([number[cell.category] for cell in cells]),
        keys=keys,
    )


def shares(found: Cells, total: Floats) -> Floats:
    """A priori complaints of each cell over the baseline: its parent's, times the share that the cell's place and channel have of all.

    The parent of a cell anywhere is its category's group, of which it has an equal share; a group anywhere is its own.

    Args:
        found: the cells.
        total: complaints of each over the baseline, (cells,).
    """
    part: dict[tuple[str, str], float] = {}
    members: dict[str, int] = {}
    for cell, n in zip(found.cells, total.tolist(), strict=True):
        if cell.is_group:
            place = (cell.region, cell.channel)
            part[place] = part.get(place, 0.0) + n
        elif not cell.region and not cell.channel:
            members[group_of(cell.category)] = members.get(group_of(cell.category), 0) + 1
    everything = max(part.get((ANY, ANY), 0.0), 1.0)
    whole = {key: float(total[found.position[Cell(key)]]) for key in found.keys}
    prior = np.empty(len(found.cells))
    for i, cell in enumerate(found.cells):
        if cell.region or cell.channel:
            prior[i] = whole[cell.category] * part[cell.region, cell.channel] / everything
        elif cell.is_group:
            prior[i] = total[i]
        else:
            prior[i] = whole[group_of(cell.category)] / members[group_of(cell.category)]
    return prior

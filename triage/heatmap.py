"""Heat map, frequent issues, matrix and regional risk index: pure functions over counts.

The store sums its daily roll-ups of a time range into `CellCount` rows, once for the range asked for and once for the same
number of days before; everything here is arithmetic on the two. `days` and `previous_days` are the days of each range on which
the store has data: a range that reaches back beyond the first complaint must not make the past look quiet.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triage.types import HeatCell, Issue, RegionRisk

if TYPE_CHECKING:
    from triage.regions import Region


@dataclass(frozen=True, slots=True)
class CellCount:
    """Complaints of one region and category over a whole time range: all, those of severity 3 or 4, those with negative sentiment."""

    region: str
    category: str
    n: int
    severe: int = 0
    negative: int = 0

"""Envelopes of the answers: lists never come bare, and every range says which days it covers. What they hold is `triage.types`."""

from datetime import date
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from triage.regions import Region
from triage.types import HeatCell, Hotspot, Issue, Record, RegionRisk, TrendPoint, Triage


class FieldError(TypedDict):
    """One thing that is wrong with a request."""

    field: str
    value: object
    expected: str


class Problem(TypedDict):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: NotRequired[list[FieldError]]


class ItemResult(TypedDict):
    """What became of one item of a batch; `status` is what a request of its own would have got."""

    index: int
    status: int
    triage: Triage | None
    error: Problem | None


class BatchAnswer(TypedDict):
    """`stored` counts the items that are stored now, those that were there already included."""

    results: list[ItemResult]
    stored: int
    failed: int


class TagAnswer(TypedDict):
    """Triages of several complaints, nothing stored."""

    results: list[ItemResult]


class Complaints(TypedDict):
    """A page of records, latest first; `next` is the cursor of the page that follows."""

    complaints: list[Record]
    next: str | None


class _Days(TypedDict("_Days", {"from": date, "to": date})):
    """First and last day, both included."""


class HeatMap(_Days):
    """`unlocated` of the `total` complaints have no region finer than the one asked for; `simulated`: some are made up."""

    total: int
    unlocated: int
    simulated: bool
    cells: list[HeatCell]


class CategoryName(TypedDict):
    key: str
    name: str


class RegionName(TypedDict):
    adcode: str
    name: str


class HeatMatrix(_Days):
    """`counts[i][j]` complaints of `categories[i]` in `regions[j]`; `expected` from the same number of days before."""

    categories: list[CategoryName]
    regions: list[RegionName]
    counts: list[list[int]]
    expected: list[list[float | None]]
    simulated: bool


class Issues(_Days):
    issues: list[Issue]
    simulated: bool


class Trends(_Days):
    step: Literal["hour", "day"]
    points: list[TrendPoint]
    simulated: bool


class Risks(_Days):
    regions: list[RegionRisk]
    simulated: bool


class RegionList(TypedDict):
    regions: list[Region]


class PrecisionAnswer(TypedDict):
    """People's last verdicts; `share` = confirmed / (confirmed + dismissed), null before the first."""

    confirmed: int
    dismissed: int
    share: float | None


class Hotspots(TypedDict):
    """`simulated`: some of the listed hotspots are made of made-up complaints."""

    hotspots: list[Hotspot]
    precision: PrecisionAnswer
    simulated: bool

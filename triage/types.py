"""The domain, which is also the wire format: the service answers with these objects, `triage tag` writes them as JSON.

Times are aware datetimes; the product lives on Beijing time (UTC+8, no daylight saving). Spans count Unicode code points,
`start` inclusive, `end` exclusive, in the complaint's customer text (`Complaint.customer_text`).
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Literal

from typing_extensions import TypedDict  # pydantic refuses typing's own before Python 3.12

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")

Speaker = Literal["customer", "agent", "system"]
SentimentLabel = Literal["negative", "neutral", "positive"]
FactKind = Literal["amount", "date", "product", "channel", "place", "demand", "escalation"]
HotspotStatus = Literal["new", "acknowledged", "confirmed", "dismissed", "resolved", "recurred"]
HotspotLevel = Literal["notice", "warning", "alarm"]
HotspotKind = Literal["surge", "theme"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One utterance of a call or chat."""

    speaker: Speaker
    text: str
    time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a customer said, as it came in: either `text`, or `turns` of a conversation.

    `channel` is a key of the taxonomy's channels, `region` a GB/T 2260 code (adcode) or None where the source does not know it;
    `source` names the sending system and `source_id` is its own id: the two together are stored once.
    """

    id: str
    text: str = ""
    turns: tuple[Turn, ...] = ()
    channel: str = "other"
    region: str | None = None
    time: datetime
    source: str = "api"
    source_id: str | None = None
    simulated: bool = False

    @property
    def customer_text(self) -> str:
        """The words that are tagged: the text, or the customer's turns joined by line ends."""
        if not self.turns:
            return self.text
        return "\n".join(turn.text for turn in self.turns if turn.speaker == "customer")


@dataclass(frozen=True, slots=True)
class Label:
    """A category with the calibrated probability (0-1) that a reader would choose it."""

    key: str
    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Severity:
    """Level 1 轻微 to 4 重大, the probability (0-1) of that level, and the reasons in Chinese."""

    level: int
    name: str
    confidence: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentiment:
    """The sentiment and its probability (0-1)."""

    label: SentimentLabel
    score: float


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the text states. `value` is normalised: yuan (float) for an amount, an ISO date, a key, an adcode;
    a tuple of adcodes where a place name is ambiguous."""

    kind: FactKind
    value: str | float | tuple[str, ...]
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stretch of the text that spoke for the category; `weight` is its share (0-1) of all that spoke for it."""

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """The tags of one complaint. `due` closes the case, `first_answer_due` precedes it, `report_due` is set at severity 4.

    `alternatives` are further problems that the text tells of, each with the probability that a reader would file it there.
    """

    id: str
    category: Label
    alternatives: tuple[Label, ...]
    severity: Severity
    sentiment: Sentiment
    facts: tuple[Fact, ...]
    evidence: tuple[Evidence, ...]
    channel: str
    region: str | None
    department: str
    due: datetime
    first_answer_due: datetime
    report_due: datetime | None
    needs_review: bool
    review_reasons: tuple[str, ...]
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A person's verdict on a triage; only the fields that were changed are set."""

    person: str
    time: datetime
    category: str | None = None
    severity: int | None = None
    sentiment: SentimentLabel | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A stored complaint: personal data masked, spans of the triage counted in the masked text."""

    id: str
    complaint: Complaint
    triage: Triage
    corrections: tuple[Correction, ...] = ()
    stored_at: datetime


class Window(TypedDict("Window", {"from": date, "to": date})):
    """First and last day, both included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HotspotEvent:
    """One line of a hotspot's history: a run that saw it, or a person's verdict."""

    time: datetime
    action: str
    status: HotspotStatus
    person: str = ""
    reason: str = ""
    observed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HotspotPart:
    """A child that contributes to a hotspot: a category of its group, a region or a channel, over the same window."""

    kind: Literal["category", "region", "channel"]
    key: str
    name: str
    observed: int
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotspot:
    """More complaints in a cell (category x regions x channels) than its baseline explains; or, of kind `theme`, an issue within a category
    that people began to write about, whose complaints are those of `evidence` (a copied letter or one customer's repetitions count once).

    `change` is relative to the period of equal length before, `change_on_year` to the same weekdays a year ago (+.35 = 35 % more; None
    where that period had none); nine of ten quiet periods lie within `expected_interval`; `parts` are the children that contribute
    most; empty `regions` or `channels` means all of them.
    """

    id: str
    category: str
    regions: tuple[str, ...]
    channels: tuple[str, ...]
    window: Window
    observed: int
    expected: float
    ratio: float
    change: float | None
    p_value: float
    recurrence_interval_days: float
    level: HotspotLevel
    status: HotspotStatus = "new"
    title: str
    terms: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    history: tuple[HotspotEvent, ...] = ()
    simulated: bool = False
    expected_interval: tuple[int, int] | None = None
    change_on_year: float | None = None
    parts: tuple[HotspotPart, ...] = ()
    kind: HotspotKind = "surge"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """One region of the heat map over a time range.

    `rate` is complaints per million inhabitants and day; `expected` and `exceedance` ((count - expected) / sqrt(expected),
    None without a baseline) compare with the same number of days before.
    """

    region: str
    name: str
    count: int
    severe: int
    negative: int
    rate: float | None
    expected: float | None
    exceedance: float | None
    top_category: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A frequent issue: one category in a time range, beside the same number of days before."""

    category: str
    name: str
    count: int
    share: float
    severe: int
    previous: int
    change: float | None
    top_regions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """Counts of one hour or day; `time` is its beginning."""

    time: datetime
    count: int
    severe: int
    negative: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRisk:
    """Regional risk index 0-100 and the parts it is made of (see `triage.heatmap.risk_index`)."""

    region: str
    name: str
    index: float
    count: int
    rate_part: float
    severity_part: float
    exceedance_part: float
    hotspots: int = field(default=0)

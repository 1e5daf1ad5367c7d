"""Stand-ins that obey the contracts of the real parts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from triage.taxonomy import load_taxonomy
from triage.types import BEIJING, Complaint, Fact, Hotspot, Label, Sentiment, Severity, Triage

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=BEIJING)
HOTSPOT = Hotspot(
    id="h1", category="payment.transfer_failure", regions=("440000",), channels=("app",),
    window={"from": date(2026, 11, 14), "to": date(2026, 11, 20)}, observed=40, expected=12.5, ratio=3.2, change=None, p_value=1e-6,
    recurrence_interval_days=400.0, level="warning", title="广东 转账失败", simulated=True,
)  # fmt: skip
WORDS = {
    "年费": "card.annual_fee",
    "转账": "payment.transfer_failure",
    "密码": "account.lost_password",
}


@dataclass(frozen=True)
class FakeManifest:
    name: str = "fake"
    version: str = "1"


@dataclass(frozen=True)
class FakeTagger:
    """Category by the first known word, severity 4 after 报警, negative unless 谢谢; a phone number is a fact here, to see it masked."""

    manifest: FakeManifest = field(default_factory=FakeManifest)

    def tag(self, complaints: Sequence[Complaint]) -> list[Triage]:
        return [self._one(complaint) for complaint in complaints]

    def _one(self, complaint: Complaint) -> Triage:
        text = complaint.customer_text
        taxonomy = load_taxonomy()
        category = taxonomy.category(next((key for word, key in WORDS.items() if word in text), "other.complaint"))
        level = 4 if "报警" in text else 2
        at = text.find("广东")
        return Triage(
            id=complaint.id,
            category=Label(category.key, category.name, 0.8),
            alternatives=(Label("other.complaint", taxonomy.categories["other.complaint"].name, 0.1),),
            severity=Severity(level, taxonomy.severities[level], 0.9, ()),
            sentiment=Sentiment("neutral" if "谢谢" in text else "negative", 0.9),
            facts=(Fact("place", "440000", "广东", at, at + 2),) if at >= 0 else (),
            evidence=(),
            channel=complaint.channel,
            region=complaint.region,
            department=category.department,
            due=complaint.time + timedelta(days=7),
            first_answer_due=complaint.time + timedelta(days=3),
            report_due=None,
            needs_review=not any(word in text for word in WORDS),
            review_reasons=(),
            model="fake-1",
        )

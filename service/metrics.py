"""What /metrics shows."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

from triage.taxonomy import load_taxonomy
from triage.types import Triage


class Metrics:
    """The counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("triage_requests_total", "HTTP requests", ["method", "route", "status"], registry=self.registry)
        self.latency = Histogram(
            "triage_request_seconds",
            "Time to answer an HTTP request",
            ["method", "route"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )
        self.complaints = Counter("triage_complaints_total", "Complaints stored, by category group", ["group"], registry=self.registry)
        self.reviews = Counter("triage_needs_review_total", "Complaints stored that a person should look at", registry=self.registry)
        self.runs = Counter("triage_hotspot_runs_total", "Runs of the hotspot detection", ["state"], registry=self.registry)
        self.alerts = Counter("triage_alerts_total", "Deliveries to the webhook", ["state"], registry=self.registry)

    def count(self, stored: Iterable[Triage]) -> None:
        """Count newly stored complaints. The share to review is triage_needs_review_total / sum(triage_complaints_total)."""
        categories = load_taxonomy().categories
        for triage in stored:
            category = categories.get(triage.category.key)
            self.complaints.labels(category.group if category else "(other labels)").inc()
            if triage.needs_review:
                self.reviews.inc()

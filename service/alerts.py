"""The webhook: tells another system of new and escalated hotspots. Nothing here can fail a request."""

import logging
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException

import orjson

from service.metrics import Metrics
from triage.store import Store
from triage.types import Hotspot

PAUSES = (1.0, 4.0)
"""Seconds before the second and third attempt. What still fails is sent after the next run: the store knows what was not told."""
_log = logging.getLogger("triage.alerts")


class WebhookError(Exception):
    """A delivery failed."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """POSTs {"event": "hotspot", "hotspot": {...}} to `url`; any answer below 300 is a success."""

    url: str
    seconds: float

    def __call__(self, hotspot: Hotspot) -> None:
        """Deliver once. Raises: WebhookError."""
        body = orjson.dumps({"event": "hotspot", "hotspot": hotspot})
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as answer:
                if answer.status >= 300:
                    raise WebhookError(f"status {answer.status}")
        except (OSError, HTTPException) as error:  # URLError and HTTPError are OSErrors
            raise WebhookError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Alerts:
    """Sends what the store says was not told yet: a new or recurred hotspot once, and again when its level rises."""

    store: Store
    send: Callable[[Hotspot], None]
    metrics: Metrics
    stopping: threading.Event = field(default_factory=threading.Event)
    pauses: tuple[float, ...] = PAUSES

    def send_all(self) -> int:
        """Deliver what is due; the number delivered. A failure is logged and left for the next time."""
        delivered = 0
        for hotspot in self.store.unalerted_hotspots():
            if not self._deliver(hotspot):
                break  # the receiver is down: the rest would only wait for the same failure
            self.store.mark_alerted(hotspot)
            delivered += 1
        return delivered

    def _deliver(self, hotspot: Hotspot) -> bool:
        for pause in (*self.pauses, None):
            try:
                self.send(hotspot)
            except WebhookError as error:
                self.metrics.alerts.labels("failed").inc()
                _log.warning("hotspot %s was not delivered: %s", hotspot.id, error)
                if pause is None or self.stopping.wait(pause):
                    return False
            else:
                self.metrics.alerts.labels("delivered").inc()
                return True
        return False

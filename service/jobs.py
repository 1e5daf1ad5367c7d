"""The hotspot detection: one run, and the thread that runs it again and again."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import orjson

from service.alerts import Alerts
from service.metrics import Metrics
from triage.hotspots.detect import DetectionSettings, find_hotspots
from triage.hotspots.themes import find_themes
from triage.store import Store
from triage.types import BEIJING, Hotspot

_log = logging.getLogger("triage.jobs")
Finder = Callable[..., list[Hotspot]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found, and which of that is new, escalated or recurred."""

    hotspots: list[Hotspot]
    raised: list[Hotspot]


def run_detection(
    store: Store, days: int, now: datetime, find: Finder = find_hotspots, settings: DetectionSettings | None = None, themes: bool = True
) -> Found:
    """Look for hotspots in the last `days` days and merge them into the store; the run is recorded with its settings, a failed one too.

    A run reads everything from the store and leaves nothing half done, so that the next one repairs a lost one.

    Args:
        store: of the complaints and of the hotspots.
        days: of history.
        now: aware time of judgement.
        find: what looks for surges.
        settings: default = `DetectionSettings()`.
        themes: look for new themes within the categories, too, which reads texts and takes seconds to a minute.
    """
    started = time.perf_counter()
    settings = settings or DetectionSettings()
    number = store.begin_run(now, orjson.dumps({"days": days, "detection": settings}, default=sorted).decode())
    try:
        today = now.astimezone(BEIJING).date()
        counts, texts = store.counts(today - timedelta(days=days - 1), today), store.texts()
        found = find(counts, texts, now, settings)
        if themes:
            found = [*found, *find_themes(texts, counts.categories, now, found, counts.simulated, settings)]
        raised = store.upsert_hotspots(found, now)
    except Exception as error:
        store.end_run(number, time.perf_counter() - started, error=f"{type(error).__name__}: {error}")
        raise
    store.end_run(number, time.perf_counter() - started, found=len(found))
    return Found(found, raised)


class HotspotJob:
    """Runs the detection in a thread of its own: at once, then every `minutes`, until stopped."""

    def __init__(
        self, store: Store, minutes: int, days: int, metrics: Metrics, alerts: Alerts | None, clock: Callable[[], datetime],
        find: Finder = find_hotspots, settings: DetectionSettings | None = None,
    ):  # fmt: skip
        self._store, self._days, self._metrics, self._alerts, self._clock, self._find = store, days, metrics, alerts, clock, find
        self._settings, self._seconds = settings, minutes * 60
        self._themes_of: date | None = None
        self._stopping = alerts.stopping if alerts else threading.Event()
        self._thread = threading.Thread(target=self._loop, name="hotspots", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end and wait for the run in progress."""
        self._stopping.set()
        self._thread.join()

    def _loop(self) -> None:
        # A future catches whatever a run raises: the thread goes on, and the next run repairs what this one left undone.
        with ThreadPoolExecutor(1, thread_name_prefix="hotspot-run") as runner:
            while True:
                error = runner.submit(self.run_once).exception()
                if error is not None:
                    _log.error("hotspot run failed, the next one is in %d s", self._seconds, exc_info=error)
                self._metrics.runs.labels("failed" if error else "done").inc()
                if self._stopping.wait(self._seconds):
                    return

    def run_once(self) -> Found:
        """One run, and the alerts that it raises. Themes of complete days hardly change within a day: its first run looks for them."""
        now = self._clock()
        today = now.astimezone(BEIJING).date()
        found = run_detection(self._store, self._days, now, self._find, self._settings, themes=today != self._themes_of)
        self._themes_of = today
        _log.info("hotspot run: %d found, %d new or escalated", len(found.hotspots), len(found.raised))
        if self._alerts:
            self._alerts.send_all()
        return found

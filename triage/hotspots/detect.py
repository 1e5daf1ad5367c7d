"""Counts and texts in, hotspots out."""

from datetime import datetime, timedelta

from triage.hotspots.events import assemble
from triage.hotspots.judging import judge_cells
from triage.hotspots.series import Counts
from triage.hotspots.settings import Budget, DetectionSettings
from triage.hotspots.story import LEVELS, Texts, tell
from triage.types import BEIJING, Hotspot

__all__ = ["Budget", "DetectionSettings", "Texts", "find_hotspots"]


def find_hotspots(counts: Counts, texts: Texts, now: datetime, settings: DetectionSettings | None = None) -> list[Hotspot]:
    """The cells that had more complaints up to the last complete day than their baseline explains, gravest first.

    Every (category, region, channel) and every parent is tested over windows of 1 to 14 days by a gamma-Poisson predictive test
    (`baseline`), whose smallest p-value is calibrated on a replayed quiet history (`replay`); zones of several regions are scanned
    (`scan`). What passes hierarchical Benjamini-Hochberg and the alert budget (`selection`) is told once (`events`).

    Args:
        counts: daily counts; days without any complaint are missing days. The day of `now` is not complete and not judged.
        texts: for the words and the evidence.
        now: aware time of judgement.
        settings: default = `DetectionSettings()`.

    Raises:
        ConfigError: a year without a working-day calendar.
    """
    settings = settings or DetectionSettings()
    last = now.astimezone(BEIJING).date() - timedelta(days=1)
    if not counts.start <= last <= counts.end:
        return []
    every = counts.without(settings.ignored)
    answer = judge_cells(every, last, settings)
    if answer is None:
        return []
    judged, found, zones = answer
    hotspots = [tell(event, judged, every, last, texts, settings) for event in assemble(judged, found, zones, settings.merging)]
    return sorted(hotspots, key=lambda hotspot: (-LEVELS.index(hotspot.level), hotspot.p_value, hotspot.id))

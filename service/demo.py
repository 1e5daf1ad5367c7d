"""Fills an empty database with simulated complaints, marked as such, so that there is something to look at."""

import logging
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from service.deps import TagsComplaints
from service.importing import import_file
from service.jobs import run_detection
from triage.errors import ConfigError
from triage.store import Store

COMPLAINTS, SEED, OUTBREAKS = 12_000, 7, 5
_log = logging.getLogger("triage.demo")


def fill(store: Store, tagger: TagsComplaints, days: int, now: datetime) -> None:
    """Simulate, tag and store complaints, then look for hotspots among the last `days` days.

    Raises:
        ConfigError: the simulation could not be run.
    """
    _log.info("the database is empty: filling it with %d simulated complaints (模拟数据)", COMPLAINTS)
    with tempfile.TemporaryDirectory(prefix="triage-demo-") as folder:
        path = Path(folder) / "simulated.jsonl"
        options = {"--out": path, "--complaints": COMPLAINTS, "--seed": SEED, "--outbreaks": OUTBREAKS}
        words = [str(word) for pair in options.items() for word in pair]
        # A process of its own: serving never imports training.
        if subprocess.run([sys.executable, "-m", "training", "simulate", *words], check=False).returncode:
            raise ConfigError("demo: `python -m training simulate` failed, see above")
        import_file(path, store, tagger, now, source="simulated", simulated=True)
    found = run_detection(store, days, now)
    _log.info("%d hotspots found in the simulated complaints", len(found.hotspots))

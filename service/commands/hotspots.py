"""triage hotspots: one run of the hotspot detection over what is stored."""

import argparse
import os
import sys
from datetime import datetime

import orjson

from service import deps
from service.jobs import run_detection
from service.settings import Settings
from triage.errors import InputError
from triage.hotspots.settings import DetectionSettings
from triage.store import Store
from triage.types import BEIJING, Hotspot


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "hotspots",
        help="look for hotspots among the stored complaints",
        description="Look for hotspots among the stored complaints, merge them into the store and list those that are open.",
    )
    parser.add_argument("--database", metavar="URL", help=f"default: {Settings().database}")
    parser.add_argument("--now", metavar="TIME", help="ISO 8601 time to judge from; without a zone Beijing time (default: the present)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Detect and list. Raises: TriageError."""
    settings = Settings.read(os.environ, database=args.database)
    now = _time(args.now) if args.now else deps.now()
    with Store.open(settings.database) as store:
        detection = DetectionSettings.of(settings.hotspot_mode)
        found = {hotspot.id for hotspot in run_detection(store, settings.hotspot_days, now, settings=detection).hotspots}
        listed = store.hotspots(limit=1_000)
    for hotspot in listed:
        if args.json:
            sys.stdout.write(orjson.dumps(hotspot, option=orjson.OPT_APPEND_NEWLINE).decode())
        else:
            print(_line(hotspot))
    if not args.json:
        print(f"{len(found)} found in this run, {len(listed)} stored", file=sys.stderr)
    return 0


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError("--now", text, "an ISO 8601 time such as 2026-03-01T08:00") from None
    return time.replace(tzinfo=BEIJING) if time.tzinfo is None else time


def _line(hotspot: Hotspot) -> str:
    window = f"{hotspot.window['from']}..{hotspot.window['to']}"
    counts = f"{hotspot.observed:6d} / {hotspot.expected:8.1f}"
    simulated = "  [模拟数据]" if hotspot.simulated else ""
    return f"{hotspot.level:8}{hotspot.status:13}{window}  {counts}  {hotspot.title}{simulated}"

"""The record of the detection's runs, and of what they were set to."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, insert, select, update

from triage.errors import NotFoundError
from triage.store.schema import run_settings, runs


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the hotspot detection; `seconds` and `found` are None while it runs, `settings` is the fingerprint of its settings."""

    number: int
    started_at: datetime
    seconds: float | None
    state: Literal["running", "done", "failed"]
    found: int | None
    error: str
    settings: str = ""


def begin(connection: Connection, now: datetime, body: str) -> int:
    """Record that a run begins; its number.

    Args:
        connection: where to write.
        now: aware time.
        body: JSON of the settings, "" when there are none to tell.
    """
    key = hashlib.sha256(body.encode()).hexdigest()[:12] if body else ""
    if key and connection.scalar(select(run_settings.c.hash).where(run_settings.c.hash == key)) is None:
        connection.execute(insert(run_settings).values(hash=key, body=body))
    return connection.execute(insert(runs).values(started_at=now, state="running", error="", settings=key)).inserted_primary_key[0]


def end(connection: Connection, number: int, seconds: float, found: int | None, error: str) -> None:
    """Record how a run ended: `found` hotspots, or an `error`."""
    values = {"seconds": seconds, "found": found, "error": error, "state": "failed" if error else "done"}
    connection.execute(update(runs).where(runs.c.number == number).values(**values))


def latest(connection: Connection, limit: int) -> list[Run]:
    """The latest runs, latest first."""
    rows = connection.execute(select(runs).order_by(runs.c.number.desc()).limit(limit)).mappings()
    return [Run(**row) for row in rows]


def settings(connection: Connection, key: str) -> str:
    """The JSON behind a fingerprint. Raises: NotFoundError."""
    body = connection.scalar(select(run_settings.c.body).where(run_settings.c.hash == key))
    if body is None:
        raise NotFoundError(f"settings {key!r} are not recorded")
    return body

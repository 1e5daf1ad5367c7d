"""Stored hotspots with their append-only history, people's verdicts, and what the webhook is owed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, RowMapping, Select, case, func, insert, select, update

from triage.errors import ConflictError, NotFoundError
from triage.store import codec
from triage.store.schema import hotspot_events, hotspots
from triage.types import Hotspot, HotspotEvent, HotspotStatus

Action = Literal["acknowledge", "confirm", "dismiss", "resolve"]

_AFTER: dict[Action, HotspotStatus] = {
    "acknowledge": "acknowledged",
    "confirm": "confirmed",
    "dismiss": "dismissed",
    "resolve": "resolved",
}
_ALLOWED: dict[HotspotStatus, tuple[Action, ...]] = {
    "new": ("acknowledge", "confirm", "dismiss", "resolve"),
    "recurred": ("acknowledge", "confirm", "dismiss", "resolve"),
    "acknowledged": ("confirm", "dismiss", "resolve"),
    "confirmed": ("dismiss", "resolve"),
    "dismissed": ("confirm",),
    "resolved": (),
}
OPEN: tuple[HotspotStatus, ...] = ("new", "recurred", "acknowledged", "confirmed")
LEVELS = ("notice", "warning", "alarm")


@dataclass(frozen=True, slots=True)
class Precision:
    """People's last verdicts on hotspots; `share` = confirmed / (confirmed + dismissed), None before the first verdict."""

    confirmed: int
    dismissed: int

    @property
    def share(self) -> float | None:
        judged = self.confirmed + self.dismissed
        return self.confirmed / judged if judged else None


def without_life(hotspot: Hotspot) -> Hotspot:
    """As a run finds it."""
    return replace(hotspot, status="new", history=())


def columns(hotspot: Hotspot) -> dict[str, object]:
    """Of its row, the status aside."""
    return {
        "category": hotspot.category,
        "level": hotspot.level,
        "first_day": hotspot.window["from"],
        "last_day": hotspot.window["to"],
        "simulated": hotspot.simulated,
        "body": codec.dump(without_life(hotspot)),
    }


def record(connection: Connection, key: str, event: HotspotEvent) -> None:
    """Append a line to a history."""
    names = ("time", "action", "status", "person", "reason", "observed")
    connection.execute(insert(hotspot_events).values(hotspot_id=key, **{name: getattr(event, name) for name in names}))


def judge(connection: Connection, key: str, action: Action, person: str, reason: str, now: datetime) -> Hotspot:
    """Write a person's verdict into the history.

    Raises:
        NotFoundError: there is no such hotspot.
        ConflictError: its status does not allow the action.
    """
    hotspot = _get(connection, key)
    allowed = _ALLOWED[hotspot.status]
    if action not in allowed:
        expected = f"one of {', '.join(allowed)}" if allowed else "none: it is closed until it recurs"
        raise ConflictError(f"hotspot {key}: got action {action!r} on a hotspot that is {hotspot.status}, expected {expected}")
    status = _AFTER[action]
    connection.execute(update(hotspots).where(hotspots.c.id == key).values(status=status))
    record(connection, key, HotspotEvent(time=now, action=action, status=status, person=person, reason=reason))
    return _get(connection, key)


def get(connection: Connection, key: str) -> Hotspot:
    """One hotspot with its history. Raises: NotFoundError."""
    return _get(connection, key)


def find(
    connection: Connection, statuses: Sequence[HotspotStatus], categories: Sequence[str], region: str | None, limit: int
) -> list[Hotspot]:
    """Hotspots, open ones first, then by level and by last day, latest first; empty sequences do not restrict.

    Args:
        connection: where to read.
        statuses: wanted statuses.
        categories: wanted categories or groups, as hotspots name them.
        region: an adcode; hotspots of it, of a part of it or of the whole that it is part of.
        limit: at most so many.
    """
    level = case({name: i for i, name in enumerate(LEVELS)}, value=hotspots.c.level)
    query = query_all().order_by(hotspots.c.status.in_(OPEN).desc(), level.desc(), hotspots.c.last_day.desc(), hotspots.c.id)
    if statuses:
        query = query.where(hotspots.c.status.in_(statuses))
    if categories:
        query = query.where(hotspots.c.category.in_(categories))
    if region is None:
        return read(connection, connection.execute(query.limit(limit)).mappings().all())
    # The regions of a hotspot stand in its body; hotspots are few, so they are chosen here.
    every = read(connection, connection.execute(query).mappings().all())
    return [hotspot for hotspot in every if not hotspot.regions or any(_meets(region, code) for code in hotspot.regions)][:limit]


def _meets(one: str, other: str) -> bool:
    return one == other or (one[:2] == other[:2] and (one.endswith("0000") or other.endswith("0000")))


def precision(connection: Connection) -> Precision:
    """Count the last verdict on each hotspot that has one."""
    verdict = hotspot_events.c.action.in_(("confirm", "dismiss"))
    last = select(func.max(hotspot_events.c.number)).where(verdict).group_by(hotspot_events.c.hotspot_id)
    query = select(hotspot_events.c.action, func.count()).where(hotspot_events.c.number.in_(last)).group_by(hotspot_events.c.action)
    tally = dict(connection.execute(query).all())
    return Precision(tally.get("confirm", 0), tally.get("dismiss", 0))


def unalerted(connection: Connection) -> list[Hotspot]:
    """Open hotspots of which the webhook has not been told, or only at a lower level."""
    order = {name: i for i, name in enumerate(LEVELS)}
    level = case(order, value=hotspots.c.level)
    told = case(order, value=hotspots.c.alerted_level, else_=-1)
    query = query_all().where(hotspots.c.status.in_(OPEN), level > told).order_by(hotspots.c.last_day, hotspots.c.id)
    return read(connection, connection.execute(query).mappings().all())


def mark_alerted(connection: Connection, hotspot: Hotspot) -> None:
    """Remember that the webhook was told of this hotspot at its present level."""
    connection.execute(update(hotspots).where(hotspots.c.id == hotspot.id).values(alerted_level=hotspot.level))


def query_all() -> Select:
    """What `read` takes."""
    return select(hotspots.c.id, hotspots.c.status, hotspots.c.body)


def _get(connection: Connection, key: str) -> Hotspot:
    row = connection.execute(query_all().where(hotspots.c.id == key)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"hotspot {key!r} is not stored")
    return read(connection, [row])[0]


def read(connection: Connection, rows: Sequence[RowMapping]) -> list[Hotspot]:
    """Hotspots with their histories from rows of `query_all`."""
    ids = [row["id"] for row in rows]
    query = select(hotspot_events).where(hotspot_events.c.hotspot_id.in_(ids)).order_by(hotspot_events.c.number)
    history: dict[str, list[HotspotEvent]] = {key: [] for key in ids}
    for row in connection.execute(query).mappings():
        names = ("time", "action", "status", "person", "reason", "observed")
        history[row["hotspot_id"]].append(HotspotEvent(**{name: row[name] for name in names}))
    return [replace(codec.load(Hotspot, row["body"]), status=row["status"], history=tuple(history[row["id"]])) for row in rows]

"""Hotspots with their append-only history: one event keeps one id from run to run, people's verdicts, the record of runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, RowMapping, Select, and_, case, func, insert, or_, select, update

from triage.errors import ConflictError, NotFoundError
from triage.store import codec
from triage.store.schema import hotspot_events, hotspots, runs
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
_LEVELS = ("notice", "warning", "alarm")
_RISE = 1.5
"""A dismissed event stays silent until it has this many times the complaints a day that it was dismissed with."""
_SAME_PLACE = 0.5
"""Jaccard index of two sets of regions from which on they may be one event that moves."""


@dataclass(frozen=True, slots=True)
class Precision:
    """People's last verdicts on hotspots; `share` = confirmed / (confirmed + dismissed), None before the first verdict."""

    confirmed: int
    dismissed: int

    @property
    def share(self) -> float | None:
        judged = self.confirmed + self.dismissed
        return self.confirmed / judged if judged else None


def upsert(connection: Connection, found: Iterable[Hotspot], now: datetime) -> list[Hotspot]:
    """Merge what a run found into what is stored, and return the stored hotspots that are new, escalated or recurred.

    A finding belongs to a stored event of the same category and channels, in about the same regions, whose window overlaps or
    follows on its own; it then takes that event's id and status. A run that saw nothing new leaves no line in the history.
    """
    raised: list[Hotspot] = []
    taken: set[str] = set()
    for hotspot in found:
        known = _same_event(connection, hotspot, taken)
        if known is None:
            _insert(connection, hotspot, now)
            change, key = "found", hotspot.id
        else:
            change, key = _merge(connection, known, hotspot, now), known.id
        taken.add(key)
        if change in ("found", "escalated", "recurred"):
            raised.append(_get(connection, key))
    return raised


def _same_event(connection: Connection, hotspot: Hotspot, taken: set[str]) -> Hotspot | None:
    """The stored event that a finding continues: of those not `taken` by another finding of this run, the one nearest in place."""
    day = timedelta(days=1)
    near = and_(
        hotspots.c.category == hotspot.category,
        hotspots.c.first_day <= hotspot.window["to"] + day,
        hotspots.c.last_day >= hotspot.window["from"] - day,
    )
    query = _query().where(or_(hotspots.c.id == hotspot.id, near)).order_by(hotspots.c.last_day.desc(), hotspots.c.id)
    best, nearest = None, _SAME_PLACE
    for stored in _read(connection, connection.execute(query).mappings().all()):
        if stored.id == hotspot.id:
            return stored
        if stored.id in taken or set(stored.channels) != set(hotspot.channels) or stored.simulated != hotspot.simulated:
            continue
        likeness = _likeness(set(stored.regions), set(hotspot.regions))
        if likeness >= nearest and (best is None or likeness > nearest):
            best, nearest = stored, likeness
    return best


def _likeness(one: set[str], other: set[str]) -> float:
    """Jaccard index of two sets of regions; none at all means the whole country, which is like itself only."""
    return len(one & other) / len(one | other) if one and other else float(one == other)


def _insert(connection: Connection, hotspot: Hotspot, now: datetime) -> None:
    connection.execute(insert(hotspots).values(id=hotspot.id, category=hotspot.category, status="new", **_columns(hotspot)))
    _record(connection, hotspot.id, HotspotEvent(time=now, action="found", status="new", observed=hotspot.observed))


def _merge(connection: Connection, known: Hotspot, found: Hotspot, now: datetime) -> str | None:
    """Bring a stored hotspot up to date; the action that went into its history, None when there was nothing to tell."""
    if _without_life(known) == _without_life(replace(found, id=known.id)):
        return None
    status = known.status
    if _recurs(known, found):
        action, status = "recurred", "recurred"
    elif known.status not in OPEN:
        return None
    elif _LEVELS.index(found.level) > _LEVELS.index(known.level):
        action = "escalated"
    else:
        action = "seen"
    values = _columns(replace(found, id=known.id))
    if action == "recurred":
        values["alerted_level"] = None
    connection.execute(update(hotspots).where(hotspots.c.id == known.id).values(status=status, **values))
    _record(connection, known.id, HotspotEvent(time=now, action=action, status=status, observed=found.observed))
    return action


def _recurs(known: Hotspot, found: Hotspot) -> bool:
    """A resolved event comes back with days after its resolution, a dismissed one when it has risen by half."""
    if known.status == "resolved":
        return found.window["to"] > known.history[-1].time.date()
    return known.status == "dismissed" and _daily(found) >= _RISE * _daily(known)


def _daily(hotspot: Hotspot) -> float:
    """Complaints a day: windows of a run may be shorter or longer than those of the run before."""
    return hotspot.observed / ((hotspot.window["to"] - hotspot.window["from"]).days + 1)


def _without_life(hotspot: Hotspot) -> Hotspot:
    return replace(hotspot, status="new", history=())


def _columns(hotspot: Hotspot) -> dict[str, object]:
    return {
        "level": hotspot.level,
        "first_day": hotspot.window["from"],
        "last_day": hotspot.window["to"],
        "simulated": hotspot.simulated,
        "body": codec.dump(_without_life(hotspot)),
    }


def _record(connection: Connection, key: str, event: HotspotEvent) -> None:
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
    _record(connection, key, HotspotEvent(time=now, action=action, status=status, person=person, reason=reason))
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
    level = case({name: i for i, name in enumerate(_LEVELS)}, value=hotspots.c.level)
    query = _query().order_by(hotspots.c.status.in_(OPEN).desc(), level.desc(), hotspots.c.last_day.desc(), hotspots.c.id)
    if statuses:
        query = query.where(hotspots.c.status.in_(statuses))
    if categories:
        query = query.where(hotspots.c.category.in_(categories))
    if region is None:
        return _read(connection, connection.execute(query.limit(limit)).mappings().all())
    # The regions of a hotspot stand in its body; hotspots are few, so they are chosen here.
    every = _read(connection, connection.execute(query).mappings().all())
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
    order = {name: i for i, name in enumerate(_LEVELS)}
    level = case(order, value=hotspots.c.level)
    told = case(order, value=hotspots.c.alerted_level, else_=-1)
    query = _query().where(hotspots.c.status.in_(OPEN), level > told).order_by(hotspots.c.last_day, hotspots.c.id)
    return _read(connection, connection.execute(query).mappings().all())


def mark_alerted(connection: Connection, hotspot: Hotspot) -> None:
    """Remember that the webhook was told of this hotspot at its present level."""
    connection.execute(update(hotspots).where(hotspots.c.id == hotspot.id).values(alerted_level=hotspot.level))


def _query() -> Select:
    return select(hotspots.c.id, hotspots.c.status, hotspots.c.body)


def _get(connection: Connection, key: str) -> Hotspot:
    row = connection.execute(_query().where(hotspots.c.id == key)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"hotspot {key!r} is not stored")
    return _read(connection, [row])[0]


def _read(connection: Connection, rows: Sequence[RowMapping]) -> list[Hotspot]:
    ids = [row["id"] for row in rows]
    query = select(hotspot_events).where(hotspot_events.c.hotspot_id.in_(ids)).order_by(hotspot_events.c.number)
    history: dict[str, list[HotspotEvent]] = {key: [] for key in ids}
    for row in connection.execute(query).mappings():
        names = ("time", "action", "status", "person", "reason", "observed")
        history[row["hotspot_id"]].append(HotspotEvent(**{name: row[name] for name in names}))
    return [replace(codec.load(Hotspot, row["body"]), status=row["status"], history=tuple(history[row["id"]])) for row in rows]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the hotspot detection; `seconds` and `found` are None while it runs."""

    number: int
    started_at: datetime
    seconds: float | None
    state: Literal["running", "done", "failed"]
    found: int | None
    error: str


def begin_run(connection: Connection, now: datetime) -> int:
    """Record that a run begins; its number."""
    return connection.execute(insert(runs).values(started_at=now, state="running", error="")).inserted_primary_key[0]


def end_run(connection: Connection, number: int, seconds: float, found: int | None, error: str) -> None:
    """Record how a run ended: `found` hotspots, or an `error`."""
    values = {"seconds": seconds, "found": found, "error": error, "state": "failed" if error else "done"}
    connection.execute(update(runs).where(runs.c.number == number).values(**values))


def last_runs(connection: Connection, limit: int) -> list[Run]:
    """The latest runs, latest first."""
    rows = connection.execute(select(runs).order_by(runs.c.number.desc()).limit(limit)).mappings()
    return [Run(**row) for row in rows]

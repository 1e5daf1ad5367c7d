"""The life of an event from run to run: it is found, grows, moves, escalates, merges with another, ends and may recur, under one id."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Insert, and_, insert, or_, select, update

from triage.store import rollups
from triage.store.hotspots import LEVELS, OPEN, columns, get, query_all, read, record, without_life
from triage.store.schema import hotspots
from triage.types import BEIJING, Hotspot, HotspotEvent, HotspotStatus

_RISE = 1.5
"""A dismissed event stays silent until it has this many times the complaints a day that it was dismissed with."""
_SAME_PLACE = 0.5
"""Share of the smaller of two sets of regions that lies in the other from which on they may be one event that grows or moves."""
_QUIET_DAYS = 7
"""An event ends after so many days with data on which it was not found."""


def upsert(connection: Connection, found: Iterable[Hotspot], now: datetime) -> list[Hotspot]:
    """Merge all that a run found into what is stored, and return the stored hotspots that are new, escalated or recurred.

    A finding belongs to a stored event of the same category, in about the same regions, whose window overlaps or follows on its own; it
    then takes that event's id and status. Other open events that it now covers are merged into it, events no longer found end. A run
    that saw nothing new leaves no line in the history.
    """
    raised: list[str] = []
    taken: dict[str, Hotspot] = {}
    for hotspot in found:
        known = _same_event(connection, hotspot, taken)
        if known is None:
            connection.execute(_insert(hotspot))
            _tell(connection, hotspot.id, now, "found", "new", observed=hotspot.observed)
            change, key = "found", hotspot.id
        else:
            change, key = _continue(connection, known, hotspot, now), known.id
        taken[key] = hotspot
        if change in ("found", "escalated", "recurred"):
            raised.append(key)
    for key, hotspot in taken.items():
        _merge(connection, key, hotspot, taken, now)
    _end(connection, now)
    return [get(connection, key) for key in raised]


def _near(connection: Connection, hotspot: Hotspot) -> list[Hotspot]:
    """Stored events of the category, of one channel or the other, whose window overlaps or follows on a finding's."""
    day = timedelta(days=1)
    near = and_(
        hotspots.c.category == hotspot.category,
        hotspots.c.first_day <= hotspot.window["to"] + day,
        hotspots.c.last_day >= hotspot.window["from"] - day,
        hotspots.c.simulated == hotspot.simulated,
    )
    query = query_all().where(or_(hotspots.c.id == hotspot.id, near)).order_by(hotspots.c.last_day.desc(), hotspots.c.id)
    return read(connection, connection.execute(query).mappings().all())


def _same_event(connection: Connection, hotspot: Hotspot, taken: dict[str, Hotspot]) -> Hotspot | None:
    """The stored event that a finding continues: of those not `taken` by another finding of this run an open one, nearest in place."""
    candidates = []
    for stored in _near(connection, hotspot):
        if stored.id == hotspot.id:
            return stored
        shared, likeness = _overlap(set(stored.regions), set(hotspot.regions))
        if stored.id not in taken and shared >= _SAME_PLACE and set(stored.channels) == set(hotspot.channels):
            candidates.append((stored.status != "resolved", likeness, stored))
    return max(candidates, key=lambda entry: entry[:2])[2] if candidates else None


def _overlap(one: set[str], other: set[str]) -> tuple[float, float]:
    """Share of the smaller set that lies in the other, and Jaccard index; no region means the whole country, which is like itself only."""
    if not one or not other:
        return float(one == other), float(one == other)
    return len(one & other) / min(len(one), len(other)), len(one & other) / len(one | other)


def _insert(hotspot: Hotspot) -> Insert:
    return insert(hotspots).values(id=hotspot.id, category=hotspot.category, status="new", **columns(hotspot))


def _continue(connection: Connection, known: Hotspot, found: Hotspot, now: datetime) -> str | None:
    """Bring a stored hotspot up to date; the action that went into its history, None when there was nothing to tell."""
    if without_life(known) == without_life(replace(found, id=known.id)):
        return None
    status = known.status
    row = update(hotspots).where(hotspots.c.id == known.id)
    if _recurs(known, found):
        action, status = "recurred", "recurred"
    elif known.status == "dismissed":
        # It goes on in silence: the window moves along, so that it is known again; the figures stay those it was dismissed with.
        connection.execute(row.values(last_day=found.window["to"]))
        return None
    elif known.status not in OPEN:
        return None
    elif LEVELS.index(found.level) > LEVELS.index(known.level):
        action = "escalated"
    else:
        action = "seen"
    values = columns(replace(found, id=known.id))
    if action == "recurred":
        values["alerted_level"] = None
    connection.execute(row.values(status=status, **values))
    _tell(connection, known.id, now, action, status, observed=found.observed)
    return action


def _recurs(known: Hotspot, found: Hotspot) -> bool:
    """A resolved event comes back with days after its resolution, a dismissed one when it has risen by half."""
    if known.status == "resolved":
        return found.window["to"] > known.history[-1].time.date()
    if known.status != "dismissed" or _daily(found) < _RISE * _daily(known):
        return False
    # A day or two stand out sooner than a week does: a shorter window must also hold as many complaints too many.
    return _days(found) >= _days(known) or found.observed - found.expected >= known.observed - known.expected


def _days(hotspot: Hotspot) -> int:
    return (hotspot.window["to"] - hotspot.window["from"]).days + 1


def _daily(hotspot: Hotspot) -> float:
    """Complaints a day: windows of a run may be shorter or longer than those of the run before."""
    return hotspot.observed / _days(hotspot)


def _merge(connection: Connection, key: str, found: Hotspot, taken: dict[str, Hotspot], now: datetime) -> None:
    """Close the open events that a finding covers and that this run did not find by themselves; both histories tell of it."""
    for stored in _near(connection, found):
        covered = not found.regions or (stored.regions and set(stored.regions) <= set(found.regions))
        same_channel = not found.channels or set(stored.channels) == set(found.channels)
        if stored.id in taken or stored.status not in OPEN or not covered or not same_channel:
            continue
        connection.execute(update(hotspots).where(hotspots.c.id == stored.id).values(status="resolved"))
        _tell(connection, stored.id, now, "merged", "resolved", reason=f"并入 {key}")
        _tell(connection, key, now, "merged", get(connection, key).status, reason=f"并入了 {stored.id}")


def _end(connection: Connection, now: datetime) -> None:
    """Close open events that were not found on the last days with data; days without data say nothing."""
    today = now.astimezone(BEIJING).date()
    query = select(hotspots.c.id, hotspots.c.last_day).where(
        hotspots.c.status.in_(OPEN), hotspots.c.last_day < today - timedelta(days=_QUIET_DAYS)
    )
    for key, last_day in connection.execute(query).all():
        if rollups.days_with_data(connection, last_day + timedelta(days=1), today - timedelta(days=1)) >= _QUIET_DAYS:
            connection.execute(update(hotspots).where(hotspots.c.id == key).values(status="resolved"))
            _tell(connection, key, now, "ended", "resolved")


def _tell(
    connection: Connection, key: str, now: datetime, action: str, status: HotspotStatus, observed: int | None = None, reason: str = ""
) -> None:
    record(connection, key, HotspotEvent(time=now, action=action, status=status, observed=observed, reason=reason))

"""The life of an event from run to run: it is found, grows, moves, escalates, merges with another, ends and may recur, under one id."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Insert, and_, insert, or_, select, update

from triage.hotspots.series import group_of
from triage.store import rollups
from triage.store.hotspots import LEVELS, OPEN, columns, get, query_all, read, record, without_life
from triage.store.schema import hotspots
from triage.taxonomy import load_taxonomy
from triage.types import BEIJING, Hotspot, HotspotEvent, HotspotStatus

_RISE = 1.5
"""A dismissed event stays silent until it has this many times the complaints a day that it was dismissed with."""
_SAME_PLACE = 0.5
"""Share of the smaller of two sets of regions that lies in the other from which on they may be one event that grows or moves."""
_MAIN_PART = 0.4
"""Share of a group's excess from which on a category of it is the same event."""
_SAME_THEME, _SAME_WORDS = 0.3, 0.5
"""Share of the smaller set of complaints, or of words, that two themes have in common if they are one."""
_CAUSE = 0.5
"""Share of a surge's excess from which on a theme is its cause."""
_QUIET_DAYS = 7
"""An event ends after so many days with data on which it was not found."""


def upsert(connection: Connection, found: Iterable[Hotspot], now: datetime) -> list[Hotspot]:
    """Merge all that a run found into what is stored, and return the stored hotspots that are new, escalated or recurred.

    A finding belongs to a stored event of the same category, in about the same regions, whose window overlaps or follows on its own; it
    then takes that event's id and status. Failing that, a category belongs to an event of its group of which it makes the main part, and
    the other way round. Other open events that it now covers are merged into it, events no longer found end. A run that saw nothing new
    leaves no line in the history.
    """
    found = list(found)
    raised: list[str] = []
    taken: dict[str, Hotspot] = {}
    continued: dict[int, Hotspot] = {}
    # The surest first: a group's event goes on as a category only where no finding of the group itself goes on with it.
    for likeness in ("id", "category", "group"):
        for number, hotspot in enumerate(found):
            known = None if number in continued else _same_event(connection, hotspot, taken, likeness)
            if known is not None:
                continued[number], taken[known.id] = known, hotspot
    for number, hotspot in enumerate(found):
        known = continued.get(number)
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
    """Stored events of the category, of its group or of the group's categories, of one channel or the other, whose window overlaps or
    follows on a finding's."""
    day = timedelta(days=1)
    group = group_of(hotspot.category)
    near = and_(
        hotspots.c.category.in_((hotspot.category, group)) if "." in hotspot.category else _within(group),
        hotspots.c.first_day <= hotspot.window["to"] + day,
        hotspots.c.last_day >= hotspot.window["from"] - day,
        hotspots.c.simulated == hotspot.simulated,
    )
    query = query_all().where(or_(hotspots.c.id == hotspot.id, near)).order_by(hotspots.c.last_day.desc(), hotspots.c.id)
    return read(connection, connection.execute(query).mappings().all())


def _within(group: str) -> ColumnElement[bool]:
    return or_(hotspots.c.category == group, hotspots.c.category.startswith(f"{group}.", autoescape=True))


def _same_event(
    connection: Connection, hotspot: Hotspot, taken: Mapping[str, Hotspot], likeness: Literal["id", "category", "group"]
) -> Hotspot | None:
    """The stored event that a finding continues: of those not `taken` by another finding of this run an open one, nearest in place; of
    the same id, the same category, or one of its group and the group's categories."""
    candidates = []
    for stored in _near(connection, hotspot):
        if stored.id in taken or stored.kind != hotspot.kind:
            continue
        if likeness == "id":
            if stored.id == hotspot.id:
                return stored
            continue
        shared, near = _overlap(set(stored.regions), set(hotspot.regions))
        if hotspot.kind == "theme":
            fits = _same_theme(stored, hotspot)
        else:
            fits = shared >= _SAME_PLACE and set(stored.channels) == set(hotspot.channels) and _one_cause(stored, hotspot)
        if fits and (stored.category == hotspot.category) == (likeness == "category"):
            candidates.append((stored.status != "resolved", near, stored))
    return max(candidates, key=lambda entry: entry[:2])[2] if candidates else None


def _one_cause(one: Hotspot, other: Hotspot) -> bool:
    """Whether two surges are of one category, or one of the group of which the other's category makes the main part."""
    if one.category == other.category:
        return True
    whole, part = (one, other) if "." not in one.category else (other, one)
    excess = next((p.observed - p.expected for p in whole.parts if p.kind == "category" and p.key == part.category), 0.0)
    return excess >= _MAIN_PART * (whole.observed - whole.expected)


def _same_theme(one: Hotspot, other: Hotspot) -> bool:
    """Whether two findings tell of one theme: by the complaints they share, or, some weeks later, by their words."""
    shared = len(set(one.evidence) & set(other.evidence))
    words = len(set(one.terms) & set(other.terms))
    return shared >= _SAME_THEME * min(len(one.evidence), len(other.evidence)) or words >= max(
        _SAME_WORDS * min(len(one.terms), len(other.terms)), 2
    )


def _overlap(one: set[str], other: set[str]) -> tuple[float, float]:
    """Share of the smaller set that lies in the other, and Jaccard index; no region means the whole country, which is like itself only."""
    if not one or not other:
        return float(one == other), float(one == other)
    return len(one & other) / min(len(one), len(other)), len(one & other) / len(one | other)


def _insert(hotspot: Hotspot) -> Insert:
    return insert(hotspots).values(id=hotspot.id, status="new", **columns(hotspot))


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
    reason = "" if known.category == found.category else f"{_name(known.category)} → {_name(found.category)}"
    _tell(connection, known.id, now, action, status, observed=found.observed, reason=reason)
    return action


def _name(key: str) -> str:
    taxonomy = load_taxonomy()
    return (taxonomy.categories if "." in key else taxonomy.groups)[key].name


def _recurs(known: Hotspot, found: Hotspot) -> bool:
    """A resolved event comes back with days after its resolution, a dismissed one when it has risen by half."""
    if known.status == "resolved":
        return found.window["to"] > known.history[-1].time.date()
    if known.status != "dismissed":
        return False
    # A group has many times its category's complaints: between the two the excess compares.
    of_one = known.category == found.category
    if _daily(found, of_one) < _RISE * _daily(known, of_one):
        return False
    # A day or two stand out sooner than a week does: a shorter window must also hold as many complaints too many.
    return _days(found) >= _days(known) or found.observed - found.expected >= known.observed - known.expected


def _days(hotspot: Hotspot) -> int:
    return (hotspot.window["to"] - hotspot.window["from"]).days + 1


def _daily(hotspot: Hotspot, all_of_them: bool) -> float:
    """Complaints a day, all of them or those beyond the expected: windows of a run may be shorter or longer than those of the run before."""
    return (hotspot.observed - (0.0 if all_of_them else hotspot.expected)) / _days(hotspot)


def _merge(connection: Connection, key: str, found: Hotspot, taken: dict[str, Hotspot], now: datetime) -> None:
    """Close the open events that a finding covers and that this run did not find by themselves; both histories tell of it."""
    for stored in _near(connection, found):
        if stored.id not in taken and stored.status in OPEN and _covers(found, stored):
            connection.execute(update(hotspots).where(hotspots.c.id == stored.id).values(status="resolved"))
            _tell(connection, stored.id, now, "merged", "resolved", reason=f"并入 {key}")
            _tell(connection, key, now, "merged", get(connection, key).status, reason=f"并入了 {stored.id}")


def _covers(found: Hotspot, stored: Hotspot) -> bool:
    """Whether a finding tells all that a stored event tells; a theme only goes into a surge that consists of it."""
    if found.kind == "theme":
        return stored.kind == "theme" and stored.category == found.category and _same_theme(stored, found)
    if found.regions and not (stored.regions and set(stored.regions) <= set(found.regions)):
        return False
    if stored.kind == "theme":
        excess = stored.observed - stored.expected
        return group_of(stored.category) == group_of(found.category) and excess >= _CAUSE * (found.observed - found.expected)
    return (not found.channels or set(stored.channels) == set(found.channels)) and _one_cause(found, stored)


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

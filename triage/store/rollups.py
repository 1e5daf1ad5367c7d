"""Counts per day and per hour, kept beside the complaints in the same transaction, so that the heat map never counts complaints."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, Table, func, literal, select, union_all

from triage.heatmap import CellCount
from triage.hotspots.series import Counts
from triage.regions import NATION
from triage.store.database import Database
from triage.store.schema import ALL, counts_daily, counts_hourly, counts_weekly
from triage.types import BEIJING, TrendPoint

_EPOCH = datetime(1970, 1, 1, tzinfo=BEIJING)
_MEASURES = ("n", "severe", "negative", "simulated")
_Sums = dict[tuple[str | int, ...], list[int]]


@dataclass(frozen=True, slots=True)
class Counted:
    """What the roll-ups know of one complaint. `region` is its city, or its province where the city is unknown."""

    time: datetime
    province: str
    region: str
    channel: str
    category: str
    severe: bool
    negative: bool
    simulated: bool

    @property
    def measures(self) -> tuple[int, int, int, int]:
        return 1, int(self.severe), int(self.negative), int(self.simulated)


def day_number(day: date) -> int:
    """Days since 1970-01-01.

    >>> day_number(date(1970, 1, 2))
    1
    """
    return (day - _EPOCH.date()).days


def _monday(day: int) -> int:
    return day - (day + 3) % 7  # 1970-01-01 was a Thursday


def hour_number(time: datetime) -> int:
    """Hours of Beijing time since 1970-01-01 00:00."""
    return (time - _EPOCH) // timedelta(hours=1)


def add(database: Database, connection: Connection, counted: Iterable[Counted], sign: Literal[1, -1] = 1) -> None:
    """Add complaints to all the cells that count them, or (`sign` -1) take them out."""
    daily: _Sums = {}
    weekly: _Sums = {}
    hourly: _Sums = {}
    for (cell, measures), times in Counter((_cell(one), one.measures) for one in counted).items():
        hour, province, region, category, channel = cell
        amounts = [sign * times * measure for measure in measures]
        for place in {NATION, province, region}:
            parent = _parent(place)
            for way in (channel, ALL):
                for kind in (category, ALL):
                    _bump(daily, (way, parent, hour // 24, kind, place), amounts)
                _bump(weekly, (way, parent, _monday(hour // 24), category, place), amounts)
        _bump(hourly, (hour, region, category, channel), amounts)
        for place in (NATION, province):
            _bump(hourly, (hour, place, ALL, ALL), amounts)
    _upsert(database, connection, counts_daily, daily)
    _upsert(database, connection, counts_weekly, weekly)
    _upsert(database, connection, counts_hourly, hourly)


def _bump(sums: _Sums, key: tuple[str | int, ...], amounts: Sequence[int]) -> None:
    known = sums.get(key)
    sums[key] = list(amounts) if known is None else [one + other for one, other in zip(known, amounts, strict=True)]


def _parent(region: str) -> str:
    if region == NATION:
        return ALL
    return NATION if region.endswith("0000") else f"{region[:2]}0000"


def _cell(one: Counted) -> tuple[int, str, str, str, str]:
    return hour_number(one.time), one.province, one.region, one.category, one.channel


def _upsert(database: Database, connection: Connection, table: Table, sums: _Sums) -> None:
    if not sums:
        return
    names = [*(column.name for column in table.primary_key), *_MEASURES]
    # In the order of the key: neighbouring pages, and no deadlock between two processes on PostgreSQL.
    rows = [dict(zip(names, (*cell, *amounts), strict=True)) for cell, amounts in sorted(sums.items())]
    connection.execute(_adding(database.insert, table), rows)


@lru_cache(maxsize=8)  # building it takes longer than running it for one complaint
def _adding(insert: Callable[[Table], Any], table: Table) -> Any:
    """The dialect's INSERT that adds to the measures of a row that is there already."""
    statement = insert(table)
    added = {name: table.c[name] + statement.excluded[name] for name in _MEASURES}
    return statement.on_conflict_do_update(index_elements=[column.name for column in table.primary_key], set_=added)


def cells(connection: Connection, first: date, last: date, regions: Sequence[str], channel: str | None) -> list[CellCount]:
    """Sums over the days first..last (both included) per region, all categories together under the key "".

    Regions without complaints are absent.

    Args:
        connection: where to read.
        first: first day.
        last: last day.
        regions: adcodes, NATION and UNKNOWN among them as wanted.
        channel: one channel, or None for all.
    """
    table = counts_daily
    query = select(table.c.region, table.c.category, *_measured(table))
    return _summed(connection, query.where(*_daily_where(first, last, regions, None, channel)))


def cells_by_category(
    connection: Connection, first: date, last: date, regions: Sequence[str], channel: str | None, categories: Sequence[str] | None = None
) -> list[CellCount]:
    """As `cells`, for each category (of `categories`; None = for each that there is).

    Whole weeks come from the weekly sums, the days around them from the daily ones.
    """
    begin, end = day_number(first), day_number(last) + 1
    monday = _monday(begin + 6)
    next_monday = max(_monday(end), monday)
    stretches = (
        (counts_daily, counts_daily.c.day, begin, min(monday, end)),
        (counts_weekly, counts_weekly.c.week, monday, next_monday),
        (counts_daily, counts_daily.c.day, next_monday, end),
    )
    return _summed(connection, union_all(*(_stretch(*stretch, regions, channel, categories) for stretch in stretches)))


def _stretch(
    table: Table,
    unit: ColumnElement[int],
    begin: int,
    end: int,
    regions: Sequence[str],
    channel: str | None,
    categories: Sequence[str] | None,
) -> Select[tuple[str, str, int, int, int]]:
    """Rows of begin <= unit < end: one stretch of the key per parent, which is faster than a seek for each category."""
    return select(table.c.region, table.c.category, *_measured(table)).where(
        table.c.channel == (channel or ALL),
        table.c.parent.in_({_parent(region) for region in regions}),
        unit >= begin,
        unit < end,
        table.c.category > ALL if categories is None else table.c.category.in_(categories),
        table.c.region.in_(regions),
    )


def _measured(table: Table) -> tuple[ColumnElement[int], ...]:
    return table.c.n, table.c.severe, table.c.negative


def _summed(connection: Connection, rows: Select | CompoundSelect) -> list[CellCount]:
    each = rows.subquery().c
    sums = (func.sum(each.n), func.sum(each.severe), func.sum(each.negative))
    query = select(each.region, each.category, *sums).group_by(each.category, each.region).having(sums[0] > 0)
    return [CellCount(region, category, int(n), int(severe), int(neg)) for region, category, n, severe, neg in connection.execute(query)]


def days_with_data(connection: Connection, first: date, last: date) -> int:
    """On how many of the days first..last there are complaints at all."""
    table = counts_daily
    query = select(func.count()).where(*_daily_where(first, last, [NATION], None, None), table.c.n > 0)
    return connection.scalar(query) or 0


def any_simulated(connection: Connection, first: date, last: date) -> bool:
    """Whether any complaint of the days first..last is simulated."""
    table = counts_daily
    where = (*_daily_where(first, last, [NATION], None, None), table.c.simulated > 0)
    return connection.scalar(select(literal(1)).where(*where).limit(1)) is not None


def _daily_where(
    first: date, last: date, regions: Sequence[str], categories: Sequence[str] | None, channel: str | None
) -> tuple[ColumnElement[bool], ...]:
    table = counts_daily
    return (
        table.c.channel == (channel or ALL),
        table.c.parent.in_({_parent(region) for region in regions}),
        table.c.day.in_(range(day_number(first), day_number(last) + 1)),  # a list of seeks: SQLite goes on to the category
        table.c.category.in_([ALL] if categories is None else categories),
        table.c.region.in_(regions),
    )


def by_day(
    connection: Connection, first: date, last: date, region: str, categories: Sequence[str] | None, channel: str | None
) -> list[TrendPoint]:
    """One point for each of the days first..last; days without complaints count 0. Arguments as for `cells`."""
    table = counts_daily
    query = _sums(table, table.c.day).where(*_daily_where(first, last, [region], categories, channel)).group_by(table.c.day)
    found = {row[0]: row[1:] for row in connection.execute(query)}
    days = range(day_number(first), day_number(last) + 1)
    return [_point(_EPOCH + timedelta(days=day), found.get(day)) for day in days]


def by_hour(
    connection: Connection, first: date, last: date, region: str, categories: Sequence[str] | None, channel: str | None
) -> list[TrendPoint]:
    """One point for each hour of the days first..last; hours without complaints count 0. Arguments as for `cells`."""
    table = counts_hourly
    hours = range(day_number(first) * 24, day_number(last) * 24 + 24)
    query = _sums(table, table.c.hour).where(table.c.hour.between(hours[0], hours[-1])).group_by(table.c.hour)
    is_city = not region.endswith("0000")
    if categories is None and channel is None and not is_city:
        query = query.where(table.c.region == region, table.c.category == ALL)
    else:
        query = query.where(table.c.category != ALL if categories is None else table.c.category.in_(categories))
        if is_city:
            query = query.where(table.c.region == region)
        elif region != NATION:  # a province's finest cells are its own and those of its cities
            query = query.where(table.c.region.between(region, f"{region[:2]}9999"))
        if channel is not None:
            query = query.where(table.c.channel == channel)
    found = {row[0]: row[1:] for row in connection.execute(query)}
    return [_point(_EPOCH + timedelta(hours=hour), found.get(hour)) for hour in hours]


def _sums(table: Table, unit: ColumnElement[int]) -> Select[tuple[int, int, int, int]]:
    return select(unit, func.sum(table.c.n), func.sum(table.c.severe), func.sum(table.c.negative))


def _point(time: datetime, sums: Sequence[int] | None) -> TrendPoint:
    n, severe, negative = sums or (0, 0, 0)
    return TrendPoint(time=time, count=int(n), severe=int(severe), negative=int(negative))


def counts(
    connection: Connection, first: date, last: date, categories: Sequence[str], regions: Sequence[str], channels: Sequence[str]
) -> Counts:
    """Daily counts of every category, region and channel, for surveillance.

    Args:
        connection: where to read.
        first: the day of `observed[0]`.
        last: the last day.
        categories: the second axis.
        regions: the third: provinces and UNKNOWN.
        channels: the fourth.
    """
    table = counts_daily
    start = day_number(first)
    shape = ((last - first).days + 1, len(categories), len(regions), len(channels))
    observed = np.zeros(shape, np.int32)
    column = {key: i for i, key in enumerate(categories)}
    place = {key: i for i, key in enumerate(regions)}
    query = select(table.c.day, table.c.category, table.c.region, table.c.n).where(
        table.c.parent == NATION,
        table.c.day.between(start, day_number(last)),
        table.c.category > ALL,
    )
    # One channel after the other: at most a few hundred thousand rows at a time.
    for i, channel in enumerate(channels):
        rows = connection.execute(query.where(table.c.channel == channel)).all()
        for day, category, region, n in rows:
            if category in column and region in place:
                observed[day - start, column[category], place[region], i] = n
    return Counts(first, tuple(categories), tuple(regions), tuple(channels), observed, any_simulated(connection, first, last))

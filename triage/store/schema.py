"""The tables. Days and hours of the roll-ups are whole numbers since 1970-01-01 00:00 Beijing time: `day` counts days, `hour` hours.

Read a day in SQL: `date(day * 86400, 'unixepoch')` (SQLite), `date '1970-01-01' + day` (PostgreSQL).
"""

from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from triage.types import BEIJING

SCHEMA_VERSION = 2
ALL = ""
"""Category and channel of a roll-up row that stands for all of them."""


class BeijingTime(TypeDecorator[datetime]):
    """An aware datetime, stored as Beijing wall-clock time: sorts alike and reads alike in SQLite and PostgreSQL."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> datetime | None:
        return None if value is None else value.astimezone(BEIJING).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:
        return None if value is None else value.replace(tzinfo=BEIJING)


metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# category ... needs_review are the labels in force: the model's, or a person's after a correction. The model's own stay in `triages`.
# The body holds masked text only; content_hash is taken after masking, so that it cannot be used to guess what was masked.
complaints = Table(
    "complaints",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("source_id", Text),
    Column("content_hash", Text, nullable=False),
    Column("time", BeijingTime, nullable=False),
    Column("province", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("sentiment", Text, nullable=False),
    Column("needs_review", Boolean, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("stored_at", BeijingTime, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("source", "source_id"),
    # Lists are read latest first; every filter stands in the index, so that only what is shown is fetched.
    Index("complaints_by_time", "time", "seq", "category", "province", "region", "channel", "severity", "sentiment", "needs_review"),
)

triages = Table(
    "triages",
    metadata,
    Column("seq", Integer, ForeignKey("complaints.seq"), primary_key=True),
    Column("model", Text, nullable=False),
    Column("body", Text, nullable=False),
)

corrections = Table(
    "corrections",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("seq", Integer, ForeignKey("complaints.seq"), nullable=False, index=True),
    Column("person", Text, nullable=False),
    Column("time", BeijingTime, nullable=False),
    Column("category", Text),
    Column("severity", SmallInteger),
    Column("sentiment", Text),
    Column("reason", Text, nullable=False),
)


def _measures() -> list[Column]:
    """n complaints, of which severe (level 3 or 4), negative in sentiment, simulated."""
    return [Column(name, Integer, nullable=False) for name in ("n", "severe", "negative", "simulated")]


# A complaint counts in every combination of {its region, its province, the nation} x {its category, ALL} x {its channel, ALL}.
# The regions of one parent, category and day lie side by side (one seek reads a line of the map), and so do the cells of one day (what
# comes in today touches few pages). `parent`: the province of a city, NATION of a province and of UNKNOWN, "" of NATION.
counts_daily = Table(
    "counts_daily",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("parent", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("category", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    *_measures(),
    sqlite_with_rowid=False,
)

# The same by week (`week` = day number of its Monday), single categories only: a month's line per category is read from a third of the rows.
counts_weekly = Table(
    "counts_weekly",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("parent", Text, primary_key=True),
    Column("week", Integer, primary_key=True, autoincrement=False),
    Column("category", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    *_measures(),
    sqlite_with_rowid=False,
)

# Finest cells, and for each hour one row (ALL, ALL) per province and one for the nation.
counts_hourly = Table(
    "counts_hourly",
    metadata,
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("region", Text, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    *_measures(),
    sqlite_with_rowid=False,
)

# body: the hotspot as the last run saw it, without status and history. alerted_level: what the webhook has been told, None = nothing.
hotspots = Table(
    "hotspots",
    metadata,
    Column("id", Text, primary_key=True),
    Column("category", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("alerted_level", Text),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Index("hotspots_by_day", "last_day"),
)

hotspot_events = Table(
    "hotspot_events",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("hotspot_id", Text, ForeignKey("hotspots.id"), nullable=False, index=True),
    Column("time", BeijingTime, nullable=False),
    Column("action", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("observed", Integer),
)

runs = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("started_at", BeijingTime, nullable=False),
    Column("seconds", Float),
    Column("state", Text, nullable=False),
    Column("found", Integer),
    Column("error", Text, nullable=False),
    Column("settings", Text, nullable=False, server_default=""),
)

# What the runs were set to, once for each fingerprint: so an alert of last month can be explained.
run_settings = Table(
    "run_settings",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

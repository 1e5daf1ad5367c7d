"""Connections and transactions: many readers, one writer."""

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, inspect, make_url, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from triage.errors import ConfigError
from triage.store.schema import SCHEMA_VERSION, meta, metadata, run_settings

_INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_PRAGMAS = (
    "journal_mode=WAL",  # readers go on while one writes
    "synchronous=NORMAL",  # safe with WAL: a power cut loses the last commits, never the file
    "busy_timeout=15000",  # milliseconds to wait for a writer in another process
    "foreign_keys=ON",
    "cache_size=-65536",  # KiB a connection
    "temp_store=MEMORY",
)


class Database:
    """An engine, and the lock that lets one thread write at a time, so that no thread of this process sees "database is locked"."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")
        self._lock = threading.RLock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection in a read transaction: everything it sees is of one moment."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection in a write transaction, committed at the end, rolled back when an error leaves the block."""
        with self._lock, self._writer.begin() as connection:
            yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT, in the database's own dialect."""
        return _INSERT[self.engine.dialect.name](table)

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Connect, and create the tables where there are none.

    Args:
        url: SQLAlchemy URL of an SQLite file or a PostgreSQL database, or just the path of an SQLite file.

    Raises:
        ConfigError: when the URL is none, the database cannot be opened or written, or was written by a newer release.
    """
    try:
        parsed = make_url(url if re.match(r"[\w+]+:", url) else f"sqlite:///{url}")
    except ArgumentError:
        raise ConfigError(f"database: got {url!r}, expected a URL such as sqlite:///var/triage.db") from None
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() not in _INSERT:
        raise ConfigError(f"database: got {shown}, expected sqlite:///FILE or postgresql+psycopg://HOST/NAME")
    try:
        database = Database(_engine(parsed))
        _prepare(database)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigError(f"database: the driver for {shown} is not installed ({error})") from None
    except (DBAPIError, OSError) as error:
        reason = getattr(error, "orig", error)
        raise ConfigError(f"database: cannot open {shown}: {reason}") from error
    return database


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=10, max_overflow=40)
    if not url.database or url.database == ":memory:":
        raise ConfigError("database: SQLite in memory differs from connection to connection, expected a file: sqlite:///FILE")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=10, max_overflow=40)

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # the driver leaves BEGIN to us
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that will write says so at once: one that reads first and writes later cannot wait for another writer.
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _prepare(database: Database) -> None:
    """Create the tables of an empty database; look at the version of any other."""
    with database.read() as connection:
        exists = inspect(connection).has_table(meta.name)
    if not exists:
        with database.write() as connection:
            metadata.create_all(connection)
            row = database.insert(meta).values(key="schema_version", value=str(SCHEMA_VERSION))
            connection.execute(row.on_conflict_do_nothing())
    with database.read() as connection:
        found = connection.scalar(select(meta.c.value).where(meta.c.key == "schema_version"))
    if found == "1":
        found = _from_version_1(database)
    if found is None or int(found) != SCHEMA_VERSION:
        advice = "install a newer release" if found and int(found) > SCHEMA_VERSION else "start with a new database"
        raise ConfigError(f"database: its schema has version {found}, this release expects {SCHEMA_VERSION}: {advice}")


def _from_version_1(database: Database) -> str:
    """Version 2 records what each run of the detection was set to."""
    with database.write() as connection:
        connection.execute(text("ALTER TABLE runs ADD COLUMN settings TEXT NOT NULL DEFAULT ''"))
        run_settings.create(connection, checkfirst=True)
        connection.execute(update(meta).where(meta.c.key == "schema_version").values(value="2"))
    return "2"

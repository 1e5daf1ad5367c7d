"""Store: complaints, their counts and hotspots behind one door; all the SQL of the product lies in this package."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from types import TracebackType
from typing import Self

from sqlalchemy import select

from triage.heatmap import CellCount
from triage.hotspots.series import Counts
from triage.regions import UNKNOWN, load_regions
from triage.store import complaints, events, hotspots, rollups, runs
from triage.store.complaints import AddResult, Filters, Page
from triage.store.database import Database, open_database
from triage.store.hotspots import Action, Precision
from triage.store.runs import Run
from triage.store.schema import complaints as complaints_table
from triage.store.texts import StoredTexts
from triage.taxonomy import load_taxonomy
from triage.types import BEIJING, Complaint, Correction, Hotspot, HotspotStatus, Record, TrendPoint, Triage


class Store:
    """Every method is one transaction and may be called from any thread."""

    def __init__(self, database: Database):
        self._database = database
        self._taxonomy = load_taxonomy()

    @classmethod
    def open(cls, url: str) -> Self:
        """Open a database, making its tables where there are none.

        Args:
            url: `sqlite:///FILE`, `postgresql+psycopg://...`, or the path of an SQLite file.

        Raises:
            ConfigError: when it cannot be opened, or a newer release has written it.
        """
        return cls(open_database(url))

    def close(self) -> None:
        """Give back all connections."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # Complaints

    def add(self, items: Sequence[tuple[Complaint, Triage]]) -> list[AddResult]:
        """Mask and store complaints with their triages and count them, all in one transaction.

        A complaint whose (source, source id) is stored already is left as it is: `created` is False, and `conflict` says whether
        it now came with another content. The others are stored none the less.
        """
        with self._database.write() as connection:
            return complaints.add(self._database, connection, items, datetime.now(BEIJING))

    def get(self, key: str) -> Record:
        """One record with the labels in force: the model's, or a person's where corrected. Raises: NotFoundError."""
        with self._database.read() as connection:
            return complaints.get(connection, key, self._taxonomy)

    def search(self, filters: Filters, limit: int = 50, cursor: str | None = None) -> Page:
        """Records that pass all filters, latest first, `limit` at a time. Raises: InputError for a cursor no page carried."""
        with self._database.read() as connection:
            return complaints.search(connection, filters, limit, cursor, self._taxonomy)

    def correct(self, key: str, correction: Correction) -> Record:
        """Keep a person's correction; the counts move with it. Raises: NotFoundError."""
        with self._database.write() as connection:
            return complaints.correct(self._database, connection, key, correction, self._taxonomy)

    def corrections(self) -> list[Record]:
        """Every record that a person corrected, oldest first, with the corrected labels in force."""
        with self._database.read() as connection:
            return list(complaints.corrected(connection, self._taxonomy))

    def is_empty(self) -> bool:
        """Whether no complaint is stored."""
        with self._database.read() as connection:
            return connection.scalar(select(complaints_table.c.seq).limit(1)) is None

    def texts(self) -> StoredTexts:
        """The masked texts, for the words that explain a hotspot."""
        return StoredTexts(self._database, self._taxonomy)

    # Counts

    def cells(self, first: date, last: date, regions: Sequence[str], channel: str | None = None) -> list[CellCount]:
        """Sums over the days first..last, both included, per region; all categories together under the key "".

        Args:
            first: first day.
            last: last day.
            regions: adcodes of provinces and cities, NATION, UNKNOWN; those without complaints are absent from the answer.
            channel: one channel; None = all.
        """
        with self._database.read() as connection:
            return rollups.cells(connection, first, last, regions, channel)

    def cells_by_category(
        self, first: date, last: date, regions: Sequence[str], channel: str | None = None, categories: Sequence[str] | None = None
    ) -> list[CellCount]:
        """As `cells`, with a row for each category: of `categories`, or of all there are."""
        with self._database.read() as connection:
            return rollups.cells_by_category(connection, first, last, regions, channel, categories)

    def days_with_data(self, first: date, last: date) -> int:
        """On how many of the days first..last complaints are stored."""
        with self._database.read() as connection:
            return rollups.days_with_data(connection, first, last)

    def any_simulated(self, first: date, last: date) -> bool:
        """Whether any complaint of the days first..last is simulated."""
        with self._database.read() as connection:
            return rollups.any_simulated(connection, first, last)

    def daily(
        self, first: date, last: date, region: str, categories: Sequence[str] | None = None, channel: str | None = None
    ) -> list[TrendPoint]:
        """One point per day first..last, those without complaints included. `region`: an adcode or NATION."""
        with self._database.read() as connection:
            return rollups.by_day(connection, first, last, region, categories, channel)

    def hourly(
        self, first: date, last: date, region: str, categories: Sequence[str] | None = None, channel: str | None = None
    ) -> list[TrendPoint]:
        """One point per hour of the days first..last, those without complaints included."""
        with self._database.read() as connection:
            return rollups.by_hour(connection, first, last, region, categories, channel)

    def counts(self, first: date, last: date) -> Counts:
        """Daily counts per category, province (UNKNOWN included) and channel: what hotspots are found in."""
        regions = [*(province.adcode for province in load_regions().provinces), UNKNOWN]
        with self._database.read() as connection:
            return rollups.counts(connection, first, last, tuple(self._taxonomy.categories), regions, tuple(self._taxonomy.channels))

    # Hotspots

    def upsert_hotspots(self, found: Iterable[Hotspot], now: datetime) -> list[Hotspot]:
        """Merge all that a run found into the stored hotspots; returns those that are new, escalated or recurred."""
        with self._database.write() as connection:
            return events.upsert(connection, found, now)

    def hotspot(self, key: str) -> Hotspot:
        """One hotspot with its history. Raises: NotFoundError."""
        with self._database.read() as connection:
            return hotspots.get(connection, key)

    def hotspots(
        self,
        statuses: Sequence[HotspotStatus] = (),
        categories: Sequence[str] = (),
        region: str | None = None,
        limit: int = 100,
    ) -> list[Hotspot]:
        """Hotspots, open ones first, then by level and last day; empty arguments do not restrict."""
        with self._database.read() as connection:
            return hotspots.find(connection, statuses, categories, region, limit)

    def set_hotspot_status(self, key: str, action: Action, person: str, reason: str, now: datetime) -> Hotspot:
        """Write a person's verdict into a hotspot's history. Raises: NotFoundError; ConflictError when its status forbids it."""
        with self._database.write() as connection:
            return hotspots.judge(connection, key, action, person, reason, now)

    def hotspot_precision(self) -> Precision:
        """People's last verdicts on all hotspots."""
        with self._database.read() as connection:
            return hotspots.precision(connection)

    def unalerted_hotspots(self) -> list[Hotspot]:
        """Open hotspots of which the webhook has not been told at their present level."""
        with self._database.read() as connection:
            return hotspots.unalerted(connection)

    def mark_alerted(self, hotspot: Hotspot) -> None:
        """Remember that the webhook was told of this hotspot at its present level."""
        with self._database.write() as connection:
            hotspots.mark_alerted(connection, hotspot)

    def begin_run(self, now: datetime, settings: str = "") -> int:
        """Record that a run of the detection begins, and the JSON of what it is set to; its number."""
        with self._database.write() as connection:
            return runs.begin(connection, now, settings)

    def end_run(self, number: int, seconds: float, found: int | None = None, error: str = "") -> None:
        """Record how a run ended: with `found` hotspots, or with an `error`."""
        with self._database.write() as connection:
            runs.end(connection, number, seconds, found, error)

    def runs(self, limit: int = 20) -> list[Run]:
        """The latest runs of the detection, latest first."""
        with self._database.read() as connection:
            return runs.latest(connection, limit)

    def run_settings(self, key: str) -> str:
        """The JSON behind the fingerprint of a run's settings. Raises: NotFoundError."""
        with self._database.read() as connection:
            return runs.settings(connection, key)

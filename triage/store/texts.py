"""Masked texts of complaints, for the words that explain a hotspot."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from triage.hotspots.topics import DatedText
from triage.store import codec
from triage.store.complaints import Filters, conditions
from triage.store.database import Database
from triage.store.schema import complaints
from triage.taxonomy import Taxonomy
from triage.types import Complaint, Window


class StoredTexts:
    """Reads (id, masked customer text) pairs, latest first."""

    def __init__(self, database: Database, taxonomy: Taxonomy):
        self._database = database
        self._taxonomy = taxonomy

    def sample(self, category: str, regions: Sequence[str], window: Window, limit: int) -> list[tuple[str, str]]:
        """Texts of a category (or group) in some regions (none = all) within a window.

        Raises:
            InputError: when there is no such category or group.
        """
        return self._read(self._taxonomy.within(category), regions, window["from"], window["to"], limit)

    def dated(self, category: str, window: Window, limit: int) -> list[DatedText]:
        """The latest texts of a category (or group) within a window with their time and province, at most `limit`.

        Raises:
            InputError: when there is no such category or group.
        """
        filters = Filters(first=window["from"], last=window["to"], categories=tuple(self._taxonomy.within(category)))
        query = select(complaints.c.id, complaints.c.time, complaints.c.province, complaints.c.body).where(*conditions(filters))
        query = query.order_by(complaints.c.time.desc(), complaints.c.seq.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [DatedText(key, codec.load(Complaint, body).customer_text, time, region=province) for key, time, province, body in rows]

    def _read(self, categories: Sequence[str], regions: Sequence[str], first: date, last: date, limit: int) -> list[tuple[str, str]]:
        filters = Filters(first=first, last=last, categories=tuple(categories), regions=tuple(regions))
        query = select(complaints.c.id, complaints.c.body).where(*conditions(filters))
        query = query.order_by(complaints.c.time.desc(), complaints.c.seq.desc()).limit(limit)
        with self._database.read() as connection:
            return [(key, codec.load(Complaint, body).customer_text) for key, body in connection.execute(query)]

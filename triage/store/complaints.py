"""Complaints, their triages and people's corrections."""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, insert, or_, select, tuple_, update

from triage.errors import InputError, NotFoundError
from triage.privacy import redact
from triage.regions import UNKNOWN, load_regions
from triage.store import codec, rollups
from triage.store.database import Database
from triage.store.schema import complaints, corrections, triages
from triage.taxonomy import Taxonomy
from triage.types import BEIJING, Complaint, Correction, Label, Record, Sentiment, Severity, Triage
from triage.workdays import add_working_days

SEVERE = 3
"""From this level on a complaint counts as severe (3 严重, 4 重大)."""
_LOOKUP = 400  # keys per query: SQLite allows 32,766 parameters, older builds 999


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of one complaint.

    Attributes:
        id: of the stored record.
        created: False when the same (source, source id) was stored before.
        triage: as stored, so with personal data masked and spans counted in the masked text.
        conflict: another content is stored under this (source, source id); `triage` is the stored one, nothing was changed.
    """

    id: str
    created: bool
    triage: Triage
    conflict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which complaints to list; None and empty tuples do not restrict. Days are both included."""

    first: date | None = None
    last: date | None = None
    categories: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    severity: int | None = None
    sentiment: str | None = None
    needs_review: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Records, latest first, and the cursor that continues the list (None at its end)."""

    records: tuple[Record, ...]
    next: str | None


def record_id(source: str, source_id: str) -> str:
    """The id of a record: the same for the same complaint of the same source, whenever and wherever it is sent."""
    return str(uuid5(NAMESPACE_URL, f"complaint:{source}:{source_id}"))


def content_hash(complaint: Complaint) -> str:
    """SHA-256 over what was said, where and through which channel. Times are left out: senders stamp a repeated call anew."""
    said = [(turn.speaker, turn.text) for turn in complaint.turns] or complaint.text
    return hashlib.sha256(codec.dump([said, complaint.channel, complaint.region]).encode()).hexdigest()


def add(database: Database, connection: Connection, items: Sequence[tuple[Complaint, Triage]], now: datetime) -> list[AddResult]:
    """Mask and store complaints with their triages, and count them; one result per item, in order."""
    masked = [redact(complaint, triage) for complaint, triage in items]
    stored = _find(connection, [complaint for complaint, _ in masked])
    results: list[AddResult] = []
    rows: list[dict[str, object]] = []
    models: list[tuple[str, Triage]] = []
    counted: list[rollups.Counted] = []
    for complaint, triage in masked:
        key = (complaint.source, complaint.source_id)
        digest = content_hash(complaint)
        if complaint.source_id is not None and key in stored:
            record, known, before = stored[key]
            results.append(AddResult(record, False, before, conflict=known != digest))
            continue
        row = _row(complaint, triage, digest, now)
        stored[key] = (complaint.id, digest, triage)
        rows.append(row)
        models.append((complaint.id, triage))
        counted.append(_counted(row))
        results.append(AddResult(complaint.id, True, triage))
    if rows:
        connection.execute(insert(complaints), rows)
        numbers = _numbers(connection, [key for key, _ in models])
        connection.execute(
            insert(triages), [{"seq": numbers[key], "model": triage.model, "body": codec.dump(triage)} for key, triage in models]
        )
        rollups.add(database, connection, counted)
    return results


def _find(connection: Connection, wanted: Sequence[Complaint]) -> dict[tuple[str, str | None], tuple[str, str, Triage]]:
    """(source, source id) -> (id, content hash, triage) of those that are stored already."""
    keys = [(complaint.source, complaint.source_id) for complaint in wanted if complaint.source_id is not None]
    query = select(complaints.c.source, complaints.c.source_id, complaints.c.id, complaints.c.content_hash, triages.c.body).join(triages)
    found: dict[tuple[str, str | None], tuple[str, str, Triage]] = {}
    for start in range(0, len(keys), _LOOKUP):
        chosen = query.where(tuple_(complaints.c.source, complaints.c.source_id).in_(keys[start : start + _LOOKUP]))
        for source, source_id, key, digest, body in connection.execute(chosen):
            found[source, source_id] = (key, digest, codec.load(Triage, body))
    return found


def _numbers(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    query = select(complaints.c.id, complaints.c.seq)
    found: dict[str, int] = {}
    for start in range(0, len(ids), _LOOKUP):
        found.update((key, seq) for key, seq in connection.execute(query.where(complaints.c.id.in_(ids[start : start + _LOOKUP]))))
    return found


def _row(complaint: Complaint, triage: Triage, digest: str, now: datetime) -> dict[str, object]:
    region = triage.region or UNKNOWN
    return {
        "id": complaint.id,
        "source": complaint.source,
        "source_id": complaint.source_id,
        "content_hash": digest,
        "time": complaint.time,
        "province": load_regions().province_of(region),
        "region": region,
        "channel": triage.channel,
        "category": triage.category.key,
        "severity": triage.severity.level,
        "sentiment": triage.sentiment.label,
        "needs_review": triage.needs_review,
        "simulated": complaint.simulated,
        "stored_at": now,
        "body": codec.dump(complaint),
    }


def _counted(row: RowMapping | dict[str, object]) -> rollups.Counted:
    return rollups.Counted(
        time=row["time"],
        province=row["province"],
        region=row["region"],
        channel=row["channel"],
        category=row["category"],
        severe=row["severity"] >= SEVERE,
        negative=row["sentiment"] == "negative",
        simulated=row["simulated"],
    )


def get(connection: Connection, key: str, taxonomy: Taxonomy) -> Record:
    """One record with the labels in force. Raises: NotFoundError."""
    row = connection.execute(_records().where(complaints.c.id == key)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"complaint {key!r} is not stored")
    return _read(connection, [row], taxonomy)[0]


def search(connection: Connection, filters: Filters, limit: int, cursor: str | None, taxonomy: Taxonomy) -> Page:
    """Records that pass all filters, latest first.

    Raises:
        InputError: when the cursor is not one that a page carried.
    """
    query = _records().where(*conditions(filters))
    if cursor is not None:
        moment, seq = _parse_cursor(cursor)
        before = complaints.c.time < moment
        query = query.where(complaints.c.time <= moment, or_(before, and_(complaints.c.time == moment, complaints.c.seq < seq)))
    query = query.order_by(complaints.c.time.desc(), complaints.c.seq.desc()).limit(limit + 1)
    rows = connection.execute(query).mappings().all()
    shown = rows[:limit]
    more = _cursor(shown[-1]) if len(rows) > limit else None
    return Page(tuple(_read(connection, shown, taxonomy)), more)


def _records() -> Select:
    return select(complaints, triages.c.body.label("triage")).join(triages)


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """The filters as SQL over the table of complaints."""
    table = complaints.c
    found: list[ColumnElement[bool]] = []
    if filters.first is not None:
        found.append(table.time >= datetime.combine(filters.first, time(), BEIJING))
    if filters.last is not None:
        found.append(table.time < datetime.combine(filters.last + timedelta(days=1), time(), BEIJING))
    if filters.categories:
        found.append(table.category.in_(filters.categories))
    if filters.ids:
        found.append(table.id.in_(filters.ids))
    if filters.channels:
        found.append(table.channel.in_(filters.channels))
    if filters.regions:
        provinces = [code for code in filters.regions if code.endswith("0000")]
        cities = [code for code in filters.regions if not code.endswith("0000")]
        within_cities = and_(table.province.in_({load_regions().province_of(code) for code in cities}), table.region.in_(cities))
        found.append(or_(table.province.in_(provinces), within_cities) if cities else table.province.in_(provinces))
    for column, wanted in (
        (table.severity, filters.severity),
        (table.sentiment, filters.sentiment),
        (table.needs_review, filters.needs_review),
    ):
        if wanted is not None:
            found.append(column == wanted)
    return found


def _cursor(row: RowMapping) -> str:
    return base64.urlsafe_b64encode(f"{row['time'].isoformat()} {row['seq']}".encode()).decode()


def _parse_cursor(cursor: str) -> tuple[datetime, int]:
    try:
        moment, seq = base64.urlsafe_b64decode(cursor).decode().split(" ")
        return datetime.fromisoformat(moment), int(seq)
    except (binascii.Error, ValueError):
        raise InputError("cursor", cursor, "the value of `next` of the page before") from None


def _read(connection: Connection, rows: Sequence[RowMapping], taxonomy: Taxonomy) -> list[Record]:
    changes: dict[int, list[Correction]] = {}
    for start in range(0, len(rows), _LOOKUP):
        numbers = [row["seq"] for row in rows[start : start + _LOOKUP]]
        query = select(corrections).where(corrections.c.seq.in_(numbers)).order_by(corrections.c.number)
        for row in connection.execute(query).mappings():
            changes.setdefault(row["seq"], []).append(_correction(row))
    records = []
    for row in rows:
        history = tuple(changes.get(row["seq"], ()))
        records.append(
            Record(
                id=row["id"],
                complaint=codec.load(Complaint, row["body"]),
                triage=in_force(codec.load(Triage, row["triage"]), row["time"], history, taxonomy),
                corrections=history,
                stored_at=row["stored_at"],
            )
        )
    return records


def _correction(row: RowMapping) -> Correction:
    return Correction(**{name: row[name] for name in ("person", "time", "category", "severity", "sentiment", "reason")})


def in_force(triage: Triage, told: datetime, history: Iterable[Correction], taxonomy: Taxonomy) -> Triage:
    """The triage with people's corrections applied: what a person said is certain (confidence 1) and needs no review.

    Department and time limits follow the category and the level; limits still run from the day of the complaint, `told`.
    The model's first choice moves to the head of the alternatives.
    """
    for correction in history:
        triage = replace(triage, needs_review=False, review_reasons=())
        if correction.category is not None and correction.category != triage.category.key:
            chosen = taxonomy.category(correction.category)
            others = tuple(label for label in (triage.category, *triage.alternatives) if label.key != chosen.key)
            label = Label(chosen.key, chosen.name, 1.0)
            limits = taxonomy.handlings[chosen.handling]
            triage = replace(
                triage,
                category=label,
                alternatives=others,
                department=chosen.department,
                evidence=(),
                first_answer_due=add_working_days(told, limits.first_answer_days),
                due=add_working_days(told, limits.close_days),
            )
        if correction.severity is not None:
            reasons = (f"人工改为{taxonomy.severities[correction.severity]}",)
            severity = Severity(correction.severity, taxonomy.severities[correction.severity], 1.0, reasons)
            reported = correction.severity == max(taxonomy.severities)
            report_due = told + timedelta(hours=taxonomy.report_hours) if reported else None
            triage = replace(triage, severity=severity, report_due=report_due)
        if correction.sentiment is not None:
            triage = replace(triage, sentiment=Sentiment(correction.sentiment, 1.0))
    return triage


def correct(database: Database, connection: Connection, key: str, correction: Correction, taxonomy: Taxonomy) -> Record:
    """Keep a person's correction and move the counts with it. Raises: NotFoundError."""
    row = connection.execute(select(complaints).where(complaints.c.id == key)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"complaint {key!r} is not stored")
    changed = {name: value for name in ("category", "severity", "sentiment") if (value := getattr(correction, name)) is not None}
    values = {"seq": row["seq"], "person": correction.person, "time": correction.time, "reason": correction.reason, **changed}
    connection.execute(insert(corrections), values)
    connection.execute(update(complaints).where(complaints.c.seq == row["seq"]).values(needs_review=False, **changed))
    rollups.add(database, connection, [_counted(row)], sign=-1)
    rollups.add(database, connection, [_counted({**row, **changed})])
    return get(connection, key, taxonomy)


def corrected(connection: Connection, taxonomy: Taxonomy) -> Iterable[Record]:
    """Every record that a person corrected, oldest first: what a model should learn from next."""
    query = _records().where(complaints.c.seq.in_(select(corrections.c.seq))).order_by(complaints.c.seq)
    return _read(connection, connection.execute(query).mappings().all(), taxonomy)

"""Complaints of the service's database in the format of the corpus: what people corrected comes back as training data."""

from collections.abc import Iterator

from triage.store import Store
from triage.store.complaints import Filters
from triage.types import Record

BATCH = "corrections"
_PAGE = 500


def corrected_rows(store: Store) -> Iterator[dict[str, object]]:
    """A row for each complaint that a person corrected, with the labels this person gave; a label nobody looked at stays empty.

    Simulated complaints are left out: their texts were varied from the corpus, which has them already.
    """
    return (_row(record) for record in store.corrections() if not record.complaint.simulated)


def all_rows(store: Store) -> Iterator[dict[str, object]]:
    """A row for each stored complaint, latest first, labelled where a person corrected it: for `triage review --unlabelled`."""
    cursor = None
    while True:
        page = store.search(Filters(), _PAGE, cursor)
        yield from (_row(record) for record in page.records if not record.complaint.simulated)
        if page.next is None:
            return
        cursor = page.next


def _row(record: Record) -> dict[str, object]:
    complaint = record.complaint
    given: dict[str, object] = {"category": None, "severity": None, "sentiment": None}
    for correction in record.corrections:
        given |= {head: label for head in given if (label := getattr(correction, head)) is not None}
    said: dict[str, object] = {"text": complaint.text}
    if complaint.turns:
        said = {"turns": [{"speaker": turn.speaker, "text": turn.text} for turn in complaint.turns]}
    return {
        "id": record.id, **said, "channel": record.triage.channel, "region": record.triage.region,
        "time": complaint.time.isoformat(timespec="seconds"), **given, "batch": BATCH,
    }  # fmt: skip

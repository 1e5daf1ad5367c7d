"""What comes in becomes a `Complaint` here, from HTTP as from a file: the one place that says what a complaint must be."""

import re
from datetime import datetime, timedelta
from uuid import uuid4

from service.schemas import ComplaintIn
from triage.errors import InputError
from triage.regions import load_regions
from triage.store import record_id
from triage.taxonomy import load_taxonomy
from triage.types import BEIJING, Complaint, Turn

MAX_CHARACTERS = 20_000
MAX_TURNS = 2_000
FIRST_YEAR = 2005  # the working-day calendar begins with 2004
AHEAD = timedelta(minutes=10)
"""So far may a sender's clock be ahead of ours."""
_WORDS = re.compile(r"[^\W_]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def complaint_from(body: ComplaintIn, now: datetime, simulated: bool = False, name: str | None = None) -> Complaint:
    """Check a complaint and name its channel and region by their keys.

    Args:
        body: what was sent; a time without a zone is Beijing time.
        now: the time of a complaint that gives none, and (with ten minutes' grace) the latest that one may give.
        simulated: whether it was made up.
        name: its id; None makes one, from source and source_id where it has both.

    Raises:
        InputError: names the field, what was found and what was expected; the text itself is never repeated.
    """
    turns = tuple(Turn(speaker=turn.speaker, text=_clean(turn.text), time=_aware(turn.time)) for turn in body.turns)
    complaint = Complaint(
        id=name or (record_id(body.source, body.source_id) if body.source_id else str(uuid4())),
        text=_clean(body.text),
        turns=turns,
        channel=load_taxonomy().channel_key(body.channel) if body.channel.strip() else "other",
        region=load_regions().resolve(body.region) if body.region.strip() else None,
        time=_time(body.time, now),
        source=body.source,
        source_id=body.source_id or None,
        simulated=simulated,
    )
    _check_words(complaint)
    return complaint


def _clean(text: str) -> str:
    """Control characters become spaces, one for one; PostgreSQL cannot store NUL."""
    return _CONTROL.sub(" ", text)


def _aware(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=BEIJING) if time is not None and time.tzinfo is None else time


def _time(time: datetime | None, now: datetime) -> datetime:
    if time is None:
        return now.astimezone(BEIJING)
    stated = _aware(time)
    if stated > now + AHEAD:
        raise InputError("time", time.isoformat(), f"a time not after the present, {now.astimezone(BEIJING).isoformat(timespec='seconds')}")
    if stated.year < FIRST_YEAR:
        raise InputError("time", time.isoformat(), f"a time from {FIRST_YEAR} on")
    return stated.astimezone(BEIJING)


def _check_words(complaint: Complaint) -> None:
    field = "turns" if complaint.turns else "text"
    if complaint.turns and complaint.text:
        raise InputError("text", f"{len(complaint.text)} characters beside turns", "either text or turns")
    if len(complaint.turns) > MAX_TURNS:
        raise InputError("turns", f"{len(complaint.turns)} turns", f"at most {MAX_TURNS}")
    length = len(complaint.text) + sum(len(turn.text) for turn in complaint.turns)
    if length > MAX_CHARACTERS:
        raise InputError(field, f"{length} characters", f"at most {MAX_CHARACTERS}")
    if not _WORDS.search(complaint.customer_text):
        expected = "at least one turn of the customer with words" if complaint.turns else "a text with words, not blank or symbols only"
        raise InputError(field, f"{len(complaint.customer_text)} characters without a word", expected)

"""Rows of a file become triages: block by block, in order, in one process or several. Behind `triage tag`."""

import gc
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from service.exception_handlers import problem_of
from service.importing import complaint_of
from triage.artifact import load, served_folder
from triage.classify import Classifier
from triage.errors import InputError
from triage.privacy import prepare
from triage.tables import Row
from triage.tagger import BLOCK, HEADS, Tagger, tags_bank_complaints
from triage.types import Complaint, Triage

_log = logging.getLogger("triage.tagging")

Answer = Triage | dict[str, object]
"""A triage; for a model with other heads `{"id", "<head>": {"key", "confidence"}}`; for a row that cannot be tagged `{"id", "error"}`."""


def tag_rows(
    rows: Iterable[Row], model: Path | None, columns: Mapping[str, str], now: datetime, workers: int = 1, fast: bool = False
) -> Iterator[Answer]:
    """Answer rows in order; nothing is lost: a row that cannot be tagged is answered with its error.

    Args:
        rows: from `triage.tables.read_rows`.
        model: its folder; None = the one that is served.
        columns: column -> field of a complaint (`service.importing.FIELDS`), for columns that are not called like their field.
        now: the time of complaints that give none.
        workers: processes; each loads the model and takes blocks of rows.
        fast: see `triage.artifact.load`.

    Raises:
        ArtifactError: the model cannot be loaded.
    """
    threads = 0 if workers == 1 else 1  # processes share the cores already
    _engine(model, threads, fast)  # a model that cannot be loaded shows here, before any process is started
    remaining = iter(rows)
    blocks = iter(lambda: tuple(islice(remaining, BLOCK)), ())
    if workers == 1:
        for block in blocks:
            yield from _answer(block, model, threads, fast, columns, now)
        return
    with ProcessPoolExecutor(workers) as pool:
        waiting: deque[Future[list[Answer]]] = deque()
        for block in blocks:
            waiting.append(pool.submit(_answer, block, model, threads, fast, columns, now))
            if len(waiting) > 2 * workers:  # so many blocks are in memory at most
                yield from waiting.popleft().result()
        for done in waiting:
            yield from done.result()


def flat(answer: Answer) -> dict[str, object]:
    """One level of columns, for spreadsheets: names beside keys, lists joined."""
    if isinstance(answer, dict):
        row: dict[str, object] = {"id": answer["id"]}
        for head, value in answer.items():
            if head == "error":
                row["error"] = value["detail"]
            elif head != "id":
                row |= {head: value["key"], f"{head}_confidence": value["confidence"]}
        return row
    return {
        "id": answer.id,
        "category": answer.category.key,
        "category_name": answer.category.name,
        "category_confidence": answer.category.confidence,
        "alternatives": "；".join(label.key for label in answer.alternatives),
        "severity": answer.severity.level,
        "severity_name": answer.severity.name,
        "severity_reasons": "；".join(answer.severity.reasons),
        "sentiment": answer.sentiment.label,
        "sentiment_score": answer.sentiment.score,
        "facts": "；".join(f"{fact.kind}:{fact.text}" for fact in answer.facts),
        "evidence": "；".join(evidence.text for evidence in answer.evidence),
        "channel": answer.channel,
        "region": answer.region,
        "department": answer.department,
        "due": answer.due.isoformat(),
        "needs_review": answer.needs_review,
        "review_reasons": "；".join(answer.review_reasons),
        "model": answer.model,
        "error": None,
    }


@cache
def _engine(model: Path | None, threads: int, fast: bool) -> Tagger | Classifier:
    """Loaded once in each process."""
    classifier, manifest = load(model or served_folder(), threads, fast)
    engine = Tagger(classifier, manifest) if tags_bank_complaints(classifier.heads) else classifier
    if engine is classifier and set(HEADS) <= set(classifier.heads):
        # Labels of one's own, or a bank model that the taxonomy has left behind: either way less is answered than the heads promise.
        _log.warning(
            "model %s has labels that the taxonomy does not: answered by its heads alone, without facts, rules or due dates",
            manifest.folder_name,
        )
    if isinstance(engine, Tagger):
        engine.warm_up()
    gc.freeze()  # model and dictionaries stay: looking through them for garbage again and again costs a tenth of the time
    return engine


def _answer(
    block: tuple[Row, ...], model: Path | None, threads: int, fast: bool, columns: Mapping[str, str], now: datetime
) -> list[Answer]:
    answers: list[Answer | None] = []
    good: list[Complaint] = []
    for row in block:
        name = _name(row, columns)
        try:
            good.append(complaint_of(row, columns, "file", now, name=name))
        except (ValidationError, InputError) as error:
            answers.append({"id": name, "error": problem_of(error, "")})
        else:
            answers.append(None)
    tagged = iter(_tag(_engine(model, threads, fast), good))
    return [next(tagged) if answer is None else answer for answer in answers]


def _name(row: Row, columns: Mapping[str, str]) -> str:
    """Nothing is stored, so a row keeps the id it came with; one without is known by its number."""
    for column, value in row.values.items():
        if value and columns.get(column, column) in ("id", "source_id"):
            return str(value)
    return str(row.number)


def _tag(engine: Tagger | Classifier, complaints: list[Complaint]) -> Iterable[Answer]:
    if isinstance(engine, Tagger):
        return engine.tag(complaints)
    probabilities = engine.predict_proba([prepare(c.customer_text) for c in complaints])
    return [
        {"id": c.id}
        | {head: {"key": engine.heads[head][p[i].argmax()], "confidence": round(float(p[i].max()), 4)} for head, p in probabilities.items()}
        for i, c in enumerate(complaints)
    ]

"""Complaints: send one or many, look at them, correct their labels; tag without storing."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter, ValidationError

from service.answers import BatchAnswer, Complaints, ItemResult, TagAnswer
from service.auth import Ingesting, Operating
from service.deps import CategoriesDep, ChannelDep, DaysDep, MetricsDep, NowDep, RegionDep, StoreDep, TaggerDep, TaxonomyDep
from service.exception_handlers import problem_of
from service.intake import complaint_from
from service.schemas import BatchIn, ComplaintIn, CorrectionIn, OneOrSeveral
from triage.errors import ConflictError, InputError, TriageError
from triage.store import AddResult, Filters
from triage.types import Complaint, Correction, Record, SentimentLabel, Triage

router = APIRouter(prefix="/v1", tags=["complaints"])
_COMPLAINT = TypeAdapter(ComplaintIn)


@router.post("/complaints", status_code=HTTPStatus.CREATED, responses={200: {"model": Triage, "description": "Stored before."}})
def send_complaint(
    body: ComplaintIn, response: Response, caller: Ingesting, store: StoreDep, tagger: TaggerDep, metrics: MetricsDep, now: NowDep
) -> Triage:
    """Tag a complaint and store both. Personal data are masked: spans count in the masked text, as `GET complaints/{id}` shows it."""
    complaint = complaint_from(body, now)
    result = store.add([(complaint, *tagger.tag([complaint]))])[0]
    if result.conflict:
        raise _conflict(complaint)
    if result.created:
        metrics.count([result.triage])
    else:
        response.status_code = HTTPStatus.OK
    return result.triage


@router.post("/complaints/batch")
def send_batch(
    body: BatchIn, request: Request, caller: Ingesting, store: StoreDep, tagger: TaggerDep, metrics: MetricsDep, now: NowDep
) -> BatchAnswer:
    """Tag and store up to 1,000 complaints; each gets the status that a request of its own would get."""
    results, complaints = _checked(body, request, now)
    triages = tagger.tag(list(complaints.values()))
    added = store.add(list(zip(complaints.values(), triages, strict=True)))
    for (index, complaint), result in zip(complaints.items(), added, strict=True):
        results[index] = _stored(index, complaint, result, request)
    metrics.count([result.triage for result in added if result.created])
    answers = [results[index] for index in sorted(results)]
    failed = sum(answer["error"] is not None for answer in answers)
    return BatchAnswer(results=answers, stored=len(answers) - failed, failed=failed)


@router.post("/tag")
def tag(body: OneOrSeveral, request: Request, caller: Ingesting, tagger: TaggerDep, now: NowDep) -> Triage | TagAnswer:
    """Tag one complaint, or several under `complaints`; nothing is stored, spans count in the text that was sent."""
    if isinstance(body, ComplaintIn):
        return tagger.tag([complaint_from(body, now)])[0]
    results, complaints = _checked(body, request, now)
    for index, triage in zip(complaints, tagger.tag(list(complaints.values())), strict=True):
        results[index] = ItemResult(index=index, status=HTTPStatus.OK, triage=triage, error=None)
    return TagAnswer(results=[results[index] for index in sorted(results)])


def _checked(body: BatchIn, request: Request, now: NowDep) -> tuple[dict[int, ItemResult], dict[int, Complaint]]:
    """The results of the bad items and the complaints of the good ones, by their place in the batch."""
    results: dict[int, ItemResult] = {}
    complaints: dict[int, Complaint] = {}
    for index, item in enumerate(body.complaints):
        try:
            complaints[index] = complaint_from(_COMPLAINT.validate_python(item), now)
        except (ValidationError, InputError) as error:
            results[index] = _failed(index, error, request)
    return results, complaints


def _stored(index: int, complaint: Complaint, result: AddResult, request: Request) -> ItemResult:
    if result.conflict:
        return _failed(index, _conflict(complaint), request)
    status = HTTPStatus.CREATED if result.created else HTTPStatus.OK
    return ItemResult(index=index, status=status, triage=result.triage, error=None)


def _failed(index: int, error: TriageError | ValidationError, request: Request) -> ItemResult:
    body = problem_of(error, f"{request.url.path}#/complaints/{index}")
    return ItemResult(index=index, status=body["status"], triage=None, error=body)


def _conflict(complaint: Complaint) -> ConflictError:
    return ConflictError(
        f"source_id: got {complaint.source_id!r} of source {complaint.source!r} with another content than is stored under it,"
        " expected the same content or a new id"
    )


@router.get("/complaints")
def list_complaints(
    caller: Operating,
    store: StoreDep,
    taxonomy: TaxonomyDep,
    days: DaysDep,
    categories: CategoriesDep,
    channel: ChannelDep,
    region: RegionDep,
    severity: Annotated[int | None, Query(ge=1, le=4)] = None,
    sentiment: SentimentLabel | None = None,
    needs_review: bool | None = None,
    hotspot: Annotated[
        str | None, Query(description="Id of a hotspot: complaints of its cell and window, or of its theme; `from`, `to` do not count.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Complaints:
    """Stored complaints with the labels in force, latest first."""
    first, last = days.first, days.last
    regions, channels = (region,) if region else (), (channel,) if channel else ()
    ids: tuple[str, ...] = ()
    if hotspot is not None:
        found = store.hotspot(hotspot)
        first, last = found.window["from"], found.window["to"]
        categories = categories or taxonomy.within(found.category)
        if found.kind == "theme":  # nearly all in its regions, not all
            ids = found.evidence
        else:
            regions, channels = regions or found.regions, channels or found.channels
    filters = Filters(
        first=first,
        last=last,
        categories=tuple(categories or ()),
        regions=tuple(regions),
        channels=tuple(channels),
        ids=ids,
        severity=severity,
        sentiment=sentiment,
        needs_review=needs_review,
    )
    page = store.search(filters, limit, cursor)
    return Complaints(complaints=list(page.records), next=page.next)


@router.get("/complaints/{complaint_id}")
def get_complaint(complaint_id: str, caller: Operating, store: StoreDep) -> Record:
    """One stored complaint with its triage and corrections."""
    return store.get(complaint_id)


@router.patch("/complaints/{complaint_id}/labels")
def correct_labels(complaint_id: str, body: CorrectionIn, caller: Operating, store: StoreDep, taxonomy: TaxonomyDep, now: NowDep) -> Record:
    """Correct a triage; kept for training, and counted at once. Without a label it confirms those there are."""
    correction = Correction(
        person=caller.signing(body.person),
        time=now,
        category=taxonomy.category(body.category).key if body.category is not None else None,
        severity=body.severity,
        sentiment=body.sentiment,
        reason=body.reason,
    )
    return store.correct(complaint_id, correction)

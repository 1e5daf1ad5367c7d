"""Errors become RFC 9457 problems here and nowhere else."""

import logging
from collections.abc import Sequence
from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.answers import FieldError, Problem
from service.schemas import ONE, SEVERAL
from triage.errors import ArtifactError, ConfigError, ConflictError, InputError, NotFoundError, TriageError

_STATUS: dict[type[TriageError], HTTPStatus] = {
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    ConfigError: HTTPStatus.INTERNAL_SERVER_ERROR,
    ArtifactError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
_FREE_TEXT = ("text", "turns", "reason")
"""Fields that hold people's words: their values are never sent back or logged."""
_log = logging.getLogger("triage.service")


def problem(status: HTTPStatus, detail: str, instance: str, errors: Sequence[FieldError] = ()) -> Problem:
    """An RFC 9457 problem; its type is the status itself."""
    body = Problem(type="about:blank", title=status.phrase, status=int(status), detail=detail, instance=instance)
    if errors:
        body["errors"] = list(errors)
    return body


def problem_of(error: TriageError | ValidationError, instance: str) -> Problem:
    """The problem that stands for an error of the domain, or for a body that has the wrong shape."""
    if isinstance(error, ValidationError):
        return _invalid(error.errors(include_url=False, include_context=False), instance)
    errors = [FieldError(field=error.field, value=_shown(error.value), expected=error.expected)] if isinstance(error, InputError) else []
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    return problem(status, str(error), instance, errors)


def respond(body: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem as a response."""
    return Response(orjson.dumps(body), body["status"], headers, media_type="application/problem+json")


def add_exception_handlers(app: FastAPI) -> None:
    """Let every error that a route raises become a problem."""
    app.add_exception_handler(TriageError, _on_triage_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(OperationalError, _on_database_away)
    app.add_exception_handler(Exception, _on_bug)


async def _on_triage_error(request: Request, error: TriageError) -> Response:
    body = problem_of(error, request.url.path)
    if body["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s %s: %s", request.method, request.url.path, error)
    return respond(body)


async def _on_invalid_request(request: Request, error: RequestValidationError) -> Response:
    return respond(_invalid(error.errors(), request.url.path))


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    return respond(problem(HTTPStatus(error.status_code), str(error.detail), request.url.path), error.headers)


async def _on_database_away(request: Request, error: OperationalError) -> Response:
    _log.error("%s %s: the database does not answer: %s", request.method, request.url.path, error.orig)
    body = problem(HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer; try again later", request.url.path)
    return respond(body, {"Retry-After": "5"})


async def _on_bug(request: Request, error: Exception) -> Response:
    # Starlette logs the traceback itself after this answer is sent.
    return respond(problem(HTTPStatus.INTERNAL_SERVER_ERROR, "an error on our side; it is logged", request.url.path))


# Where pydantic's sentence says what is wrong rather than what would be right.
_EXPECTED = {"extra_forbidden": "no field of this name", "missing": "a value", "json_invalid": "JSON"}


def _invalid(found: Sequence[dict], instance: str) -> Problem:
    errors = [_field_error(each) for each in found]
    detail = "; ".join(f"{each['field']}: got {each['value']!r}, expected {each['expected']}" for each in errors[:5])
    if any(each["type"] == "json_invalid" for each in found):
        return problem(HTTPStatus.BAD_REQUEST, "the body is not JSON", instance, errors)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, instance, errors)


def _field_error(found: dict) -> FieldError:
    where = [str(part) for part in found["loc"] if part not in ("body", "query", "path", ONE, SEVERAL)]
    expected = _EXPECTED.get(found["type"], found["msg"])
    return FieldError(field=_shown(".".join(where)) or "body", value=_value(where, found), expected=expected)


def _value(where: Sequence[str], found: dict) -> object:
    if found["type"] == "missing":
        return None
    if found["type"] == "json_invalid" or not where or any(name in _FREE_TEXT for name in where):
        return f"({type(found['input']).__name__})"
    return _shown(found["input"])


def _shown(value: object) -> object:
    """Short plain values as they are, all else by its kind and size."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        text = value.encode("utf-8", "replace").decode()
        return text if len(text) <= 80 else f"{text[:77]}..."
    size = f" of {len(value)}" if isinstance(value, list | tuple | dict) else ""
    return f"({type(value).__name__}{size})"

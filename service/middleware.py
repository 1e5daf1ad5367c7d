"""Around every request: the limits of a body, the access log, the metrics."""

import logging
import time
from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.exception_handlers import problem, respond
from service.metrics import Metrics

BODY_LIMIT = 4 * 2**20
"""Bytes of a request body."""
_log = logging.getLogger("triage.access")


class BodyLimits:
    """Refuses a body that is too large (413) or not UTF-8 (400) before anything reads it."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        stated = Request(scope).headers.get("content-length", "")
        body = await _read(receive) if not stated.isdecimal() or int(stated) <= BODY_LIMIT else None
        if body is None:
            detail = f"body: got more than {BODY_LIMIT} bytes, expected at most {BODY_LIMIT}; send several smaller batches"
            await respond(problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, scope["path"]))(scope, receive, send)
            return
        try:
            body.decode()
        except UnicodeDecodeError as error:
            detail = f"body: got byte 0x{body[error.start]:02x} at position {error.start}, expected JSON in UTF-8"
            await respond(problem(HTTPStatus.BAD_REQUEST, detail, scope["path"]))(scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None when it is over the limit."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


class AccessLog:
    """One JSON line a request (method, route, status, milliseconds) and its metrics. No query, body or address is written."""

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            seconds = time.perf_counter() - started
            # The route, not the path: ids stay out of the log and the number of metrics stays small.
            route = getattr(scope.get("route"), "path", "(none)")
            self.metrics.requests.labels(scope["method"], route, str(status)).inc()
            self.metrics.latency.labels(scope["method"], route).observe(seconds)
            line = {"method": scope["method"], "route": route, "status": status, "ms": round(seconds * 1000, 1)}
            _log.info(orjson.dumps(line).decode())

"""triage serve: the HTTP service and the operations page."""

import argparse
import logging
import os
import socket
from pathlib import Path

import uvicorn

from service import deps
from service.app import create_app
from service.demo import fill
from service.settings import Settings
from triage.errors import InputError
from triage.store import Store
from triage.tagger import Tagger

_log = logging.getLogger("triage.service")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "serve",
        help="serve the HTTP API and the operations page",
        description="Serve the HTTP API (/v1, described at /docs) and the operations page (/). Every option can also be set in the"
        " environment (TRIAGE_HOST ...); TRIAGE_FAST, TRIAGE_HOTSPOT_MINUTES, TRIAGE_HOTSPOT_DAYS, TRIAGE_HOTSPOT_MODE, TRIAGE_WEBHOOK, TRIAGE_WEBHOOK_SECONDS,"
        " TRIAGE_AUTH and TRIAGE_API_KEYS only there.",
    )
    parser.add_argument("--host", help=f"address to listen on (default: {Settings().host})")
    parser.add_argument("--port", type=int, help=f"TCP port (default: {Settings().port})")
    parser.add_argument("--database", metavar="URL", help=f"SQLite file or PostgreSQL database (default: {Settings().database})")
    parser.add_argument("--model", type=Path, metavar="DIR", help="model folder (default: the one shipped)")
    parser.add_argument("--demo", action="store_true", help="fill an empty database with simulated complaints first")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted.

    Raises:
        TriageError: the port is in use, the model or the database cannot be opened, a setting is wrong.
    """
    settings = Settings.read(os.environ, host=args.host, port=args.port, database=args.database, model=args.model)
    listener = _listen(settings.host, settings.port)
    tagger = Tagger.load(settings.model, settings.fast)
    tagger.warm_up()
    with listener, Store.open(settings.database) as store:
        if args.demo and store.is_empty():
            fill(store, Tagger.load(settings.model, fast=True), settings.hotspot_days, deps.now())
        app = create_app(settings, store, tagger)
        host, port = listener.getsockname()[:2]
        _log.info("serving http://%s:%d", f"[{host}]" if ":" in host else host, port)
        config = uvicorn.Config(app, access_log=False, log_config=None, log_level="warning", timeout_graceful_shutdown=10)
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket: a port in use shows before a model is loaded. Raises: InputError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise InputError("host", host, f"an address of this machine ({error.strerror})") from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        raise InputError("port", port, f"a free port on {host} ({getattr(error, 'strerror', None) or error})") from None
    return listener

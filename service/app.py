"""The application: the one place where the parts of the service meet."""

import logging
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from service import deps
from service.alerts import Alerts, Webhook
from service.deps import State, TagsComplaints
from service.exception_handlers import add_exception_handlers
from service.jobs import HotspotJob
from service.metrics import Metrics
from service.middleware import AccessLog, BodyLimits
from service.routes import complaints, docs, health, heatmap, hotspots, page, reference
from service.settings import Settings
from triage.hotspots.settings import DetectionSettings
from triage.store import Store
from triage.tagger import Tagger

_log = logging.getLogger("triage.service")


def create_app(settings: Settings, store: Store | None = None, tagger: TagsComplaints | None = None) -> FastAPI:
    """The HTTP application.

    Args:
        settings: what the operator chose.
        store: an open store, which the caller closes; None = the application opens and closes its own.
        tagger: None = load the model of the settings when the application starts.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[State]:
        with ExitStack() as stack:
            opened = store or stack.enter_context(await run_in_threadpool(Store.open, settings.database))
            loaded = tagger or await run_in_threadpool(Tagger.load, settings.model, settings.fast)
            if settings.hotspot_minutes:
                job = _job(settings, opened, metrics)
                job.start()
                stack.callback(job.stop)
            if not settings.needs_keys:
                _log.info("no API keys are asked for: whoever reaches %s can read and decide", settings.host)
            yield State(settings=settings, store=opened, tagger=loaded, metrics=metrics)

    app = FastAPI(
        title="投诉分诊",
        description="Tags complaints by category, severity and sentiment; heat map, frequent issues and hotspots of what is stored.",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    for noun in (complaints, heatmap, hotspots, reference, health, docs):
        app.include_router(noun.router)
    page.add_page(app)
    add_exception_handlers(app)
    app.add_middleware(BodyLimits)
    app.add_middleware(AccessLog, metrics=metrics)
    return app


def _job(settings: Settings, store: Store, metrics: Metrics) -> HotspotJob:
    alerts = Alerts(store, Webhook(settings.webhook, settings.webhook_seconds), metrics) if settings.webhook else None
    detection = DetectionSettings.of(settings.hotspot_mode)
    return HotspotJob(store, settings.hotspot_minutes, settings.hotspot_days, metrics, alerts, deps.now, settings=detection)

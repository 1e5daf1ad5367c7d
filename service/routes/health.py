"""For those who run the service: alive, ready, metrics. No key is needed and no personal data is shown."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from service.deps import MetricsDep, StoreDep

router = APIRouter(tags=["health"])


@router.get("/healthz")
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(store: StoreDep) -> dict[str, str | bool | None]:
    """The model is loaded and the database answers (503 where it does not); how the last hotspot run ended."""
    empty = store.is_empty()
    runs = store.runs(limit=1)
    return {"status": "ok", "empty": empty, "last_hotspot_run": runs[0].state if runs else None}


@router.get("/metrics")
def metrics(metrics: MetricsDep) -> Response:
    """Prometheus text format."""
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

"""Hotspots and what people make of them."""

from typing import Annotated

from fastapi import APIRouter, Query

from service.answers import Hotspots, PrecisionAnswer
from service.auth import Operating
from service.deps import NowDep, RegionDep, StoreDep, TaxonomyDep
from service.schemas import VerdictIn
from triage.store import Action
from triage.types import Hotspot, HotspotStatus

router = APIRouter(prefix="/v1", tags=["hotspots"])


@router.get("/hotspots")
def list_hotspots(
    caller: Operating,
    store: StoreDep,
    taxonomy: TaxonomyDep,
    region: RegionDep,
    status: Annotated[list[HotspotStatus] | None, Query(description="May be given several times.")] = None,
    category: Annotated[str | None, Query(description="Key of a category or of a group.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Hotspots:
    """Hotspots, open ones first, then by level and last day; with the precision that people's verdicts give."""
    categories = (category, *taxonomy.within(category)) if category else ()
    found = store.hotspots(status or (), categories, region, limit)
    judged = store.hotspot_precision()
    precision = PrecisionAnswer(confirmed=judged.confirmed, dismissed=judged.dismissed, share=judged.share)
    return Hotspots(hotspots=found, precision=precision, simulated=any(hotspot.simulated for hotspot in found))


@router.get("/hotspots/{hotspot_id}")
def get_hotspot(hotspot_id: str, caller: Operating, store: StoreDep) -> Hotspot:
    """One hotspot with its history."""
    return store.hotspot(hotspot_id)


@router.post("/hotspots/{hotspot_id}/{action}")
def judge_hotspot(hotspot_id: str, action: Action, body: VerdictIn, caller: Operating, store: StoreDep, now: NowDep) -> Hotspot:
    """Acknowledge, confirm, dismiss or resolve a hotspot; 409 where its status does not allow it."""
    return store.set_hotspot_status(hotspot_id, action, caller.signing(body.person), body.reason, now)

"""What everything else refers to: the taxonomy, the regions, the model."""

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from service.answers import RegionList
from service.auth import Operating
from service.deps import RegionsDep, TaggerDep, TaxonomyDep
from triage.taxonomy import Taxonomy

router = APIRouter(prefix="/v1", tags=["reference"])


@router.get("/taxonomy")
def get_taxonomy(caller: Operating, taxonomy: TaxonomyDep) -> Taxonomy:
    """Categories, groups, severities, sentiments, channels, departments, with their Chinese names."""
    return taxonomy


@router.get("/regions")
def get_regions(caller: Operating, regions: RegionsDep) -> RegionList:
    """Provinces (with their place on the tile map) and cities."""
    return RegionList(regions=list(regions.by_code.values()))


@router.get("/model")
def get_model(caller: Operating, tagger: TaggerDep) -> Response:
    """The manifest of the model in use."""
    return Response(orjson.dumps(tagger.manifest, option=orjson.OPT_NON_STR_KEYS), media_type="application/json")

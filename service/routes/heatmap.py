"""Where it burns: the heat map, frequent issues, trends, the matrix and the regional risk index, all from the roll-ups."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from service.answers import CategoryName, HeatMap, HeatMatrix, Issues, RegionName, Risks, Trends
from service.auth import Operating
from service.deps import CategoriesDep, ChannelDep, DaysDep, RegionDep, RegionsDep, StoreDep, TaxonomyDep
from triage import heatmap
from triage.errors import InputError
from triage.regions import NATION, UNKNOWN
from triage.store import OPEN

MAX_HOURLY_DAYS = 31
router = APIRouter(prefix="/v1", tags=["heat map"])


@router.get("/heatmap")
def get_heatmap(
    caller: Operating,
    store: StoreDep,
    regions: RegionsDep,
    days: DaysDep,
    categories: CategoriesDep,
    channel: ChannelDep,
    region: RegionDep,
) -> HeatMap:
    """One cell per province, or per city of the province `region` (a municipality without cities is one cell)."""
    if region is None:
        shown = regions.provinces
    else:
        if regions.get(region).level != "province":
            raise InputError("region", region, "a province: the cells of the map are its cities")
        shown = regions.children(region) or (regions.get(region),)
    codes = [each.adcode for each in shown]
    whole = region or NATION
    counts = store.cells_by_category(days.first, days.last, codes, channel, categories)
    if categories is None:
        previous = store.cells(days.before.first, days.before.last, codes, channel)
        total = sum(cell.n for cell in store.cells(days.first, days.last, [whole], channel))
    else:
        previous = store.cells_by_category(days.before.first, days.before.last, codes, channel, categories)
        total = sum(cell.n for cell in store.cells_by_category(days.first, days.last, [whole], channel, categories))
    cells = heatmap.heat_cells(
        counts,
        previous,
        shown,
        store.days_with_data(days.first, days.last),
        store.days_with_data(days.before.first, days.before.last),
    )
    return {
        "from": days.first,
        "to": days.last,
        "total": total,
        "unlocated": total - sum(cell.count for cell in cells),
        "simulated": store.any_simulated(days.first, days.last),
        "cells": cells,
    }


@router.get("/heatmap/matrix")
def get_matrix(
    caller: Operating, store: StoreDep, taxonomy: TaxonomyDep, regions: RegionsDep, days: DaysDep, channel: ChannelDep
) -> HeatMatrix:
    """Category x province: counts, and what the same number of days before lets expect."""
    codes = [region.adcode for region in regions.provinces]
    table = heatmap.matrix(
        store.cells_by_category(days.first, days.last, codes, channel),
        store.cells_by_category(days.before.first, days.before.last, codes, channel),
        tuple(taxonomy.categories),
        codes,
        store.days_with_data(days.first, days.last),
        store.days_with_data(days.before.first, days.before.last),
    )
    return {
        "from": days.first,
        "to": days.last,
        "categories": [CategoryName(key=key, name=taxonomy.categories[key].name) for key in table.categories],
        "regions": [RegionName(adcode=code, name=regions.get(code).short) for code in table.regions],
        "counts": table.counts,
        "expected": table.expected,
        "simulated": store.any_simulated(days.first, days.last),
    }


@router.get("/issues")
def get_issues(
    caller: Operating,
    store: StoreDep,
    taxonomy: TaxonomyDep,
    regions: RegionsDep,
    days: DaysDep,
    channel: ChannelDep,
    region: RegionDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Issues:
    """The most frequent categories, in the country or in `region`."""
    codes = [region] if region else [*(each.adcode for each in regions.provinces), UNKNOWN]
    issues = heatmap.frequent_issues(
        store.cells_by_category(days.first, days.last, codes, channel),
        store.cells_by_category(days.before.first, days.before.last, codes, channel),
        {key: category.name for key, category in taxonomy.categories.items()},
        store.days_with_data(days.first, days.last),
        store.days_with_data(days.before.first, days.before.last),
        limit,
    )
    known = [replace(issue, top_regions=tuple(code for code in issue.top_regions if code != UNKNOWN)) for issue in issues]
    return {"from": days.first, "to": days.last, "issues": known, "simulated": store.any_simulated(days.first, days.last)}


@router.get("/trends")
def get_trends(
    caller: Operating,
    store: StoreDep,
    days: DaysDep,
    categories: CategoriesDep,
    channel: ChannelDep,
    region: RegionDep,
    step: Literal["hour", "day"] = "day",
) -> Trends:
    """Complaints per day or hour (Beijing time), gaps filled with 0."""
    read = store.daily
    if step == "hour":
        read = store.hourly
        if days.last - days.first >= timedelta(days=MAX_HOURLY_DAYS):
            raise InputError("from", days.first.isoformat(), f"at most {MAX_HOURLY_DAYS} days with step=hour")
    points = read(days.first, days.last, region or NATION, categories, channel)
    simulated = store.any_simulated(days.first, days.last)
    return {"from": days.first, "to": days.last, "step": step, "points": points, "simulated": simulated}


@router.get("/regions/risk")
def get_risk(caller: Operating, store: StoreDep, regions: RegionsDep, days: DaysDep) -> Risks:
    """The regional risk index of every province, highest first."""
    codes = [region.adcode for region in regions.provinces]
    affected = (hotspot.regions for hotspot in store.hotspots(statuses=OPEN, limit=1_000))
    hotspots = Counter(province for codes_of_one in affected for province in {regions.province_of(code) for code in codes_of_one})
    risks = heatmap.risk_index(
        store.cells(days.first, days.last, codes),
        store.cells(days.before.first, days.before.last, codes),
        regions.provinces,
        store.days_with_data(days.first, days.last),
        store.days_with_data(days.before.first, days.before.last),
        hotspots,
    )
    return {"from": days.first, "to": days.last, "regions": risks, "simulated": store.any_simulated(days.first, days.last)}

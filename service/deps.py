"""What the routes need, by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Protocol

from fastapi import Depends, Query, Request
from typing_extensions import TypedDict

from service.metrics import Metrics
from service.settings import Settings
from triage.errors import InputError
from triage.regions import NATION, Regions, load_regions
from triage.store import Store
from triage.taxonomy import Taxonomy, load_taxonomy
from triage.types import BEIJING, Complaint, Triage

DEFAULT_DAYS = 30
MAX_DAYS = 3_660


class TagsComplaints(Protocol):
    """What the service asks of `triage.tagger.Tagger`; `manifest` is a dataclass."""

    @property
    def manifest(self) -> object: ...

    def tag(self, complaints: Sequence[Complaint]) -> list[Triage]: ...


class State(TypedDict):
    """What lives as long as the application; `request.state` holds it."""

    settings: Settings
    store: Store
    tagger: TagsComplaints
    metrics: Metrics


def now() -> datetime:
    """The present. Tests put another in its place."""
    return datetime.now(BEIJING)


def _store(request: Request) -> Store:
    return request.state.store


def _tagger(request: Request) -> TagsComplaints:
    return request.state.tagger


def _metrics(request: Request) -> Metrics:
    return request.state.metrics


# Wrapped, because FastAPI would read the loaders' own argument from the query.
def _taxonomy() -> Taxonomy:
    return load_taxonomy()


def _regions() -> Regions:
    return load_regions()


NowDep = Annotated[datetime, Depends(now)]
StoreDep = Annotated[Store, Depends(_store)]
TaggerDep = Annotated[TagsComplaints, Depends(_tagger)]
MetricsDep = Annotated[Metrics, Depends(_metrics)]
TaxonomyDep = Annotated[Taxonomy, Depends(_taxonomy)]
RegionsDep = Annotated[Regions, Depends(_regions)]


@dataclass(frozen=True, slots=True)
class Days:
    """First and last day of a range, both included."""

    first: date
    last: date

    @property
    def before(self) -> "Days":
        """The same number of days before."""
        length = self.last - self.first + timedelta(days=1)
        return Days(self.first - length, self.first - timedelta(days=1))


def _days(
    present: NowDep,
    first: Annotated[date | None, Query(alias="from", description="First day; left out: 30 days ending with `to`.")] = None,
    last: Annotated[date | None, Query(alias="to", description="Last day, included; left out: today.")] = None,
) -> Days:
    last = last or present.astimezone(BEIJING).date()
    first = first or last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        raise InputError("from", first.isoformat(), f"a day not after `to`, {last.isoformat()}")
    if (last - first).days >= MAX_DAYS or first.year < 1990:
        raise InputError("from", first.isoformat(), f"a range of at most {MAX_DAYS} days, from 1990 on")
    return Days(first, last)


DaysDep = Annotated[Days, Depends(_days)]


def _categories(
    taxonomy: TaxonomyDep, category: Annotated[str | None, Query(description="Key of a category or of a group.")] = None
) -> tuple[str, ...] | None:
    return taxonomy.within(category) if category else None


def _channel(
    taxonomy: TaxonomyDep, channel: Annotated[str | None, Query(description="Key, Chinese name or alias of a channel.")] = None
) -> str | None:
    return taxonomy.channel_key(channel) if channel else None


def _region(
    regions: RegionsDep, region: Annotated[str | None, Query(description="GB/T 2260 code or name of a province or city.")] = None
) -> str | None:
    return regions.resolve(region) if region and region != NATION else None


CategoriesDep = Annotated[tuple[str, ...] | None, Depends(_categories)]
ChannelDep = Annotated[str | None, Depends(_channel)]
RegionDep = Annotated[str | None, Depends(_region)]

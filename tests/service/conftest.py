from collections.abc import Iterator
from datetime import datetime

import pytest
from fakes import FakeTagger
from fastapi.testclient import TestClient

from service import deps
from service.app import create_app
from service.settings import Settings
from triage.store import Store


@pytest.fixture
def client(store: Store, tagger: FakeTagger, now: datetime) -> Iterator[TestClient]:
    """A client of the application at `now`, without keys and without the hotspot job."""
    app = create_app(Settings(hotspot_minutes=0), store, tagger)
    app.dependency_overrides[deps.now] = lambda: now
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened

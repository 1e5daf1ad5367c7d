"""Fixtures for all tests."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from fakes import NOW, FakeTagger

from triage.store import Store


@pytest.fixture
def tagger() -> FakeTagger:
    return FakeTagger()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'triage.db'}") as opened:
        yield opened

"""What the served model must do, whatever its family: behavioural tests after CheckList (Ribeiro et al. 2020), through the Tagger."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from triage.errors import ArtifactError
from triage.tagger import Tagger
from triage.types import BEIJING, Complaint, Triage

TOLD = datetime(2026, 3, 2, 10, tzinfo=BEIJING)
Tag = Callable[[Sequence[str]], list[Triage]]


@pytest.fixture(scope="session")
def tag() -> Tag:
    """The served model, or the one in the folder that TRIAGE_MODEL names: a candidate can be tried before it is promoted."""
    chosen = os.environ.get("TRIAGE_MODEL")
    try:
        served = Tagger.load(Path(chosen) if chosen else None)
    except ArtifactError as error:
        pytest.skip(f"no model is served: {error}")
    return lambda texts: served.tag([Complaint(id="", text=text, channel="app", time=TOLD) for text in texts])


@pytest.fixture(scope="session")
def sentences() -> dict[str, list[str]]:
    """Category -> three sentences that no reader would file elsewhere."""
    return yaml.safe_load((Path(__file__).parent / "sentences.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def texts(sentences: dict[str, list[str]]) -> list[str]:
    return [text for members in sentences.values() for text in members]


@pytest.fixture(scope="session")
def complaints(sentences: dict[str, list[str]]) -> list[str]:
    return [text for category, members in sentences.items() if category != "other.not_complaint" for text in members]

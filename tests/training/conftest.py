"""Fixtures for the tests of training."""

from pathlib import Path

import pytest

from training import runs


@pytest.fixture(autouse=True)
def runs_of_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Models trained in tests do not enter the project's own table of runs."""
    path = tmp_path / "runs.jsonl"
    monkeypatch.setattr(runs, "RUNS", path)
    return path

"""The table of runs: one JSON line for every model that was trained or promoted, appended and never changed."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import orjson

from triage.artifact import Manifest
from triage.errors import ConfigError, InputError
from triage.resources import MODELS

RUNS = MODELS / "runs.jsonl"
# What `triage runs` shows of each head: the first of these that the run measured.
_SHOWN = ("qwk", "macro_f1", "accuracy")


def require_writable(path: Path) -> None:
    """Before hours are spent on a model. Raises: ConfigError when runs cannot be recorded there."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise ConfigError(f"runs: {path} cannot be written; name another file with --runs")


def record(path: Path, command: str, manifest: Manifest, now: datetime, details: Mapping[str, object]) -> None:
    """Append a run.

    Args:
        path: the table.
        command: "train" or "promote".
        manifest: of the model; its data hashes, settings, figures and seed go into the table.
        now: when.
        details: what else is worth knowing: folder, seconds, what it was compared with.
    """
    row = {
        "time": now.isoformat(timespec="seconds"),
        "command": command,
        "name": manifest.folder_name,
        "family": manifest.family,
        "data": [asdict(file) for file in manifest.data],
        "settings": manifest.text,
        "seed": manifest.seed,
        "figures": manifest.metrics,
        **details,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:  # one write of one line: runs that end together do not mix
        file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def read(path: Path) -> list[dict[str, object]]:
    """All runs, oldest first. Raises: InputError when there is no such table or a line is none of its own."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        raise InputError("runs", str(path), "a table of runs; `triage train` begins one") from None
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            raise InputError("runs", line[:40], "one JSON object a line", number) from None
    return rows


def as_table(rows: list[dict[str, object]]) -> str:
    """A line a run: when, what, model, rows, seed, and for each test and head its leading figure."""
    lines = [f"{'time':19}  {'command':8} {'model':24} {'rows':>7} {'seed':>4}  figures"]
    for row in rows:
        texts = sum(file["rows"] for file in row["data"])
        figures = "; ".join(f"{test}: {_figures(heads)}" for test, heads in row["figures"].items())
        lines.append(f"{row['time'][:19]}  {row['command']:8} {row['name']:24} {texts:>7,} {row['seed']:>4}  {figures}")
    return "\n".join(lines)


def _figures(heads: Mapping[str, Mapping[str, float]]) -> str:
    found = []
    for head, figures in heads.items():
        name = next((name for name in _SHOWN if name in figures), None)
        if name:
            found.append(f"{head} {name} {figures[name]:.3f}")
    return ", ".join(found)

"""Which model is served: `models/current` names its folder, `models/previous` the one before."""

import shutil
import tempfile
from pathlib import Path

from training.evaluate import answer, figures
from training.examples import read_examples
from training.train import CROSS_VALIDATION
from triage.artifact import Manifest, load, read_manifest, served_folder
from triage.classify import Classifier
from triage.errors import ArtifactError, InputError
from triage.resources import MODELS

TOLERANCE = 0.005


def promote(folder: Path, models: Path = MODELS, data: Path | None = None, force: bool = False) -> Manifest:
    """Make a model the served one. A folder elsewhere is copied under `models`.

    Args:
        folder: a model folder; it is verified first.
        models: where the served models lie.
        data: labelled file on which both models are measured; without it the figures of their manifests are compared.
        force: even when it is worse.

    Returns:
        The manifest of the promoted model.

    Raises:
        ArtifactError: the folder is not intact.
        InputError: the model answers other heads or its mean macro-F1 is more than .005 lower than that of the served one.
    """
    classifier, manifest = load(folder)
    current = models / "current"
    served = served_folder(models) if current.is_file() else None
    if served and not force:
        _require_no_worse(classifier, manifest, served, data)
    target = models / manifest.folder_name
    if folder.resolve() != target.resolve():
        _copy(folder, target)
    if served and served != target:
        _write(models / "previous", served.name)
    _write(current, target.name)
    return manifest


def demote(models: Path = MODELS) -> str:
    """Serve the previous model again; returns its folder's name.

    Raises:
        ArtifactError: there is none, or it is not intact.
    """
    previous = models / "previous"
    if not previous.is_file():
        raise ArtifactError(f"{previous} is missing: no model was replaced yet")
    back, now = previous.read_text(encoding="utf-8").strip(), served_folder(models).name
    load(models / back)
    _write(models / "current", back)
    _write(previous, now)
    return back


def _require_no_worse(classifier: Classifier, manifest: Manifest, served: Path, data: Path | None) -> None:
    old = read_manifest(served)
    if set(old.heads) != set(manifest.heads):
        raise InputError("heads", sorted(manifest.heads), f"those of the served {old.folder_name}: {sorted(old.heads)} (or --force)")
    if data is None:
        new_score, old_score = _mean_f1(manifest.metrics[CROSS_VALIDATION]), _mean_f1(old.metrics[CROSS_VALIDATION])
    else:
        new_score, old_score = _measured(classifier, manifest, data), _measured(*load(served), data)
    if new_score < old_score - TOLERANCE:
        raise InputError(
            "mean macro-F1", round(new_score, 4), f"at least {old_score:.4f}, that of the served {old.folder_name} (or --force)"
        )


def _measured(classifier: Classifier, manifest: Manifest, data: Path) -> float:
    examples = read_examples([data], list(manifest.heads))
    measured = figures(examples, answer(classifier, manifest, examples), manifest.review_thresholds)
    return _mean_f1({head: f.summary() for head, f in measured.items()})


def _mean_f1(summaries: dict[str, dict[str, float]]) -> float:
    return sum(summary["macro_f1"] for summary in summaries.values()) / len(summaries)


def _copy(folder: Path, target: Path) -> None:
    if target.exists():
        raise ArtifactError(f"{target} exists already: give the model another --version, or remove that folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
        copied = shutil.copytree(folder, Path(temporary) / target.name)
        copied.replace(target)


def _write(path: Path, name: str) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(f"{name}\n", encoding="utf-8")
    temporary.replace(path)

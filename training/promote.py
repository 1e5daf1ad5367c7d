"""Which model is served: `models/current` names its folder, `models/previous` those before it, latest first."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from training.compare import Comparison, compare
from training.evaluate import answer
from training.examples import heads_in, read_examples
from training.request import OWN_ROWS
from triage.artifact import Manifest, load, read_manifest, served_folder
from triage.classify import Classifier
from triage.errors import ArtifactError, InputError
from triage.resources import MODELS

TOLERANCE = 0.005
KEPT = 5
"""How many models one can go back."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What became the served model, the folder name of what it replaced, and how they compared where both were measured."""

    manifest: Manifest
    replaced: str | None
    comparison: Comparison | None


def promote(folder: Path, models: Path = MODELS, data: Path | None = None, force: bool = False, text_column: str = "text") -> Promotion:
    """Make a model the served one. A folder elsewhere is copied under `models`.

    Args:
        folder: a model folder; it is verified first.
        models: where the served models lie.
        data: labelled file on which both models are measured; without it the figures of their manifests are compared, where they are alike.
        force: even when it is worse.
        text_column: of `data`.

    Raises:
        ArtifactError: the folder is not intact.
        InputError: the model answers other heads, or the manifests hold no figures that compare, or it is worse than the served one: its mean macro-F1 over the heads is more than .005
            lower, or on `data` one of its figures is lower beyond chance.
    """
    classifier, manifest = load(folder)
    served = served_folder(models) if (models / "current").is_file() else None
    comparison = None
    if served:
        if not force:
            _require_same_heads(manifest, read_manifest(served))
        if data:
            comparison = _compared(served, classifier, manifest, data, text_column)
        if not force:
            _require_no_worse(manifest, read_manifest(served), comparison)
    target = models / manifest.folder_name
    if folder.resolve() != target.resolve():
        _copy(folder, target)
    if served and served != target:
        _write(models / "previous", [served.name, *(name for name in previous(models) if name != target.name)][:KEPT])
    _write(models / "current", [target.name])
    return Promotion(manifest, served.name if served and served != target else None, comparison)


def demote(models: Path = MODELS) -> str:
    """Serve the model before the present one again; returns its folder's name.

    Raises:
        ArtifactError: there is none, or it is not intact.
    """
    names = previous(models)
    if not names:
        raise ArtifactError(f"{models / 'previous'} names no model: none was replaced yet, or all were taken back")
    load(models / names[0])
    _write(models / "current", names[:1])
    _write(models / "previous", names[1:])
    return names[0]


def previous(models: Path = MODELS) -> list[str]:
    """Folder names of the models served before, latest first."""
    path = models / "previous"
    return path.read_text(encoding="utf-8").split() if path.is_file() else []


def _compared(served: Path, classifier: Classifier, manifest: Manifest, data: Path, text_column: str) -> Comparison:
    old_classifier, old = load(served)
    examples = read_examples([data], heads_in(data, [head for head in old.heads if head in manifest.heads]), text_column)
    return compare(examples, answer(old_classifier, old, examples), answer(classifier, manifest, examples))


def _require_same_heads(manifest: Manifest, old: Manifest) -> None:
    if set(old.heads) != set(manifest.heads):
        raise InputError("heads", sorted(manifest.heads), f"those of the served {old.folder_name}: {sorted(old.heads)} (or --force)")


def _require_no_worse(manifest: Manifest, old: Manifest, comparison: Comparison | None) -> None:
    if comparison:
        mean = comparison.mean_macro_f1()
        old_score, new_score = mean.champion, mean.challenger
    else:
        test = _shared_test(manifest, old)
        old_score, new_score = _mean_f1(old.metrics[test]), _mean_f1(manifest.metrics[test])
    if new_score < old_score - TOLERANCE:
        raise InputError(
            "mean macro-F1", round(new_score, 4), f"at least {old_score:.4f}, that of the served {old.folder_name} (or --force)"
        )
    for head, name, difference in comparison.losses if comparison else ():
        interval = f"difference {difference.gain:+.4f}, 95 % interval {difference.low:+.4f} to {difference.high:+.4f}"
        expected = f"no certain loss on the {difference.champion:.4f} of the served {old.folder_name} ({interval}; or --force)"
        raise InputError(f"{head} {name}", round(difference.challenger, 4), expected)


def _shared_test(manifest: Manifest, old: Manifest) -> str:
    """The test whose figures both manifests have and that compares: held-out files before the rows that the models were trained on."""
    shared = sorted((name for name in manifest.metrics if _compares(name, manifest, old)), key=lambda name: name in OWN_ROWS.values())
    if not shared:
        raise InputError(
            "--data",
            None,
            f"a labelled file to compare on: {manifest.folder_name} and {old.folder_name} share no test that was measured alike (or --force)",
        )
    return shared[0]


def _compares(name: str, manifest: Manifest, old: Manifest) -> bool:
    """Whether the figures `name` of two models are of the same rows, taken in the same way.

    On their own training data they are only where both learnt from the same files, split by the same seed, and where cross-validation
    stands beside cross-validation: an encoder is measured on the tenth of the rows that it did not learn from.
    """
    if name not in old.metrics or any(
        figures.get("n") != old.metrics[name].get(head, {}).get("n") for head, figures in manifest.metrics[name].items()
    ):
        return False
    if name not in OWN_ROWS.values():
        return True
    # Encoders and blends once wrote their held-out rows down as "cross_validation".
    return OWN_ROWS[manifest.family] == OWN_ROWS[old.family] and (manifest.data, manifest.seed) == (old.data, old.seed)


def _mean_f1(summaries: dict[str, dict[str, float]]) -> float:
    return sum(summary["macro_f1"] for summary in summaries.values()) / len(summaries)


def _copy(folder: Path, target: Path) -> None:
    if target.exists():
        raise ArtifactError(f"{target} exists already: give the model another --version, or remove that folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
        copied = shutil.copytree(folder, Path(temporary) / target.name)
        copied.replace(target)


def _write(path: Path, names: list[str]) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    temporary.replace(path)

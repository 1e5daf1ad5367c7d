"""Models on disk: a folder with a manifest that vouches for every other file in it.

The hashes catch damage, mix-ups and models of another dictionary or scikit-learn before anything is unpickled. They are no signature:
who may write the folder may write the manifest.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path

import orjson

from triage.blend import BlendClassifier
from triage.classify import Classifier
from triage.errors import ArtifactError
from triage.families import FAMILIES, LAYOUT, Family
from triage.resources import MODELS
from triage.text import dictionary_hash

_ADDED_LATER = {"risk"}
_LIBRARIES = ("scikit-learn", "numpy", "scipy", "joblib", "rjieba", "onnxruntime", "tokenizers")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that a model was trained on: its name, how many rows were used, and its SHA-256 (hex)."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a model is and where it comes from.

    Args:
        name, version, created: identity; `created` is an ISO 8601 time.
        family: key of `triage.families.FAMILIES`.
        heads: head -> labels in the order of the probabilities.
        text: how texts are prepared and counted.
        dictionary_hash: `triage.text.dictionary_hash()` at training.
        data: the files it was trained on.
        metrics: figures by name of the test ("cross_validation", ...), then head, then figure.
        review_thresholds: head -> confidence (0-1) under which a person should look; above 1: at every answer.
        libraries: package -> version at training.
        seed: of everything random.
        files: file -> SHA-256 (hex) of every file in the folder but the manifest; filled by `save`.
        risk: share (0-1) of the answers above their threshold that may be wrong, for which the thresholds were chosen; None: by cost.
            Manifests written before there was a choice lack it.
    """

    name: str
    version: str
    created: str
    family: str
    heads: dict[str, tuple[str, ...]]
    text: dict[str, str | int | float]
    dictionary_hash: str
    data: tuple[DataFile, ...]
    metrics: dict[str, dict[str, dict[str, float]]]
    review_thresholds: dict[str, float]
    libraries: dict[str, str]
    seed: int
    files: dict[str, str] = field(default_factory=dict)
    risk: float | None = None

    @property
    def folder_name(self) -> str:
        """How the folder is called under models/, and how a triage names its model."""
        return f"{self.name}-{self.version}"


def library_versions() -> dict[str, str]:
    """Versions of the installed packages on which a model's answers depend."""
    return {name: version(name) for name in _LIBRARIES}


def save(classifier: Classifier, manifest: Manifest, card: str, folder: Path) -> Manifest:
    """Write a model folder at once: into a temporary folder beside it, which then takes its place (an older model there is replaced).

    Args:
        classifier: an object of the manifest's family.
        manifest: its `files` are ignored.
        card: the model card in Markdown, for README.md.
        folder: where the model will lie; its parent is made when missing.

    Returns:
        The manifest as written, with the hashes of the files.

    Raises:
        ArtifactError: `folder` exists and is not a model folder, or the manifest does not describe the classifier.
    """
    family = FAMILIES.get(manifest.family)
    if not family or not isinstance(classifier, family.classifier) or classifier.heads != manifest.heads:
        raise ArtifactError(f"manifest: family {manifest.family!r} with heads {list(manifest.heads)} does not describe this classifier")
    require_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    content = family.write(classifier) | {LAYOUT.card: card.encode()}
    manifest = replace(manifest, files={name: hashlib.sha256(data).hexdigest() for name, data in content.items()})
    content[LAYOUT.manifest] = orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2) + b"\n"
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, data in content.items():
            (temporary / name).write_bytes(data)
        temporary.chmod(0o755)  # mkdtemp makes it private
        if folder.exists():
            shutil.rmtree(folder)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return manifest


def require_replaceable(folder: Path) -> None:
    """Raises: ArtifactError when something lies there that is not a model; worth asking before a long training."""
    if folder.exists() and not (folder / LAYOUT.manifest).is_file():
        raise ArtifactError(f"{folder} exists and is not a model folder; choose another place or remove it")


def load(folder: Path, threads: int = 0, fast: bool = False) -> tuple[Classifier, Manifest]:
    """Read a model that is exactly what its manifest vouches for and that fits this installation.

    Args:
        folder: of the model.
        threads: in which an encoder reads; 0 = one for each core. Processes that share the cores take 1 each.
        fast: of a blend only the linear part, which reads some fifty times as many texts a second and errs more often; its name ends
            in -fast. Other models are as fast as they are.

    Raises:
        ArtifactError: something is missing, added or changed, or the dictionary or scikit-learn is another one.
    """
    manifest = read_manifest(folder)
    family = FAMILIES.get(manifest.family)
    if family is None:
        raise ArtifactError(f"{folder}: family {manifest.family!r} is not known here; expected one of {', '.join(FAMILIES)}")
    content = _verified(folder, manifest, family)
    if family.counts_words:
        _require_same_installation(folder, manifest)
    try:
        classifier = family.read(content, threads)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{folder}: not the {manifest.family} classifier of its manifest ({error}); train the model again") from None
    if not isinstance(classifier, family.classifier) or classifier.heads != manifest.heads:
        raise ArtifactError(f"{folder}: not the {manifest.family} classifier of its manifest; train the model again")
    if fast and isinstance(classifier, BlendClassifier):
        return classifier.linear, replace(manifest, version=f"{manifest.version}-fast")
    return classifier, manifest


def read_manifest(folder: Path) -> Manifest:
    """Only the manifest, nothing verified.

    Raises:
        ArtifactError: there is none, or it is not readable.
    """
    path = folder / LAYOUT.manifest
    try:
        raw = orjson.loads(path.read_bytes())
        return _parse(raw)
    except (FileNotFoundError, NotADirectoryError):
        raise ArtifactError(f"{path} is missing: {folder} is not a model folder; train one with `triage train --out {folder}`") from None
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path} is not a manifest ({error}); restore the folder or train the model again") from None


def served_folder(models: Path = MODELS) -> Path:
    """The folder named in `models/current`: the model that is served when none is asked for.

    Raises:
        ArtifactError: nothing was promoted yet.
    """
    current = models / "current"
    try:
        return models / current.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise ArtifactError(f"{current} is missing: no model is served; train one and promote it (`triage promote DIR`)") from None


def _verified(folder: Path, manifest: Manifest, family: Family) -> dict[str, bytes]:
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()} - {LAYOUT.manifest}
    for name in sorted({*family.files, *manifest.files} - present):
        raise ArtifactError(f"{folder / name} is missing; restore the folder or train the model again")
    for name in sorted(present - set(manifest.files)):
        raise ArtifactError(f"{folder / name} is not in the manifest; remove it")
    content = {name: (folder / name).read_bytes() for name in sorted(present)}
    for name, data in content.items():
        if hashlib.sha256(data).hexdigest() != manifest.files[name]:
            raise ArtifactError(f"{folder / name} was changed (its SHA-256 is not the manifest's); restore it or train the model again")
    return content


def _require_same_installation(folder: Path, manifest: Manifest) -> None:
    if manifest.dictionary_hash != dictionary_hash():
        raise ArtifactError(f"{folder}: was trained with another dictionary; restore data/lexicon/words.txt or train the model again")
    trained, installed = (_major_minor(v["scikit-learn"]) for v in (manifest.libraries, library_versions()))
    if trained != installed:
        raise ArtifactError(
            f"{folder}: was trained with scikit-learn {trained}, installed is {installed}; install {trained} or train the model again"
        )


def _major_minor(release: str) -> str:
    return ".".join(release.split(".")[:2])


def _parse(raw: Mapping) -> Manifest:
    known = {f.name for f in fields(Manifest)}
    if odd := (set(raw) ^ known) - _ADDED_LATER:
        raise ValueError(f"fields {sorted(odd)} are missing or unknown")
    if "scikit-learn" not in raw["libraries"]:
        raise ValueError("libraries does not name scikit-learn")
    heads = {head: tuple(labels) for head, labels in raw["heads"].items()}
    return Manifest(**raw | {"heads": heads, "data": tuple(DataFile(**item) for item in raw["data"])})

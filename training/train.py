"""From labelled files to a model folder: read, fit, measure, write the card, save."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path

import numpy as np

from training import families
from training.encoder import EncoderSettings
from training.evaluate import ERROR_COST, FREQUENT, REVIEW_COST, Answers, HeadFigures, answer, as_table, figures, most_probable
from training.examples import Examples, read_examples, require_trainable
from training.linear import LinearSettings
from training.pseudo_labels import read_unlabelled
from training.risk import DELTA, threshold_for_risk
from triage.artifact import DataFile, Manifest, library_versions, load, require_replaceable, save
from triage.errors import InputError
from triage.taxonomy import Taxonomy
from triage.text import dictionary_hash

CROSS_VALIDATION = "cross_validation"
"""Name of the figures on the training data by models that did not see the row: all rows, each answered out of its fold."""
HELD_OUT = "held_out"
"""Name of the figures on the part of the training data that an encoder was not trained on."""
OWN_ROWS = {"linear": CROSS_VALIDATION, "encoder": HELD_OUT, "blend": HELD_OUT}
EVERY_ANSWER = 1.01
"""A review threshold that no confidence reaches."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What `triage train` was asked for; see its `--help`."""

    data: tuple[Path, ...]
    label_columns: tuple[str, ...]
    text_column: str = "text"
    group_column: str | None = None
    taxonomy: Taxonomy | None = None
    tests: tuple[Path, ...] = ()
    notes: str = ""
    name: str = "custom"
    version: str = "1"
    seed: int = 0
    family: str = "linear"
    settings: LinearSettings = field(default_factory=LinearSettings)
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    risk: float | None = None
    teacher: Path | None = None
    unlabelled: tuple[Path, ...] = ()
    unlabelled_sample: int | None = None
    keep_encoder: bool = False

    @property
    def folder_name(self) -> str:
        """As `Manifest.folder_name`."""
        return f"{self.name}-{self.version}"


def train(request: Request, out: Path, now: datetime) -> tuple[Manifest, dict[str, dict[str, HeadFigures]]]:
    """Train, measure and save a model.

    Args:
        request: data and settings.
        out: the model folder to write.
        now: for the manifest; the model itself does not depend on it.

    Returns:
        The manifest, and the figures by name of the test: on the training data out of fold, and on each test file.

    Raises:
        InputError: the data cannot be trained on; see `training.examples`; or an encoder's base is none; or the teacher cannot teach.
        ConfigError: a package that only an encoder needs is missing.
        ArtifactError: `out` is something else than a model folder.
    """
    examples = _read(request, request.data)
    require_trainable(examples)
    _require_groups(request, examples)
    _require_labels(request, examples)
    require_replaceable(out)
    checkpoint = out.with_name(f".{out.name}.training")
    tests = {path.stem: _read(request, (path,)) for path in request.tests}
    teacher = _teacher(request, examples, tests.values())
    fitted = families.fit(request.family, examples, request.settings, request.encoder, request.seed, checkpoint, teacher)
    heads = fitted.classifier.heads
    held_out = {head: most_probable(heads[head], p) for head, p in fitted.held_out.items() if not np.isnan(p).all()}
    thresholds = review_thresholds(examples.labels, held_out, heads, request.risk)
    manifest = Manifest(
        name=request.name,
        version=request.version,
        created=now.isoformat(timespec="seconds"),
        family=request.family,
        heads=heads,
        text={"preparation": "triage.privacy.prepare"} | fitted.text | _origin(request),
        dictionary_hash=dictionary_hash(),
        data=examples.files,
        metrics={},
        review_thresholds=thresholds,
        libraries=library_versions(),
        seed=request.seed,
        risk=request.risk,
    )
    measured = {OWN_ROWS[request.family]: figures(examples, held_out, thresholds)}
    for name, test in tests.items():
        measured[name] = figures(test, answer(fitted.classifier, manifest, test), thresholds)
    metrics = {test: {head: f.summary() for head, f in by_head.items()} for test, by_head in measured.items()}
    manifest = replace(manifest, metrics=metrics)
    return save(fitted.classifier, manifest, card(request, manifest, examples, measured), out), measured


def review_thresholds(
    labels: Mapping[str, Sequence[str | None]], held_out: Mapping[str, Answers], heads: Iterable[str], risk: float | None
) -> dict[str, float]:
    """Head -> confidence under which a person should look.

    Args:
        labels: head -> label of each text.
        held_out: head -> answers by models that did not see the text; a head may be missing.
        heads: all heads.
        risk: share (0-1) of the answers that pass unseen that may be wrong, see `training.risk`; where it cannot be promised every answer
            goes to a person, with a warning. None: by cost. With calibrated probabilities review pays where it costs less than the error
            to be expected without it.
    """
    if risk is None:
        return dict.fromkeys(heads, 1 - REVIEW_COST / ERROR_COST)
    found = {}
    for head in heads:
        threshold = None
        if head in held_out:
            confidence, correct = held_out[head].judged(labels[head])
            threshold = threshold_for_risk(confidence, correct, risk)
        if threshold is None:
            log.warning("%s: a risk of %g cannot be promised on these held-out texts; every answer goes to a person", head, risk)
        found[head] = EVERY_ANSWER if threshold is None else threshold
    return found


def card(request: Request, manifest: Manifest, examples: Examples, measured: Mapping[str, Mapping[str, HeadFigures]]) -> str:
    """The model card (Mitchell et al. 2019), in Markdown. It holds no time: the same training writes the same card."""
    grouped = (
        f"by `{request.group_column}`: no author or batch is both trained and tested on" if request.group_column else "labels spread evenly"
    )
    parts = [
        f"# {manifest.folder_name}",
        f"{families.ABOUT[manifest.family]} Written by `triage train`; `manifest.json` vouches for the files beside it.",
        "## Data",
        _data_table(examples),
        "\n".join(f"- `{head}`: {_counts(examples.labels[head])}" for head in manifest.heads),
        *_pseudo_labels(manifest),
        "## Figures",
        f"`{OWN_ROWS[request.family]}`: {_held_out(request)} ({grouped}). Other tests: rows that were not trained on.",
        *(f"### {test}\n\n{as_table(by_head)}" for test, by_head in measured.items()),
        f"`macro_f1_frequent`: over labels of {FREQUENT} rows or more. `error_at_90_coverage`: wrong among the most confident 90 %. `ece`: "
        "calibration error. `review_share`: answers under the review threshold, which leaves them to a person. `cost_per_1000`: "
        f"{REVIEW_COST:g} for each review, {ERROR_COST:g} for each wrong answer that was not reviewed.",
        f"Review thresholds: {', '.join(f'`{head}` {value:.3f}' for head, value in manifest.review_thresholds.items())}; {_chosen(request)}.",
        "Probable label errors in the data (`triage review --data`) are found by the cross-validation of a linear model, whatever the family of "
        "this one; texts worth labelling next (`triage review --unlabelled`) by this model.",
        *(per_class(test, by_head) for test, by_head in measured.items() if test not in OWN_ROWS.values()),
        "## Use and limits",
        request.notes.strip()
        or "For texts like those it was trained on. It answers every text with one of its labels: what it was never shown it cannot name. "
        "Measure it on texts of your own (`triage evaluate`) before relying on it.",
    ]
    return "\n\n".join(parts) + "\n"


def _origin(request: Request) -> dict[str, str]:
    """Where pseudo-labels came from."""
    if not request.teacher:
        return {}
    return {"teacher": request.teacher.name, "unlabelled": ", ".join(path.name for path in request.unlabelled)}


def per_class(test: str, measured: Mapping[str, HeadFigures]) -> str:
    """Precision, recall and F1 of each label of each head on a test, in Markdown; labels of which there are more first."""
    lines = [f"### {test}, by label", "", "| head | label | n | precision | recall | f1 |", "|---|---|---|---|---|---|"]
    for head, found in measured.items():
        for label, f in sorted(found.per_class.items(), key=lambda item: -item[1].n):
            lines.append(f"| {head} | {label} | {f.n} | {f.precision:.2f} | {f.recall:.2f} | {f.f1:.2f} |")
    return "\n".join(lines)


def _teacher(request: Request, examples: Examples, tests: Iterable[Examples]) -> families.Teacher | None:
    if not request.teacher and not request.unlabelled:
        return None
    if not request.teacher:
        raise InputError("--teacher", None, "the folder of the model that labels the texts of --unlabelled")
    if not request.unlabelled:
        raise InputError("--unlabelled", None, "files with the texts that --teacher labels")
    if request.keep_encoder and request.family != "blend":
        raise InputError("--keep-encoder", request.family, "--family blend, which has an encoder and another part to train")
    classifier, manifest = load(request.teacher)
    # Labels may have been corrected since; another set of rows would be parted otherwise.
    if request.keep_encoder and (_rows(manifest.data), manifest.seed) != (_rows(examples.files), request.seed):
        expected = (
            "a model trained on the same rows of --data with the same --seed: what its encoder has not seen chooses weights and thresholds"
        )
        raise InputError("--teacher", manifest.folder_name, expected)
    known = chain(examples.texts, *(test.texts for test in tests))
    texts = read_unlabelled(request.unlabelled, request.text_column, known, request.unlabelled_sample, request.seed)
    return families.Teacher(classifier, texts, request.keep_encoder)


def _require_groups(request: Request, examples: Examples) -> None:
    named = set(request.encoder.held_out_groups)
    if named and not request.group_column:
        raise InputError("--held-out-group", ", ".join(sorted(named)), "--group-column, which tells the groups")
    if unknown := named - set(examples.groups or ()):
        raise InputError("--held-out-group", ", ".join(sorted(unknown)), f"values of the column {request.group_column}")
    if named and named == set(examples.groups or ()):
        raise InputError("--held-out-group", ", ".join(sorted(named)), "not all of them, or nothing is left to train on")


def _require_labels(request: Request, examples: Examples) -> None:
    for head, ratios in request.encoder.priors.items():
        if unknown := set(ratios) - set(examples.labels[head]):
            raise InputError("--prior", f"{head}:{', '.join(sorted(unknown))}", f"labels of {head} that the data has")


def _rows(files: Iterable[DataFile]) -> list[tuple[str, int]]:
    return [(file.name, file.rows) for file in files]


def _read(request: Request, files: Sequence[Path]) -> Examples:
    group = request.group_column if files == request.data else None
    return read_examples(files, request.label_columns, request.text_column, group, request.taxonomy)


def _pseudo_labels(manifest: Manifest) -> list[str]:
    if "teacher" not in manifest.text:
        return []
    told = manifest.text
    return [
        f"It also learnt from {told['pseudo_labelled_texts']} texts of {told['unlabelled']} that nobody labelled, as model `{told['teacher']}` "
        f"answers them: an encoder its probabilities, a linear model its labels of {told['pseudo_labels_from']} or more. No figure counts them."
    ]


def _held_out(request: Request) -> str:
    if request.family == "linear":
        return "each row answered by heads that were trained without its fold"
    return "the rows that the encoder was not trained on, which calibrate it and, in a blend, choose weights and thresholds"


def _chosen(request: Request) -> str:
    if request.risk is None:
        return f"by cost ({REVIEW_COST:g} a review, {ERROR_COST:g} an error)"
    return (
        f"for a risk of {request.risk:g}: on texts like the held-out ones at most that share of the answers above the threshold is wrong, with "
        f"probability {1 - DELTA:g} (Geifman and El-Yaniv 2017); above 1 where that cannot be promised"
    )


def _data_table(examples: Examples) -> str:
    lines = ["| file | rows | SHA-256 |", "|---|---|---|"]
    return "\n".join(lines + [f"| {file.name} | {file.rows} | `{file.sha256[:16]}` |" for file in examples.files])


def _counts(column: Sequence[str | None]) -> str:
    counts = Counter(label for label in column if label is not None)
    return ", ".join(f"{label} {n}" for label, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))

"""From labelled files to a model folder: read, fit, measure, write the card, save."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from pathlib import Path

import numpy as np

from training import families
from training.card import card
from training.encoder import encoder_of
from training.evaluate import ERROR_COST, REVIEW_COST, Answers, HeadFigures, answer, figures, most_probable
from training.examples import Examples, read_examples, require_trainable
from training.pseudo_labels import read_unlabelled
from training.request import OWN_ROWS, Request, labels_of, require_answerable, require_groups, require_labels, require_options
from training.risk import threshold_for_risk
from triage.artifact import DataFile, Manifest, library_versions, load, read_manifest, require_replaceable, save
from triage.errors import InputError
from triage.text import dictionary_hash

EVERY_ANSWER = 1.01
"""A review threshold that no confidence reaches."""
log = logging.getLogger(__name__)


def train(request: Request, out: Path, now: datetime) -> tuple[Manifest, dict[str, dict[str, HeadFigures]]]:
    """Train, measure and save a model.

    Args:
        request: data and settings.
        out: the model folder to write.
        now: for the manifest; the model itself does not depend on it.

    Returns:
        The manifest, and the figures by name of the test: on the training data out of fold, and on each test file.

    Raises:
        InputError: the data cannot be trained on; see `training.examples`; or a test cannot be answered; or options contradict each other;
            or an encoder's base is none; or the teacher cannot teach, or its encoder not be kept.
        ConfigError: a package that only an encoder needs is missing, or the calendar lacks this year.
        ArtifactError: `out` is something else than a model folder, or the teacher's or one to start from is no intact model.
    """
    require_options(request)
    examples = _read(request, request.data)
    require_trainable(examples)
    require_groups(request, examples)
    require_labels(request, examples)
    require_replaceable(out)
    checkpoint = out.with_name(f".{out.name}.training")
    tests = {path.stem: _read(request, (path,)) for path in request.tests}
    require_answerable(request, examples, tests, now)
    teacher, kept = _teacher(request, examples, tests.values()), _kept(request, examples)
    _warn_of_rows_seen(request, examples)
    fitted = families.fit(request.family, examples, request.settings, request.encoder, request.seed, checkpoint, teacher, kept)
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
    saved = save(fitted.classifier, manifest, card(request, manifest, examples, measured), out)
    checkpoint.unlink(missing_ok=True)  # now that nothing is lost with it
    return saved, measured


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


def _teacher(request: Request, examples: Examples, tests: Iterable[Examples]) -> families.Teacher | None:
    if not request.teacher or request.keep_encoder:
        return None
    classifier, _ = load(request.teacher)
    known = chain(examples.texts, *(test.texts for test in tests))
    texts = read_unlabelled(request.unlabelled, request.text_column, known, request.unlabelled_sample, request.seed)
    return families.Teacher(classifier, texts)


def _kept(request: Request, examples: Examples) -> families.Kept | None:
    """The teacher's encoder, when the rows that it was not trained on are those that will be held out here, and its labels are theirs."""
    if not request.keep_encoder:
        return None
    classifier, manifest = load(request.teacher)
    kept = families.Kept(encoder_of(classifier, "--teacher"), manifest)
    # Labels may have been corrected since; another set of rows would be parted otherwise.
    if _draw(manifest.data, manifest.seed) != _draw(examples.files, request.seed):
        expected = (
            "a model trained on the same rows of --data with the same --seed: what its encoder has not seen chooses shares and thresholds"
        )
        raise InputError("--teacher", manifest.folder_name, expected)
    told, asked = _held_out_groups(manifest), set(request.encoder.held_out_groups)
    if told != asked:
        expected = f"{', '.join(sorted(told)) or 'none'}, as {manifest.folder_name} held out: its encoder was trained on the others"
        raise InputError("--held-out-group", ", ".join(sorted(asked)) or None, expected)
    labels = labels_of(examples)
    for head in (*labels, *(head for head in manifest.heads if head not in labels)):
        if odd := labels.get(head, set()) ^ set(manifest.heads.get(head, ())):
            expected = f"the same heads and labels in --data and {manifest.folder_name}, whose encoder is kept"
            raise InputError(f"--teacher: {head}", ", ".join(sorted(odd)), expected)
    return kept


def _warn_of_rows_seen(request: Request, examples: Examples) -> None:
    """Rows held out here that an encoder to start from was trained on would calibrate it far too well."""
    for folder in request.encoder.start_from:
        manifest = read_manifest(folder)
        known = {file.sha256 for file in examples.files} & {file.sha256 for file in manifest.data}
        asked = set(request.encoder.held_out_groups)
        alike = _held_out_groups(manifest) == asked and (
            asked or _draw(manifest.data, manifest.seed) == _draw(examples.files, request.seed)
        )
        if known and not alike:
            log.warning(
                "%s was trained on rows of %s that are held out now: probabilities and figures on them will be too good; "
                "hold out what it held out (--held-out-group, or the same files and --seed)",
                manifest.folder_name,
                ", ".join(sorted(file.name for file in examples.files if file.sha256 in known)),
            )


def _held_out_groups(manifest: Manifest) -> set[str]:
    """Groups that the encoder of a model was not trained on; none where they were drawn."""
    told = str(manifest.text.get("held_out_groups" if manifest.family == "encoder" else "encoder_held_out_groups", ""))
    return set(told.split(", ")) - {""}


def _draw(files: Iterable[DataFile], seed: int) -> tuple[list[tuple[str, int]], int]:
    """What decides which rows are drawn to be held out."""
    return [(file.name, file.rows) for file in files], seed


def _origin(request: Request) -> dict[str, str]:
    """Which model taught this one, on what, or gave its encoder."""
    if not request.teacher:
        return {}
    if request.keep_encoder:
        return {"encoder_kept_from": request.teacher.name}
    return {"teacher": request.teacher.name, "unlabelled": ", ".join(path.name for path in request.unlabelled)}


def _read(request: Request, files: Sequence[Path]) -> Examples:
    group = request.group_column if files == request.data else None
    return read_examples(files, request.label_columns, request.text_column, group, request.taxonomy)

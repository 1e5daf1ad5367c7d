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
from training.encoder import EncoderSettings, encoder_of
from training.evaluate import (
    ERROR_COST,
    FREQUENT,
    REVIEW_COST,
    Answers,
    HeadFigures,
    answer,
    as_table,
    figures,
    most_probable,
)
from training.examples import Examples, kept_together, read_examples, require_trainable
from training.linear import LinearSettings
from training.pseudo_labels import read_unlabelled
from training.risk import DELTA, threshold_for_risk
from triage.artifact import DataFile, Manifest, library_versions, load, read_manifest, require_replaceable, save
from triage.errors import InputError
from triage.tagger import tags_bank_complaints
from triage.taxonomy import Taxonomy, load_taxonomy
from triage.text import dictionary_hash
from triage.workdays import add_working_days

CROSS_VALIDATION = "cross_validation"
"""Name of the figures on the training data by models that did not see the row: all rows, each answered out of its fold."""
HELD_OUT = "held_out"
"""Name of the figures on the part of the training data that an encoder was not trained on."""
OWN_ROWS = {"linear": CROSS_VALIDATION, "encoder": HELD_OUT, "blend": HELD_OUT}
EVERY_ANSWER = 1.01
"""A review threshold that no confidence reaches."""
# Setting of an encoder -> the option that asks for it: of its own training, and of what only a blend does with it.
_NETWORK = {
    "base": "--base",
    "epochs": "--epochs",
    "max_pieces": "--max-pieces",
    "frozen_layers": "--frozen-layers",
    "start_from": "--start-from",
}
_BLEND = {"shares": "--encoder-share", "priors": "--prior", "cascade": "--cascade"}
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
        InputError: the data cannot be trained on; see `training.examples`; or a test cannot be answered; or options contradict each other;
            or an encoder's base is none; or the teacher cannot teach, or its encoder not be kept.
        ConfigError: a package that only an encoder needs is missing, or the calendar lacks this year.
        ArtifactError: `out` is something else than a model folder, or the teacher's or one to start from is no intact model.
    """
    _require_options(request)
    examples = _read(request, request.data)
    require_trainable(examples)
    _require_groups(request, examples)
    _require_labels(request, examples)
    require_replaceable(out)
    checkpoint = out.with_name(f".{out.name}.training")
    tests = {path.stem: _read(request, (path,)) for path in request.tests}
    _require_answerable(request, examples, tests, now)
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


def card(request: Request, manifest: Manifest, examples: Examples, measured: Mapping[str, Mapping[str, HeadFigures]]) -> str:
    """The model card (Mitchell et al. 2019), in Markdown. It holds no time: the same training writes the same card."""
    parts = [
        f"# {manifest.folder_name}",
        f"{families.ABOUT[manifest.family]} Written by `triage train`; `manifest.json` vouches for the files beside it.",
        "## Data",
        _data_table(examples),
        "\n".join(f"- `{head}`: {_counts(examples.labels[head])}" for head in manifest.heads),
        *_origin_told(manifest),
        "## Figures",
        f"`{OWN_ROWS[request.family]}`: {_held_out(request)} ({_parted(request, examples)}). Other tests: rows that were not trained on.",
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
    """Which model taught this one, on what, or gave its encoder."""
    if not request.teacher:
        return {}
    if request.keep_encoder:
        return {"encoder_kept_from": request.teacher.name}
    return {"teacher": request.teacher.name, "unlabelled": ", ".join(path.name for path in request.unlabelled)}


def per_class(test: str, measured: Mapping[str, HeadFigures]) -> str:
    """Precision, recall and F1 of each label of each head on a test, in Markdown; labels of which there are more first."""
    lines = [f"### {test}, by label", "", "| head | label | n | precision | recall | f1 |", "|---|---|---|---|---|---|"]
    for head, found in measured.items():
        for label, f in sorted(found.per_class.items(), key=lambda item: -item[1].n):
            lines.append(f"| {head} | {label} | {f.n} | {f.precision:.2f} | {f.recall:.2f} | {f.f1:.2f} |")
    return "\n".join(lines)


def _require_options(request: Request) -> None:
    """What contradicts itself, and options that would be passed over in silence (one that is given its default is not seen)."""
    names = [path.stem for path in request.tests]
    if twice := {name for name in names if names.count(name) > 1}:
        raise InputError("--test", ", ".join(sorted(twice)), "files of different names, by which their figures are kept")
    if own := set(names) & set(OWN_ROWS.values()):
        raise InputError("--test", ", ".join(sorted(own)), "another file name: so the figures on the training data are called")
    if request.keep_encoder and request.family != "blend":
        raise InputError("--keep-encoder", request.family, "--family blend, which has an encoder and another part to train")
    if request.family == "linear":
        _refuse(request, _NETWORK | {"held_out_groups": "--held-out-group"}, f"--family {request.family}", "--family encoder or blend")
    if request.family != "blend":
        _refuse(request, _BLEND, f"--family {request.family}", "--family blend")
    if request.keep_encoder:
        _refuse(request, _NETWORK, "--keep-encoder", "an encoder to be trained; one that is kept stays as it is")
    if request.unlabelled_sample and not request.unlabelled:
        raise InputError("--unlabelled-sample", request.unlabelled_sample, "--unlabelled, from which it is drawn")
    if request.keep_encoder and request.unlabelled:
        raise InputError("--unlabelled", "--keep-encoder", "an encoder to be trained; nothing else learns from these texts")
    if request.keep_encoder and not request.teacher:
        raise InputError("--teacher", None, "the folder of the model whose encoder is kept")
    if request.unlabelled and not request.teacher:
        raise InputError("--teacher", None, "the folder of the model that labels the texts of --unlabelled")
    if request.teacher and not request.unlabelled and not request.keep_encoder:
        raise InputError("--unlabelled", None, "files with the texts that --teacher labels")


def _refuse(request: Request, options: Mapping[str, str], found: str, expected: str) -> None:
    usual = EncoderSettings()
    for setting, option in options.items():
        if getattr(request.encoder, setting) != getattr(usual, setting):
            raise InputError(option, found, expected)


def _require_answerable(request: Request, examples: Examples, tests: Mapping[str, Examples], now: datetime) -> None:
    """What `training.evaluate` would refuse once the model is there, and the training with it."""
    for path, test in zip(request.tests, tests.values(), strict=True):
        if not any(label is not None for column in test.labels.values() for label in column):
            raise InputError(f"{path.name}: {', '.join(request.label_columns)}", None, "at least one row with a text and a label")
    if not tests or not tags_bank_complaints(_labels(examples)):
        return
    # It will answer as in service, which asks for a channel of the taxonomy and for when the answer is due.
    taxonomy = load_taxonomy()
    add_working_days(now, max(handling.close_days for handling in taxonomy.handlings.values()))
    for test in tests.values():
        for row, channel in zip(test.rows, test.channels, strict=True):
            try:
                taxonomy.channel_key(channel or "other")
            except InputError as error:
                raise InputError(f"{row}: channel", channel, error.expected) from None


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
    labels = _labels(examples)
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


def _labels(examples: Examples) -> dict[str, set[str]]:
    return {head: {label for label in column if label is not None} for head, column in examples.labels.items()}


def _read(request: Request, files: Sequence[Path]) -> Examples:
    group = request.group_column if files == request.data else None
    return read_examples(files, request.label_columns, request.text_column, group, request.taxonomy)


def _origin_told(manifest: Manifest) -> list[str]:
    told, found = manifest.text, []
    if "encoder_kept_from" in told:
        found.append(f"Its encoder is that of model `{told['encoder_kept_from']}`, which was trained on the same rows.")
    if "teacher" in told:
        who, what = "It", "its probabilities"
        if manifest.family == "linear":
            what = f"its labels of {told['pseudo_labels_from']} or more"
        elif manifest.family == "blend":
            who = "Its encoder"
        found.append(
            f"{who} also learnt from {told['pseudo_labelled_texts']} texts of {told['unlabelled']} that nobody labelled, as model "
            f"`{told['teacher']}` answers them: {what}. No figure counts them."
        )
    return found


def _parted(request: Request, examples: Examples) -> str:
    """How the rows of the model's own figures were chosen."""
    together = kept_together(examples.texts, examples.groups)
    if together and together is examples.groups:
        return f"by `{request.group_column}`: no author or batch is both trained and tested on"
    linear = request.family == "linear"
    if together or (linear and request.settings.courtesy):  # which parts by text too, see `training.augment`
        return "by text: none is both trained and tested on, nor a copy of it"
    return "labels spread evenly" if linear else "drawn at random"


def _held_out(request: Request) -> str:
    if request.family == "linear":
        return "each row answered by heads that were trained without its fold"
    return "the rows that the encoder was not trained on, which calibrate it and, in a blend, choose shares and thresholds"


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

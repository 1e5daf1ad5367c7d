"""What `triage train` was asked for, and what it refuses before anything is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from training.encoder import EncoderSettings
from training.examples import Examples
from training.linear import LinearSettings
from triage.errors import InputError
from triage.tagger import tags_bank_complaints
from triage.taxonomy import Taxonomy, load_taxonomy
from triage.workdays import add_working_days

CROSS_VALIDATION = "cross_validation"
"""Name of the figures on the training data by models that did not see the row: all rows, each answered out of its fold."""
HELD_OUT = "held_out"
"""Name of the figures on the part of the training data that an encoder was not trained on."""
OWN_ROWS = {"linear": CROSS_VALIDATION, "encoder": HELD_OUT, "blend": HELD_OUT}
# Setting of an encoder -> the option that asks for it: of its own training, and of what only a blend does with it.
_NETWORK = {
    "base": "--base",
    "epochs": "--epochs",
    "max_pieces": "--max-pieces",
    "frozen_layers": "--frozen-layers",
    "start_from": "--start-from",
}
_BLEND = {"shares": "--encoder-share", "priors": "--prior", "favour_rare": "--favour-rare", "cascade": "--cascade"}


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


def require_options(request: Request) -> None:
    """Raises: InputError for what contradicts itself, and for options that would be passed over in silence (one that is given its default is
    not seen)."""
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
    if not request.encoder.epochs and not request.encoder.start_from:
        raise InputError("--epochs", 0, "at least 1, or --start-from with encoders that stay as they are")
    if not request.encoder.epochs and request.unlabelled:
        raise InputError("--unlabelled", "--epochs 0", "at least one epoch; nothing else learns from these texts")
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


def require_groups(request: Request, examples: Examples) -> None:
    """Raises: InputError when groups to hold out are not those of the data, or leave nothing."""
    named = set(request.encoder.held_out_groups)
    if named and not request.group_column:
        raise InputError("--held-out-group", ", ".join(sorted(named)), "--group-column, which tells the groups")
    if unknown := named - set(examples.groups or ()):
        raise InputError("--held-out-group", ", ".join(sorted(unknown)), f"values of the column {request.group_column}")
    if named and named == set(examples.groups or ()):
        raise InputError("--held-out-group", ", ".join(sorted(named)), "not all of them, or nothing is left to train on")


def require_labels(request: Request, examples: Examples) -> None:
    """Raises: InputError when a prior is of a label that the data lacks."""
    for head, ratios in request.encoder.priors.items():
        if unknown := set(ratios) - set(examples.labels[head]):
            raise InputError("--prior", f"{head}:{', '.join(sorted(unknown))}", f"labels of {head} that the data has")


def require_answerable(request: Request, examples: Examples, tests: Mapping[str, Examples], now: datetime) -> None:
    """Raises: InputError for what `training.evaluate` would refuse once the model is there, and the training with it."""
    for path, test in zip(request.tests, tests.values(), strict=True):
        if not any(label is not None for column in test.labels.values() for label in column):
            raise InputError(f"{path.name}: {', '.join(request.label_columns)}", None, "at least one row with a text and a label")
    if not tests or not tags_bank_complaints(labels_of(examples)):
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


def labels_of(examples: Examples) -> dict[str, set[str]]:
    """Head -> labels that occur."""
    return {head: {label for label in column if label is not None} for head, column in examples.labels.items()}


def _refuse(request: Request, options: Mapping[str, str], found: str, expected: str) -> None:
    usual = EncoderSettings()
    for setting, option in options.items():
        if getattr(request.encoder, setting) != getattr(usual, setting):
            raise InputError(option, found, expected)

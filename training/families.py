"""One call to train a model of any family."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training import blend, encoder, linear
from training.encoder import EncoderSettings
from training.examples import Examples
from training.linear import LinearSettings
from training.pseudo_labels import LEAST_CONFIDENCE, pseudo_label
from triage.artifact import Manifest
from triage.blend import BlendClassifier, moved, tempered
from triage.classify import Classifier
from triage.encoder import EncoderClassifier

FAMILIES = ("linear", "encoder", "blend")
_LINEAR = "Linear support vector machines, one per label and head, over TF-IDF of character n-grams and words of Chinese text"
_ENCODER = "A transformers encoder fine-tuned with one linear head per label column over the mean of its last hidden states, served by ONNX Runtime"
ABOUT = {
    "linear": f"{_LINEAR}; probabilities calibrated by temperature.",
    "encoder": f"{_ENCODER}; probabilities calibrated by temperature.",
    "blend": f"Two models that answer together. 1: {_LINEAR}. 2: {_ENCODER}. Their calibrated probabilities are pooled (geometric mean) with the "
    "shares of `blend.json`; where there is a cascade and the linear model is sure in every head of a complaint that is not severe, it answers alone. What is answered is "
    "calibrated once more by temperature.",
}
# Of an encoder's settings those that calibrate it, which is done anew where an encoder is kept.
_CALIBRATION = ("held_out", "held_out_groups", "caution")
# Those that only a blend has.
_CHOICES = ("shares", "cascade", "priors", "favour_rare")
# What a manifest tells of the texts that nobody labelled.
_LESSONS = ("teacher", "unlabelled", "pseudo_labelled_texts")


@dataclass(frozen=True, eq=False)
class Trained:
    """A model of some family.

    Args:
        classifier: the object that serving loads.
        held_out: head -> calibrated probabilities (texts, labels) by models trained without the text; rows of NaN elsewhere.
        text: settings and choices, for the manifest.
    """

    classifier: Classifier
    held_out: dict[str, NDArray[np.floating]]
    text: dict[str, str | int | float]


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained model and texts that nobody labelled.

    Args:
        classifier: of any family.
        unlabelled: prepared texts.
    """

    classifier: Classifier
    unlabelled: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Kept:
    """An encoder that a blend takes over as it is.

    Args:
        classifier: trained on the same rows with the same seed, of which the same were held out.
        manifest: of the model that it is from.
    """

    classifier: EncoderClassifier
    manifest: Manifest


def fit(
    family: str,
    examples: Examples,
    for_linear: LinearSettings,
    for_encoder: EncoderSettings,
    seed: int,
    checkpoint: Path,
    teacher: Teacher | None = None,
    kept: Kept | None = None,
) -> Trained:
    """Train.

    Args:
        family: one of `FAMILIES`.
        examples: that can be trained on (`training.examples.require_trainable`).
        for_linear, for_encoder: settings of the parts that the family has.
        seed: of everything random.
        checkpoint: where an encoder's unfinished training is kept.
        teacher: the model learns from its labels of texts that nobody labelled too; of a blend the encoder does.
        kept: a blend trains only its linear part beside this encoder, and has no teacher.

    Raises:
        ConfigError, InputError: see `training.encoder.fit`; or the teacher does not answer one of the heads.
        ArtifactError: a folder to start an encoder from is no model.
    """
    if family != "linear" and not kept:
        encoder.require_packages()  # a teacher may read for minutes first
    given = (examples.texts, examples.labels, examples.groups)
    taught = pseudo_label(teacher.classifier, examples.labels, teacher.unlabelled) if teacher else None
    taught_text = {"pseudo_labelled_texts": len(taught.texts)} if taught else {}
    if family == "linear":
        fitted = linear.fit(*given, for_linear, seed, taught)
        taught_text |= {"pseudo_labels_from": LEAST_CONFIDENCE} if taught else {}
        return Trained(fitted.classifier, fitted.held_out, {"tokens": "triage.text.cut"} | asdict(for_linear) | taught_text)
    text = _told(for_encoder)
    if kept:
        second = encoder.taken_over(kept.classifier, *given, for_encoder, seed)
        recipe, taught_text = _told_of(kept.manifest)
        text = recipe | {name: text[name] for name in _CALIBRATION if name in text}
    else:
        # The longer training first: what it lacks should show before the linear part is trained.
        second = encoder.fit(*given, for_encoder, seed, checkpoint, taught)
    text |= {name: round(value, 4) for name, value in second.figures.items()}
    if family == "encoder":
        return Trained(second.classifier, second.held_out, text | taught_text)
    # Only the encoder is taught: a linear part with the same teacher errs where the encoder errs, and the blend gains less from it.
    first = linear.fit(*given, for_linear, seed)
    settings = {f"encoder_{name}": value for name, value in text.items()} | _prefixed(for_linear) | taught_text
    return _blended(first, second, examples.labels, for_linear.caution, for_encoder, settings)


def _blended(
    first: linear.Fitted,
    second: encoder.FittedEncoder,
    labels: Mapping[str, Sequence[str | None]],
    caution: float,
    settings: EncoderSettings,
    text: dict[str, str | int | float],
) -> Trained:
    heads = first.classifier.heads
    targets = {head: np.array([-1 if v is None else heads[head].index(v) for v in column]) for head, column in labels.items()}
    shares = blend.choose_shares(first.held_out, second.held_out, targets) | settings.shares
    cascade = blend.choose_cascade(first.held_out, second.held_out, targets, shares, heads) if settings.cascade else None
    answers, settled = blend.answered(first.held_out, second.held_out, shares, cascade, heads)
    temperatures = blend.choose_temperatures(answers, targets, caution)
    classifier = BlendClassifier(first.classifier, second.classifier, shares, cascade, temperatures, _priors(heads, targets, settings))
    # Measured as it will answer; rows of NaN stay so.
    held_out = {head: moved(tempered(p, temperatures[head]), classifier.priors.get(head)) for head, p in answers.items()}
    if cascade:
        text |= {"cascade_linear_share": round(settled, 4), "cascade_stated_loss": blend.STATED_LOSS}
        text |= {f"threshold_{head}": round(threshold, 4) for head, threshold in cascade.thresholds.items()}
    text |= {f"temperature_{head}": value for head, value in temperatures.items()}
    text |= {f"share_{head}": share for head, share in shares.items()}
    text |= {"favour_rare": settings.favour_rare} if settings.favour_rare else {}
    text |= {f"prior_{head}_{label}": ratio for head, ratios in settings.priors.items() for label, ratio in ratios.items()}
    return Trained(classifier, held_out, text)


def _priors(
    heads: Mapping[str, Sequence[str]], targets: Mapping[str, NDArray[np.integer]], settings: EncoderSettings
) -> dict[str, tuple[float, ...]]:
    priors = {}
    for head, labels in heads.items():
        counts = np.bincount(targets[head][targets[head] >= 0], minlength=len(labels))
        rarity = (counts.mean() / counts) ** settings.favour_rare
        given = settings.priors.get(head, {})
        if settings.favour_rare or given:
            priors[head] = tuple(round(float(r) * given.get(label, 1.0), 4) for label, r in zip(labels, rarity, strict=True))
    return priors


def _told(settings: EncoderSettings) -> dict[str, str | int | float]:
    """An encoder's settings for the manifest; what only a blend has is told as its choices."""
    told = {name: value for name, value in asdict(settings).items() if name not in _CHOICES and value not in (None, ())}
    if settings.held_out_groups:
        told["held_out_groups"] = ", ".join(settings.held_out_groups)
        del told["held_out"]  # nothing was drawn
    if settings.start_from:
        told["start_from"] = ", ".join(path.name for path in settings.start_from)
    return told


def _told_of(manifest: Manifest) -> tuple[dict[str, str | int | float], dict[str, str | int | float]]:
    """What a manifest tells of how its encoder was made, as `_told` does, and of what it learnt from a teacher."""
    prefix = "" if manifest.family == "encoder" else "encoder_"
    told = manifest.text
    recipe = [f.name for f in fields(EncoderSettings) if f.name not in _CALIBRATION and f"{prefix}{f.name}" in told]
    return {name: told[f"{prefix}{name}"] for name in recipe}, {name: told[name] for name in _LESSONS if name in told}


def _prefixed(settings: LinearSettings) -> dict[str, str | int | float]:
    return {"tokens": "triage.text.cut"} | {f"linear_{name}": value for name, value in asdict(settings).items()}

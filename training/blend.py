"""Choose how a linear model and an encoder answer together: each head's weight, when the linear answer stands alone, the calibration."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from training.linear import temperature
from triage.blend import Cascade, log_probabilities, mixed

WEIGHTS = np.linspace(0, 1, 21)
# Accuracy that the cascade may cost on each head, measured on the held-out rows.
STATED_LOSS = 0.003
NEVER = 1.01
# Where a wrong answer is dearest, the encoder always has its say.
ALWAYS_ASK = {"severity": ("3", "4")}

Distributions = Mapping[str, NDArray[np.floating]]
"""Head -> probabilities (texts, labels); rows of NaN where a text was not held out or has no label."""


def choose_weights(linear: Distributions, encoder: Distributions, targets: Mapping[str, NDArray[np.integer]]) -> dict[str, float]:
    """The encoder's share of each head, in steps of .05, under which the held-out labels are most likely; .5 where no row was held out.

    Args:
        linear, encoder: of the same texts.
        targets: head -> label index of each text, -1 where it has none.
    """
    weights = {}
    for head, target in targets.items():
        rows = usable_rows(linear[head], encoder[head], target)
        if not len(rows):
            weights[head] = 0.5
            continue
        first, second = (p[head][rows, target[rows]] for p in (linear, encoder))
        likelihood = [np.log(mixed(first, second, weight) + 1e-9).mean() for weight in WEIGHTS]
        weights[head] = round(float(WEIGHTS[int(np.argmax(likelihood))]), 2)
    return weights


def choose_cascade(
    linear: Distributions,
    encoder: Distributions,
    targets: Mapping[str, NDArray[np.integer]],
    weights: Mapping[str, float],
    heads: Mapping[str, Sequence[str]],
    loss: float = STATED_LOSS,
) -> Cascade:
    """For each head the lowest confidence from which the linear answer may stand at a loss of accuracy of at most `loss` against the blend.

    A text must pass in all heads, so that the loss of each is at most that. A head with nothing held out never passes.
    """
    thresholds = {}
    for head, target in targets.items():
        rows = usable_rows(linear[head], encoder[head], target)
        thresholds[head] = _threshold(linear[head][rows], mixed(linear[head][rows], encoder[head][rows], weights[head]), target[rows], loss)
    always = {head: tuple(label for label in labels if label in heads[head]) for head, labels in ALWAYS_ASK.items() if head in heads}
    return Cascade(thresholds, always)


def answered(
    linear: Distributions, encoder: Distributions, weights: Mapping[str, float], cascade: Cascade | None, heads: Mapping[str, Sequence[str]]
) -> tuple[dict[str, NDArray[np.floating]], float]:
    """What a blend answers before its calibration, and the share (0-1) of the rows at which the linear part answers alone.

    The cascade is asked only of rows that both held out in every head; elsewhere the mean stands.
    """
    found = {head: mixed(linear[head], encoder[head], weights[head]) for head in heads}
    rows = np.flatnonzero(~np.any([np.isnan(p[:, 0]) for p in found.values()], axis=0))
    if cascade is None or not len(rows):
        return found, 0.0
    settled = cascade.settled({head: linear[head][rows] for head in heads}, heads)
    for head in heads:
        found[head][rows[settled]] = linear[head][rows[settled]]
    return found, float(settled.mean())


def choose_temperatures(distributions: Distributions, targets: Mapping[str, NDArray[np.integer]], caution: float = 1.0) -> dict[str, float]:
    """Head -> the temperature of what is answered, see `training.linear.temperature`; 1 where no row was held out.

    Args:
        distributions: as `answered` gives them.
        targets: as for `choose_weights`.
        caution: multiplies the temperatures: fitted to cautious parts they would undo it.
    """
    found = {}
    for head, target in targets.items():
        rows = np.flatnonzero((target >= 0) & ~np.isnan(distributions[head][:, 0]))
        scores = log_probabilities(distributions[head][rows].astype(np.float64))
        found[head] = round(caution * temperature(scores, target[rows]), 4) if len(rows) else 1.0
    return found


def usable_rows(linear: NDArray[np.floating], encoder: NDArray[np.floating], target: NDArray[np.integer]) -> NDArray[np.integer]:
    """Numbers of the rows that have a label and were held out by both."""
    return np.flatnonzero((target >= 0) & ~np.isnan(linear[:, 0]) & ~np.isnan(encoder[:, 0]))


def _threshold(linear: NDArray[np.floating], blend: NDArray[np.floating], target: NDArray[np.integer], loss: float) -> float:
    if not len(target):
        return NEVER
    confidence = linear.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    lost = (blend.argmax(axis=1) == target).astype(int) - (linear.argmax(axis=1) == target)
    # Lost when the linear answer stands for the k + 1 surest rows.
    too_much = np.flatnonzero(np.cumsum(lost[order]) / len(target) > loss)
    if not len(too_much):
        return float(confidence.min())
    surer = confidence[confidence > confidence[order[too_much[0]]]]
    return float(surer.min()) if len(surer) else NEVER

"""Choose how a linear model and an encoder answer together: each head's weight, and when the linear answer stands alone."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from triage.blend import Cascade, mixed

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

"""Choose how a linear model and an encoder answer together: each head's weight, when the linear answer stands alone, how heads
are read together, the calibration."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from training.linear import temperature
from triage.blend import Cascade, log_probabilities, mixed, read_together

WEIGHTS = np.linspace(0, 1, 21)
# Accuracy that the cascade may cost on each head, measured on the held-out rows.
STATED_LOSS = 0.003
NEVER = 1.01
# Where a wrong answer is dearest, the encoder always has its say.
ALWAYS_ASK = {"severity": ("3", "4")}
# Of the lift between heads; under 1, so that no label is ever ruled out.
STRENGTHS = (0.0, 0.25, 0.5, 0.75)

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
    linear: Distributions, encoder: Distributions, weights: Mapping[str, float], cascade: Cascade, heads: Mapping[str, Sequence[str]]
) -> tuple[dict[str, NDArray[np.floating]], float]:
    """What a blend answers before its calibration, and the share (0-1) of the rows at which the linear part answers alone.

    The cascade is asked only of rows that both held out in every head; elsewhere the mean stands.
    """
    found = {head: mixed(linear[head], encoder[head], weights[head]) for head in heads}
    rows = np.flatnonzero(~np.any([np.isnan(p[:, 0]) for p in found.values()], axis=0))
    if not len(rows):
        return found, 0.0
    settled = cascade.settled({head: linear[head][rows] for head in heads}, heads)
    for head in heads:
        found[head][rows[settled]] = linear[head][rows[settled]]
    return found, float(settled.mean())


def choose_lifts(
    distributions: Distributions, targets: Mapping[str, NDArray[np.integer]], heads: Mapping[str, Sequence[str]]
) -> tuple[dict[str, NDArray[np.floating]], float]:
    """How the labels of the other heads go with those of the first, and how much is to be made of it (0-1).

    The heads judge by the same words, so that the whole lift would count them twice: of the `STRENGTHS` the one is taken under which the
    held-out labels of the first head are most likely at the temperature that suits them.

    Args:
        distributions: as `answered` gives them.
        targets: as for `choose_weights`; the lifts are counted on all rows.
        heads: head -> labels.

    Returns:
        Head -> lift, for `triage.blend.read_together`; nothing at strength 0. And the strength.
    """
    first, *others = targets
    rows = np.flatnonzero((targets[first] >= 0) & ~np.any([np.isnan(p[:, 0]) for p in distributions.values()], axis=0))
    if not others or not len(rows):
        return {}, 0.0
    known = {head: p[rows] for head, p in distributions.items()}
    ratios = {head: _ratios(targets[first], targets[head], len(heads[first]), len(heads[head])) for head in others}
    costs, candidates = [], [{head: 1 - strength + strength * ratio for head, ratio in ratios.items()} for strength in STRENGTHS]
    for lifts in candidates:
        scores = log_probabilities(read_together(known, lifts)[first].astype(np.float64))
        scores /= temperature(scores, targets[first][rows])
        costs.append(-np.mean(log_softmax(scores, axis=1)[np.arange(len(rows)), targets[first][rows]]))
    best = int(np.argmin(costs))
    return ({head: np.round(lift, 4) for head, lift in candidates[best].items()} if best else {}), STRENGTHS[best]


def _ratios(first: NDArray[np.integer], other: NDArray[np.integer], labels: int, other_labels: int) -> NDArray[np.floating]:
    """P(other's label | first's label) / P(other's label), from rows that have both; 1 where a label was never seen."""
    both = (first >= 0) & (other >= 0)
    counts = (
        np.bincount(first[both] * other_labels + other[both], minlength=labels * other_labels).reshape(labels, other_labels).astype(float)
    )
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / max(counts.sum(), 1)
    return np.divide(counts, expected, out=np.ones_like(counts), where=expected > 0)


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

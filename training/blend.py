"""Choose how a linear model and an encoder answer together: the shares in each head, when the linear answer stands alone, the calibration."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from training.linear import temperature
from triage.blend import Cascade, log_probabilities, pooled

SHARES = np.linspace(0, 1, 21)
# Of the encoder where nothing tells better: what was best, give or take .1, on three sets of labels and texts of other kinds.
USUAL_SHARE = 0.4
# Accuracy that the cascade may cost on each head, measured on the held-out rows.
STATED_LOSS = 0.003
NEVER = 1.01
# Where a wrong answer is dearest, the encoder always has its say.
ALWAYS_ASK = {"severity": ("3", "4")}

Distributions = Mapping[str, NDArray[np.floating]]
"""Head -> probabilities (texts, labels); rows of NaN where a text was not held out or has no label."""


def choose_shares(linear: Distributions, encoder: Distributions, targets: Mapping[str, NDArray[np.integer]]) -> dict[str, float]:
    """The encoder's share of each head, in steps of .05: of those under which the held-out labels are as likely as they can be made, within
    one standard error of the difference (after Breiman et al. 1984), the nearest to the usual .4, which is also the share where no row was held out.

    Args:
        linear, encoder: of the same texts.
        targets: head -> label index of each text, -1 where it has none.
    """
    shares = {}
    for head, target in targets.items():
        rows = usable_rows(linear[head], encoder[head], target)
        if not len(rows):
            shares[head] = USUAL_SHARE
            continue
        own = (linear[head][rows], encoder[head][rows])
        likelihood = np.array([np.log(pooled(*own, share)[np.arange(len(rows)), target[rows]] + 1e-9) for share in SHARES])
        lost = likelihood[likelihood.mean(axis=1).argmax()] - likelihood  # (shares, rows)
        as_good = SHARES[lost.mean(axis=1) <= lost.std(axis=1) / np.sqrt(len(rows))]
        shares[head] = round(float(as_good[np.argmin(np.abs(as_good - USUAL_SHARE))]), 2)
    return shares


def choose_cascade(
    linear: Distributions,
    encoder: Distributions,
    targets: Mapping[str, NDArray[np.integer]],
    shares: Mapping[str, float],
    heads: Mapping[str, Sequence[str]],
    loss: float = STATED_LOSS,
) -> Cascade:
    """For each head the lowest confidence from which the linear answer may stand at a loss of accuracy of at most `loss` against the blend.

    A text must pass in all heads, so that the loss of each is at most that. A head with nothing held out never passes.
    """
    thresholds = {}
    for head, target in targets.items():
        rows = usable_rows(linear[head], encoder[head], target)
        thresholds[head] = _threshold(linear[head][rows], pooled(linear[head][rows], encoder[head][rows], shares[head]), target[rows], loss)
    always = {head: tuple(label for label in labels if label in heads[head]) for head, labels in ALWAYS_ASK.items() if head in heads}
    return Cascade(thresholds, always)


def answered(
    linear: Distributions, encoder: Distributions, shares: Mapping[str, float], cascade: Cascade | None, heads: Mapping[str, Sequence[str]]
) -> tuple[dict[str, NDArray[np.floating]], float]:
    """What a blend answers before its calibration, and the share (0-1) of the rows at which the linear part answers alone.

    The cascade is asked only of rows that both held out in every head; elsewhere the pool stands.
    """
    found = {head: pooled(linear[head], encoder[head], shares[head]) for head in heads}
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
        targets: as for `choose_shares`.
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

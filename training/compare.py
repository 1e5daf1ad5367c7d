"""Champion against challenger on the same labelled texts: how far their figures lie apart, how sure that is, and on which texts.

The interval is a paired bootstrap (Efron and Tibshirani 1993, ch. 13; for classifiers Koehn 2004): texts are drawn with
replacement, both models are measured on the same draw, and the 2.5th and 97.5th percentile of the differences are its ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from training.evaluate import Answers
from training.examples import Examples

REPETITIONS = 2000
_BLOCK = 100  # draws at a time: keeps the matrix of weights (draws, texts) small

Verdict = Literal["better", "worse", "undecided"]
Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of both models on the same texts. `low` and `high` end the 95 % interval of challenger minus champion."""

    champion: float
    challenger: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """Challenger minus champion."""
        return self.challenger - self.champion

    @property
    def verdict(self) -> Verdict:
        """Undecided while the interval holds 0."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "undecided"


@dataclass(frozen=True, slots=True)
class Change:
    """A text on which one model was right and the other wrong. `text` is masked."""

    head: str
    row: str
    better: bool
    label: str
    champion: str
    challenger: str
    confidence: float
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Head -> figure (accuracy, macro_f1, qwk where levels are whole numbers) -> difference; texts per head; what changed."""

    n: dict[str, int]
    differences: dict[str, dict[str, Difference]]
    changes: tuple[Change, ...]

    @property
    def losses(self) -> list[tuple[str, str, Difference]]:
        """Head, figure and difference where the challenger is worse beyond chance."""
        return [(head, name, d) for head, by_name in self.differences.items() for name, d in by_name.items() if d.verdict == "worse"]

    def mean_macro_f1(self) -> Difference:
        """Over the heads; the interval's ends are means too, which is wider than the interval of the mean."""
        found = [by_name["macro_f1"] for by_name in self.differences.values()]
        return Difference(*(float(np.mean([getattr(d, name) for d in found])) for name in ("champion", "challenger", "low", "high")))


def compare(
    examples: Examples, champion: Mapping[str, Answers], challenger: Mapping[str, Answers], seed: int = 0, repetitions: int = REPETITIONS
) -> Comparison:
    """Compare the answers of two models, on the heads that both answer and the examples have labels of.

    Args:
        examples: labelled texts.
        champion, challenger: head -> answers to these texts.
        seed: of the draws.
        repetitions: number of draws.
    """
    heads = [head for head in champion if head in challenger and any(label is not None for label in examples.labels.get(head, ()))]
    n, differences, changes = {}, {}, []
    for head in heads:
        rows = [i for i, label in enumerate(examples.labels[head]) if label is not None]
        truth = [examples.labels[head][i] for i in rows]
        old, new = ([answers[head].labels[i] for i in rows] for answers in (champion, challenger))
        n[head] = len(rows)
        differences[head] = differences_of(truth, old, new, seed, repetitions)
        changes += [
            _change(examples, head, i, champion[head], challenger[head]) for i in rows if _changed(examples, head, i, champion, challenger)
        ]
    return Comparison(n, differences, tuple(changes))


def differences_of(
    truth: Sequence[str], champion: Sequence[str], challenger: Sequence[str], seed: int = 0, repetitions: int = REPETITIONS
) -> dict[str, Difference]:
    """Figure -> difference with its interval, of one head.

    Args:
        truth: label of each text.
        champion, challenger: answers to the same texts.
        seed, repetitions: of the bootstrap.
    """
    labels = sorted({*truth, *champion, *challenger})
    position = {label: i for i, label in enumerate(labels)}
    levels = np.array([int(label) for label in labels], dtype=float) if all(label.isdecimal() for label in labels) else None
    t, a, b = (np.array([position[label] for label in column]) for column in (truth, champion, challenger))
    once = np.ones((1, len(t)))
    whole = [_figures(once, t, given, len(labels), levels) for given in (a, b)]
    rng = np.random.default_rng(seed)
    gains: dict[str, list[Floats]] = {name: [] for name in whole[0]}
    for start in range(0, repetitions, _BLOCK):
        weights = rng.multinomial(len(t), np.full(len(t), 1 / len(t)), size=min(_BLOCK, repetitions - start)).astype(float)
        first, second = (_figures(weights, t, given, len(labels), levels) for given in (a, b))
        for name in gains:
            gains[name].append(second[name] - first[name])
    ends = {name: np.percentile(np.concatenate(parts), [2.5, 97.5]) for name, parts in gains.items()}
    return {
        name: Difference(float(whole[0][name][0]), float(whole[1][name][0]), float(low), float(high)) for name, (low, high) in ends.items()
    }


def _figures(
    weights: Floats, truth: NDArray[np.integer], given: NDArray[np.integer], size: int, levels: Floats | None
) -> dict[str, Floats]:
    """Accuracy, macro-F1 over the labels that occur, and quadratically weighted kappa for each row of weights (draws, texts)."""
    one_truth, one_given = np.eye(size)[truth], np.eye(size)[given]
    right = truth == given
    total = weights.sum(axis=1)
    hits = weights @ (one_truth * right[:, None])
    labelled, answered = weights @ one_truth, weights @ one_given
    occurs = labelled + answered
    f1 = np.divide(2 * hits, occurs, out=np.zeros_like(hits), where=occurs > 0)
    found = {"accuracy": hits.sum(axis=1) / total, "macro_f1": f1.sum(axis=1) / (occurs > 0).sum(axis=1)}
    if levels is not None:
        squared = (levels[:, None] - levels[None, :]) ** 2
        observed = weights @ squared[truth, given]
        expected = np.einsum("di,ij,dj->d", labelled, squared, answered) / total
        # No spread at all: kappa is 0 / 0, and nothing disagrees.
        found["qwk"] = 1 - np.divide(observed, expected, out=np.zeros_like(observed), where=expected > 0)
    return found


def _changed(examples: Examples, head: str, i: int, champion: Mapping[str, Answers], challenger: Mapping[str, Answers]) -> bool:
    truth = examples.labels[head][i]
    return (champion[head].labels[i] == truth) != (challenger[head].labels[i] == truth)


def _change(examples: Examples, head: str, i: int, champion: Answers, challenger: Answers) -> Change:
    truth = examples.labels[head][i]
    better = challenger.labels[i] == truth
    return Change(
        head, examples.rows[i], better, truth, champion.labels[i], challenger.labels[i], float(challenger.confidence[i]), examples.texts[i]
    )

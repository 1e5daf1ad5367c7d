"""The blend family: a linear model and an encoder, which err differently, answer together; the linear one alone where it is sure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from triage.classify import LinearClassifier
from triage.encoder import EncoderClassifier

# A part's word against a label, however sure it is, weighs no more than this probability.
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Cascade:
    """When the linear answer stands without asking the encoder: every head is sure, and no label is one that is always looked at twice.

    Args:
        thresholds: head -> probability (0-1) from which its linear answer is sure; above 1: never.
        always_ask: head -> labels at which the encoder is always asked (severe complaints).
    """

    thresholds: dict[str, float]
    always_ask: dict[str, tuple[str, ...]]

    def settled(self, probabilities: Mapping[str, NDArray[np.floating]], heads: Mapping[str, Sequence[str]]) -> NDArray[np.bool_]:
        """Texts (n,) whose linear answer stands, from the linear probabilities: head -> (n, labels)."""
        sure = np.ones(len(next(iter(probabilities.values()))), dtype=bool)
        for head, threshold in self.thresholds.items():
            sure &= probabilities[head].max(axis=1) >= threshold
        for head, labels in self.always_ask.items():
            asked = [heads[head].index(label) for label in labels]
            sure &= ~np.isin(probabilities[head].argmax(axis=1), asked)
        return sure


@dataclass(frozen=True, eq=False)
class BlendClassifier:
    """Two distributions a head pooled, and calibrated as a whole: two calibrated distributions pooled are too modest, for the two seldom
    err together (Hansen and Salamon 1990), and a cascade mixes two kinds of answers.

    Args:
        linear, encoder: answer the same heads with the same labels.
        shares: head -> the encoder's share (0-1), see `pooled`; the linear part has the rest.
        cascade: None asks the encoder about every text.
        temperatures: head -> positive number by which the logarithms of what is answered are divided; 1 leaves it as it is.
        priors: head -> for each label how many times as frequent it is in service as where the parts were calibrated; a head that is not
            there stays as it is.
    """

    linear: LinearClassifier
    encoder: EncoderClassifier
    shares: dict[str, float]
    cascade: Cascade | None
    temperatures: dict[str, float]
    priors: dict[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def heads(self) -> dict[str, tuple[str, ...]]:
        """Head -> labels in order."""
        return self.linear.heads

    def predict_proba(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """See `Classifier.predict_proba`; float32."""
        answers = self.linear.predict_proba(texts)
        asked = np.arange(len(texts)) if self.cascade is None else np.flatnonzero(~self.cascade.settled(answers, self.heads))
        second = self.encoder.predict_proba([texts[i] for i in asked])
        for head, probabilities in answers.items():
            probabilities[asked] = pooled(probabilities[asked], second[head], self.shares[head])
        return {head: moved(tempered(p, self.temperatures[head]), self.priors.get(head)) for head, p in answers.items()}

    def explain(self, texts: Sequence[str], head: str, label_index: NDArray[np.integer]) -> list[list[tuple[str, float]]]:
        """See `Classifier.explain`; the linear part's words, which cost no second look at the text."""
        return self.linear.explain(texts, head, label_index)


def pooled(linear: NDArray[np.floating], encoder: NDArray[np.floating], share: float) -> NDArray[np.floating]:
    """The geometric mean of distributions (texts, labels) in the proportion 1 - share : share, the logarithmic opinion pool of Genest and
    Zidek (1986): what one part all but excludes needs the other to be very sure. On six heads of four sets of texts it made the labels
    likelier than the arithmetic mean did, each at its best share.
    """
    first, second = (np.log(np.maximum(part, _LEAST)) for part in (linear, encoder))
    return softmax((1 - share) * first + share * second, axis=1)


def tempered(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.floating]:
    """Distributions (texts, labels) sharper at a temperature under 1 and flatter above; the order of the labels stays."""
    return probabilities if temperature == 1 else softmax(log_probabilities(probabilities) / probabilities.dtype.type(temperature), axis=1)


def moved(probabilities: NDArray[np.floating], ratios: Sequence[float] | None) -> NDArray[np.floating]:
    """Distributions (texts, labels) for a service in which each label is `ratios` times as frequent as before (Saerens et al. 2002)."""
    if ratios is None:
        return probabilities
    weighed = probabilities * np.asarray(ratios, dtype=probabilities.dtype)
    return weighed / weighed.sum(axis=1, keepdims=True)


def log_probabilities(probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    """Natural logarithms, of 0 a finite one."""
    return np.log(np.maximum(probabilities, np.finfo(probabilities.dtype).tiny))

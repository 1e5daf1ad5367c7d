"""Self-training: a trained model labels texts that nobody labelled, and the next model learns from them beside the labelled ones.

Labels and texts come from different people: the words of the labelled texts are those of their authors, the unlabelled ones are those of
customers. And what an encoder has understood passes to a linear model in this way, which reads a hundred times faster (Lee 2013, "Pseudo-Label"; Hinton et al. 2015, "Distilling the knowledge in a neural network").
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.examples import text_of
from triage.classify import Classifier
from triage.errors import InputError
from triage.privacy import prepare
from triage.tables import read_rows

# A label of which the teacher is less sure is left out. On real bank texts 0 and .6 did equally well for the student.
LEAST_CONFIDENCE = 0.5
_AT_ONCE = 512

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PseudoLabelled:
    """Texts with what a model made of them.

    Args:
        texts: prepared, none twice.
        heads: head -> labels in order.
        probabilities: head -> the teacher's distributions (texts, labels), which an encoder learns as they are.
    """

    texts: tuple[str, ...]
    heads: dict[str, tuple[str, ...]]
    probabilities: dict[str, NDArray[np.floating]]

    @cached_property
    def labels(self) -> dict[str, tuple[str | None, ...]]:
        """Head -> label of each text, None where the teacher was not sure: for models that learn from labels only."""
        return {head: tuple(_sure(labels, self.probabilities[head])) for head, labels in self.heads.items()}


def read_unlabelled(
    files: Sequence[Path], text_column: str, known: Iterable[str], sample: int | None = None, seed: int = 0
) -> tuple[str, ...]:
    """Texts of files of any format of `triage.tables`, each once.

    Args:
        files: read in this order.
        text_column: where the text is (or `turns`).
        known: prepared texts that are left out, for they are labelled or tested on.
        sample: so many of the texts, drawn at random; None: all.
        seed: of the draw.

    Raises:
        InputError: a file or column is missing, or no text is left.
    """
    seen = set(known)
    found = []
    for path in files:
        for row in read_rows(path):
            text = prepare(text_of(row, text_column, f"{path.name}:{row.number}"))
            if text.strip() and text not in seen:
                seen.add(text)
                found.append(text)
    if not found:
        raise InputError("--unlabelled", ", ".join(path.name for path in files), "texts that are not among the labelled or tested ones")
    if sample is not None and sample < len(found):
        drawn = np.random.default_rng(seed).choice(len(found), sample, replace=False)
        found = [found[i] for i in sorted(drawn)]
    return tuple(found)


def pseudo_label(teacher: Classifier, heads: Iterable[str], texts: Sequence[str]) -> PseudoLabelled:
    """Label texts by a model.

    Args:
        teacher: answers the heads.
        heads: to label.
        texts: prepared.

    Raises:
        InputError: the teacher does not answer one of the heads.
    """
    heads = list(heads)
    if missing := [head for head in heads if head not in teacher.heads]:
        raise InputError("--teacher", ", ".join(teacher.heads), f"a model that answers {', '.join(missing)}")
    answers = [teacher.predict_proba(texts[start : start + _AT_ONCE]) for start in range(0, len(texts), _AT_ONCE)]
    taught = PseudoLabelled(
        tuple(texts),
        {head: tuple(teacher.heads[head]) for head in heads},
        {head: np.concatenate([answer[head] for answer in answers]) for head in heads},
    )
    for head, labels in taught.labels.items():
        log.warning("%s: of %d of %d unlabelled texts the teacher is sure", head, sum(v is not None for v in labels), len(texts))
    return taught


def _sure(labels: Sequence[str], probabilities: NDArray[np.floating]) -> list[str | None]:
    best = probabilities.argmax(axis=1)
    certain = probabilities.max(axis=1) >= LEAST_CONFIDENCE
    return [labels[i] if sure else None for i, sure in zip(best, certain, strict=True)]

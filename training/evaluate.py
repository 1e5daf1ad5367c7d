"""What a model is worth on labelled texts: figures a head, calibration, what review would cost."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score, precision_recall_fscore_support

from training.examples import Examples
from triage.artifact import Manifest
from triage.classify import Classifier
from triage.tagger import Tagger, tags_bank_complaints
from triage.taxonomy import load_taxonomy
from triage.types import Complaint

REVIEW_COST = 1.0
ERROR_COST = 2.0
_BINS = 15
_SUMMARY = (
    "n", "accuracy", "macro_f1", "macro_f1_frequent", "qwk", "group_accuracy", "error_at_90_coverage", "ece", "review_share", "cost_per_1000",
)  # fmt: skip
_COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
FREQUENT = 5
"""Rows from which a label counts in `macro_f1_frequent`."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Predicted label and its probability (0-1) for each text; the label is None where nothing was predicted.

    `reasons`: what rules gave as reasons for each text; empty where none decide.
    """

    labels: list[str | None]
    confidence: NDArray[np.floating]
    reasons: tuple[tuple[str, ...], ...] = ()

    def at(self, rows: Sequence[int]) -> "Answers":
        """Of some of the texts."""
        return Answers([self.labels[i] for i in rows], self.confidence[rows], tuple(self.reasons[i] for i in rows) if self.reasons else ())

    def judged(self, truth: Sequence[str | None]) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
        """Confidence of the texts that have both a label in `truth` and an answer, and whether the two agree."""
        rows = [i for i, (t, a) in enumerate(zip(truth, self.labels, strict=True)) if t is not None and a is not None]
        return self.confidence[rows], np.array([truth[i] == self.labels[i] for i in rows], dtype=bool)

    def reasons_of(self, row: int) -> tuple[str, ...]:
        """Of one text."""
        return self.reasons[row] if self.reasons else ()


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Of one label: rows that have it, precision, recall, F1."""

    n: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """`counts[i][j]`: rows labelled `labels[i]` that were answered `labels[j]`."""

    labels: tuple[str, ...]
    counts: list[list[int]]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Accuracy when only the most confident share of the answers is accepted, and the confidence at which that share ends."""

    share: float
    threshold: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadFigures:
    """Figures of one head over the rows that have a label.

    Args:
        n: rows.
        accuracy, macro_f1: macro-F1 over all labels that occur in truth or answers.
        macro_f1_frequent: the same over the labels that at least 5 rows have, those whose F1 can be measured; None without any.
        qwk: quadratically weighted kappa (Cohen 1968), only where all labels are whole numbers.
        group_accuracy: the part before the dot agrees (`card.annual_fee` and `card.rewards`); `other.*` must agree whole. Only where
            labels have groups.
        error_at_90_coverage: share of wrong answers among the most confident 90 % (selective risk, Geifman and El-Yaniv 2017).
        ece: expected calibration error over 15 bins of equal width (Naeini et al. 2015).
        review_share: share of the answers under the review threshold.
        cost_per_1000: 1 for each text under the threshold (a person decides, rightly) and 2 for each wrong answer above it.
        per_class, confusion, coverage: see their classes.
    """

    n: int
    accuracy: float
    macro_f1: float
    macro_f1_frequent: float | None
    qwk: float | None
    group_accuracy: float | None
    error_at_90_coverage: float
    ece: float
    review_share: float
    cost_per_1000: float
    per_class: dict[str, ClassFigures]
    confusion: Confusion
    coverage: tuple[Coverage, ...]

    def summary(self) -> dict[str, float]:
        """The single numbers, for a manifest or a table; those that do not apply are left out."""
        return {name: round(getattr(self, name), 4) for name in _SUMMARY if getattr(self, name) is not None}


def answer(classifier: Classifier, manifest: Manifest, examples: Examples) -> dict[str, Answers]:
    """Answers for every head of the model. A bank model answers as it does in service, through the Tagger: severity by policy and model."""
    if not tags_bank_complaints(classifier.heads):
        probabilities = classifier.predict_proba(examples.texts)
        return {head: most_probable(classifier.heads[head], probabilities[head]) for head in classifier.heads}
    taxonomy = load_taxonomy()
    told = datetime.fromisoformat(manifest.created)  # no label depends on it; the calendar of due dates knows the year
    complaints = [
        Complaint(id="", text=text, channel=taxonomy.channel_key(channel) if channel else "other", time=told)
        for text, channel in zip(examples.texts, examples.channels, strict=True)
    ]
    triages = Tagger(classifier, manifest).tag(complaints)
    return {
        "category": Answers([t.category.key for t in triages], np.array([t.category.confidence for t in triages])),
        "severity": Answers(
            [str(t.severity.level) for t in triages],
            np.array([t.severity.confidence for t in triages]),
            tuple(t.severity.reasons for t in triages),
        ),
        "sentiment": Answers([t.sentiment.label for t in triages], np.array([t.sentiment.score for t in triages])),
    }


def most_probable(labels: Sequence[str], probabilities: NDArray[np.floating]) -> Answers:
    """Answers from probabilities (texts, labels); None for a row of NaN."""
    missing = np.isnan(probabilities[:, 0])
    known = np.where(missing[:, None], 0, probabilities)
    best = known.argmax(axis=1)
    return Answers([None if gone else labels[i] for i, gone in zip(best, missing, strict=True)], known.max(axis=1))


def measure(truth: Sequence[str | None], answers: Answers, threshold: float = 0.0) -> HeadFigures:
    """Figures of one head.

    Args:
        truth: label of each text; texts with None, in truth or answer, are left out. At least one must remain.
        answers: of the same texts.
        threshold: confidence under which a person would look.
    """
    rows = [i for i, (t, a) in enumerate(zip(truth, answers.labels, strict=True)) if t is not None and a is not None]
    expected, given = [truth[i] for i in rows], [answers.labels[i] for i in rows]
    confidence = answers.confidence[rows]
    correct = np.array([e == g for e, g in zip(expected, given, strict=True)])
    labels = sorted(set(expected) | set(given))
    review = confidence < threshold
    whole = all(label.isdecimal() for label in labels)
    grouped = all("." in label for label in labels)
    per_class = _per_class(expected, given, labels)
    frequent = [c.f1 for c in per_class.values() if c.n >= FREQUENT]
    coverage = _coverage(confidence, correct)
    return HeadFigures(
        n=len(rows),
        accuracy=float(accuracy_score(expected, given)),
        macro_f1=float(f1_score(expected, given, average="macro", zero_division=0)),
        macro_f1_frequent=float(np.mean(frequent)) if frequent else None,
        qwk=_qwk(expected, given) if whole else None,
        group_accuracy=float(np.mean([group(e) == group(g) for e, g in zip(expected, given, strict=True)])) if grouped else None,
        error_at_90_coverage=1 - next(c.accuracy for c in coverage if c.share == 0.9),
        ece=calibration_error(confidence, correct),
        review_share=float(review.mean()),
        cost_per_1000=1000 * float((REVIEW_COST * review + ERROR_COST * (~review & ~correct)).mean()),
        per_class=per_class,
        confusion=_confusion(expected, given, labels),
        coverage=coverage,
    )


def figures(examples: Examples, answers: Mapping[str, Answers], thresholds: Mapping[str, float]) -> dict[str, HeadFigures]:
    """`measure` for each head that the examples have labels of."""
    return {
        head: measure(examples.labels[head], answers[head], thresholds.get(head, 0.0))
        for head in answers
        if any(label is not None for label in examples.labels.get(head, ()))
    }


def group(label: str) -> str:
    """The group of a taxonomy key; what is in `other` stays apart, for a complaint and no complaint are not alike."""
    return label if label.startswith("other.") else label.split(".")[0]


def calibration_error(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> float:
    """Mean distance between confidence and accuracy over 15 bins of equal width, weighted by their size."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    sums = np.bincount(bins, weights=correct - confidence, minlength=_BINS)
    return float(np.abs(sums).sum() / len(confidence))


def as_dict(measured: Mapping[str, HeadFigures]) -> dict[str, dict]:
    """{"head": {"n", "accuracy", "macro_f1", "qwk" (ordinal heads), "ece", "per_class", ...}}; what does not apply is left out."""
    return {head: {name: value for name, value in asdict(f).items() if value is not None} for head, f in measured.items()}


def as_table(measured: Mapping[str, HeadFigures]) -> str:
    """The summary as a Markdown table, a line a head."""
    columns = list(dict.fromkeys(name for f in measured.values() for name in f.summary()))
    lines = [f"| head | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for head, f in measured.items():
        cells = (_number(f.summary().get(name)) for name in columns)
        lines.append(f"| {head} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _qwk(expected: Sequence[str], given: Sequence[str]) -> float:
    first, second = [int(v) for v in expected], [int(v) for v in given]
    scale = list(range(min(first + second), max(first + second) + 1))  # a level that does not occur still takes its place
    if len(scale) == 1:  # no disagreement possible; kappa is 0 / 0
        return 1.0
    return float(cohen_kappa_score(first, second, labels=scale, weights="quadratic"))


def _per_class(expected: Sequence[str], given: Sequence[str], labels: Sequence[str]) -> dict[str, ClassFigures]:
    table = precision_recall_fscore_support(expected, given, labels=labels, zero_division=0)
    return {label: ClassFigures(int(n), float(p), float(r), float(f)) for label, p, r, f, n in zip(labels, *table, strict=True)}


def _confusion(expected: Sequence[str], given: Sequence[str], labels: Sequence[str]) -> Confusion:
    position = {label: i for i, label in enumerate(labels)}
    counts = [[0] * len(labels) for _ in labels]
    for truth, answered in zip(expected, given, strict=True):
        counts[position[truth]][position[answered]] += 1
    return Confusion(tuple(labels), counts)


def _coverage(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> tuple[Coverage, ...]:
    order = np.argsort(-confidence, kind="stable")
    kept = [(share, order[: max(1, round(share * len(order)))]) for share in _COVERAGES]
    return tuple(Coverage(share, float(confidence[rows[-1]]), float(correct[rows].mean())) for share, rows in kept)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value > 1 else f"{value:.3f}"

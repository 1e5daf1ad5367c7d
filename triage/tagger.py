"""The one place where the parts meet: complaints in, triages out."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triage.artifact import Manifest, load, served_folder
from triage.classify import Classifier
from triage.errors import ArtifactError
from triage.facts import Reading, read
from triage.privacy import PersonalData, find, replaced
from triage.problems import further_problems
from triage.regions import load_regions
from triage.severity import NOT_COMPLAINT, assess
from triage.taxonomy import Category, load_taxonomy
from triage.text import normalise
from triage.types import BEIJING, Complaint, Evidence, Label, Sentiment, Severity, Triage
from triage.workdays import add_working_days

HEADS = ("category", "severity", "sentiment")
# Texts go through the model in blocks: large enough for its matrices, small enough for any memory.
BLOCK = 1000
_EVIDENCE = 4
_HAN = re.compile("[一-鿿]")


def tags_bank_complaints(heads: Mapping[str, Collection[str]]) -> bool:
    """Whether a model of these heads and labels answers as the taxonomy asks; labels of one's own may stand under the same three names."""
    return all(head in heads and set(heads[head]) <= set(known) for head, known in load_taxonomy().labels.items())


class Tagger:
    """Tags complaints with a classifier that answers the three heads category, severity and sentiment.

    Args:
        classifier: obeys `triage.classify.Classifier`.
        manifest: of the artefact it came from; names the model and holds the review thresholds.

    Raises: ArtifactError when the classifier lacks a head or knows a label that the taxonomy does not.
    """

    def __init__(self, classifier: Classifier, manifest: Manifest):
        self.classifier = classifier
        self.manifest = manifest
        self.taxonomy = load_taxonomy()
        missing = [head for head in HEADS if head not in classifier.heads]
        if missing:
            raise ArtifactError(f"model {manifest.folder_name} has no head {', '.join(missing)}: it cannot tag bank complaints")
        for head, known in self.taxonomy.labels.items():
            unknown = set(classifier.heads[head]) - set(known)
            if unknown:
                raise ArtifactError(f"model {manifest.folder_name}: {head} {sorted(unknown)} is not in taxonomy {self.taxonomy.name!r}")
        self._categories = [self.taxonomy.categories[key] for key in classifier.heads["category"]]

    @classmethod
    def load(cls, folder: Path | None = None, fast: bool = False) -> "Tagger":
        """The tagger over a model folder; without one, over the model that is served (models/current). `fast`: see `triage.artifact.load`.

        Raises: ArtifactError when the folder is missing or not what its manifest vouches for.
        """
        return cls(*load(folder or served_folder(), fast=fast))

    def warm_up(self) -> None:
        """Read dictionaries, lexicon, regions and calendar now: a missing one stops the start, and the first complaint does not wait.

        Raises: ConfigError when one of them is missing or does not know the present year.
        """
        self.tag([Complaint(id="", text="昨天在广东被重复扣款300元，没人处理", time=datetime.now(BEIJING))])

    @property
    def model(self) -> str:
        return self.manifest.folder_name

    def tag(self, complaints: Sequence[Complaint]) -> list[Triage]:
        """One triage for each complaint, in order; spans count in `Complaint.customer_text`."""
        return list(self.stream(complaints))

    def stream(self, complaints: Iterable[Complaint]) -> Iterator[Triage]:
        """As `tag`, for any number of complaints: they are read and answered in blocks."""
        remaining = iter(complaints)
        while block := list(islice(remaining, BLOCK)):
            yield from self._tag_block(block)

    def _tag_block(self, complaints: list[Complaint]) -> Iterator[Triage]:
        texts = [normalise(c.customer_text) for c in complaints]
        personal = [find(text) for text in texts]
        masked = list(map(replaced, texts, personal))  # what `privacy.prepare` gives, without finding twice
        probabilities = self.classifier.predict_proba(masked)
        best = probabilities["category"].argmax(axis=1)
        severities = self._by_level(probabilities["severity"]).tolist()
        sentiments = self._sentiments(probabilities["sentiment"])
        words = self.classifier.explain(masked, "category", best)
        further = further_problems(self.classifier, masked, probabilities)
        for i, complaint in enumerate(complaints):
            labels = [self._label(k, probabilities["category"][i, k]) for k in (best[i], *further.get(i, ()))]
            yield self._assemble(complaint, texts[i], personal[i], labels, severities[i], sentiments[i], words[i])

    def _assemble(
        self,
        complaint: Complaint,
        text: str,
        personal: list[PersonalData],
        labels: list[Label],
        severity_p: list[float],
        sentiment: Sentiment,
        words: list[tuple[str, float]],
    ) -> Triage:
        category = self.taxonomy.categories[labels[0].key]
        original = complaint.customer_text
        reading = read(text, complaint.time, personal)
        facts = reading.facts
        if text != original:  # people see their own spelling: ３５００元, 轉帳
            facts = tuple(replace(fact, text=original[fact.start : fact.end]) for fact in facts)
        severity = assess(severity_p, text, reading, category, complaint.channel, self.taxonomy)
        review = tuple(self._review_reasons(text, labels[0], severity_p, severity, complaint.channel))
        first_answer, close, report = self._due(category, severity.level, complaint.time)
        return Triage(
            id=complaint.id,
            category=labels[0],
            alternatives=tuple(labels[1:]),
            severity=severity,
            sentiment=sentiment,
            facts=facts,
            evidence=tuple(_evidence(text, original, words, personal)),
            channel=complaint.channel,
            region=complaint.region or _region(reading),
            department=category.department,
            due=close,
            first_answer_due=first_answer,
            report_due=report,
            needs_review=bool(review),
            review_reasons=review,
            model=self.model,
        )

    def _label(self, column: int, probability: np.floating) -> Label:
        category = self._categories[column]
        return Label(category.key, category.name, round(float(probability), 4))

    def _sentiments(self, probabilities: NDArray[np.floating]) -> list[Sentiment]:
        names = self.classifier.heads["sentiment"]
        best, scores = probabilities.argmax(axis=1).tolist(), probabilities.max(axis=1).tolist()
        return [Sentiment(names[column], round(score, 4)) for column, score in zip(best, scores, strict=True)]

    def _by_level(self, probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
        """(n, labels of the model) -> (n, 4): a model that saw no severe example still answers on the whole scale."""
        scale = np.zeros((len(probabilities), len(self.taxonomy.severities)))
        for column, label in enumerate(self.classifier.heads["severity"]):
            scale[:, int(label) - 1] = probabilities[:, column]
        return scale

    def _review_reasons(self, text: str, category: Label, severity_p: Sequence[float], severity: Severity, channel: str) -> Iterator[str]:
        if not _HAN.search(text):
            yield "没有中文内容"
        if category.confidence < self.manifest.review_thresholds["category"]:
            yield f"类别把握不足（{category.confidence:.0%}）"
        if severity.level == 4 and severity_p[3] < 0.5:
            yield "规则判为重大，模型不确定"
        if category.key == NOT_COMPLAINT:
            if channel == "regulator":
                yield "监管转办，却判为非投诉"
            yield from (f"判为非投诉，但{reason}" for reason in severity.reasons)

    def _due(self, category: Category, level: int, told: datetime) -> tuple[datetime, datetime, datetime | None]:
        handling = self.taxonomy.handlings[category.handling]
        report = told + timedelta(hours=self.taxonomy.report_hours) if level == max(self.taxonomy.severities) else None
        return add_working_days(told, handling.first_answer_days), add_working_days(told, handling.close_days), report


def _region(reading: Reading) -> str | None:
    """The place of the complaint when the text names exactly one (or several in one province: that province)."""
    codes = {f.value for f in reading.facts if f.kind == "place"}
    if not codes or any(isinstance(code, tuple) for code in codes):
        return None
    if len(codes) == 1:
        return next(iter(codes))
    provinces = {load_regions().province_of(code) for code in codes}
    return next(iter(provinces)) if len(provinces) == 1 else None


def _evidence(text: str, original: str, words: list[tuple[str, float]], personal: list[PersonalData]) -> Iterator[Evidence]:
    """Where the words that spoke for the category stand: the first place of each that no stronger word has taken."""
    total = sum(weight for _, weight in words)
    taken = [(p.start, p.end) for p in personal]
    lowered = text.lower()
    count = 0
    for word, weight in words:
        start = lowered.find(word.lower())
        end = start + len(word)
        if start < 0 or _overlaps(start, end, taken):
            continue
        taken.append((start, end))
        yield Evidence(original[start:end], start, end, round(weight / total, 4))
        count += 1
        if count == _EVIDENCE:
            return


def _overlaps(start: int, end: int, spans: Iterable[tuple[int, int]]) -> bool:
    for first, last in spans:  # noqa: SIM110 - any() would cost several times what it compares
        if start < last and first < end:
            return True
    return False

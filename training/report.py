"""The report on a model: figures, pictures, slices and the worst errors with what spoke for them, in Markdown and HTML."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from training import plots
from training.document import Block, Heading, Paragraph, Picture, Table, html, markdown
from training.evaluate import Answers, HeadFigures, as_dict
from training.examples import Examples
from training.slices import slices
from triage.classify import Classifier
from triage.tables import write_rows

_WORST = 25
_WORDS = 5
_CONFUSED = 15
_TEXT = 160  # characters of a text that the report shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A model and what it answered to the examples.

    Args:
        title: of the report.
        classifier: explains its answers.
        examples: labelled texts, masked.
        answers, figures: by head.
        thresholds: head -> confidence under which a person would look.
    """

    title: str
    classifier: Classifier
    examples: Examples
    answers: Mapping[str, Answers]
    figures: Mapping[str, HeadFigures]
    thresholds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer, with the words of the text that spoke for it and, for severity, the rules that did."""

    head: str
    row: str
    label: str
    answer: str
    confidence: float
    evidence: str
    text: str


def write_report(folder: Path, measured: Measured, with_plots: bool = True, with_texts: bool = True) -> None:
    """Write README.md, index.html, figures.json, errors.csv (every wrong answer) and a PNG for each picture.

    Args:
        folder: made when missing.
        measured: what to report on.
        with_plots: False leaves the pictures out.
        with_texts: False leaves the texts and the words of the evidence out, for a report that travels.

    Raises: ConfigError when matplotlib is needed and not installed.
    """
    if with_plots:
        plots.require_matplotlib()
    folder.mkdir(parents=True, exist_ok=True)
    found = {head: mistakes(measured, head) for head in measured.figures}
    blocks: list[Block] = [Heading(1, measured.title), _summary(measured.figures)]
    for head in measured.figures:
        if with_plots:
            _plot(folder, measured, head)
        blocks += _section(measured, head, found[head], with_plots, with_texts)
    (folder / "README.md").write_text(markdown(blocks), encoding="utf-8")
    (folder / "index.html").write_text(html(blocks), encoding="utf-8")
    (folder / "figures.json").write_bytes(orjson.dumps(as_dict(measured.figures), option=orjson.OPT_INDENT_2))
    write_rows((_error(mistake, with_texts) for head in found for mistake in found[head]), folder / "errors.csv")


def mistakes(measured: Measured, head: str) -> list[Mistake]:
    """The wrong answers of a head, the most confident first: those that would pass without a person's look."""
    examples, answers = measured.examples, measured.answers[head]
    wrong = [i for i, (t, a) in enumerate(zip(examples.labels[head], answers.labels, strict=True)) if None not in (t, a) and t != a]
    wrong.sort(key=lambda i: -answers.confidence[i])
    if not wrong:
        return []
    known = measured.classifier.heads[head]
    # A rule may give a level that the model never learnt: then the words for its nearest are shown.
    given = np.array([known.index(answers.labels[i]) if answers.labels[i] in known else len(known) - 1 for i in wrong])
    words = measured.classifier.explain([examples.texts[i] for i in wrong], head, given)
    return [_mistake(examples, head, i, answers, [word for word, _ in spoke]) for i, spoke in zip(wrong, words, strict=True)]


def _mistake(examples: Examples, head: str, i: int, answers: Answers, words: Sequence[str]) -> Mistake:
    evidence = "、".join([*words[:_WORDS], *(f"[{reason}]" for reason in answers.reasons_of(i))])
    return Mistake(
        head, examples.rows[i], examples.labels[head][i], answers.labels[i], float(answers.confidence[i]), evidence, examples.texts[i]
    )


def _error(mistake: Mistake, with_texts: bool) -> dict[str, object]:
    row = {
        "row": mistake.row, "head": mistake.head, "label": mistake.label, "answer": mistake.answer, "confidence": round(mistake.confidence, 4),
    }  # fmt: skip
    return row | ({"evidence": mistake.evidence, "text": mistake.text} if with_texts else {})


def _summary(figures: Mapping[str, HeadFigures]) -> Table:
    columns = list(dict.fromkeys(name for f in figures.values() for name in f.summary()))
    return Table(["head", *columns], [[head, *(f.summary().get(name) for name in columns)] for head, f in figures.items()])


def _section(measured: Measured, head: str, found: Sequence[Mistake], with_plots: bool, with_texts: bool) -> Iterator[Block]:
    f = measured.figures[head]
    at_90 = next(c for c in f.coverage if c.share == 0.9)
    yield Heading(2, head)
    yield Paragraph(
        f"{f.n} texts. Of the most confident 90 % (confidence from {at_90.threshold:.3f}) {1 - at_90.accuracy:.1%} are wrong; "
        f"of all, {1 - f.accuracy:.1%}."
    )
    if with_plots:
        yield Picture(f"{_file_name(head)}-risk.png", f"{head}: error of what is answered against the share that is answered")
        yield Picture(f"{_file_name(head)}-reliability.png", f"{head}: accuracy against confidence")
    yield Table(
        ["accepted, most confident first", "confidence from", "accuracy", "error"],
        [[f"{c.share:.0%}", c.threshold, c.accuracy, 1 - c.accuracy] for c in f.coverage],
    )
    yield Heading(3, f"{head}: slices")
    yield Table(
        ["by", "value", "n", "accuracy", "macro_f1", "ece", "review_share"],
        [
            [s.column, s.value, s.figures.n, s.figures.accuracy, s.figures.macro_f1, s.figures.ece, s.figures.review_share]
            for s in slices(measured.examples, head, measured.answers[head], measured.thresholds.get(head, 0.0))
        ],
    )
    yield Heading(3, f"{head}: classes")
    yield Table(
        ["#", "label", "n", "precision", "recall", "F1"],
        [[i, label, c.n, c.precision, c.recall, c.f1] for i, (label, c) in enumerate(f.per_class.items(), 1)],
    )
    if with_plots:
        yield Picture(f"{_file_name(head)}-confusion.png", f"{head}: confusion matrix")
    yield Heading(3, f"{head}: confusions")
    yield Table(["label", "answered", "times"], _confused(f))
    yield Heading(3, f"{head}: worst errors")
    yield Paragraph("The most confident wrong answers, with the words that spoke for them (rules in brackets). All are in errors.csv.")
    columns = ["row", "label", "answered", "confidence", *(["evidence", "text"] if with_texts else [])]
    yield Table(columns, [_shown(mistake, with_texts) for mistake in found[:_WORST]])


def _shown(mistake: Mistake, with_texts: bool) -> list[object]:
    text = mistake.text if len(mistake.text) <= _TEXT else f"{mistake.text[:_TEXT]}…"
    return [mistake.row, mistake.label, mistake.answer, mistake.confidence, *([mistake.evidence, text] if with_texts else [])]


def _confused(f: HeadFigures) -> list[list[object]]:
    counts = np.array(f.confusion.counts)
    np.fill_diagonal(counts, 0)
    worst = [np.unravel_index(i, counts.shape) for i in np.argsort(-counts, axis=None, kind="stable")[:_CONFUSED]]
    return [[f.confusion.labels[i], f.confusion.labels[j], int(counts[i, j])] for i, j in worst if counts[i, j]]


def _plot(folder: Path, measured: Measured, head: str) -> None:
    confidence, correct = measured.answers[head].judged(measured.examples.labels[head])
    plots.plot_confusion(measured.figures[head].confusion, folder / f"{_file_name(head)}-confusion.png")
    plots.plot_reliability(confidence, correct, folder / f"{_file_name(head)}-reliability.png")
    plots.plot_risk_coverage(confidence, correct, folder / f"{_file_name(head)}-risk.png")


def _file_name(head: str) -> str:
    """A column may be called anything."""
    return re.sub(r"[^\w.-]", "_", head)

"""What a model takes each category for: the errors of the simulation, measured. `python -m training.confusion` writes
data/simulation/confusion.csv: numbers of texts only, never a text.

Two tests: `cross_validation`, each text of the corpus by a linear model that was trained without its batch, and any labelled files, by the
model that is served.
"""

import argparse
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from training import evaluate
from training.examples import Examples, read_examples
from training.linear import LinearSettings, fit
from training.simulated_errors import CROSS_VALIDATION, PATH
from triage.artifact import load
from triage.resources import MODELS
from triage.taxonomy import load_taxonomy

_HEAD = "category"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write. Raises: TriageError."""
    parser = argparse.ArgumentParser(prog="python -m training.confusion", description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="FILE", help="to cross-validate on, by `batch`")
    parser.add_argument("--test", type=Path, nargs="*", default=[], metavar="FILE", help="labelled files for the served model")
    parser.add_argument("--model", type=Path, metavar="DIR", help="default: the served one")
    parser.add_argument("--courtesy", type=float, default=0.3, help="as in `triage train` (default: 0.3)")
    parser.add_argument("--out", type=Path, default=PATH, metavar="FILE", help="default: data/simulation/confusion.csv")
    args = parser.parse_args(argv)
    taxonomy = load_taxonomy()
    measured = {
        CROSS_VALIDATION: cross_validated(read_examples(args.data, [_HEAD], group_column="batch", taxonomy=taxonomy), args.courtesy)
    }
    if args.test:
        classifier, manifest = load(args.model or MODELS / (MODELS / "current").read_text(encoding="utf-8").strip())
        for path in args.test:
            examples = read_examples([path], [_HEAD], taxonomy=taxonomy)
            truth = examples.labels[_HEAD]
            measured[path.stem] = evaluate.measure(truth, evaluate.answer(classifier, manifest, examples)[_HEAD]).confusion
    write(measured, args.out)
    return 0


def cross_validated(examples: Examples, courtesy: float) -> evaluate.Confusion:
    """Of a linear model, each text answered by heads that were trained without its group."""
    fitted = fit(
        examples.texts, examples.labels, examples.groups, LinearSettings(cost=1.0, naive_bayes=0.0, openings=False, courtesy=courtesy)
    )
    answers = evaluate.most_probable(fitted.classifier.heads[_HEAD], fitted.held_out[_HEAD])
    return evaluate.measure(examples.labels[_HEAD], answers).confusion


def write(measured: Mapping[str, evaluate.Confusion], path: Path) -> None:
    """Numbers of texts by test, true and predicted category; zeros are left out."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["test", "true", "predicted", "texts"])
        for test, found in measured.items():
            for label, counts in zip(found.labels, found.counts, strict=True):
                rows.writerows([test, label, found.labels[j], n] for j, n in enumerate(counts) if n)


if __name__ == "__main__":
    raise SystemExit(main())

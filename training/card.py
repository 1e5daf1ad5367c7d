"""The model card: what a model was made of, what it is worth, what it is for."""

from collections import Counter
from collections.abc import Mapping, Sequence

from training import families
from training.evaluate import ERROR_COST, FREQUENT, REVIEW_COST, HeadFigures, as_table
from training.examples import Examples, kept_together
from training.request import OWN_ROWS, Request
from training.risk import DELTA
from triage.artifact import Manifest


def card(request: Request, manifest: Manifest, examples: Examples, measured: Mapping[str, Mapping[str, HeadFigures]]) -> str:
    """The model card (Mitchell et al. 2019), in Markdown. It holds no time: the same training writes the same card."""
    parts = [
        f"# {manifest.folder_name}",
        f"{families.ABOUT[manifest.family]} Written by `triage train`; `manifest.json` vouches for the files beside it.",
        "## Data",
        _data_table(examples),
        "\n".join(f"- `{head}`: {_counts(examples.labels[head])}" for head in manifest.heads),
        *_origin_told(manifest),
        "## Figures",
        f"`{OWN_ROWS[request.family]}`: {_held_out(request)} ({_parted(request, examples)}). Other tests: rows that were not trained on.",
        *(f"### {test}\n\n{as_table(by_head)}" for test, by_head in measured.items()),
        f"`macro_f1_frequent`: over labels of {FREQUENT} rows or more. `error_at_90_coverage`: wrong among the most confident 90 %. `ece`: "
        "calibration error. `review_share`: answers under the review threshold, which leaves them to a person. `cost_per_1000`: "
        f"{REVIEW_COST:g} for each review, {ERROR_COST:g} for each wrong answer that was not reviewed.",
        f"Review thresholds: {', '.join(f'`{head}` {value:.3f}' for head, value in manifest.review_thresholds.items())}; {_chosen(request)}.",
        "Probable label errors in the data (`triage review --data`) are found by the cross-validation of a linear model, whatever the family of "
        "this one; texts worth labelling next (`triage review --unlabelled`) by this model.",
        *(_per_class(test, by_head) for test, by_head in measured.items() if test not in OWN_ROWS.values()),
        "## Use and limits",
        request.notes.strip()
        or "For texts like those it was trained on. It answers every text with one of its labels: what it was never shown it cannot name. "
        "Measure it on texts of your own (`triage evaluate`) before relying on it.",
    ]
    return "\n\n".join(parts) + "\n"


def _per_class(test: str, measured: Mapping[str, HeadFigures]) -> str:
    """Precision, recall and F1 of each label of each head on a test, in Markdown; labels of which there are more first."""
    lines = [f"### {test}, by label", "", "| head | label | n | precision | recall | f1 |", "|---|---|---|---|---|---|"]
    for head, found in measured.items():
        for label, f in sorted(found.per_class.items(), key=lambda item: -item[1].n):
            lines.append(f"| {head} | {label} | {f.n} | {f.precision:.2f} | {f.recall:.2f} | {f.f1:.2f} |")
    return "\n".join(lines)


def _origin_told(manifest: Manifest) -> list[str]:
    told, found = manifest.text, []
    if "encoder_kept_from" in told:
        found.append(f"Its encoder is that of model `{told['encoder_kept_from']}`, which was trained on the same rows.")
    if "teacher" in told:
        who, what = "It", "its probabilities"
        if manifest.family == "linear":
            what = f"its labels of {told['pseudo_labels_from']} or more"
        elif manifest.family == "blend":
            who = "Its encoder"
        found.append(
            f"{who} also learnt from {told['pseudo_labelled_texts']} texts of {told['unlabelled']} that nobody labelled, as model "
            f"`{told['teacher']}` answers them: {what}. No figure counts them."
        )
    return found


def _parted(request: Request, examples: Examples) -> str:
    """How the rows of the model's own figures were chosen."""
    together = kept_together(examples.texts, examples.groups)
    if together and together is examples.groups:
        return f"by `{request.group_column}`: no author or batch is both trained and tested on"
    linear = request.family == "linear"
    if together or (linear and request.settings.courtesy):  # which parts by text too, see `training.augment`
        return "by text: none is both trained and tested on, nor a copy of it"
    return "labels spread evenly" if linear else "drawn at random"


def _held_out(request: Request) -> str:
    if request.family == "linear":
        return "each row answered by heads that were trained without its fold"
    return "the rows that the encoder was not trained on, which calibrate it and, in a blend, choose shares and thresholds"


def _chosen(request: Request) -> str:
    if request.risk is None:
        return f"by cost ({REVIEW_COST:g} a review, {ERROR_COST:g} an error)"
    return (
        f"for a risk of {request.risk:g}: on texts like the held-out ones at most that share of the answers above the threshold is wrong, with "
        f"probability {1 - DELTA:g} (Geifman and El-Yaniv 2017); above 1 where that cannot be promised"
    )


def _data_table(examples: Examples) -> str:
    lines = ["| file | rows | SHA-256 |", "|---|---|---|"]
    return "\n".join(lines + [f"| {file.name} | {file.rows} | `{file.sha256[:16]}` |" for file in examples.files])


def _counts(column: Sequence[str | None]) -> str:
    counts = Counter(label for label in column if label is not None)
    return ", ".join(f"{label} {n}" for label, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))

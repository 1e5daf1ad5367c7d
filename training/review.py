"""What a person should look at: labels that are probably wrong, and unlabelled texts that a model would learn most from.

Label errors come from the cross-validation of linear models, whatever family is served; which texts to label next, any family says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from tqdm import tqdm

from training.evaluate import Answers
from training.examples import Examples
from training.linear import LinearSettings, fit_vectoriser, out_of_fold, temperature
from triage.errors import ConfigError, InputError

# Zhdanov 2019: the candidates are this many times as many as are wanted, the least certain ones.
_CANDIDATES = 10
_DIMENSIONS = 64


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label that is probably wrong; both probabilities (0-1) are of models that did not see the row."""

    index: int
    given: str
    suggested: str
    given_probability: float
    suggested_probability: float


def require_cleanlab() -> None:
    """Raises: ConfigError that names the extra when cleanlab is not installed."""
    if find_spec("cleanlab") is None:
        raise ConfigError("finding label errors needs cleanlab: pip install 'complaint-triage[report]'")


def out_of_fold_probabilities(
    examples: Examples, settings: LinearSettings | None = None, seed: int = 0
) -> dict[str, tuple[tuple[str, ...], NDArray[np.floating]]]:
    """Head -> its labels and the calibrated probabilities (texts, labels) of each text by linear models trained without its fold.

    Rows of NaN have no label of the head, or could not be held out.
    """
    settings = settings or LinearSettings()
    vectoriser, counts = fit_vectoriser(examples.texts, settings)
    found = {}
    for head, column in tqdm(examples.labels.items(), desc="out of fold", unit=" heads", disable=None):
        rows = np.array([i for i, label in enumerate(column) if label is not None])
        labels = tuple(sorted({column[i] for i in rows}))
        position = {label: k for k, label in enumerate(labels)}
        target = np.array([position[column[i]] for i in rows])
        groups = None if examples.groups is None else [examples.groups[i] for i in rows]
        scores = out_of_fold(counts[rows], vectoriser.first_opening, target, len(labels), groups, settings, seed)
        probabilities = np.full((len(column), len(labels)), np.nan)
        probabilities[rows] = softmax(scores / temperature(scores, target), axis=1)
        found[head] = labels, probabilities
    return found


def label_errors(column: Sequence[str | None], labels: Sequence[str], probabilities: NDArray[np.floating]) -> list[Suspect]:
    """Labels that confident learning (Northcutt, Jiang and Chuang 2021, in cleanlab) calls wrong, the least probable first.

    Args:
        column: label of each text, None where it has none.
        labels: all labels, as the columns of `probabilities`.
        probabilities: (texts, labels) out of fold; rows of NaN are left out.

    Raises: ConfigError when cleanlab is not installed; InputError when no row is left.
    """
    require_cleanlab()
    from cleanlab.filter import find_label_issues

    rows = np.array([i for i, label in enumerate(column) if label is not None and not np.isnan(probabilities[i, 0])], dtype=int)
    if not len(rows):
        raise InputError("labels", 0, "labelled rows that can be held out of training")
    position = {label: k for k, label in enumerate(labels)}
    target, known = np.array([position[column[i]] for i in rows]), probabilities[rows]
    issues = find_label_issues(target, known, return_indices_ranked_by="self_confidence", n_jobs=1)
    best = known.argmax(axis=1)
    return [
        Suspect(int(rows[k]), labels[target[k]], labels[best[k]], float(known[k, target[k]]), float(known[k, best[k]]))
        for k in issues
        if best[k] != target[k]
    ]


def error_sheet(examples: Examples, suspects: Mapping[str, Sequence[Suspect]]) -> list[dict[str, object]]:
    """Rows of a sheet to fill in, one a text, the most doubtful first. An empty label column leaves the label as it is."""
    by_row: dict[int, dict[str, Suspect]] = {}
    for head, found in suspects.items():
        for suspect in found:
            by_row.setdefault(suspect.index, {})[head] = suspect
    order = sorted(by_row, key=lambda i: min(s.given_probability for s in by_row[i].values()))
    return [
        {
            "place": examples.rows[i],
            "text": examples.texts[i],
            **dict.fromkeys(suspects, None),
            **{name: value for head in suspects for name, value in _doubt(head, examples.labels[head][i], by_row[i].get(head)).items()},
        }
        for i in order
    ]


def worth_labelling(texts: Sequence[str], answers: Mapping[str, Answers], count: int, seed: int = 0) -> list[tuple[int, float]]:
    """Texts that a model is least sure of and that differ from each other, the least certain first.

    Diverse mini-batch active learning (Zhdanov 2019): of ten times as many least certain texts, k-means weighted by uncertainty forms as
    many clusters as texts are wanted, and the text nearest to each centre is taken.

    Args:
        texts: prepared; a text that occurs twice is a candidate once.
        answers: head -> what a model answered; uncertainty is 1 - confidence, averaged over the heads.
        count: texts wanted.
        seed: of the clusters.

    Returns:
        Index and uncertainty (0-1) of at most `count` texts.
    """
    uncertainty = 1 - np.mean([answer.confidence for answer in answers.values()], axis=0)
    first = {text: i for i, text in reversed(list(enumerate(texts)))}
    candidates = sorted(first.values(), key=lambda i: (-uncertainty[i], i))[: _CANDIDATES * count]
    if len(candidates) > count:
        places = _places([texts[i] for i in candidates], seed)
        weights = uncertainty[candidates]
        clusters = KMeans(count, n_init=3, random_state=seed).fit(places, sample_weight=np.maximum(weights, 1e-6))
        distance = np.linalg.norm(places - clusters.cluster_centers_[clusters.labels_], axis=1)
        order = np.lexsort((distance, clusters.labels_))
        nearest = [order[0], *(b for a, b in pairwise(order) if clusters.labels_[a] != clusters.labels_[b])]
        candidates = sorted((candidates[k] for k in nearest), key=lambda i: (-uncertainty[i], i))
    return [(i, float(uncertainty[i])) for i in candidates]


def labelling_sheet(examples: Examples, answers: Mapping[str, Answers], chosen: Sequence[tuple[int, float]]) -> list[dict[str, object]]:
    """Rows of a sheet to fill in, which `triage train` reads as it is: empty label columns, and what the model would say."""
    return [
        {
            "place": examples.rows[i],
            **{column: values[i] for column, values in examples.kept.items()},
            "text": examples.texts[i],
            **dict.fromkeys(answers, None),
            **{f"{head}_answer": answer.labels[i] for head, answer in answers.items()},
            "uncertainty": round(uncertainty, 4),
        }
        for i, uncertainty in chosen
    ]


def _doubt(head: str, given: str | None, suspect: Suspect | None) -> dict[str, object]:
    return {
        f"{head}_given": given,
        f"{head}_suggested": suspect.suggested if suspect else None,
        f"{head}_probability_of_given": round(suspect.given_probability, 4) if suspect else None,
    }


def _places(texts: Sequence[str], seed: int) -> NDArray[np.floating]:
    """Texts as points (texts, dimensions): latent semantic analysis of their character pairs, on the unit sphere."""
    matrix = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True).fit_transform(texts)
    dimensions = min(_DIMENSIONS, min(matrix.shape) - 1)
    if dimensions < 1:
        return matrix.toarray()
    points = TruncatedSVD(dimensions, random_state=seed).fit_transform(matrix)
    return points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)

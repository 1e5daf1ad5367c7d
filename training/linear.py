"""Train the linear family: count n-grams once, fit one linear head per label column, calibrate it on rows it did not see."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, diags_array, vstack
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.svm import LinearSVC

from training.augment import with_courtesy
from training.examples import folds, kept_together
from training.pseudo_labels import PseudoLabelled
from triage.classify import LinearClassifier, Vectoriser, character_ngrams, lower_words, opening, weigh, word_ngrams
from triage.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearSettings:
    """Chosen on real bank texts that are no part of the training data, and by cross-validation on public sets of other labels.

    Args:
        longest: length of the longest character n-gram.
        words: count words and pairs of words too.
        min_texts: an n-gram seen in fewer texts is left out.
        max_features: of each vocabulary, the n-grams found in most texts are kept.
        cost: C of the support vector machine.
        balance: exponent of the inverse class frequency by which rows are weighted: 0 leaves them alone, 1 is "balanced".
        naive_bayes: how far n-grams count the more, the more unevenly a label and the others use them, 0-1 (naive Bayes SVM, Wang and
            Manning 2012). By cross-validation .5 was worth 1 to 6 points of macro-F1 on three sets of other labels. Trained on the bank
            corpus, tested on real texts of other kinds, 0 was better by 1 to 2 points of accuracy in severity and sentiment, category alike.
        caution: multiplies the temperatures. Above 1 for texts in service that differ from those trained on, where a model errs more than
            cross-validation can know.
        digits_alike: count every digit as 0. Without it the sum decided: 银行卡被盗刷了5000元 went to the limits of transfers.
        openings: count the first sentence of longer texts by itself too. By cross-validation worth .005 to .01 of macro-F1 on letters that
            begin with their title, nothing on microblogs and posts. Trained on the bank corpus it lost 1 point of severity and sentiment.
        courtesy: share of the texts that are trained on once more with a greeting or thanks, see `training.augment`; for texts in Chinese.
    """

    longest: int = 3
    words: bool = True
    min_texts: int = 2
    max_features: int = 100_000
    cost: float = 0.5
    balance: float = 0.5
    naive_bayes: float = 0.5
    caution: float = 1.0
    digits_alike: bool = True
    openings: bool = True
    courtesy: float = 0.0


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained model.

    Args:
        classifier: the object that serving loads.
        held_out: head -> calibrated probabilities (texts, labels) of each text by heads trained without it; a row of NaN where the text
            has no label of the head or could not be held out.
    """

    classifier: LinearClassifier
    held_out: dict[str, NDArray[np.floating]]


@dataclass(frozen=True, eq=False, slots=True)
class Lessons:
    """Rows to train on that are not tested on: counts (rows, n-grams) and the label index of each."""

    counts: csr_matrix
    target: NDArray[np.integer]


def fit(
    texts: Sequence[str],
    labels: Mapping[str, Sequence[str | None]],
    groups: Sequence[str] | None = None,
    settings: LinearSettings = LinearSettings(),
    seed: int = 0,
    taught: PseudoLabelled | None = None,
) -> Fitted:
    """Train on prepared texts.

    Args:
        texts: through `triage.privacy.prepare`.
        labels: head -> a label for each text; None leaves the text out of that head. Two labels at least in each head.
        groups: for each text what it came with (author, batch): calibration never tests on a group it trained on, nor on a text.
        settings: see `LinearSettings`.
        seed: of the solver and of the folds.
        taught: texts with a teacher's labels; trained on in every fold, calibrated and measured on in none. Labels that `labels` does not
            hold are left out.

    Returns:
        The classifier and what it is worth. The same arguments give the same classifier, byte for byte when pickled.
    """
    given = len(texts)
    groups = kept_together(texts, groups)
    if settings.courtesy:
        augmented = with_courtesy(texts, labels, groups, settings.courtesy, seed)
        texts, labels, groups = augmented.texts, augmented.labels, augmented.groups
    labelled = len(texts)
    vectoriser, counts = fit_vectoriser([*texts, *(taught.texts if taught else ())], settings)
    features = weigh(counts, vectoriser.weighting.idf_, vectoriser.first_opening)
    heads, weights, intercepts, temperatures, held_out = {}, [], [], {}, {}
    for head, column in labels.items():
        rows = np.array([i for i, label in enumerate(column) if label is not None])
        known = tuple(sorted({column[i] for i in rows}))
        target = np.array([known.index(column[i]) for i in rows])
        members = None if groups is None else [groups[i] for i in rows]
        answered = [known.index(label) if label in known else -1 for label in (taught.labels[head] if taught else ())]
        further = np.flatnonzero(np.array(answered, dtype=int) >= 0)
        lessons = Lessons(counts[labelled + further], np.array(answered, dtype=int)[further])
        coefficients, intercept = fit_head(
            vstack([features[rows], features[labelled + further]], format="csr"),
            np.append(target, lessons.target),
            len(known),
            settings,
            seed,
        )
        scores = out_of_fold(counts[rows], vectoriser.first_opening, target, len(known), members, settings, seed, lessons)
        heads[head] = known
        weights.append(coefficients)
        intercepts.append(intercept)
        temperatures[head] = settings.caution * temperature(scores, target)
        answers = np.full((len(texts), len(known)), np.nan)
        answers[rows] = softmax(scores / temperatures[head], axis=1)
        held_out[head] = answers[:given]
    classifier = LinearClassifier(vectoriser, heads, np.ascontiguousarray(np.hstack(weights)), np.concatenate(intercepts), temperatures)
    return Fitted(classifier, held_out)


def fit_vectoriser(texts: Sequence[str], settings: LinearSettings) -> tuple[Vectoriser, csr_matrix]:
    """Choose the vocabularies and weigh them by inverse document frequency; returns the vectoriser and the texts' counts.

    Raises: InputError when no n-gram occurs in as many texts as `settings` asks.
    """
    weighting = TfidfTransformer(sublinear_tf=True)
    empty = Vectoriser({}, {}, settings.longest, weighting, settings.digits_alike)
    characters = _vocabulary((character_ngrams(empty.read(text), settings.longest) for text in texts), settings, first=0)
    if not characters:
        raise InputError("text", f"{len(texts)} texts without a character in common", f"characters that {settings.min_texts} texts share")
    words = {}
    if settings.words:
        read = (word_ngrams([empty.read(word) for word in lower_words(text)]) for text in texts)
        words = _vocabulary(read, settings, first=len(characters))
    openings = ()
    if settings.openings:
        read = (character_ngrams(empty.read(opening(text)), settings.longest) for text in texts)
        openings = tuple(gram for gram in _vocabulary(read, settings, first=0) if gram in characters)
    vectoriser = replace(empty, characters=characters, words=words, openings=openings)
    counts = vectoriser.counts(texts)
    weighting.fit(counts)
    return vectoriser, counts


def fit_head(
    features: csr_matrix, target: NDArray[np.integer], size: int, settings: LinearSettings, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One-against-rest support vector machines.

    Args:
        features: (rows, features).
        target: label of each row, 0 .. size - 1; at least two labels occur.
        size: number of labels of the head. One that does not occur in `target` scores lowest everywhere.
        settings: see `LinearSettings`.
        seed: of the solver.

    Returns:
        Weights (features, size) and intercepts (size,).
    """
    present, counts = np.unique(target, return_counts=True)
    importance = (len(target) / (len(present) * counts)) ** settings.balance
    each = importance[np.searchsorted(present, target)]
    weights = np.zeros((features.shape[1], size), dtype=np.float32)
    intercepts = np.empty(size, dtype=np.float32)
    for label in present:
        own = target == label
        scale = (1 - settings.naive_bayes) + settings.naive_bayes * _unevenness(features, own) if settings.naive_bayes else None
        shown = features if scale is None else features @ diags_array(scale)
        machine = LinearSVC(C=settings.cost, random_state=seed).fit(shown, own, sample_weight=each)
        # Scaled back: serving multiplies with the features as they are.
        weights[:, label] = machine.coef_[0] if scale is None else machine.coef_[0] * scale
        intercepts[label] = machine.intercept_[0]
    intercepts[np.setdiff1d(np.arange(size), present)] = intercepts[present].min() - 1
    return weights, intercepts


def _unevenness(features: csr_matrix, own: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How unevenly the rows of a label and the others hold each feature: the size of the logarithm of the ratio of its shares, one text more
    counted on either side; 1 on average over all that the rows hold.

    Args:
        features: (rows, features); what is not 0 is held.
        own: (rows,) which rows are the label's.
    """
    held = np.bincount(features.indices, minlength=features.shape[1])
    inside = np.bincount(features[own].indices, minlength=features.shape[1])
    first, second = inside + 1, held - inside + 1
    ratio = np.abs(np.log((first / first.sum()) / (second / second.sum())))
    return ratio / max((ratio * held).sum() / max(held.sum(), 1), 1e-12)


def out_of_fold(
    counts: csr_matrix,
    first_opening: int,
    target: NDArray[np.integer],
    size: int,
    groups: Sequence[str] | None = None,
    settings: LinearSettings = LinearSettings(),
    seed: int = 0,
    lessons: Lessons | None = None,
) -> NDArray[np.float32]:
    """Scores (rows, size) of each row by heads that were trained without it, and without its group where there are several.

    Vocabulary and weights are those of the training rows too: an n-gram that only test rows have would count in their norm and lower
    their scores, as it does not in service. Rows stay NaN where the other folds hold one label only.

    Args:
        counts: (rows, n-grams), see `Vectoriser.counts`.
        first_opening: its first column of openings.
        target, size, settings, seed: as for `fit_head`.
        groups: of each row, or None.
        lessons: further rows to train on in every fold.
    """
    scores = np.full((len(target), size), np.nan, dtype=np.float32)
    for train, test in folds(target, groups, seed):
        if len(np.unique(target[train])) > 1:
            shown, answers = counts[train], target[train]
            if lessons:
                shown, answers = vstack([shown, lessons.counts], format="csr"), np.append(answers, lessons.target)
            known = np.bincount(shown.indices, minlength=counts.shape[1]) >= settings.min_texts
            idf = TfidfTransformer().fit(shown[:, known]).idf_
            whole = int(known[:first_opening].sum())
            weights, intercepts = fit_head(weigh(shown[:, known], idf, whole), answers, size, settings, seed)
            scores[test] = weigh(counts[test][:, known], idf, whole) @ weights + intercepts
    return scores


def temperature(scores: NDArray[np.floating], target: NDArray[np.integer]) -> float:
    """The divisor of the scores under which softmax is most likely to have produced `target` (Guo et al. 2017).

    The targets are smoothed by 1 / (rows + 2) as in Platt (1999), so that a few rows without an error do not make it certain of everything.

    Args:
        scores: (rows, labels) out of fold; rows of NaN are left out, and 1.0 is the answer when no other is there.
        target: (rows,) label indices.
    """
    usable = ~np.isnan(scores[:, 0])
    if not usable.any():
        return 1.0
    scores, target = scores[usable].astype(np.float64), target[usable]
    rows, smoothing = np.arange(len(target)), 1 / (len(target) + 2)

    def loss(log_temperature: float) -> float:
        likelihood = log_softmax(scores / np.exp(log_temperature), axis=1)
        return -((1 - smoothing) * likelihood[rows, target] + smoothing * likelihood.mean(axis=1)).mean()

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.03), np.log(30)), method="bounded").x))


def _vocabulary(texts: Iterable[list[str]], settings: LinearSettings, first: int) -> dict[str, int]:
    frequency = Counter(chain.from_iterable(set(grams) for grams in texts))
    kept = sorted((-count, gram) for gram, count in frequency.items() if count >= settings.min_texts)[: settings.max_features]
    return {gram: first + i for i, gram in enumerate(sorted(gram for _, gram in kept))}

"""Which problems a complaint holds beside its main one: decided over its clauses, so that each has words of its own in the text.

The runners-up of the whole text will not do: where the model wavers between two readings of one problem both get probability, and a second
problem told in passing gets hardly any. So the clauses of a text are read by the same classifier as the text, and a category counts when
a clause is filed under it with confidence, as a complaint in itself and without delight, and the whole text does not speak against it.
Short texts and praise are passed over; they are most of what comes in, and no second look is taken at them.

It would rather miss a problem than invent one. Of 30 hand-written texts with two problems the shipped linear model finds both in 14 and no
wrong one; of 30 that tell of one at length it finds a second in 1 (tests/behaviour/problems.yaml). Of 21,000 unlabelled app reviews 6 %
get an alternative; of 60 of those read by hand about 50 were right, the others mostly one failing under two names.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from triage.blend import BlendClassifier
from triage.classify import Classifier

MOST = 3
LEAST_IN_CLAUSE = 0.75
"""Probability of a category in its clause. Chosen by reading app reviews: much under it, clauses out of their context are filed at random."""
LEAST_IN_TEXT = 0.001
"""Probability of the category in the whole text. The texts where no category but the first reaches it are not looked at again."""
_LEAST_COMPLAINT = 0.5  # that a clause is of level 2 or more: a failing, not a wish
_PRAISE = 0.8  # from this probability of `other.not_complaint` the text holds no problem
_LEAST_LENGTH = 16
_LEAST_CLAUSE = 6
_CLAUSE_END = re.compile(r"[,。;!?\n…~]+|(?<=[一-鿿]) +(?=[一-鿿])")
_UNSPECIFIC = "other."


def further_problems(
    classifier: Classifier, texts: Sequence[str], probabilities: Mapping[str, NDArray[np.floating]]
) -> dict[int, list[int]]:
    """The further problems of texts.

    Args:
        classifier: answers the heads category, severity and sentiment. Of a blend the linear part reads the clauses: an encoder would
            read every text once more.
        texts: prepared, as the classifier read them.
        probabilities: head -> (texts, labels), its answer to the texts.

    Returns:
        Number of a text -> columns of the head category, those with the surest clause first, at most `MOST`; texts without any are absent.
    """
    reader = classifier.linear if isinstance(classifier, BlendClassifier) else classifier
    whole = probabilities["category"]
    specific = np.array([not key.startswith(_UNSPECIFIC) for key in reader.heads["category"]])
    candidates = (whole >= LEAST_IN_TEXT) & specific
    candidates[np.arange(len(texts)), whole.argmax(axis=1)] = False
    owners, parts = [], []
    for i in np.flatnonzero(candidates.any(axis=1) & (_praise(reader, whole) < _PRAISE)).tolist():
        if len(texts[i]) >= _LEAST_LENGTH and len(found := clauses(texts[i])) > 1:
            owners += [i] * len(found)
            parts += found
    if not parts:
        return {}
    answers = reader.predict_proba(parts)
    category = answers["category"]
    best, rows = category.argmax(axis=1), np.arange(len(parts))
    counts = (category[rows, best] >= LEAST_IN_CLAUSE) & candidates[owners, best] & _complains(reader, answers)
    surest: dict[int, dict[int, float]] = {}
    for k in np.flatnonzero(counts).tolist():
        of_text = surest.setdefault(owners[k], {})
        of_text[int(best[k])] = max(of_text.get(int(best[k]), 0.0), float(category[k, best[k]]))
    return {i: sorted(found, key=lambda column: -found[column])[:MOST] for i, found in surest.items()}


def clauses(text: str) -> list[str]:
    """The clauses of a normalised text; one of fewer than six characters goes with the next, the last with the one before.

    >>> clauses("闪退,黑屏,根本登录不上,而且客服电话打不通")
    ['闪退,黑屏,根本登录不上', '而且客服电话打不通']
    """
    found: list[str] = []
    short = ""
    for part in _CLAUSE_END.split(text):
        joined = f"{short},{part}" if short and part else short or part
        if len(joined) < _LEAST_CLAUSE or joined.isascii():
            short = joined
        else:
            found.append(joined)
            short = ""
    if short and found:
        found[-1] += f",{short}"
    return found


def _praise(reader: Classifier, category: NDArray[np.floating]) -> NDArray[np.floating]:
    keys = reader.heads["category"]
    return category[:, keys.index("other.not_complaint")] if "other.not_complaint" in keys else np.zeros(len(category))


def _complains(reader: Classifier, answers: Mapping[str, NDArray[np.floating]]) -> NDArray[np.bool_]:
    """Which clauses state a failing: level 2 or more, and not positive."""
    failing = [int(level) > 1 for level in reader.heads["severity"]]
    moods = reader.heads["sentiment"]
    glad = answers["sentiment"].argmax(axis=1) == moods.index("positive") if "positive" in moods else False
    return (answers["severity"][:, failing].sum(axis=1) >= _LEAST_COMPLAINT) & ~np.asarray(glad)

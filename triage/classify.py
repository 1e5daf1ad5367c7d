"""Classifiers: prepared texts in, one calibrated distribution per head out. The linear one is scikit-learn's weights on own counting.

A head is a label column: category, severity, sentiment, or whatever columns a bank labels. All heads share one pass over the text.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from operator import itemgetter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfTransformer

from triage.text import cut, function_words

MOST_WORDS = 8
_DIGITS = str.maketrans("123456789", "000000000")


class Classifier(Protocol):
    """What the tagger asks of a model. Every text went through `triage.privacy.prepare` before it comes here."""

    heads: dict[str, tuple[str, ...]]
    """Head -> its labels, in the order of the columns of `predict_proba`."""

    def predict_proba(self, texts: Sequence[str]) -> dict[str, NDArray[np.floating]]:
        """Calibrated probabilities: head -> array (len(texts), labels of the head), rows sum to 1."""
        ...

    def explain(self, texts: Sequence[str], head: str, label_index: NDArray[np.integer]) -> list[list[tuple[str, float]]]:
        """For text i the words that spoke for label `label_index[i]` with their weight (> 0), strongest first, at most 8."""
        ...


@dataclass(frozen=True, eq=False)
class Vectoriser:
    """TF-IDF (logarithmic counts, L2 norm) over two vocabularies: character n-grams and n-grams of words, both lower-cased.

    Counting is our own: scikit-learn's CountVectorizer raises and catches an exception for each unknown n-gram and takes twice as long.

    Args:
        characters: character n-gram -> column, n from 1 to `longest`.
        words: word or `word word` -> column; the columns follow those of `characters`.
        longest: length of the longest character n-gram.
        weighting: fitted on the training counts.
        digits_alike: every digit counts as 0: how long a number is may tell classes apart, which number it is may not.
    """

    characters: dict[str, int]
    words: dict[str, int]
    longest: int
    weighting: TfidfTransformer
    digits_alike: bool = False

    def counts(self, texts: Sequence[str]) -> csr_matrix:
        """How often each n-gram occurs: float32 matrix (len(texts), features)."""
        columns: list[int] = []
        ends = [0]
        character, word = self.characters.get, self.words.get
        for text in texts:
            columns += [c for c in map(character, character_ngrams(self.read(text), self.longest)) if c is not None]
            if self.words:
                columns += [c for c in map(word, word_ngrams([self.read(w) for w in lower_words(text)])) if c is not None]
            ends.append(len(columns))
        shape = (len(texts), len(self.characters) + len(self.words))
        ones = np.ones(len(columns), dtype=np.float32)
        matrix = csr_matrix((ones, np.array(columns, dtype=np.int32), np.array(ends, dtype=np.int32)), shape=shape)
        matrix.sum_duplicates()
        return matrix

    def read(self, text: str) -> str:
        """A text, or a word of it, as its n-grams are counted."""
        return text.translate(_DIGITS) if self.digits_alike else text

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """Weighted and normed counts: float32 matrix (len(texts), features)."""
        counts = self.counts(texts)
        return self.weighting.transform(counts, copy=False) if len(texts) else counts


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """Multinomial linear heads over one vectoriser; probabilities are softmax(scores / temperature).

    Args:
        vectoriser: shared by all heads.
        heads: head -> labels in order.
        weights: float32 (features, labels of all heads side by side).
        intercepts: float32 (labels of all heads,).
        temperatures: head -> positive number that calibrates it (Guo et al. 2017, "On calibration of modern neural networks").
    """

    vectoriser: Vectoriser
    heads: dict[str, tuple[str, ...]]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    temperatures: dict[str, float]

    def predict_proba(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """See `Classifier.predict_proba`; float32."""
        scores = self.vectoriser.transform(texts) @ self.weights + self.intercepts
        return {head: softmax(scores[:, self._columns(head)] / np.float32(self.temperatures[head]), axis=1) for head in self.heads}

    def explain(self, texts: Sequence[str], head: str, label_index: NDArray[np.integer]) -> list[list[tuple[str, float]]]:
        """See `Classifier.explain`. A word pair's share is split between its two words; weights of one text compare with each other,
        not with those of another text (they leave out the norm of the text, which needs the character n-grams)."""
        known = self.vectoriser.words
        features = self._columns(head).start + np.asarray(label_index)
        words = [cut(text) for text in texts]
        read = self.vectoriser.read
        found = [[known.get(n, -1) for n in word_ngrams([read(w.lower()) for w in text])] for text in words]
        flat = np.fromiter(chain.from_iterable(found), dtype=np.int64)
        lengths = [len(f) for f in found]
        # One look-up for the whole batch; -1 (an unknown n-gram) reads the last row and is zeroed.
        gain = self.weights[flat, np.repeat(features, lengths)] * self.vectoriser.weighting.idf_[flat] * (flat >= 0)
        explained, start = [], 0
        for text, length, feature in zip(words, lengths, features, strict=True):
            explained.append(
                _strongest(text, gain[start : start + length].tolist()) or _strongest(text, self._character_gains(text, feature))
            )
            start += length
        return explained

    def _character_gains(self, words: list[str], feature: np.integer) -> list[float]:
        """What the character n-grams inside each word say for a label: for texts whose words were not learnt."""
        gains = []
        for word in words:
            columns = [
                c
                for c in map(self.vectoriser.characters.get, character_ngrams(self.vectoriser.read(word), self.vectoriser.longest))
                if c is not None
            ]
            gains.append(float((self.weights[columns, feature] * self.vectoriser.weighting.idf_[columns]).sum()))
        return gains

    def _columns(self, head: str) -> slice:
        names = list(self.heads)
        start = sum(len(self.heads[name]) for name in names[: names.index(head)])
        return slice(start, start + len(self.heads[head]))


def character_ngrams(text: str, longest: int) -> list[str]:
    """All character n-grams of the lower-cased text, n from 1 to `longest`, shortest first.

    >>> character_ngrams("转账", 2)
    ['转', '账', '转账']
    """
    text = text.lower()
    grams = current = list(text)
    for n in range(1, longest):
        current = [head + tail for head, tail in zip(current, text[n:], strict=False)]
        grams = grams + current
    return grams


def lower_words(text: str) -> list[str]:
    """Tokens of a text, lower-cased one by one: `cut` reads the original spelling, as `explain` must to find them again."""
    return [word.lower() for word in cut(text)]


def word_ngrams(words: list[str]) -> list[str]:
    """The words, then their neighbouring pairs.

    >>> word_ngrams(["转账", "失败"])
    ['转账', '失败', '转账 失败']
    """
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def _strongest(words: list[str], gains: list[float]) -> list[tuple[str, float]]:
    total: defaultdict[str, float] = defaultdict(float)
    for word, gain in zip(words, gains, strict=False):
        total[word] += gain
    for first, second, gain in zip(words, words[1:], gains[len(words) :], strict=False):
        if gain:
            total[first] += gain / 2
            total[second] += gain / 2
    # 我们 or 了 may well tell classes apart, but show a reader nothing.
    positive = [(word, weight) for word, weight in total.items() if weight > 0 and len(word) > 1 and word not in function_words()]
    return sorted(positive, key=itemgetter(1), reverse=True)[:MOST_WORDS]

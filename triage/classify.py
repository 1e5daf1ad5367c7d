"""Classifiers: prepared texts in, one calibrated distribution per head out. The linear one is scikit-learn's weights on own counting.

A head is a label column: category, severity, sentiment, or whatever columns a bank labels. All heads share one pass over the text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfTransformer

from triage.ngrams import NONE, Hits, NgramIndex
from triage.text import cut, function_words

MOST_WORDS = 8
_OTHER_DIGITS = re.compile("[1-9]")
_OPENING = re.compile(r"[^。！？!?\n]*[。！？!?\n]+(?=.*\w)", re.DOTALL)
# Length of the vector of an opening beside that of the whole text, 1. By cross-validation on three sets of other labels the best of .35, .5 and .7.
_OPENING_SHARE = 0.5


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
    """TF-IDF (logarithmic counts, L2 norm) over two vocabularies: character n-grams and n-grams of words, both lower-cased. Where it learnt
    openings, the first sentence of a text, which names the matter of a letter as its title does, is a third part, of a fixed share.

    Counting is our own, for a batch at once: scikit-learn's CountVectorizer looks up each n-gram by itself and takes ten times as long.

    Args:
        characters: character n-gram -> column, n from 1 to `longest`.
        words: word or `word word` -> column; the columns follow those of `characters`.
        longest: length of the longest character n-gram.
        weighting: fitted on the training counts.
        digits_alike: every digit counts as 0: how long a number is may tell classes apart, which number it is may not.
        openings: of `characters`, those counted in openings too; their columns follow those of `words`.
    """

    characters: dict[str, int]
    words: dict[str, int]
    longest: int
    weighting: TfidfTransformer
    digits_alike: bool = False
    openings: tuple[str, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """The fields: what is derived from them has no place in a model file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def counts(self, texts: Sequence[str]) -> csr_matrix:
        """How often each n-gram occurs: float32 matrix (len(texts), features)."""
        characters = list(self.characters_in(texts))
        opened = self._in_openings([text.lower() for text in texts], characters) if self.openings else ()
        hits = [*characters, *opened, *self.words_in([words_of(text) for text in texts])]
        places = (np.concatenate([h.sequence for h in hits]), np.concatenate([h.column for h in hits]))
        shape = (len(texts), self.first_opening + len(self.openings))
        return csr_matrix((np.ones(len(places[0]), dtype=np.float32), places), shape=shape)

    @property
    def first_opening(self) -> int:
        """The first column of the openings."""
        return len(self.characters) + len(self.words)

    def characters_in(self, texts: Sequence[str]) -> Iterator[Hits]:
        """The known character n-grams of each text, for n = 1, 2, ..."""
        lowered = [text.lower() for text in texts]
        return self._character_index.find(_code_points(self.read("".join(lowered))), _lengths(lowered))

    def _in_openings(self, texts: Sequence[str], hits: Sequence[Hits]) -> Iterator[Hits]:
        """Those of the hits (n = 1, 2, ...) that lie in the opening of their lower-cased text, as columns of the openings."""
        ends = np.cumsum(_lengths(texts)) - _lengths(texts) + [len(opening(text)) for text in texts]
        for length, found in enumerate(hits, 1):
            column = self._opening_columns[found.column]
            inside = (found.start + length <= ends[found.sequence]) & (column != NONE)
            yield Hits(found.sequence[inside], found.start[inside], column[inside])

    def words_in(self, texts: Sequence[Sequence[str]]) -> Iterator[Hits]:
        """The known words, then the known pairs of words, of each text, given as its words (`words_of`)."""
        words = list(chain.from_iterable(texts))
        numbers = {word: self._word_numbers.get(self.read(word.lower()), NONE) for word in set(words)}
        return self._word_index.find(np.fromiter(map(numbers.__getitem__, words), np.int64, len(words)), _lengths(texts))

    def read(self, text: str) -> str:
        """A text, or a word of it, as its n-grams are counted; of the same length."""
        return _OTHER_DIGITS.sub("0", text) if self.digits_alike else text

    @cached_property
    def _character_index(self) -> NgramIndex:
        columns = np.fromiter(self.characters.values(), np.int64, len(self.characters))
        return NgramIndex(_code_points("".join(self.characters)), _lengths(list(self.characters)), columns)

    @cached_property
    def _opening_columns(self) -> NDArray[np.int64]:
        """Column of a character n-gram -> its column in openings, or NONE."""
        columns = np.full(len(self.characters), NONE)
        columns[[self.characters[gram] for gram in self.openings]] = self.first_opening + np.arange(len(self.openings))
        return columns

    @cached_property
    def _word_numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(dict.fromkeys(" ".join(self.words).split()))}

    @cached_property
    def _word_index(self) -> NgramIndex:
        ngrams = [ngram.split() for ngram in self.words]
        words = list(chain.from_iterable(ngrams))
        symbols = np.fromiter(map(self._word_numbers.__getitem__, words), np.int64, len(words))
        return NgramIndex(symbols, _lengths(ngrams), np.fromiter(self.words.values(), np.int64, len(self.words)))

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """Weighted and normed counts: float32 matrix (len(texts), features), see `weigh`."""
        return weigh(self.counts(texts), self.weighting.idf_, self.first_opening)


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
        not with those of another text (they leave out the norm of the text, which needs the character n-grams). What an opening says beyond
        its words is left out too."""
        features = self._columns(head).start + np.asarray(label_index)
        words = [words_of(text) for text in texts]
        explained = _strongest(words, self._word_gains(words, features))
        silent = [i for i, found in enumerate(explained) if not found]
        words = [words[i] for i in silent]
        for i, found in zip(silent, _strongest(words, self._character_gains(words, features[silent])), strict=True):
            explained[i] = found
        return explained

    def _word_gains(self, texts: Sequence[Sequence[str]], features: NDArray[np.integer]) -> NDArray[np.float64]:
        """What each word of all texts (words,) says for the label of its text, alone and in n-grams."""
        gains = np.zeros(sum(map(len, texts)))
        for length, hits in enumerate(self.vectoriser.words_in(texts), 1):
            share = self._gains(hits.column, features[hits.sequence]) / length
            for place in range(length):
                gains[hits.start + place] += share
        return gains

    def _character_gains(self, texts: Sequence[Sequence[str]], features: NDArray[np.integer]) -> NDArray[np.float64]:
        """As `_word_gains` by the character n-grams inside each word: for texts whose words were not learnt."""
        words = list(chain.from_iterable(texts))
        features = np.repeat(features, _lengths(texts))
        gains = np.zeros(len(words))
        for hits in self.vectoriser.characters_in(words):
            gains += np.bincount(hits.sequence, self._gains(hits.column, features[hits.sequence]), len(words))
        return gains

    def _gains(self, columns: NDArray[np.int64], features: NDArray[np.integer]) -> NDArray[np.float32]:
        return self.weights[columns, features] * self.vectoriser.weighting.idf_[columns]

    def _columns(self, head: str) -> slice:
        names = list(self.heads)
        start = sum(len(self.heads[name]) for name in names[: names.index(head)])
        return slice(start, start + len(self.heads[head]))


def weigh(counts: csr_matrix, idf: NDArray[np.floating], first_opening: int) -> csr_matrix:
    """Features: logarithmic counts times `idf`, the columns of whole texts of norm 1, those of openings of a fixed share, then each row of norm 1.

    Without openings, to the last bit what scikit-learn's TfidfTransformer gives, whose checks of its input take longer than a text.

    Args:
        counts: (texts, n-grams).
        idf: (n-grams,) inverse document frequencies.
        first_opening: the column from which on n-grams are those of openings.

    Returns:
        float32 matrix (texts, n-grams).
    """
    texts = counts.shape[0]
    row = np.repeat(np.arange(texts), np.diff(counts.indptr))
    weights = (np.log(counts.data) + 1) * idf[counts.indices]
    part = 2 * row + (counts.indices >= first_opening)
    norms = np.sqrt(np.bincount(part, weights * weights, 2 * texts)).reshape(texts, 2)
    norms *= np.where(norms[:, 1:] > 0, np.hypot(1, _OPENING_SHARE) / np.array([1, _OPENING_SHARE]), 1.0)
    return csr_matrix(((weights / norms.ravel()[part]).astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)


def opening(text: str) -> str:
    """The first sentence of a text that goes on after it, else nothing.

    >>> opening("路灯不亮。 晚上出门看不见")
    '路灯不亮。'
    >>> opening("路灯不亮！！")
    ''
    """
    found = _OPENING.match(text)
    return found[0] if found else ""


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


@lru_cache(maxsize=2048)
def words_of(text: str) -> tuple[str, ...]:
    """`cut`, remembered for the texts of a block: they are classified, then explained."""
    return tuple(cut(text))


def _code_points(text: str) -> NDArray[np.int64]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)


def _lengths(sequences: Sequence[Sequence[object]]) -> NDArray[np.int64]:
    return np.fromiter(map(len, sequences), np.int64, len(sequences))


def _strongest(texts: Sequence[Sequence[str]], gains: NDArray[np.float64]) -> list[list[tuple[str, float]]]:
    """The words of each text that gain, from the gains of the words of all texts."""
    unspoken = function_words()  # 我们 or 了 may well tell classes apart, but show a reader nothing
    gain_of_next = iter(gains.tolist())
    strongest = []
    for words in texts:
        total: dict[str, float] = {}
        for word, gain in zip(words, gain_of_next, strict=False):
            if gain:
                total[word] = total.get(word, 0.0) + gain
        shown = [(word, gain) for word, gain in total.items() if gain > 0 and len(word) > 1 and word not in unspoken]
        strongest.append(sorted(shown, key=itemgetter(1), reverse=True)[:MOST_WORDS])
    return strongest

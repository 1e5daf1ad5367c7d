"""Emerging issues in any pile of dated texts: what many different people began to write about.

Texts become tf-idf vectors of words and of character n-grams (names such as 58车贷 are no dictionary words); near-duplicates are
folded, so that a copied letter or a customer who writes ten times counts once; what remains is clustered by average linkage at a high
threshold, since two issues told as one mislead more than one issue told as two; words that come in bursts weigh more. Clusters are
ranked by how many people wrote, how much more densely in time than the pile as a whole, and how lately.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from triage.hotspots.explain import words_of
from triage.text import normalise

_BATCH = 5_000  # texts clustered at a time: their distances fill 200 MB
_CHANCE = 3.0  # log likelihood ratio that the best stretch of a steady word reaches by chance
_NAME = re.compile(r"(?<![A-Za-z0-9])[0-9]+[一-鿿]{1,2}")  # a name that begins with a number, in a headline


@dataclass(frozen=True, slots=True)
class DatedText:
    """One text. `person` is whoever wrote it, `region` the adcode it came from, "" where unknown; `title` is a headline, "" without one."""

    id: str
    text: str
    time: datetime
    person: str = ""
    title: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """An issue. `size` counts texts, `people` those who wrote them (a copied text counts as one person where people are unknown)."""

    rank: int
    title: str
    terms: tuple[str, ...]
    size: int
    people: int
    first: date
    last: date
    score: float
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """Settings.

    Attributes:
        likeness: mean cosine of two clusters from which they are one issue; higher = smaller, purer clusters.
        copy: cosine, and share of common pairs of characters, from which one text is a copy of another.
        burst: how much more a word counts that comes in bursts: 1 + burst x log (1 + its log likelihood ratio beyond chance).
        least_people: distinct people an issue needs.
        half_life: share of the pile's time span after which an issue counts half.
    """

    likeness: float = 0.22
    copy: float = 0.85
    burst: float = 0.5
    least_people: int = 3
    half_life: float = 1.0


@dataclass(frozen=True, slots=True)
class Pile:
    """Texts sorted out.

    Attributes:
        texts: by time.
        vectors: (texts, features), unit length.
        words: of each text.
        copy_of: for each text the first one of which it is a copy (itself if it is none), (texts,).
        label: number of its cluster, (texts,).
    """

    texts: list[DatedText]
    vectors: sparse.csr_matrix
    words: list[set[str]]
    copy_of: NDArray[np.intp]
    label: NDArray[np.intp]

    def clusters(self) -> list[NDArray[np.intp]]:
        """Rows of each cluster, ascending."""
        order = np.argsort(self.label, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.label[order])) + 1) if len(order) else []

    def firsts(self, members: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of these rows that count: the first of copies (of any text, in or out of these), and of each known person's."""
        seen: set[str] = set()
        kept = []
        for i in members:
            person = self.texts[i].person
            if self.copy_of[i] == i and not (person and person in seen):
                kept.append(i)
                seen.add(person)
        return np.array(kept, dtype=np.intp)

    def headline(self, members: NDArray[np.intp]) -> str:
        """Of the text nearest to the middle of these: its title, or its first sentence."""
        centre = np.asarray(self.vectors[members].mean(axis=0)).ravel()
        nearest = self.texts[members[int(np.argmax(self.vectors[members] @ centre))]]
        return (nearest.title or re.split(r"[。！？!?\n]", nearest.text.strip(), maxsplit=1)[0][:40]).strip()

    def terms(self, members: NDArray[np.intp], limit: int = 6) -> list[str]:
        """Words in most of these texts and few others; names with letters or digits (58车贷) come from the headlines."""
        inside = Counter(word for i in members for word in self.words[i])
        headlines = [normalise(self.texts[i].title or self.texts[i].text[:40]) for i in members]
        names = Counter(name for headline in headlines for name in set(_NAME.findall(headline)))
        frequency = Counter(word for line in self.words for word in line)
        scored = []
        for word, count in (inside + names).items():
            if count >= max(2, len(members) / 4):
                everywhere = frequency[word] or sum(word in t.title or word in t.text for t in self.texts)
                scored.append((count / len(members) * math.log((1 + len(self.texts)) / (1 + everywhere)), word))
        chosen: list[str] = []
        for score, word in sorted(scored, key=lambda entry: (-entry[0], entry[1])):
            # A name says more than the word inside it: 58车贷 rather than 车贷.
            word = next((longer for other, longer in scored if word in longer and word != longer and other > score / 2), word)
            if not any(word in other or other in word for other in chosen):
                chosen.append(word)
        return chosen[:limit]


def emerging(texts: Sequence[DatedText], top: int = 10, settings: TopicSettings | None = None) -> list[Topic]:
    """Issues that at least `least_people` people wrote about, most telling first.

    Args:
        texts: in any order; empty ones are left out.
        top: at most so many issues.
        settings: default = `TopicSettings()`.
    """
    settings = settings or TopicSettings()
    pile = sort_out(texts, settings)
    times = np.array([t.time.timestamp() for t in pile.texts])
    found = []
    for members in pile.clusters():
        writers = len(pile.firsts(members))
        if writers >= settings.least_people:
            found.append((_score(times, members, writers, settings.half_life), writers, members))
    found.sort(key=lambda entry: (-entry[0], entry[2][0]))
    return [_topic(rank, score, writers, members, pile) for rank, (score, writers, members) in enumerate(found[:top], start=1)]


def sort_out(texts: Sequence[DatedText], settings: TopicSettings) -> Pile:
    """Order by time, fold copies and cluster; a pile of fewer than `least_people` texts is left as it is.

    Args:
        texts: in any order; empty ones are left out.
        settings: see there.
    """
    usable = sorted((t for t in texts if (t.title + t.text).strip()), key=lambda t: t.time)
    if len(usable) < max(settings.least_people, 2):
        alone = np.arange(len(usable))
        return Pile(usable, sparse.csr_matrix((len(usable), 1)), [set() for _ in usable], alone, alone)
    vectors, words = _vectors(usable)
    copy_of = _fold(vectors, usable, settings.copy)
    originals = np.unique(copy_of)
    times = np.array([t.time.timestamp() for t in usable])
    label = np.empty(len(usable), dtype=np.intp)
    label[originals] = _cluster(_bursting(vectors[originals], times[originals], settings.burst), settings.likeness)
    return Pile(usable, vectors, words, copy_of, label[copy_of])


def _vectors(texts: Sequence[DatedText]) -> tuple[sparse.csr_matrix, list[set[str]]]:
    """Unit vectors, shape (texts, features), the headline weighing as much as the text; and each text's words."""
    headlines = [normalise(t.title or t.text[:40]) for t in texts]
    bodies = [normalise(t.text) for t in texts]
    words = [words_of(headline) * 2 + words_of(body[:1_000]) for headline, body in zip(headlines, bodies, strict=True)]
    least, most = (2 if len(texts) > 20 else 1), max(len(texts) // 10, 20)  # texts a feature stands in; frequent ones tell nothing
    by_word = TfidfVectorizer(analyzer=_as_is, min_df=least, max_df=2 * most, sublinear_tf=True, dtype=np.float32)
    by_character = TfidfVectorizer(analyzer="char", ngram_range=(2, 4), min_df=least, max_df=most, sublinear_tf=True, dtype=np.float32)
    try:
        parts = [by_word.fit_transform(words), by_character.fit_transform(headlines)]
    except ValueError:  # every word stands in one text only, or in nearly all of them
        parts = [TfidfVectorizer(analyzer="char", ngram_range=(1, 2), dtype=np.float32).fit_transform(headlines)]
    stacked = sparse.hstack([part * math.sqrt(1 / len(parts)) for part in parts]).tocsr()
    return stacked, [set(line) for line in words]


def _bursting(vectors: sparse.csr_matrix, times: NDArray[np.float64], strength: float) -> sparse.csr_matrix:
    """Unit vectors in which features weigh more whose texts come in a burst: what is new is what an emerging issue has in common.

    The log likelihood ratio of a feature is that of the temporal scan (Kulldorff 2001) over stretches of up to half the pile, in
    sixteenths of its texts.

    Args:
        vectors: (texts, features).
        times: seconds, ascending, (texts,).
        strength: see `TopicSettings.burst`.
    """
    if not strength:
        return normalize(vectors)
    texts, parts = len(times), min(16, len(times))
    part = np.arange(texts) * parts // texts
    member = sparse.csr_matrix((np.ones(texts, dtype=np.float32), (np.arange(texts), part)), shape=(texts, parts))
    sums = np.cumsum(((vectors > 0).astype(np.float32).T @ member).toarray(), axis=1, dtype=float)
    sums, size = np.pad(sums, ((0, 0), (1, 0))), np.pad(np.cumsum(np.bincount(part, minlength=parts)) / texts, (1, 0))
    best = np.zeros(vectors.shape[1])
    for length in range(1, parts // 2 + 1):
        inside, expected = sums[:, length:] - sums[:, :-length], sums[:, -1:] * (size[length:] - size[:-length])
        outside, expected_outside = sums[:, -1:] - inside, sums[:, -1:] - expected
        ratio = special.xlogy(inside, inside / np.maximum(expected, 1e-9)) + special.xlogy(
            outside, outside / np.maximum(expected_outside, 1e-9)
        )
        best = np.maximum(best, np.where(inside > expected, ratio, 0.0).max(axis=1))
    weight = 1 + strength * np.log1p(np.maximum(best - _CHANCE, 0.0))
    weighed = (vectors @ sparse.diags(weight.astype(np.float32))).tocsr()
    return normalize(weighed, copy=False)


def _as_is(words: list[str]) -> list[str]:
    return words


def _fold(vectors: sparse.csr_matrix, texts: Sequence[DatedText], copy: float) -> NDArray[np.intp]:
    """For each text the first one of which it is a copy (itself if it is none), shape (texts,).

    Vectors leave rare words out, so that near vectors are only candidates: copies share nearly all pairs of characters, too.
    """
    shingles = [_shingles(t.text or t.title) for t in texts]
    rows, columns = [], []
    for begin in range(0, len(texts), 1_000):
        near = (vectors[begin : begin + 1_000] @ vectors.T).tocoo()
        close = near.data >= copy
        for i, j in zip(near.row[close] + begin, near.col[close], strict=True):
            if i < j and len(shingles[i] & shingles[j]) >= copy * len(shingles[i] | shingles[j]):
                rows.append(i)
                columns.append(j)
    graph = sparse.coo_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(len(texts), len(texts)))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    return first[component]


def _shingles(text: str) -> set[str]:
    plain = "".join(normalise(text).split())
    return {plain[i : i + 2] for i in range(max(len(plain) - 1, 1))}


def _cluster(vectors: sparse.csr_matrix, likeness: float) -> NDArray[np.intp]:
    """Cluster numbers, shape (texts,), by average linkage; beyond a batch the batches' clusters are linked by their centroids."""
    n = vectors.shape[0]
    if n <= _BATCH:
        return _link(vectors, likeness)
    label = np.empty(n, dtype=np.intp)
    used = 0
    for begin in range(0, n, _BATCH):
        part = _link(vectors[begin : begin + _BATCH], likeness)
        label[begin : begin + _BATCH] = part + used
        used += part.max() + 1
    members = sparse.csr_matrix((np.ones(n, dtype=np.float32), (label, np.arange(n))), shape=(used, n))
    size = np.asarray(members.sum(axis=1)).ravel()
    several = np.flatnonzero(size > 1)[:_BATCH]
    if len(several) > 1:
        # Mean cosine between two clusters = product of their mean vectors.
        joined = _link(sparse.diags(1 / size[several]) @ members[several] @ vectors, likeness)
        label_of = np.arange(used)
        label_of[several] = several[[np.flatnonzero(joined == j)[0] for j in joined]]
        label = label_of[label]
    return np.unique(label, return_inverse=True)[1]


def _link(vectors: sparse.csr_matrix, likeness: float) -> NDArray[np.intp]:
    if vectors.shape[0] < 2:
        return np.zeros(vectors.shape[0], dtype=np.intp)
    distance = 1 - (vectors @ vectors.T).toarray()
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(np.clip(distance, 0, 1), checks=False), "average")
    return fcluster(tree, 1 - likeness, "distance").astype(np.intp) - 1


def _score(times: NDArray[np.float64], members: NDArray[np.intp], writers: int, half_life: float) -> float:
    """People x burst x recency.

    Burst: log (1 + the largest log likelihood ratio, over all stretches of time between two texts of the issue, of its texts falling
    there against the pile's share there: the purely temporal scan of Kulldorff 2001). Recency: halves with every `half_life` of the
    pile's time span between the middle text of the issue and the end.
    """
    n, at = len(members), times[members]
    i, j = np.triu_indices(n, 1)
    inside = (j - i + 1) / n
    share = (np.searchsorted(times, at[j], "right") - np.searchsorted(times, at[i], "left")) / len(times)
    outside = special.xlogy(1 - inside, np.where(share < 1, (1 - inside) / np.where(share < 1, 1 - share, 1.0), 1.0))
    ratio = n * (special.xlogy(inside, inside / share) + outside)
    burst = math.log1p(float(np.max(ratio[inside > share], initial=0.0)))
    early, late = np.quantile(times, [0.01, 1.0])
    recency = 0.5 ** ((late - np.median(at)) / max(half_life * (late - early), 1.0))
    return float(writers * burst * recency)


def _topic(rank: int, score: float, writers: int, members: NDArray[np.intp], pile: Pile) -> Topic:
    return Topic(
        rank=rank,
        title=pile.headline(members),
        terms=tuple(pile.terms(members)),
        size=len(members),
        people=writers,
        first=pile.texts[members[0]].time.date(),
        last=pile.texts[members[-1]].time.date(),
        score=round(score, 3),
        ids=tuple(pile.texts[i].id for i in members),
    )

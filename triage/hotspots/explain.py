"""What a hotspot is about: the words that set its texts apart from the baseline's, and a few texts that show it."""

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from triage.text import cut, function_words, normalise

_MASK = re.compile(r"\[[^\]]*\]|【[^】]*】")


def words_of(text: str) -> list[str]:
    """Words of two characters and more that a person would read as a topic; masks such as [手机号], numbers and function words go.

    >>> words_of("我的手机银行转账失败了[手机号]")
    ['手机银行', '转账失败']
    """
    words = cut(_MASK.sub(" ", normalise(text)))
    return [word for word in words if len(word) > 1 and word not in function_words() and any("一" <= ch <= "鿿" for ch in word)]


def terms(window: Sequence[str], baseline: Sequence[str], limit: int = 6) -> list[str]:
    """Words said more often in the window than in the baseline, most telling first.

    Weighted log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, Political Analysis 16:372): the prior is
    the words of both, worth as many words as the smaller side; z = log odds difference / its standard error. A word counts once a text,
    so that one long letter does not name a hotspot, and must stand in at least two texts of the window.

    Args:
        window: texts of the hotspot.
        baseline: texts of the same cell before it.
        limit: at most so many words.
    """
    now = Counter(word for text in window for word in set(words_of(text)))
    before = Counter(word for text in baseline for word in set(words_of(text)))
    n, m = sum(now.values()), sum(before.values())
    if not n:
        return []
    both = now + before
    strength = max(min(n, m), 50) / (n + m)
    scores: list[tuple[float, str]] = []
    for word, count in now.items():
        if count < min(2, len(window)):
            continue
        prior = strength * both[word]
        a, b = count + prior, before[word] + prior
        prior_all = strength * (n + m)
        odds = math.log(a / (n + prior_all - a)) - math.log(b / (m + prior_all - b)) if n + prior_all > a and m + prior_all > b else 0.0
        z = odds / math.sqrt(1 / a + 1 / b)
        if z > 0:
            scores.append((z, word))
    chosen: list[str] = []
    for _, word in sorted(scores, key=lambda score: (-score[0], score[1])):
        if not any(word in other or other in word for other in chosen):
            chosen.append(word)
        if len(chosen) == limit:
            break
    return chosen


def evidence(texts: Sequence[tuple[str, str]], telling: Sequence[str], limit: int = 5) -> list[str]:
    """Ids of texts that are representative (near the centre, with telling words) and differ from each other.

    Maximal marginal relevance (Carbonell & Goldstein 1998) over character bigrams with equal weights.

    Args:
        texts: (id, text) of the window.
        telling: the hotspot's terms.
        limit: at most so many ids.
    """
    usable = [(key, text) for key, text in texts if text.strip()]
    if len(usable) <= limit:
        return [key for key, _ in usable]
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True).fit_transform(text for _, text in usable)
    centre = np.asarray(vectors.mean(axis=0)).ravel()
    likeness = (vectors @ vectors.T).toarray()
    relevance = vectors @ centre / max(np.linalg.norm(centre), 1e-12)
    relevance = relevance + 0.2 * np.array([sum(word in text for word in telling) for _, text in usable])
    chosen: list[int] = []
    while len(chosen) < limit:
        nearest = likeness[:, chosen].max(axis=1) if chosen else np.zeros(len(usable))
        score = relevance - nearest
        score[chosen] = -np.inf
        best = int(score.argmax())
        if chosen and nearest[best] > 0.95:  # nothing is left but copies
            break
        chosen.append(best)
    return [usable[i][0] for i in chosen]

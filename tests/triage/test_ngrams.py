import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from triage.ngrams import NONE, NgramIndex

SYMBOL = st.integers(0, 3)
SEQUENCES = st.lists(st.lists(SYMBOL | st.just(NONE), max_size=8), max_size=5)
VOCABULARY = st.lists(st.lists(SYMBOL, min_size=1, max_size=3).map(tuple), max_size=12, unique=True)


def flat(sequences):
    symbols = [symbol for sequence in sequences for symbol in sequence]
    return np.array(symbols, dtype=np.int64), np.array([len(sequence) for sequence in sequences], dtype=np.int64)


@given(VOCABULARY, SEQUENCES)
def test_every_ngram_of_the_vocabulary_is_found_wherever_it_stands_and_nothing_else(vocabulary, sequences):
    index = NgramIndex(*flat(vocabulary), np.arange(len(vocabulary)))
    first = np.cumsum([0, *map(len, sequences)])
    expected = {
        (number, first[number] + start, vocabulary.index(ngram))
        for number, sequence in enumerate(sequences)
        for n in (1, 2, 3)
        for start in range(len(sequence) - n + 1)
        if (ngram := tuple(sequence[start : start + n])) in vocabulary
    }
    found = [hit for hits in index.find(*flat(sequences)) for hit in zip(hits.sequence, hits.start, hits.column, strict=True)]
    assert len(found) == len(expected)
    assert set(found) == expected


def test_hits_come_by_length_from_single_symbols_on():
    index = NgramIndex(*flat([[7, 8], [7]]), np.array([0, 1]))
    assert [hits.column.tolist() for hits in index.find(*flat([[7, 8, 7]]))] == [[1, 1], [0]]

"""Known n-grams of symbols (characters, words), found in many texts at once: a trie in sorted arrays, walked level by level."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NONE = -1
"""No symbol, no node, no column."""
_SYMBOL_BITS = 32


@dataclass(frozen=True, slots=True)
class Hits:
    """The known n-grams of one length; arrays (hits,).

    Args:
        sequence: number of the sequence that holds it.
        start: where it begins, counted through all sequences.
        column: as given for the n-gram.
    """

    sequence: NDArray[np.int64]
    start: NDArray[np.int64]
    column: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Level:
    """The nodes of one depth, arrays (nodes,): `edges`, sorted (see `_edges`), and `columns`, NONE for what only begins n-grams."""

    edges: NDArray[np.int64]
    columns: NDArray[np.int64]


class NgramIndex:
    """Finds the n-grams of a vocabulary in sequences of symbols.

    Args:
        symbols: of all n-grams, one n-gram after the other; 0 to 2**31 - 1.
        lengths: of each n-gram.
        columns: of each n-gram, from 0.
    """

    def __init__(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64], columns: NDArray[np.int64]):
        ngrams = np.full((len(lengths), lengths.max(initial=0)), NONE)
        ngrams[np.arange(ngrams.shape[1]) < lengths[:, None]] = symbols
        nodes = np.zeros(len(ngrams), dtype=np.int64)
        self._levels: list[_Level] = []
        for depth in range(ngrams.shape[1]):
            here = lengths > depth
            edges, nodes[here] = np.unique(_edges(nodes[here], ngrams[here, depth]), return_inverse=True)
            level = _Level(edges, np.full(len(edges), NONE))
            ending = lengths == depth + 1
            level.columns[nodes[ending]] = columns[ending]
            self._levels.append(level)

    def find(self, symbols: NDArray[np.int64], lengths: NDArray[np.int64]) -> Iterator[Hits]:
        """The hits for n = 1, 2, ... up to the longest n-gram; none reaches from one sequence into the next.

        Args:
            symbols: of all sequences, one sequence after the other; NONE is in no n-gram.
            lengths: of each sequence.
        """
        sequence = np.repeat(np.arange(len(lengths)), lengths)
        end = np.cumsum(lengths)[sequence]
        start = np.arange(len(symbols))
        node = np.zeros_like(start)
        for depth, level in enumerate(self._levels):
            inside = start + depth < end[start]
            start, node = start[inside], node[inside]
            # Each different edge once and in order: so the search takes a third of the time.
            wanted, which = np.unique(_edges(node, symbols[start + depth]), return_inverse=True)
            found = np.minimum(np.searchsorted(level.edges, wanted), len(level.edges) - 1)
            node = np.where(level.edges[found] == wanted, found, NONE)[which]
            there = node != NONE
            start, node = start[there], node[there]
            column = level.columns[node]
            known = column != NONE
            yield Hits(sequence[start[known]], start[known], column[known])


def _edges(parents: NDArray[np.int64], symbols: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for an edge: the parent's place in the level above, then the symbol."""
    return parents << _SYMBOL_BITS | symbols

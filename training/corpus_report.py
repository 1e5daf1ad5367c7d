"""How varied a corpus is, beside real texts: `python -m training.corpus_report`. Nothing is asserted; it prints what it measured.

Nearest neighbour: for each text of a sample the highest Jaccard similarity of its set of character 3-grams with that of another text in
the sample. Templates and near-duplicates show as high values. Distinct n-grams: different n-grams as a share of all (Li et al. 2016,
"A diversity-promoting objective function"), over the same number of characters of each set, because the share falls with length.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from training.commands.arguments import seed
from training.rows import load_rows
from triage.errors import TriageError
from triage.resources import DATA

REAL = ("bank_real_dev.jsonl", "icbc_app_reviews_unlabelled.jsonl", "bdci529_bank_sentiment_train.jsonl", "smp2020_emotion_train.jsonl", "tipdm_category_train.jsonl")  # fmt: skip
_GRAM = 3
_BLOCK = 256  # rows of the similarity matrix at a time
_DISTINCT = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Variety:
    """Of one set of texts.

    Args:
        name: of the set.
        texts: all of them; the rest is measured on a sample.
        lengths: characters a text, 10th, 50th and 90th percentile.
        neighbours: similarity to the nearest other text (0-1), for each text of the sample.
        distinct: share of different n-grams for n = 1 .. 4.
    """

    name: str
    texts: int
    lengths: tuple[int, int, int]
    neighbours: NDArray[np.floating]
    distinct: tuple[float, ...]


def measure(name: str, texts: Sequence[str], sample: int, characters: int, seed: int = 0) -> Variety:
    """Variety of a set of texts.

    Args:
        name: for the table.
        texts: prepared.
        sample: texts that are compared with each other; fewer where there are fewer.
        characters: over how many characters, of texts in random order, distinct n-grams are counted.
        seed: of the sample.
    """
    order = np.random.default_rng(seed).permutation(len(texts))
    chosen = [texts[i] for i in order[:sample]]
    running = "\n".join(texts[i] for i in order)[:characters]
    lengths = np.percentile([len(text) for text in texts], [10, 50, 90]).astype(int)
    return Variety(name, len(texts), tuple(lengths.tolist()), nearest_neighbours(chosen), tuple(_distinct(running, n) for n in _DISTINCT))


def nearest_neighbours(texts: Sequence[str]) -> NDArray[np.floating]:
    """The highest Jaccard similarity of character 3-grams with another text: array (texts,). Texts under three characters have none: 0."""
    grams: csr_matrix = CountVectorizer(analyzer="char", ngram_range=(_GRAM, _GRAM), binary=True, dtype=np.float32).fit_transform(texts)
    sizes = np.asarray(grams.sum(axis=1)).ravel()
    nearest = np.zeros(len(texts))
    for start in range(0, len(texts), _BLOCK):
        shared = (grams[start : start + _BLOCK] @ grams.T).toarray()
        union = sizes[start : start + _BLOCK, None] + sizes[None, :] - shared
        similarity = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
        rows = np.arange(len(similarity))
        similarity[rows, start + rows] = 0  # itself
        nearest[start : start + _BLOCK] = similarity.max(axis=1)
    return nearest


def as_table(found: Sequence[Variety]) -> str:
    """A line a set, in Markdown."""
    distinct = " | ".join(f"distinct-{n}" for n in _DISTINCT)
    lines = [
        f"| set | texts | length 10/50/90 % | nearest mean | median | 95 % | share >= .5 | {distinct} |",
        "|---|---|---|---|---|---|---|" + "---|" * len(_DISTINCT),
    ]
    for v in found:
        near = v.neighbours
        lines.append(
            f"| {v.name} | {v.texts:,} | {'/'.join(map(str, v.lengths))} | {near.mean():.3f} | {np.median(near):.3f} | "
            f"{np.percentile(near, 95):.3f} | {(near >= 0.5).mean():.1%} | {' | '.join(f'{d:.3f}' for d in v.distinct)} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table: our corpus, and the real sets that are there."""
    parser = argparse.ArgumentParser(prog="python -m training.corpus_report", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--beside", type=Path, default=Path("../shared/datasets"), metavar="DIR", help="folder of real sets, where there is one"
    )
    parser.add_argument("--text-column", default="text", metavar="COLUMN")
    parser.add_argument("--sample", type=int, default=2000, metavar="N", help="texts compared with each other in each set; default: 2000")
    parser.add_argument("--characters", type=int, default=20_000, metavar="N", help="for distinct n-grams; default: 20000")
    parser.add_argument("--seed", type=seed, default=0)
    args = parser.parse_args(argv)
    sets = {
        f"data/corpus/{folder.name}": sorted(folder.glob("*.jsonl")) for folder in sorted((DATA / "corpus").iterdir()) if folder.is_dir()
    }
    sets["data/corpus"] = [file for files in sets.values() for file in files]
    sets |= {path.stem: [path] for name in REAL if (path := args.beside / name).is_file()}
    found = []
    try:
        for name, files in sets.items():
            texts = [row.text for row in load_rows(files, args.text_column, [])]
            found.append(measure(name, texts, args.sample, args.characters, args.seed))
    except TriageError as error:
        print(f"triage: {error}", file=sys.stderr)
        return 2
    print(as_table(found))
    print(f"\nSamples of {args.sample:,} texts; distinct n-grams over {args.characters:,} characters.")
    return 0


def _distinct(text: str, n: int) -> float:
    grams = [text[i : i + n] for i in range(len(text) - n + 1)]
    return len(set(grams)) / max(1, len(grams))


if __name__ == "__main__":
    sys.exit(main())

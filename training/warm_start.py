"""Start from encoders that were fine-tuned before: their weights, read back from the files that are served."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from training.base_model import BaseModel
from training.encoder import encoder_of
from triage.artifact import Manifest, load
from triage.encoder import EncoderClassifier
from triage.errors import InputError

_HEADS = ("heads.weight", "heads.bias")


@dataclass(frozen=True, eq=False, slots=True)
class Start:
    """A model to start from: the folder it was read from, its encoder and its manifest."""

    folder: Path
    encoder: EncoderClassifier
    manifest: Manifest


def read(folders: Sequence[Path]) -> list[Start]:
    """Load models, each once however often it is named.

    Raises:
        InputError: a model without an encoder.
        ArtifactError: a folder that is no model.
    """
    models = {folder: load(folder) for folder in folders}
    return [Start(folder, encoder_of(models[folder][0], "--start-from"), models[folder][1]) for folder in folders]


def parameters(base: BaseModel, heads: Mapping[str, Sequence[str]], starts: Sequence[Start]) -> dict[str, Tensor]:
    """Parameters of `training.finetune.MultiHead` by name; the embeddings stay the base's, which fine-tuning leaves as they are.

    Args:
        base: what the encoders were fine-tuned from.
        heads: head -> labels of the model to be trained; its heads start from the encoders' where all of them have these, in this order.
        starts: see `read`. The mean of several that started from the same weights often errs less than each (Wortsman et al. 2022, "Model
            soups"); one that is named twice counts twice.

    Raises: InputError when an encoder was made from another base.
    """
    found = [weights(start.encoder.model) for start in starts]
    expected = {f"network.{name}": tuple(p.shape) for name, p in base.network.named_parameters() if not name.startswith("embeddings.")}
    for start, own in zip(starts, found, strict=True):
        # Checkpoints of one shape, such as BERT and RoBERTa with 12 layers, are told apart by the name; a folder may have moved since.
        told = str(start.manifest.text.get("encoder_base", start.manifest.text.get("base", base.name)))
        if (
            Path(told).name != Path(base.name).name
            or {name: weight.shape for name, weight in own.items() if name not in _HEADS} != expected
        ):
            raise InputError("--start-from", start.folder.name, f"an encoder that was fine-tuned from {base.name}, see --base")
    alike = all([*start.encoder.heads.items()] == [*heads.items()] for start in starts)
    names = [*expected, *(_HEADS if alike else ())] if found else []
    return {name: torch.from_numpy(np.mean([own[name] for own in found], axis=0)) for name in names}


def pieces(starts: Sequence[Start]) -> set[str]:
    """What the encoders read texts as: pieces that a vocabulary cut anew for other texts would lose."""
    return {piece for start in starts for piece in start.encoder.reader.tokenizer.get_vocab()}


def weights(model: bytes) -> dict[str, NDArray[np.float32]]:
    """Weights and biases of the layers and the heads in an exported encoder, under torch's names and in its shapes.

    Those in 8 bits come back rounded to them; what evened out the channels before (`training.onnx_export`) is undone.

    Args:
        model: as `training.onnx_export.export` or `quantise` gives it.
    """
    graph = onnx.load_from_string(model).graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    readers: dict[str, onnx.NodeProto] = {}
    for node in reversed(graph.node):
        readers |= dict.fromkeys(node.input, node)
    found = {name: value for name, value in known.items() if _kept_as_it_is(name)}
    for node in graph.node:
        if node.op_type in ("MatMul", "MatMulInteger") and node.input[1] in known:
            bias = _bias(node, readers, known)
            found[f"{bias.removesuffix('bias')}weight"] = _weight(node, makers, known).T.astype(np.float32)
            found[bias] = known[bias]
    return found


def _kept_as_it_is(name: str) -> bool:
    return name.startswith("network.encoder.") and name.endswith((".bias", "LayerNorm.weight"))


def _weight(node: onnx.NodeProto, makers: Mapping[str, onnx.NodeProto], known: Mapping[str, NDArray]) -> NDArray[np.floating]:
    """What a multiplication multiplies with (inputs, outputs), as it was trained."""
    weight, given = known[node.input[1]], node.input[0]
    if node.op_type == "MatMulInteger":
        zero = known[node.input[3]].astype(np.float32) if len(node.input) > 3 else 0
        weight = (weight.astype(np.float32) - zero) * known[node.input[1].replace("_quantized", "_scale")]
        given = makers[given].input[0]
    smooth = makers.get(given)
    if smooth is not None and f"{given.removesuffix('/smooth')}/scale" in smooth.input:
        weight = weight * known[f"{given.removesuffix('/smooth')}/scale"][:, None]
    return weight


def _bias(node: onnx.NodeProto, readers: Mapping[str, onnx.NodeProto], known: Mapping[str, NDArray]) -> str:
    """Name of the bias that is added to the product, a few operators on."""
    while not (names := [name for name in node.input if name in known and name.endswith(".bias") and "LayerNorm" not in name]):
        node = readers[node.output[0]]
    return names[0]

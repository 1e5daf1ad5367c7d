"""From a fine-tuned torch model to the ONNX file that is served: traced, its operators fused, its weights in 8 bits."""

import tempfile
import warnings
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer

from training.finetune import MultiHead

OPSET = 18
INPUTS = ("input_ids", "attention_mask")
OUTPUTS = ("logits", "piece_logits")
_MODEL = "model.onnx"
# How much of the difference between channels goes from the activations to the weights (alpha of SmoothQuant): of .5, .65, .75, .85 and 1 the
# one that changed least on a network trained on the corpus.
_SMOOTHING = 0.75
_LEAST = 1e-4


def export(model: MultiHead) -> bytes:
    """The model in 32-bit floats, for any number of texts and pieces; input and output names as `triage.encoder` expects them."""
    # torch's own fused attention would be traced as a dozen operators around infinities; the plain one is what runtimes recognise.
    model.network.set_attn_implementation("eager")
    # Unlike sizes above 1, for the tracer takes a size of 1 for a constant; two tensors, for it takes one given twice for one input.
    ids, mask = torch.zeros(2, 3, dtype=torch.int64), torch.ones(2, 3, dtype=torch.int64)
    axes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # of the tracer, about its own internals
        program = torch.onnx.export(
            model.eval(), (ids, mask), dynamo=True, opset_version=OPSET, input_names=INPUTS, output_names=OUTPUTS,
            dynamic_shapes=dict.fromkeys(INPUTS, axes), verbose=False,
        )  # fmt: skip
        path = Path(folder) / _MODEL
        program.save(path)
        config = model.network.config
        fused = optimizer.optimize_model(
            str(path), model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size, opt_level=0
        )
        fused.save_model_to_file(str(path))  # also names the operator set of the fused operators
        return _without_traces(onnx.load(path)).SerializeToString()


def quantise(model: bytes, sample: Sequence[Sequence[int]]) -> bytes:
    """Weights in 8-bit integers, a scale for each output channel; activations are scaled as they come.

    The scores of the heads stay in 32 bits: they are small, and the last to be rounded.

    Args:
        model: as `export` gives it.
        sample: ids of the pieces of some texts of the kind that will be read, see `_smoothed`.
    """
    graph = onnx.load_from_string(model)
    heads = _heads_node(graph.graph)
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / _MODEL, Path(folder) / "int8.onnx"
        onnx.save(_smoothed(graph, sample, without=heads), path)
        quantize_dynamic(path, out, weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=[heads])
        return out.read_bytes()


def _smoothed(model: onnx.ModelProto, sample: Sequence[Sequence[int]], without: str) -> onnx.ModelProto:
    """Divide each channel of what is multiplied with weights, and multiply its weights, by the same number, so that no channel is far larger
    than the others: all of them share one scale of 8 bits, and the few large ones of a transformer would round away the rest (SmoothQuant,
    Xiao et al. 2023). The answers in 32 bits stay the same.
    """
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    readers: defaultdict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights and node.name != without:
            readers[node.input[0]].append(node)
    for name, peaks in _peaks(model, list(readers), sample).items():
        nodes = readers[name]
        before = [numpy_helper.to_array(weights[node.input[1]]) for node in nodes]
        largest = np.max([np.abs(weight).max(axis=1) for weight in before], axis=0)
        scale = np.maximum(peaks, _LEAST) ** _SMOOTHING / np.maximum(largest, _LEAST) ** (1 - _SMOOTHING)
        graph.initializer.append(numpy_helper.from_array((1 / scale).astype(np.float32), f"{name}/scale"))
        smooth = onnx.helper.make_node("Mul", [name, f"{name}/scale"], [f"{name}/smooth"], f"{name}/smooth")
        graph.node.insert(list(graph.node).index(nodes[0]), smooth)
        for node, weight in zip(nodes, before, strict=True):
            node.input[0] = f"{name}/smooth"
            weights[node.input[1]].CopyFrom(numpy_helper.from_array((weight * scale[:, None]).astype(np.float32), node.input[1]))
    return model


def _peaks(model: onnx.ModelProto, names: Sequence[str], sample: Sequence[Sequence[int]]) -> dict[str, NDArray[np.floating]]:
    """Largest magnitude that each channel of the named values takes on the sample: name -> (channels,)."""
    told = onnx.ModelProto()
    told.CopyFrom(model)
    told.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    session = onnxruntime.InferenceSession(told.SerializeToString(), providers=["CPUExecutionProvider"])
    peaks: dict[str, NDArray[np.floating]] = {}
    for ids in sample:
        given = np.array([ids], dtype=np.int64)
        values = session.run(list(names), dict(zip(INPUTS, (given, np.ones_like(given)), strict=True)))
        for name, value in zip(names, values, strict=True):
            found = np.abs(value).reshape(-1, value.shape[-1]).max(axis=0)
            peaks[name] = np.maximum(peaks.get(name, 0), found)
    return peaks


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop the notes of the tracer: they name the folders of the machine that trained."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
        for note in {"metadata_props", "doc_string"} & {field.name for field in part.DESCRIPTOR.fields}:
            part.ClearField(note)
    return model


def _heads_node(graph: onnx.GraphProto) -> str:
    """Name of the multiplication that ends in the scores of the pieces."""
    makers = {name: node for node in graph.node for name in node.output}
    node = makers[OUTPUTS[1]]
    while node.op_type not in ("MatMul", "Gemm"):
        node = next(makers[name] for name in node.input if name in makers)
    return node.name

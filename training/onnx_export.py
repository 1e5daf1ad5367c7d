"""From a fine-tuned torch model to the ONNX file that is served: traced, its operators fused, its weights in 8 bits."""

import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer

from training.finetune import MultiHead

OPSET = 18
INPUTS = ("input_ids", "attention_mask")
OUTPUTS = ("logits", "piece_logits")
_MODEL = "model.onnx"


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
        return path.read_bytes()


def quantise(model: bytes) -> bytes:
    """Weights in 8-bit integers, a scale for each output channel; activations are scaled as they come.

    The scores of the heads stay in 32 bits: they are small, and the last to be rounded.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / _MODEL, Path(folder) / "int8.onnx"
        path.write_bytes(model)
        # Range reduced to 7 bits: processors without VNNI add pairs of products in 16 bits, which else overflow.
        heads = [_heads_node(onnx.load(path).graph)]
        quantize_dynamic(path, out, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True, nodes_to_exclude=heads)
        return out.read_bytes()


def _heads_node(graph: onnx.GraphProto) -> str:
    """Name of the multiplication that ends in the scores of the pieces."""
    makers = {name: node for node in graph.node for name in node.output}
    node = makers[OUTPUTS[1]]
    while node.op_type not in ("MatMul", "Gemm"):
        node = next(makers[name] for name in node.input if name in makers)
    return node.name

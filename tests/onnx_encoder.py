"""A real ONNX model small enough to reason about: each character votes for labels by a table."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from triage.encoder import EncoderClassifier, PieceReader

UNKNOWN = "[UNK]"


def voting_encoder(votes: Mapping[str, Sequence[float]], heads: dict[str, tuple[str, ...]], max_pieces: int = 128) -> EncoderClassifier:
    """An encoder whose pieces are characters; `votes` gives the scores (labels of all heads) of those that have any."""
    labels = sum(map(len, heads.values()))
    vocabulary = {piece: i for i, piece in enumerate([UNKNOWN, *votes])}
    table = np.array([[0.0] * labels, *votes.values()], dtype=np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["piece_logits"]),
        helper.make_node("ReduceMean", ["piece_logits", "axis"], ["logits"], keepdims=0),
        helper.make_node("Identity", ["attention_mask"], ["unused"]),
    ]
    graph = helper.make_graph(
        nodes,
        "votes",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "pieces"]) for name in ("input_ids", "attention_mask")],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", labels]),
            helper.make_tensor_value_info("piece_logits", TensorProto.FLOAT, ["texts", "pieces", labels]),
        ],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([1]), "axis")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return EncoderClassifier(model.SerializeToString(), PieceReader(tokenizer, "", max_pieces), heads, dict.fromkeys(heads, 1.0))

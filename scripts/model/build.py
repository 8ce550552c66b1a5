"""Writes the encoder as an ONNX graph whose weights are the package's 4-bit values, bit for bit.

BERT-style encoder (Vaswani et al. 2017; Devlin et al. 2018) in post-norm form:
x = LN(word + position + type); each layer: x = LN(x + A(x)), x = LN(x + W2 gelu(W1 x)), with
A = softmax(Q K^T / sqrt(d) + mask) V per head. Output: the mean of the last layer over the tokens
that are not padding (multilingual-e5's pooling, Wang et al. 2024), not normalised.
Linear layers are onnxruntime's MatMulNBits and the word table is GatherBlockQuantized (both of the
com.microsoft domain), so the file stays at 4 bits and needs no unpacking step.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from decode import BLOCK, E5S1File, QuantizedMatrix

MASKED = -1e4
"""Added to the attention score of a padding token: exp() of it is 0 in float32."""

ACCURACY_LEVEL = 1
"""MatMulNBits computes in float32 (1) rather than with activations rounded to int8 (4)."""


class EncoderGraph:
    """Collects nodes and weights; each method adds a part and returns the name of its output."""

    def __init__(self, model: E5S1File, piece_ids: list[int], accuracy_level: int = ACCURACY_LEVEL) -> None:
        self._model = model
        self._piece_ids = piece_ids
        self._accuracy_level = accuracy_level
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[TensorProto] = []

    def build(self) -> onnx.ModelProto:
        """The whole encoder: input_ids and attention_mask [batch, sequence] -> sentence_embedding."""
        self._constants()
        mask = self._node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
        bias = self._attention_bias(mask)
        hidden = self._embeddings()
        for layer in range(self._model.sizes.layers):
            hidden = self._layer(layer, hidden, bias)
        self._mean(hidden, mask)
        return self._model_proto()

    def _constants(self) -> None:
        sizes = self._model.sizes
        width = sizes.hidden // sizes.heads
        for axis in (0, 1, 2):
            self._weight(f"axis_{axis}", np.array([axis], np.int64))
        self._weight("heads_shape", np.array([0, 0, sizes.heads, width], np.int64))
        self._weight("hidden_shape", np.array([0, 0, sizes.hidden], np.int64))
        self._weight("score_scale", np.float32(1 / np.sqrt(width)))

    def _attention_bias(self, mask: str) -> str:
        self._weight("one", np.float32(1))
        self._weight("masked", np.float32(MASKED))
        self._weight("axes_1_2", np.array([1, 2], np.int64))
        keys = self._node("Unsqueeze", [mask, "axes_1_2"], "mask_keys")
        absent = self._node("Sub", ["one", keys], "mask_absent")
        return self._node("Mul", [absent, "masked"], "attention_bias")

    def _embeddings(self) -> str:
        hidden = self._model.sizes.hidden
        words = self._word_embeddings(self._model.matrix("emb.word", hidden).rows(self._piece_ids))
        positions = self._model.floats("emb.pos").reshape(-1, hidden)
        token_type = self._model.floats("emb.type").reshape(-1, hidden)[0]
        self._weight("position_table", positions + token_type)
        self._node("Shape", ["input_ids"], "length", start=1, end=2)
        place = self._node("Slice", ["position_table", "axis_0", "length", "axis_0"], "positions")
        return self._norm(self._node("Add", [words, place], "embedding_sum"), "emb.ln", "embedding")

    def _word_embeddings(self, table: QuantizedMatrix) -> str:
        signed = (table.codes.astype(np.int16) - 8).astype(np.uint8) & 15
        tensor = TensorProto(name="word_codes", data_type=TensorProto.INT4, dims=signed.shape)
        tensor.raw_data = _pack(signed).tobytes()
        self._weights.append(tensor)
        self._weight("word_scales", table.scales)
        return self._node(
            "GatherBlockQuantized",
            ["word_codes", "input_ids", "word_scales"],
            "words",
            domain="com.microsoft",
            block_size=BLOCK,
            gather_axis=0,
            quantize_axis=1,
        )

    def _layer(self, index: int, hidden: str, bias: str) -> str:
        weights, name = f"l{index}.", f"layer{index}"
        context = self._attention(weights, name, hidden, bias)
        projected = self._linear(context, weights + "ao", f"{name}_attention")
        added = self._node("Add", [projected, hidden], f"{name}_attention_sum")
        hidden = self._norm(added, weights + "aln", f"{name}_attention_norm")
        inner = self._node("Gelu", [self._linear(hidden, weights + "fi", f"{name}_inner")], f"{name}_gelu")
        outer = self._linear(inner, weights + "fo", f"{name}_outer", self._model.sizes.feed_forward)
        added = self._node("Add", [outer, hidden], f"{name}_outer_sum")
        return self._norm(added, weights + "oln", f"{name}_norm")

    def _attention(self, weights: str, name: str, hidden: str, bias: str) -> str:
        query = self._heads(hidden, weights + "q", f"{name}_query", [0, 2, 1, 3])
        key = self._heads(hidden, weights + "k", f"{name}_key", [0, 2, 3, 1])
        value = self._heads(hidden, weights + "v", f"{name}_value", [0, 2, 1, 3])
        products = self._node("MatMul", [query, key], f"{name}_products")
        scaled = self._node("Mul", [products, "score_scale"], f"{name}_scaled")
        scores = self._node("Add", [scaled, bias], f"{name}_scores")
        shares = self._node("Softmax", [scores], f"{name}_shares", axis=-1)
        context = self._node("MatMul", [shares, value], f"{name}_context")
        joined = self._node("Transpose", [context], f"{name}_joined", perm=[0, 2, 1, 3])
        return self._node("Reshape", [joined, "hidden_shape"], f"{name}_context_flat")

    def _heads(self, hidden: str, weights: str, name: str, order: list[int]) -> str:
        flat = self._linear(hidden, weights, name)
        split = self._node("Reshape", [flat, "heads_shape"], f"{name}_split")
        return self._node("Transpose", [split], f"{name}_heads", perm=order)

    def _linear(self, value: str, weights: str, name: str, columns: int | None = None) -> str:
        width = columns or self._model.sizes.hidden
        matrix = self._model.matrix(weights + ".w", width)
        rows = matrix.codes.shape[0]
        self._weight(f"{name}_codes", _pack(matrix.codes).reshape(rows, width // BLOCK, BLOCK // 2))
        self._weight(f"{name}_scales", matrix.scales.reshape(-1))
        self._weight(f"{name}_bias", self._model.floats(weights + ".b"))
        product = self._node(
            "MatMulNBits",
            [value, f"{name}_codes", f"{name}_scales"],
            f"{name}_product",
            domain="com.microsoft",
            K=width,
            N=rows,
            bits=4,
            block_size=BLOCK,
            accuracy_level=self._accuracy_level,
        )
        return self._node("Add", [product, f"{name}_bias"], name)

    def _norm(self, value: str, weights: str, name: str) -> str:
        self._weight(f"{name}_gain", self._model.floats(weights + ".w"))
        self._weight(f"{name}_shift", self._model.floats(weights + ".b"))
        inputs = [value, f"{name}_gain", f"{name}_shift"]
        return self._node("LayerNormalization", inputs, name, axis=-1, epsilon=self._model.sizes.epsilon)

    def _mean(self, hidden: str, mask: str) -> None:
        column = self._node("Unsqueeze", [mask, "axis_2"], "mask_tokens")
        kept = self._node("Mul", [hidden, column], "kept_tokens")
        total = self._node("ReduceSum", [kept, "axis_1"], "token_sum", keepdims=0)
        count = self._node("ReduceSum", [mask, "axis_1"], "token_count", keepdims=1)
        self._node("Div", [total, count], "sentence_embedding")

    def _node(
        self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: object
    ) -> str:
        self._nodes.append(
            helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes)
        )
        return output

    def _weight(self, name: str, values: NDArray | np.generic) -> None:
        self._weights.append(
            numpy_helper.from_array(np.ascontiguousarray(values).reshape(np.shape(values)), name)
        )

    def _model_proto(self) -> onnx.ModelProto:
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
            for name in ("input_ids", "attention_mask")
        ]
        shape = ["batch", self._model.sizes.hidden]
        output = helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, "zh-en-small", inputs, [output], self._weights)
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def write_encoder(
    model: E5S1File, piece_ids: list[int], path: Path, accuracy_level: int = ACCURACY_LEVEL
) -> None:
    """Writes the encoder with the word rows `piece_ids`; the bytes depend on nothing else."""
    proto = EncoderGraph(model, piece_ids, accuracy_level).build()
    path.write_bytes(proto.SerializeToString(deterministic=True))


def _pack(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two 4-bit codes a byte along the last axis, the even element in the low half."""
    return codes[..., 0::2] | (codes[..., 1::2] << 4)

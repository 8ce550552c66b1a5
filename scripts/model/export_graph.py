"""Writes a BERT-like encoder with its pooling as an ONNX graph in float32.

The families differ in few things (Devlin et al. 2018; Liu et al. 2019; Song et al. 2020; Sun et al. 2019), and all
of them are in `Encoder`: which tables are added to the word vectors, the activation, the epsilon, and MPNet's
relative bias. Every layer is post-norm: x = LN(x + A(x)), x = LN(x + W2 act(W1 x)).
Texts are padded on the right, so positions are a slice of the table from its beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MASKED = -1e4
"""Added to the attention score of a padding token: exp() of it is 0 in float32."""

OUTPUT = "sentence_embedding"
LARGEST_FILE = 2**31 - 1
"""protobuf's limit of one message."""

ACTIVATIONS = {
    "gelu": ("Gelu", {}),
    "gelu_new": ("Gelu", {"approximate": "tanh"}),
    "gelu_pytorch_tanh": ("Gelu", {"approximate": "tanh"}),
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
    "identity": ("Identity", {}),
}


@dataclass(frozen=True)
class Linear:
    """x @ weight + bias; weight is [inputs, outputs]."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True)
class Norm:
    gain: NDArray[np.float32]
    shift: NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    query: Linear
    key: Linear
    value: Linear
    output: Linear
    attention_norm: Norm
    inner: Linear
    outer: Linear
    norm: Norm


@dataclass(frozen=True)
class Dense:
    """A layer after the pooling."""

    linear: Linear
    activation: str


@dataclass(frozen=True)
class Encoder:
    words: NDArray[np.float32]
    added: NDArray[np.float32]
    """Added to the word vectors by place: positions (from the first one used), token type 0 and task 0."""
    embedding_norm: Norm
    layers: list[Layer]
    heads: int
    epsilon: float
    activation: str
    relative_bias: NDArray[np.float32] | None = None
    """[heads, places, places], added to the attention scores."""
    pooling: str = "mean"
    after_pooling: list[Dense] = field(default_factory=list)

    @property
    def dimensions(self) -> int:
        """Of the vectors that come out."""
        return self.after_pooling[-1].linear.bias.size if self.after_pooling else self.words.shape[1]

    @property
    def most_tokens(self) -> int:
        """Places that the tables have."""
        return len(self.added)


def write_graph(encoder: Encoder, name: str, path: Path) -> None:
    """Inputs input_ids and attention_mask [batch, sequence], output one vector a row, not normalised."""
    size = sum(array.nbytes for array in (encoder.words, encoder.added)) + sum(
        4 * (4 * layer.query.weight.size + 2 * layer.inner.weight.size) for layer in encoder.layers
    )
    if size > LARGEST_FILE:
        raise SystemExit(f"The weights take {size / 1e9:.1f} GB; an ONNX file holds 2.1 GB at most.")
    path.write_bytes(_Graph(encoder).build(name).SerializeToString(deterministic=True))


class _Graph:
    """Collects nodes and weights; each method adds a part and returns the name of its output."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[TensorProto] = []

    def build(self, name: str) -> onnx.ModelProto:
        self._constants()
        mask = self._node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
        self._node("Shape", ["input_ids"], "length", start=1, end=2)
        bias = self._attention_bias(mask)
        hidden = self._embeddings()
        for index, layer in enumerate(self._encoder.layers):
            hidden = self._layer(f"layer{index}", layer, hidden, bias)
        pooled = self._pooled(hidden, mask)
        for index, dense in enumerate(self._encoder.after_pooling):
            flat = self._linear(pooled, dense.linear, f"dense{index}")
            pooled = self._activation(flat, dense.activation, f"dense{index}_activation")
        self._node("Identity", [pooled], OUTPUT)
        return self._model_proto(name)

    def _constants(self) -> None:
        hidden, heads = self._encoder.words.shape[1], self._encoder.heads
        width = hidden // heads
        self._weight("heads_shape", np.array([0, 0, heads, width], np.int64))
        self._weight("hidden_shape", np.array([0, 0, hidden], np.int64))
        self._weight("score_scale", np.float32(1 / np.sqrt(width)))

    def _attention_bias(self, mask: str) -> str:
        self._weight("one", np.float32(1))
        self._weight("masked", np.float32(MASKED))
        self._weight("axes_1_2", np.array([1, 2], np.int64))
        keys = self._node("Unsqueeze", [mask, "axes_1_2"], "mask_keys")
        absent = self._node("Sub", ["one", keys], "mask_absent")
        bias = self._node("Mul", [absent, "masked"], "mask_bias")
        if self._encoder.relative_bias is None:
            return bias
        self._weight("relative_table", self._encoder.relative_bias)
        rows = self._node("Slice", ["relative_table", self._axis(0), "length", self._axis(1)], "relative_rows")
        square = self._node("Slice", [rows, self._axis(0), "length", self._axis(2)], "relative")
        return self._node("Add", [bias, square], "attention_bias")

    def _embeddings(self) -> str:
        self._weight("word_table", self._encoder.words)
        self._weight("added_table", self._encoder.added)
        words = self._node("Gather", ["word_table", "input_ids"], "words", axis=0)
        added = self._node("Slice", ["added_table", self._axis(0), "length", self._axis(0)], "added")
        total = self._node("Add", [words, added], "embedding_sum")
        return self._norm(total, self._encoder.embedding_norm, "embedding")

    def _layer(self, name: str, layer: Layer, hidden: str, bias: str) -> str:
        context = self._attention(name, layer, hidden, bias)
        projected = self._linear(context, layer.output, f"{name}_attention")
        added = self._node("Add", [projected, hidden], f"{name}_attention_sum")
        hidden = self._norm(added, layer.attention_norm, f"{name}_attention_norm")
        inner = self._linear(hidden, layer.inner, f"{name}_inner")
        active = self._activation(inner, self._encoder.activation, f"{name}_activation")
        outer = self._linear(active, layer.outer, f"{name}_outer")
        return self._norm(self._node("Add", [outer, hidden], f"{name}_sum"), layer.norm, f"{name}_norm")

    def _attention(self, name: str, layer: Layer, hidden: str, bias: str) -> str:
        query = self._heads(hidden, layer.query, f"{name}_query", [0, 2, 1, 3])
        key = self._heads(hidden, layer.key, f"{name}_key", [0, 2, 3, 1])
        value = self._heads(hidden, layer.value, f"{name}_value", [0, 2, 1, 3])
        products = self._node("MatMul", [query, key], f"{name}_products")
        scaled = self._node("Mul", [products, "score_scale"], f"{name}_scaled")
        scores = self._node("Add", [scaled, bias], f"{name}_scores")
        shares = self._node("Softmax", [scores], f"{name}_shares", axis=-1)
        context = self._node("MatMul", [shares, value], f"{name}_context")
        joined = self._node("Transpose", [context], f"{name}_joined", perm=[0, 2, 1, 3])
        return self._node("Reshape", [joined, "hidden_shape"], f"{name}_context_flat")

    def _heads(self, hidden: str, linear: Linear, name: str, order: list[int]) -> str:
        split = self._node("Reshape", [self._linear(hidden, linear, name), "heads_shape"], f"{name}_split")
        return self._node("Transpose", [split], f"{name}_heads", perm=order)

    def _linear(self, value: str, linear: Linear, name: str) -> str:
        self._weight(f"{name}_weight", linear.weight)
        self._weight(f"{name}_bias", linear.bias)
        product = self._node("MatMul", [value, f"{name}_weight"], f"{name}_product")
        return self._node("Add", [product, f"{name}_bias"], name)

    def _activation(self, value: str, activation: str, name: str) -> str:
        if activation not in ACTIVATIONS:
            raise SystemExit(f'The activation "{activation}" is not known; known: {", ".join(ACTIVATIONS)}.')
        operator, attributes = ACTIVATIONS[activation]
        return self._node(operator, [value], name, **attributes)

    def _norm(self, value: str, norm: Norm, name: str) -> str:
        self._weight(f"{name}_gain", norm.gain)
        self._weight(f"{name}_shift", norm.shift)
        inputs = [value, f"{name}_gain", f"{name}_shift"]
        return self._node("LayerNormalization", inputs, name, axis=-1, epsilon=self._encoder.epsilon)

    def _pooled(self, hidden: str, mask: str) -> str:
        if self._encoder.pooling == "cls":
            self._weight("first", np.int64(0))
            return self._node("Gather", [hidden, "first"], "first_token", axis=1)
        column = self._node("Unsqueeze", [mask, self._axis(2)], "mask_tokens")
        kept = self._node("Mul", [hidden, column], "kept_tokens")
        total = self._node("ReduceSum", [kept, self._axis(1)], "token_sum", keepdims=0)
        count = self._node("ReduceSum", [mask, self._axis(1)], "token_count", keepdims=1)
        return self._node("Div", [total, count], "token_mean")

    def _axis(self, number: int) -> str:
        name = f"axis_{number}"
        if all(weight.name != name for weight in self._weights):
            self._weight(name, np.array([number], np.int64))
        return name

    def _node(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def _weight(self, name: str, values: NDArray | np.generic) -> None:
        self._weights.append(
            numpy_helper.from_array(np.ascontiguousarray(values).reshape(np.shape(values)), name)
        )

    def _model_proto(self, name: str) -> onnx.ModelProto:
        inputs = [
            helper.make_tensor_value_info(key, TensorProto.INT64, ["batch", "sequence"])
            for key in ("input_ids", "attention_mask")
        ]
        shape = ["batch", self._encoder.dimensions]
        output = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, name, inputs, [output], self._weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)

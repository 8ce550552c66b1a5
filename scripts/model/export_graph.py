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
from onnx import TensorProto

from graph import OUTPUT, Graph

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
    path.write_bytes(_EncoderGraph(encoder).build(name).SerializeToString(deterministic=True))


class _EncoderGraph(Graph):
    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self._encoder = encoder

    def build(self, name: str) -> onnx.ModelProto:
        self._shapes(self._encoder.words.shape[1], self._encoder.heads)
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
        return self._model_proto(name, self._encoder.dimensions, {})

    def _attention_bias(self, mask: str) -> str:
        bias = self._padding_bias(mask, "mask_bias")
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
        context = self._attention(
            name, bias, lambda part: self._linear(hidden, getattr(layer, part), f"{name}_{part}")
        )
        projected = self._linear(context, layer.output, f"{name}_attention")
        added = self._node("Add", [projected, hidden], f"{name}_attention_sum")
        hidden = self._norm(added, layer.attention_norm, f"{name}_attention_norm")
        inner = self._linear(hidden, layer.inner, f"{name}_inner")
        active = self._activation(inner, self._encoder.activation, f"{name}_activation")
        outer = self._linear(active, layer.outer, f"{name}_outer")
        return self._norm(self._node("Add", [outer, hidden], f"{name}_sum"), layer.norm, f"{name}_norm")

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
        return self._layer_norm(value, norm.gain, norm.shift, self._encoder.epsilon, name)

    def _pooled(self, hidden: str, mask: str) -> str:
        if self._encoder.pooling == "cls":
            self._weight("first", np.int64(0))
            return self._node("Gather", [hidden, "first"], "first_token", axis=1)
        return self._mean(hidden, mask, "token_mean")

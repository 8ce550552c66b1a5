"""Writes the encoder as an ONNX graph whose weights are the package's 4-bit values, bit for bit.

BERT-style encoder (Vaswani et al. 2017; Devlin et al. 2018) in post-norm form:
x = LN(word + position + type); each layer: x = LN(x + A(x)), x = LN(x + W2 gelu(W1 x)), with
A = softmax(Q K^T / sqrt(d) + mask) V per head. Output: the mean of the last layer over the tokens
that are not padding (multilingual-e5's pooling, Wang et al. 2024), times the projection that
train_projection.py learned, not normalised.
Linear layers are onnxruntime's MatMulNBits and the word table is GatherBlockQuantized (both of the
com.microsoft domain), so the file stays at 4 bits and needs no unpacking step.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from decode import BLOCK, E5S1File, QuantizedMatrix
from graph import OUTPUT, Graph

ACCURACY_LEVEL = 1
"""MatMulNBits computes in float32 (1) rather than with activations rounded to int8 (4)."""


class EncoderGraph(Graph):
    def __init__(
        self,
        model: E5S1File,
        piece_ids: list[int],
        projection: NDArray[np.float32] | None,
        accuracy_level: int = ACCURACY_LEVEL,
    ) -> None:
        super().__init__()
        self._model = model
        self._piece_ids = piece_ids
        self._projection = projection
        self._accuracy_level = accuracy_level

    def build(self) -> onnx.ModelProto:
        """The whole encoder: input_ids and attention_mask [batch, sequence] -> sentence_embedding."""
        sizes = self._model.sizes
        for axis in (0, 1, 2):
            self._axis(axis)
        self._shapes(sizes.hidden, sizes.heads)
        mask = self._node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
        bias = self._padding_bias(mask, "attention_bias")
        hidden = self._embeddings()
        for layer in range(sizes.layers):
            hidden = self._layer(layer, hidden, bias)
        if self._projection is None:
            self._mean(hidden, mask, OUTPUT)
        else:
            self._weight("projection", self._projection)
            self._node("MatMul", [self._mean(hidden, mask, "token_mean"), "projection"], OUTPUT)
        return self._model_proto("zh-en-small", sizes.hidden, {"com.microsoft": 1})

    def _embeddings(self) -> str:
        hidden = self._model.sizes.hidden
        words = self._word_embeddings(self._model.matrix("emb.word", hidden).rows(self._piece_ids))
        positions = self._model.floats("emb.pos").reshape(-1, hidden)
        token_type = self._model.floats("emb.type").reshape(-1, hidden)[0]
        self._weight("position_table", positions + token_type)
        self._node("Shape", ["input_ids"], "length", start=1, end=2)
        place = self._node("Slice", ["position_table", self._axis(0), "length", self._axis(0)], "positions")
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
        letters = {"query": "q", "key": "k", "value": "v"}
        context = self._attention(
            name, bias, lambda part: self._linear(hidden, weights + letters[part], f"{name}_{part}")
        )
        projected = self._linear(context, weights + "ao", f"{name}_attention")
        added = self._node("Add", [projected, hidden], f"{name}_attention_sum")
        hidden = self._norm(added, weights + "aln", f"{name}_attention_norm")
        inner = self._node("Gelu", [self._linear(hidden, weights + "fi", f"{name}_inner")], f"{name}_gelu")
        outer = self._linear(inner, weights + "fo", f"{name}_outer", self._model.sizes.feed_forward)
        added = self._node("Add", [outer, hidden], f"{name}_outer_sum")
        return self._norm(added, weights + "oln", f"{name}_norm")

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
        gain, shift = self._model.floats(weights + ".w"), self._model.floats(weights + ".b")
        return self._layer_norm(value, gain, shift, self._model.sizes.epsilon, name)

    def _node(
        self, operator: str, inputs: list[str], output: str, domain: str | None = "", **attributes: object
    ) -> str:
        # ONNX's own domain is written out, an empty text: so it stands in the file that ships.
        return super()._node(operator, inputs, output, domain, **attributes)


def write_encoder(
    model: E5S1File,
    piece_ids: list[int],
    projection: NDArray[np.float32] | None,
    path: Path,
    accuracy_level: int = ACCURACY_LEVEL,
) -> None:
    """Writes the encoder with the word rows `piece_ids` and the projection [hidden, hidden], or without one; the
    bytes depend on nothing else."""
    proto = EncoderGraph(model, piece_ids, projection, accuracy_level).build()
    path.write_bytes(proto.SerializeToString(deterministic=True))


def _pack(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two 4-bit codes a byte along the last axis, the even element in the low half."""
    return codes[..., 0::2] | (codes[..., 1::2] << 4)

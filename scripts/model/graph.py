"""What the ONNX graphs of build.py and export_graph.py have in common: attention, norms, the mean, and the model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MASKED = -1e4
"""Added to the attention score of a padding token: exp() of it is 0 in float32."""

OUTPUT = "sentence_embedding"


class Graph:
    """Collects nodes and weights; each method adds a part and returns the name of its output.

    The order of the calls is the order in the file, and its bytes are the encoder's identity.
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[TensorProto] = []

    def _shapes(self, hidden: int, heads: int) -> None:
        """The constants that `_attention` needs."""
        width = hidden // heads
        self._weight("heads_shape", np.array([0, 0, heads, width], np.int64))
        self._weight("hidden_shape", np.array([0, 0, hidden], np.int64))
        self._weight("score_scale", np.float32(1 / np.sqrt(width)))

    def _padding_bias(self, mask: str, name: str) -> str:
        """What is added to attention scores, so that padding gets none of the attention."""
        self._weight("one", np.float32(1))
        self._weight("masked", np.float32(MASKED))
        self._weight("axes_1_2", np.array([1, 2], np.int64))
        keys = self._node("Unsqueeze", [mask, "axes_1_2"], "mask_keys")
        absent = self._node("Sub", ["one", keys], "mask_absent")
        return self._node("Mul", [absent, "masked"], name)

    def _attention(self, name: str, bias: str, project: Callable[[str], str]) -> str:
        """`project` adds the linear layer of "query", "key" or "value" as `name`_query and so on."""
        query = self._heads(project("query"), f"{name}_query", [0, 2, 1, 3])
        key = self._heads(project("key"), f"{name}_key", [0, 2, 3, 1])
        value = self._heads(project("value"), f"{name}_value", [0, 2, 1, 3])
        products = self._node("MatMul", [query, key], f"{name}_products")
        scaled = self._node("Mul", [products, "score_scale"], f"{name}_scaled")
        scores = self._node("Add", [scaled, bias], f"{name}_scores")
        shares = self._node("Softmax", [scores], f"{name}_shares", axis=-1)
        context = self._node("MatMul", [shares, value], f"{name}_context")
        joined = self._node("Transpose", [context], f"{name}_joined", perm=[0, 2, 1, 3])
        return self._node("Reshape", [joined, "hidden_shape"], f"{name}_context_flat")

    def _heads(self, flat: str, name: str, order: list[int]) -> str:
        split = self._node("Reshape", [flat, "heads_shape"], f"{name}_split")
        return self._node("Transpose", [split], f"{name}_heads", perm=order)

    def _layer_norm(self, value: str, gain: NDArray, shift: NDArray, epsilon: float, name: str) -> str:
        self._weight(f"{name}_gain", gain)
        self._weight(f"{name}_shift", shift)
        inputs = [value, f"{name}_gain", f"{name}_shift"]
        return self._node("LayerNormalization", inputs, name, axis=-1, epsilon=epsilon)

    def _mean(self, hidden: str, mask: str, name: str) -> str:
        """Over the tokens that are not padding."""
        column = self._node("Unsqueeze", [mask, self._axis(2)], "mask_tokens")
        kept = self._node("Mul", [hidden, column], "kept_tokens")
        total = self._node("ReduceSum", [kept, self._axis(1)], "token_sum", keepdims=0)
        count = self._node("ReduceSum", [mask, self._axis(1)], "token_count", keepdims=1)
        return self._node("Div", [total, count], name)

    def _axis(self, number: int) -> str:
        name = f"axis_{number}"
        if all(weight.name != name for weight in self._weights):
            self._weight(name, np.array([number], np.int64))
        return name

    def _node(
        self, operator: str, inputs: list[str], output: str, domain: str | None = None, **attributes: object
    ) -> str:
        self._nodes.append(
            helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes)
        )
        return output

    def _weight(self, name: str, values: NDArray | np.generic) -> None:
        self._weights.append(
            numpy_helper.from_array(np.ascontiguousarray(values).reshape(np.shape(values)), name)
        )

    def _model_proto(self, name: str, dimensions: int, domains: dict[str, int]) -> onnx.ModelProto:
        """Inputs input_ids and attention_mask [batch, sequence]; `domains` are those besides ONNX's own."""
        inputs = [
            helper.make_tensor_value_info(key, TensorProto.INT64, ["batch", "sequence"])
            for key in ("input_ids", "attention_mask")
        ]
        output = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", dimensions])
        graph = helper.make_graph(self._nodes, name, inputs, [output], self._weights)
        opsets = [helper.make_opsetid(domain, version) for domain, version in {"": 21, **domains}.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

"""A Python encoder that the benchmark measures: sentence-transformers under torch, or onnxruntime by itself.

Arguments: which peer, folder of the model, file of the texts, number of threads. Reads a request a line, answers a
line of JSON; encode-contestant.ts says what the requests are. Both get texts of like length together, 32 at a time.
"""

import json
import os
import sys
import time

NAME, MODEL, TEXTS, THREADS = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
BATCH = 32
os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(THREADS)

import numpy as np  # noqa: E402  (the threads must be set before)


class SentenceTransformers:
    def __init__(self):
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(THREADS)
        self._model = SentenceTransformer(MODEL, device="cpu")

    def encode(self, texts):
        # It sorts by length itself.
        return self._model.encode(texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)


class OnnxRuntime:
    """The graph that torch exports, as hubs offer it, with all of onnxruntime's own optimisations."""

    def __init__(self):
        import onnxruntime
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(os.path.join(MODEL, "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(256)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.log_severity_level = 3
        path = os.path.join(MODEL, "onnx", "model.onnx")
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def encode(self, texts):
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        vectors = np.empty((len(rows), 384), np.float32)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            vectors[chosen] = self._run([rows[index] for index in chosen])
        return vectors

    def _run(self, rows):
        width = max(map(len, rows))
        ids = np.zeros((len(rows), width), np.int64)
        mask = np.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, feeds)[0]
        column = mask[:, :, None].astype(np.float32)
        pooled = (hidden * column).sum(1) / column.sum(1)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


class MatrixMultiply:
    """No encoder: how fast this machine multiplies matrices of the encoder's shapes, in flop/s."""

    SHAPES = ((384, 384), (384, 1536), (1536, 384))
    ROWS = 1024

    def __init__(self):
        self._pairs = [(self._session(k, n), np.ones((self.ROWS, k), np.float32), 2 * self.ROWS * k * n)
                       for k, n in self.SHAPES]

    @staticmethod
    def _session(k, n):
        """onnxruntime's product with a constant matrix, which is faster here than torch's."""
        import onnxruntime
        from onnx import TensorProto, helper, numpy_helper

        weight = np.random.default_rng(7).standard_normal((k, n)).astype(np.float32)
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            "product",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", k])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", n])],
            [numpy_helper.from_array(weight, "w")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def rate(self, seconds):
        best = 0.0
        for session, rows, flop in self._pairs:
            end = time.perf_counter() + seconds / len(self._pairs)
            while time.perf_counter() < end:
                begun = time.perf_counter()
                for _ in range(5):
                    session.run(None, {"x": rows})
                best = max(best, 5 * flop / (time.perf_counter() - begun))
        return best


def answer(peer, texts, request):
    begun, cpu = time.perf_counter(), time.process_time()
    if request == "titles":
        peer.encode(texts["titles"])
        return {"seconds": time.perf_counter() - begun, "cpuSeconds": time.process_time() - cpu}
    if request == "queries":
        times = []
        for query in texts["queries"]:
            begun = time.perf_counter()
            peer.encode([query])
            times.append(1000 * (time.perf_counter() - begun))
        return {"milliseconds": times}
    if request == "vectors":
        return {"vectors": np.asarray(peer.encode(texts["sample"])).tolist()}
    if request == "limit":
        return {"flops": peer.rate(1.5)}
    raise ValueError(request)


def main():
    kinds = {"sentence-transformers": SentenceTransformers, "onnxruntime": OnnxRuntime, "matmul": MatrixMultiply}
    peer = kinds[NAME]()
    with open(TEXTS, encoding="utf-8") as file:
        texts = json.load(file)
    # Libraries print; only answers may reach the benchmark.
    answers, sys.stdout = sys.stdout, sys.stderr
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(peer, texts, line.strip())), file=answers, flush=True)


main()

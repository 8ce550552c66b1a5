"""The reference encoder: a bundle's files under Python's onnxruntime and tokenizers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from bundle import FILES, MAX_TOKENS, ZH_EN_SMALL, Spec
from tokenizer_files import ReferenceTokenizer


class ReferenceEncoder:
    """Encodes texts the way the product does: prefix, tokens, encoder, unit length where the bundle wants it."""

    def __init__(self, folder: Path, threads: int = 1, spec: Spec = ZH_EN_SMALL) -> None:
        self._spec = spec
        self._tokenizer = reference_tokenizer(folder, spec.max_tokens)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(folder / FILES["encoder"]), options, providers=["CPUExecutionProvider"]
        )

    def ids(self, text: str, kind: str = "document") -> list[int]:
        """Ids of the text with the prefix of its kind, "query" or "document"."""
        prefix = self._spec.query_prefix if kind == "query" else self._spec.document_prefix
        return self._tokenizer.ids(prefix + text)

    def encode(self, texts: list[str], batch: int = 32, kind: str = "document") -> NDArray[np.float32]:
        """Vectors [texts, dimensions], in input order; batches are formed by length."""
        ids = [self.ids(text, kind) for text in texts]
        order = sorted(range(len(texts)), key=lambda index: len(ids[index]))
        vectors: NDArray[np.float32] | None = None
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            rows = self._run([ids[index] for index in chosen])
            if vectors is None:
                vectors = np.zeros((len(texts), rows.shape[1]), np.float32)
            vectors[chosen] = rows / np.linalg.norm(rows, axis=1, keepdims=True) if self._spec.normalize else rows
        if vectors is None:
            raise ValueError("There is no text to encode.")
        return vectors

    def _run(self, rows: list[list[int]]) -> NDArray[np.float32]:
        width = max(map(len, rows))
        ids = np.full((len(rows), width), self._spec.pad_id, np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        return self._session.run(["sentence_embedding"], {"input_ids": ids, "attention_mask": mask})[0]


def reference_tokenizer(folder: Path, max_tokens: int = MAX_TOKENS) -> ReferenceTokenizer:
    """The tokenizer of the bundle in `folder`."""
    return ReferenceTokenizer(folder / FILES["tokenizer"], folder / FILES["char_map"], max_tokens)

"""The reference encoder: a bundle's files under Python's onnxruntime and tokenizers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from bundle import FILES, MAX_TOKENS, PREFIX
from tokenizer_files import ReferenceTokenizer

PAD_ID = 1


class ReferenceEncoder:
    """Encodes texts the way the product does: prefix, tokens, mean, unit length."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._tokenizer = reference_tokenizer(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(folder / FILES["encoder"]), options, providers=["CPUExecutionProvider"]
        )

    def ids(self, text: str) -> list[int]:
        """Ids of the text with its prefix."""
        return self._tokenizer.ids(PREFIX + text)

    def encode(self, texts: list[str], batch: int = 32) -> NDArray[np.float32]:
        """Unit vectors [texts, 384], in input order; batches are formed by length."""
        ids = [self.ids(text) for text in texts]
        order = sorted(range(len(texts)), key=lambda index: len(ids[index]))
        vectors: NDArray[np.float32] | None = None
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            rows = self._run([ids[index] for index in chosen])
            if vectors is None:
                vectors = np.zeros((len(texts), rows.shape[1]), np.float32)
            vectors[chosen] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        if vectors is None:
            raise ValueError("There is no text to encode.")
        return vectors

    def _run(self, rows: list[list[int]]) -> NDArray[np.float32]:
        width = max(map(len, rows))
        ids = np.full((len(rows), width), PAD_ID, np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        return self._session.run(["sentence_embedding"], {"input_ids": ids, "attention_mask": mask})[0]


def reference_tokenizer(folder: Path) -> ReferenceTokenizer:
    """The tokenizer of the bundle in `folder`."""
    return ReferenceTokenizer(folder / FILES["tokenizer"], folder / FILES["char_map"], MAX_TOKENS)

"""Compares a written bundle with the framework that it comes from, and writes its golden examples."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle import FILES, Head, Spec, seven_digits, write_json
from export_texts import GOLDEN_PAIRS, GOLDEN_TEXTS, PAIRS, TEXTS
from reference import ReferenceEncoder

TOLERANCE = 1e-5
Logits = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Parity:
    """Greatest differences between the framework and the bundle."""

    texts: int
    equal_ids: int
    other_ids: list[str]
    vectors: float
    pairs: int
    logits: float | None

    def holds(self, tolerance: float) -> bool:
        logits = self.logits if self.logits is not None else 0.0
        return self.equal_ids == self.texts and self.vectors <= tolerance and logits <= tolerance

    def __str__(self) -> str:
        logits = "no head to compare" if self.logits is None else f"logits {self.logits:.1e}, {self.pairs} pairs"
        return f"ids {self.equal_ids} of {self.texts}, vectors {self.vectors:.1e}, {logits}"


def compare(model: Any, folder: Path, spec: Spec, logits: Logits | None) -> tuple[Parity, dict[str, Any]]:
    """The parity, and the framework's own results for a comparison elsewhere."""
    ours = ReferenceEncoder(folder, spec=spec)
    texts = [spec.document_prefix + text for text in TEXTS]
    their_ids = model.ids(texts, spec.max_tokens)
    their_vectors = model.vectors(texts, spec.max_tokens)
    our_vectors = ours.encode(TEXTS, batch=8)
    other = [text[:40] for text, ids in zip(TEXTS, their_ids) if ours.ids(text) != ids]
    left, right = ([TEXTS.index(pair[side]) for pair in PAIRS] for side in (0, 1))
    parity = Parity(
        texts=len(TEXTS),
        equal_ids=len(TEXTS) - len(other),
        other_ids=other,
        vectors=float(np.abs(our_vectors - their_vectors).max()),
        pairs=len(PAIRS),
        logits=None,
    )
    results: dict[str, Any] = {
        "texts": [
            {"text": text, "ids": ids, "vector": seven_digits(vector)}
            for text, ids, vector in zip(TEXTS, their_ids, their_vectors)
        ]
    }
    if logits is not None:
        theirs = logits(their_vectors[left], their_vectors[right])
        weight, bias = _head(folder)
        u, v = our_vectors[left].astype(np.float64), our_vectors[right].astype(np.float64)
        mine = np.concatenate([u, v, np.abs(u - v)], axis=1) @ weight.T + bias
        parity = Parity(**{**parity.__dict__, "logits": float(np.abs(mine - theirs).max())})
        results["pairs"] = [
            {"left": a, "right": b, "log_odds": float(row[1] - row[0])} for a, b, row in zip(left, right, theirs)
        ]
    return parity, results


def write_golden_examples(folder: Path, spec: Spec) -> None:
    """golden.json: each text alone, so that no batch can have touched its vector."""
    encoder = ReferenceEncoder(folder, spec=spec)
    weight, bias = _head(folder)

    def vector(text: str, kind: str) -> NDArray[np.float32]:
        return encoder.encode([text], kind=kind)[0]

    def probability(query: str, passage: str) -> float:
        u, v = (one.astype(np.float64) for one in (vector(query, "query"), vector(passage, "document")))
        zero, one = weight @ np.concatenate([u, v, np.abs(u - v)]) + bias
        return float(1 / (1 + np.exp(zero - one)))

    texts = [
        {
            "text": text,
            "kind": kind,
            "ids": encoder.ids(text, kind),
            "vector": seven_digits(vector(text, kind)),
        }
        for text, kind in ((text, ("query", "document")[index % 2]) for index, text in enumerate(GOLDEN_TEXTS))
    ]
    pairs = [
        {"query": query, "passage": passage, "probability": round(probability(query, passage), 6)}
        for query, passage in GOLDEN_PAIRS
    ]
    write_json(folder / FILES["golden"], {"texts": texts, "pairs": pairs})


def _head(folder: Path) -> Head:
    data = json.loads((folder / FILES["head"]).read_text("utf-8"))
    return np.array(data["weight"]), np.array(data["bias"])

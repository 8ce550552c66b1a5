"""Writes golden.json: what the bundle must give on any machine, checked each time it is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bundle import FILES, read_head, seven_digits, write_json
from reference import ReferenceEncoder

TEXTS = [
    ("query", "how to renew a passport"),
    ("document", "Renewing a passport online or by post"),
    ("query", "怎么办理护照换发"),
    ("document", "护照到期后如何换新护照，需要哪些材料？"),
    ("document", "iPhone 15 手机壳 全包防摔 (black, 2件装)"),
    ("document", "Great trip 😀👍 to 東京 — カフェ・ﾗｰﾒﾝ ½ price!"),
    ("document", ""),
    (
        "document",
        "The ferry leaves the old harbour at nine and calls at four small islands before it returns.",
    ),
]

PAIRS = [
    ("how to renew a passport", "Renewing a passport online or by post"),
    ("怎么办理护照换发", "护照到期后如何换新护照，需要哪些材料？"),
    ("how to renew a passport", "Great trip 😀👍 to 東京 — カフェ・ﾗｰﾒﾝ ½ price!"),
    ("怎么办理护照换发", "iPhone 15 手机壳 全包防摔 (black, 2件装)"),
]


def probability(weights: NDArray[np.float64], bias: float, query: NDArray, passage: NDArray) -> float:
    """sigmoid(weights . [u; v; |u-v|] + bias)."""
    joined = np.concatenate([query, passage, np.abs(query - passage)]).astype(np.float64)
    return float(1 / (1 + np.exp(-(weights @ joined + bias))))


def write_golden(folder: Path) -> None:
    """Encodes each text alone, so that no batch can have touched its vector."""
    encoder = ReferenceEncoder(folder)
    weights, bias = read_head(folder)

    def vector(text: str) -> NDArray[np.float32]:
        return encoder.encode([text])[0]

    texts = [
        {"text": text, "kind": kind, "ids": encoder.ids(text), "vector": seven_digits(vector(text))}
        for kind, text in TEXTS
    ]
    pairs = [
        {
            "query": query,
            "passage": passage,
            "probability": round(probability(weights, bias, vector(query), vector(passage)), 6),
        }
        for query, passage in PAIRS
    ]
    write_json(folder / FILES["golden"], {"texts": texts, "pairs": pairs})

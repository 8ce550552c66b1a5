"""Brings a fast tokenizer of Hugging Face into the two files that the product reads.

Normalisers work character by character, save for composition and runs of spaces, and so does BERT's splitting at
punctuation. So all of it goes into char-map.json, computed with the tokenizer itself over every code point, and
tokenizer.json keeps the model alone. The product then gives equal ids without a second implementation of each
normaliser; a special token that is written out in a text ("[SEP]") counts as the characters it is made of.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from bundle import FILES, write_json
from tokenizer_files import METASPACE

SURROGATES = range(0xD800, 0xE000)
LONG_RUN = 64
COMPOSING = {"Precompiled", "NFC", "NFKC"}
PER_CHARACTER = {"BertNormalizer", "Lowercase", "StripAccents", "NFD", "NFKD", *COMPOSING}
SPACES = (" {2,}", " +", r"\s+", r"\s{2,}")


@dataclass(frozen=True)
class Normalizer:
    """The parts of a normaliser, told apart."""

    parts: list[dict[str, Any]]
    collapse: bool
    trim: bool

    @property
    def composes(self) -> bool:
        return any(part["type"] in COMPOSING for part in self.parts)


Rewrite = Callable[[str], str]
"""What a character becomes before the text is split at spaces."""


def write_tokenizer_files(
    backend: Tokenizer, folder: Path, rewrite: Rewrite | None = None, trim: bool = False
) -> None:
    """Writes tokenizer.json and, where characters are rewritten at all, char-map.json.

    With `rewrite`, the backend is a WordPiece model that splits at spaces alone. With `trim`, spaces at both ends
    of a text do not count.
    """
    data = json.loads(backend.to_str())
    splits = _pre_tokenizer_kinds(data)
    normalizer = _normalizer(data["normalizer"])
    kind = data["model"]["type"]
    if rewrite is not None:
        write_json(folder / FILES["char_map"], {**_entries(rewrite), "collapse_spaces": True})
        pre_tokenizer: dict[str, Any] = {"type": "WhitespaceSplit"}
    elif kind == "WordPiece" and splits == ["BertPreTokenizer"]:
        char_map = _char_map(data, normalizer, backend)
        write_json(folder / FILES["char_map"], {**char_map, "collapse_spaces": True})
        pre_tokenizer = {"type": "WhitespaceSplit"}
    elif kind == "Unigram" and splits in (["Metaspace"], ["WhitespaceSplit", "Metaspace"]):
        by_words = splits[0] == "WhitespaceSplit"
        options: dict[str, Any] = {
            **_char_map(data, normalizer, None),
            "collapse_spaces": normalizer.collapse or by_words,
            "trim": trim or normalizer.trim or by_words,
            "compose": normalizer.composes,
        }
        write_json(folder / FILES["char_map"], options)
        pre_tokenizer = METASPACE
    elif kind == "BPE" and splits == ["ByteLevel"] and not normalizer.parts:
        pre_tokenizer = data["pre_tokenizer"]
        if trim:
            write_json(folder / FILES["char_map"], {"map": {}, "collapse_spaces": False, "trim": True})
    else:
        raise SystemExit(
            f"The tokenizer ({kind}, split by {' and '.join(splits) or 'nothing'}) is none that can be exported: "
            "WordPiece of BERT, Unigram with Metaspace, and BPE of RoBERTa can."
        )
    write_json(folder / FILES["tokenizer"], _plain(data, pre_tokenizer, backend))


def _plain(data: dict[str, Any], pre_tokenizer: dict[str, Any], backend: Tokenizer) -> dict[str, Any]:
    """The file with the model alone: nothing is cut, padded or normalised by it."""
    model = data["model"]
    if model["type"] == "BPE":
        model = {**model, "dropout": None}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {**token, "lstrip": False, "rstrip": False, "normalized": False}
            for token in data["added_tokens"]
        ],
        "normalizer": None,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": _template(backend),
        "decoder": data.get("decoder"),
        "model": model,
    }


def _template(backend: Tokenizer) -> dict[str, Any]:
    ends = backend.encode("").ids
    if len(ends) != 2:
        raise SystemExit(f"The tokenizer puts {len(ends)} tokens around a text; one before and one after fit.")
    tokens = [backend.id_to_token(index) for index in ends]
    sequence = {"Sequence": {"id": "A", "type_id": 0}}
    start, end = ({"SpecialToken": {"id": token, "type_id": 0}} for token in tokens)
    return {
        "type": "TemplateProcessing",
        "single": [start, sequence, end],
        "pair": [start, sequence, end, {"Sequence": {"id": "B", "type_id": 0}}, end],
        "special_tokens": {
            token: {"id": token, "ids": [index], "tokens": [token]} for token, index in zip(tokens, ends)
        },
    }


def _pre_tokenizer_kinds(data: dict[str, Any]) -> list[str]:
    splitter = data["pre_tokenizer"]
    if splitter is None:
        return []
    return [part["type"] for part in splitter.get("pretokenizers", [splitter])]


def _normalizer(data: dict[str, Any] | None) -> Normalizer:
    parts: list[dict[str, Any]] = []
    collapse = trim = False
    for part in _flat(data):
        if part["type"] in PER_CHARACTER:
            parts.append(part)
        elif part["type"] == "Replace" and part["pattern"].get("Regex") in SPACES and part["content"] in " \u2581":
            collapse = True
        elif part["type"] == "Strip" and part["strip_right"]:
            # Where runs of spaces become one, a space in front is the word start that is put there anyhow.
            trim = True
        else:
            raise SystemExit(f"The normaliser {json.dumps(part)[:120]} is none that can be exported.")
    return Normalizer(parts, collapse, trim)


def _flat(data: dict[str, Any] | None) -> list[dict[str, Any]]:
    if data is None:
        return []
    if data["type"] == "Sequence":
        return [part for inner in data["normalizers"] for part in _flat(inner)]
    return [data]


def _char_map(data: dict[str, Any], normalizer: Normalizer, splitter: Tokenizer | None) -> dict[str, Any]:
    """What each code point becomes; with a `splitter`, characters that it makes words of get spaces around."""
    reduced = Tokenizer.from_str(
        json.dumps(
            {
                "version": "1.0",
                "truncation": None,
                "padding": None,
                "added_tokens": [],
                "normalizer": {"type": "Sequence", "normalizers": normalizer.parts},
                "pre_tokenizer": None,
                "post_processor": None,
                "decoder": None,
                "model": {"type": "WordLevel", "vocab": {"x": 0}, "unk_token": "x"},
            }
        )
    ).normalizer
    spaced = splitter is not None or "WhitespaceSplit" in _pre_tokenizer_kinds(data)

    def rewrite(character: str) -> str:
        normal = reduced.normalize_str(character) if normalizer.parts else character
        if spaced:
            normal = "".join(" " if one.isspace() else one for one in normal)
        if splitter is not None:
            normal = "".join(f" {one} " if _is_word(splitter, one) else one for one in normal)
        return normal

    return _entries(rewrite)


def _entries(rewrite: Rewrite) -> dict[str, Any]:
    """`map` for single code points, `ranges` for long runs with the same replacement: the unassigned, mostly."""
    codes = (code for code in range(sys.maxunicode + 1) if code not in SURROGATES)
    runs: list[list[Any]] = []
    for code, text in ((code, rewrite(chr(code))) for code in codes):
        if text == chr(code):
            continue
        if runs and runs[-1][1] == code - 1 and runs[-1][2] == text:
            runs[-1][1] = code
        else:
            runs.append([code, code, text])
    long = [run for run in runs if run[1] - run[0] >= LONG_RUN]
    short = [run for run in runs if run[1] - run[0] < LONG_RUN]
    return {
        "map": {str(code): text for first, last, text in short for code in range(first, last + 1)},
        "ranges": long,
    }


def _is_word(splitter: Tokenizer, character: str) -> bool:
    # Only punctuation and symbols can be; asking for each of 1.1 million characters would take long.
    if unicodedata.category(character)[0] in "LMNZC":
        return False
    return len(splitter.pre_tokenizer.pre_tokenize_str(f"x{character}x")) == 3

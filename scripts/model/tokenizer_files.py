"""Writes tokenizer.json and char-map.json, and tokenises the reference way for golden data.

SentencePiece's nmt_nfkc normaliser is reduced to a map of single characters (char-map.json) and the
collapsing of runs of spaces; sequences that NFKC would compose are left alone, as in the source
package. After that it is Unigram (Kudo 2018) on words that start with U+2581.
"""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

from tokenizers import Tokenizer

from bundle import write_json
from decode import Vocabulary
from prune import WORD_START

METASPACE = {"type": "Metaspace", "replacement": WORD_START, "prepend_scheme": "always", "split": True}
"""Words start with U+2581."""


def write_tokenizer(vocabulary: Vocabulary, path: Path) -> None:
    """tokenizer.json in the Hugging Face format, without normaliser, padding or truncation."""
    specials = {
        vocabulary.bos: "<s>",
        vocabulary.pad: "<pad>",
        vocabulary.eos: "</s>",
        vocabulary.unk: "<unk>",
    }
    data = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added_token(index, text) for index, text in sorted(specials.items())],
        "normalizer": None,
        "pre_tokenizer": METASPACE,
        "post_processor": _template(vocabulary),
        "decoder": METASPACE,
        "model": {
            "type": "Unigram",
            "unk_id": vocabulary.unk,
            "vocab": [list(entry) for entry in zip(vocabulary.pieces, vocabulary.scores)],
            "byte_fallback": False,
        },
    }
    write_json(path, data)


def write_char_map(vocabulary: Vocabulary, path: Path) -> None:
    """char-map.json: code point (decimal) -> replacement, applied before runs of spaces become one."""
    entries = {str(code): text for code, text in sorted(vocabulary.char_map.items())}
    write_json(path, {"map": entries, "collapse_spaces": True})


class ReferenceTokenizer:
    """The tokenizer files of a bundle under the Rust `tokenizers` library."""

    def __init__(self, tokenizer: Path, char_map: Path, max_tokens: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        options = json.loads(char_map.read_text("utf-8")) if char_map.exists() else {"map": {}}
        self._char_map = {int(code): text for code, text in options["map"].items()}
        for first, last, text in options.get("ranges", []):
            self._char_map.update(dict.fromkeys(range(first, last + 1), text))
        self._collapse = options.get("collapse_spaces", False)
        self._trim = options.get("trim", False)
        self._compose = options.get("compose", False)
        self._max_tokens = max_tokens

    def ids(self, text: str) -> list[int]:
        """<s>, at most `max_tokens` - 2 ids of the whole text, </s>."""
        first, *inner, last = self._tokenizer.encode(self._normal(text)).ids
        return [first, *inner[: self._max_tokens - 2], last]

    def _normal(self, text: str) -> str:
        if self._compose:
            text = unicodedata.normalize("NFC", text)
        text = text.translate(self._char_map)
        if self._collapse:
            text = re.sub(" +", " ", text)
        return text.strip() if self._trim else text


def _added_token(index: int, text: str) -> dict[str, object]:
    return {
        "id": index,
        "content": text,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _template(vocabulary: Vocabulary) -> dict[str, object]:
    start = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    return {
        "type": "TemplateProcessing",
        "single": [start, {"Sequence": {"id": "A", "type_id": 0}}, end],
        "pair": [
            start,
            {"Sequence": {"id": "A", "type_id": 0}},
            end,
            end,
            {"Sequence": {"id": "B", "type_id": 0}},
            end,
        ],
        "special_tokens": {
            "<s>": {"id": "<s>", "ids": [vocabulary.bos], "tokens": ["<s>"]},
            "</s>": {"id": "</s>", "ids": [vocabulary.eos], "tokens": ["</s>"]},
        },
    }

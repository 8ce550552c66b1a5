"""Chooses the pieces of the multilingual vocabulary that Chinese, Japanese kana and English need.

The embedding table is four fifths of the encoder, and most of its rows serve other scripts.
Dropping them changes no vector of a text whose best segmentation uses only kept pieces.
Rule "C+kana": every piece with a Han character or kana; every piece without letters (digits,
punctuation, symbols, emoji); every single Latin letter; longer ASCII words only where the package's
English-Portuguese vocabulary has them too. Other scripts fall to the unknown piece.
"""

from __future__ import annotations

import unicodedata

from decode import Vocabulary

WORD_START = "\u2581"
SPECIAL_PIECES = 4
_HAN = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2FFFF),
    (0x3005, 0x3005),
    (0x3007, 0x3007),
)
_KANA = ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F))


def character_class(character: str) -> str:
    """One of word-start, cjk, ascii-letter, ascii-other, latin, symbol, foreign, other."""
    code = ord(character)
    if character == WORD_START:
        return "word-start"
    if any(low <= code <= high for low, high in (*_HAN, *_KANA)):
        return "cjk"
    if code < 128:
        return "ascii-letter" if character.isalpha() else "ascii-other"
    category = unicodedata.category(character)
    name = unicodedata.name(character, "")
    if category[0] in "LM":
        return "latin" if "LATIN" in name else "foreign"
    if category[0] in "PS":
        return "symbol"
    if category[0] == "N":
        return "symbol" if category != "Nd" or "FULLWIDTH" in name else "foreign"
    return "other"


def is_kept(piece: str, english: set[str]) -> bool:
    """Rule C+kana for one piece; `english` is the vocabulary that decides about ASCII words."""
    classes = {character_class(character) for character in piece}
    if classes & {"foreign", "other"}:
        return False
    if "cjk" in classes or not classes & {"ascii-letter", "latin"}:
        return True
    if len(piece.strip(WORD_START)) <= 1:
        return True
    return "latin" not in classes and piece in english


def kept_ids(full: Vocabulary, english: Vocabulary) -> list[int]:
    """Ids of the pieces to keep, ascending; the four special pieces and <mask> (the last) stay."""
    words = set(english.pieces)
    last = len(full.pieces) - 1
    return [
        index
        for index, piece in enumerate(full.pieces)
        if index < SPECIAL_PIECES or index == last or is_kept(piece, words)
    ]


def pruned(full: Vocabulary, ids: list[int]) -> Vocabulary:
    """The vocabulary with only `ids`, renumbered in order; the special pieces keep their ids."""
    return Vocabulary(
        pieces=[full.pieces[index] for index in ids],
        scores=[full.scores[index] for index in ids],
        bos=full.bos,
        eos=full.eos,
        pad=full.pad,
        unk=full.unk,
        char_map=full.char_map,
    )

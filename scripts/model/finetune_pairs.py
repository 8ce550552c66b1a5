"""Labelled pairs for finetune.py: read by the rules of `twinrank head train`, checked, and split without a common text."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

COLUMNS = ("text_a", "text_b", "label")
FEWEST_OF_A_LABEL = 50
"""As in `twinrank head train`."""
ENOUGH_OF_A_LABEL = 1_000
FEWEST_OF_A_PART = 5

CELL = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n|\Z)')
LABEL = re.compile(r"[01](\.0+)?\Z")


@dataclass(frozen=True)
class Pair:
    line: int
    text_a: str
    text_b: str
    label: int


@dataclass(frozen=True)
class Split:
    """Pairs of three parts; no text stands in two of them."""

    train: list[Pair]
    validation: list[Pair]
    test: list[Pair]
    left_out: int
    """Pairs with texts of two parts, which none of them can have."""


Cells = tuple[int, list[str]]


def read_pairs(path: Path) -> list[Pair]:
    """Pairs of a .tsv, .txt, .csv or .jsonl file, each also with .gz. Ends with the line that is wrong."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.name.endswith(".gz") else data).decode("utf-8", "replace")
    except (OSError, EOFError) as error:
        raise SystemExit(f"{path}: cannot be read: {error}.") from error
    text = text.removeprefix("\ufeff")
    ending = re.search(r"\.([a-z]+)(?:\.gz)?$", path.name.lower())
    kind = ending.group(1) if ending else ""

    def refuse(line: int, what: str) -> NoReturn:
        raise SystemExit(f"{path}:{line}: {what}")

    if kind in ("jsonl", "ndjson"):
        return [_pair(cells, refuse) for cells in _json_records(text, refuse)]
    if kind == "csv":
        return _from_table(list(_csv_records(text, refuse)), refuse)
    if kind in ("tsv", "txt"):
        return _from_table(_tsv_records(text), refuse)
    raise SystemExit(
        f"{path}: unknown kind of file; its name must end with .tsv, .txt, .csv or .jsonl, each also with .gz."
    )


def check_pairs(pairs: list[Pair], path: Path) -> tuple[list[Pair], list[str]]:
    """Without repetitions and contradictions, and with warnings. Ends where nothing can be learned."""
    first: dict[tuple[str, str], Pair] = {}
    contradicted: dict[tuple[str, str], Pair] = {}
    repeated = 0
    for pair in pairs:
        key = (pair.text_a.strip(), pair.text_b.strip())
        known = first.setdefault(key, pair)
        if known is not pair and known.label == pair.label:
            repeated += 1
        elif known is not pair:
            contradicted[key] = pair
    kept = [pair for key, pair in first.items() if key not in contradicted]
    warnings = []
    if repeated:
        warnings.append(f"{path}: {repeated} pairs stand there more than once and are used once.")
    if contradicted:
        lines = ", ".join(str(pair.line) for pair in list(contradicted.values())[:3])
        warnings.append(f"{path}: {len(contradicted)} pairs have both labels and are left out (see line {lines}).")
    enough = (
        f"At least {FEWEST_OF_A_LABEL} pairs of each label are needed; from {ENOUGH_OF_A_LABEL} of each on, "
        "small gains show."
    )
    if not kept:
        raise SystemExit(f"{path}: holds no pairs. {enough}")
    hints = ("Add pairs that are not similar, best such as look alike.", "Add similar pairs.")
    for label in (0, 1):
        count = sum(pair.label == label for pair in kept)
        if count == 0:
            raise SystemExit(f"{path}: every label is {1 - label}. {hints[label]} {enough}")
        if count < FEWEST_OF_A_LABEL:
            raise SystemExit(f"{path}: only {count} of {len(kept)} pairs have the label {label}. {enough}")
    return kept, warnings


def split_pairs(pairs: list[Pair], shares: tuple[float, float], seed: int, path: Path) -> Split:
    """Splits off the shares for validation and test, and draws both labels into each.

    Pairs that are linked by texts stay together. Where that would make a group larger than half of the smaller
    part, it is dealt out by the first text, and pairs that then share a text with another part are left out.
    """
    chance = random.Random(seed)
    limit = max(1.0, len(pairs) * min(shares) / 2)
    groups: list[list[Pair]] = []
    for group in _grouped(pairs, _components(pairs)):
        groups += [group] if len(group) <= limit else _grouped(group, [_key(pair.text_a) for pair in group])
    chance.shuffle(groups)
    # One that is full of a label takes no more of it, so both parts are as mixed as the whole.
    wanted = [[share * sum(pair.label == label for pair in pairs) for label in (0, 1)] for share in shares]
    parts: list[list[Pair]] = [[], [], []]
    for group in groups:
        counts = [sum(pair.label == label for pair in group) for label in (0, 1)]
        place = next(
            (
                part
                for part in (0, 1)
                if all(counts[label] == 0 or wanted[part][label] >= counts[label] / 2 for label in (0, 1))
            ),
            2,
        )
        if place < 2:
            for label in (0, 1):
                wanted[place][label] -= counts[label]
        parts[place] += group
    validation, test, train = parts
    # The test part keeps all that is its own, then the validation part: what is measured matters most.
    seen = {_key(text) for pair in test for text in (pair.text_a, pair.text_b)}
    validation, seen = _without(validation, seen)
    train, _ = _without(train, seen)
    left_out = len(pairs) - len(train) - len(validation) - len(test)
    for name, part in (("train on", train), ("validate on", validation), ("test on", test)):
        for label in (0, 1):
            count = sum(pair.label == label for pair in part)
            if count < FEWEST_OF_A_PART:
                raise SystemExit(
                    f"{path}: without a common text in two parts, only {count} pairs of label {label} are left to "
                    f"{name}; {FEWEST_OF_A_PART} are needed. The same few texts stand in too many pairs: add pairs "
                    "of other texts, or give larger shares (--validation, --test)."
                )
    return Split(train, validation, test, left_out)


def _without(part: list[Pair], seen: set[str]) -> tuple[list[Pair], set[str]]:
    kept = [pair for pair in part if _key(pair.text_a) not in seen and _key(pair.text_b) not in seen]
    return kept, seen | {_key(text) for pair in kept for text in (pair.text_a, pair.text_b)}


def _key(text: str) -> str:
    return text.strip()


def _grouped(pairs: list[Pair], keys: Iterable[str]) -> list[list[Pair]]:
    groups: dict[str, list[Pair]] = {}
    for pair, key in zip(pairs, keys):
        groups.setdefault(key, []).append(pair)
    return list(groups.values())


def _components(pairs: list[Pair]) -> list[str]:
    """A representative text for each pair, the same for all that are linked (union with path halving)."""
    parent: dict[str, str] = {}

    def find(text: str) -> str:
        parent.setdefault(text, text)
        while parent[text] != text:
            parent[text] = parent[parent[text]]
            text = parent[text]
        return text

    for pair in pairs:
        parent[find(_key(pair.text_a))] = find(_key(pair.text_b))
    return [find(_key(pair.text_a)) for pair in pairs]


def _from_table(records: list[Cells], refuse: Callable[[int, str], NoReturn]) -> list[Pair]:
    if not records:
        return []
    names = [cell.strip().lower() for cell in records[0][1]]
    has_header = all(column in names for column in COLUMNS)
    at = [names.index(column) for column in COLUMNS] if has_header else [0, 1, 2]
    expected = len(names) if has_header else 3
    pairs = []
    for line, cells in records[1:] if has_header else records:
        if len(cells) != expected:
            hint = "" if has_header else "; without a header the columns are text_a, text_b, label"
            refuse(line, f"expected {expected} columns, got {len(cells)}{hint}.")
        pairs.append(_pair((line, [cells[place] for place in at]), refuse))
    return pairs


def _pair(record: Cells, refuse: Callable[[int, str], NoReturn]) -> Pair:
    line, (text_a, text_b, label) = record
    for name, text in (("text_a", text_a), ("text_b", text_b)):
        if not text.strip():
            refuse(line, f"{name} is empty; fill it in or take the line out.")
    shown = label.strip()
    if not LABEL.match(shown):
        refuse(
            line,
            f'the label is "{shown[:40]}"; expected 1 (similar) or 0 (not). Turn grades into 0 and 1 first.',
        )
    return Pair(line, text_a, text_b, int(shown[0]))


def _tsv_records(text: str) -> list[Cells]:
    lines = ((number, raw.split("\t")) for number, raw in enumerate(re.split(r"\r?\n", text), 1))
    return [(number, cells) for number, cells in lines if len(cells) > 1 or cells[0].strip()]


def _csv_records(text: str, refuse: Callable[[int, str], NoReturn]) -> Iterable[Cells]:
    """Records of RFC 4180: quoted cells may hold commas, doubled quotes and line ends."""
    at, line, first = 0, 1, 1
    cells: list[str] = []
    while at < len(text) or cells:
        match = CELL.match(text, at)
        if match is None:
            refuse(first, "this record is not CSV: a quote is not closed or stands inside a cell.")
        quoted, plain, end = match.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        line += match.group().count("\n")
        at = match.end()
        if end == ",":
            continue
        if len(cells) > 1 or cells[0].strip():
            yield first, cells
        cells, first = [], line
        if end == "":
            return


def _json_records(text: str, refuse: Callable[[int, str], NoReturn]) -> Iterable[Cells]:
    expected = 'expected {"text_a": "...", "text_b": "...", "label": 0 or 1}.'
    for line, raw in enumerate(re.split(r"\r?\n", text), 1):
        if not raw.strip():
            continue
        try:
            value = json.loads(raw)
        except json.JSONDecodeError:
            refuse(line, f"this is not JSON; {expected}")
        text_a, text_b, label = (value.get(name) if isinstance(value, dict) else None for name in COLUMNS)
        if not (isinstance(text_a, str) and isinstance(text_b, str) and isinstance(label, (str, int, float))):
            refuse(line, expected)
        yield line, [text_a, text_b, str(int(label) if isinstance(label, bool) else label)]

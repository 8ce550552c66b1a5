"""Judged collections and text pairs in the plain files that the evaluation scripts use too.

A collection folder holds queries.jsonl {_id, text}, corpus.jsonl or corpus.jsonl.gz {_id, title} and
qrels.<part>.tsv (query-id, corpus-id, score).
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bundle import fingerprint
from reference import ReferenceEncoder


@dataclass(frozen=True)
class JudgedQuery:
    """A query with its judged passages. `grades` 0, 1, 2; `order` hashes the ids and breaks ties."""

    text: str
    passages: list[str]
    grades: NDArray[np.int64]
    order: NDArray[np.int64]


@dataclass(frozen=True)
class JudgedVectors:
    """One query's features: `query` [384], `passages` [n, 384], with grades and tie order."""

    query: NDArray[np.float64]
    passages: NDArray[np.float64]
    grades: NDArray[np.int64]
    order: NDArray[np.int64]

    @property
    def distances(self) -> NDArray[np.float64]:
        """|u - v| [n, 384]."""
        return np.abs(self.passages - self.query)


def read_collection(folder: Path, part: str, drop_equal: bool = False) -> list[JudgedQuery]:
    """Queries of `part` whose judged passages differ in grade. `drop_equal` leaves out passages that
    repeat their query word for word. Order in the files carries no meaning afterwards."""
    queries = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl")}
    corpus = {row["_id"]: row["title"] for row in _corpus(folder)}
    judgments: dict[str, dict[str, int]] = {}
    for line in (folder / f"qrels.{part}.tsv").read_text("utf-8").splitlines()[1:]:
        query, passage, grade = line.split("\t")
        if not drop_equal or corpus[passage].strip() != queries[query].strip():
            judgments.setdefault(query, {})[passage] = int(grade)
    judged = []
    for query, grades in sorted(judgments.items()):
        ids = sorted(grades, key=_hash)
        values = np.array([grades[passage] for passage in ids])
        if len(set(values.tolist())) > 1:
            judged.append(JudgedQuery(queries[query], [corpus[i] for i in ids], values, np.arange(len(ids))))
    return judged


def read_titles(folder: Path) -> list[str]:
    """Titles of a collection's corpus, in its order."""
    return [row["title"] for row in _corpus(folder)]


def read_pairs(path: Path) -> list[tuple[str, str, int]]:
    """Pairs of a TSV whose last three columns are two sentences and the label 0 or 1; a header is
    recognised by its label."""
    rows = [line.split("\t")[-3:] for line in path.read_text("utf-8").split("\n") if line.strip()]
    return [(first, second, int(label)) for first, second, label in rows if label.strip() in ("0", "1")]


class Vectors:
    """Vectors of texts, encoded once and kept in a folder for the next run."""

    def __init__(self, bundle: Path, cache: Path, threads: int) -> None:
        self._bundle, self._cache, self._threads = bundle, cache, threads
        self._known: dict[str, NDArray[np.float32]] = {}

    def add(self, texts: list[str]) -> None:
        """Makes the vectors of `texts` known."""
        wanted = sorted(set(texts))
        key = hashlib.sha256("\n".join([fingerprint(self._bundle), *wanted]).encode()).hexdigest()[:24]
        path = self._cache / f"{key}.npy"
        if not path.exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            np.save(path, ReferenceEncoder(self._bundle, self._threads).encode(wanted))
        self._known.update(zip(wanted, np.load(path)))

    def rows(self, texts: list[str]) -> NDArray[np.float64]:
        """Vectors [texts, 384] of known texts."""
        return np.array([self._known[text] for text in texts], np.float64)

    def judged(self, queries: list[JudgedQuery]) -> list[JudgedVectors]:
        """The queries with vectors for texts, encoding what is not known yet."""
        self.add([text for query in queries for text in (query.text, *query.passages)])
        return [
            JudgedVectors(self.rows([query.text])[0], self.rows(query.passages), query.grades, query.order)
            for query in queries
        ]


def _hash(identifier: str) -> str:
    return hashlib.sha256(identifier.encode()).hexdigest()


def _corpus(folder: Path) -> Iterator[dict[str, str]]:
    plain = folder / "corpus.jsonl"
    return _rows(plain if plain.exists() else folder / "corpus.jsonl.gz")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as lines:
        for line in lines:
            yield json.loads(line)

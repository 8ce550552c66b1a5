"""Trains and calibrates the head of a built encoder. Run: python train_head.py BUNDLE --data DIR

Only DBpedia-Entity v2 (order and calibration) and PAWS-X Chinese (calibration) are trained on. Other
collections in the data folder are evaluated on, to see whether the order carries over.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle import DIMENSIONS, write_head, write_manifest
from calibrate import ScoreGroups, fit
from golden import write_golden
from judged import JudgedVectors, Vectors, read_collection, read_pairs
from listwise import ListwiseProblem
from measures import area_under_curve, brier, ndcg, paired_interval, reliability, sigmoid

STRENGTHS = (0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
FOLDS = 5
SEED = 7
ENTITIES, SENTENCES = "dbpedia_entity", "pawsx_zh"
NEEDED = (
    f"{ENTITIES}/queries.jsonl",
    f"{ENTITIES}/qrels.train.tsv",
    f"{ENTITIES}/qrels.dev.tsv",
    f"{SENTENCES}/dev_2k.tsv",
    f"{SENTENCES}/test_2k.tsv",
)

Floats = NDArray[np.float64]


def require_data(data: Path) -> None:
    """Ends with status 2 and says where to get the collections when one is missing."""
    missing = [name for name in NEEDED if not (data / name).exists()]
    if missing:
        print(
            f"{data} lacks {', '.join(missing)}.\n"
            "DBpedia-Entity v2 is in the repository iai-group/DBpedia-Entity on GitHub (collection/v2),\n"
            "PAWS-X Chinese in google-research-datasets/paws (pawsx). README.md describes the file formats.",
            file=sys.stderr,
        )
        raise SystemExit(2)


def train(bundle: Path, data: Path, cache: Path, threads: int) -> None:
    """Writes head.json into `bundle`, with the figures that led to it."""
    vectors = Vectors(bundle, cache, threads)
    train_queries = vectors.judged(read_collection(data / ENTITIES, "train"))
    dev_queries = vectors.judged(read_collection(data / ENTITIES, "dev"))
    selection, strength = choose_strength(train_queries)
    problem = ListwiseProblem(train_queries)
    scale = problem.best_scale()
    deviation = problem.deviation(scale, strength) if strength else np.zeros(DIMENSIONS)
    distance_weights = scale * (1 + deviation)

    held_out = held_out_scores(train_queries, strength)
    slope, shift = fit(score_groups(held_out, train_queries, vectors, data, "dev_2k", distance_weights))
    dev_scores = [-(query.distances @ distance_weights) for query in dev_queries]
    checked = score_groups(dev_scores, dev_queries, vectors, data, "test_2k", distance_weights)
    weights = np.concatenate([np.zeros(2 * DIMENSIONS), -slope * distance_weights])
    training = {
        "method": "|u-v| only: L1 distance, with a listwise deviation if it is clear of zero; then Platt",
        "trained_on": "DBpedia-Entity v2 folds 0-2 and, for the calibration alone, PAWS-X zh dev",
        "queries": len(train_queries),
        "judged_pairs": sum(len(query.grades) for query in train_queries),
        "selection": selection,
        "strength": strength,
        "deviation": {"sd": _r(deviation.std()), "min": _r(deviation.min()), "max": _r(deviation.max())},
        "order": order_figures(vectors, data, dev_queries, distance_weights),
        "calibration": calibration_figures(checked, slope, shift),
    }
    write_head(bundle, weights, shift, training)
    print(f"{bundle}: head with strength {strength}")


def choose_strength(queries: list[JudgedVectors]) -> tuple[list[dict[str, Any]], float | None]:
    """Cross-validates over queries. Of the strengths whose gain over the bare anchor is clear of zero
    (two standard errors) the strongest is taken; with none, the anchor stays (None)."""
    rows: list[dict[str, Any]] = []
    anchor = _ndcgs(queries, [-query.distances.sum(axis=1) for query in queries])
    for strength in STRENGTHS:
        gains = _ndcgs(queries, held_out_scores(queries, strength)) - anchor
        error = gains.std(ddof=1) / np.sqrt(len(gains))
        rows.append({"strength": strength, "gain": _r(gains.mean()), "standard_error": _r(error)})
    clear = (row["strength"] for row in rows if row["gain"] > 2 * row["standard_error"])
    return rows, next(clear, None)


def held_out_scores(queries: list[JudgedVectors], strength: float | None) -> list[Floats]:
    """Scores of each query under the weights learned without its fold."""
    scores: list[Floats] = [np.empty(0)] * len(queries)
    for fold in range(FOLDS):
        problem = ListwiseProblem([query for index, query in enumerate(queries) if index % FOLDS != fold])
        scale = problem.best_scale()
        deviation = problem.deviation(scale, strength) if strength else np.zeros(DIMENSIONS)
        for index in range(fold, len(queries), FOLDS):
            scores[index] = -(queries[index].distances @ (scale * (1 + deviation)))
    return scores


def score_groups(
    scores: list[Floats],
    queries: list[JudgedVectors],
    vectors: Vectors,
    data: Path,
    sentences: str,
    distance_weights: Floats,
) -> ScoreGroups:
    """Groups the scores of judged entities, and scores sentence pairs and random pairs."""
    rng = np.random.default_rng(SEED)
    grades = np.concatenate([query.grades for query in queries])
    judged = np.concatenate(scores)
    passages = np.concatenate([query.passages for query in queries])
    owners = np.repeat(np.array([query.query for query in queries]), [len(q.grades) for q in queries], axis=0)
    first, second, labels = pair_vectors(vectors, data / SENTENCES / f"{sentences}.tsv")

    def score(left: Floats, right: Floats) -> Floats:
        return -(np.abs(left - right) @ distance_weights)

    pairs = score(first, second)
    return ScoreGroups(
        paraphrases=pairs[labels == 1],
        relevant=judged[grades == 2],
        adversarial=pairs[labels == 0],
        irrelevant=judged[grades == 0],
        random_entities=score(owners, passages[rng.permutation(len(passages))]),
        random_sentences=score(first, second[rng.permutation(len(second))]),
    )


def pair_vectors(vectors: Vectors, path: Path) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Vectors of the first and second sentences of a pair file, and its labels."""
    pairs = read_pairs(path)
    vectors.add([text for first, second, _ in pairs for text in (first, second)])
    labels = np.array([label for _, _, label in pairs])
    return vectors.rows([pair[0] for pair in pairs]), vectors.rows([pair[1] for pair in pairs]), labels


def order_figures(vectors: Vectors, data: Path, dev: list[JudgedVectors], distance_weights: Floats) -> dict:
    """Judged-only nDCG@10 (AUC for pairs) of cosine, L1 and head wherever the data are there."""
    collections = {"dbpedia_entity dev": dev}
    for part in ("dev", "train"):
        if (data / "kuake_qqr" / f"qrels.{part}.tsv").exists():
            queries = read_collection(data / "kuake_qqr", part, drop_equal=True)
            collections[f"kuake_qqr {part}, not trained on"] = vectors.judged(queries)
    figures = {name: _order(queries, distance_weights) for name, queries in collections.items()}
    pairs = data / "lcqmc" / "dev.txt"
    if pairs.exists():
        first, second, labels = pair_vectors(vectors, pairs)
        distances = np.abs(first - second)
        figures["lcqmc dev AUC, not trained on"] = {
            "cosine": _r(area_under_curve((first * second).sum(axis=1), labels)),
            "l1": _r(area_under_curve(-distances.sum(axis=1), labels)),
            "head": _r(area_under_curve(-(distances @ distance_weights), labels)),
        }
    return figures


def calibration_figures(groups: ScoreGroups, slope: float, shift: float) -> dict[str, Any]:
    """Brier scores and reliability on pairs that neither order nor calibration has seen."""
    scores, labels, weights = groups.weighted()
    probabilities = sigmoid(slope * scores + shift)
    judged = np.concatenate([groups.relevant, groups.irrelevant])
    judged_labels = np.repeat([1, 0], [len(groups.relevant), len(groups.irrelevant)])
    rate = float(judged_labels.mean())
    pairs = np.concatenate([groups.paraphrases, groups.random_sentences])
    pair_labels = np.repeat([1, 0], [len(groups.paraphrases), len(groups.random_sentences)])
    pair_rate = float(pair_labels.mean())
    return {
        "evaluated_on": "DBpedia-Entity v2 fold 3 and PAWS-X zh test",
        "median_probability": {
            name: _r(float(np.median(sigmoid(slope * group + shift)))) for name, group in vars(groups).items()
        },
        "mixture": {"brier": _r(float(weights @ (probabilities - labels) ** 2)), "base_rate_brier": 0.25},
        "paraphrases_against_random": {
            "brier": _r(brier(sigmoid(slope * pairs + shift), pair_labels)),
            "base_rate_brier": _r(pair_rate * (1 - pair_rate)),
        },
        "judged_entities_2_against_0": {
            "brier": _r(brier(sigmoid(slope * judged + shift), judged_labels)),
            "base_rate_brier": _r(rate * (1 - rate)),
            "reliability": reliability(sigmoid(slope * judged + shift), judged_labels),
        },
        "reliability": reliability(probabilities, labels, weights),
    }


def _order(queries: list[JudgedVectors], distance_weights: Floats) -> dict[str, Any]:
    scorers: dict[str, Callable[[JudgedVectors], Floats]] = {
        "cosine": lambda query: query.passages @ query.query,
        "l1": lambda query: -query.distances.sum(axis=1),
        "head": lambda query: -(query.distances @ distance_weights),
    }
    values = {name: _ndcgs(queries, [score(query) for query in queries]) for name, score in scorers.items()}
    figures: dict[str, Any] = {"queries": len(queries)}
    figures.update({name: _r(value.mean()) for name, value in values.items()})
    for base in ("cosine", "l1"):
        low, high = paired_interval(values["head"] - values[base])
        figures[f"head_minus_{base}_95"] = [_r(low), _r(high)]
    return figures


def _ndcgs(queries: list[JudgedVectors], scores: list[Floats]) -> Floats:
    return np.array([ndcg(value, query.grades, query.order) for query, value in zip(queries, scores)])


def _r(value: float) -> float:
    return round(float(value), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the head of a built bundle and renews its manifest.")
    parser.add_argument("bundle", type=Path, help="folder with encoder.onnx, tokenizer.json, char-map.json")
    parser.add_argument("--data", type=Path, required=True, help="folder with the collections")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the collections' vectors")
    parser.add_argument("--threads", type=int, default=1, help="threads that encode (default 1)")
    options = parser.parse_args()
    require_data(options.data)
    train(options.bundle, options.data, options.cache, options.threads)
    write_golden(options.bundle)
    write_manifest(options.bundle)


if __name__ == "__main__":
    main()

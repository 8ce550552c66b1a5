"""Measures of order and of calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DEPTH = 10


def ndcg(scores: NDArray[np.float64], grades: NDArray[np.int64], order: NDArray[np.int64]) -> float:
    """nDCG@10 over the judged passages alone, gain 2^grade - 1 and discount log2(rank + 1)
    (Järvelin and Kekäläinen 2002; Burges et al. 2005); ties go by `order`."""
    gains = 2.0**grades - 1
    ranked = gains[np.lexsort((order, -scores))][:DEPTH]
    best = np.sort(gains)[::-1][:DEPTH]
    discounts = 1 / np.log2(np.arange(DEPTH) + 2)
    return float(ranked @ discounts[: len(ranked)] / (best @ discounts[: len(best)]))


def area_under_curve(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Share of (positive, negative) pairs in the right order, a tie counting half (Mann-Whitney)."""
    values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    positives = int(labels.sum())
    negatives = len(labels) - positives
    rank_sum = middle[inverse][labels == 1].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def brier(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Mean squared difference of probability and label (Brier 1950)."""
    return float(np.mean((probabilities - labels) ** 2))


def reliability(
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
    bins: int = 10,
) -> list[dict[str, float]]:
    """Mean probability and observed rate, weighted, of each filled tenth of the probability scale."""
    index = np.minimum((probabilities * bins).astype(int), bins - 1)
    shares = np.ones_like(probabilities) if weights is None else weights
    rows = []
    for number in range(bins):
        inside = index == number
        if inside.any():
            rows.append(
                {
                    "from": number / bins,
                    "pairs": int(inside.sum()),
                    "predicted": round(float(np.average(probabilities[inside], weights=shares[inside])), 3),
                    "observed": round(float(np.average(labels[inside], weights=shares[inside])), 3),
                }
            )
    return rows


def paired_interval(
    differences: NDArray[np.float64], seed: int = 7, draws: int = 5000
) -> tuple[float, float]:
    """95 % bootstrap interval of the mean difference a query."""
    rng = np.random.default_rng(seed)
    means = differences[rng.integers(0, len(differences), (draws, len(differences)))].mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-values))

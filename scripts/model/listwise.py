"""Learns how far the head's distance weights should deviate from a plain L1 distance.

Score of a passage: s = -c * sum_i (1 + e_i) |u - v|_i. The loss of a query is the cross-entropy of
softmax(s) against its gains, p_j = (2^g_j - 1) / sum (ListNet's top-one form, Cao et al. 2007); the
objective is its mean over queries plus strength * |e|^2 / 2, with every e_i >= -1 so that no distance
is ever rewarded. At strength infinity it is the L1 distance, the anchor. The objective is convex in
e, so projected gradient steps suffice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from judged import JudgedVectors

STEPS = 150
RATE = 0.04


class ListwiseProblem:
    """Distances of all queries in one array, with offsets, so that a step is a few array operations."""

    def __init__(self, queries: list[JudgedVectors]) -> None:
        self._distances = np.concatenate([query.distances for query in queries])
        sizes = np.array([len(query.grades) for query in queries])
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._owner = np.repeat(np.arange(len(queries)), sizes)
        gains = np.concatenate([2.0**query.grades - 1 for query in queries])
        self._targets = gains / np.add.reduceat(gains, self._starts)[self._owner]
        self._queries = len(queries)

    def loss(self, scores: NDArray[np.float64]) -> float:
        """Mean cross-entropy a query."""
        return float(-(self._targets * self._log_shares(scores)).sum() / self._queries)

    def best_scale(self) -> float:
        """The c of the plain anchor with the least loss, by golden section between 0.05 and 20."""
        totals = self._distances.sum(axis=1)
        low, high, ratio = np.log(0.05), np.log(20.0), (np.sqrt(5) - 1) / 2
        for _ in range(40):
            left, right = high - ratio * (high - low), low + ratio * (high - low)
            if self.loss(-np.exp(left) * totals) < self.loss(-np.exp(right) * totals):
                high = right
            else:
                low = left
        return float(np.exp((low + high) / 2))

    def deviation(self, scale: float, strength: float) -> NDArray[np.float64]:
        """The e [384] that minimises the objective (Adam, Kingma and Ba 2015, on the full data)."""
        e = np.zeros(self._distances.shape[1])
        mean, square = np.zeros_like(e), np.zeros_like(e)
        for step in range(1, STEPS + 1):
            shares = np.exp(self._log_shares(-scale * (self._distances @ (1 + e))))
            gradient = -scale * ((shares - self._targets) @ self._distances) / self._queries + strength * e
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            rate = RATE * (1 - step / STEPS)
            e -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-9)
            np.maximum(e, -1, out=e)
        return e

    def _log_shares(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        shifted = scores - np.maximum.reduceat(scores, self._starts)[self._owner]
        return shifted - np.log(np.add.reduceat(np.exp(shifted), self._starts))[self._owner]

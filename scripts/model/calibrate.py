"""Gives the head's scores a probability: two numbers, slope and shift (Platt 1999), weighted by group.

Judged entity lists alone do not calibrate similarity: a list's members ("countries in Africa" and
"Chad") are relevant without being similar, so a fit on them puts unrelated texts near one third.
Hence a mixture in which each class is half of the weight and 95 % of each class is clear-cut:
positives are paraphrases (PAWS-X label 1), negatives are judged irrelevant entities, random query and
entity pairs and random sentence pairs, a third each. The other 5 % are hard: relevant list members
(grade 2) as positives, PAWS-X label 0 (the same words, another meaning) as negatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from measures import sigmoid

HARD_SHARE = 0.05


@dataclass(frozen=True)
class ScoreGroups:
    """Head scores of pairs of each kind."""

    paraphrases: NDArray[np.float64]
    relevant: NDArray[np.float64]
    adversarial: NDArray[np.float64]
    irrelevant: NDArray[np.float64]
    random_entities: NDArray[np.float64]
    random_sentences: NDArray[np.float64]

    def weighted(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """(scores, labels, weights) of all pairs; the weights of a class add up to one half."""
        clear = 1 - HARD_SHARE
        groups = [
            (self.paraphrases, 1, clear),
            (self.relevant, 1, HARD_SHARE),
            (self.adversarial, 0, HARD_SHARE),
            (self.irrelevant, 0, clear / 3),
            (self.random_entities, 0, clear / 3),
            (self.random_sentences, 0, clear / 3),
        ]
        scores = np.concatenate([group for group, _, _ in groups])
        labels = np.concatenate([np.full(len(group), label) for group, label, _ in groups])
        weights = np.concatenate([np.full(len(group), share / len(group) / 2) for group, _, share in groups])
        return scores, labels, weights


def fit(groups: ScoreGroups) -> tuple[float, float]:
    """(slope, shift) that maximise the weighted likelihood of sigmoid(slope * score + shift)."""
    scores, labels, weights = groups.weighted()
    centre, spread = float(scores.mean()), float(scores.std())
    inputs = np.stack([(scores - centre) / spread, np.ones_like(scores)], axis=1)
    theta = np.zeros(2)
    for _ in range(30):
        p = sigmoid(inputs @ theta)
        gradient = inputs.T @ (weights * (p - labels))
        hessian = (inputs * (weights * p * (1 - p))[:, None]).T @ inputs
        theta -= np.linalg.solve(hessian, gradient)
    slope = float(theta[0] / spread)
    if slope <= 0:
        raise ValueError("The calibration would turn the order round; the scores are unusable.")
    return slope, float(theta[1] - slope * centre)

"""Encoder and head as one torch module: softmax(W [u; v; |u - v|] + b) over pooled vectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bundle import Head
from export_hf import HuggingFaceModel
from finetune_pairs import Pair

TEXTS_AT_ONCE = 64
ANCHOR_PAIRS = 2_000
LEAST_ANCHOR = 0.5
"""Where the untrained distance says nothing, log-odds still change by so much a standard deviation."""

PARTS = (1.0, 10.0, 100.0)
"""How hard the parts of u, v and |u - v| are held, as `twinrank head train` holds them."""


@dataclass(frozen=True)
class Tokens:
    """Ids of every different text, by its kind's prefix."""

    ids: dict[tuple[str, str], list[int]]
    pad_id: int

    def batch(self, texts: list[tuple[str, str]], device: torch.device) -> tuple[Tensor, Tensor]:
        """Padded ids and attention mask."""
        rows = [self.ids[text] for text in texts]
        width = max(map(len, rows))
        ids = torch.tensor([row + [self.pad_id] * (width - len(row)) for row in rows], device=device)
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=device)
        return ids, mask


def sides(pairs: list[Pair]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The first texts as queries, the second as documents."""
    return [("query", pair.text_a) for pair in pairs], [("document", pair.text_b) for pair in pairs]


def tokens_of(model: HuggingFaceModel, pairs: list[Pair], prefixes: dict[str, str], max_tokens: int) -> Tokens:
    texts = list(dict.fromkeys(text for side in sides(pairs) for text in side))
    ids = model.ids([prefixes[kind] + text for kind, text in texts], max_tokens)
    return Tokens(dict(zip(texts, ids)), model.pad_id)


class TwoTowers(nn.Module):
    """Log-odds of two texts being similar.

    The head starts as the plain L1 distance, w_d = -c and w_u = w_v = 0. What is learned is its scale, its bias
    and a deviation over features that are centred and, part by part, of unit mean square, so that the strength of
    the penalty means the same for every encoder.
    """

    def __init__(self, encoder: nn.Module, pooling: str, normalize: bool, dimensions: int) -> None:
        super().__init__()
        self.encoder, self.pooling, self.normalize = encoder, pooling, normalize
        self.deviation = nn.Parameter(torch.zeros(3, dimensions))
        self.anchor = nn.Parameter(torch.ones(()))
        self.bias = nn.Parameter(torch.zeros(()))
        self.register_buffer("centre", torch.zeros(3, dimensions))
        self.register_buffer("spread", torch.ones(3))
        self.register_buffer("anchor_spread", torch.ones(()))

    def vectors(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Pooled vectors [texts, dimensions]; the mean is over all tokens that are not padding."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weights = mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * weights).sum(1) / weights.sum(1)
        return nn.functional.normalize(pooled, dim=-1) if self.normalize else pooled

    def weights(self) -> tuple[Tensor, Tensor]:
        """The head's own weights [3, dimensions] over [u; v; |u - v|], and its bias."""
        weights = self.deviation / self.spread.unsqueeze(1)
        plain = torch.zeros_like(self.centre)
        plain[2] = 1 / self.anchor_spread
        weights = weights - self.anchor * plain
        return weights, self.bias - (weights * self.centre).sum()

    def log_odds(self, u: Tensor, v: Tensor) -> Tensor:
        weights, bias = self.weights()
        return u @ weights[0] + v @ weights[1] + (u - v).abs() @ weights[2] + bias

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Log-odds of a batch that holds all first texts and then all second texts."""
        u, v = self.vectors(ids, mask).chunk(2)
        return self.log_odds(u, v)

    def penalty(self, strength: float) -> Tensor:
        held = self.deviation.square().sum(1) * self.deviation.new_tensor(PARTS)
        return strength / 2 * held.sum()

    def head(self, slope: float, shift: float) -> Head:
        """Class rows [2, 3 x dimensions] and biases whose softmax is sigmoid(slope * log-odds + shift)."""
        weights, bias = (part.detach().double().cpu().numpy() for part in self.weights())
        row = slope * weights.reshape(-1) / 2
        half = (slope * float(bias) + shift) / 2
        return np.stack([-row, row]), np.array([-half, half])


def encode(towers: TwoTowers, tokens: Tokens, texts: list[tuple[str, str]]) -> dict[tuple[str, str], Tensor]:
    """Vectors of the texts, in evaluation."""
    towers.eval()
    device = towers.bias.device
    order = sorted(dict.fromkeys(texts), key=lambda text: len(tokens.ids[text]))
    found: dict[tuple[str, str], Tensor] = {}
    with torch.no_grad():
        for start in range(0, len(order), TEXTS_AT_ONCE):
            batch = order[start : start + TEXTS_AT_ONCE]
            found.update(zip(batch, towers.vectors(*tokens.batch(batch, device))))
    return found


def score(towers: TwoTowers, tokens: Tokens, pairs: list[Pair]) -> NDArray[np.float64]:
    """Log-odds of the pairs, not calibrated."""
    left, right = sides(pairs)
    vectors = encode(towers, tokens, left + right)
    with torch.no_grad():
        u, v = (torch.stack([vectors[text] for text in side]) for side in (left, right))
        return towers.log_odds(u, v).double().cpu().numpy()


def set_anchor(towers: TwoTowers, tokens: Tokens, pairs: list[Pair]) -> None:
    """Takes centre and spread from the untrained encoder, and the scale and bias that fit its distances best."""
    step = max(1, len(pairs) // ANCHOR_PAIRS)
    some = pairs[::step]
    left, right = sides(some)
    vectors = encode(towers, tokens, left + right)
    u, v = (torch.stack([vectors[text] for text in side]) for side in (left, right))
    features = torch.stack([u, v, (u - v).abs()])
    distances = features[2].sum(1)
    towers.centre.copy_(features.mean(1))
    spread = (features - features.mean(1, keepdim=True)).square().mean((1, 2)).sqrt()
    towers.spread.copy_(spread.clamp_min(1e-6))
    towers.anchor_spread.copy_(distances.std(correction=0).clamp_min(1e-6))
    standard = -(distances - distances.mean()) / towers.anchor_spread
    labels = np.array([pair.label for pair in some])
    slope, shift = platt(standard.double().cpu().numpy(), labels)
    with torch.no_grad():
        towers.anchor.fill_(max(LEAST_ANCHOR, slope))
        towers.bias.fill_(shift)


def platt(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[float, float]:
    """Slope and shift of sigmoid(slope * score + shift), with Platt's smoothed targets (Platt 1999), by Newton."""
    positives = int(labels.sum())
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2))
    mean, spread = scores.mean(), max(float(scores.std()), 1e-12)
    features = np.stack([(scores - mean) / spread, np.ones_like(scores)])
    at = np.array([0.0, np.log((positives + 1) / (len(labels) - positives + 1))])
    for _ in range(50):
        chances = 1 / (1 + np.exp(-np.clip(at @ features, -500, 500)))
        gradient = features @ (chances - targets) / len(labels)
        hessian = (features * (chances * (1 - chances))) @ features.T / len(labels) + 1e-9 * np.eye(2)
        step = np.clip(np.linalg.solve(hessian, gradient), -2, 2)
        at -= step
        if np.abs(step).sum() < 1e-10:
            break
    return float(at[0] / spread), float(at[1] - at[0] * mean / spread)


def save_model(model: HuggingFaceModel, towers: TwoTowers, folder: Path) -> None:
    """The trained encoder with its tokenizer, as transformers saves them."""
    towers.encoder.to("cpu").save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)

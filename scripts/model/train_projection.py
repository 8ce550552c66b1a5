"""Learns the projection of zh-en-small, without any judgment. Run: python train_projection.py --help

The head sums |u - v| over the axes of the vectors, and how near that sum comes to the Euclidean distance
(so to cosine) depends on the axes. The encoder's own are a poor choice. So a linear map follows the mean
pooling, as the Dense module of sentence-transformers does: a random rotation to start with, then moved a
little so that the L1 distance of unit vectors goes with the cosine that the encoder gave before. Texts to
compare are a text of the collection and what lies near it, as a search would find it: titles of
DBpedia-Entity v2 and sentences of PAWS-X Chinese dev, 90 % of them; the rest says how well it does.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from build import ACCURACY_LEVEL
from build_bundle import build_encoder
from bundle import DIMENSIONS
from judged import Vectors, read_pairs, read_titles
from train_head import ENTITIES, SENTENCES, require_data

STEPS = 5000
RATE = 3e-4
ROTATION_WEIGHT = 0.03
"""How much is paid for leaving the rotations (times a constant): cosines are to stay what they are."""
ACROSS_WEIGHT = 0.3
"""Weight of the agreement across all windows of a step, besides that within each."""
SENTENCES_SHARE = 0.35
WINDOWS, WINDOW = 24, 60
POOL, NEAREST = 6000, (60, 400)
"""A window is drawn from so many nearest of so many texts."""


@dataclass(frozen=True)
class Windows:
    """`queries` [n, 384], `passages` [n, m, 384], their cosines [n, m], and which passages are not the query."""

    queries: torch.Tensor
    passages: torch.Tensor
    cosines: torch.Tensor
    others: torch.Tensor


def windows(texts: torch.Tensor, nearest: int, draws: torch.Generator) -> Windows:
    """Draws queries and, for each, some of those that are nearest to it among a part of the texts."""
    queries = texts[torch.randint(len(texts), (WINDOWS,), generator=draws)]
    pool = texts[torch.randint(len(texts), (min(POOL, len(texts)),), generator=draws)]
    cosines = queries @ pool.T
    near = cosines.topk(nearest, 1).indices
    chosen = torch.rand(near.shape, generator=draws).argsort(1)[:, : min(WINDOW, nearest)]
    places = near.gather(1, chosen)
    values = cosines.gather(1, places)
    return Windows(queries, pool[places], values, values < 0.99999)


def closeness(projection: torch.Tensor, drawn: Windows) -> torch.Tensor:
    """Minus the L1 distance of query and passages after the projection, at unit length [n, m]."""
    queries = torch.nn.functional.normalize(drawn.queries @ projection, dim=-1)
    passages = torch.nn.functional.normalize(drawn.passages @ projection, dim=-1)
    return -(passages - queries[:, None]).abs().sum(2)


def agreement(values: torch.Tensor, drawn: Windows, together: bool = False) -> torch.Tensor:
    """Mean correlation with the cosines: within each window, or over all windows together."""
    rows = [values, drawn.cosines, drawn.others.float()]
    ours, theirs, weight = [row.reshape(1, -1) for row in rows] if together else rows

    def centred(row: torch.Tensor) -> torch.Tensor:
        return (row - (row * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True)) * weight

    return torch.nn.functional.cosine_similarity(centred(ours), centred(theirs), dim=1).mean()


def train(groups: list[torch.Tensor], seed: int) -> torch.Tensor:
    """The projection [384, 384] from titles and sentences; a vector v becomes v @ projection."""
    draws = torch.Generator().manual_seed(seed)
    start = np.linalg.qr(np.random.default_rng(seed).normal(size=(DIMENSIONS, DIMENSIONS)))[0]
    projection = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    optimiser = torch.optim.Adam([projection], lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS, pct_start=0.1)
    one = torch.eye(DIMENSIONS)
    for step in range(STEPS):
        texts = groups[int(torch.rand(1, generator=draws).item() < SENTENCES_SHARE)]
        drawn = windows(texts, int(torch.randint(*NEAREST, (1,), generator=draws)), draws)
        values = closeness(projection, drawn)
        gram = projection @ projection.T
        turned = ((gram / gram.diagonal().mean() - one) ** 2).sum() / DIMENSIONS
        loss = 1 - agreement(values, drawn) + ACROSS_WEIGHT * (1 - agreement(values, drawn, together=True))
        optimiser.zero_grad()
        (loss + ROTATION_WEIGHT * turned).backward()
        optimiser.step()
        schedule.step()
        if step % 1000 == 999:
            print(f"step {step + 1}: loss {loss.item():.4f}", flush=True)
    return projection.detach()


def checked(projection: torch.Tensor, texts: torch.Tensor) -> tuple[float, float]:
    """Agreement on texts that were not learned from: within windows, and over all windows of a draw together."""
    draws = torch.Generator().manual_seed(9)
    found = [windows(texts, min(100, len(texts) // 4), draws) for _ in range(20)]
    values = [(closeness(projection, drawn), drawn) for drawn in found]
    within = np.mean([agreement(value, drawn).item() for value, drawn in values])
    across = np.mean([agreement(value, drawn, together=True).item() for value, drawn in values])
    return float(within), float(across)


def split(vectors: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """(nine tenths to learn from, one tenth to check with)."""
    order = np.random.default_rng(3).permutation(len(vectors))
    held = len(vectors) // 10
    rows = torch.tensor(vectors.astype(np.float32))
    return rows[order[held:]], rows[order[:held]]


def main() -> None:
    parser = argparse.ArgumentParser(description="Learns the projection of zh-en-small and writes it as .npy.")
    parser.add_argument("out", type=Path, help="file to write, float32 [384, 384]")
    parser.add_argument("--data", type=Path, required=True, help="folder with the collections, see README.md")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the collections' vectors")
    parser.add_argument("--threads", type=int, default=1, help="threads (default 1)")
    parser.add_argument("--seed", type=int, default=3, help="of the rotation and the draws (default 3)")
    options = parser.parse_args()
    require_data(options.data)
    torch.set_num_threads(options.threads)
    pairs = read_pairs(options.data / SENTENCES / "dev_2k.tsv")
    texts = [
        sorted(set(read_titles(options.data / ENTITIES))),
        sorted({text for first, second, _ in pairs for text in (first, second)}),
    ]
    with tempfile.TemporaryDirectory() as plain:
        build_encoder(Path(plain), ACCURACY_LEVEL, projection=None)
        vectors = Vectors(Path(plain), options.cache, options.threads)
        for group in texts:
            vectors.add(group)
    learned, held = zip(*(split(vectors.rows(group)) for group in texts))
    projection = train(list(learned), options.seed)
    for name, rows in zip(("titles", "sentences"), held):
        before, after = (checked(map_, rows) for map_ in (torch.eye(DIMENSIONS), projection))
        print(f"{name}: agreement {before[0]:.4f} -> {after[0]:.4f}, across {before[1]:.4f} -> {after[1]:.4f}")
    sizes = torch.linalg.svdvals(projection)
    print(f"singular values {sizes.min():.3f} to {sizes.max():.3f}")
    np.save(options.out, projection.numpy())


if __name__ == "__main__":
    main()

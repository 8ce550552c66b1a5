"""The training loop: warm-up, early stopping, and checkpoints from which a stopped run goes on as if it had not."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from finetune_model import Tokens, TwoTowers, score, sides
from finetune_pairs import Pair, Split

POOL_BATCHES = 20
"""Batches are of like length within pools of so many."""
PROGRESS_SECONDS = 10.0
GRADIENT_LIMIT = 1.0
WEIGHT_DECAY = 0.01


@dataclass(frozen=True)
class Plan:
    epochs: int
    batch_size: int
    learning_rate: float
    head_learning_rate: float
    warmup: float
    strength: float
    evaluate_every: int
    patience: int
    seed: int


@dataclass
class State:
    """Where a run stands, beside weights and optimiser."""

    step: int
    best_step: int
    best_loss: float
    misses: int
    history: list[dict[str, float]]


def figures(log_odds: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, float]:
    """Mean cross-entropy, and accuracy at a probability of .5."""
    loss = np.logaddexp(0, np.where(labels == 1, -log_odds, log_odds)).mean()
    return {"log_loss": float(loss), "accuracy": float(((log_odds > 0) == (labels == 1)).mean())}


def labels_of(pairs: list[Pair]) -> NDArray[np.int64]:
    return np.array([pair.label for pair in pairs])


def train(
    towers: TwoTowers, tokens: Tokens, split: Split, plan: Plan, checkpoint: Path, settings: str, resume: bool
) -> State:
    """Trains until the loss on the validation part stops falling, and leaves the best weights in `towers`."""
    per_epoch = math.ceil(len(split.train) / plan.batch_size)
    total = per_epoch * plan.epochs
    optimiser, schedule = _optimiser(towers, plan, total)
    labels = labels_of(split.validation)
    torch.manual_seed(plan.seed)
    if resume:
        state, best = _restore(checkpoint, settings, towers, optimiser, schedule)
        print(f"going on behind step {state.step} of {total}", flush=True)
    else:
        first = figures(score(towers, tokens, split.validation), labels)
        state, best = State(0, 0, first["log_loss"], 0, [{"step": 0, **first}]), _copy(towers)
        _tell(state, total)
    progress = Progress(total)
    while state.step < total and state.misses < plan.patience:
        epoch, place = divmod(state.step, per_epoch)
        for batch in _batches(split.train, tokens, plan, epoch)[place:]:
            loss = _step(towers, tokens, batch, plan, optimiser)
            schedule.step()
            state.step += 1
            progress.tell(state.step, loss, schedule.get_last_lr()[0], len(batch))
            if state.step % plan.evaluate_every != 0 and state.step != total:
                continue
            found = figures(score(towers, tokens, split.validation), labels)
            state.history.append({"step": state.step, **found})
            if found["log_loss"] < state.best_loss:
                state.best_step, state.best_loss, state.misses = state.step, found["log_loss"], 0
                best = _copy(towers)
            else:
                state.misses += 1
            _tell(state, total)
            _keep(checkpoint, settings, towers, optimiser, schedule, state, best)
            if state.misses >= plan.patience:
                print(f"stopped: no gain in {plan.patience} evaluations", flush=True)
                break
    towers.load_state_dict(best)
    return state


class Progress:
    """A line every few seconds: step, mean loss since the last line, rate, pairs a second, time left."""

    def __init__(self, total: int) -> None:
        self._total, self._losses, self._pairs, self._since = total, [], 0, time.monotonic()

    def tell(self, step: int, loss: float, rate: float, pairs: int) -> None:
        self._losses.append(loss)
        self._pairs += pairs
        passed = time.monotonic() - self._since
        if passed < PROGRESS_SECONDS and step > 1:
            return
        left = (self._total - step) * passed / len(self._losses)
        print(
            f"step {step} of {self._total}: loss {sum(self._losses) / len(self._losses):.4f}, learning rate {rate:.1e}, "
            f"{self._pairs / max(passed, 1e-9):.0f} pairs/s, {left / 60:.0f} min left at most",
            flush=True,
        )
        self._losses, self._pairs, self._since = [], 0, time.monotonic()


def _tell(state: State, total: int) -> None:
    last = state.history[-1]
    mark = " (best)" if state.best_step == last["step"] else ""
    print(
        f"step {last['step']} of {total}: validation log loss {last['log_loss']:.4f}, accuracy "
        f"{last['accuracy']:.4f}{mark}",
        flush=True,
    )


def _optimiser(towers: TwoTowers, plan: Plan, total: int) -> tuple[Any, Any]:
    encoder = [(name, weight) for name, weight in towers.encoder.named_parameters() if weight.requires_grad]
    plain = [weight for _, weight in encoder if weight.ndim < 2]
    decayed = [weight for _, weight in encoder if weight.ndim >= 2]
    groups = [
        {"params": decayed, "lr": plan.learning_rate, "weight_decay": WEIGHT_DECAY},
        {"params": plain, "lr": plan.learning_rate, "weight_decay": 0.0},
        # The head has its own penalty.
        {
            "params": [towers.deviation, towers.anchor, towers.bias],
            "lr": plan.head_learning_rate,
            "weight_decay": 0.0,
        },
    ]
    warmup = max(1, round(plan.warmup * total))

    def share(step: int) -> float:
        """Of the learning rate: up in a line over the warm-up, then down in a line to nought."""
        return (step + 1) / warmup if step < warmup else max(0.0, (total - step) / max(1, total - warmup))

    optimiser = torch.optim.AdamW(groups)
    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, share)


def _batches(pairs: list[Pair], tokens: Tokens, plan: Plan, epoch: int) -> list[list[Pair]]:
    """The batches of an epoch, the same however often it is asked: so a resumed run finds its place."""
    chance = np.random.default_rng([plan.seed, epoch])
    order = chance.permutation(len(pairs))
    pool = POOL_BATCHES * plan.batch_size

    def length(index: int) -> int:
        return max(len(tokens.ids[side[0]]) for side in sides([pairs[index]]))

    batches = []
    for start in range(0, len(order), pool):
        alike = sorted(order[start : start + pool], key=length)
        batches += [alike[at : at + plan.batch_size] for at in range(0, len(alike), plan.batch_size)]
    return [[pairs[index] for index in batches[place]] for place in chance.permutation(len(batches))]


def _step(towers: TwoTowers, tokens: Tokens, batch: list[Pair], plan: Plan, optimiser: Any) -> float:
    towers.train()
    left, right = sides(batch)
    device = towers.bias.device
    log_odds = towers(*tokens.batch(left + right, device))
    targets = torch.tensor([float(pair.label) for pair in batch], device=device)
    # Of two class rows with opposite signs this is the softmax cross-entropy.
    loss = nn.functional.binary_cross_entropy_with_logits(log_odds, targets)
    if not torch.isfinite(loss):
        raise SystemExit("The loss is no longer a number; give a smaller --learning-rate.")
    optimiser.zero_grad()
    (loss + towers.penalty(plan.strength)).backward()
    nn.utils.clip_grad_norm_(towers.parameters(), GRADIENT_LIMIT)
    optimiser.step()
    return loss.item()


def _copy(towers: TwoTowers) -> dict[str, Any]:
    return {key: value.detach().cpu().clone() for key, value in towers.state_dict().items()}


def _keep(
    path: Path, settings: str, towers: TwoTowers, optimiser: Any, schedule: Any, state: State, best: dict[str, Any]
) -> None:
    """Writes the checkpoint beside its place and moves it there, so that it is whole or not there."""
    data = {
        "settings": settings,
        "state": vars(state),
        "towers": towers.state_dict(),
        "best": best,
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all() if towers.bias.is_cuda else [],
    }
    beside = path.with_suffix(".tmp")
    torch.save(data, beside)
    os.replace(beside, path)


def _restore(
    path: Path, settings: str, towers: TwoTowers, optimiser: Any, schedule: Any
) -> tuple[State, dict[str, Any]]:
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise SystemExit(
            f"There is no {path} to go on from. Begin anew: remove {path.parent} and leave --resume out."
        ) from None
    except Exception as error:
        raise SystemExit(f"{path} is no checkpoint: {error}. Remove its folder and begin anew.") from error
    if data.get("settings") != settings:
        raise SystemExit(
            f"{path} belongs to a run with another model, other pairs or other options. Give the same again, or "
            "remove its folder and begin anew."
        )
    towers.load_state_dict(data["towers"])
    optimiser.load_state_dict(data["optimiser"])
    schedule.load_state_dict(data["schedule"])
    torch.set_rng_state(data["random"])
    if data["random_cuda"]:
        torch.cuda.set_rng_state_all(data["random_cuda"])
    return State(**data["state"]), data["best"]

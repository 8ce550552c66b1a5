"""Trains encoder and head together from labelled pairs, and exports the bundle. Run: python finetune.py --help

The head is softmax(W [u; v; |u - v|] + b) over pooled vectors. It starts as the plain L1 distance, and what deviates
from that is held back. A stopped run goes on with --resume.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from finetune_pairs import Split, check_pairs, read_pairs, split_pairs


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    _require(options)
    pairs, warnings = check_pairs(read_pairs(options.pairs), options.pairs)
    for warning in warnings:
        print(warning, file=sys.stderr)
    split = split_pairs(pairs, (options.validation, options.test), options.seed, options.pairs)
    print(
        f"{len(split.train)} pairs to train on, {len(split.validation)} to validate, {len(split.test)} to test; "
        f"{split.left_out} left out, since their texts stand in two parts",
        flush=True,
    )
    try:
        _run(options, split)
    except KeyboardInterrupt:
        raise SystemExit(f"\nStopped. The same command with --resume goes on ({options.work}).") from None


def _run(options: argparse.Namespace, split: Split) -> None:
    # Torch takes seconds to load, so what is wrong with options and pairs is said before.
    import torch

    from export_hf import HuggingFaceModel
    from finetune_loop import Plan, figures, labels_of, train
    from finetune_model import TwoTowers, platt, save_model, score, set_anchor, tokens_of
    from measures import area_under_curve, brier

    if options.threads:
        torch.set_num_threads(options.threads)
    device = _device(options.device, torch)
    torch.manual_seed(options.seed)
    model = HuggingFaceModel(options.source, options.pooling, options.normalize)
    if model.encoder.after_pooling:
        raise SystemExit(
            f"{options.source} has a Dense module behind its pooling, which is not trained here. Take the folder "
            "of its transformer alone, or export it as it is and train a head: twinrank head train."
        )
    # What is written in the end is a plain folder, whose tokenizer keeps the spaces at both ends.
    model.trims = False
    most_tokens = model.encoder.most_tokens
    max_tokens = options.max_tokens or model.max_tokens
    if not 3 <= max_tokens <= most_tokens:
        raise SystemExit(f"--max-tokens must be 3 to {most_tokens}, the places this encoder has.")
    prefixes = {"query": options.query_prefix, "document": options.document_prefix}
    every = [*split.train, *split.validation, *split.test]
    tokens = tokens_of(model, every, prefixes, max_tokens)
    settings = _settings(options, model, max_tokens)
    towers = TwoTowers(model.model, model.pooling, model.normalize, model.encoder.dimensions).to(device)
    set_anchor(towers, tokens, split.train)
    test_labels = labels_of(split.test)
    before = figures(score(towers, tokens, split.test), test_labels)

    steps = math.ceil(len(split.train) / options.batch_size)
    plan = Plan(
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        head_learning_rate=options.head_learning_rate,
        warmup=options.warmup,
        strength=options.strength,
        evaluate_every=options.evaluate_every or max(1, steps // 4),
        patience=options.patience,
        seed=options.seed,
    )
    options.work.mkdir(parents=True, exist_ok=True)
    checkpoint = options.work / "checkpoint.pt"
    state = train(towers, tokens, split, plan, checkpoint, settings, options.resume)
    if state.best_step == 0:
        raise SystemExit(
            f"Nothing was learned: on the validation part no step was better than the untrained encoder "
            f"(log loss {state.best_loss:.4f}). Give a smaller --learning-rate or more pairs, or train the head "
            f"alone: twinrank head train. {options.work} can be removed."
        )

    slope, shift = platt(score(towers, tokens, split.validation), labels_of(split.validation))
    if slope <= 0:
        raise SystemExit(
            'Texts that are more alike are not more often labelled similar here. Check that label 1 means "similar".'
        )
    calibrated = slope * score(towers, tokens, split.test) + shift
    after = figures(calibrated, test_labels)
    rate = float(test_labels.mean())
    training = {
        "kind": "fine-tuned",
        "pairs": {name: len(part) for name, part in vars(split).items() if name != "left_out"},
        "strength": options.strength,
        "seed": options.seed,
        "best_step": state.best_step,
        "validation": _rounded(min(state.history, key=lambda one: one["log_loss"])),
        "calibration": _rounded({"slope": slope, "shift": shift}),
        "test": {
            "base_rate_accuracy": round(max(rate, 1 - rate), 4),
            "untrained": _rounded(before),
            **_rounded(after),
            "auc": round(area_under_curve(calibrated, test_labels), 4),
            "brier": round(brier(1 / (1 + np.exp(-calibrated)), test_labels), 4),
            "base_rate_brier": round(rate * (1 - rate), 4),
        },
    }
    print(
        f"test: accuracy {after['accuracy']:.4f} (untrained {before['accuracy']:.4f}, base rate "
        f"{max(rate, 1 - rate):.4f}), log loss {after['log_loss']:.4f} (untrained {before['log_loss']:.4f}), "
        f"AUC {training['test']['auc']:.4f}, Brier {training['test']['brier']:.4f}",
        flush=True,
    )
    folder = options.work / "model"
    shutil.rmtree(folder, ignore_errors=True)
    save_model(model, towers, folder)
    _export(options, folder, model, max_tokens, towers.head(slope, shift), training)
    checkpoint.unlink()
    print(f"{folder}: the trained encoder, as transformers saves it; remove {options.work} if you need it no more")


def _export(
    options: argparse.Namespace, folder: Path, model: Any, max_tokens: int, head: Any, training: dict[str, Any]
) -> None:
    import torch
    from safetensors.torch import save_file

    import export

    weight, bias = (torch.from_numpy(part) for part in head)
    save_file({"classifier.weight": weight, "classifier.bias": bias}, options.work / "head.safetensors")
    (options.work / "training.json").write_text(json.dumps(training, indent=2) + "\n", "utf-8")
    export.main(
        [
            *("hf", str(folder), str(options.out), "--head", str(options.work / "head.safetensors")),
            *("--pooling", model.pooling, "--normalize" if model.normalize else "--no-normalize"),
            *("--max-tokens", str(max_tokens), "--training", str(options.work / "training.json")),
            *("--name", options.name or options.out.resolve().name),
            *("--version", options.version, "--licence", options.licence),
            f"--query-prefix={options.query_prefix}",
            f"--document-prefix={options.document_prefix}",
        ]
    )


def _require(options: argparse.Namespace) -> None:
    if not options.source.is_dir():
        raise SystemExit(f"{options.source} is no folder; give the folder that save_pretrained or save wrote.")
    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise SystemExit(f"{options.out} is there already and not empty; give another folder for the bundle.")
    options.work = options.work or options.out.with_name(options.out.name + ".work")
    if options.work.exists() and any(options.work.iterdir()) and not options.resume:
        raise SystemExit(
            f"{options.work} holds an earlier run. Go on with it by --resume, remove it, or give another --work."
        )
    for name, least, most in (
        ("validation", 0.01, 0.5),
        ("test", 0.01, 0.5),
        ("warmup", 0, 1),
        ("learning_rate", 1e-9, 1),
        ("head_learning_rate", 1e-9, 1),
        ("strength", 0, 1e6),
        ("epochs", 1, 10_000),
        ("batch_size", 2, 100_000),
        ("patience", 1, 10_000),
        ("evaluate_every", 1, 10**9),
        ("threads", 1, 1024),
        ("seed", 0, 2**32 - 1),
    ):
        value = getattr(options, name)
        if value is not None and not least <= value <= most:
            raise SystemExit(f"--{name.replace('_', '-')} must be {least:g} to {most:g}, not {value:g}.")
    if options.validation + options.test > 0.8:
        raise SystemExit("--validation and --test together must leave a fifth of the pairs to train on.")


def _device(wanted: str, torch: Any) -> Any:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise SystemExit("--device cuda: torch sees no GPU here; leave --device out to train on the processor.")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def _settings(options: argparse.Namespace, model: Any, max_tokens: int) -> str:
    """Tells runs apart: everything that a resumed run must have in common with the stopped one."""
    names = (
        *("epochs", "batch_size", "learning_rate", "head_learning_rate", "warmup", "strength", "evaluate_every"),
        *("patience", "seed", "validation", "test", "query_prefix", "document_prefix"),
    )
    told = {name: getattr(options, name) for name in names}
    told |= {"pooling": model.pooling, "normalize": model.normalize, "max_tokens": max_tokens}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    digest.update(options.pairs.read_bytes())
    for name, value in model.model.state_dict().items():
        digest.update(name.encode() + np.ascontiguousarray(value.float().cpu().numpy()).tobytes())
    return digest.hexdigest()


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: value if isinstance(value, int) else round(value, 4) for name, value in values.items()}


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("source", type=Path, metavar="FOLDER", help="of transformers or sentence-transformers")
    add("pairs", type=Path, metavar="PAIRS", help="text_a, text_b, label (1 similar, 0 not): .tsv .csv .jsonl, also .gz")
    add("out", type=Path, metavar="OUT", help="folder of the bundle; must not be there")
    add("--work", type=Path, help="folder for checkpoint and trained encoder; default: OUT.work")
    add("--resume", action="store_true", help="go on with the run that was stopped")
    add("--epochs", type=int, default=3, help="at most; default 3")
    add("--batch-size", type=int, default=32, help="pairs; default 32")
    add("--learning-rate", type=float, default=2e-5, help="of the encoder; default 2e-5")
    add("--head-learning-rate", type=float, default=1e-3, help="default 1e-3")
    add("--warmup", type=float, default=0.1, help="share of all steps in which the rates rise; default .1")
    add("--strength", type=float, default=0.03, help="how hard the head is held to the distance; default .03")
    add("--evaluate-every", type=int, help="steps between evaluations and checkpoints; default: four in an epoch")
    add("--patience", type=int, default=4, help="evaluations without a gain after which it stops; default 4")
    add("--validation", type=float, default=0.1, help="share of the pairs that stops and calibrates; default .1")
    add("--test", type=float, default=0.1, help="share of the pairs that only measures; default .1")
    add("--seed", type=int, default=1, help="of split, batches and dropout; default 1")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: a GPU where there is one")
    add("--threads", type=int, help="of the processor; default: torch's choice")
    add("--pooling", choices=("mean", "cls"), help="where the folder does not say; default mean")
    add(
        "--normalize",
        action=argparse.BooleanOptionalAction,
        help="unit length, where the folder does not say; default yes",
    )
    add("--max-tokens", type=int, help="ids of a text; default: as the folder says")
    add("--query-prefix", default="", help='put before text_a and queries, "query: " for instance')
    add("--document-prefix", default="", help="put before text_b and documents")
    add("--name", help="of the bundle; default: that of OUT")
    add("--version", default="1.0.0", help="of the bundle")
    add("--licence", default="unknown", help="of the weights")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

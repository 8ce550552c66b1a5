"""Exports an encoder with its head into a bundle. Run: python export.py hf --help, python export.py paddle --help

The bundle is written only if its ids equal the framework's and its vectors and logits agree to 1e-5.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle import FILES, Head, Spec, write_head_rows, write_manifest
from export_graph import write_graph
from export_texts import TEXTS
from export_tokenizer import write_tokenizer_files
from export_verify import TOLERANCE, Logits, Parity, compare, write_golden_examples
from reference import ReferenceEncoder


def main(arguments: list[str] | None = None) -> Parity:
    options = _options(arguments)
    for file in (options.source, *(getattr(options, name, None) for name in ("config", "vocab", "training"))):
        if file is not None and not file.exists():
            raise SystemExit(f"There is no {file}.")
    if getattr(options, "head", "none") != "none" and not Path(options.head).exists():
        raise SystemExit(f"There is no {options.head}.")
    if options.out.exists() and any(options.out.iterdir()):
        raise SystemExit(f"{options.out} is there already and not empty.")
    return export_hf(options) if options.framework == "hf" else export_paddle(options)


def export_hf(options: argparse.Namespace) -> Parity:
    """From a folder of transformers or sentence-transformers."""
    import torch

    from export_hf import HuggingFaceModel, read_head

    model = HuggingFaceModel(options.source, options.pooling, options.normalize)
    head = None if options.head == "none" else read_head(Path(options.head), model.encoder.dimensions)

    def logits(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
        """SoftmaxLoss's classifier under torch."""
        u, v = torch.from_numpy(left), torch.from_numpy(right)
        weight, bias = (torch.from_numpy(part).float() for part in head)
        return torch.nn.functional.linear(torch.cat([u, v, torch.abs(u - v)], 1), weight, bias).numpy()

    versions = f"transformers {__import__('transformers').__version__}, torch {torch.__version__}"
    return _write(options, model, head, logits if head else None, versions)


def export_paddle(options: argparse.Namespace) -> Parity:
    """From a checkpoint of PaddleNLP's text_matching example."""
    import paddle

    from export_paddle import PaddleModel

    model = PaddleModel(options.source, options.config, options.vocab, options.first_position)
    return _write(options, model, model.head, model.logits, f"paddle {paddle.__version__}")


def _write(
    options: argparse.Namespace, model: Any, head: Head | None, logits: Logits | None, versions: str
) -> Parity:
    """Builds the bundle beside its place and moves it there when it agrees."""
    spec = _spec(options, model, versions)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".export-") as place:
        folder = Path(place) / "bundle"
        folder.mkdir()
        write_graph(model.encoder, spec.name, folder / FILES["encoder"])
        write_tokenizer_files(model.backend, folder, model.rewrite, model.trims)
        weight, bias, training = _anchor(folder, spec) if head is None else (*head, _trained(options))
        write_head_rows(folder, spec, weight.tolist(), bias.tolist(), training)
        parity, results = compare(model, folder, spec, logits)
        print(f"{spec.name}: {parity}")
        if not parity.holds(options.tolerance):
            raise SystemExit(
                f"{options.source} is not exported: the bundle and {versions} must give the same ids and agree to "
                f"{options.tolerance:g}. {_hint(parity)}"
            )
        write_golden_examples(folder, spec)
        write_manifest(folder, spec)
        if options.out.exists():
            options.out.rmdir()
        shutil.move(folder, options.out)
    if options.results:
        options.results.write_text(json.dumps(results), "utf-8")
    print(f"{options.out}: written")
    return parity


def _hint(parity: Parity) -> str:
    if parity.other_ids:
        return f"Other ids: {', '.join(map(repr, parity.other_ids[:5]))}."
    return "The configuration may not be that of the weights."


def _spec(options: argparse.Namespace, model: Any, versions: str) -> Spec:
    if model.encoder.most_tokens < 3:
        raise SystemExit("--first-position lies beyond the table of positions.")
    max_tokens = options.max_tokens or model.max_tokens
    if not 3 <= max_tokens <= model.encoder.most_tokens:
        raise SystemExit(f"--max-tokens must be 3 to {model.encoder.most_tokens}, the places this encoder has.")
    layers, dimensions = len(model.encoder.layers), model.encoder.dimensions
    source = options.source.resolve()
    return Spec(
        name=options.name or re.sub(r"[^\w.-]+", "-", (source.parent if source.is_file() else source).name),
        version=options.version,
        license=options.licence,
        description=f"Encoder of {layers} layers and {dimensions} dimensions, pooled by {model.pooling}.",
        source=f"Exported from {source.name} and compared with {versions}.",
        dimensions=dimensions,
        max_tokens=max_tokens,
        pad_id=model.pad_id,
        pooling=model.pooling,
        normalize=model.normalize,
        query_prefix=options.query_prefix,
        document_prefix=options.document_prefix,
    )


def _trained(options: argparse.Namespace) -> dict[str, Any]:
    if options.training is not None:
        return json.loads(options.training.read_text("utf-8"))
    name = options.source.name if options.framework == "paddle" else Path(options.head).name
    return {"kind": "trained", "source": name}


def _anchor(folder: Path, spec: Spec) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, Any]]:
    """A head without training: log-odds fall with the sum of |u - v|, the order is that of this distance.

    .5 lies halfway between equal texts and the mean pair of unrelated ones, equal texts get .98.
    """
    vectors = ReferenceEncoder(folder, spec=spec).encode(TEXTS).astype(np.float64)
    distances = np.abs(vectors[:, None] - vectors[None, :]).sum(-1)
    middle = distances[np.triu_indices(len(TEXTS), 1)].mean() / 2
    slope = 4 / middle if middle > 0 else 1.0
    row = np.concatenate([np.zeros(2 * spec.dimensions), np.full(spec.dimensions, -slope / 2)])
    training = {
        "kind": "anchor",
        "note": "Not trained: orders by the distance of the vectors, and its probabilities are not calibrated. "
        "Train a head with twinrank head train.",
    }
    return np.stack([-row, row]), np.array([-2.0, 2.0]), training


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    frameworks = parser.add_subparsers(dest="framework", required=True)
    hf = frameworks.add_parser("hf", help="from a folder of transformers or sentence-transformers")
    hf.add_argument("source", type=Path, metavar="FOLDER")
    hf.add_argument(
        "--head", default="none", help="the classifier of SoftmaxLoss, .pt or .safetensors; default: none"
    )
    hf.add_argument("--pooling", choices=("mean", "cls"), help="where the folder does not say; default mean")
    hf.add_argument(
        "--normalize",
        action=argparse.BooleanOptionalAction,
        help="unit length, where the folder does not say; default yes",
    )
    paddle = frameworks.add_parser("paddle", help="from PaddleNLP's example text_matching/sentence_transformers")
    paddle.add_argument("source", type=Path, metavar="FOLDER_OR_PDPARAMS")
    paddle.add_argument("--config", type=Path, help="model_config.json or config.json of the encoder")
    paddle.add_argument("--vocab", type=Path, help="vocab.txt")
    paddle.add_argument(
        "--first-position",
        type=int,
        help="row of the position table that the first token takes; default for RobertaModel 1, as PaddleNLP 2.8\n"
        "counts; 0 if an older version trained it",
    )
    for one in (hf, paddle):
        one.add_argument("out", type=Path, metavar="OUT", help="folder of the bundle; must not be there")
        one.add_argument("--name", help="of the bundle; default: the folder's name")
        one.add_argument("--version", default="1.0.0", help="of the bundle")
        one.add_argument("--licence", default="unknown", help="of the weights")
        one.add_argument("--max-tokens", type=int, help="ids of a text; default: as trained")
        one.add_argument("--query-prefix", default="", help='put before queries, "query: " for instance')
        one.add_argument("--document-prefix", default="", help="put before documents")
        one.add_argument("--tolerance", type=float, default=TOLERANCE, help="default 1e-5")
        one.add_argument("--training", type=Path, help="JSON file on the head's training, for its head.json")
        one.add_argument("--results", type=Path, help="file for what the framework gave, to compare elsewhere")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

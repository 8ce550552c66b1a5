"""Reads a folder of transformers or sentence-transformers, and computes with it what the export must give."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModel, AutoTokenizer

from bundle import Head
from export_graph import Dense, Encoder, Layer, Linear, Norm

FAMILIES = ("bert", "roberta", "xlm-roberta", "mpnet", "ernie")
OFFSET_FAMILIES = ("roberta", "xlm-roberta", "mpnet")
"""Their first position is the row after the padding id."""

DENSE_ACTIVATIONS = {"Tanh": "tanh", "Identity": "identity", "ReLU": "relu", "GELU": "gelu"}


ORDER = {
    "Transformer": ("",),
    "Pooling": ("Transformer",),
    "Dense": ("Pooling", "Dense"),
    "Normalize": ("Pooling", "Dense"),
}
"""What each module of sentence-transformers may stand behind."""


@dataclass(frozen=True)
class Attention:
    """Names of a layer's tensors below `attention`."""

    query: str
    key: str
    value: str
    output: str
    norm: str


BERT = Attention("self.query", "self.key", "self.value", "output.dense", "output.LayerNorm")
MPNET = Attention("attn.q", "attn.k", "attn.v", "attn.o", "LayerNorm")


@dataclass(frozen=True)
class Modules:
    """What modules.json of sentence-transformers says; a plain folder has none of it."""

    transformer: Path
    pooling: str | None = None
    dense: tuple[Path, ...] = ()
    normalize: bool | None = None
    max_tokens: int | None = None


class HuggingFaceModel:
    """One encoder under torch: weights, tokenizer, and its own vectors."""

    rewrite = None

    def __init__(self, folder: Path, pooling: str | None, normalize: bool | None) -> None:
        self.folder = folder
        modules = _modules(folder)
        self.pooling = modules.pooling or pooling or "mean"
        if modules.pooling and pooling and modules.pooling != pooling:
            raise SystemExit(f"{folder} pools by {modules.pooling}; leave --pooling out.")
        self.normalize = next((one for one in (modules.normalize, normalize) if one is not None), True)
        self._is_sentence_transformer = modules.pooling is not None
        self.trims = self._is_sentence_transformer
        """sentence-transformers takes spaces off both ends of a text."""
        self.config = _loaded(folder, lambda: AutoConfig.from_pretrained(modules.transformer))
        if self.config.model_type not in FAMILIES:
            raise SystemExit(
                f'{folder} is of type "{self.config.model_type}"; {", ".join(FAMILIES)} can be exported.'
            )
        kind = getattr(self.config, "position_embedding_type", "absolute")
        if kind not in (None, "absolute"):
            raise SystemExit(f'{folder} has "{kind}" positions; absolute ones can be exported.')
        self.tokenizer = _loaded(
            folder, lambda: AutoTokenizer.from_pretrained(modules.transformer, use_fast=True)
        )
        if not self.tokenizer.is_fast:
            raise SystemExit(f"{folder} has no fast tokenizer (tokenizer.json).")
        if self.tokenizer.pad_token_id is None:
            raise SystemExit(
                f"{modules.transformer / 'tokenizer_config.json'}: the tokenizer has no padding token. Name the one "
                'that the model was trained with there, "pad_token": "[PAD]" for instance.'
            )
        # Eager attention: the formula as published, which the exported graph follows too.
        self.model, info = _loaded(
            folder,
            lambda: AutoModel.from_pretrained(
                modules.transformer, attn_implementation="eager", dtype=torch.float32, output_loading_info=True
            ),
        )
        self.model.eval()
        # transformers fills in at random what a file lacks; nothing here reads the pooler.
        lacking = sorted(key for key in info["missing_keys"] if not key.startswith("pooler."))
        if lacking:
            raise SystemExit(
                f"{folder} lacks {len(lacking)} of the model's tensors ({', '.join(lacking[:3])}): its weights are "
                "not those of its config.json."
            )
        self._dense = [_dense(path) for path in modules.dense]
        self.encoder = self._encoder()
        self.max_tokens = min(
            modules.max_tokens or self.tokenizer.model_max_length, self.encoder.most_tokens, 10_000
        )

    @property
    def backend(self):  # noqa: ANN201
        """The Rust tokenizer; it neither cuts nor pads."""
        backend = self.tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        return backend

    @property
    def pad_id(self) -> int:
        return self.tokenizer.pad_token_id

    def ids(self, texts: list[str], max_tokens: int) -> list[list[int]]:
        """Ids by the framework's own tokenizer."""
        if self.trims:
            texts = [text.strip() for text in texts]
        return self.tokenizer(texts, truncation=True, max_length=max_tokens)["input_ids"]

    def vectors(self, texts: list[str], max_tokens: int) -> NDArray[np.float32]:
        """Vectors by the framework: of sentence-transformers itself where the folder is one of its own."""
        if self._is_sentence_transformer:
            from sentence_transformers import SentenceTransformer

            model = SentenceTransformer(str(self.folder), device="cpu")
            model.max_seq_length = max_tokens
            return np.asarray(model.encode(texts, batch_size=8, show_progress_bar=False), np.float32)
        rows = [self._vectors(texts[start : start + 8], max_tokens) for start in range(0, len(texts), 8)]
        return np.concatenate(rows)

    def _vectors(self, texts: list[str], max_tokens: int) -> NDArray[np.float32]:
        batch = self.tokenizer(
            texts, truncation=True, max_length=max_tokens, padding=True, return_tensors="pt"
        )
        with torch.no_grad():
            hidden = self.model(**batch).last_hidden_state
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            mask = batch["attention_mask"].unsqueeze(-1).float()
            pooled = (hidden * mask).sum(1) / mask.sum(1)
        if self.normalize:
            pooled = torch.nn.functional.normalize(pooled, dim=-1)
        return pooled.numpy()

    def _encoder(self) -> Encoder:
        config = self.config
        state = {key: value.float().numpy() for key, value in self.model.state_dict().items()}
        positions = state["embeddings.position_embeddings.weight"]
        if config.model_type in OFFSET_FAMILIES:
            positions = positions[config.pad_token_id + 1 :]
        for table in ("token_type", "task_type"):
            rows = state.get(f"embeddings.{table}_embeddings.weight")
            if rows is not None:
                positions = positions + rows[0]
        attention = MPNET if config.model_type == "mpnet" else BERT
        layers = range(config.num_hidden_layers)
        return Encoder(
            words=state["embeddings.word_embeddings.weight"],
            added=positions,
            embedding_norm=_norm(state, "embeddings.LayerNorm"),
            layers=[_layer(state, f"encoder.layer.{index}", attention) for index in layers],
            heads=config.num_attention_heads,
            epsilon=config.layer_norm_eps,
            activation=config.hidden_act,
            relative_bias=_mpnet_bias(self.model, len(positions)) if config.model_type == "mpnet" else None,
            pooling=self.pooling,
            after_pooling=self._dense,
        )


def read_head(path: Path, dimensions: int) -> Head:
    """Weight rows [2, 3 x dimensions] and biases of a SoftmaxLoss's classifier, saved with torch or safetensors."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    return head_of_state({key: value.double().numpy() for key, value in state.items()}, path, dimensions)


def head_of_state(state: dict[str, NDArray], path: Path, dimensions: int) -> Head:
    """The classifier among tensors with rows for outputs."""
    found = {
        part: [value for key, value in state.items() if key == part or key.endswith(f"classifier.{part}")]
        for part in ("weight", "bias")
    }
    if any(len(values) != 1 for values in found.values()):
        raise SystemExit(f'{path} holds no one "classifier.weight" and "classifier.bias".')
    weight, bias = (np.asarray(values[0], np.float64) for values in found.values())
    if weight.shape != (2, 3 * dimensions) or bias.shape != (2,):
        raise SystemExit(
            f"{path} has a classifier of {' x '.join(map(str, weight.shape))}; 2 x {3 * dimensions} over "
            "[u; v; |u-v|] is needed (two labels, class 1 is similar; no product of u and v)."
        )
    return weight, bias


def _loaded(folder: Path, load: Callable[[], Any]) -> Any:
    """What transformers reads from the folder. It has no one kind of error for what it cannot read."""
    try:
        return load()
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        raise SystemExit(f"{folder} is no model that transformers can load: {reason}") from error


def _modules(folder: Path) -> Modules:
    listed = folder / "modules.json"
    if not listed.exists():
        if not (folder / "config.json").exists():
            raise SystemExit(f"{folder} holds neither modules.json nor config.json.")
        return Modules(folder)
    transformer, pooling, dense, normalize = folder, None, [], False
    before = ""
    for module in json.loads(listed.read_text("utf-8")):
        kind, path = module["type"].rsplit(".", 1)[-1], folder / module["path"]
        if kind in ORDER and before not in ORDER[kind]:
            raise SystemExit(
                f"{listed} has {kind} behind {before or 'nothing'}; Transformer, Pooling, Dense, Normalize can be "
                "exported, in this order."
            )
        before = kind
        if kind == "Transformer":
            transformer = path
        elif kind == "Pooling":
            pooling = _pooling(json.loads((path / "config.json").read_text("utf-8")), folder)
        elif kind == "Dense":
            dense.append(path)
        elif kind == "Normalize":
            normalize = True
        else:
            raise SystemExit(f'{folder} has a module "{module["type"]}", which cannot be exported.')
    settings = transformer / "sentence_bert_config.json"
    limit = json.loads(settings.read_text("utf-8")).get("max_seq_length") if settings.exists() else None
    if pooling is None:
        raise SystemExit(f"{folder} has no pooling module.")
    return Modules(transformer, pooling, tuple(dense), normalize, limit)


def _pooling(config: dict[str, Any], folder: Path) -> str:
    modes = sorted(key for key, value in config.items() if key.startswith("pooling_mode_") and value is True)
    known = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
    if len(modes) != 1 or modes[0] not in known:
        raise SystemExit(f"{folder} pools by {', '.join(modes)}; the mean or the first token can be exported.")
    return known[modes[0]]


def _dense(folder: Path) -> Dense:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    activation = config["activation_function"].rsplit(".", 1)[-1]
    if activation not in DENSE_ACTIVATIONS:
        raise SystemExit(f"{folder} has the activation {activation}; {', '.join(DENSE_ACTIVATIONS)} are known.")
    if (folder / "model.safetensors").exists():
        from safetensors.torch import load_file

        state = load_file(folder / "model.safetensors")
    else:
        state = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
    weight = state["linear.weight"].float().numpy()
    bias = state["linear.bias"].float().numpy() if "linear.bias" in state else np.zeros(len(weight), np.float32)
    return Dense(Linear(weight.T, bias), DENSE_ACTIVATIONS[activation])


def _linear(state: dict[str, NDArray], name: str) -> Linear:
    return Linear(state[f"{name}.weight"].T, state[f"{name}.bias"])


def _norm(state: dict[str, NDArray], name: str) -> Norm:
    return Norm(state[f"{name}.weight"], state[f"{name}.bias"])


def _layer(state: dict[str, NDArray], name: str, attention: Attention) -> Layer:
    return Layer(
        query=_linear(state, f"{name}.attention.{attention.query}"),
        key=_linear(state, f"{name}.attention.{attention.key}"),
        value=_linear(state, f"{name}.attention.{attention.value}"),
        output=_linear(state, f"{name}.attention.{attention.output}"),
        attention_norm=_norm(state, f"{name}.attention.{attention.norm}"),
        inner=_linear(state, f"{name}.intermediate.dense"),
        outer=_linear(state, f"{name}.output.dense"),
        norm=_norm(state, f"{name}.output.LayerNorm"),
    )


def _mpnet_bias(model: torch.nn.Module, places: int) -> NDArray[np.float32]:
    """[heads, places, places]: by the model's own method, since buckets hang on the rounding of logarithms."""
    with torch.no_grad():
        return model.encoder.compute_position_bias(torch.zeros(1, places, 1))[0].numpy()

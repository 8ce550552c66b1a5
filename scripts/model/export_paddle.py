"""Reads a .pdparams of PaddleNLP's text_matching example "sentence_transformers", and computes what it must give.

The example trains `ptm` (ErnieModel, RobertaModel or BertModel: one encoder for both texts), takes the mean of the
tokens that are not padding, and classifies [u; v; |u-v|] by `classifier`, Linear(3H, 2) (Reimers and Gurevych
2019). The model classes are rebuilt here over paddle.nn, tensor for tensor under PaddleNLP's names, so that paddle
alone is needed: PaddleNLP is hard to install. test_export.py compares them with PaddleNLP's own.
"""

from __future__ import annotations

import json
import pickle
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray
from paddle import nn
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from bundle import Head
from export_graph import Encoder, Layer, Linear, Norm

WORDS = "embeddings.word_embeddings.weight"
TRAINED_LENGTH = 128
"""The example's --max_seq_length."""

SYMBOLS = {0x00AD, 0x00B2, 0x00BA, 0x3007, 0x00B5, 0x00D8, 0x014B, 0x01B1}
"""Characters that PaddleNLP makes words of although they are no symbols."""

CHINESE = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class PaddleModel:
    """One checkpoint: weights, tokenizer, head, and its vectors under paddle."""

    pooling = "mean"
    normalize = False
    trims = False

    def __init__(
        self, given: Path, config: Path | None, vocabulary: Path | None, first_position: int | None
    ) -> None:
        self.path = _file(given, "checkpoint", ("model_state.pdparams", "*.pdparams"))
        folder = self.path.parent
        self._state = read_pdparams(self.path)
        self.config = read_config(config or _file(folder, "configuration", ("model_config.json", "config.json")))
        self._vocabulary = read_vocabulary(vocabulary or _file(folder, "vocabulary", ("vocab.txt",)))
        self._prefix = self._find_prefix()
        self._first_position = self._position_of_first(first_position)
        self.encoder = self._encoder()
        self.max_tokens = min(TRAINED_LENGTH, self.encoder.most_tokens)
        self.head = self._head()
        self._network = Network(self.config, self._tensors(), self._first_position)

    @property
    def pad_id(self) -> int:
        return self.config["pad_token_id"]

    def rewrite(self, character: str) -> str:
        """What becomes of a character before the text is split at spaces."""
        return characters(character, self.config["do_lower_case"])

    @property
    def backend(self) -> Tokenizer:
        """The model of the tokenizer; its characters are rewritten first, see `rewrite`."""
        vocabulary = self._vocabulary
        start, end = vocabulary["[CLS]"], vocabulary["[SEP]"]
        tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer.add_special_tokens(["[PAD]", "[CLS]", "[SEP]", "[UNK]"])
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", start), ("[SEP]", end)]
        )
        return tokenizer

    def ids(self, texts: list[str], max_tokens: int) -> list[list[int]]:
        """Ids by PaddleNLP's rules, word for word."""
        rows = []
        for text in texts:
            words = "".join(map(self.rewrite, text)).split()
            pieces = [piece for word in words for piece in self._pieces(word)]
            names = ["[CLS]", *pieces[: max_tokens - 2], "[SEP]"]
            rows.append([self._vocabulary[name] for name in names])
        return rows

    def vectors(self, texts: list[str], max_tokens: int) -> NDArray[np.float32]:
        ids = self.ids(texts, max_tokens)
        return np.concatenate(
            [self._vectors(ids[start : start + 8]) for start in range(0, len(ids), 8)]
        )

    def logits(self, left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
        """The classifier under paddle."""
        u, v = paddle.to_tensor(left), paddle.to_tensor(right)
        joined = paddle.concat([u, v, paddle.abs(u - v)], axis=-1)
        weight = paddle.to_tensor(self._state["classifier.weight"])
        return (paddle.matmul(joined, weight) + paddle.to_tensor(self._state["classifier.bias"])).numpy()

    def _vectors(self, rows: list[list[int]]) -> NDArray[np.float32]:
        width = max(map(len, rows))
        ids = np.full((len(rows), width), self.pad_id, np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
        with paddle.no_grad():
            return self._network(paddle.to_tensor(ids)).numpy()

    def _pieces(self, word: str) -> list[str]:
        """Longest match first; a word with a part that is in no piece, or of over 100 characters, is unknown."""
        if len(word) > 100:
            return ["[UNK]"]
        pieces, start = [], 0
        while start < len(word):
            stops = range(len(word), start, -1)
            named = (("##" if start else "") + word[start:stop] for stop in stops)
            piece = next((name for name in named if name in self._vocabulary), None)
            if piece is None:
                return ["[UNK]"]
            pieces.append(piece)
            start += len(piece) - (2 if start else 0)
        return pieces

    def _find_prefix(self) -> str:
        found = [key[: -len(WORDS)] for key in self._state if key.endswith(WORDS)]
        if len(found) != 1:
            raise SystemExit(f"{self.path} holds no one encoder (a tensor ...{WORDS}).")
        return found[0]

    def _position_of_first(self, given: int | None) -> int:
        if given is not None:
            return given
        # PaddleNLP 2.8 counts the places of RobertaModel from the padding id on, older versions from 0.
        return self.pad_id + 1 if self.config["family"] == "roberta" else 0

    def _tensors(self) -> dict[str, NDArray[np.float32]]:
        start = len(self._prefix)
        return {key[start:]: value for key, value in self._state.items() if key.startswith(self._prefix)}

    def _encoder(self) -> Encoder:
        state = self._tensors()
        added = state["embeddings.position_embeddings.weight"][self._first_position :]
        added = added + state["embeddings.token_type_embeddings.weight"][0]
        if self.config["use_task_id"]:
            added = added + state["embeddings.task_type_embeddings.weight"][self.config["task_id"]]
        layers = [_layer(state, f"encoder.layers.{i}") for i in range(self.config["num_hidden_layers"])]
        return Encoder(
            words=state[WORDS],
            added=added,
            embedding_norm=Norm(state["embeddings.layer_norm.weight"], state["embeddings.layer_norm.bias"]),
            layers=layers,
            heads=self.config["num_attention_heads"],
            epsilon=self.config["layer_norm_eps"],
            activation=self.config["hidden_act"],
        )

    def _head(self) -> Head:
        """Paddle's Linear is [inputs, outputs]; ours has a row for each class."""
        size = 3 * self.encoder.dimensions
        weight, bias = self._state.get("classifier.weight"), self._state.get("classifier.bias")
        if weight is None or bias is None:
            raise SystemExit(f"{self.path} holds no classifier; export the whole model of the example.")
        if weight.shape != (size, 2):
            shape = " x ".join(map(str, weight.shape))
            raise SystemExit(f"{self.path} has a classifier of {shape}; {size} x 2 over [u; v; |u-v|] is needed.")
        return weight.T.astype(np.float64), bias.astype(np.float64)


class Network(nn.Layer):
    """ErnieModel, BertModel and RobertaModel up to the mean, under PaddleNLP's parameter names."""

    def __init__(self, config: dict[str, Any], state: dict[str, NDArray], first_position: int) -> None:
        super().__init__()
        hidden = config["hidden_size"]
        self._pad_id, self._first_position = config["pad_token_id"], first_position
        self._task_id = config["task_id"] if config["use_task_id"] else None
        self.embeddings = nn.Layer()
        for table in ("word", "position", "token_type", "task_type"):
            weight = state.get(f"embeddings.{table}_embeddings.weight")
            if weight is not None:
                setattr(self.embeddings, f"{table}_embeddings", nn.Embedding(*weight.shape))
        self.embeddings.layer_norm = nn.LayerNorm(hidden)
        layer = nn.TransformerEncoderLayer(
            hidden,
            config["num_attention_heads"],
            config["intermediate_size"],
            dropout=0.0,
            activation=config["hidden_act"],
        )
        self.encoder = nn.TransformerEncoder(layer, config["num_hidden_layers"])
        for part in self.sublayers():
            if isinstance(part, nn.LayerNorm):
                part._epsilon = config["layer_norm_eps"]  # noqa: SLF001 (as PaddleNLP does)
        wanted = {key: value for key, value in state.items() if not key.startswith("pooler.")}
        missing, unexpected = self.set_state_dict(wanted)
        if missing or unexpected:
            raise SystemExit(f"The checkpoint does not fit its configuration: {[*missing, *unexpected][:4]}.")
        self.eval()

    def forward(self, ids: paddle.Tensor) -> paddle.Tensor:
        tables = self.embeddings
        places = paddle.arange(self._first_position, self._first_position + ids.shape[1])
        hidden = tables.word_embeddings(ids) + tables.position_embeddings(places)
        hidden = hidden + tables.token_type_embeddings(paddle.zeros_like(ids))
        if self._task_id is not None:
            hidden = hidden + tables.task_type_embeddings(paddle.full_like(ids, self._task_id))
        padding = (ids == self._pad_id).astype("float32")
        hidden = self.encoder(tables.layer_norm(hidden), padding.unsqueeze([1, 2]) * -1e4)
        kept = (1 - padding).unsqueeze(2)
        return paddle.sum(hidden * kept, axis=1) / paddle.sum(kept, axis=1)


def characters(character: str, lower_case: bool) -> str:
    """What PaddleNLP's BasicTokenizer makes of one character; spaces around it where it is a word by itself."""
    category = unicodedata.category(character)
    if character in "\t\n\r " or category == "Zs":
        return " "
    code = ord(character)
    if code in (0, 0xFFFD) or category[0] == "C":
        return ""
    if lower_case:
        low = unicodedata.normalize("NFD", character.lower())
        character = "".join(one for one in low if unicodedata.category(one) != "Mn")
    if any(first <= code <= last for first, last in CHINESE):
        return f" {character} "
    return "".join(f" {one} " if _is_word(one) else one for one in character)


def read_pdparams(path: Path) -> dict[str, NDArray[np.float32]]:
    """The tensors of a state dict that paddle saved; nothing but arrays is unpickled."""
    try:
        with path.open("rb") as file:
            loaded = _ArraysOnly(file).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, ValueError) as error:
        raise SystemExit(f"{path} is no state dict of paddle: {error}") from error
    state: dict[str, NDArray[np.float32]] = {}
    for key, value in loaded.items():
        array = value[1] if isinstance(value, tuple) else value
        if isinstance(array, np.ndarray) and np.issubdtype(array.dtype, np.floating):
            state[key] = array.astype(np.float32)
    return state


def read_config(path: Path) -> dict[str, Any]:
    """Of config.json, or of the older model_config.json with its nested "init_args"."""
    data = json.loads(path.read_text("utf-8"))
    names = " ".join([*data.get("architectures", []), str(data.get("init_class", "")), data.get("model_type", "")])
    while "init_args" in data and "hidden_size" not in data:
        inner = next(one for one in data["init_args"] if isinstance(one, dict))
        names += " " + str(inner.get("init_class", ""))
        data = inner
    family = next((one for one in ("ernie", "roberta", "bert") if one in names.lower()), None)
    if family is None:
        raise SystemExit(f"{path} names no model class; ErnieModel, RobertaModel and BertModel can be exported.")
    if "hidden_size" not in data or "num_attention_heads" not in data:
        raise SystemExit(f'{path} has no "hidden_size" and "num_attention_heads".')
    return {
        "intermediate_size": 4 * data["hidden_size"],
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
        "task_id": 0,
        "use_task_id": False,
        "do_lower_case": True,
        "num_hidden_layers": 12,
        **data,
        "family": family,
    }


def read_vocabulary(path: Path) -> dict[str, int]:
    """One piece a line, its id the line's number."""
    lines = path.read_text("utf-8").rstrip("\n").split("\n")
    vocabulary = {line: index for index, line in enumerate(lines)}
    missing = [token for token in ("[PAD]", "[CLS]", "[SEP]", "[UNK]") if token not in vocabulary]
    if missing:
        raise SystemExit(f"{path} lacks {', '.join(missing)}.")
    return vocabulary


class _ArraysOnly(pickle.Unpickler):
    ALLOWED = {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.numeric", "_frombuffer"),
        ("numpy.core.numeric", "_frombuffer"),
        ("collections", "OrderedDict"),
        ("_codecs", "encode"),
        ("builtins", "tuple"),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self.ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds a {module}.{name}, arrays are expected")


def _file(given: Path, what: str, patterns: tuple[str, ...]) -> Path:
    if given.is_file():
        return given
    found = [path for pattern in patterns for path in sorted(given.glob(pattern))]
    if not found:
        raise SystemExit(f"There is no {what} in {given}; expected {' or '.join(patterns)}.")
    return found[0]


def _is_word(character: str) -> bool:
    code, category = ord(character), unicodedata.category(character)
    ascii_symbol = code < 0x7F and not character.isalnum() and not character.isspace()
    return ascii_symbol or category[0] in "PS" or code in SYMBOLS


def _layer(state: dict[str, NDArray], name: str) -> Layer:
    def linear(part: str) -> Linear:
        return Linear(state[f"{name}.{part}.weight"], state[f"{name}.{part}.bias"])

    def norm(part: str) -> Norm:
        return Norm(state[f"{name}.{part}.weight"], state[f"{name}.{part}.bias"])

    return Layer(
        query=linear("self_attn.q_proj"),
        key=linear("self_attn.k_proj"),
        value=linear("self_attn.v_proj"),
        output=linear("self_attn.out_proj"),
        attention_norm=norm("norm1"),
        inner=linear("linear1"),
        outer=linear("linear2"),
        norm=norm("norm2"),
    )

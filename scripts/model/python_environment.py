"""A virtual environment with pinned packages in the cache folder, made on first use.

Run: python3.11 python_environment.py REQUIREMENTS... ; prints the path of its Python. Needs no packages itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path


def cache_folder() -> Path:
    """The same folder as that of the TypeScript scripts: TWINRANK_CACHE, else twinrank in XDG_CACHE_HOME or ~/.cache."""
    own = os.environ.get("TWINRANK_CACHE")
    if own:
        return Path(own).resolve()
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache").resolve() / "twinrank"


def environment(requirements: list[Path]) -> Path:
    """The Python of an environment with exactly these requirement files; made where it is missing."""
    wanted = "".join(file.read_text("utf-8") for file in requirements)
    key = hashlib.sha256(f"{sys.version_info[:2]}\n{wanted}".encode()).hexdigest()[:12]
    folder = cache_folder() / "python" / key
    python = folder / "bin" / "python"
    if (folder / "installed").exists():
        return python
    print(f"Installing {', '.join(file.name for file in requirements)} into {folder} …", file=sys.stderr)
    # What a broken attempt left behind is not built upon.
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, stdout=sys.stderr)
    pip = [python, "-m", "pip", "install", "-q"]
    files = [part for file in requirements for part in ("-r", str(file))]
    subprocess.run([*pip, *files], check=True, stdout=sys.stderr)
    (folder / "installed").write_text(wanted, "utf-8")
    return python


if __name__ == "__main__":
    print(environment([Path(argument) for argument in sys.argv[1:]]))

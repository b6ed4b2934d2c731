"""Where figures are kept, and how they get there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

RESULTS = Path(__file__).parent / "results"  # in the tree: what the README quotes
RUNS = Path("runs") / "benchmarks"  # below the current folder: figures of a user's own workloads


def write(path: Path, content: str | bytes) -> None:
    """Write to a temporary name, then rename: a file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)

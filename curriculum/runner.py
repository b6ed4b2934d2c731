"""Runs a lesson in one engine, in a process of its own (see processes.py), or reuses the result that is already there."""

import hashlib
import json
import os
import sys
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import Any

from . import files, processes
from .catalog import HERE, Lesson
from .record import CELL, PROGRESS

ALL_LESSONS_USE = (
    "engine.py", "record.py", "draw.py", "plots.py", "colours.py", "data.py", "corpus.py", "memory.py", "patients.py", "playground.py", "catalog.py", "worker.py",
)  # fmt: skip
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Setting:
    engine: str
    dtype: str
    seed: int

    def folder(self, out: Path, lesson: Lesson) -> Path:
        return out / lesson.name / f"{self.engine}-{self.dtype}-{self.seed}"


class Failed(Exception):
    """A lesson that did not come to its end; the text says why."""


@cache
def _engine() -> bytes:
    """A digest of minigrad's source as it is when this process first asks: to read it for each result takes minutes."""
    spec = util.find_spec("minigrad")
    if spec is None or spec.origin is None:
        raise SystemExit("The engine minigrad is not installed: pip install -e .")
    digest = hashlib.sha256()
    package = Path(spec.origin).parent
    for path in sorted(path for path in package.rglob("*") if path.suffix in (".py", ".html", ".css", ".js")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.digest()


def key(lesson: Lesson, setting: Setting) -> str:
    """What a result depends on: lesson, what lessons use, engine, libraries, dtype and seed."""
    sources = [lesson.path, *(HERE / name for name in ALL_LESSONS_USE)]
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    if setting.engine == "minigrad":
        digest.update(_engine())
    versions = []
    text = lesson.path.read_text(encoding="utf-8")
    if "pretrained()" in text:
        digest.update((HERE / "assets" / "tiny_encoder" / "model.safetensors").read_bytes())
    optional = [package for package in ("jax", "tensorflow") if f"import {package}" in text]
    for package in ("numpy", "scikit-learn", "torch" if setting.engine == "torch" else "numba", *optional):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    asked = [os.environ.get(name) for name in ("MINIGRAD_FULL", "MINIGRAD_DATA", "MINIGRAD_MODEL")]
    digest.update(repr((setting, versions, sys.version_info[:2], asked)).encode())
    return digest.hexdigest()


def result(out: Path, lesson: Lesson, setting: Setting) -> dict[str, Any] | None:
    """The finished result that is there, fresh or stale; None where there is none, or a damaged one."""
    folder = setting.folder(out, lesson)
    try:
        there = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return None
    kinds = {"key": str, "seconds": int | float, "claims": list, "skipped": str}
    if not isinstance(there, dict) or not all(isinstance(there.get(name), kind) for name, kind in kinds.items()):
        return None
    return there


_running: set[processes.Process] = set()
_stops = 0  # how often all that ran was ended


def stop() -> None:
    """End the lessons that are running, and what was made ready for more."""
    global _stops
    _stops += 1
    for process in list(_running):
        process.kill()
    processes.end()


def unheard(cell: int, line: str | None) -> None:
    """What a cell prints is told to nobody."""


def run(
    lesson: Lesson,
    setting: Setting,
    out: Path,
    show: Callable[[int, int, str], None],
    fresh: bool = False,
    threads: int | None = None,
    hear: Callable[[int, str | None], None] = unheard,
    pictures: bool = True,
) -> tuple[dict[str, Any], bool]:
    """The result of the lesson, and whether it was reused. `show(done, total, text)` hears of the progress.

    `hear(cell, line)` hears what its cells print, as they run; of a cell that begins, with None for a line.
    The lesson's process computes with `threads` threads (None: as many as its libraries choose). pictures: whether it keeps its
    pictures and pages; a result that has them does for one that need not.
    Errors: Failed with the lesson's own last lines where it ends early.
    """
    wanted = key(lesson, setting)
    there = result(out, lesson, setting)
    folder = setting.folder(out, lesson)
    complete = there is not None and zipfile.is_zipfile(folder / "steps.npz")
    if there is not None and complete and there["key"] == wanted and there.get("drawn", True) >= pictures and not fresh:
        return there, True

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").unlink(missing_ok=True)
    environment = os.environ | {
        "MINIGRAD_ENGINE": setting.engine,
        "MINIGRAD_DTYPE": setting.dtype,
        "MINIGRAD_SEED": str(setting.seed),
        "CURRICULUM_FOLDER": str(folder.resolve()),
        "CURRICULUM_PICTURES": "yes" if pictures else "no",
        "PYTHONPATH": os.pathsep.join(p for p in (str(HERE.parent), os.environ.get("PYTHONPATH")) if p),
        "PYTHONIOENCODING": "utf-8",
    }
    if threads is not None:
        environment |= dict.fromkeys(THREADS, str(threads))
    before = _stops
    process = processes.start(setting.engine, [str(lesson.path), wanted], environment)
    _running.add(process)
    if _stops != before:
        process.kill()
    assert process.stdout is not None
    assert process.stderr is not None
    errors: list[str] = []
    listener = threading.Thread(target=errors.extend, args=(process.stderr,))  # else a full pipe would stop the lesson
    listener.start()
    said = []
    cell = 0
    try:
        for line in process.stdout:
            if line.startswith(PROGRESS):
                done, total, text = line.removeprefix(PROGRESS).rstrip().split(" ", 2)
                show(int(done), int(total), text)
            elif line.startswith(CELL):
                cell = int(line.removeprefix(CELL))
                hear(cell, None)
            else:
                said.append(line)
                hear(cell, line)
    except BaseException:
        process.kill()
        raise
    finally:
        status = process.wait()
        _running.discard(process)
        listener.join()
        process.stdout.close()
        process.stderr.close()
    if status != 0:
        lines = "".join(errors).strip().splitlines()
        # A lesson that says in one line what is missing is quoted; a traceback is shown from its end.
        raise Failed("\n".join(lines[-12:]) or f"the process ended with status {status}")
    there = result(out, lesson, setting)
    if there is None:
        raise Failed("the lesson ended without leaving a result")
    files.write(folder / "output.txt", "".join(said))
    return there, False

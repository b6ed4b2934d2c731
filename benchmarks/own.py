"""Workloads from a user's own file: `python -m benchmarks --workloads mine.py`.

The file is Python. It is run in the parent, to learn its workloads' names, and in each engine's process, to make a step.
"""

from __future__ import annotations

import dataclasses
import sys
import traceback
from pathlib import Path
from types import ModuleType

from .workloads import WORKLOADS

EXAMPLE = """\
from benchmarks.workloads import operation, training, workload


@workload("rms_norm of 512 x 512, forward and backward")
def rms(torch, prepare):  # `torch` is the engine: minigrad, or PyTorch
    torch.manual_seed(0)  # the engines must meet the same numbers
    x = torch.randn(512, 512)
    return operation(torch, prepare, lambda x: torch.nn.functional.rms_norm(x, (512,)), x)


@workload("training step of 8-16-1, SGD, 64 rows", kind="network")
def small(torch, prepare):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    x, y = torch.randn(64, 8), torch.randn(64, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return training(torch, model, x, y, torch.nn.MSELoss(), optimizer, prepare)
"""


class Unusable(Exception):
    """A file of workloads cannot be used; the text says why, in one line, and what to do."""


_loaded: dict[Path, list[str]] = {}


def load(file: str | Path) -> list[str]:
    """Run the file and add its workloads to WORKLOADS; their names. A file may be loaded again. Errors: Unusable."""
    path = Path(file).resolve()
    for name in _loaded.pop(path, []):
        WORKLOADS.pop(name, None)
    before = dict(WORKLOADS)
    module = ModuleType(f"workloads in {path.name}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # its own helpers may lie beside it; at the end, so that they hide nothing
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except Exception as problem:
        WORKLOADS.clear()
        WORKLOADS.update(before)
        raise Unusable(f"{file}{_told(problem, path)}") from None
    names = [name for name in WORKLOADS if name not in before]
    if not names:
        raise Unusable(
            f'{file} has no workloads: put @workload("what a step does") above a function of (torch, prepare); '
            "python -m benchmarks --help shows a whole file"
        )
    for name in names:
        WORKLOADS[name] = dataclasses.replace(WORKLOADS[name], file=str(path))
    _loaded[path] = names
    return names


def _told(problem: Exception, path: Path) -> str:
    """What went wrong and in which line of the file."""
    if isinstance(problem, FileNotFoundError) and problem.filename == str(path):
        return ": there is no such file; give the path of a Python file with workloads"
    if isinstance(problem, OSError) and problem.filename == str(path):
        return f" cannot be read: {problem.strerror}"
    if isinstance(problem, SyntaxError) and problem.filename == str(path):
        return f", line {problem.lineno}: SyntaxError: {problem.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == str(path)]
    said = " ".join(str(problem).split())
    return (f", line {lines[-1]}" if lines else "") + f": {type(problem).__name__}: {said}"

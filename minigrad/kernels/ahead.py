"""A step's loop compiled ahead of its use, in a process beside this one, and kept on the disk.

A compiler needs 4 to 18 seconds for such a loop. In a thread it would take turns with the program for Python's lock, a fork
would have to wait for it, and the end of the program too. A process does not: it takes the other core, and is ended when the
program ends. Nothing depends on it: where it cannot be started, or fails, the loop is compiled when it is to run.

    python -m minigrad.kernels.ahead < order.json
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from .disk import folders, written

PATIENCE = 1.0  # seconds of waiting after which it is said
_running: list[tuple[int, Any]] = []  # each with the process that started it


def kind_of(x: Any) -> Any:
    """What of an argument decides how a loop is compiled: the type of a number; of an array dtype, dimensions and layout."""
    if not isinstance(x, np.ndarray):
        return None
    layout = "C" if x.flags.c_contiguous else "F" if x.flags.f_contiguous else "A"
    return x.dtype.str, x.ndim, layout, x.flags.writeable, x.flags.aligned


def start(text: str, double: bool, kinds: list[Any]) -> Any:
    """Have the step of this text compiled for arguments of these kinds; None where no process can be had."""
    import subprocess  # (nobody else here wants them)
    import tempfile

    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [_home(), os.environ.get("PYTHONPATH")]))}
    try:
        with tempfile.TemporaryFile("w+") as order:
            json.dump({"text": text, "double": double, "kinds": kinds}, order)
            order.seek(0)
            process = subprocess.Popen(
                [sys.executable, "-m", __name__], stdin=order, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=environment, start_new_session=True,
            )  # fmt: skip
    except (OSError, ValueError):
        return None
    if not _running:
        atexit.register(_end)
    _running.append((os.getpid(), process))
    return process


def kept(text: str) -> bool:
    """Whether the step of this text lies on the disk, compiled for some kinds of arguments."""
    name = f"step.{written(text)}-*.kernel"
    return any(any(folder.glob(name)) for folder in folders(Path(__file__)))


def wait(process: Any) -> None:
    """Until it has ended. Says so if that lasts."""
    timer = threading.Timer(PATIENCE, _say)
    timer.daemon = True
    timer.start()
    try:
        process.wait()
    finally:
        timer.cancel()


def _say() -> None:
    print("minigrad: waiting for a step's loop that is being compiled, once on this machine", file=sys.stderr)


def _home() -> str:
    return str(Path(__file__).parents[2])


def _end() -> None:
    """The program ends: what is compiled for it would not be used any more."""
    for owner, process in _running:
        if owner == os.getpid():  # (and not a forked child, whose processes they are not)
            with contextlib.suppress(OSError):
                process.kill()
                process.wait()
    _running.clear()


def main() -> None:
    """Compile what standard input orders, and keep it."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)
    order = json.load(sys.stdin)
    step = importlib.import_module("minigrad.kernels.step")  # (with Numba, which only this process needs)

    step.prepare(step.build(order["text"], order["double"]), [step.type_of(kind) for kind in order["kinds"]])


if __name__ == "__main__":
    main()

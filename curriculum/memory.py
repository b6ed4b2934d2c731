"""How much memory a piece of a program took, as the system tells it."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _mebibytes(name: str) -> float:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"no {name}")


def peak(run: Callable[[], Any]) -> float | None:
    """MiB that the process held at most while `run()` ran, above what it held before.

    None where the system does not tell: Linux does. Memory that an engine keeps from earlier, to use it again, is
    not counted twice: measure from small to large.
    """
    gc.collect()
    try:
        _RESET.write_text("5")  # the high-water mark begins anew
        before = _mebibytes("VmRSS")
    except OSError:
        run()
        return None
    run()
    return _mebibytes("VmHWM") - before

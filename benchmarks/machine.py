"""The machine: what it is, and what it can do at most, measured in the same run as the workloads."""

from __future__ import annotations

import datetime
import os
import platform
import time
from pathlib import Path
from typing import Any


def facts(threads: int) -> dict[str, Any]:
    """What the figures were measured on: processor, threads, versions, BLAS and its core."""
    import numpy
    import torch

    model = platform.processor()
    try:
        lines = [line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line]
        said = {name.strip(): value.strip() for name, value in reversed(lines)}
        model = said.get("model name", model)
        if "cpu family" in said:  # cloud machines of different make may bear the same name
            model += f" (family {said['cpu family']}, model {said.get('model')})"
    except OSError:
        pass
    found: dict[str, Any] = {
        "date": datetime.date.today().isoformat(), "cpu": model, "cores": os.cpu_count(), "threads": threads,
        "python": platform.python_version(), "numpy": numpy.__version__, "torch": torch.__version__,
    }  # fmt: skip
    try:
        import numba

        found["numba"] = numba.__version__
    except ImportError:
        found["numba"] = "absent"
    try:
        import threadpoolctl

        pools = [p for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"]
        found["blas"] = ", ".join(
            sorted({f"{p['internal_api']} {p.get('version')} ({p.get('architecture')})" for p in pools})
        )
    except ImportError:
        found["blas"] = "unknown (install threadpoolctl)"
    return found


def limits(threads: int, seconds: float = 1.0) -> dict[str, float]:
    """The best matrix rate of any engine here (operations a second) and the memory bandwidth (bytes a second), float32."""
    import numpy as np
    import torch

    torch.set_num_threads(threads)
    a, b, out = (np.random.default_rng(i).random((1536, 1536), np.float32) for i in range(3))
    ta, tb, tout = (torch.from_numpy(x) for x in (a, b, out))
    rate = 0.0
    for product in (lambda: np.dot(a, b, out=out), lambda: torch.mm(ta, tb, out=tout)):
        rate = max(rate, 2 * 1536**3 / _fastest(product, seconds / 2))
    large, target = torch.ones(1 << 25), torch.ones(1 << 25)
    triad = _fastest(lambda: torch.add(large, target, out=target), seconds)
    return {"matrix_rate": rate, "bandwidth": 3 * 4 * (1 << 25) / triad}


def _fastest(function: Any, seconds: float) -> float:
    """The time of the fastest call within so many seconds."""
    function()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


if __name__ == "__main__":
    import json
    import sys

    print(json.dumps({"facts": facts(int(sys.argv[1])), "limits": limits(int(sys.argv[1]))}))

"""The time from the start of a process to the end of its first training step, with an empty and a filled kernel cache."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

CODE = """
import sys
from benchmarks import engines
make = engines.load(sys.argv[1], int(sys.argv[3]))
step, read = make(sys.argv[2])
read(step())
"""


def measure(engines: list[str], workload: str, threads: int, env: dict[str, str], rounds: int = 3) -> dict[str, Any]:
    """By engine: {"cold_s", "warm_s"}, the first time with a new folder for compiled kernels, then the median with it."""
    figures: dict[str, Any] = {}
    for engine in engines:
        with tempfile.TemporaryDirectory() as folder:
            own = env | {"NUMBA_CACHE_DIR": folder, "TORCHINDUCTOR_CACHE_DIR": os.path.join(folder, "inductor")}
            times = []
            for _ in range(rounds + 1):
                start = time.perf_counter()
                command = [sys.executable, "-c", CODE, engine, workload, str(threads)]
                done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
                times.append(time.perf_counter() - start)
                if done.returncode:
                    figures[engine] = {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
                    break
            else:
                figures[engine] = {"cold_s": times[0], "warm_s": statistics.median(times[1:])}
    return figures

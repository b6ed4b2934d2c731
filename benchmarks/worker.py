"""One engine on one workload, in a process of its own: it answers each line `round SECONDS` with a line of JSON.

A line `watch` asks what a step runs (forms.py); it comes last, when nothing is timed any more. The parent lets the workers run in turn, so that all engines meet the same moods of the machine.
"""

from __future__ import annotations

import contextlib
import gc
import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any


def resident() -> int:
    """Bytes of memory in use now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def peak() -> int:
    """The most bytes in use since `forget_peak`, or since the start where the system cannot forget."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def run(step: Any, seconds: float) -> dict[str, float]:
    """Steps for so many seconds, at least 5: median and quartiles of their times in seconds, and the processor's for one."""
    times: list[float] = []
    used = time.process_time()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    low, median, high = statistics.quantiles(times, n=4)
    return {
        "median": median,
        "low": low,
        "high": high,
        "steps": len(times),
        "cpu": (time.process_time() - used) / len(times),
    }


def main(engine: str, workload: str, threads: int, file: str | None = None) -> None:
    from . import engines

    if file is not None:
        from . import own

        own.load(file)
    begun = time.perf_counter()
    make = engines.load(engine, threads)
    imported = time.perf_counter()
    engines.load_libraries(engine)
    gc.collect()
    before, loading = resident(), peak()
    forget_peak()
    begun_steps = time.perf_counter()
    step, read = make(workload)
    check = [read(step()) for _ in range(3)]  # the first steps, compared between engines
    first = time.perf_counter()
    answer: dict[str, Any] = {
        "check": check, "peak": peak() - before, "process_peak": max(loading, peak()), "import_s": imported - begun,
        "first_steps_s": first - begun_steps,
    }  # fmt: skip
    print(json.dumps(answer), flush=True)
    for line in sys.stdin:
        if line.startswith("watch"):
            from . import forms

            print(json.dumps({"ran": forms.watch(engine, step)}), flush=True)
        else:
            print(json.dumps(run(step, float(line.split()[1]))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])

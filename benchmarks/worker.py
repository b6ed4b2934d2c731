"""Times one workload in one engine: a process of its own, started by `python -m benchmarks`. Prints JSON."""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import time


def main(engine: str, workload: str, seconds: float, threads: int) -> None:
    torch = importlib.import_module(engine)
    torch.set_num_threads(threads)
    from .workloads import WORKLOADS

    step = WORKLOADS[workload](torch)
    check = [float(step().detach().reshape(-1)[0]) for _ in range(3)]  # the first steps, compared between engines
    end = time.perf_counter() + seconds / 4
    while time.perf_counter() < end:  # warm up: caches, thread pools, clocks
        step()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    cuts = statistics.quantiles(times, n=4) if len(times) > 1 else times * 3
    print(
        json.dumps(
            {"median": statistics.median(times), "low": cuts[0], "high": cuts[2], "steps": len(times), "check": check}
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))

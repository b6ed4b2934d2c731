"""`python -m benchmarks`: minigrad beside PyTorch, the ratio of their medians (above 1: minigrad is faster).

Each engine runs in a process of its own, with the same number of threads, in interleaved rounds; both must give the same
numbers first. The table is also written as JSON (--json), with machine, versions and BLAS core.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .workloads import WORKLOADS

ENGINES = ("minigrad", "torch")


def run_once(engine: str, workload: str, seconds: float, threads: int, environment: dict[str, str]) -> dict[str, Any]:
    """One round of one engine, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.worker", engine, workload, str(seconds), str(threads)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode:
        last = result.stderr.strip().splitlines()[-1:] or ["no message"]
        raise SystemExit(f"benchmarks: {workload} failed in {engine}: {last[0]}")
    return json.loads(result.stdout)


def machine(threads: int) -> dict[str, Any]:
    """What the figures were measured on."""
    import numpy
    import torch

    model = platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    facts: dict[str, Any] = {
        "date": datetime.date.today().isoformat(), "cpu": model, "threads": threads, "python": platform.python_version(),
        "numpy": numpy.__version__, "torch": torch.__version__,
    }  # fmt: skip
    try:
        import threadpoolctl

        pools = [p for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"]
        facts["blas"] = ", ".join(
            sorted({f"{p['internal_api']} {p.get('version')} ({p.get('architecture')})" for p in pools})
        )
    except ImportError:
        facts["blas"] = "unknown (install threadpoolctl)"
    return facts


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "workloads", nargs="*", metavar="workload", help=f"any of {', '.join(WORKLOADS)} (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each engine, in turn (default 5)")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a round (default 0.5)")
    parser.add_argument(
        "--threads", type=int, default=min(2, os.cpu_count() or 1), help="threads of each engine (default 2)"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args(arguments)
    chosen = options.workloads or list(WORKLOADS)
    if unknown := [name for name in chosen if name not in WORKLOADS]:
        parser.error(f"unknown workload {unknown[0]!r}; there are {', '.join(WORKLOADS)}")

    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    console = Console()
    # OpenBLAS chooses its kernels for this CPU in both engines, whatever the shell says.
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "PYTHONDONTWRITEBYTECODE")}
    environment |= {"OMP_NUM_THREADS": str(options.threads), "OPENBLAS_NUM_THREADS": str(options.threads)}
    os.environ.pop("OPENBLAS_CORETYPE", None)
    facts = machine(options.threads)
    figures: dict[str, Any] = {}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("timing", total=len(chosen) * options.rounds * len(ENGINES))
        for name in chosen:
            rounds: dict[str, list[dict[str, Any]]] = {engine: [] for engine in ENGINES}
            for _ in range(options.rounds):
                for engine in ENGINES:
                    rounds[engine].append(run_once(engine, name, options.seconds, options.threads, environment))
                    progress.advance(task)
            ours, theirs = rounds["minigrad"][0]["check"], rounds["torch"][0]["check"]
            if any(abs(a - b) > 1e-4 * max(abs(b), 1e-3) for a, b in zip(ours, theirs, strict=True)):
                raise SystemExit(f"benchmarks: {name}: the engines disagree, {ours} and {theirs}: nothing to compare")
            figures[name] = {
                engine: {
                    "median_s": statistics.median(r["median"] for r in rounds[engine]),
                    "low_s": min(r["low"] for r in rounds[engine]),
                    "high_s": max(r["high"] for r in rounds[engine]),
                }
                for engine in ENGINES
            }
            pairs = zip(rounds["torch"], rounds["minigrad"], strict=True)
            figures[name]["ratio"] = statistics.median(t["median"] / m["median"] for t, m in pairs)

    table = Table(title="minigrad beside PyTorch (eager); ratio above 1: minigrad is faster")
    for column in ("workload", "minigrad", "PyTorch", "ratio"):
        table.add_column(column, justify="left" if column == "workload" else "right")
    for name, entry in figures.items():
        times = [f"{entry[e]['median_s'] * 1e6:,.0f} us" for e in ENGINES]
        table.add_row(name, *times, f"{entry['ratio']:.2f}")
    console.print(table)
    console.print(", ".join(f"{key} {value}" for key, value in facts.items()))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=options.json.parent)
        with os.fdopen(handle, "w") as file:
            json.dump({"machine": facts, "figures": figures}, file, indent=1)
            file.write("\n")
        os.replace(temporary, options.json)
        console.print(f"written to {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

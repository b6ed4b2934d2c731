"""`python -m benchmarks compile`: steps as programs. minigrad eagerly and compiled, PyTorch eager and compiled, JAX's jit.

Each engine in a process of its own, in interleaved rounds; the figures are medians. Beside the time on the clock stands the
time of the processor, which other programs on the machine disturb less, and what the first three steps took, with a
compiler's work in them; with --first also where minigrad's cache of kernels is empty.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from typing import Any

from curriculum import commands
from curriculum.commands import counted
from curriculum.files import write

from . import compare, engines
from .workloads import WORKLOADS

CHOSEN = ("network_2_4_1", "sine", "mlp", "cnn", "chain")
ENGINES = (
    "torch",
    "torch-compile",
    "jax",
    "minigrad",
    "minigrad-compile",
    "minigrad-compile-early",
    "minigrad-compile-max",
)
BARS = {"network_2_4_1": 8.0, "sine": 4.5, "mlp": 2.7, "chain": 20.0}  # times PyTorch eager, of a compiled step


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks compile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "chosen", nargs="*", metavar="workload", help=f"any of {', '.join(WORKLOADS)} ({', '.join(CHOSEN)})"
    )
    parser.add_argument("--engines", default=",".join(ENGINES), help=f"any of {','.join(ENGINES)}")
    parser.add_argument("--rounds", type=commands.whole(), default=5)
    parser.add_argument("--seconds", type=commands.above_zero, default=0.5, help="length of a round")
    parser.add_argument("--threads", type=commands.whole(most=1024), default=min(2, os.cpu_count() or 1))
    parser.add_argument(
        "--first", action="store_true", help="time the first steps with an empty cache of kernels too (slow)"
    )
    parser.add_argument("--json", type=commands.file_to_write, metavar="FILE", help="write the figures to this file")
    options = parser.parse_args(given)
    for name in options.chosen:
        if name not in WORKLOADS:
            parser.error(f"unknown workload {name!r}; there are {', '.join(WORKLOADS)}")
    asked = options.engines.split(",")
    for name in asked:
        if name not in engines.ENGINES:
            parser.error(f"unknown engine {name!r}; there are {', '.join(engines.ENGINES)}")
    if not any(name.startswith("minigrad-compile") for name in asked):
        commands.refuse_beside(parser, given, ["first"], "without minigrad-compile among the engines")
    results: dict[str, Any] = {}
    good = True
    for name in options.chosen or CHOSEN:
        able = [e for e in asked if engines.installed(e) and engines.runs(e, name)]
        env = compare.environment(options.threads)
        try:
            figures = compare.measure(name, able, options.rounds, options.seconds, options.threads, env)
        except compare.Failed as problem:
            print(problem, file=sys.stderr)
            good = False
            continue
        for engine in able if options.first else ():
            if engine.startswith("minigrad-compile"):
                with tempfile.TemporaryDirectory() as folder:
                    figures[engine]["first_of_all_s"] = _first(
                        engine, name, options.threads, env | {"NUMBA_CACHE_DIR": folder}
                    )
        results[name] = figures
        print(_table(name, figures, [e for e in asked if e not in able]), flush=True)
    print(
        f"\n{counted(options.threads, 'thread')}; load of the machine in the last minutes: {' '.join(f'{x:.1f}' for x in os.getloadavg())}"
    )
    if options.json:
        write(options.json, json.dumps(results, indent=1) + "\n")
    return 0 if good else 1


def _first(engine: str, workload: str, threads: int, env: dict[str, str]) -> float | None:
    """Seconds of the first three steps in a new process."""
    try:
        worker = compare.Worker(engine, workload, threads, env)
    except compare.Failed:
        return None
    worker.close()
    return float(worker.first["first_steps_s"])


def _table(workload: str, figures: dict[str, Any], left_out: list[str]) -> str:
    bar = f", bar {BARS[workload]} times PyTorch eager" if workload in BARS else ""
    text = [
        "", f"{workload}: {WORKLOADS[workload].what}{bar}",
        f"  {'engine':<22}{'step':>12}{'of processor':>14}{'ratio':>8}{'by processor':>14}   first three steps",
    ]  # fmt: skip
    torch = figures.get("torch", {})
    for engine, f in figures.items():
        if "error" in f:
            why = (
                "there is no C++ compiler (g++, clang)" if engine == "torch-compile" and not _has_cxx() else f["error"]
            )
            text.append(f"  {engine:<22}{'-':>12}   {why}")
            continue
        by_cpu = f"{torch['cpu_s'] / f['cpu_s']:.2f}" if "cpu_s" in torch else ""
        took = f"{f['first_steps_s']:.2f} s"
        if f.get("first_of_all_s") is not None:
            took += f" ({f['first_of_all_s']:.2f} s on an empty cache)"
        ratio = f"{f['ratio']:.2f}" if "ratio" in f else ""
        text.append(
            f"  {engine:<22}{f['median_s'] * 1e6:>9.1f} us{f['cpu_s'] * 1e6:>11.1f} us{ratio:>8}{by_cpu:>14}   {took}"
        )
    for engine in left_out:
        text.append(
            f"  {engine:<22}{'-':>12}   {'not installed' if not engines.installed(engine) else 'not written for this engine'}"
        )
    return "\n".join(text)


def _has_cxx() -> bool:
    return any(map(shutil.which, ("g++", "clang++", "c++")))

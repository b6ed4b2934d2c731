"""Workloads in several engines: each in its own process, in interleaved rounds, results first checked to be equal."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from .workloads import WORKLOADS

ENVIRONMENTS = ("free", "found")  # OpenBLAS may choose its kernels for this CPU; the environment as it was found


class Failed(Exception):
    """An engine could not run a workload; the text says why."""


def environment(threads: int, kind: str = "free") -> dict[str, str]:
    """The children's environment: the same number of threads for every library."""
    found = dict(os.environ)
    if kind == "free":
        found.pop("OPENBLAS_CORETYPE", None)
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return found | dict.fromkeys(names, str(threads))


class Worker:
    """A process that holds one engine and one workload ready."""

    def __init__(self, engine: str, workload: str, threads: int, env: dict[str, str]) -> None:
        self.what = f"{workload} in {engine}"
        command = [sys.executable, "-m", "benchmarks.worker", engine, workload, str(threads)]
        if workload in WORKLOADS and (file := WORKLOADS[workload].file):
            command.append(file)
        if engine == "jax":
            env = env | {"JAX_PLATFORMS": "cpu"}
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by close()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=env
        )
        self.first = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        last = self.errors.read().strip().splitlines()[-1:] or ["no message"]
        raise Failed(f"{self.what}: {last[0]}")

    def round(self, seconds: float) -> dict[str, float]:
        return self._ask(f"round {seconds}")

    def watch(self) -> dict[str, Any] | None:
        """What a step runs (forms.watch)."""
        return self._ask("watch")["ran"]

    def _ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()


def measure(
    workload: str, engines: list[str], rounds: int, seconds: float, threads: int, env: dict[str, str],
    tick: Callable[[], None] = lambda: None, watch: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Times of a step by engine; an engine that cannot run it has {"error": text}. Errors: Failed where results differ.

    watch: also what ran, as "ran", looked at after all timing.
    """
    workers: dict[str, Worker] = {}
    figures: dict[str, Any] = {}
    try:
        for engine in engines:
            try:
                workers[engine] = Worker(engine, workload, threads, env)
            except Failed as problem:
                figures[engine] = {"error": str(problem)}
        for name, difference in _unequal(workload, {name: w.first["check"] for name, w in workers.items()}).items():
            figures[name] = {"error": difference}
            workers.pop(name).close()
        for worker in workers.values():
            worker.round(seconds / 2)  # warm up: caches, thread pools, clocks
        found: dict[str, list[dict[str, float]]] = {name: [] for name in workers}
        for _ in range(rounds):
            for name, worker in workers.items():
                found[name].append(worker.round(seconds))
            tick()
        ran = {name: worker.watch() for name, worker in workers.items()} if watch else {}
    finally:
        for worker in workers.values():
            worker.close()
    for name, worker in workers.items():
        medians = [r["median"] for r in found[name]]
        figures[name] = {
            "median_s": statistics.median(medians),
            "low_s": min(r["low"] for r in found[name]),
            "high_s": max(r["high"] for r in found[name]),
            "first_steps_s": worker.first["first_steps_s"],
            "cpu_s": statistics.median(r["cpu"] for r in found[name]),
            "steps": int(sum(r["steps"] for r in found[name])),
            "peak_bytes": worker.first["peak"],
            "process_peak_bytes": worker.first["process_peak"],
            "rounds_s": medians,
        }
        if ran.get(name):
            figures[name]["ran"] = ran[name]
    for name in workers:
        if "torch" in workers:
            pairs = zip(found["torch"], found[name], strict=True)
            figures[name]["ratio"] = statistics.median(t["median"] / m["median"] for t, m in pairs)
            figures[name]["memory_ratio"] = figures[name]["peak_bytes"] / max(figures["torch"]["peak_bytes"], 1)
    return figures


def _unequal(workload: str, checks: dict[str, list[float]]) -> dict[str, str]:
    """Engines whose first steps give other numbers than PyTorch's (where it is not asked, the first engine's), and how.

    Such an engine is not timed, for what it computed is not the workload. Errors: Failed where minigrad itself differs.
    """
    if not checks:
        return {}
    measure_by = "torch" if "torch" in checks else next(iter(checks))
    found = {}
    for name, check in checks.items():
        pairs = zip(check, checks[measure_by], strict=True)
        if all(abs(ours - theirs) <= 1e-3 * max(abs(theirs), 1e-2) for ours, theirs in pairs):
            continue
        found[name] = (
            f"{workload}: {name} and {measure_by} disagree in their first steps, {check} and {checks[measure_by]}"
        )
        if name.startswith("minigrad"):
            raise Failed(f"{found[name]}: there is nothing to compare (does the workload set torch.manual_seed?)")
    return found


def share(workload: str, seconds: float, limits: dict[str, float]) -> float | None:
    """What part of the machine's limit (matrix rate or bandwidth, whichever binds) a step reaches."""
    work = WORKLOADS[workload]
    least = max(work.flops / limits["matrix_rate"], work.bytes / limits["bandwidth"])
    return least / seconds if least else None

"""`python -m benchmarks operations`: every public operation in minigrad and in PyTorch, the slowest by comparison first.

    python -m benchmarks operations                                  all, with 1,000 and 100,000 elements; some minutes
    python -m benchmarks operations topk cummax --elements 1000000
    python -m benchmarks operations --worst 100                      so many lines instead of 30 (0: all)
    python -m benchmarks operations --save FILE                      the table as Markdown, all lines

The names are minigrad's own (minigrad/public.py), and recurrent layers. How an operation is called is found out: the first of the
usual ways that both engines take; calls.py says it of those that want something else. What is called in no way that is known is
named at the end.

Each engine runs in a process of its own, with one thread, and they take turns. What is counted is the time that the process
computed (`time.process_time`), not the time that passed: that is what other programs on the machine disturb least. Of each round
the quickest batch of calls counts; the ratio is the median over the rounds of PyTorch's time through minigrad's. An engine that
answers later than `--patience` is ended, and the operation named as not timed.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import selectors
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from curriculum import commands
from curriculum.commands import counted
from curriculum.files import write

from . import calls
from .compare import environment

SMALL = 100  # elements with which the way to call an operation is looked for


# -- in a process of its own


def _tensors(torch: Any, value: Any) -> list[Any]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [x for part in value for x in _tensors(torch, part)] if isinstance(value, tuple | list) else []


class Timed:
    """One operation in one engine, called in one way."""

    def __init__(self, torch: Any, function: Callable[..., Any], arguments: calls.Arguments) -> None:
        self.torch, self.function, self.arguments = torch, function, arguments
        parameters = list(function.parameters()) if isinstance(function, torch.nn.Module) else []
        self.leaves = [*(x for x in _tensors(torch, arguments) if x.is_floating_point()), *parameters]
        out = _tensors(torch, function(*arguments))
        if not out:
            raise TypeError("gives no tensor")
        self.shapes = [list(x.shape) for x in out]
        for x in self.leaves:
            x.requires_grad_()
        self.backward = False
        with contextlib.suppress(RuntimeError, NotImplementedError, TypeError):
            outputs = self.recorded()
            self.gradients = [torch.rand(x.shape) for x in outputs]
            if outputs:
                self.step()
                self.backward = True
        if not self.backward:
            for x in self.leaves:
                x.requires_grad_(False)

    def recorded(self) -> list[Any]:
        return [x for x in _tensors(self.torch, self.function(*self.arguments)) if x.requires_grad]

    def step(self) -> None:
        for x in self.leaves:
            x.grad = None
        self.torch.autograd.backward(self.recorded(), self.gradients)

    def forward(self) -> None:
        with self.torch.no_grad():
            self.function(*self.arguments)


def seconds(step: Callable[[], None], budget: float) -> float:
    """Of one call: the quickest of as many batches as fit. A batch is long enough that reading the clock does not count."""
    clock = time.process_time

    def batch(calls: int) -> float:
        start = clock()
        for _ in range(calls):
            step()
        return (clock() - start) / calls

    once = batch(1)
    calls = max(1, int(min(budget / 5, 0.002) / max(once, 1e-6)))
    best, end = once, clock() + budget - once
    while clock() < end:
        best = min(best, batch(calls))
    return best


def work(engine: str) -> None:
    """Answer lines of JSON: {"find": path} with the ways that fit, {"take": [path, way, n]}, {"time": budget}."""
    import importlib
    import warnings

    warnings.simplefilter("ignore")
    torch = importlib.import_module(engine)
    torch.set_num_threads(1)
    torch.nn.functional.gelu(torch.zeros(1 << 16))  # in minigrad this loads Numba, as any large array does
    timed: Timed | None = None

    def function(path: str) -> Callable[..., Any]:
        found: Any = torch
        for part in path.split("."):
            found = getattr(found, part)
        return found

    def make(path: str, way: str, n: int) -> Timed:
        torch.manual_seed(0)  # the engines must meet the same numbers
        if way == "layer":
            return Timed(torch, *calls.layers(torch)[path]())
        return Timed(torch, function(path), (calls.special(torch, n)[path] if way == "its own" else dict(calls.ways(torch, n))[way])())  # fmt: skip

    for line in sys.stdin:
        ask = json.loads(line)
        answer: Any
        if "find" in ask:
            path = ask["find"]
            if path in calls.layers(torch):
                answer = ["layer"]
            else:
                own = path in calls.special(torch, SMALL)
                answer = []
                for way in ["its own"] if own else [way for way, _ in calls.ways(torch, SMALL)]:
                    with contextlib.suppress(Exception):  # whatever it says: it is not called so
                        make(path, way, SMALL)
                        answer.append(way)
        elif "take" in ask:
            try:
                timed = make(*ask["take"])
                answer = {"backward": timed.backward, "shapes": timed.shapes}
            except Exception as problem:
                timed, answer = None, {"error": f"{engine}: {type(problem).__name__} {str(problem)[:200]}"}
        else:
            assert timed is not None
            answer = [
                seconds(timed.forward, ask["time"]),
                seconds(timed.step, ask["time"]) if timed.backward and ask["backward"] else None,
            ]
        print(json.dumps(answer), flush=True)


# -- the comparison


class TooLong(Exception):
    pass


class Engine:
    """A process that answers. It is started when it is asked, and again after it was ended."""

    def __init__(self, name: str, patience: float) -> None:
        self.name, self.patience = name, patience
        self.process: subprocess.Popen[str] | None = None

    def ask(self, **question: Any) -> Any:
        if self.process is None:
            command = [sys.executable, "-m", "benchmarks.operations", "worker", self.name]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment(1)
            )  # fmt: skip
            if "find" not in question:
                raise AssertionError("a worker is first asked for a way")
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            if not ready.select(self.patience):
                self.end()
                raise TooLong(f"{self.name} takes longer than {self.patience:g} s")
        line = process.stdout.readline()
        if not line:
            self.end()
            raise TooLong(f"{self.name}'s process ended")
        return json.loads(line)

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def measure(
    paths: list[str], sizes: list[int], budget: float, rounds: int, patience: float,
    tell: Callable[[str], Any] = lambda path: None,
) -> tuple[list[dict[str, Any]], dict[str, str]]:  # fmt: skip
    """Both engines' times by operation, size, and forward or forward with backward; and by operation why it was not timed."""
    found: list[dict[str, Any]] = []
    left: dict[str, str] = {}
    engines = [Engine(name, patience) for name in ("torch", "minigrad")]
    try:
        for path in paths:
            tell(path)
            try:
                theirs, ours = (engine.ask(find=path) for engine in engines)
                way = next((w for w in theirs if w in ours), None)
                if way is None:
                    left[path] = "no known way to call it in both engines"
                    continue
                for n in sizes if way != "layer" else sizes[:1]:
                    found += _rows(engines, path, way, n, budget, rounds)
            except TooLong as problem:
                left[path] = str(problem)
                for engine in engines:
                    engine.end()
            except ValueError as problem:
                left[path] = str(problem)
    finally:
        for engine in engines:
            engine.end()
    return sorted(found, key=lambda row: row["ratio"]), left


def _rows(engines: list[Engine], path: str, way: str, n: int, budget: float, rounds: int) -> list[dict[str, Any]]:
    """The measurements of one operation of one size; ValueError says why there are none."""
    taken = [engine.ask(take=[path, way, n]) for engine in engines]
    for t in taken:
        if "error" in t:
            raise ValueError(t["error"])
    if taken[0]["shapes"] != taken[1]["shapes"]:
        raise ValueError(f"the engines' results have the shapes {taken[0]['shapes']} and {taken[1]['shapes']}")
    both = all(t["backward"] for t in taken)
    times: list[list[list[float]]] = [[], []]
    for _ in range(rounds):
        for engine, so_far in zip(engines, times, strict=True):
            so_far.append(engine.ask(time=budget, backward=both))
    rows = []
    for k, what in enumerate(("forward", "and backward")[: 1 + both]):
        theirs, ours = (min(t[k] for t in so_far) for so_far in times)
        ratio = statistics.median(a[k] / b[k] for a, b in zip(*times, strict=True))
        size = None if way == "layer" else n
        rows.append({"name": path, "way": way, "elements": size, "what": what, "torch_s": theirs, "minigrad_s": ours, "ratio": ratio})  # fmt: skip
    return rows


# -- the command


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Lines of Markdown."""
    lines = ["| operation | called with | elements | | minigrad, us | PyTorch, us | ratio |", "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for row in rows:
        ours, theirs = (f"{row[engine] * 1e6:,.1f}" for engine in ("minigrad_s", "torch_s"))
        elements = "" if row["elements"] is None else f"{row['elements']:,}"
        lines.append(f"| {row['name']} | {row['way']} | {elements} | {row['what']} | {ours} | {theirs} | {row['ratio']:.2f} |")  # fmt: skip
    return lines


def summary(rows: list[dict[str, Any]]) -> list[str]:
    """How many measurements lie in which range, by size."""
    by_size: dict[Any, list[float]] = collections.defaultdict(list)
    for row in rows:
        by_size[row["elements"]].append(row["ratio"])
    lines = []
    for size, ratios in by_size.items():
        counts = [sum(r < bound for r in ratios) for bound in (0.1, 0.2, 0.5, 1.0)]
        what = "layers" if size is None else counted(size, "element", form=",")
        lines.append(f"{what}: {len(ratios)} measurements, median ratio {statistics.median(ratios):.2f}; below 0.1: {counts[0]}, 0.2: {counts[1]}, 0.5: {counts[2]}, 1: {counts[3]}")  # fmt: skip
    return lines


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks operations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="name", help="such as topk or nn.functional.gelu (all)")
    parser.add_argument(
        "--elements", type=commands.whole(), nargs="+", default=[1_000, 100_000], help="of an input (1000 100000)"
    )
    parser.add_argument("--seconds", type=commands.above_zero, default=0.02, help="of a round (0.02)")
    parser.add_argument("--rounds", type=commands.whole(), default=3, help="rounds of each engine, in turn (3)")
    parser.add_argument(
        "--patience", type=commands.above_zero, default=10.0, help="seconds for an engine to answer (10)"
    )
    parser.add_argument("--worst", type=commands.whole(0), default=30, help="lines to show (30; 0: all)")
    parser.add_argument("--save", type=commands.file_to_write, metavar="FILE", help="keep all lines as Markdown")
    parser.add_argument("--json", type=commands.file_to_write, metavar="FILE", help="write the figures to this file")
    options = parser.parse_args(given)
    known = [*calls.names(), *calls.layers(None)]
    for name in options.names:
        if name not in known:
            parser.error(f"unknown operation {name!r}; there are {', '.join(known)}")

    def tell(path: str) -> None:
        if sys.stderr.isatty():
            print(f"{path}\x1b[K", end="\r", file=sys.stderr, flush=True)

    started, load = time.perf_counter(), os.getloadavg()[0]
    found, left = measure(
        options.names or known, options.elements, options.seconds, options.rounds, options.patience, tell
    )
    shown = table(found)
    last = [
        *summary(found), "",
        f"{counted(options.rounds, 'round')} of {options.seconds:g} s of each engine in turn, one thread, CPU time; measured in "
        f"{time.perf_counter() - started:.0f} s, the machine's load at the beginning {load:.1f}.", "",
        *(f"not timed: {path} ({why})" for path, why in left.items()),
    ]  # fmt: skip
    print("\n".join([*(shown if not options.worst else shown[: options.worst + 2]), "", *last]))
    if options.save:
        write(options.save, "\n".join([*shown, "", *last]) + "\n")
    if options.json:
        write(options.json, json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    work(sys.argv[2])

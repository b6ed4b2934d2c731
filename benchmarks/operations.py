"""`python -m benchmarks operations`: every public operation on a million elements, minigrad beside PyTorch, the slowest first.

    python -m benchmarks operations                         all, forward and backward; about a quarter of an hour
    python -m benchmarks operations topk cummax --elements 1000
    python -m benchmarks operations --below 0.5             only what takes more than twice PyTorch's time

The names are minigrad's own (minigrad/public.py). How an operation is called is found out: the first of the usual ways that both
engines take; for those that want something else a table below says it, and what is called in no way that is known is named at the end.
Each engine runs in a process of its own, and they take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from .compare import environment

Arguments = tuple[Any, ...]
PATIENCE = 20.0  # seconds for the first calls of an operation


def ways(torch: Any, n: int) -> Iterator[tuple[str, Callable[[], Arguments]]]:
    """The usual ways to call an operation, by name: makers of arguments of n elements, the same in both engines."""
    rows, columns = max(n // 1000, 1), min(n, 1000)
    side = max(int(n**0.5), 1)

    def x(low: float = -2.0, high: float = 2.0) -> Any:
        return torch.rand(rows, columns) * (high - low) + low

    def whole(high: int = 100) -> Any:
        return torch.randint(0, high, (rows, columns))

    def flag() -> Any:
        return x() > 0

    yield "x", lambda: (x(0.1, 0.9),)
    yield "x, y", lambda: (x(0.1, 0.9), x(0.1, 0.9))
    yield "x, y, z", lambda: (x(0.1, 0.9), x(0.1, 0.9), x(0.1, 0.9))
    yield "x, dim", lambda: (x(), 1)
    yield "x, 2", lambda: (x(), 2)
    yield "x, 0.5", lambda: (x(0.1, 0.9), 0.5)
    yield "whole numbers", lambda: (whole(),)
    yield "two of whole numbers", lambda: (whole(), whole())
    yield "whole numbers, 2", lambda: (whole(), 2)
    yield "mask, x, y", lambda: (flag(), x(), x())
    yield "x, mask, value", lambda: (x(), flag(), 1.0)
    yield "x, mask", lambda: (x(), flag())
    yield "matrix, matrix", lambda: (torch.rand(side, side), torch.rand(side, side))
    yield "matrix", lambda: (torch.rand(side, side) + side * torch.eye(side),)
    yield "vector", lambda: (torch.rand(n),)
    yield "vector, vector", lambda: (torch.rand(n), torch.rand(n))
    yield "matrix, vector", lambda: (torch.rand(rows, columns), torch.rand(columns))
    yield "x, dim, indices", lambda: (x(), 1, whole(columns))
    yield "x, dim, indices, x", lambda: (x(), 1, whole(columns), x())
    yield "x, dim, index", lambda: (x(), 0, torch.randint(0, rows, (rows,)))
    yield "x, dims", lambda: (x(), (0, 1))
    yield "x, low, high", lambda: (x(), -1.0, 1.0)
    yield "x, shape", lambda: (x(), (columns, rows))
    yield "x, count, dim", lambda: (x(), 2, 1)
    yield "list of x", lambda: ([x(), x()],)
    yield "scores, classes", lambda: (x(), torch.randint(0, columns, (rows,)))
    yield "n", lambda: (n,)
    yield "side, side", lambda: (side, side)
    yield "images, 2", lambda: (torch.rand(max(n // 16384, 1), 16, 32, 32), 2)
    yield "images", lambda: (torch.rand(max(n // 16384, 1), 16, 32, 32),)
    yield "lines, 2", lambda: (torch.rand(max(n // 16384, 1), 16, 1024), 2)


def special(torch: Any, n: int) -> dict[str, Callable[[], Arguments]]:
    """Operations that want arguments of their own."""
    rows, columns = max(n // 1000, 1), min(n, 1000)

    def images(channels: int = 16, side: int = 32) -> Any:
        return torch.rand(max(n // (channels * side * side), 1), channels, side, side)

    return {
        "topk": lambda: (torch.rand(n), min(10, n)),
        "kthvalue": lambda: (torch.rand(n), max(n // 3, 1)),
        "cummax": lambda: (torch.rand(n), 0),
        "cummin": lambda: (torch.rand(n), 0),
        "cdist": lambda: (torch.rand(max(int((n / 4) ** 0.5), 1), 32), torch.rand(max(int((n / 4) ** 0.5), 1), 32)),
        "nn.functional.linear": lambda: (torch.rand(rows, columns), torch.rand(64, columns), torch.rand(64)),
        "nn.functional.conv1d": lambda: (torch.rand(max(n // 16384, 1), 16, 1024), torch.rand(16, 16, 3)),
        "nn.functional.conv2d": lambda: (images(), torch.rand(16, 16, 3, 3)),
        "nn.functional.conv_transpose1d": lambda: (torch.rand(max(n // 16384, 1), 16, 1024), torch.rand(16, 16, 3)),
        "nn.functional.conv_transpose2d": lambda: (images(), torch.rand(16, 16, 3, 3)),
        "nn.functional.embedding": lambda: (torch.randint(0, 1000, (n // 64 + 1,)), torch.rand(1000, 64)),
        "nn.functional.batch_norm": lambda: (images(), None, None, torch.rand(16), torch.rand(16), True),
        "nn.functional.layer_norm": lambda: (torch.rand(rows, columns), (columns,)),
        "nn.functional.rms_norm": lambda: (torch.rand(rows, columns), (columns,)),
        "nn.functional.group_norm": lambda: (images(), 4),
        "nn.functional.scaled_dot_product_attention": lambda: tuple(torch.rand(max(n // 65536, 1), 8, 128, 64) for _ in range(3)),
        "nn.functional.binary_cross_entropy": lambda: (torch.rand(rows, columns), torch.rand(rows, columns)),
        "nn.functional.pad": lambda: (images(), (1, 1, 1, 1)),
        "nn.functional.one_hot": lambda: (torch.randint(0, 100, (n // 100 + 1,)), 100),
        "einsum": lambda: ("ij,kj->ik", torch.rand(64, max(n // 64, 1)), torch.rand(64, max(n // 64, 1))),
        "bincount": lambda: (torch.randint(0, 1000, (n,)),),
        "searchsorted": lambda: (torch.arange(1000.0), torch.rand(n) * 1000),
        "isin": lambda: (torch.randint(0, 1000, (n,)), torch.arange(100)),
        "multinomial": lambda: (torch.rand(n), max(n // 10, 1)),
        "index_add": lambda: (torch.rand(rows, columns), 0, torch.randint(0, rows, (rows,)), torch.rand(rows, columns)),
        "masked_select": lambda: (torch.rand(n), torch.rand(n) > 0.5),
        "quantile": lambda: (torch.rand(n), 0.3),
    }  # fmt: skip


def names() -> list[str]:
    """Every public operation, as a path from the engine's root."""
    from minigrad import creation, linalg, sampling  # fills the tables
    from minigrad.public import FUNCTIONAL, MINIGRAD

    made = [name for module in (creation, sampling) for name in module.__all__]
    found = [*MINIGRAD, *made, *(f"nn.functional.{n}" for n in FUNCTIONAL), *(f"linalg.{n}" for n in linalg.__all__)]
    return [name for name in dict.fromkeys(found) if not name.endswith("_") and "rng_state" not in name]


# -- in a process of its own


def _tensors(torch: Any, value: Any) -> list[Any]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [x for part in value for x in _tensors(torch, part)] if isinstance(value, tuple | list) else []


class Timed:
    """One operation in one engine, called in one way."""

    def __init__(self, torch: Any, path: str, arguments: Callable[[], Arguments]) -> None:
        self.torch, self.function = torch, torch
        for part in path.split("."):
            self.function = getattr(self.function, part)
        torch.manual_seed(0)
        self.arguments = arguments()
        self.leaves = [x for x in _tensors(torch, self.arguments) if x.is_floating_point()]
        out = self.function(*self.arguments)
        if not _tensors(torch, out):
            raise TypeError("gives no tensor")
        for x in self.leaves:
            x.requires_grad_()
        self.backward = False
        try:
            outputs = self.recorded()
            self.gradients = [torch.rand(x.shape) for x in outputs]
            self.backward = bool(outputs)
            if outputs:
                self.step()
        except (RuntimeError, NotImplementedError, TypeError):
            self.backward = False
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
    """The quickest of as many calls as fit."""
    times: list[float] = []
    end = time.perf_counter() + budget
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return min(times)


def work(engine: str, n: int, threads: int) -> None:
    """Answer lines of JSON: {"find": path} with the ways that fit, {"take": [path, way]}, {"time": budget}."""
    import importlib
    import warnings

    warnings.simplefilter("ignore")
    torch = importlib.import_module(engine)
    torch.set_num_threads(threads)
    torch.nn.functional.gelu(torch.zeros(1 << 16))  # in minigrad this loads Numba, as any large array does
    timed: Timed | None = None

    def give_up(*_: Any) -> None:
        raise TimeoutError(f"takes more than {PATIENCE} s")

    signal.signal(signal.SIGALRM, give_up)
    for line in sys.stdin:
        ask = json.loads(line)
        if "find" in ask:
            path, fit = ask["find"], []
            own = special(torch, 100)
            for way, arguments in [("its own", own[path])] if path in own else ways(torch, 100):
                try:
                    Timed(torch, path, arguments)
                    fit.append(way)
                except Exception:  # whatever it says: it is not called so
                    continue
            answer: Any = fit
        elif "take" in ask:
            path, way = ask["take"]
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
            try:
                timed = Timed(torch, path, special(torch, n)[path] if way == "its own" else dict(ways(torch, n))[way])
                answer = {"backward": timed.backward}
            except Exception as problem:
                timed, answer = None, {"error": f"{engine}: {type(problem).__name__} {str(problem)[:200]}"}
            signal.setitimer(signal.ITIMER_REAL, 0)
        else:
            assert timed is not None
            answer = [
                seconds(timed.forward, ask["time"]),
                seconds(timed.step, ask["time"]) if timed.backward and ask["backward"] else None,
            ]
        print(json.dumps(answer), flush=True)


# -- the comparison


class Engine:
    def __init__(self, name: str, n: int, threads: int) -> None:
        command = [sys.executable, "-m", "benchmarks.operations", "worker", name, str(n), str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment(threads)
        )  # fmt: skip

    def ask(self, **question: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended at {question}")
        return json.loads(line)


def measure(
    paths: list[str], n: int, threads: int, budget: float, rounds: int = 3, tell: Callable[[str], Any] = len
) -> tuple[list[dict[str, Any]], list[str]]:
    """By operation the times of both engines, forward and forward with backward; and what could not be timed, with the reason."""
    found: list[dict[str, Any]] = []
    left: list[str] = []
    engines = [Engine(name, n, threads) for name in ("torch", "minigrad")]
    try:
        for path in paths:
            tell(path)
            theirs, ours = (engine.ask(find=path) for engine in engines)
            way = next((w for w in theirs if w in ours), None)
            if way is None:
                left.append(f"{path} (no known way to call it in both engines)")
                continue
            taken = [engine.ask(take=[path, way]) for engine in engines]
            if errors := [t["error"] for t in taken if "error" in t]:
                left.append(f"{path} ({errors[0]})")
                continue
            both = all(t["backward"] for t in taken)
            times: list[list[list[float]]] = [[], []]
            for _ in range(rounds):
                for engine, so_far in zip(engines, times, strict=True):
                    so_far.append(engine.ask(time=budget, backward=both))
            for k, what in enumerate(("forward", "and backward")[: 1 + both]):
                torch_s, our_s = (min(t[k] for t in so_far) for so_far in times)
                ratio = statistics.median(a[k] / b[k] for a, b in zip(*times, strict=True))
                found.append(
                    {"name": path, "way": way, "what": what, "torch_s": torch_s, "minigrad_s": our_s, "ratio": ratio}
                )
    finally:
        for engine in engines:
            engine.process.kill()
            engine.process.communicate()
    return sorted(found, key=lambda row: row["ratio"]), left


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks operations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="name", help="such as topk or nn.functional.gelu (all)")
    parser.add_argument("--elements", type=int, default=1_000_000, help="of an input (1,000,000)")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="threads of each engine (2)")
    parser.add_argument("--seconds", type=float, default=0.05, help="of a round, of which each engine has three (0.05)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each engine, in turn (3)")
    parser.add_argument("--below", type=float, metavar="RATIO", help="show only what is slower than that")
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
    options = parser.parse_args(given)
    known = names()
    for name in options.names:
        if name not in known:
            parser.error(f"unknown operation {name!r}; there are {', '.join(known)}")

    def tell(path: str) -> None:
        print(f"{path}\x1b[K", end="\r", file=sys.stderr, flush=True)

    setting = options.elements, options.threads, options.seconds, options.rounds
    found, left = measure(options.names or known, *setting, tell)
    print(f"{'operation':45} {'called with':22} {'':13} {'minigrad':>10} {'PyTorch':>10} {'ratio':>7}")
    for row in found:
        if options.below is None or row["ratio"] < options.below:
            ours, theirs = row["minigrad_s"] * 1e6, row["torch_s"] * 1e6
            print(
                f"{row['name']:45} {row['way']:22} {row['what']:13} {ours:8.0f} us {theirs:8.0f} us {row['ratio']:7.2f}"
            )
    for line in left:
        print(f"not timed: {line}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)
    return 0


if __name__ == "__main__":
    work(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

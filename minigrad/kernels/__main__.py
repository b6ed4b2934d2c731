"""`python -m minigrad.kernels warm`: compile every kernel now, so that no training waits for it.

A few of them: `warm gelu conv2d`, what the names of the programs below begin with.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import minigrad as torch

from ..autograd.fused import numba_is_installed
from ..counted import counted


def jobs() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Programs that between them use every kernel, in both floating types."""
    F = torch.nn.functional

    def through(function: Callable[..., Any], *shapes: tuple[int, ...], dtype: Any) -> Callable[[], Any]:
        def run() -> None:
            inputs = [torch.rand(*shape, dtype=dtype).requires_grad_() for shape in shapes]
            function(*inputs).sum().backward()

        return run

    def step(optimizer: Callable[..., Any], dtype: Any) -> Callable[[], Any]:
        def run() -> None:
            p = torch.rand(200, 200, dtype=dtype).requires_grad_()
            chosen = optimizer([p])
            for _ in range(2):
                p.grad = torch.rand(200, 200, dtype=dtype)
                chosen.step()

        return run

    def written(dtype: Any) -> Callable[[], Any]:
        def run() -> None:
            w = torch.rand(40, 30, dtype=dtype).requires_grad_()
            adam = torch.optim.Adam([w])

            def train() -> None:
                adam.zero_grad()
                torch.tanh(w * w).sum().backward()
                adam.step()

            compiled = torch.compile(train)
            for _ in range(3):
                compiled()

        return run

    def helper(dtype: Any) -> Callable[[], Any]:
        def run() -> None:  # whom nobody asks: so also where there is one thread
            recurrent = importlib.import_module("minigrad.kernels.recurrent")
            x = torch.zeros(64, dtype=dtype).numpy()
            recurrent._help(recurrent.new_hand(), *(x, x, x, (8, 8, 8, 8, 8)) * 2)

        return run

    yield "randperm", lambda: torch.randperm(1 << 16)
    yield "randn", lambda: torch.randn(1 << 16, dtype=torch.float32)
    for dtype in (torch.float32, torch.float64):
        name = str(dtype).partition(".")[2]
        rows, images = (300, 200), (4, 8, 40, 40)
        if dtype == torch.float32:
            yield "erf", through(torch.erf, rows, dtype=dtype)
            yield "gelu", through(F.gelu, rows, dtype=dtype)
            yield "gelu, tanh form", through(lambda x: F.gelu(x, approximate="tanh"), rows, dtype=dtype)
        yield f"relu {name}", through(F.relu, (600, 500), dtype=dtype)
        yield f"softmax {name}", through(lambda x: torch.softmax(x, -1), rows, dtype=dtype)
        yield f"log_softmax {name}", through(lambda x: torch.log_softmax(x, -1), rows, dtype=dtype)
        labels = torch.zeros(300, dtype=torch.int64)
        yield f"cross_entropy {name}", through(lambda x, y=labels: F.cross_entropy(x, y), rows, dtype=dtype)
        yield f"layer_norm {name}", through(lambda x: F.layer_norm(x, (200,)), rows, dtype=dtype)
        yield f"batch_norm {name}", through(lambda x: F.batch_norm(x, None, None, training=True), images, dtype=dtype)
        yield f"max_pool2d {name}", through(lambda x: F.max_pool2d(x, 2), images, dtype=dtype)
        filters = (16, 8, 3, 3)
        yield f"conv2d {name}", through(lambda x, w: F.conv2d(x, w), images, filters, dtype=dtype)
        batch, filters = (16, 80, 14, 14), (80, 80, 3, 3)
        yield f"conv2d of a batch {name}", through(lambda x, w: F.conv2d(x, w), batch, filters, dtype=dtype)
        heads = [(2, 4, 150, 64)] * 3
        yield f"attention {name}", through(F.scaled_dot_product_attention, *heads, dtype=dtype)
        for kind in (torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU):
            layer = kind(20, 40, dtype=dtype)
            yield f"{kind.__name__} {name}", through(lambda x, layer=layer: layer(x)[0], (30, 20, 20), dtype=dtype)
        yield f"a recurrent layer's second thread {name}", helper(dtype)
        yield (
            f"cummax {name}",
            through(lambda x: torch.cummax(x, 0).values + torch.cummax(x, 1).values, rows, dtype=dtype),
        )
        for special in (torch.erfc, torch.erfinv, torch.lgamma):
            yield f"{special.__name__} {name}", through(special, rows, dtype=dtype)
        yield f"topk {name}", through(lambda x: torch.topk(x, 5).values, rows, dtype=dtype)
        triangle = torch.eye(60, dtype=dtype)
        yield (
            f"solve_triangular {name}",
            through(lambda b, a=triangle: torch.linalg.solve_triangular(a, b, upper=True), (60, 60), dtype=dtype),
        )
        points = torch.zeros(4, 20, 20, 2, dtype=dtype)
        yield (
            f"grid_sample {name}",
            through(lambda x, g=points: F.grid_sample(x, g, align_corners=False), images, dtype=dtype),
        )
        places = torch.zeros(1 << 15, dtype=torch.int64)
        yield f"take {name}", through(lambda x, i=places: x.take(i), rows, dtype=dtype)
        along = torch.zeros(300, 200, dtype=torch.int64)
        yield f"gather {name}", through(lambda x, i=along: x.gather(1, i), rows, dtype=dtype)
        words = torch.zeros(400, dtype=torch.int64)
        yield f"index_select {name}", through(lambda w, i=words: w.index_select(0, i), (50, 200), dtype=dtype)
        yield f"embedding {name}", through(lambda w, i=words: F.embedding(i, w), (50, 200), dtype=dtype)
        yield f"steps of minigrad.compile {name}", written(dtype)
        yield f"Adam {name}", step(lambda p: torch.optim.Adam(p), dtype)
        yield f"SGD {name}", step(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), dtype)


def unused() -> list[str]:
    """The kernels that no job has compiled."""
    compiled = importlib.import_module("minigrad.kernels.compiled")  # and with it Numba
    return sorted(name for name, kernel in compiled.all_kernels().items() if not kernel.used)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m minigrad.kernels", description=__doc__)
    parser.add_argument("command", choices=["warm"], help="compile kernels")
    parser.add_argument("names", nargs="*", metavar="name", help="what to compile, such as gelu (all)")
    options = parser.parse_args(arguments)
    if not numba_is_installed():
        print("Numba is not installed: there is nothing to compile (pip install numba).", file=sys.stderr)
        return 1
    todo = list(jobs())
    for name in options.names:
        if not any(known.startswith(name) for known, _ in todo):
            known = sorted({known.removesuffix(" float32").removesuffix(" float64") for known, _ in todo})
            parser.error(f"nothing to compile is called {name!r}; there are {', '.join(known)}")
    if options.names:
        todo = [(known, job) for known, job in todo if known.startswith(tuple(options.names))]
    start = time.perf_counter()
    try:
        from rich.progress import track

        todo_shown = track(todo, description="compiling")
    except ModuleNotFoundError:
        todo_shown = todo  # type: ignore[assignment]
    with torch.use_kernels("compiled"):  # also those that would wait until NumPy has been at work for long enough
        for _, job in todo_shown:
            job()
    print(f"{counted(len(todo), 'program')}, {time.perf_counter() - start:.1f} s; what is compiled is kept on disk")
    return 0


if __name__ == "__main__":
    sys.exit(main())

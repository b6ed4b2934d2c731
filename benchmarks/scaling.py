"""`python -m benchmarks scaling`: what a step costs against its size, in minigrad and PyTorch, drawn log-log.

The slope of the last half of each curve says how the cost grows: 0 is all overhead, 1 is proportional to the size.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curriculum import commands
from curriculum.files import write

from . import compare
from .report import RESULTS
from .workloads import Prepare, Step, training


@dataclass(frozen=True)
class Scale:
    what: str
    sizes: tuple[int, ...]
    make: Callable[[Any, Prepare, int], Step]


def _mlp(torch: Any, prepare: Prepare, rows: int, width: int, depth: int) -> Step:
    torch.manual_seed(0)
    nn = torch.nn
    layers: list[Any] = [nn.Linear(16, width), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(width, 1))
    x, y = torch.randn(rows, 16), torch.randn(rows, 1)
    return training(torch, model, x, y, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=1e-3), prepare)


def _attention(torch: Any, prepare: Prepare, length: int) -> Step:
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, 4, length, 64).requires_grad_() for _ in range(3))

    def step() -> Any:
        q.grad = k.grad = v.grad = None
        out = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        out.sum().backward()
        return out[0, 0, 0, :1].detach().sum()

    return step


def _graph(torch: Any, prepare: Prepare, nodes: int) -> Step:
    x = torch.ones(1, requires_grad=True)

    def step() -> Any:
        x.grad = None
        y = x
        for _ in range(nodes):
            y = y * 1.0
        y.backward()
        return x.grad

    return step


SCALES = {
    "rows": Scale("training step of 16-64-64-1, by rows", (1, 8, 64, 512, 4096, 32768), lambda t, p, n: _mlp(t, p, n, 64, 2)),
    "width": Scale("training step of two layers, 64 rows, by width", (4, 16, 64, 256, 1024), lambda t, p, n: _mlp(t, p, 64, n, 2)),
    "depth": Scale("training step, 64 rows, 32 wide, by layers", (1, 2, 4, 8, 16, 32, 64), lambda t, p, n: _mlp(t, p, 64, 32, n)),
    "length": Scale("attention with 4 heads of 64, forward and backward, by length", (16, 64, 256, 1024, 2048), _attention),
    "graph": Scale("chain of products of one element, by nodes", (1, 10, 100, 1000, 10000), _graph),
}  # fmt: skip
ENGINES = ["minigrad", "torch"]


def make(name: str, torch: Any, prepare: Prepare) -> Step:
    """The step of "scaling/KIND/SIZE"."""
    _, kind, size = name.split("/")
    return SCALES[kind].make(torch, prepare, int(size))


def slope(sizes: list[int], times: list[float]) -> float:
    """By least squares in the logarithms, over the larger half of the sizes."""
    half = len(sizes) // 2
    x, y = [math.log(s) for s in sizes[half:]], [math.log(t) for t in times[half:]]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sum((a - mx) ** 2 for a in x)


def picture(curves: dict[str, Any]) -> bytes:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, len(curves), figsize=(4.2 * len(curves), 3.6), squeeze=False)
    for ax, (kind, curve) in zip(axes.flat, curves.items(), strict=True):
        for engine, color in zip(ENGINES, ("#d9601a", "#1f5fa8"), strict=True):
            times = [t * 1e6 for t in curve[engine]]
            label = f"{engine}, slope {curve['slope'][engine]:.2f}"
            ax.loglog(curve["sizes"], times, "o-", color=color, markersize=4, label=label)
        ax.set(xlabel=kind, ylabel="microseconds a step")
        ax.set_title(SCALES[kind].what, fontsize=9)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize=8)
    fig.tight_layout()
    content = io.BytesIO()
    fig.savefig(content, format="png", dpi=110)
    plt.close(fig)
    return content.getvalue()


def main(given: list[str]) -> int:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    parser = argparse.ArgumentParser(prog="python -m benchmarks scaling", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="kind", help=f"any of {', '.join(SCALES)} (default: all)")
    parser.add_argument("--threads", type=commands.whole(most=1024), default=2)
    parser.add_argument("--rounds", type=commands.whole(), default=3)
    parser.add_argument("--seconds", type=commands.above_zero, default=0.3)
    parser.add_argument(
        "--save", type=commands.plain_name, metavar="NAME", help="keep JSON and picture as benchmarks/results/NAME.*"
    )
    options = parser.parse_args(given)
    chosen = options.kinds or list(SCALES)
    if unknown := [kind for kind in chosen if kind not in SCALES]:
        parser.error(f"unknown kind {unknown[0]!r}; there are {', '.join(SCALES)}")
    console = Console() if sys.stdout.isatty() else Console(width=120)
    env = compare.environment(options.threads)
    curves: dict[str, Any] = {}
    table = Table(title="microseconds a step")
    for column in ("kind", "size", *ENGINES, "ratio"):
        table.add_column(column, justify="left" if column == "kind" else "right")
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=sum(len(SCALES[kind].sizes) for kind in chosen))
        for kind in chosen:
            curve: dict[str, Any] = {"sizes": list(SCALES[kind].sizes), **{engine: [] for engine in ENGINES}}
            for size in SCALES[kind].sizes:
                progress.update(task, description=f"{kind} {size}", advance=1)
                figures = compare.measure(
                    f"scaling/{kind}/{size}", ENGINES, options.rounds, options.seconds, options.threads, env
                )
                for engine in ENGINES:
                    if "error" in figures[engine]:
                        raise SystemExit(figures[engine]["error"])
                    curve[engine].append(figures[engine]["median_s"])
                times = [f"{figures[engine]['median_s'] * 1e6:.4g}" for engine in ENGINES]
                table.add_row(kind, str(size), *times, f"{figures['minigrad']['ratio']:.2f}")
            curve["slope"] = {engine: slope(curve["sizes"], curve[engine]) for engine in ENGINES}
            curves[kind] = curve
    console.print(table)
    for kind, curve in curves.items():
        console.print(f"{kind}: slope " + ", ".join(f"{e} {curve['slope'][e]:.2f}" for e in ENGINES), highlight=False)
    target = RESULTS / options.save if options.save else Path("runs") / "scaling"
    if options.save:
        write(target.with_suffix(".json"), json.dumps(curves, indent=1) + "\n")
    write(target.with_suffix(".png"), picture(curves))
    console.print(f"picture: {target}.png", highlight=False, soft_wrap=True)
    return 0

"""The backward page of a program, with PyTorch's gradient beside minigrad's in every node.

The program runs in both engines from the same random numbers, and each node of minigrad's graph is given its counterpart (see
counterparts.py). Where PyTorch computes in other steps and never has these numbers, a node has none, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import files
from minigrad.counted import counted
from minigrad.viz.page import write
from minigrad.viz.reading import Graph, Item
from minigrad.viz.record import record, walked
from minigrad.viz.recording import recording, with_variables
from minigrad.viz.tensors import Pool

from . import counterparts
from .engines import MINIGRAD, TORCH, Engine, named, require_function
from .watch import same_random_numbers

RELATIVE = {"float64": 1e-9, "float32": 1e-4}


@dataclass
class Beside:
    """What `page` found. `str` says it in words."""

    path: Path
    compared: int  # nodes that have a counterpart
    nodes: int  # nodes with a gradient
    differ: list[str]  # the names of those that differ, the first to run first
    apart: float  # the largest difference, by the largest element

    @property
    def equal(self) -> bool:
        return not self.differ

    def __str__(self) -> str:
        found = f"the gradients differ first at {self.differ[0]}" if self.differ else "the gradients are equal"
        return f"{found}: {self.compared} of {counted(self.nodes, 'node')} compared with PyTorch, largest difference {self.apart:.2g}. {self.path}"


def page(
    program: Callable[[Any], Any],
    path: str | Path = "backward.html",
    *,
    words: Sequence[str] | None = None,
    title: str | None = None,
) -> Beside:
    """Write the backward page of a program with PyTorch's gradients in it; it opens where they differ.

    program: a function of one argument, the engine (`torch`), that returns the tensor from which the pass goes back, and has not gone
    back itself (or with retain_graph=True). words: as in `viz.page`.

        def program(torch):
            model = torch.nn.Linear(2, 1)
            return model(torch.randn(5, 2)).square().mean()

        print(parity.page(program, "backward.html"))
    """
    files.require_place(path)
    require_function(program, "parity.page", "a function of one argument, the engine, that returns the loss")
    graph, found = compared(program)
    differ = [item for item in graph.order if item in found and found[item][2]]
    nodes = sum(item.grad is not None for item in graph.items)
    result = Beside(
        Path(path),
        len(found),
        nodes,
        [item.title for item in differ],
        max((f[1] for f in found.values()), default=0.0),
    )

    def beside(_: Graph, pool: Pool) -> dict[str, Any]:
        return {
            "engine": "PyTorch",
            "said": f"{len(found)} of {counted(nodes, 'node')} compared, {'all equal' if not differ else f'{len(differ)} differ'}",
            "first": differ[0].id if differ else None,
            "nodes": {
                item.id: {"grad": pool.put(other), "apart": apart, "differs": wrong}
                for item, (other, apart, wrong) in found.items()
            },
        }

    write(
        record(
            graph, title=title or f"Backward pass of {graph.top.title}, in both engines", words=words, beside=beside
        ),
        path,
    )
    return result


def compared(program: Callable[[Any], Any]) -> tuple[Graph, dict[Item, tuple[np.ndarray, float, bool]]]:
    """minigrad's graph of a program, and by item PyTorch's gradient, how far minigrad's is apart, and whether it differs."""
    with same_random_numbers(MINIGRAD), recording():
        loss, variables = with_variables(program, MINIGRAD.module)
    _check(loss, MINIGRAD)
    with same_random_numbers(TORCH), counterparts.watching() as seen:
        theirs, their_variables = with_variables(program, TORCH.module)
    _check(theirs, TORCH)
    graph = walked(loss, variables)
    gradients = counterparts.beside(graph, theirs, seen, variables, their_variables)
    return graph, _compared(graph, gradients)


def _check(out: Any, engine: Engine) -> None:
    if not isinstance(out, engine.Tensor):
        raise TypeError(
            f"the program must return the tensor from which the backward pass begins; run in {engine.name} it returned "
            f"{named(out)}"
        )


def _compared(graph: Graph, gradients: dict[Item, np.ndarray]) -> dict[Item, tuple[np.ndarray, float, bool]]:
    """By item PyTorch's gradient, how far minigrad's is apart, by the largest element, and whether that is more than rounding.

    Where large gradients cancel, as in a normalization, what is left has the rounding of what came in, and all that is computed from it
    carries that on.
    """
    found: dict[Item, tuple[np.ndarray, float, bool]] = {}
    shares: dict[Item, float] = {}  # of a gradient's largest element, what may be rounding
    for item in graph.order:
        own = item.grad
        if own is None:
            continue
        sources = [s.source for s in item.arrivals if s.source.grad is not None]
        came = max((_largest(s.grad) for s in sources), default=0.0)
        given = max([RELATIVE.get(str(own.dtype), 1e-2), *(shares.get(s, 0.0) for s in sources)])
        largest = _largest(own)
        allowed = given * largest + 64 * float(np.finfo(own.dtype).eps) * came
        shares[item] = min(1.0, allowed / largest) if largest else given
        other = gradients.get(item)
        if other is None:
            continue
        if not np.array_equal(np.isfinite(own), np.isfinite(other)):
            found[item] = other, float("inf"), True
            continue
        with np.errstate(all="ignore"):
            off = _largest(own.astype(np.float64) - other)
        found[item] = other, off / (max(_largest(other), came) or 1.0), off > allowed
    return found


def _largest(x: np.ndarray | None) -> float:
    """The largest element by its size, of those that are finite."""
    return 0.0 if x is None else float(np.abs(np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)).max(initial=0.0))

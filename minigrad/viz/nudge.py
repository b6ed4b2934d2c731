"""Move one number of a leaf and see what the loss does, beside what its gradient foretells."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import quiet
from ..autograd.function import Function
from ..autograd.modes import no_grad
from ..autograd.variable import Array
from ..sampling import get_rng_state, set_rng_state
from .reading import Graph, Item
from .recording import kept

STEPS = (-1.0, -0.5, -0.2, -0.1, -0.05, -0.01, 0.0, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0)  # times the size of the number
MOST = 40_000  # runs of one node, in all


def losses(graph: Graph) -> dict[Item, dict[str, Any]]:
    """By leaf: the steps of each element and the loss there. Empty where the forward pass cannot be run again.

    For that every step must be known with its inputs (`recording`), the result be one number, and the work small.
    """
    nodes = [item for item in graph.items if item.kind == "op"]
    if graph.root.array.size != 1 or not nodes or any(kept(item.node) is None or isinstance(item.node, Function) for item in nodes if item.node is not None):  # fmt: skip
        return {}
    if sum(item.value.size for item in nodes if item.value is not None) > 20_000:
        return {}
    leaves = [item for item in graph.items if item.is_leaf and item.value is not None and item.grad is not None]
    budget = MOST
    found: dict[Item, dict[str, Any]] = {}
    before = get_rng_state()
    if _forward(graph, {}) is None or not np.array_equal(before.array, get_rng_state().array):
        set_rng_state(before)
        return {}
    for leaf in sorted(leaves, key=lambda item: item.value.size):  # type: ignore[union-attr]
        value: Any = leaf.value
        cost = value.size * len(STEPS) * len(nodes)
        if cost > budget:
            continue
        budget -= cost
        table = []
        for place in range(value.size):
            scale = max(abs(float(value.flat[place])), 0.1)
            row = []
            for step in STEPS:
                moved = value.copy()
                moved.flat[place] += step * scale
                row.append([float(moved.flat[place]), _forward(graph, {leaf: moved})])
            table.append(row)
        found[leaf] = {"steps": table}
    return found


@quiet.quiet
def _forward(graph: Graph, moved: dict[Item, Array]) -> float | None:
    """The loss with these leaves in place of what they were; steps that do not depend on them are not run."""
    now: dict[Item, Array] = dict(moved)
    with no_grad():
        for item in graph.items:
            node = item.node
            if item.kind != "op" or node is None:
                continue
            if moved and not any(part.item in now for part in item.inputs):
                continue
            found = kept(node)
            if found is None:
                return None
            inputs = [
                now.get(part.item, x) if part.item is not None else x
                for part, x in zip(item.inputs, found.inputs, strict=False)
            ]
            cls: Any = type(node)
            ctx = cls()
            ctx.needs_input_grad = node.needs_input_grad
            try:
                now[item] = np.asarray(cls.forward(ctx, *inputs))
            except Exception:
                return None
    top = graph.top
    return float(now[top].reshape(-1)[0]) if top in now else float(graph.root.array.reshape(-1)[0])

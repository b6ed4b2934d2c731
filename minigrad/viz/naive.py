"""A backward pass in the wrong order, to compare: each arrival is passed on at once.

What has arrived so far is kept, and at every arrival all of it is passed on: a=1; b=a+a; c=b+b gives 6 where 4 is right,
as what came to b first is handed on twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import quiet
from ..autograd.fit import add, fit
from ..autograd.modes import no_grad
from ..autograd.variable import Array
from . import backward
from .reading import Graph, Item, root_edge

MOST_RUNS = 300  # the paths of a graph may be 2 to the number of its nodes


@dataclass
class Run:
    """One run of a node in the naive walk."""

    item: Item
    source: Item | None  # who sent
    input: int
    arrived: Array
    total: Array  # what this node has now, and passes on
    sent: list[Array | None]


@quiet.quiet
def walk(graph: Graph, gradient: Array) -> list[Run] | None:
    """The runs in their order; None where a node has several outputs or could not run, or there would be too many."""
    edge = root_edge(graph.root)
    if edge is None or any(len(item.shapes) > 1 or (item.trouble and not item.ran) for item in graph.items):
        return None
    runs: list[Run] = []
    totals: dict[Item, Array] = {}
    stack: list[tuple[Item, Item | None, int, Array]] = [(graph.by_node[edge[0]], None, 0, gradient)]
    with no_grad():
        while stack:
            if len(runs) >= MOST_RUNS:
                return None
            item, source, i, arrived = stack.pop()
            so_far = totals.get(item)
            totals[item] = total = arrived if so_far is None else add(so_far, arrived)
            made = Run(item, source, i, arrived, total, [None] * len(item.inputs))
            runs.append(made)
            node = item.node
            if node is None or item.is_leaf:
                continue
            try:
                results = backward.run(node, [total])
            except Exception:
                return None
            following = []
            for k, (to, result) in enumerate(zip(node._edges, results, strict=False)):
                if to is not None and result is not None:
                    made.sent[k] = fitted = np.asarray(fit(result, to, node, k))
                    following.append((graph.by_node[to[0]], item, k, fitted))
            stack += following[::-1]  # the first input first, to the end of its paths
    return runs

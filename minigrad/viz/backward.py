"""The backward pass, walked once more with everything written down.

The same nodes run by the same rules in the same order as in `plain_walk` of autograd/graph.py: a node runs when all that depend on
it have run, newest first. Nothing of the program changes: `.grad` of the leaves is read and not added to, hooks are not called,
what nodes saved stays.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import numpy as np

from .. import quiet
from ..autograd.fit import add, as_tuple, fit
from ..autograd.function import Function
from ..autograd.modes import no_grad
from ..autograd.node import Node
from ..autograd.variable import Array, Variable
from ..counted import counted
from .reading import Graph, Item, Sent, root_edge
from .recording import kept


def start(root: Any, gradient: Any = None) -> Array:
    """The gradient with which the walk begins: 1, or what is given; of many elements 1 for each, as of their sum."""
    if gradient is None:
        return np.ones(root.array.shape, root.array.dtype)
    given = gradient.array if isinstance(gradient, Variable) else np.asarray(gradient)
    if given.shape != root.array.shape:
        raise RuntimeError(f"gradient has shape {list(given.shape)}, and the tensor has {list(root.array.shape)}")
    return given.astype(root.array.dtype)


def run(node: Node, gradients: list[Array | None]) -> tuple[Any, ...]:
    """What `backward` of one node gives; RuntimeError where the graph was freed. A recorded node lends its copies."""
    found, saved = kept(node), node._saved
    lend = found is not None and found.saved is not None and node._edges != ()
    try:
        if lend and found is not None:
            node._saved = found.saved
        whole: Any = list(gradients) if node._outputs is not None else gradients[0]
        return as_tuple(node.run_backward(whole))
    finally:
        node._saved = saved


@quiet.quiet
def walk(graph: Graph, gradient: Array) -> None:
    """Fill what the items know of the backward pass: `grads`, `arrivals`, `sent`, `before` and `after`, and `order`."""
    edge = root_edge(graph.root)
    for item in graph.items:
        item.grads, item.arrivals, item.sent = [None] * len(item.shapes), [], [None] * len(item.inputs)
        if item.is_leaf and item.node is not None:
            grad: Any = getattr(item.node.variable, "grad", None)
            item.before = item.after = None if grad is None else np.array(grad.array)
    if edge is None:
        return
    top = graph.by_node[edge[0]]
    top.grads[edge[1]] = gradient
    heap: list[tuple[int, int, Item]] = [(-edge[0].sequence_nr, top.id, top)]
    waiting = {top}
    with no_grad():
        while heap:
            item = heappop(heap)[2]
            waiting.discard(item)
            item.ran = True
            graph.order.append(item)
            node = item.node
            assert node is not None
            if item.is_leaf:
                total = item.grads[0]
                item.after = total if item.before is None else add(item.before, total)
                continue
            try:
                results = run(node, item.grads)
            except Exception as error:
                item.trouble.append(_why(error))
                continue
            for i, (to, result) in enumerate(zip(node._edges, results, strict=False)):
                if to is None or result is None:
                    continue
                target = graph.by_node[to[0]]
                fitted = np.asarray(fit(result, to, node, i))
                shape = getattr(result, "shape", ())
                sent = Sent(item, i, target, to[1], fitted, np.asarray(result) if shape != fitted.shape else None)
                item.sent[i] = sent
                target.arrivals.append(sent)
                so_far = target.grads[to[1]]
                target.grads[to[1]] = fitted if so_far is None else add(so_far, fitted)
                if target not in waiting:
                    waiting.add(target)
                    heappush(heap, (-to[0].sequence_nr, target.id, target))
    _note(graph)


def _why(error: Exception) -> str:
    text = str(error)
    if "second time" in text:
        return (
            "freed: its saved values went with an earlier backward pass. Call backward(retain_graph=True), or compute inside "
            "`with viz.recording():`"
        )
    return f"its backward raises {type(error).__name__}: {text[:300]}"


def _note(graph: Graph) -> None:
    freed = sum(any(t.startswith("freed") for t in item.trouble) for item in graph.items)
    if freed:
        graph.notes.append(
            f"The graph was freed by an earlier backward pass: {counted(freed, 'node')} cannot run again, so the page shows what is still there. "
            "Say backward(retain_graph=True), or compute inside `with viz.recording():`."
        )
    elif any(item.node is not None and item.node._saved is None for item in graph.items):
        graph.notes.append(
            "A backward pass has gone through this graph already. It is shown once more, from what was recorded: .grad before is what "
            "the leaves hold now, after that pass."
        )
    raising = sum(any(t.startswith("its backward raises") for t in item.trouble) for item in graph.items)
    if raising:
        graph.notes.append(f"The backward of {counted(raising, 'node')} raises an error: nothing goes beyond.")
    hooked = sum(_has_hooks(item) for item in graph.items)
    if hooked:
        graph.notes.append(
            f"Hooks are registered at {counted(hooked, 'place')}. They are not called here: gradients are shown without them."
        )


def _has_hooks(item: Item) -> bool:
    node = item.node
    if node is None or isinstance(node, Function):
        return False
    hooks = [hook for _, hook in (node._hooks or {}).values() if not getattr(hook, "is_last", False)]
    return bool(hooks or node._node_hooks or (node.variable is not None and node.variable._hooks))

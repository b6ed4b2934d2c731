"""A fused node opened: its `definition` run on the same inputs, and walked with the same gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.fused import Fused, use_kernels
from ..autograd.modes import enable_grad
from ..autograd.variable import Array, Variable, wrap
from . import backward
from .reading import Graph, Item, Sent, fused, read
from .recording import kept, recording

LARGEST = 1 << 20  # elements of an input: above, a definition would take long and much memory


def opened(item: Item) -> Graph | None:
    """The graph of the definition; None where the node is not fused, or cannot be opened.

    Its leaves stand for the inputs of the fused node: `inputs` of its items lead to the items that those lead to.
    """
    node: Any = item.node
    gradient = item.grad
    if not fused(item) or gradient is None:
        return None
    inputs, tensors = _inputs(node)
    if any(isinstance(x, Array) and x.size > LARGEST for x in inputs):
        return None
    leaves: dict[int, Any] = {}
    given = []
    for i, (x, is_tensor) in enumerate(zip(inputs, tensors, strict=True)):
        if is_tensor:
            x = wrap(np.array(x))
            if i < len(node.needs_input_grad) and node.needs_input_grad[i]:
                x._requires_grad = True
                leaves[i] = x
        given.append(x)
    cls: Any = next(c for c in type(node).__mro__ if "definition" in c.__dict__)
    try:
        with enable_grad(), recording(), use_kernels("numpy"):
            out = cls.definition(*given)
    except Exception:  # what forward took ready-made, the definition cannot always take
        return None
    if not isinstance(out, Variable) or out._edge is None or out.array.shape != gradient.shape:
        return None
    graph = read(out, named=False)
    backward.walk(graph, gradient.astype(out.array.dtype))
    return _joined(graph, item, leaves)


def _inputs(node: Fused) -> tuple[list[Any], list[bool]]:
    found = kept(node)
    if found is not None:
        return found.inputs, found.tensors
    given = node.inputs or ()
    return [x.array if isinstance(x, Variable) else x for x in given], [isinstance(x, Variable) for x in given]


def _joined(graph: Graph, item: Item, leaves: dict[int, Any]) -> Graph:
    """The steps of a definition, their ends tied to what the fused node is tied to."""
    outer = {id(x): item.inputs[i] for i, x in leaves.items()}
    ends: dict[Item, Any] = {
        inner: outer[id(inner.node.variable)]
        for inner in graph.items
        if inner.is_leaf and inner.node is not None and id(inner.node.variable) in outer
    }
    for inner in graph.items:
        inner.inside_of, inner.box, inner.line = item, item.box, item.line
        for part in inner.inputs:
            if part.item in ends:
                end = ends[part.item]
                part.item, part.output_nr = end.item, end.output_nr
        for sent in inner.sent:
            if sent is not None and sent.target in ends:
                sent.target, sent.output_nr = ends[sent.target].item, ends[sent.target].output_nr
    if item.node in ends:  # pragma: no cover  (a definition that is its input: nothing to open)
        return graph
    graph.items = [inner for inner in graph.items if inner not in ends]
    graph.order = [inner for inner in graph.order if inner not in ends]
    return graph


def all_sent(graph: Graph) -> list[Sent]:
    return [sent for item in graph.items for sent in item.sent if sent is not None]

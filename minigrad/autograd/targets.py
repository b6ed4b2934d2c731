"""Where a backward pass goes: `autograd.grad` asks for the gradients of certain tensors, inner ones too.

Without targets the walk runs every node under the roots. With them it runs only nodes from which a target can be
reached, and keeps what arrives at the targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .hooks import call_leaf_hooks
from .node import Node
from .variable import Edge


class Targets:
    """The edges whose gradients are asked for, and what has arrived there. accumulate: leaves get them in `.grad` too.
    keep: whether what nodes saved stays."""

    def __init__(self, edges: Sequence[Edge], roots: Sequence[Edge], accumulate: bool, keep: bool = True) -> None:
        self.edges = set(edges)
        self.accumulate, self.retain_graph = accumulate, keep
        self.found: dict[Edge, Any] = {}
        self.nodes = _nodes_on_the_way(roots, self.edges)

    def leads(self, edge: Edge) -> bool:
        """Whether a gradient that goes along this edge is of use."""
        return edge[0] in self.nodes or edge in self.edges

    def keep(self, node: Node, grad: Any) -> bool:
        """Keep the complete gradient of a node's output if it is asked for; whether the node must run."""
        for i, gradient in enumerate([grad] if node._outputs is None else grad):
            if (node, i) in self.edges:
                self.found[(node, i)] = gradient
        if node not in self.nodes:
            if self.accumulate:  # PyTorch runs it, for nothing, and lets go what it saved
                if node._saved is None and node._packed is None:
                    _ = node.saved_tensors  # raises
                if not self.retain_graph:
                    node.release()
            return False
        if not self.accumulate and node.variable is not None:
            self.found[(node, 0)] = call_leaf_hooks(node.variable, grad)
            return False
        return True


def _nodes_on_the_way(roots: Sequence[Edge], targets: set[Edge]) -> set[Node]:
    """The nodes from which a target can be reached (the targets' own nodes only if they lead to other targets)."""
    target_nodes = {node for node, _ in targets}
    oldest = min(node.sequence_nr for node in target_nodes)
    # First all nodes under the roots, then, oldest first, whether one of a node's inputs leads to a target.
    seen: set[Node] = set()
    stack = [node for node, _ in roots]
    while stack:
        node = stack.pop()
        if node in seen or node.sequence_nr < oldest:
            continue
        seen.add(node)
        stack.extend(edge[0] for edge in node._edges if edge is not None)
    wanted: set[Node] = set()
    for node in sorted(seen, key=lambda n: n.sequence_nr):
        if node.variable is not None:
            if node in target_nodes:
                wanted.add(node)
        elif any(edge is not None and (edge[0] in wanted or edge in targets) for edge in node._edges):
            wanted.add(node)
    return wanted

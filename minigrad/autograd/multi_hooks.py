"""`register_multi_grad_hook`: a function of the user's that sees the gradients of several tensors at once.

How many of them a backward pass will compute is counted before it begins: those whose nodes can be reached from its roots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .graph import gradient_edge
from .hooks import RemovableHandle
from .node import Node
from .targets import Targets
from .variable import Edge

REGISTERED: dict[int, MultiHook] = {}


class MultiHook(RemovableHandle):
    """The hooks on the tensors, and what they have seen in the backward pass under way."""

    def __init__(self, tensors: Sequence[Any], fn: Callable, mode: str) -> None:
        super().__init__(REGISTERED, self)
        self.fn, self.mode = fn, mode
        self.edges = [gradient_edge(x) for x in tensors]
        self.seen: list[Any] = [None] * len(self.edges)
        self.expected = self.arrived = 0
        self.refused = False
        self.handles = [x.register_hook(self._seer(i)) for i, x in enumerate(tensors)]

    def _seer(self, i: int) -> Callable:
        return lambda gradient: self.see(i, gradient)

    def begin(self, reached: set[Node], targets: Targets | None) -> None:
        """A backward pass begins that reaches these nodes."""
        wanted = [e for e in self.edges if e is not None and e[0] in reached and (targets is None or targets.leads(e))]
        self.expected, self.arrived = len(wanted), 0
        self.refused = (
            targets is not None and not targets.accumulate
            and any(e in targets.edges for e in self.edges if e is not None and e[0].variable is not None)
        )  # fmt: skip
        self.seen = [None] * len(self.edges)

    def see(self, i: int, gradient: Any) -> None:
        if self.refused and self.mode == "all":
            raise RuntimeError(
                "register_multi_grad_hook: a leaf is among the tensors, and this is autograd.grad(), which accumulates nothing in "
                "leaves. This is not supported."
            )
        self.arrived += 1
        self.seen[i] = gradient
        if self.mode == "any":
            if self.arrived == 1:
                self.fn(gradient)
        elif self.arrived == self.expected:
            seen, self.seen, self.arrived = self.seen, [None] * len(self.edges), 0
            self.fn(seen)

    def remove(self) -> None:
        super().remove()
        for handle in self.handles:
            handle.remove()


def register_multi_grad_hook(tensors: Sequence[Any], fn: Callable, *, mode: str = "all") -> RemovableHandle:
    """Call `fn` once in a backward pass: with the list of the tensors' gradients when all that it computes are there (None for the
    others), or with mode "any" with the first one. What fn returns is not looked at. PyTorch: torch.autograd.graph.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    if not all(x.requires_grad for x in tensors):
        raise AssertionError("register_multi_grad_hook: each of the tensors must require grad")
    return MultiHook(tuple(tensors), fn, mode)


def begin(roots: Iterable[Edge], targets: Targets | None) -> None:
    """Tell the hooks what a backward pass from these roots reaches. Called only where there are any."""
    reached: set[Node] = set()
    first = [node for node, _ in roots]
    stack = list(first)
    while stack:
        node = stack.pop()
        if node not in reached:
            reached.add(node)
            stack.extend(edge[0] for edge in node._edges if edge is not None)
    for hook in tuple(REGISTERED.values()):
        hook.begin(reached.difference(first), targets)  # (PyTorch does not count the roots themselves)

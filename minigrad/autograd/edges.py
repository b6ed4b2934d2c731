"""For programs that look at the graph from outside: edges as objects, versions, and what may be saved where.

PyTorch has these names in torch.autograd.graph, and so has minigrad: `autograd/__init__.py` puts them there.
"""

from __future__ import annotations

import contextlib
from typing import Any, NoReturn

from .. import storage
from .graph import gradient_edge
from .multi_hooks import register_multi_grad_hook as register_multi_grad_hook
from .node import GradientEdge, Node
from .saved import disable_saved_tensors_hooks as disable_saved_tensors_hooks
from .saved import saved_tensors_hooks as saved_tensors_hooks
from .variable import Variable

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
]  # fmt: skip


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """Where the gradient of the tensor goes; `autograd.grad` takes it in the tensor's place. PyTorch: torch.autograd.graph."""
    edge = gradient_edge(tensor)
    if edge is None:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(*edge)


def increment_version(tensor: Any) -> None:
    """Count a write to the memory of the tensor (or of several), as of an in-place change that minigrad does not see."""
    for x in (tensor,) if isinstance(tensor, Variable) else tensor:
        storage.mark_written(x.array)


class save_on_cpu(contextlib.AbstractContextManager):
    """Keep what the backward pass needs in the CPU's memory: there is no other, so nothing changes."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        if pin_memory:
            raise NotImplementedError("save_on_cpu: pin_memory=True is not supported by minigrad; leave it out")

    def __exit__(self, *error: object) -> None:
        pass


def allow_mutation_on_saved_tensors() -> NoReturn:
    raise NotImplementedError("minigrad has no allow_mutation_on_saved_tensors; clone() what is to be changed")

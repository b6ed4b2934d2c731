"""What modules and optimizers both do with tensors: forget gradients, and read the values of tensors of any engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import storage
from ..autograd.variable import Variable


def clear_gradients(tensors: Iterable[Any], set_to_none: bool = True) -> None:
    """Forget the tensors' gradients, or set them to 0 where they stand; a graph that one belongs to is let go."""
    for p in tensors:
        if set_to_none or p._grad is None:
            p._grad = None
            continue
        if p._grad._edge is not None:
            p._grad.detach_()
        p._grad.requires_grad_(False)
        p._grad.array[...] = 0
        storage.mark_written(p._grad.array)


def array_of(value: Any) -> np.ndarray | None:
    """The values of a tensor of any engine; None for anything else."""
    if isinstance(value, Variable):
        return value.array
    if not hasattr(value, "detach"):
        return None
    value = value.detach()
    if str(getattr(value, "dtype", "")) == "torch.bfloat16":  # NumPy has no such type
        value = value.float()
    return np.asarray(value) if hasattr(value, "__array__") else None

"""What the losses share: how the losses of elements (or rows) become one number, and the gradient of that.

`reduction` is "mean" (the default), "sum", or "none"; `checks.reduction_name` reads it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Array, Operand, Variable


def reduced(losses: Operand, reduction: str) -> Any:
    """The losses themselves, their sum or their mean. For arrays and tensors."""
    if reduction == "none":
        return losses
    if isinstance(losses, Variable):
        return losses.sum() if reduction == "sum" else losses.mean()  # type: ignore[attr-defined]  # a Tensor, which has it
    total = np.add.reduce(losses, None)
    return total if reduction == "sum" else total / losses.size


def of_each(grad: Array, count: int, reduction: str) -> Array:
    """The gradient of each of `count` losses, from that of the reduced loss; it broadcasts to their shape."""
    return grad / count if reduction == "mean" else grad


def require_no_grad(function: str, **arguments: Operand | None) -> None:
    """RuntimeError if one of the named arguments requires a gradient, which PyTorch does not give."""
    for name, x in arguments.items():
        if x is not None and x.requires_grad:
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument '{name}'. This input cannot "
                "have requires_grad True."
            )

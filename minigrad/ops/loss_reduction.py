"""What the losses share: how the losses of elements (or rows) become one number, and the gradient of that."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import Array, Operand, Variable
from ..warn import warn


def reduction_name(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    """The reduction of a loss: "none", "mean" or "sum"; from the old arguments, with PyTorch's warning, if one is given."""
    if size_average is not None or reduce is not None:
        wanted = size_average is None or size_average
        reduction = "none" if reduce is not None and not reduce else "mean" if wanted else "sum"
        warn(f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction; use 'none', 'mean' or 'sum'")
    return reduction


def reduced(losses: Operand, reduction: str) -> Any:
    """The losses themselves, their sum or their mean. For arrays and tensors."""
    if reduction == "none":
        return losses
    if isinstance(losses, Variable):
        return losses.sum() if reduction == "sum" else losses.mean()  # type: ignore[attr-defined]  # a Tensor, which has it
    if losses.dtype == np.float16:  # a sum of many may not fit where their mean does
        return reduced(losses.astype(np.float32), reduction).astype(np.float16)
    total = np.add.reduce(losses, None)
    return total if reduction == "sum" else total / losses.size


def of_each(grad: Array, count: int, reduction: str) -> Array:
    """The gradient of each of `count` losses, from that of the reduced loss; it broadcasts to their shape."""
    if reduction != "mean":
        return grad
    return grad * (1 / count) if count > 65504 and grad.dtype == np.float16 else grad / count


def require_no_grad(function: str, **arguments: Operand | None) -> None:
    """RuntimeError if one of the named arguments requires a gradient, which PyTorch does not give."""
    for name, x in arguments.items():
        if x is not None and x.requires_grad:
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument '{name}'. This input cannot "
                "have requires_grad True."
            )

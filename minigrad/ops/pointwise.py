"""Mathematical functions of one element: exp, log, roots, trigonometry, and their like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Array, Operation
from .arithmetic import to_float

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["clone", "exp", "log", "sqrt"]


class Clone(Operation):
    """out = x, copied.  dx = grad"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad


class Exp(Operation):
    """out = eˣ.  dx = grad · out"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = np.exp(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return grad * out


class Log(Operation):
    """out = ln x.  dx = grad / x"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.log(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad / x


class Sqrt(Operation):
    """out = √x.  dx = grad / (2 · out), inf at 0"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = np.sqrt(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return grad / (2 * out)


def clone(input: Any, *, memory_format: Any = None) -> Tensor:
    """A copy in memory of its own. PyTorch: torch.clone."""
    return Clone.apply(input)


def exp(input: Any) -> Tensor:
    """eˣ. PyTorch: torch.exp."""
    return Exp.apply(to_float(input))


def log(input: Any) -> Tensor:
    """The natural logarithm: -inf at 0, nan below. PyTorch: torch.log."""
    return Log.apply(to_float(input))


def sqrt(input: Any) -> Tensor:
    """√input, nan below 0. PyTorch: torch.sqrt."""
    return Sqrt.apply(to_float(input))

"""Softmax and its relatives: from scores to probabilities.

All subtract the maximum first: e^(x - max) cannot overflow, and the common factor cancels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.fused import Fused, size
from ..autograd.variable import Array, Operand, wrap
from ..public import public
from ..random import default_generator
from ..warn import warn
from .arithmetic import clone
from .checks import require_floating, require_tensor
from .dims import normalize_dim
from .exponential import exp, log
from .operands import cast
from .shape import forget_base

if TYPE_CHECKING:
    from ..tensor import Tensor


def row_dot(a: Array, b: Array, dim: int) -> Array:
    """The sums of a · b along dim, which stays as a dimension of 1."""
    if dim == a.ndim - 1:
        return np.vecdot(a, b)[..., None]
    return np.add.reduce(a * b, dim, keepdims=True)


def _along(op: type[Fused], name: str, input: Tensor, dim: int, dtype: dtypes.dtype | None) -> Any:
    """op of the input along dim, after checks; dtype: what to convert the input to first."""
    if dtype is not None:
        require_tensor(input, name)
        input = cast(input, dtypes.to_numpy(dtype))
    require_floating(input, name, f"{name}_lastdim_kernel_impl")
    shape = input.array.shape
    dim = normalize_dim(dim, len(shape))
    if input.array.size == 0:
        return clone(input)
    if not shape:
        return forget_base(op.apply(input.reshape((1,)), 0).reshape(()))
    return op.apply(input, dim)


class Softmax(Fused):
    """out = e^x / Σ e^x along dim.  dx = out · (grad - Σ grad · out)

    Compiled form, along the last dimension: kernels/rows.py.
    """

    compiled = "rows.Softmax"

    @staticmethod
    def work(x: Array, dim: int) -> int:
        return size(x) if dim == x.ndim - 1 else 0

    @staticmethod
    def definition(x: Any, dim: int) -> Any:
        e = exp(x.contiguous() - x.detach().amax(dim, True))
        return e / e.sum(dim, True)

    @staticmethod
    def forward(ctx: Any, x: Array, dim: int) -> Array:
        out = np.subtract(x, np.maximum.reduce(x, dim, keepdims=True), order="C")
        np.exp(out, out=out)
        out /= np.add.reduce(out, dim, keepdims=True)
        ctx.save_for_backward(out)
        ctx.dim = dim
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        dx = np.subtract(grad, row_dot(grad, out, ctx.dim), order="C")
        dx *= out
        return dx, None


@public
def softmax(input: Tensor, dim: int, dtype: dtypes.dtype | None = None) -> Tensor:
    """e^x / Σ e^x along dim: positive, with sum 1. dtype: what to convert the input to first.

    A row of -inf alone gives nan, as does one with inf or nan. PyTorch: torch.softmax.
    """
    return _along(Softmax, "softmax", input, dim, dtype)


class LogSoftmax(Fused):
    """out = x - ln Σ e^x along dim.  dx = grad - e^out · Σ grad

    Compiled form, along the last dimension: kernels/rows.py.
    """

    compiled = "rows.LogSoftmax"

    @staticmethod
    def work(x: Array, dim: int) -> int:
        return size(x) if dim == x.ndim - 1 else 0

    @staticmethod
    def definition(x: Any, dim: int) -> Any:
        shifted = x.contiguous() - x.detach().amax(dim, True)
        return shifted - log(exp(shifted).sum(dim, True))

    @staticmethod
    def forward(ctx: Any, x: Array, dim: int) -> Array:
        out = np.subtract(x, np.maximum.reduce(x, dim, keepdims=True), order="C")
        out -= np.log(np.add.reduce(np.exp(out), dim, keepdims=True))
        ctx.save_for_backward(out)
        ctx.dim = dim
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        dx = np.exp(out)
        dx *= np.add.reduce(grad, ctx.dim, keepdims=True)
        np.subtract(grad, dx, out=dx)
        return dx, None


@public
def log_softmax(input: Tensor, dim: int, dtype: dtypes.dtype | None = None) -> Tensor:
    """The logarithm of `softmax`, without its loss of digits. PyTorch: torch.log_softmax."""
    return _along(LogSoftmax, "log_softmax", input, dim, dtype)


@public("functional")
def gumbel_softmax(logits: Tensor, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """softmax((logits + g) / tau) with Gumbel noise g: a differentiable draw of a class.

    hard: one-hot forward, the gradient of the soft values backward. PyTorch: torch.nn.functional.gumbel_softmax.
    Source: Jang et al. 2016, "Categorical Reparameterization with Gumbel-Softmax".
    """
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.")
    require_tensor(logits, "gumbel_softmax", "logits")
    if logits.array.dtype.kind != "f":
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {logits.array.dtype}"
        )
    soft = softmax((logits + gumbel_noise(logits)) / tau, dim)
    return one_at_largest(soft, dim) - soft.detach() + soft if hard else soft


def gumbel_noise(logits: Operand) -> Any:
    """A number of Gumbel's distribution for each."""
    return wrap(np.asarray(-np.log(default_generator.exponential(logits.array.shape, logits.array.dtype))))


def one_at_largest(soft: Operand, dim: int) -> Any:
    """1 where the largest along dim stands, 0 elsewhere."""
    y = soft.array
    one_hot = np.zeros_like(y)
    axis = normalize_dim(dim, y.ndim)
    if y.ndim and not y.shape[axis]:
        raise IndexError(f"max(): Expected reduction dim {axis} to have non-zero size, in the shape {list(y.shape)}")
    best = np.expand_dims(np.atleast_1d(y).argmax(axis), axis)
    np.put_along_axis(np.atleast_1d(one_hot), best, 1, axis)
    return wrap(one_hot)

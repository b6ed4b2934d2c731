"""Running sums, products and extremes along a dimension, and the differences that undo a running sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.fused import Fused
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, wrap
from ..public import public
from .arrange import Flip
from .dims import normalize_dim
from .exponential import logaddexp
from .extremes import ValuesIndices, of_scalar, pick
from .join import cat, stack
from .operands import accumulated
from .parts import narrow, unbind

if TYPE_CHECKING:
    from ..tensor import Tensor


def _accumulate(function: Any, x: Array, axis: int) -> Array:
    """np.cumsum or np.cumprod; floats run in double precision, as in PyTorch: each step adds to the error of the last."""
    wide = np.float64 if x.dtype.kind == "f" else x.dtype
    return function(x, axis, dtype=wide).astype(x.dtype, copy=False).reshape(x.shape)


class CumSum(Operation):
    """out[i] = Σ_{j ≤ i} x[j] along an axis.  dx[j] = Σ_{i ≥ j} grad[i]"""

    @staticmethod
    def forward(ctx: Any, x: Array, axis: int) -> Array:
        ctx.axis = axis
        return _accumulate(np.cumsum, x, axis)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        reversed_ = Flip.apply(grad, (ctx.axis,) if grad.ndim else ())
        return Flip.apply(CumSum.apply(reversed_, ctx.axis), (ctx.axis,) if grad.ndim else ()), None


@public
def cumsum(input: Tensor, dim: int, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """The running sum along dim. PyTorch: torch.cumsum."""
    input = accumulated(input, dtype)
    return CumSum.apply(input, normalize_dim(dim, input.array.ndim))


class CumProd(Fused):
    """out[i] = Π_{j ≤ i} x[j] along an axis.  dx[k] = (Π_{j < k} x[j]) · s[k],  s[k] = grad[k] + x[k+1] · s[k+1]

    s is the gradient by the running product at k. No division, so zeros do no harm.
    """

    grad_fn_name = "CumprodBackward0"

    @staticmethod
    def definition(x: Any, axis: int) -> Any:
        steps: list[Any] = []
        for step in unbind(x, axis):
            steps.append(steps[-1] * step if steps else step)
        return stack(steps, axis)

    @staticmethod
    def forward(ctx: Any, x: Array, axis: int) -> Array:
        ctx.save_for_backward(x)
        ctx.axis = axis
        return _accumulate(np.cumprod, x, axis)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        (x,) = ctx.saved_tensors
        moved = np.moveaxis(x, ctx.axis, 0)
        s = np.moveaxis(grad, ctx.axis, 0).copy()
        for k in range(len(s) - 2, -1, -1):
            s[k] += moved[k + 1] * s[k + 1]
        s[1:] *= _accumulate(np.cumprod, moved, 0)[:-1]
        return np.moveaxis(s, 0, ctx.axis), None


@public
def cumprod(input: Tensor, dim: int, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """The running product along dim. PyTorch: torch.cumprod."""
    input = accumulated(input, dtype)
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0 or input.array.shape[dim] == 0:
        return input.clone()
    return CumProd.apply(input, dim)


@public(floats="input")
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """ln of the running sum of exponentials along dim. PyTorch: torch.logcumsumexp."""
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0 or input.array.shape[dim] == 0:
        return input.clone()
    running, steps = None, []
    for x in unbind(input, dim):
        running = x if running is None else logaddexp(running, x)
        steps.append(running)
    return stack(steps, dim)


def _running_extreme(input: Operand, dim: int, better: Any) -> ValuesIndices:
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        return of_scalar(input)
    moved = np.moveaxis(input.array, dim, 0)
    indices = np.zeros(moved.shape, np.int64)
    for i in range(1, moved.shape[0]):
        before = np.take_along_axis(moved, indices[i - 1 : i], 0)[0]
        takes = better(moved[i], before) | np.isnan(moved[i]) if moved.dtype.kind == "f" else better(moved[i], before)
        takes &= ~(np.isnan(before) & ~np.isnan(moved[i])) if moved.dtype.kind == "f" else True
        indices[i] = np.where(takes, i, indices[i - 1])
    where_ = np.ascontiguousarray(np.moveaxis(indices, 0, dim))
    return ValuesIndices(pick(input, where_, dim, True), wrap(where_))


@public
def cummax(input: Tensor, dim: int) -> ValuesIndices:
    """The largest so far along dim, and where it was (the last of equals). PyTorch: torch.cummax."""
    return _running_extreme(input, dim, np.greater_equal)


@public
def cummin(input: Tensor, dim: int) -> ValuesIndices:
    """The smallest so far along dim, and where it was (the last of equals). PyTorch: torch.cummin."""
    return _running_extreme(input, dim, np.less_equal)


@public
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Differences of neighbours along dim, n times. PyTorch: torch.diff."""
    dim = normalize_dim(dim, input.array.ndim)
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if input.array.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if prepend is not None or append is not None:
        input = cat([x for x in (prepend, input, append) if x is not None], dim)
    for _ in range(min(n, input.array.shape[dim])):
        length = input.array.shape[dim] - 1
        after, before = narrow(input, dim, 1, length), narrow(input, dim, 0, length)
        input = after ^ before if input.array.dtype.kind == "b" else after - before
    return input

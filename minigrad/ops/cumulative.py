"""Running sums, products and extremes along a dimension, and the differences that undo a running sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.fused import Fused, at_hand, compiled_form, size
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, wrap
from ..public import public
from .arrange import Flip
from .at import grid_key
from .dims import normalize_dim
from .exponential import logaddexp
from .extremes import ValuesIndices, of_scalar
from .index import add_at
from .join import cat, stack
from .operands import accumulated
from .parts import narrow, unbind

if TYPE_CHECKING:
    from ..tensor import Tensor


def _accumulate(function: Any, x: Array, axis: int) -> Array:
    """np.cumsum or np.cumprod; floats run in double precision, as in PyTorch: each step adds to the error of the last."""
    wide = np.float64 if x.dtype.kind == "f" else x.dtype
    return np.asarray(function(x, axis, dtype=wide).reshape(x.shape), x.dtype, order="C")


def _no_bool(name: str, dtype: dtypes.dtype | None) -> None:
    if dtype is dtypes.bool_:
        raise NotImplementedError(f"\"{name}_out_cpu\" not implemented for 'Bool'; give another dtype")


class CumSum(Operation):
    """out[i] = Σ_{j ≤ i} x[j] along an axis.  dx[j] = Σ_{i ≥ j} grad[i]"""

    grad_fn_name = "CumsumBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, axis: int) -> Array:
        ctx.axis = axis
        out = _accumulate(np.cumsum, x, axis)
        out += x.dtype.type(0)  # 0, the sum of nothing, comes first: with -0 it makes 0
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        reversed_ = Flip.apply(grad, (ctx.axis,) if grad.ndim else ())
        return Flip.apply(CumSum.apply(reversed_, ctx.axis), (ctx.axis,) if grad.ndim else ()), None


@public
def cumsum(input: Tensor, dim: int, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """The running sum along dim. PyTorch: torch.cumsum."""
    _no_bool("cumsum", dtype)
    input = accumulated(input, dtype)
    return CumSum.apply(input, normalize_dim(dim, input.array.ndim))


class CumProd(Fused):
    """out[i] = Π_{j ≤ i} x[j] along an axis.  dx[k] = (Π_{j < k} x[j]) · s[k],  s[k] = grad[k] + x[k+1] · s[k+1]

    s is the gradient by the running product at k. No division, so zeros do no harm. Where no product is near 0 or too large,
    dx[k] = (Σ_{i ≥ k} grad[i] · out[i]) / x[k] is the same, in one pass.
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
        products = np.cumprod(moved, 0, dtype=np.float64)
        size = np.abs(products)
        if size.size and size.min() > 1e-200 and size.max() < 1e200:
            sums = np.cumsum((products * np.moveaxis(grad, ctx.axis, 0))[::-1], 0)[::-1]
            return np.moveaxis(np.asarray(sums / moved, grad.dtype), 0, ctx.axis), None
        s = np.moveaxis(grad, ctx.axis, 0).copy()
        for k in range(len(s) - 2, -1, -1):
            s[k] += moved[k + 1] * s[k + 1]
        s[1:] *= _accumulate(np.cumprod, moved, 0)[:-1]
        return np.moveaxis(s, 0, ctx.axis), None


@public
def cumprod(input: Tensor, dim: int, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """The running product along dim. PyTorch: torch.cumprod."""
    _no_bool("cumprod", dtype)
    input = accumulated(input, dtype)
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0 or input.array.shape[dim] == 0:
        return input.clone()
    return CumProd.apply(input, dim)


class LogCumSumExp(Fused):
    """out[i] = ln Σ_{j ≤ i} e^x[j] along an axis.  dx[j] = Σ_{i ≥ j} grad[i] · e^(x[j] - out[i])

    That sum is a running one from the end, again of exponentials: of ln|grad| - out, positive and negative ones apart.
    """

    grad_fn_name = "LogcumsumexpBackward0"

    @staticmethod
    def definition(x: Any, axis: int) -> Any:
        steps: list[Any] = []
        for step in unbind(x, axis):
            steps.append(logaddexp(steps[-1], step) if steps else step)
        return stack(steps, axis)

    @staticmethod
    def forward(ctx: Any, x: Array, axis: int) -> Array:
        wide = x.astype(np.float64, copy=False)  # each step adds to the error of the last, and e^(x - out) shows it
        out = np.logaddexp.accumulate(wide, axis)
        ctx.save_for_backward(x, out)
        ctx.axis = axis
        return out.astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Array) -> Any:
        x, out = ctx.saved_tensors
        axis = ctx.axis

        def part(g: Array) -> Array:
            logs = np.flip(np.log(g) - out, axis)
            return np.exp(x + np.flip(np.logaddexp.accumulate(logs, axis), axis))

        dx = part(np.maximum(grad, 0)) - part(np.maximum(-grad, 0))
        return dx.astype(x.dtype, copy=False), None


@public(floats="input")
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """ln of the running sum of exponentials along dim. PyTorch: torch.logcumsumexp."""
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0 or input.array.shape[dim] == 0:
        return input.clone()
    return LogCumSumExp.apply(input, dim)


class RunningExtreme(Operation):
    """out[i] = x[place[i]], of which forward is handed the values.  dx = grad added at the places"""

    grad_fn_name = "CummaxBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, places: Array, dim: int, values: Array) -> Array:
        ctx.places, ctx.dim, ctx.shape = places, dim, x.shape
        return values

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return add_at(grad, grid_key(ctx.places, ctx.dim), ctx.shape), None, None, None


class RunningLeast(RunningExtreme):
    """`RunningExtreme`, as PyTorch's graph calls that of cummin."""

    grad_fn_name = "CumminBackward0"


def running(x: Array, dim: int, largest: bool) -> tuple[Array, Array]:
    """The largest (or smallest) so far along dim, and where it stands: the last of equals; nan wins. Compiled: kernels/running.py."""
    extreme = np.maximum if largest else np.minimum
    takes = x == extreme.accumulate(x, dim)  # those that are the extreme when they come
    if x.dtype.kind == "f":
        takes |= np.isnan(x)
    place = np.arange(x.shape[dim]).reshape(-1, *(1,) * (x.ndim - 1 - dim))
    places = np.maximum.accumulate(np.where(takes, place, 0), dim)
    return np.take_along_axis(x, places, dim), places


def _running_extreme(input: Operand, dim: int, largest: bool) -> ValuesIndices:
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        return of_scalar(input)
    find = compiled_form("running.running", size(input.array) * (64 if at_hand() else 4)) or running
    values, places = find(input.array, dim, largest)
    operation = RunningExtreme if largest else RunningLeast
    return ValuesIndices(operation.apply(input, places, dim, values), wrap(places))


@public
def cummax(input: Tensor, dim: int) -> ValuesIndices:
    """The largest so far along dim, and where it was (the last of equals). PyTorch: torch.cummax."""
    return _running_extreme(input, dim, True)


@public
def cummin(input: Tensor, dim: int) -> ValuesIndices:
    """The smallest so far along dim, and where it was (the last of equals). PyTorch: torch.cummin."""
    return _running_extreme(input, dim, False)


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
    if n == 0:
        return input.clone()
    for _ in range(min(n, input.array.shape[dim])):
        length = input.array.shape[dim] - 1
        after, before = narrow(input, dim, 1, length), narrow(input, dim, 0, length)
        input = after ^ before if input.array.dtype.kind == "b" else after - before
    return input

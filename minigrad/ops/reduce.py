"""Reductions: many elements become one, along chosen dimensions. Their gradients spread back over what was reduced."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.fused import Fused
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, wrap
from ..public import public
from ..sums import total
from ..warn import warn
from .axes import Dims, axes_of, kept_shape, spread
from .checks import require_tensor
from .choice import where
from .dims import normalize_dim, sizes
from .exponential import exp, log
from .join import cat
from .operands import accumulated, cast
from .parts import narrow

if TYPE_CHECKING:
    from ..tensor import Tensor


# -- sums and means


class Sum(Operation):
    """out = Σ x over `axes`.  dx = grad, spread over them"""

    @staticmethod
    def forward(ctx: Any, x: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
        ctx.shape, ctx.axes = x.shape, axes
        return total(x, axes, keepdim)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return spread(grad, ctx.shape, ctx.axes), None, None


@public
def sum(input: Operand, dim: Dims = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """The sum over dim (an int, several, or all); integers and booleans sum in int64. PyTorch: torch.sum."""
    require_tensor(input, "sum")
    if isinstance(input, Array):
        return Sum.apply(input, axes_of(dim, input.ndim), keepdim)
    if dtype is not None or input.array.dtype.kind != "f":
        input = accumulated(input, dtype)
        if input.array.dtype.kind != "f":  # NumPy sums small integers in int64; in the type asked for they wrap
            added = np.asarray(total(input.array, axes_of(dim, input.array.ndim), keepdim))
            return wrap(added.astype(input.array.dtype))
    return Sum.apply(input, axes_of(dim, input.array.ndim), keepdim)


def sum_to_size(input: Tensor, *size: int) -> Tensor:
    """The sum over the dimensions along which `size` would be broadcast to input's shape. PyTorch: torch.Tensor.sum_to_size."""
    wanted, shape = sizes(size, "sum_to_size", "size"), input.array.shape
    added = len(shape) - len(wanted)
    if added < 0 or builtins.any(n not in (1, m) for n, m in zip(wanted, shape[added:], strict=True)):
        raise RuntimeError(f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}.")
    axes = (*builtins.range(added), *(added + i for i, n in enumerate(wanted) if n == 1 and shape[added + i] != 1))
    return sum(input, axes).reshape(wanted) if axes else input


@public
def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """The sum with nan counted as 0. PyTorch: torch.nansum."""
    return sum(NanAsZero.apply(input), dim, keepdim, dtype=dtype)


class NanAsZero(Operation):
    """out = x, 0 where x is nan.  dx = grad · (1 where x is a number, 0 where it is nan)"""

    grad_fn_name = "NansumBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.present = np.asarray(x == x, x.dtype)
        return np.where(x == x, x, x.dtype.type(0))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * (ctx.present if isinstance(grad, Array) else wrap(ctx.present))


class Mean(Operation):
    """out = Σ x / n over `axes`, n elements each.  dx = grad / n, spread over them"""

    @staticmethod
    def forward(ctx: Any, x: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
        ctx.shape, ctx.axes = x.shape, axes
        ctx.count = math.prod(x.shape[a] for a in axes)
        if x.dtype == np.float16:  # the sum, or the number of elements, may not fit where the mean does
            return np.true_divide(total(x.astype(np.float32), axes, keepdim), np.float32(ctx.count)).astype(np.float16)
        return np.true_divide(total(x, axes, keepdim), x.dtype.type(ctx.count))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        each = (
            grad * (1 / ctx.count) if ctx.count > 65504 and grad.dtype == np.float16 else grad / (ctx.count or 1)
        )  # (more than float16 holds)
        return spread(each, ctx.shape, ctx.axes), None, None


@public
def mean(input: Operand, dim: Dims = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """The mean over dim (all, if None). Floating types only. PyTorch: torch.mean."""
    require_tensor(input, "mean")
    if dtype is not None:
        input = cast(input, dtypes.to_numpy(dtype))
    if not isinstance(input, Array) and input.array.dtype.kind != "f":
        raise RuntimeError(
            f"mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {input.dtype}"
        )
    return Mean.apply(input, axes_of(dim, input.ndim), keepdim)


@public(floats="input")
def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """The mean of the elements that are not nan. PyTorch: torch.nanmean."""
    present = wrap(~np.isnan(input.array))
    return nansum(input, dim, keepdim, dtype=dtype) / sum(present, dim, keepdim)


# -- variance


class Var(Operation):
    """out = Σ (x - mean)² / (n - correction).  dx = grad · 2 (x - mean) / (n - correction)"""

    @staticmethod
    def forward(ctx: Any, x: Array, axes: tuple[int, ...], correction: float, keepdim: bool) -> Array:
        ctx.save_for_backward(x)
        ctx.axes = axes
        n = math.prod(x.shape[a] for a in axes)
        ctx.freedom = n - correction
        ctx.divisor = max(0, ctx.freedom)  # 0 for nan too
        wide = x.astype(np.float64, copy=False)  # as in PyTorch, the sums run in double precision
        centred = np.asarray(wide - total(wide, axes, True) / (n or math.nan))
        np.multiply(centred, centred, out=centred)
        return ctx.finish(np.asarray(total(centred, axes, keepdim) / np.float64(ctx.divisor)), x)

    def finish(self, variance: Array, x: Array) -> Array:
        return variance.astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x = ctx.saved_tensors[0]
        axes, shape = ctx.axes, x.shape
        centred = x - Mean.apply(x, axes, True)
        if ctx.freedom <= 0 and grad.ndim == 0:  # the variance is infinite, but where all elements are equal
            return grad * where(centred == 0, math.nan, math.inf), None, None, None
        scale = 2.0 / ctx.freedom if ctx.freedom else math.inf
        return grad.reshape(kept_shape(tuple(shape), axes)) * (scale * centred), None, None, None


@public
def var(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool | None = None, *,
    correction: float | None = None,
) -> Tensor:  # fmt: skip
    """The variance: mean square distance from the mean, with n - correction (default 1) for n. PyTorch: torch.var."""
    return _variance(Var, "var", input, dim, unbiased, keepdim, correction)


def _variance(
    operation: Any, name: str, input: Operand, dim: Any, unbiased: bool | None, keepdim: bool | None,
    correction: float | None,
) -> Any:  # fmt: skip
    """`var`, called by the name of what asks for it. keepdim: None where it is not given, which it may not be with `var(x, False)`."""
    if isinstance(dim, bool) and keepdim is not None:
        raise TypeError(f"{name}(): 'keepdim' needs a 'dim' to keep, but got {dim} for it")
    if isinstance(dim, bool) and unbiased is not None:
        raise TypeError(f"{name}() got 'unbiased' twice: {dim} in its place, and unbiased={unbiased}")
    dim, unbiased = _variance_arguments(name, input, dim, unbiased)
    axes, correction = axes_of(dim, input.array.ndim), _correction(name, unbiased, correction)
    if not input.array.size or math.prod(input.array.shape[a] for a in axes) <= correction:
        warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input numel "
            "divided by output numel)."
        )
    return operation.apply(input, axes, correction, bool(keepdim))


def _correction(name: str, unbiased: bool | None, correction: float | None) -> float:
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}() received both 'unbiased' and 'correction'; give one")
    if isinstance(correction, int):
        dtypes.scalar_numpy(correction)  # OverflowError beyond 64 bits
    return float(unbiased) if unbiased is not None else 1.0 if correction is None else correction


def _variance_arguments(name: str, input: Operand, dim: Dims, unbiased: bool | None) -> tuple[Any, Any]:
    """`var(x, False)` means unbiased=False, as in PyTorch's first overload."""
    require_tensor(input, name)
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"{name} only support floating point and complex dtypes, got {input.dtype}")
    return (None, dim) if isinstance(dim, bool) else (dim, unbiased)


class Std(Var):
    """out = √variance, the root too in double precision.  dx = that of Var, of grad / (2 · out), 0 where out is 0"""

    def finish(self, variance: Array, x: Array) -> Array:
        out = np.sqrt(variance).astype(x.dtype, copy=False)
        self.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        out = ctx.saved_tensors[1]
        return Var.backward(ctx, where(out == 0, 0.0, grad / (2 * out)))


class StdMean(Std):
    """Std, of `std_mean`"""


@public
def std(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool | None = None, *,
    correction: float | None = None,
) -> Tensor:  # fmt: skip
    """The standard deviation, √var; its gradient at equal elements is 0. PyTorch: torch.std."""
    if input.array.dtype == np.float16:  # its variance may not fit
        return cast(
            std(cast(input, np.dtype(np.float32)), dim, unbiased, keepdim, correction=correction), input.array.dtype
        )
    return _variance(Std, "std", input, dim, unbiased, keepdim, correction)


@public
def var_mean(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool | None = None, *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Variance and mean. PyTorch: torch.var_mean."""
    chosen = None if isinstance(dim, bool) else dim
    return _variance(Var, "var_mean", input, dim, unbiased, keepdim, correction), mean(input, chosen, bool(keepdim))


@public
def std_mean(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool | None = None, *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Standard deviation and mean. PyTorch: torch.std_mean."""
    chosen = None if isinstance(dim, bool) else dim
    return _variance(StdMean, "std_mean", input, dim, unbiased, keepdim, correction), mean(input, chosen, bool(keepdim))


# -- products, and sums of exponentials


class Prod(Fused):
    """out = Π x along one axis.  dx = grad · the product of the *other* elements, also where some are 0"""

    @staticmethod
    def definition(x: Any, axis: int, keepdim: bool) -> Any:
        while (n := x.shape[axis]) > 1:  # the first half times the second, again and again
            half = n // 2
            products = narrow(x, axis, 0, half) * narrow(x, axis, half, half)
            x = cat([products, narrow(x, axis, n - 1, 1)], axis) if n % 2 else products
        last = x.sum(axis, keepdim)
        return last**n if n else last.exp()  # one is left (its power has a history, as in PyTorch); of none e⁰ = 1

    @staticmethod
    def forward(ctx: Any, x: Array, axis: int, keepdim: bool) -> Array:
        ctx.save_for_backward(x)
        ctx.axis = axis
        return np.asarray(np.multiply.reduce(x, axis, keepdims=keepdim))  # type: ignore[call-overload]  # its stubs know no bool

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        grad = grad.reshape(kept_shape(x.shape, (ctx.axis,)))
        # The product of the others is (product of all before) · (product of all after): no division, so zeros do no harm.
        x = np.moveaxis(x, ctx.axis, 0)
        others = _products_before(x)
        others *= _products_before(x[::-1])[::-1]
        return grad * np.moveaxis(others, 0, ctx.axis), None, None


@public
def prod(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """The product along dim (of all elements, if None). PyTorch: torch.prod."""
    require_tensor(input, "prod")
    input = accumulated(input, dtype)
    if input.array.dtype.kind != "f":
        axis: Any = None if dim is None else normalize_dim(dim, input.array.ndim) if input.array.ndim else None
        multiplied: Any = np.multiply.reduce  # (its stubs know no bool for keepdims)
        out = multiplied(input.array, axis, keepdims=keepdim and dim is not None, dtype=input.array.dtype)
        return wrap(np.asarray(out, input.array.dtype))
    if dim is None:
        if keepdim:
            raise TypeError("prod(): 'keepdim' needs a 'dim' to keep")
        return Prod.apply(input.reshape(-1), 0, False)
    if input.array.ndim == 0:
        normalize_dim(dim, 0)
        return input.clone()
    return Prod.apply(input, normalize_dim(dim, input.array.ndim), keepdim)


def _products_before(x: Array) -> Array:
    """By position along the first axis, the product of all before it."""
    out = np.ones_like(x)
    np.multiply.accumulate(x[:-1], 0, out=out[1:])
    return out


class LogSumExp(Operation):
    """out = ln Σ eˣ = m + ln Σ eˣ⁻ᵐ, m = max x.  dx = grad · eˣ⁻ᵒᵘᵗ"""

    grad_fn_name = "LogsumexpBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
        largest = np.maximum.reduce(x, axes, keepdims=True)
        # Of nothing but -inf it is exp(-inf - 0), and not exp(-inf + inf).
        largest = np.where(np.isinf(largest), x.dtype.type(0), largest)
        shifted = np.exp(x - largest)
        out = np.log(total(shifted, axes, True)) + largest
        if not keepdim:
            out = out.reshape([n for i, n in enumerate(x.shape) if i not in axes])
        out = np.asarray(out)
        ctx.save_for_backward(x, out)
        ctx.axes = axes
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        kept = kept_shape(tuple(x.shape), ctx.axes)
        # Of nothing but -inf the distance is -inf + inf: nan, as in PyTorch.
        return grad.reshape(kept) * exp(x - out.reshape(kept)), None, None


@public
def logsumexp(input: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
    """ln Σ eˣ, computed after the largest x is subtracted, so that nothing overflows.  dx = grad · softmax(x)

    PyTorch: torch.logsumexp.
    """
    if input.array.dtype.kind != "f":
        input = cast(input, dtypes.default_numpy())
    if isinstance(dim, list | tuple) and not dim and input.array.ndim and not keepdim:
        raise RuntimeError("logsumexp(): Expected reduction dim to be specified, but got an empty one; give dimensions")
    axes = axes_of(dim, input.array.ndim)
    if builtins.any(input.array.shape[a] == 0 for a in axes):
        return log(sum(exp(input), axes, keepdim))
    return LogSumExp.apply(input, axes, keepdim)


# -- yes or no, how many


def _truth(ufunc: np.ufunc, input: Operand, dim: Dims, keepdim: bool) -> Any:
    axes = () if dim is not None and dim in ((), []) else axes_of(dim, input.array.ndim)  # (no dimension, for once)
    out = ufunc.reduce(input.array.astype(bool), axes, keepdims=keepdim)
    return wrap(np.asarray(out, dtype=np.uint8 if input.array.dtype == np.uint8 else bool))


@public
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are nonzero; of each element where dim is (). PyTorch: torch.all."""
    return _truth(np.logical_and, input, dim, keepdim)


@public
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether any element is nonzero; of each element where dim is (). PyTorch: torch.any."""
    return _truth(np.logical_or, input, dim, keepdim)


@public
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements are nonzero. PyTorch: torch.count_nonzero."""
    return wrap(np.asarray(np.count_nonzero(input.array, axis=axes_of(dim, input.array.ndim)), dtype=np.int64))

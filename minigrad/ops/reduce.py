"""Reductions: many elements become one, along chosen dimensions. Their gradients spread back over what was reduced."""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import dtypes
from ..autograd.fused import Fused
from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..public import public
from ..sums import total
from .arithmetic import abs as abs_
from .arithmetic import sign
from .choice import maximum as _maximum
from .choice import minimum as _minimum
from .choice import where
from .dims import normalize_dim, normalize_dims
from .exponential import exp, log
from .operands import cast
from .shape import Expand, forget_base

if TYPE_CHECKING:
    from ..tensor import Tensor


class ValuesIndices(NamedTuple):
    """Values, and where they were found."""

    values: Any
    indices: Any


class MinMax(NamedTuple):
    """The smallest and the largest values."""

    min: Any
    max: Any


def _axes(dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions to reduce: all of them for None and ()."""
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(ndim))
    axes = normalize_dims(dim, ndim)
    return axes if ndim else ()


def _kept(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` with 1 for the reduced dimensions."""
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def spread(x: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """A reduced value (with or without its reduced dimensions) seen again in the shape that was reduced."""
    return Expand.apply(x.reshape(_kept(shape, axes)), shape)


def _check_tensor(name: str, x: Any) -> None:
    if not isinstance(x, Variable | np.ndarray):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")


# -- sums


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
def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over dim (an int, several, or all); integers and booleans sum in int64. PyTorch: torch.sum."""
    _check_tensor("sum", input)
    if isinstance(input, np.ndarray):
        return Sum.apply(input, _axes(dim, input.ndim), keepdim)
    if dtype is not None:
        input = cast(input, dtypes.to_numpy(dtype))
    elif input.array.dtype.kind != "f":
        input = cast(input, np.dtype(np.int64))
    return Sum.apply(input, _axes(dim, input.array.ndim), keepdim)


@public
def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum with nan counted as 0. PyTorch: torch.nansum."""
    return sum(where(wrap(np.isnan(input.array)), 0, input), dim, keepdim, dtype=dtype)


class Mean(Operation):
    """out = Σ x / n over `axes`, n elements each.  dx = grad / n, spread over them"""

    @staticmethod
    def forward(ctx: Any, x: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
        ctx.shape, ctx.axes = x.shape, axes
        ctx.count = math.prod(x.shape[a] for a in axes)
        return np.true_divide(total(x, axes, keepdim), x.dtype.type(ctx.count))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return spread(grad / (ctx.count or 1), ctx.shape, ctx.axes), None, None


@public
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over dim (all, if None). Floating types only. PyTorch: torch.mean."""
    _check_tensor("mean", input)
    if dtype is not None:
        input = cast(input, dtypes.to_numpy(dtype))
    if isinstance(input, Variable) and input.array.dtype.kind != "f":
        raise RuntimeError(
            f"mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {input.dtype}"
        )
    return Mean.apply(input, _axes(dim, input.ndim), keepdim)


@public
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of the elements that are not nan. PyTorch: torch.nanmean."""
    present = wrap(~np.isnan(input.array))
    return nansum(input, dim, keepdim, dtype=dtype) / sum(present, dim, keepdim)


# -- spread


class Var(Operation):
    """out = Σ (x - mean)² / (n - correction).  dx = grad · 2 (x - mean) / (n - correction)"""

    @staticmethod
    def forward(ctx: Any, x: Array, axes: tuple[int, ...], correction: float, keepdim: bool) -> Array:
        ctx.save_for_backward(x)
        ctx.axes = axes
        n = math.prod(x.shape[a] for a in axes)
        ctx.divisor = builtins.max(n - correction, 0)
        wide = x.astype(np.float64, copy=False)  # as in PyTorch, the sums run in double precision
        centred = np.asarray(wide - total(wide, axes, True) / (n or math.nan))
        np.multiply(centred, centred, out=centred)
        return np.asarray(total(centred, axes, keepdim) / np.float64(ctx.divisor)).astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        axes, shape = ctx.axes, x.shape
        centred = x - Mean.apply(x, axes, True)
        scale = 2.0 / ctx.divisor if ctx.divisor else math.nan if grad.ndim == 0 else math.inf
        return grad.reshape(_kept(tuple(shape), axes)) * (scale * centred), None, None, None


def _correction(name: str, unbiased: Any, correction: Any) -> float:
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}() received both 'unbiased' and 'correction'; give one")
    return float(unbiased) if unbiased is not None else 1.0 if correction is None else correction


def _spread_arguments(name: str, input: Any, dim: Any, unbiased: Any) -> tuple[Any, Any]:
    """`var(x, False)` means unbiased=False, as in PyTorch's first overload."""
    _check_tensor(name, input)
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"{name} only support floating point and complex dtypes, got {input.dtype}")
    return (None, dim) if isinstance(dim, bool) else (dim, unbiased)


@public
def var(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Tensor:
    """The variance: mean square distance from the mean, with n - correction (default 1) for n. PyTorch: torch.var."""
    dim, unbiased = _spread_arguments("var", input, dim, unbiased)
    return Var.apply(input, _axes(dim, input.array.ndim), _correction("var", unbiased, correction), keepdim)


class _SqrtAtZero(Operation):
    """√x for the standard deviation.  dx = grad / (2 · out); where out is 0: 0 · ∞ as in PyTorch"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = np.sqrt(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return where(out == 0, 0.0, grad / (2 * out))

    @classmethod
    def name(cls) -> str:
        return "StdBackward0"


@public
def std(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Tensor:
    """The standard deviation, √var; its gradient at equal elements is 0. PyTorch: torch.std."""
    return _SqrtAtZero.apply(var(input, dim, unbiased, keepdim, correction=correction))


@public
def var_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """Variance and mean. PyTorch: torch.var_mean."""
    chosen = None if isinstance(dim, bool) else dim
    return var(input, dim, unbiased, keepdim, correction=correction), mean(input, chosen, keepdim)


@public
def std_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """Standard deviation and mean. PyTorch: torch.std_mean."""
    chosen = None if isinstance(dim, bool) else dim
    return std(input, dim, unbiased, keepdim, correction=correction), mean(input, chosen, keepdim)


# -- products


class Prod(Operation):
    """out = Π x along one axis.  dx = grad · the product of the *other* elements, also where some are 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, axis: int, keepdim: bool) -> Array:
        ctx.save_for_backward(x)
        ctx.axis, ctx.keepdim = axis, keepdim
        return np.multiply.reduce(x, axis, keepdims=keepdim)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        shape = tuple(x.shape)
        grad = grad.reshape(_kept(shape, (ctx.axis,)))
        # The product of the others is (product of all before) · (product of all after): no division, so zeros do no harm.
        return grad * _exclusive(x, ctx.axis, False) * _exclusive(x, ctx.axis, True), None, None


class _Exclusive(Operation):
    """out[i] = the product of the elements before i (after i, if reverse) along an axis.

    By the rule for each pair of places: dx = Σ_{i after j} grad[i] · Π_{k before i, k ≠ j} x[k].
    """

    @staticmethod
    def forward(ctx: Any, x: Array, axis: int, reverse: bool) -> Array:
        ctx.save_for_backward(x)
        ctx.axis, ctx.reverse = axis, reverse
        moved = np.moveaxis(x, axis, 0)[:: -1 if reverse else 1]
        out = np.ones_like(moved)
        np.multiply.accumulate(moved[:-1], 0, out=out[1:])
        return np.ascontiguousarray(np.moveaxis(out[:: -1 if reverse else 1], 0, axis))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return _exclusive_backward(x, grad, ctx.axis, ctx.reverse), None, None


def _exclusive(x: Any, axis: int, reverse: bool) -> Any:
    return _Exclusive.apply(x, axis, reverse)


def _exclusive_backward(x: Any, grad: Any, axis: int, reverse: bool) -> Any:
    """Composed of steps along the axis, so that it serves arrays and tensors; used for second derivatives only."""
    from .join import stack as stack_tensors
    from .parts import slice_of

    n = x.shape[axis]
    place = [(*(slice(None),) * axis, i) for i in range(n)]
    order = list(range(n))[::-1] if reverse else list(range(n))
    xs = {i: slice_of(x, place[i]) for i in order}
    gs = {i: slice_of(grad, place[i]) for i in order}
    result: dict[int, Any] = {}
    for a, j in enumerate(order):
        total = gs[j] * 0.0
        for b in range(a + 1, n):
            term = gs[order[b]]
            for k in order[:b]:
                if k != j:
                    term = term * xs[k]
            total = total + term
        result[j] = total
    if n == 0:
        return x * 0.0
    parts = [result[i] for i in range(n)]
    return np.stack(parts, axis) if isinstance(x, np.ndarray) else stack_tensors(parts, axis)


@public
def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product along dim (of all elements, if None). PyTorch: torch.prod."""
    _check_tensor("prod", input)
    if dtype is not None:
        input = cast(input, dtypes.to_numpy(dtype))
    elif input.array.dtype.kind != "f":
        input = cast(input, np.dtype(np.int64))
    if dim is None:
        return Prod.apply(input.reshape(-1), 0, False)
    if input.array.ndim == 0:
        normalize_dim(dim, 0)
        return input.clone()
    return Prod.apply(input, normalize_dim(dim, input.array.ndim), keepdim)


# -- the largest and the smallest


def _need_elements(name: str, input: Any, axes: tuple[int, ...], dim: Any = None) -> None:
    if dim == () and input.array.size == 0:
        raise RuntimeError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0: give dim.")
    for a in axes:
        if input.array.shape[a] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {a} to have non-zero size.")


class Extreme(Operation):
    """out = the largest (or smallest) x over `axes`.  grad is shared evenly by the elements that equal it"""

    @staticmethod
    def forward(
        ctx: Any, x: Array, axes: tuple[int, ...], keepdim: bool, largest: bool, nan_ties: bool = False
    ) -> Array:
        ufunc = np.maximum if largest else np.minimum
        ctx.nan_ties = nan_ties
        out = np.asarray(ufunc.reduce(x, axes, keepdims=keepdim))
        ctx.save_for_backward(x, out)
        ctx.axes = axes
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        shape, axes = tuple(x.shape), ctx.axes
        x, out = (getattr(value, "array", value) for value in (x, out))
        top = out.reshape(_kept(shape, axes))
        ties = np.asarray(x == top)
        if ctx.nan_ties:
            ties |= np.isnan(x) & np.isnan(top)
        # Nothing equals nan: 0 / 0 there, and the gradient is nan.
        share = (ties / np.add.reduce(ties, axes, keepdims=True)).astype(x.dtype)
        share = share if isinstance(grad, np.ndarray | np.generic) else wrap(share)
        return grad.reshape(_kept(shape, axes)) * share, *[None] * (len(ctx.needs_input_grad) - 1)

    @classmethod
    def name(cls) -> str:
        return "AmaxBackward0"


@public
def amax(input: Any, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The largest value over dim; elements that tie share the gradient evenly. PyTorch: torch.amax."""
    _check_tensor("amax", input)
    if isinstance(input, np.ndarray):
        return np.maximum.reduce(input, _axes(dim, input.ndim), keepdims=keepdim)
    axes = _axes(dim, input.array.ndim)
    _need_elements("amax", input, axes, dim)
    return Extreme.apply(input, axes, keepdim, True)


@public
def amin(input: Any, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The smallest value over dim; elements that tie share the gradient evenly. PyTorch: torch.amin."""
    _check_tensor("amin", input)
    axes = _axes(dim, input.array.ndim)
    _need_elements("amin", input, axes, dim)
    return Extreme.apply(input, axes, keepdim, False)


@public
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """The smallest and the largest value. PyTorch: torch.aminmax."""
    chosen: Any = () if dim is None else dim
    return MinMax(amin(input, chosen, keepdim), amax(input, chosen, keepdim))


def pick(input: Any, indices: Array, dim: int, keepdim: bool) -> Any:
    """The elements at `indices` (whose dimension `dim` has size 1) as values that carry a gradient."""
    from .along import gather

    values = gather(input, dim, wrap(indices))
    return values if keepdim else forget_base(values.squeeze(dim))


def _extreme_along(name: str, input: Any, dim: int, keepdim: bool, find: Any) -> ValuesIndices:
    ndim = input.array.ndim
    dim = normalize_dim(dim, ndim)
    if ndim == 0:
        return ValuesIndices(input.clone(), wrap(np.zeros((), np.int64)))
    _need_elements(name, input, (dim,))
    indices = np.asarray(find(input.array, dim, keepdims=True))
    values = pick(input, indices, dim, keepdim)
    return ValuesIndices(values, wrap(indices if keepdim else np.asarray(indices.squeeze(dim))))


@public
def max(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; along dim, values and indices (of the first, which takes the gradient); with a tensor, `maximum`.

    PyTorch: torch.max.
    """
    _check_tensor("max", input)
    if isinstance(dim, Variable):
        return _maximum(input, dim)
    if dim is None:
        if input.array.size == 0:
            raise RuntimeError(
                "max(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument."
            )
        return Extreme.apply(input, tuple(range(input.array.ndim)), False, True, True)
    return _extreme_along("max", input, dim, keepdim, np.argmax)


@public
def min(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; along dim, values and indices (of the first, which takes the gradient); with a tensor, `minimum`.

    PyTorch: torch.min.
    """
    _check_tensor("min", input)
    if isinstance(dim, Variable):
        return _minimum(input, dim)
    if dim is None:
        if input.array.size == 0:
            raise RuntimeError(
                "min(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument."
            )
        return Extreme.apply(input, tuple(range(input.array.ndim)), False, False, True)
    return _extreme_along("min", input, dim, keepdim, np.argmin)


def _arg(name: str, input: Any, dim: Any, keepdim: bool, find: Any) -> Any:
    _check_tensor(name, input)
    if input.array.dtype.kind == "b":
        raise RuntimeError(f"\"{name}_cpu\" not implemented for 'Bool'; convert with .int() first")
    if input.array.size == 0 and dim is None:
        raise IndexError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument."
        )
    if dim is None:
        index = np.asarray(find(input.array))
        return wrap(index.reshape((1,) * input.array.ndim) if keepdim else index)
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        return wrap(np.zeros((), np.int64))
    _need_elements(name, input, (dim,))
    return wrap(np.asarray(find(input.array, dim, keepdims=keepdim)))


@public
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest element is: its index along dim, or, for None, in the flattened tensor. PyTorch: torch.argmax."""
    return _arg("argmax", input, dim, keepdim, np.argmax)


@public
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest element is: its index along dim, or, for None, in the flattened tensor. PyTorch: torch.argmin."""
    return _arg("argmin", input, dim, keepdim, np.argmin)


# -- yes or no, how many


def _truth(ufunc: np.ufunc, input: Any, dim: Any, keepdim: bool) -> Any:
    out = ufunc.reduce(input.array.astype(bool), _axes(dim, input.array.ndim), keepdims=keepdim)
    return wrap(np.asarray(out, dtype=np.uint8 if input.array.dtype == np.uint8 else bool))


@public
def all(input: Any, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are nonzero. PyTorch: torch.all."""
    return _truth(np.logical_and, input, dim, keepdim)


@public
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether any element is nonzero. PyTorch: torch.any."""
    return _truth(np.logical_or, input, dim, keepdim)


@public
def count_nonzero(input: Any, dim: Any = None) -> Tensor:
    """How many elements are nonzero. PyTorch: torch.count_nonzero."""
    return wrap(np.asarray(np.count_nonzero(input.array, axis=_axes(dim, input.array.ndim)), dtype=np.int64))


# -- log of a sum of exponentials, norms


@public
def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Tensor:
    """ln Σ eˣ, computed after the largest x is subtracted, so that nothing overflows.  dx = grad · softmax(x)

    PyTorch: torch.logsumexp.
    """
    from .operands import cast as to_dtype

    if input.array.dtype.kind != "f":
        input = to_dtype(input, dtypes.default_numpy())
    axes = _axes(dim, input.array.ndim)
    if builtins.any(input.array.shape[a] == 0 for a in axes):
        return log(sum(exp(input), axes, keepdim))
    return LogSumExp.apply(input, axes, keepdim)


class LogSumExp(Operation):
    """out = ln Σ eˣ = m + ln Σ eˣ⁻ᵐ, m = max x.  dx = grad · eˣ⁻ᵒᵘᵗ"""

    @staticmethod
    def forward(ctx: Any, x: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
        largest = np.maximum.reduce(x, axes, keepdims=True)
        largest = np.where(
            np.isinf(largest), x.dtype.type(0), largest
        )  # x of nothing but -inf: exp(-inf - 0), and not exp(-inf + inf)
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
        kept = _kept(tuple(x.shape), ctx.axes)
        # Of nothing but -inf the distance is -inf + inf: nan, as in PyTorch.
        return grad.reshape(kept) * exp(x - out.reshape(kept)), None, None


class Norm2(Operation):
    """out = √Σ x².  dx = grad · x / out, 0 where out is 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, axes: tuple[int, ...], keepdim: bool) -> Array:
        out = np.asarray(np.sqrt(total(x * x, axes, keepdim)))
        ctx.save_for_backward(x, out)
        ctx.axes = axes
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        kept = _kept(tuple(x.shape), ctx.axes)
        out = out.reshape(kept)
        return grad.reshape(kept) * (x * where(out == 0, 0.0, 1 / out)), None, None

    @classmethod
    def name(cls) -> str:
        return "LinalgVectorNormBackward0"


@public
def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The p-norm (Σ |x|ᵖ)^(1/p) over dim (all elements, if None); "fro" is 2. PyTorch: torch.norm."""
    _check_tensor("norm", input)
    if dtype is not None:
        input = cast(input, dtypes.to_numpy(dtype))
    if input.array.dtype.kind != "f":
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {input.dtype}"
        )
    if p is None or p == "fro":
        p = 2
    if isinstance(p, str):
        raise NotImplementedError(f"norm: p={p!r} is not supported; give a number, inf, -inf or 'fro'")
    axes = _axes(dim, input.array.ndim)
    if p == 2:
        return Norm2.apply(input, axes, keepdim)
    if p == 1:
        return sum(abs_(input), axes, keepdim) if axes else abs_(input)
    if p == math.inf:
        return Extreme.apply(abs_(input), axes, keepdim, True)
    if p == -math.inf:
        return Extreme.apply(abs_(input), axes, keepdim, False)
    if p == 0:
        return sum(where(input != 0, input * 0.0 + 1.0, input * 0.0), axes, keepdim)
    return _PNorm.apply(input, float(p), axes, keepdim)


class _PNorm(Operation):
    """out = (Σ |x|ᵖ)^(1/p).  dx = grad · sign(x) |x|ᵖ⁻¹ / outᵖ⁻¹, 0 where out is 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, p: float, axes: tuple[int, ...], keepdim: bool) -> Array:
        out = np.asarray(np.power(total(np.power(np.abs(x), p), axes, keepdim), 1 / p))
        ctx.save_for_backward(x, out)
        ctx.p, ctx.axes = p, axes
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, out = ctx.saved_tensors
        p, kept = ctx.p, _kept(tuple(x.shape), ctx.axes)
        out, grad = out.reshape(kept), grad.reshape(kept)
        if p < 1:  # |x|ᵖ⁻¹ is infinite at 0, where PyTorch takes 0
            slope = where(x == 0, 0.0, sign(x) * abs_(x) ** (p - 1))
            return slope * (grad * out ** (1 - p)), None, None, None
        scale = where(out == 0, 0.0, grad / out ** (p - 1))
        return sign(x) * abs_(x) ** (p - 1) * scale, None, None, None

    @classmethod
    def name(cls) -> str:
        return "LinalgVectorNormBackward0"


@public
def dist(input: Any, other: Any, p: float = 2) -> Tensor:
    """The p-norm of input - other. PyTorch: torch.dist."""
    return norm(input - other, p)


# -- running


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
        from .arrange import Flip

        reversed_ = Flip.apply(grad, (ctx.axis,) if grad.ndim else ())
        return Flip.apply(CumSum.apply(reversed_, ctx.axis), (ctx.axis,) if grad.ndim else ()), None


@public
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Tensor:
    """The running sum along dim. PyTorch: torch.cumsum."""
    if dtype is not None:
        input = cast(input, dtypes.to_numpy(dtype))
    elif input.array.dtype.kind != "f":
        input = cast(input, np.dtype(np.int64))
    return CumSum.apply(input, normalize_dim(dim, input.array.ndim))


class CumProd(Fused):
    """out[i] = Π_{j ≤ i} x[j] along an axis.  dx[k] = (Π_{j < k} x[j]) · s[k],  s[k] = grad[k] + x[k+1] · s[k+1]

    s is the gradient by the running product at k. No division, so zeros do no harm.
    """

    @staticmethod
    def definition(x: Any, axis: int) -> Any:
        from .join import stack
        from .parts import unbind

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

    @classmethod
    def name(cls) -> str:
        return "CumprodBackward0"


@public
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Tensor:
    """The running product along dim. PyTorch: torch.cumprod."""
    if dtype is not None:
        input = cast(input, dtypes.to_numpy(dtype))
    elif input.array.dtype.kind != "f":
        input = cast(input, np.dtype(np.int64))
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0 or input.array.shape[dim] == 0:
        return input.clone()
    return CumProd.apply(input, dim)


@public
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """Differences of neighbours along dim, n times. PyTorch: torch.diff."""
    from .join import cat
    from .parts import narrow

    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if prepend is not None or append is not None:
        input = cat([x for x in (prepend, input, append) if x is not None], dim)
    for _ in range(builtins.min(n, input.array.shape[dim])):
        length = input.array.shape[dim] - 1
        after, before = narrow(input, dim, 1, length), narrow(input, dim, 0, length)
        input = after ^ before if input.array.dtype.kind == "b" else after - before
    return input


@public
def logcumsumexp(input: Any, dim: int) -> Tensor:
    """ln of the running sum of exponentials along dim. PyTorch: torch.logcumsumexp."""
    from .exponential import logaddexp
    from .join import stack as stack_tensors
    from .parts import unbind

    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0 or input.array.shape[dim] == 0:
        return input.clone()
    running, steps = None, []
    for x in unbind(input, dim):
        running = x if running is None else logaddexp(running, x)
        steps.append(running)
    return stack_tensors(steps, dim)


def _running_extreme(input: Any, dim: int, better: Any) -> ValuesIndices:
    dim = normalize_dim(dim, input.array.ndim)
    if input.array.ndim == 0:
        return ValuesIndices(input.clone(), wrap(np.zeros((), np.int64)))
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
def cummax(input: Any, dim: int) -> ValuesIndices:
    """The largest so far along dim, and where it was (the last of equals). PyTorch: torch.cummax."""
    return _running_extreme(input, dim, np.greater_equal)


@public
def cummin(input: Any, dim: int) -> ValuesIndices:
    """The smallest so far along dim, and where it was (the last of equals). PyTorch: torch.cummin."""
    return _running_extreme(input, dim, np.less_equal)

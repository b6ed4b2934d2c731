"""Choice between values, element by element: by a condition, by size, within limits, in place of nan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable, wrap
from ..autograd.whole_backward import read_whole
from ..foreign import said
from ..public import public
from .operands import (
    Number,
    array_of,
    binary,
    broadcast,
    broadcast_error,
    promote,
    scalar_of,
    to_float,
    undifferentiable,
)  # fmt: skip

if TYPE_CHECKING:
    from ..tensor import Tensor


class Where(Operation):
    """out = a where condition, else b.  da = grad where condition, else 0; db the other way round"""

    @staticmethod
    def forward(ctx: Any, condition: Array, a: Any, b: Any) -> Array:
        ctx.condition = condition
        return np.where(condition, a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        condition = ctx.condition if isinstance(grad, np.ndarray | np.generic) else wrap(ctx.condition)
        _, da, db = ctx.needs_input_grad
        return None, where(condition, grad, 0.0) if da else None, where(condition, 0.0, grad) if db else None


@public(fits="input other")
def where(condition: Operand, input: Operand | Number | None = None, other: Operand | Number | None = None) -> Any:
    """input where condition is True, else other; with the condition alone, the indices of its True elements.

    condition: boolean, all three broadcast. The branch not taken gets gradient 0 — but a nan in *its own* backward
    stays nan (0 · nan), as in PyTorch. PyTorch: torch.where.
    """
    if isinstance(condition, np.ndarray | np.generic):
        a, b = array_of(input), array_of(other)
        like = next((x for x in (a, b) if isinstance(x, np.ndarray | np.generic)), None)
        return np.where(condition, a, b) if like is None else np.where(condition, a, b).astype(like.dtype, copy=False)
    if input is None and other is None:
        return tuple(wrap(i) for i in np.nonzero(condition.array)) if condition.array.ndim else ()
    if not isinstance(condition, Variable):
        raise TypeError(f"where(): argument 'condition' must be Tensor, not {said(condition)}")
    if condition.array.dtype.kind != "b" and condition.array.dtype != np.uint8:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.array.dtype}; "
            "compare first, as in where(x != 0, a, b)"
        )
    a, b = promote(input, other)
    if not isinstance(a, Variable) and not isinstance(b, Variable):
        a = wrap(np.asarray(a, dtypes.result_numpy(a, b)))
    d = dtypes.result_numpy(array_of(a), array_of(b))
    a, b = (x if isinstance(x, Variable) else d.type(x) for x in (a, b))
    try:
        return Where.apply(wrap(condition.array.astype(bool, copy=False)), a, b)
    except ValueError:
        raise RuntimeError(
            f"where: the shapes of condition {list(condition.array.shape)}, input {list(np.shape(array_of(a)))} "
            f"and other {list(np.shape(array_of(b)))} do not broadcast"
        ) from None


# -- the larger and the smaller


class Maximum(Operation):
    """out = the larger of a and b (nan if either is).  grad goes to the larger; at a tie half to each"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.maximum(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        half = where(a == b, grad / 2, grad)
        return where(a < b, 0.0, half), where(a > b, 0.0, half)


@public
def maximum(input: Operand, other: Operand) -> Tensor:
    """The larger of two tensors, element by element. PyTorch: torch.maximum."""
    _tensor_arguments("maximum", ("input", input), ("other", other))
    return binary(Maximum, input, other)


class Minimum(Operation):
    """out = the smaller of a and b (nan if either is).  grad goes to the smaller; at a tie half to each"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.minimum(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        half = where(a == b, grad / 2, grad)
        return where(a > b, 0.0, half), where(a < b, 0.0, half)


@public
def minimum(input: Operand, other: Operand) -> Tensor:
    """The smaller of two tensors, element by element. PyTorch: torch.minimum."""
    _tensor_arguments("minimum", ("input", input), ("other", other))
    return binary(Minimum, input, other)


class Fmax(Operation):
    """out = the larger of a and b, the other one where one is nan.  grad goes to the one taken; at a tie to a"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.fmax(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        first = (a >= b) | (b != b)
        return where(first, grad, 0.0), where(first, 0.0, grad)


@public
def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two tensors, element by element; a nan only where both are. PyTorch: torch.fmax."""
    _tensor_arguments("fmax", ("input", input), ("other", other))
    return binary(Fmax, input, other)


class Fmin(Operation):
    """out = the smaller of a and b, the other one where one is nan.  grad goes to the one taken; at a tie to a"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.fmin(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        first = (a <= b) | (b != b)
        return where(first, grad, 0.0), where(first, 0.0, grad)


@public
def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two tensors, element by element; a nan only where both are. PyTorch: torch.fmin."""
    _tensor_arguments("fmin", ("input", input), ("other", other))
    return binary(Fmin, input, other)


def _tensor_arguments(name: str, *named: tuple[str, Any]) -> None:
    for argument, x in named:
        if not isinstance(x, Variable | np.ndarray):
            raise TypeError(f"{name}(): argument '{argument}' must be Tensor, not {said(x)}")


# -- limits


class Clamp(Operation):
    """out = min(max(x, low), high).  dx = grad where low ≤ x ≤ high (both ends included), else 0"""

    grad_fn_name = "ClampBackward1"

    @staticmethod
    def forward(ctx: Any, x: Array, low: Any, high: Any) -> Array:
        ctx.save_for_backward(x)
        ctx.low, ctx.high = low, high
        out = x if low is None else np.maximum(low, x)  # of two zeros the second: -0 stays
        out = out if high is None else np.minimum(high, out)
        return out.astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        inside = (x == x) if ctx.low is None else (x >= ctx.low)  # a comparison with nan is False: no gradient there
        if ctx.high is not None:
            inside = inside & (x <= ctx.high)
        return where(inside, grad, 0.0), None, None


@public(also="clip", fits="min max")
def clamp(input: Operand, min: Operand | Number | None = None, max: Operand | Number | None = None) -> Tensor:
    """input held within [min, max]; each a number, a tensor or None (not both None). PyTorch: torch.clamp."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Variable) or isinstance(max, Variable):
        if isinstance(max, int | float):
            min = scalar_of(min)
        elif isinstance(min, int | float):
            max = scalar_of(max)
    if isinstance(min, Variable) or isinstance(max, Variable):
        if isinstance(min, int | float) or isinstance(max, int | float):
            raise TypeError("clamp(): 'min' and 'max' must both be Tensors or both Numbers; they are one of each")
        return _clamp_tensors(input, min, max)
    for bound in (min, max):
        if bound is not None and not isinstance(bound, int | float | np.generic):
            raise TypeError(f"clamp(): argument 'min' and 'max' must be Number or Tensor, not {type(bound).__name__}")
        if bound is not None:
            input, _ = promote(input, bound)
    if input.array.dtype.kind in "iu":
        # PyTorch takes a negative bound of an unsigned type for the number that its bits spell.
        min, max = (None if bound is None else dtypes.wrapped(bound, input.array.dtype) for bound in (min, max))
    return Clamp.apply(input, min, max)


class ClampTensors(Operation):
    """out = min(max(x, low), high), by tensors; high where low > high.

    dx = grad where low ≤ x ≤ high; dlow = grad where x < low < high; dhigh = grad where x > high or high < low
    """

    grad_fn_name = "ClampBackward0"

    @staticmethod
    def forward(ctx: Any, x: Array, low: Any, high: Any) -> Array:
        ctx.save_for_backward(x, low, high)
        out = x if low is None else np.maximum(x, low)
        return out if high is None else np.minimum(out, high)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, low, high = ctx.saved_tensors
        inside = (x == x) if low is None else (x >= low)
        at_low = at_high = None
        if high is not None:
            inside = inside & (x <= high)
            at_high = (x > high) if low is None else (x > high) | (high < low)
        if low is not None:
            at_low = (x < low) if high is None else (x < low) & (low < high)
        return (
            where(inside, grad, 0.0),
            where(at_low, grad, 0.0) if ctx.needs_input_grad[1] else None,
            where(at_high, grad, 0.0) if ctx.needs_input_grad[2] else None,
        )


def _clamp_tensors(input: Operand, min: Operand, max: Operand) -> Any:
    low = high = None
    if min is not None:
        input, low = promote(input, min)
    if max is not None:
        input, high = promote(input, max)
        low = promote(low, input)[0] if low is not None else None
    try:
        return ClampTensors.apply(input, low, high)
    except ValueError:
        raise broadcast_error(input, low if low is not None else high) from None


@public(fits="min")
def clamp_min(input: Operand, min: Operand | Number) -> Tensor:
    """input, or min where it is smaller. PyTorch: torch.clamp_min."""
    return clamp(input, min=min)


@public(fits="max")
def clamp_max(input: Operand, max: Operand | Number) -> Tensor:
    """input, or max where it is larger. PyTorch: torch.clamp_max."""
    return clamp(input, max=max)


# -- steps and holes


@public(same="input values")
def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 below 0, 1 above, `values` at 0. No gradient: backward raises. PyTorch: torch.heaviside."""
    broadcast(input.array.shape, values.array.shape)
    out = np.where(input.array == 0, values.array, input.array > 0).astype(input.array.dtype)  # 0 at nan
    return undifferentiable("heaviside", out, input, values)


class NanToNum(Operation):
    """out = x with nan and ±inf replaced.  dx = grad where x is finite, else 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, nan: float, posinf: float | None, neginf: float | None) -> Array:
        ctx.finite = np.isfinite(x)
        return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        finite = ctx.finite if isinstance(grad, np.ndarray | np.generic) else wrap(ctx.finite)
        return where(finite, grad, 0.0), None, None, None


@public
def nan_to_num(
    input: Operand, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """nan as 0, ±inf as the largest finite values, or as given. PyTorch: torch.nan_to_num."""
    return NanToNum.apply(input, nan or 0.0, posinf, neginf)


class Copysign(Operation):
    """out = |a| with the sign of b.  da = grad · out / a, 0 where a is 0;  db = 0"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        out = np.asarray(np.copysign(a, b))
        ctx.save_for_backward(a, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, out = map(array_of, ctx.saved_tensors)
        da, db = ctx.needs_input_grad
        ratio = np.where(a == 0, 0.0, out / a)  # 1 or -1: constant, piece by piece
        nothing = np.zeros(out.shape, out.dtype)
        if isinstance(grad, Variable):
            ratio, nothing = wrap(ratio), wrap(nothing)
        return grad * ratio if da else None, nothing if db else None


@public
def copysign(input: Operand, other: Operand | Number) -> Tensor:
    """|input| with the sign of other. PyTorch: torch.copysign."""
    a, b = (to_float(x) if isinstance(x, Variable) else x for x in promote(input, other))
    return binary(Copysign, read_whole(a) if isinstance(a, Variable) else a, b)

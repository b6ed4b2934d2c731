"""Powers and roots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable
from ..dtypes import element
from ..public import public
from .choice import where
from .exponential import log
from .mask import nothing
from .operands import NUMBERS, Number, binary, cast, not_for_bool, promote, to_float
from .rule import Rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Pow(Operation):
    """out = aᵇ.  da = grad · b · aᵇ⁻¹ (0 where b = 0), db = grad · aᵇ · ln a (0 where a = 0 and b ≥ 0)"""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Array:
        is_float = np.asarray(a).dtype.kind == "f" or np.asarray(b).dtype.kind == "f"
        out = np.power(a, b) if is_float else _integer_power(a, b)
        ctx.save_for_backward(a, b, out if ctx.needs_input_grad[1] else None)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b, out = ctx.saved_tensors
        da = db = None
        if ctx.needs_input_grad[0]:
            if not isinstance(b, NUMBERS):
                da = where(b == 0, 0.0, grad * (b * a ** (b - 1)))
            else:
                da = nothing(grad) if b == 0 else grad * (b * a ** (b - 1))
        if ctx.needs_input_grad[1]:
            zero = (a == 0) & (b >= 0)
            log_a = float(np.log(a)) if isinstance(a, NUMBERS) else log(a)
            db = grad * where(zero, 0.0, out * log_a) if not isinstance(zero, bool) else grad * (out * log_a)
        return da, db


@public
def pow(input: Operand | Number, exponent: Operand | Number) -> Tensor:
    """input to the power of exponent, broadcast. PyTorch: torch.pow."""
    if isinstance(input, Variable) and isinstance(exponent, Variable):
        not_for_bool("pow", input, exponent)
    elif isinstance(input, bool) and isinstance(exponent, Variable):
        not_for_bool("pow", exponent)
    if isinstance(exponent, int) and exponent < 0 and isinstance(input, Variable) and input.array.dtype.kind in "iub":
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    a, b = promote(input, exponent)
    if isinstance(b, NUMBERS) and isinstance(a, Variable) and a.array.dtype == np.float16:
        element(b, a.array.dtype)  # RuntimeError: of halves, and of them only, the exponent must be one too
    if isinstance(b, NUMBERS) and b == 2 and isinstance(a, Variable) and a.array.dtype.kind == "f":
        return Square.apply(a)
    if isinstance(b, NUMBERS) and b == 0.5 and isinstance(a, Variable):
        return sqrt(a)
    return binary(Pow, a, b)


def _integer_power(a: Operand, b: Operand) -> Array:
    """aᵇ in whole numbers: 1/aᵇ is ±1 for a = ±1, else 0 (NumPy refuses negative exponents)."""
    if np.asarray(a).dtype.kind == "b" and np.asarray(b).dtype.kind == "b":
        return np.logical_or(a, np.logical_not(b))
    negative = np.less(b, 0)
    if not np.any(negative):
        return np.power(a, b)
    unit = np.where(np.equal(a, 1), 1, np.where(np.equal(a, -1), np.where(np.mod(b, 2) == 1, -1, 1), 0))
    power = np.power(a, np.maximum(b, 0))
    return np.where(negative, unit, power).astype(power.dtype)


def rpow(input: Operand, other: Operand) -> Tensor:
    """other to the power of input."""
    return pow(other, input)


@public
def float_power(input: Operand | Number, exponent: Operand | Number) -> Tensor:
    """input ** exponent in float64. PyTorch: torch.float_power."""
    if not isinstance(input, Variable) and not isinstance(exponent, Variable):
        raise TypeError("float_power(): one of 'input' and 'exponent' must be Tensor, and both are Numbers")
    d = np.dtype(np.float64)
    return pow(*(cast(x, d) if isinstance(x, Variable) else x for x in (input, exponent)))


class Square(Rule, out=lambda x: x * x, dx=lambda grad, x: grad * (2 * x)):
    """out = x².  dx = grad · 2x"""

    grad_fn_name = "PowBackward0"


@public
def square(input: Operand) -> Tensor:
    """input². PyTorch: torch.square."""
    return pow(input, 2)


class Sqrt(Rule, out=np.sqrt, dx=lambda grad, out: grad / (2 * out)):
    """out = √x.  dx = grad / (2 · out), inf at 0"""


@public
def sqrt(input: Operand) -> Tensor:
    """√input, nan below 0. PyTorch: torch.sqrt."""
    return Sqrt.apply(to_float(input))


class Rsqrt(Rule, out=lambda x: 1 / np.sqrt(x), dx=lambda grad, out: -0.5 * grad * (out * out * out)):
    """out = 1 / √x.  dx = -grad · out³ / 2"""


@public
def rsqrt(input: Operand) -> Tensor:
    """1 / √input. PyTorch: torch.rsqrt."""
    return Rsqrt.apply(to_float(input))

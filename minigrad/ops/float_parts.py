"""The parts of floating numbers: sign, mantissa, exponent, and their neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, wrap
from ..public import public
from .arithmetic import mul
from .checks import require_tensor
from .operands import binary
from .power import pow

if TYPE_CHECKING:
    from ..tensor import Tensor


@public
def signbit(input: Tensor) -> Tensor:
    """True where the sign bit is set: below 0, and at -0. PyTorch: torch.signbit."""
    require_tensor(input, "signbit")
    x = input.array
    return wrap(np.asarray(np.signbit(x) if x.dtype.kind == "f" else x < 0))


class MantissaExponent(NamedTuple):
    """The two parts of floating numbers."""

    mantissa: Any
    exponent: Any


class Frexp(Operation):
    """out = the mantissa m of x = m · 2^exponent, ½ ≤ |m| < 1.  dx = grad / 2^exponent"""

    @staticmethod
    def forward(ctx: Any, x: Array, exponent: Array) -> Array:
        ctx.exponent = exponent.astype(x.dtype)
        return np.asarray(np.frexp(x)[0])

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad / (np.exp2(ctx.exponent) if isinstance(grad, np.ndarray) else wrap(np.exp2(ctx.exponent))), None


@public
def frexp(input: Tensor) -> MantissaExponent:
    """Mantissa and exponent: input = mantissa · 2^exponent, ½ ≤ |mantissa| < 1; 0 and 0 for 0. PyTorch: torch.frexp."""
    require_tensor(input, "frexp")
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"torch.frexp() only supports floating-point dtypes, got {input.dtype}")
    exponent = np.asarray(np.where(np.isfinite(input.array), np.frexp(input.array)[1], 0), np.int32)
    return MantissaExponent(Frexp.apply(input, exponent), wrap(exponent))


@public
def ldexp(input: Operand, other: Operand) -> Tensor:
    """input · 2^other. PyTorch: torch.ldexp."""
    require_tensor(input, "ldexp")
    require_tensor(other, "ldexp", "other")
    if other.array.dtype.kind == "b" and input.array.dtype.kind == "f":
        raise NotImplementedError("\"ldexp_cpu_exp\" not implemented for 'Bool'; give the exponents as integers")
    return mul(input, pow(2.0, other))


class NextAfter(Operation):
    """out = the number of the type that follows a on the way to b.  No derivative: it raises, as in PyTorch"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        if a.dtype.kind != "f":
            raise NotImplementedError(f"\"nextafter\" not implemented for '{a.dtype}'; it takes floating types")
        return np.nextafter(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        raise RuntimeError("derivative for aten::nextafter is not implemented: a step to the next number has none")


@public
def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The next number of the type after input in the direction of other. PyTorch: torch.nextafter."""
    require_tensor(input, "nextafter")
    require_tensor(other, "nextafter", "other")
    return binary(NextAfter, input, other)

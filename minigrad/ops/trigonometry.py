"""Angles: sine, cosine, tangent, their inverses and their hyperbolic kin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand
from ..public import public
from .choice import where
from .operands import float_binary, only_float_binary, to_float
from .power import rsqrt
from .rule import Rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Sin(Rule, out=np.sin, dx=lambda grad, x: grad * cos(x)):
    """out = sin x.  dx = grad · cos x"""


@public
def sin(input: Operand) -> Tensor:
    """The sine of radians. PyTorch: torch.sin."""
    return Sin.apply(to_float(input))


class Cos(Rule, out=np.cos, dx=lambda grad, x: -grad * sin(x)):
    """out = cos x.  dx = -grad · sin x"""


@public
def cos(input: Operand) -> Tensor:
    """The cosine of radians. PyTorch: torch.cos."""
    return Cos.apply(to_float(input))


class Tan(Rule, out=np.tan, dx=lambda grad, out: grad * (1 + out * out)):
    """out = tan x.  dx = grad · (1 + out²)"""


@public
def tan(input: Operand) -> Tensor:
    """The tangent of radians. PyTorch: torch.tan."""
    return Tan.apply(to_float(input))


class Sinc(Operation):
    """out = sin(πx) / (πx), 1 at 0.  dx = grad · (πx cos(πx) - sin(πx)) / (πx²), 0 at 0"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        angle = x * math.pi
        return np.where(x == 0, 1, np.sin(angle) / angle).astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        angle = x * math.pi
        below = angle * x
        return where(below == 0, 0.0, grad * ((cos(angle) * angle - sin(angle)) / below))


@public
def sinc(input: Operand) -> Tensor:
    """sin(πx) / (πx), 1 at 0. PyTorch: torch.sinc."""
    return Sinc.apply(to_float(input))


# -- inverses


class Asin(Rule, out=np.arcsin, dx=lambda grad, x: grad * rsqrt(1 - x * x)):
    """out = arcsin x.  dx = grad / √(1 - x²)"""


@public(also="arcsin")
def asin(input: Operand) -> Tensor:
    """The angle whose sine is input. PyTorch: torch.asin."""
    return Asin.apply(to_float(input))


class Acos(Rule, out=np.arccos, dx=lambda grad, x: -grad * rsqrt(1 - x * x)):
    """out = arccos x.  dx = -grad / √(1 - x²)"""


@public(also="arccos")
def acos(input: Operand) -> Tensor:
    """The angle whose cosine is input. PyTorch: torch.acos."""
    return Acos.apply(to_float(input))


class Atan(Rule, out=np.arctan, dx=lambda grad, x: grad / (1 + x * x)):
    """out = arctan x.  dx = grad / (1 + x²)"""


@public(also="arctan")
def atan(input: Operand) -> Tensor:
    """The angle whose tangent is input. PyTorch: torch.atan."""
    return Atan.apply(to_float(input))


class Atan2(Operation):
    """out = the angle of the point (b, a).  da = grad · b / (a² + b²), db = -grad · a / (a² + b²)"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.arctan2(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        square = a * a + b * b
        scale = grad * where(square == 0, 0.0, 1 / square)
        return scale * b, scale * -a


@public(also="arctan2")
def atan2(input: Operand, other: Operand) -> Tensor:
    """The angle of the point (other, input). PyTorch: torch.atan2."""
    return float_binary(Atan2, input, other)


class Hypot(Operation):
    """out = √(a² + b²).  da = grad · a / out, db = grad · b / out"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        out = np.hypot(a, b)
        da, db = ctx.needs_input_grad
        ctx.save_for_backward(a if da else None, b if db else None, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b, out = ctx.saved_tensors
        return None if a is None else grad * (a / out), None if b is None else grad * (b / out)


@public
def hypot(input: Operand, other: Operand) -> Tensor:
    """√(input² + other²). PyTorch: torch.hypot."""
    return only_float_binary("hypot", Hypot, input, other)


# -- hyperbolic functions


class Sinh(Rule, out=np.sinh, dx=lambda grad, x: grad * cosh(x)):
    """out = sinh x.  dx = grad · cosh x"""


@public
def sinh(input: Operand) -> Tensor:
    """The hyperbolic sine. PyTorch: torch.sinh."""
    return Sinh.apply(to_float(input))


class Cosh(Rule, out=np.cosh, dx=lambda grad, x: grad * sinh(x)):
    """out = cosh x.  dx = grad · sinh x"""


@public
def cosh(input: Operand) -> Tensor:
    """The hyperbolic cosine. PyTorch: torch.cosh."""
    return Cosh.apply(to_float(input))


class Tanh(Operation):
    """out = tanh x.  dx = grad · (1 - out²)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = np.tanh(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        if not isinstance(grad, Array):
            return grad * (1 - out * out)
        dx = np.asarray(out * out)  # the same in one piece of memory
        np.subtract(1, dx, out=dx)
        dx *= grad
        return dx


@public("minigrad", "functional")
def tanh(input: Operand) -> Tensor:
    """The hyperbolic tangent. PyTorch: torch.tanh."""
    return Tanh.apply(to_float(input))


class Asinh(Rule, out=np.arcsinh, dx=lambda grad, x: grad * rsqrt(x * x + 1)):
    """out = arsinh x.  dx = grad / √(x² + 1)"""


@public(also="arcsinh")
def asinh(input: Operand) -> Tensor:
    """The inverse of sinh. PyTorch: torch.asinh."""
    return Asinh.apply(to_float(input))


class Acosh(Rule, out=np.arccosh, dx=lambda grad, x: grad * rsqrt(x * x - 1)):
    """out = arcosh x.  dx = grad / √(x² - 1)"""


@public(also="arccosh")
def acosh(input: Operand) -> Tensor:
    """The inverse of cosh. PyTorch: torch.acosh."""
    return Acosh.apply(to_float(input))


class Atanh(Rule, out=np.arctanh, dx=lambda grad, x: grad / (1 - x * x)):
    """out = artanh x.  dx = grad / (1 - x²)"""


@public(also="arctanh")
def atanh(input: Operand) -> Tensor:
    """The inverse of tanh. PyTorch: torch.atanh."""
    return Atanh.apply(to_float(input))


# -- degrees


@public
def rad2deg(input: Operand) -> Tensor:
    """Radians to degrees. PyTorch: torch.rad2deg."""
    return to_float(input) * (180.0 / math.pi)


@public
def deg2rad(input: Operand) -> Tensor:
    """Degrees to radians. PyTorch: torch.deg2rad."""
    return to_float(input) * (math.pi / 180.0)

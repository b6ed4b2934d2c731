"""Special functions: the error function, ln Γ and their kin. Their values are computed in approximations.py."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand
from ..public import public
from . import approximations
from .exponential import exp
from .operands import to_float
from .rule import Rule

if TYPE_CHECKING:
    from ..tensor import Tensor

_SLOPE = 2 / math.sqrt(math.pi)  # of erf at 0


class PlainErf(Rule, out=approximations.erf, dx=lambda grad, x: grad * (_SLOPE * exp(-(x * x)))):
    """out = 2/√π ∫₀ˣ e^(-t²) dt.  dx = grad · 2/√π · e^(-x²)"""

    grad_fn_name = "ErfBackward0"


class Erf(Fused):
    """out = 2/√π ∫₀ˣ e^(-t²) dt.  dx = grad · 2/√π · e^(-x²)

    Fused only so that large arrays of float32 have a compiled form, Erf of kernels/elementwise.py.
    """

    compiled = "elementwise.Erf"
    forward = staticmethod(PlainErf.forward)
    backward = staticmethod(PlainErf.backward)

    @staticmethod
    def definition(x: Operand) -> Any:
        return PlainErf.apply(x)

    @staticmethod
    def work(x: Array) -> int:
        return x.size if x.dtype == np.float32 else 0


@public
def erf(input: Operand) -> Tensor:
    """The error function. PyTorch: torch.erf."""
    return Erf.apply(to_float(input))


class Erfc(Rule, out=approximations.erfc, dx=lambda grad, x: grad * (-_SLOPE * exp(-(x * x)))):
    """out = 1 - erf x.  dx = -grad · 2/√π · e^(-x²)"""


@public
def erfc(input: Operand) -> Tensor:
    """1 - erf(input), accurate where erf is near 1. PyTorch: torch.erfc."""
    return Erfc.apply(to_float(input))


class Erfinv(Rule, out=approximations.erfinv, dx=lambda grad, out: grad * (math.sqrt(math.pi) / 2 * exp(out * out))):
    """out = the y with erf(y) = x.  dx = grad · √π/2 · e^(out²)"""


@public
def erfinv(input: Operand) -> Tensor:
    """The inverse of erf: ±inf at ±1, nan beyond. PyTorch: torch.erfinv."""
    return Erfinv.apply(to_float(input))


# -- the gamma function


class Lgamma(Rule, out=approximations.lgamma, dx=lambda grad, x: grad * digamma(x)):
    """out = ln |Γ(x)|.  dx = grad · ψ(x)"""


@public
def lgamma(input: Operand) -> Tensor:
    """The logarithm of the gamma function. PyTorch: torch.lgamma."""
    return Lgamma.apply(to_float(input))


class Digamma(Rule, out=approximations.digamma, dx=lambda grad, x: grad * Trigamma.apply(x)):
    """out = ψ(x), the derivative of ln Γ.  dx = grad · ψ'(x)"""


@public
def digamma(input: Operand) -> Tensor:
    """The derivative of lgamma. PyTorch: torch.digamma."""
    return Digamma.apply(to_float(input))


class Trigamma(Rule, out=approximations.trigamma, dx=lambda grad, x: grad * Tetragamma.apply(x)):
    """out = ψ'(x).  dx = grad · ψ''(x)"""

    grad_fn_name = "PolygammaBackward0"


class Tetragamma(Operation):
    """out = ψ''(x). It has no gradient in minigrad: PyTorch's is the next polygamma function"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return approximations.tetragamma(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        raise NotImplementedError("lgamma has no fourth derivative in minigrad, nor digamma a third")

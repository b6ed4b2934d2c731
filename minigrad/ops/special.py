"""Special functions: the error function, ln Γ, the incomplete gamma functions and their kin.

Their values are computed in approximations.py and gamma_values.py."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused, at_hand, compiled_form, size
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand
from ..public import public
from . import approximations, gamma_values
from .checks import require_tensor
from .exponential import exp, log
from .operands import broadcast, promote, to_float
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


def _work(x: Array) -> int:
    """What the functions of approximations.py do: in NumPy some sixteen passes over x."""
    return size(x) * (64 if at_hand() else 16)


def _erfc(x: Array) -> Array:
    return (compiled_form("special.erfc", _work(x)) or approximations.erfc)(x)


def _erfinv(x: Array) -> Array:
    return (compiled_form("special.erfinv", _work(x)) or approximations.erfinv)(x)


def _lgamma(x: Array) -> Array:
    return (compiled_form("special.lgamma", _work(x)) or approximations.lgamma)(x)


class Erfc(Rule, out=_erfc, dx=lambda grad, x: grad * (-_SLOPE * exp(-(x * x)))):
    """out = 1 - erf x.  dx = -grad · 2/√π · e^(-x²)"""


@public
def erfc(input: Operand) -> Tensor:
    """1 - erf(input), accurate where erf is near 1. PyTorch: torch.erfc."""
    return Erfc.apply(to_float(input))


class Erfinv(Rule, out=_erfinv, dx=lambda grad, x: grad * (math.sqrt(math.pi) / 2 * exp(Erfinv.apply(x) ** 2))):
    """out = the y with erf(y) = x.  dx = grad · √π/2 · e^(out²)"""


@public
def erfinv(input: Operand) -> Tensor:
    """The inverse of erf: ±inf at ±1, nan beyond. PyTorch: torch.erfinv."""
    return Erfinv.apply(to_float(input))


# -- the gamma function


class Lgamma(Rule, out=_lgamma, dx=lambda grad, x: grad * digamma(x)):
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


class Tetragamma(Rule, out=approximations.tetragamma, dx=lambda grad, x: grad * Polygamma.apply(x, 3)):
    """out = ψ''(x).  dx = grad · ψ'''(x)"""

    grad_fn_name = "PolygammaBackward0"


class Polygamma(Operation):
    """out = ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! ζ(n + 1, x), n ≥ 2.  dx = grad · ψ⁽ⁿ⁺¹⁾(x)"""

    @staticmethod
    def forward(ctx: Any, x: Array, n: int) -> Array:
        ctx.n = n
        ctx.save_for_backward(x)
        values = gamma_values.zeta(np.full((), n + 1.0, x.dtype), x)
        factorial = math.gamma(n + 1) if n < 171 else math.inf
        return np.asarray(values * ((-1.0) ** (n + 1) * factorial), x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * Polygamma.apply(x, ctx.n + 1), None


@public
def polygamma(n: int, input: Operand) -> Tensor:
    """The n-th derivative of digamma. PyTorch: torch.polygamma."""
    require_tensor(input, "polygamma", "input", 2)
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if n >= 2**31 - 1:  # PyTorch takes the last 32 bits of it
        raise NotImplementedError(f"polygamma: an order of {n} is not supported by minigrad")
    x = to_float(input)
    return digamma(x) if n == 0 else Trigamma.apply(x) if n == 1 else Polygamma.apply(x, n)


@public
def mvlgamma(input: Operand, p: int) -> Tensor:
    """ln Γₚ(a) = p (p - 1) / 4 · ln π + Σⱼ ln Γ(a - j / 2), j < p. PyTorch: torch.mvlgamma."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    if input.array.dtype.kind == "b":
        raise RuntimeError("mvlgamma: The input tensor may not be a boolean tensor.")
    if p > 1_000_000:
        raise NotImplementedError(f"mvlgamma: p={p} is not supported by minigrad; there are up to 1,000,000 terms")
    total: Any = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        total = total + lgamma(to_float(input) + -j / 2)  # (-0 + 0 is 0, where the slope is -∞: as in PyTorch)
    return total


# -- the incomplete gamma functions


class Igamma(Operation):
    """out = 1/Γ(a) ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt.  dx = grad · xᵃ⁻¹ e⁻ˣ / Γ(a); da is refused, as by PyTorch"""

    values = staticmethod(gamma_values.igamma)
    sign = 1

    @classmethod
    def forward(cls, ctx: Any, a: Array, x: Array) -> Array:
        ctx.save_for_backward(a, x)
        return cls.values(a, x)

    @classmethod
    def backward(cls, ctx: Any, grad: Any) -> Any:
        a, x = ctx.saved_tensors
        if ctx.needs_input_grad[0]:
            raise NotImplementedError(f"the derivative for '{cls.__name__.lower()}: input' is not implemented.")
        return None, grad * cls.sign * exp((a - 1) * log(x) - x - lgamma(a))


class Igammac(Igamma):
    """out = 1/Γ(a) ∫ₓ^∞ tᵃ⁻¹ e⁻ᵗ dt.  dx = -grad · xᵃ⁻¹ e⁻ˣ / Γ(a); da is refused, as by PyTorch"""

    values = staticmethod(gamma_values.igammac)
    sign = -1


def _incomplete(name: str, operation: type[Igamma], input: Any, other: Any) -> Any:
    a, x = promote(input, other)
    broadcast(a.array.shape, x.array.shape)
    if a.array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"{name}_cpu\" not implemented for '{a.dtype}'; convert the tensors with .float() first"
        )
    return operation.apply(a, x)


@public
def igamma(input: Operand, other: Operand) -> Tensor:
    """The regularized lower incomplete gamma function P(input, other). PyTorch: torch.igamma."""
    return _incomplete("igamma", Igamma, input, other)


@public
def igammac(input: Operand, other: Operand) -> Tensor:
    """The regularized upper incomplete gamma function 1 - P(input, other). PyTorch: torch.igammac."""
    return _incomplete("igammac", Igammac, input, other)

"""Exponentials and logarithms, and what is made of them: the logistic function and its inverse, log-add-exp."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand, Variable
from ..dtypes import constant
from ..public import public
from .choice import clamp, where
from .operands import Number, broadcast, number_like, only_float_binary, promote, to_float
from .rule import Rule

if TYPE_CHECKING:
    from ..tensor import Tensor


# -- exponentials


class Exp(Rule, out=np.exp, dx=lambda grad, out: grad * out):
    """out = eˣ.  dx = grad · out"""


@public
def exp(input: Operand) -> Tensor:
    """eˣ. PyTorch: torch.exp."""
    return Exp.apply(to_float(input))


class Exp2(Rule, out=np.exp2, dx=lambda grad, out: grad * (out * math.log(2))):
    """out = 2ˣ.  dx = grad · out · ln 2"""


@public
def exp2(input: Operand) -> Tensor:
    """2 to the power of input. PyTorch: torch.exp2."""
    return Exp2.apply(to_float(input))


class Expm1(Rule, out=np.expm1, dx=lambda grad, out: grad * (out + 1)):
    """out = eˣ - 1.  dx = grad · (out + 1)"""


@public
def expm1(input: Operand) -> Tensor:
    """eˣ - 1, accurate near 0. PyTorch: torch.expm1."""
    return Expm1.apply(to_float(input))


# -- logarithms


class Log(Rule, out=np.log, dx=lambda grad, x: grad / x):
    """out = ln x.  dx = grad / x"""


@public
def log(input: Operand) -> Tensor:
    """The natural logarithm: -inf at 0, nan below. PyTorch: torch.log."""
    return Log.apply(to_float(input))


class Log2(Rule, out=np.log2, dx=lambda grad, x: grad / (x * math.log(2))):
    """out = log₂ x.  dx = grad / (x ln 2)"""


@public
def log2(input: Operand) -> Tensor:
    """The logarithm to base 2. PyTorch: torch.log2."""
    return Log2.apply(to_float(input))


class Log10(Rule, out=np.log10, dx=lambda grad, x: grad / (x * math.log(10))):
    """out = log₁₀ x.  dx = grad / (x ln 10)"""


@public
def log10(input: Operand) -> Tensor:
    """The logarithm to base 10. PyTorch: torch.log10."""
    return Log10.apply(to_float(input))


class Log1p(Rule, out=np.log1p, dx=lambda grad, x: grad / (x + 1)):
    """out = ln(1 + x).  dx = grad / (1 + x)"""

    grad_fn_name = "Log1PBackward0"


@public
def log1p(input: Operand) -> Tensor:
    """ln(1 + input), accurate near 0. PyTorch: torch.log1p."""
    return Log1p.apply(to_float(input))


class Xlogy(Operation):
    """out = a · ln b, 0 where a is 0.  da = grad · ln b (0 where a = 0 and b ≤ 0), db = grad · a / b"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.where((a == 0) & ~np.isnan(b), np.zeros((), a.dtype), a * np.log(b))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        return where((a == 0) & (b <= 0), 0.0, Xlogy.apply(grad, b)), grad * (a / b)


@public
def xlogy(input: Operand | Number, other: Operand | Number) -> Tensor:
    """input · ln(other), 0 where input is 0. PyTorch: torch.xlogy."""
    a, b = (x if isinstance(x, Variable) else number_like(x, input, other) for x in (input, other))
    a, b = promote(a, b)
    broadcast(a.array.shape, b.array.shape)
    return Xlogy.apply(to_float(a), to_float(b))


# -- the logistic function


def logistic(x: Array) -> Array:
    """1 / (1 + e⁻ˣ): where e⁻ˣ overflows to inf, this is 0, as it should be."""
    out = np.asarray(np.exp(-x))
    np.add(out, constant(1, out.dtype), out)
    return np.reciprocal(out, out)


class Sigmoid(Rule, out=logistic, dx=lambda grad, out: grad * (out * (1 - out))):
    """out = 1 / (1 + e⁻ˣ).  dx = grad · out · (1 - out)"""


@public("minigrad", "functional")
def sigmoid(input: Operand) -> Tensor:
    """1 / (1 + e⁻ˣ), between 0 and 1. PyTorch: torch.sigmoid."""
    return Sigmoid.apply(to_float(input))


class Logit(
    Rule,
    out=lambda x: np.log(x / (1 - x)),
    dx=lambda grad, x: where((x < 0) | (x > 1), math.nan, grad / ((x + 0.0) * (1 - x))),
):
    """out = ln(x / (1 - x)).  dx = grad / (x (1 - x)), nan outside [0, 1]"""


@public(fits="eps")
def logit(input: Operand, eps: float | None = None) -> Tensor:
    """ln(x / (1 - x)), the inverse of sigmoid; with eps, x is held within [eps, 1 - eps]. PyTorch: torch.logit."""
    x = to_float(input)
    if eps is not None:
        # (held by comparisons where the ends have changed places, which clamp would read otherwise)
        x = clamp(x, eps, 1 - eps) if eps <= 0.5 else where(x < eps, eps, where(x > 1 - eps, 1 - eps, x))
    return Logit.apply(x)


class LogAddExp(Operation):
    """out = ln(eᵃ + eᵇ).  da = grad · σ(a - b), db = grad · σ(b - a)

    e^(a - out) would be the same with the rounding of out in it, which is large where a is.
    """

    grad_fn_name = "LogaddexpBackward0"

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        out = np.asarray(np.abs(a - b))
        np.exp(np.negative(out, out=out), out=out)
        np.log1p(out, out=out)
        out += np.maximum(a, b)
        same = np.isinf(a) & (a == b)
        return np.where(same, a, out) if same.any() else out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        return grad * sigmoid(a - b), grad * sigmoid(b - a)


@public
def logaddexp(input: Operand, other: Operand) -> Tensor:
    """ln(eᵃ + eᵇ) without overflow. PyTorch: torch.logaddexp."""
    return only_float_binary("logaddexp", LogAddExp, input, other)

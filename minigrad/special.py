"""Special functions under the names of torch.special: those of the engine, and some composed of them.

PyTorch: torch.special. Bessel functions, incomplete gamma functions and zeta are not there.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from . import missing, ops
from .autograd.graph import Operation
from .autograd.variable import Array, Variable
from .dtypes import dtype as Dtype
from .ops import (
    digamma,
    erf,
    erfc,
    erfinv,
    exp2,
    expm1,
    lgamma,
    log,
    log1p,
    logit,
    logsumexp,
    sigmoid,
    sinc,
    softmax,
    where,
    xlogy,
)  # fmt: skip
from .ops import log_softmax as _log_softmax
from .ops import round as _round
from .ops.operands import Number, broadcast, number_like, promote, to_float
from .ops.rule import Rule
from .ops.special import Trigamma
from .public import tensors
from .signature import publish

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfinv", "exp2", "expit", "expm1", "gammaln", "log1p", "log_ndtr", "log_softmax",
    "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy",
]  # fmt: skip


_MOST_TERMS = 10_000  # of multigammaln


def expit(input: Tensor) -> Tensor:
    """1 / (1 + e⁻ˣ). PyTorch: torch.special.expit."""
    return sigmoid(input)


def gammaln(input: Tensor) -> Tensor:
    """ln |Γ(x)|. PyTorch: torch.special.gammaln."""
    return lgamma(input)


def psi(input: Tensor) -> Tensor:
    """The derivative of ln Γ. PyTorch: torch.special.psi."""
    return ops.digamma(input)


def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of digamma: n is 0 or 1. PyTorch: torch.special.polygamma."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if n > 1:
        raise NotImplementedError(f"polygamma: n={n} is not supported by minigrad; there are n=0 and n=1")
    return ops.digamma(input) if n == 0 else Trigamma.apply(to_float(input))


def multigammaln(a: Tensor, p: int) -> Tensor:
    """ln Γₚ(a) = p (p - 1) / 4 · ln π + Σⱼ ln Γ(a - j / 2), j < p. PyTorch: torch.special.multigammaln."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    if p > _MOST_TERMS:
        raise RuntimeError(f"multigammaln: p={p} is a sum of as many terms; minigrad takes up to {_MOST_TERMS}")
    if a.array.dtype.kind == "b":
        raise RuntimeError("multigammaln: The input tensor may not be a boolean tensor.")
    total: Any = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        total = total + lgamma(a + -j / 2)  # (-0 + 0 is 0, where the slope is -∞: as in PyTorch)
    return total


class Entr(Rule, out=lambda x: np.where(x > 0, -x * np.log(np.abs(x)), np.where(x == 0, 0, np.where(x < 0, -np.inf, x))).astype(x.dtype),
           dx=lambda grad, x: grad * (-log(x) - 1)):  # fmt: skip
    """out = -x ln x.  dx = -grad · (ln x + 1)"""

    grad_fn_name = "SpecialEntrBackward0"


def entr(input: Tensor) -> Tensor:
    """-x ln x; 0 at 0, -inf below. PyTorch: torch.special.entr."""
    return Entr.apply(to_float(input))


class Xlog1py(Operation):
    """out = a ln(1 + b), 0 where a is 0.  da = grad · ln(1 + b) (0 where a = 0 and b ≤ -1), db = grad · a / (1 + b)"""

    grad_fn_name = "SpecialXlog1PyBackward0"

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.where((a == 0) & ~np.isnan(b), np.zeros((), a.dtype), a * np.log1p(b))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        return grad * where((a == 0) & (b <= -1), 0.0, ops.log1p(b)), grad * (a / (b + 1))


def xlog1py(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """input · ln(1 + other), 0 where input is 0. PyTorch: torch.special.xlog1py."""
    if not isinstance(input, Variable) and not isinstance(other, Variable):
        raise TypeError("special_xlog1py(): one of the arguments must be a Tensor")
    a, b = (x if isinstance(x, Variable) else number_like(x, input, other) for x in (input, other))
    a, b = promote(a, b)
    broadcast(a.array.shape, b.array.shape)
    return Xlog1py.apply(to_float(a), to_float(b))


def _no_halves(function: Any) -> Any:
    """PyTorch has no form of these for 16 bits."""

    @functools.wraps(function)
    def checked(input: Tensor) -> Tensor:
        if input.array.dtype == np.float16:
            raise NotImplementedError(
                f"\"{function.__name__}_cpu\" not implemented for 'Half'; convert it with .float() first"
            )
        return function(input)

    return checked


def ndtr(input: Tensor) -> Tensor:
    """The probability that a standard normal variable is below x. PyTorch: torch.special.ndtr."""
    x = to_float(input)
    return where(x < -1, 0.5 * ops.erfc(x * -math.sqrt(0.5)), 0.5 * (1 + ops.erf(x * math.sqrt(0.5))))


@_no_halves
def ndtri(input: Tensor) -> Tensor:
    """The x below which a standard normal variable is with this probability. PyTorch: torch.special.ndtri."""
    return math.sqrt(2) * ops.erfinv(2 * to_float(input) - 1)


@_no_halves
def log_ndtr(input: Tensor) -> Tensor:
    """ln ndtr(x), also far in the lower tail. PyTorch: torch.special.log_ndtr."""
    x = to_float(input)
    far = x < -5
    near = where(far, 0.0, x)
    tail = where(far, x, -6.0)
    # Mills' ratio as a continued fraction: ndtr(x) = pdf(x) / (t + 1/(t + 2/(t + 3/...))), t = -x
    t = -tail
    fraction = t
    for k in range(60, 0, -1):
        fraction = t + k / fraction
    below = -0.5 * t * t - 0.5 * math.log(2 * math.pi) - log(fraction)
    above = where(
        near < 0,
        log(0.5 * ops.erfc(near * -math.sqrt(0.5))),
        ops.log1p(-0.5 * ops.erfc(where(near < 0, 0.0, near) * math.sqrt(0.5))),
    )
    return where(far, below, above)


def log_softmax(input: Tensor, dim: int, *, dtype: Dtype | None = None) -> Tensor:
    """The logarithm of softmax along dim. PyTorch: torch.special.log_softmax."""
    return _log_softmax(input, dim, dtype)


@tensors(floats="input")
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest integer, halves to even; decimals: digits to keep. PyTorch: torch.special.round."""
    return _round(input, decimals=decimals)


globals().update(publish(globals(), __name__))


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())

"""Special functions under the names of torch.special: those of the engine, and some composed of them.

PyTorch: torch.special. Bessel functions, incomplete gamma functions and zeta are not there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import missing
from .autograd.graph import Operation
from .autograd.variable import Array, Operand, Variable
from .creation import scalar_tensor
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
    log_softmax,
    logit,
    logsumexp,
    round,
    sigmoid,
    sinc,
    softmax,
    where,
    xlogy,
)  # fmt: skip
from .ops.checks import require_tensor
from .ops.operands import promote, to_float
from .ops.rule import Rule
from .ops.special import Trigamma

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfinv", "exp2", "expit", "expm1", "gammaln", "log1p", "log_ndtr", "log_softmax",
    "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy",
]  # fmt: skip


def expit(input: Any) -> Any:
    """1 / (1 + e⁻ˣ). PyTorch: torch.special.expit."""
    return sigmoid(input)


def gammaln(input: Any) -> Any:
    """ln |Γ(x)|. PyTorch: torch.special.gammaln."""
    return lgamma(input)


def psi(input: Any) -> Any:
    """The derivative of ln Γ. PyTorch: torch.special.psi."""
    return digamma(input)


def polygamma(n: int, input: Any) -> Any:
    """The n-th derivative of digamma: n is 0 or 1. PyTorch: torch.special.polygamma."""
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"special_polygamma(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    require_tensor(input, "special_polygamma", "input", 2)
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if n > 1:
        raise NotImplementedError(f"polygamma: n={n} is not supported by minigrad; there are n=0 and n=1")
    return digamma(input) if n == 0 else Trigamma.apply(to_float(input))


def multigammaln(a: Any, p: int) -> Any:
    """ln Γₚ(a) = p (p - 1) / 4 · ln π + Σⱼ ln Γ(a - j / 2), j < p. PyTorch: torch.special.multigammaln."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    total: Any = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        total = total + lgamma(a + -j / 2)  # (-0 + 0 is 0, where the slope is -∞: as in PyTorch)
    return total


class Entr(Rule, out=lambda x: np.where(x > 0, -x * np.log(np.abs(x)), np.where(x == 0, 0, np.where(x < 0, -np.inf, x))).astype(x.dtype),
           dx=lambda grad, x: grad * (-log(x) - 1)):  # fmt: skip
    """out = -x ln x.  dx = -grad · (ln x + 1)"""

    grad_fn_name = "SpecialEntrBackward0"


def entr(input: Operand) -> Any:
    """-x ln x; 0 at 0, -inf below. PyTorch: torch.special.entr."""
    require_tensor(input, "special_entr")
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
        return grad * where((a == 0) & (b <= -1), 0.0, log1p(b)), grad * (a / (b + 1))


def xlog1py(input: Operand, other: Operand) -> Any:
    """input · ln(1 + other), 0 where input is 0. PyTorch: torch.special.xlog1py."""
    if not isinstance(input, Variable) and not isinstance(other, Variable):
        raise TypeError("special_xlog1py(): one of the arguments must be a Tensor")
    a, b = (x if isinstance(x, Variable) else scalar_tensor(x) for x in (input, other))
    a, b = promote(a, b)
    return Xlog1py.apply(to_float(a), to_float(b))


def ndtr(input: Operand) -> Any:
    """The probability that a standard normal variable is below x. PyTorch: torch.special.ndtr."""
    x = to_float(input)
    return where(x < -1, 0.5 * erfc(x * -math.sqrt(0.5)), 0.5 * (1 + erf(x * math.sqrt(0.5))))


def ndtri(input: Operand) -> Any:
    """The x below which a standard normal variable is with this probability. PyTorch: torch.special.ndtri."""
    return math.sqrt(2) * erfinv(2 * to_float(input) - 1)


def log_ndtr(input: Operand) -> Any:
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
        log(0.5 * erfc(near * -math.sqrt(0.5))),
        log1p(-0.5 * erfc(where(near < 0, 0.0, near) * math.sqrt(0.5))),
    )
    return where(far, below, above)


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())

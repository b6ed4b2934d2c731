"""Bessel functions of order 0 and 1, ordinary (J, Y) and modified (I, K); i0 with its gradient.

Near 0 by their power series, far off by Hankel's asymptotic ones, J and Y between by recurrence downwards (Miller), K by the
trapezoidal rule, which for its integral converges faster than any power. Accurate to about 1e-15 of their size.

Source: Abramowitz and Stegun 1964, chapter 9; L. Trefethen and J. Weideman, "The Exponentially Convergent Trapezoidal Rule" (2014).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.variable import Array, Operand, Variable, wrap
from ..public import public
from .arithmetic import sign
from .checks import refuse_type
from .choice import where
from .operands import to_float
from .rule import Rule

if TYPE_CHECKING:
    from ..tensor import Tensor

_EULER = 0.5772156649015329
_FAR = 25.0  # from here on the asymptotic series reach the last digit


def _series(z: Array, order: int, terms: int) -> Array:
    """Σ zᵏ / (k! (k + order)!)."""
    term, out = np.ones_like(z), np.ones_like(z)
    for k in range(1, terms):
        term = term * z / (k * (k + order))
        out = out + term
    return out


def _series_of_logarithm(z: Array, order: int, terms: int = 40) -> Array:
    """Σ (ψ(k + 1) + ψ(k + 1 + order)) zᵏ / (k! (k + order)!), the part of Y and K beside ln(x/2) times J or I."""
    term, first = np.ones_like(z), -2 * _EULER + order
    out = term * first
    for k in range(1, terms):
        term = term * z / (k * (k + order))
        first += 1 / k + 1 / (k + order)
        out = out + first * term
    return out


def _asymptotic(x: Array, order: int, signs: tuple[float, float]) -> tuple[Array, Array]:
    """Hankel's Σ over the even and over the odd terms of Π (4 order² - (2j - 1)²) / (j 8x), times powers of the two signs."""
    even, odd, term = np.ones_like(x), np.zeros_like(x), np.ones_like(x)
    for k in range(1, 32):
        term = term * ((4 * order * order - (2 * k - 1) ** 2) / (8 * k)) / x
        if k % 2:
            odd = odd + term * signs[1] ** (k // 2)
        else:
            even = even + term * signs[0] ** (k // 2)
    return even, odd


def scaled_i(x: Array, order: int) -> Array:
    """e^-|x| I(x)."""
    below, wide = x < 0, np.abs(np.asarray(x, np.float64))
    near = np.minimum(wide, _FAR)
    out = np.exp(-near) * _series(near * near / 4, order, 75) * (near / 2) ** order
    far = np.maximum(wide, _FAR)
    even, odd = _asymptotic(far, order, (1.0, 1.0))
    out = np.where(wide <= _FAR, out, (even - odd) / (math.sqrt(2 * math.pi) * np.sqrt(far)))
    out = np.where(np.isnan(wide), np.nan, out)
    return np.asarray(np.where(below, -out, out) if order else out, x.dtype)


def i(x: Array, order: int) -> Array:
    """I(x): e^|x| is taken in two halves, so that it overflows no sooner than the result."""
    wide = np.asarray(x, np.float64)
    half = np.exp(np.abs(wide) / 2)
    out = np.asarray(half * scaled_i(wide, order) * half)
    return np.asarray(np.where(np.isinf(wide), np.nan, out), x.dtype)


def scaled_k(x: Array, order: int) -> Array:
    """eˣ K(x) = ∫ from 0 of e^(-x (cosh t - 1)) cosh(order t) dt; nan below 0."""
    wide = np.asarray(x, np.float64)
    near = np.where(wide < 1, np.where(wide > 0, wide, 1.0), 1.0)
    z, log = near * near / 4, np.log(near / 2)
    rest = _series_of_logarithm(z, order) / 2 * (near / 2) ** order
    own = _series(z, order, 40) * (near / 2) ** order
    below = np.exp(near) * (1 / near + log * own - rest if order else rest - log * own)
    far = np.where(wide >= 1, wide, 1.0)
    step = np.arccosh(1 + 42 / far) / 40
    above = np.full_like(far, 0.5)
    for j in range(1, 41):
        t = step * j
        above = above + np.exp(-2 * far * np.sinh(t / 2) ** 2) * (np.cosh(t) if order else 1.0)
    out = np.where(wide < 1, below, above * step)
    out = np.where(wide == 0, np.inf, np.where(wide > 0, np.where(np.isinf(wide), 0.0, out), np.nan))
    return np.asarray(out, x.dtype)


def k(x: Array, order: int) -> Array:
    """K(x)."""
    wide = np.asarray(x, np.float64)
    scaled = scaled_k(wide, order)
    return np.asarray(scaled * np.exp(-np.maximum(wide, 0)), x.dtype)


def _recurrence(x: Array) -> list[Array]:
    """J of order 0 to 79 for 2 ≤ x ≤ 25: 2k/x J(k) - J(k + 1) = J(k - 1) from above, and J(0) + 2 J(2) + 2 J(4) + ... = 1."""
    found = [np.zeros_like(x), np.full_like(x, 1e-200)]
    for order in range(79, 0, -1):
        found.append(2 * order / x * found[-1] - found[-2])
    found = found[:0:-1]
    whole = found[0] + 2 * sum(found[2::2])
    return [f / whole for f in found]


def _waves(x: Array, order: int) -> tuple[Array, Array]:
    """J and Y for x ≥ 25."""
    P, Q = _asymptotic(x, order, (-1.0, -1.0))
    turn = x - (order / 2 + 0.25) * math.pi
    size = np.sqrt(2 / (math.pi * x))
    return size * (P * np.cos(turn) - Q * np.sin(turn)), size * (P * np.sin(turn) + Q * np.cos(turn))


def j(x: Array, order: int) -> Array:
    """J(x)."""
    wide = np.abs(np.asarray(x, np.float64))
    small = np.minimum(wide, 2.0)
    out = _series(-small * small / 4, order, 20) * (small / 2) ** order
    out = np.where(wide <= 2, out, _recurrence(np.clip(wide, 2.0, _FAR))[order])
    out = np.where(wide <= _FAR, out, _waves(np.maximum(wide, _FAR), order)[0])
    out = np.where(np.isfinite(wide), out, np.nan)
    return np.asarray(out * np.where(np.signbit(x), -1.0, 1.0) if order else out, x.dtype)


def y(x: Array, order: int) -> Array:
    """Y(x): -inf at 0, nan below."""
    wide = np.asarray(x, np.float64)
    small = np.where((wide > 0) & (wide < 2), wide, 2.0)
    z, half = -small * small / 4, (small / 2) ** order
    own = _series(z, order, 20) * half
    near = (2 * np.log(small / 2) * own - _series_of_logarithm(z, order, 20) * half - order * 2 / small) / math.pi
    middle = np.clip(wide, 2.0, _FAR)
    J, log = _recurrence(middle), np.log(middle / 2) + _EULER
    if order:  # the derivative of the series for Y₀, with its sign turned
        rest = sum((-1) ** n * (J[2 * n - 1] - J[2 * n + 1]) / n for n in range(1, 38))
        between = 2 / math.pi * (log * J[1] - J[0] / middle + rest)
    else:
        between = 2 / math.pi * (log * J[0] - 2 * sum((-1) ** n * J[2 * n] / n for n in range(1, 38)))
    out = np.where(wide < 2, near, np.where(wide <= _FAR, between, _waves(np.maximum(wide, _FAR), order)[1]))
    out = np.where((wide > 0) & np.isfinite(wide), out, np.where(wide == 0, -np.inf, np.nan))
    return np.asarray(out, x.dtype)


# -- with gradients


class I0(Rule, out=lambda x: i(x, 0), dx=lambda grad, x: grad * I1.apply(x)):
    """out = I₀(x).  dx = grad · I₁(x)"""


@public
def i0(input: Operand) -> Tensor:
    """The modified Bessel function of order 0. PyTorch: torch.i0."""
    return I0.apply(to_float(input))


def _by(x: Any, value: Any, kernel: str) -> Any:
    """value / x, and 1/2 at 0, where the values are I₁ and its kin. kernel: PyTorch's, which is not there for halves."""
    refuse_type(kernel, np.float16, x if isinstance(x, Variable) else wrap(x))
    return where(x == 0, 0.5, value / where(x == 0, 1.0, x))


class I1(Rule, out=lambda x: i(x, 1), dx=lambda grad, x: grad * (I0.apply(x) - _by(x, I1.apply(x), "i1_backward"))):
    """out = I₁(x).  dx = grad · (I₀(x) - I₁(x) / x)"""

    grad_fn_name = "SpecialI1Backward0"


class I0e(Rule, out=lambda x: scaled_i(x, 0), dx=lambda grad, x: grad * (I1e.apply(x) - sign(x) * I0e.apply(x))):
    """out = e^-|x| I₀(x).  dx = grad · (e^-|x| I₁(x) - sign x · out)"""

    grad_fn_name = "SpecialI0EBackward0"


class I1e(
    Rule,
    out=lambda x: scaled_i(x, 1),
    dx=lambda grad, x: grad * (I0e.apply(x) - sign(x) * I1e.apply(x) - _by(x, I1e.apply(x), "i1e_backward")),
):
    """out = e^-|x| I₁(x).  dx = grad · (e^-|x| I₀(x) - out · (sign x + 1 / x))"""

    grad_fn_name = "SpecialI1EBackward0"

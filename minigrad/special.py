"""Special functions under the names of torch.special: those of the engine, and some composed of them.

Bessel functions of which torch.special takes no gradient have none here: what they give requires no grad. `polynomials.py` has
the orthogonal polynomials. PyTorch: torch.special.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import missing, ops
from .autograd.graph import Operation
from .autograd.variable import Array, Operand, Variable, wrap
from .dtypes import dtype as Dtype
from .ops import (
    approximations,
    bessel,
    digamma,
    erf,
    erfc,
    erfinv,
    exp2,
    expm1,
    gamma_values,
    igamma,
    igammac,
    lgamma,
    log,
    log1p,
    logit,
    logsumexp,
    mvlgamma,
    sigmoid,
    sinc,
    softmax,
    where,
    xlogy,
)  # fmt: skip
from .ops import i0 as _i0
from .ops import log_softmax as _log_softmax
from .ops import polygamma as _polygamma
from .ops import round as _round
from .ops.checks import refuse_type, require_tensor
from .ops.operands import Number, broadcast, number_like, promote, to_float
from .ops.rule import Rule
from .polynomials import (
    chebyshev_polynomial_t,
    chebyshev_polynomial_u,
    chebyshev_polynomial_v,
    chebyshev_polynomial_w,
    hermite_polynomial_h,
    hermite_polynomial_he,
    laguerre_polynomial_l,
    legendre_polynomial_p,
    shifted_chebyshev_polynomial_t,
    shifted_chebyshev_polynomial_u,
    shifted_chebyshev_polynomial_v,
    shifted_chebyshev_polynomial_w,
)  # fmt: skip
from .public import tensors
from .quiet import quiet
from .signature import publish

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_polynomial_t", "chebyshev_polynomial_u",
    "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2",
    "expit", "expm1", "gammainc", "gammaincc", "gammaln", "hermite_polynomial_h", "hermite_polynomial_he", "i0", "i0e",
    "i1", "i1e", "laguerre_polynomial_l", "legendre_polynomial_p", "log1p", "log_ndtr", "log_softmax", "logit",
    "logsumexp", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1",
    "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1", "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "sinc", "softmax", "spherical_bessel_j0",
    "xlog1py", "xlogy", "zeta",
]  # fmt: skip


def expit(input: Tensor) -> Tensor:
    """1 / (1 + e⁻ˣ). PyTorch: torch.special.expit."""
    return sigmoid(input)


def gammaln(input: Tensor) -> Tensor:
    """ln |Γ(x)|. PyTorch: torch.special.gammaln."""
    return lgamma(input)


def psi(input: Tensor) -> Tensor:
    """The derivative of ln Γ. PyTorch: torch.special.psi."""
    return ops.digamma(input)


def polygamma(n: int, input: Tensor) -> Any:
    """The n-th derivative of digamma. PyTorch: torch.special.polygamma."""
    return _polygamma(n, input)


def multigammaln(a: Tensor, p: int) -> Any:
    """ln Γₚ(a) = p (p - 1) / 4 · ln π + Σⱼ ln Γ(a - j / 2), j < p. PyTorch: torch.special.multigammaln."""
    return mvlgamma(a, p)


def gammainc(input: Tensor, other: Tensor) -> Any:
    """The regularized lower incomplete gamma function. PyTorch: torch.special.gammainc."""
    for x, name, place in ((input, "input", 1), (other, "other", 2)):
        require_tensor(x, "special_gammainc", name, place)
    return igamma(input, other)


def gammaincc(input: Tensor, other: Tensor) -> Any:
    """1 - gammainc. PyTorch: torch.special.gammaincc."""
    for x, name, place in ((input, "input", 1), (other, "other", 2)):
        require_tensor(x, "special_gammaincc", name, place)
    return igammac(input, other)


class Zeta(Operation):
    """out = Σ (q + k)⁻ˢ, k ≥ 0.  dq = -grad · s ζ(s + 1, q); ds is refused, as by PyTorch"""

    grad_fn_name = "SpecialZetaBackward0"

    @staticmethod
    def forward(ctx: Any, s: Array, q: Array) -> Array:
        ctx.save_for_backward(s, q)
        return gamma_values.zeta(s, q)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        s, q = ctx.saved_tensors
        if ctx.needs_input_grad[0]:
            raise NotImplementedError("the derivative for 'zeta' is not implemented.")
        return None, grad * -s * Zeta.apply(s + 1, q)


def zeta(input: Tensor | Number, other: Tensor | Number) -> Any:
    """Hurwitz' ζ: Σ (other + k)^-input. PyTorch: torch.special.zeta."""
    refuse_type("zeta_cpu", np.float16, input, other)
    return Zeta.apply(*_two("zeta", input, other))


class Erfcx(
    Rule, out=approximations.erfcx, dx=lambda grad, x: grad * (2 * x * Erfcx.apply(x) - 2 / math.sqrt(math.pi))
):
    """out = e^(x²) erfc(x).  dx = grad · (2x out - 2/√π)"""

    grad_fn_name = "SpecialErfcxBackward0"


def erfcx(input: Tensor) -> Any:
    """e^(x²) erfc(x), which is 1/(x √π) where erfc has long been 0. PyTorch: torch.special.erfcx."""
    require_tensor(input, "special_erfcx")
    refuse_type("erfcx_cpu", np.float16, input)
    return Erfcx.apply(to_float(input))


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
    return Xlog1py.apply(*_two("xlog1py", input, other))


def _two(name: str, input: Any, other: Any) -> tuple[Any, Any]:
    """Two tensors, or a tensor and a number, as floats of one type."""
    if not isinstance(input, Variable) and not isinstance(other, Variable):
        raise TypeError(f"special_{name}(): one of the arguments must be a Tensor")
    a, b = (x if isinstance(x, Variable) else number_like(x, input, other) for x in (input, other))
    a, b = promote(a, b)
    broadcast(a.array.shape, b.array.shape)
    return to_float(a), to_float(b)


def _no_halves(function: Any) -> Any:
    """PyTorch has no form of these for 16 bits."""

    @functools.wraps(function)
    def checked(input: Tensor) -> Tensor:
        refuse_type(f"{function.__name__}_cpu", np.float16, input)
        return function(input)

    return checked


def ndtr(input: Tensor) -> Tensor:
    """The probability that a standard normal variable is below x. PyTorch: torch.special.ndtr."""
    x = to_float(input)
    return where(x < -1, 0.5 * ops.erfc(x * -math.sqrt(0.5)), 0.5 * (1 + ops.erf(x * math.sqrt(0.5))))


class Ndtri(
    Rule,
    out=approximations.ndtri,
    dx=lambda grad, out: grad * (math.sqrt(2 * math.pi) * ops.exp(0.5 * out**2)),
):
    """out = the z with ndtr(z) = x.  dx = grad · √(2π) · e^(out² / 2)"""

    grad_fn_name = "SpecialNdtriBackward0"


@_no_halves
def ndtri(input: Tensor) -> Tensor:
    """The x below which a standard normal variable is with this probability. PyTorch: torch.special.ndtri."""
    return Ndtri.apply(to_float(input))


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


# -- Bessel functions


def i0(input: Operand) -> Any:
    """The modified Bessel function of order 0. PyTorch: torch.special.i0."""
    return _i0(input)


def i0e(input: Operand) -> Any:
    """e^-|x| times i0. PyTorch: torch.special.i0e."""
    require_tensor(input, "special_i0e")
    return bessel.I0e.apply(to_float(input))


def i1(input: Operand) -> Any:
    """The modified Bessel function of order 1. PyTorch: torch.special.i1."""
    require_tensor(input, "special_i1")
    return bessel.I1.apply(to_float(input))


def i1e(input: Operand) -> Any:
    """e^-|x| times i1. PyTorch: torch.special.i1e."""
    require_tensor(input, "special_i1e")
    return bessel.I1e.apply(to_float(input))


def _values(name: str, says: str, values: Callable[[Array], Array], argument: str = "input") -> Callable[[Any], Any]:
    """A function without a gradient, as in PyTorch, which calls the argument so."""

    @quiet
    def of_input(input: Operand) -> Any:
        require_tensor(input, f"special_{name}", argument)
        refuse_type(f"{name}_cpu", np.float16, input)
        return wrap(values(to_float(input).array))

    def of_x(x: Operand) -> Any:
        return of_input(x)

    function = of_x if argument == "x" else of_input
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{says}. Without a gradient. PyTorch: torch.special.{name}."
    return function


bessel_j0 = _values("bessel_j0", "The Bessel function of the first kind of order 0", lambda x: bessel.j(x, 0))
bessel_j1 = _values("bessel_j1", "The Bessel function of the first kind of order 1", lambda x: bessel.j(x, 1))
bessel_y0 = _values("bessel_y0", "The Bessel function of the second kind of order 0", lambda x: bessel.y(x, 0))
bessel_y1 = _values("bessel_y1", "The Bessel function of the second kind of order 1", lambda x: bessel.y(x, 1))
modified_bessel_i0 = _values("modified_bessel_i0", "i0", lambda x: bessel.i(x, 0))
modified_bessel_i1 = _values("modified_bessel_i1", "i1", lambda x: bessel.i(x, 1))
modified_bessel_k0 = _values(
    "modified_bessel_k0", "The modified Bessel function of the second kind of order 0", lambda x: bessel.k(x, 0)
)
modified_bessel_k1 = _values(
    "modified_bessel_k1", "The modified Bessel function of the second kind of order 1", lambda x: bessel.k(x, 1)
)
scaled_modified_bessel_k0 = _values("scaled_modified_bessel_k0", "eˣ times K₀", lambda x: bessel.scaled_k(x, 0), "x")
scaled_modified_bessel_k1 = _values("scaled_modified_bessel_k1", "eˣ times K₁", lambda x: bessel.scaled_k(x, 1), "x")
spherical_bessel_j0 = _values(
    "spherical_bessel_j0", "sin x / x", lambda x: np.where(np.isinf(x), 0, np.sinc(x / np.pi)).astype(x.dtype), "x"
)


globals().update(publish(globals(), __name__))  # what a program gets reads its arguments


def __getattr__(name: str) -> object:
    raise missing.error(__name__, name, globals())

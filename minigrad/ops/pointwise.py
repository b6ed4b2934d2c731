"""Mathematical functions of one element: exp, log, roots, trigonometry, and their like."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..autograd.graph import Operation
from ..autograd.variable import Array, Variable, wrap
from ..public import public
from . import special
from .arithmetic import abs, broadcast_error, cast, clamp, pow, promote, to_float, where

if TYPE_CHECKING:
    from ..tensor import Tensor


class Clone(Operation):
    """out = x, copied.  dx = grad"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return x.copy()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad


class Exp(Operation):
    """out = eˣ.  dx = grad · out"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = np.exp(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return grad * out


class Log(Operation):
    """out = ln x.  dx = grad / x"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.log(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad / x


class Sqrt(Operation):
    """out = √x.  dx = grad / (2 · out), inf at 0"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = np.sqrt(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return grad / (2 * out)


class Exp2(Operation):
    """out = 2ˣ.  dx = grad · out · ln 2"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = np.exp2(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return grad * (out * math.log(2))


class Expm1(Operation):
    """out = eˣ - 1.  dx = grad · (out + 1)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = np.expm1(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return grad * (out + 1)


class Log2(Operation):
    """out = log₂ x.  dx = grad / (x ln 2)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.log2(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad / (x * math.log(2))


class Log10(Operation):
    """out = log₁₀ x.  dx = grad / (x ln 10)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.log10(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad / (x * math.log(10))


class Log1p(Operation):
    """out = ln(1 + x).  dx = grad / (1 + x)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.log1p(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad / (x + 1)


class Rsqrt(Operation):
    """out = 1 / √x.  dx = -grad · out³ / 2"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = 1 / np.sqrt(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return -0.5 * grad * (out * out * out)


class Reciprocal(Operation):
    """out = 1 / x.  dx = -grad · out²"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = np.reciprocal(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return -grad * (out * out)


class Sin(Operation):
    """out = sin x.  dx = grad · cos x"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.sin(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * cos(x)


class Cos(Operation):
    """out = cos x.  dx = -grad · sin x"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.cos(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return -grad * sin(x)


class Tan(Operation):
    """out = tan x.  dx = grad · (1 + out²)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = np.tan(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return grad * (1 + out * out)


class Asin(Operation):
    """out = arcsin x.  dx = grad / √(1 - x²)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.arcsin(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * rsqrt(1 - x * x)


class Acos(Operation):
    """out = arccos x.  dx = -grad / √(1 - x²)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.arccos(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return -grad * rsqrt(1 - x * x)


class Atan(Operation):
    """out = arctan x.  dx = grad / (1 + x²)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.arctan(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad / (1 + x * x)


class Sinh(Operation):
    """out = sinh x.  dx = grad · cosh x"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.sinh(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * cosh(x)


class Cosh(Operation):
    """out = cosh x.  dx = grad · sinh x"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.cosh(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * sinh(x)


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


class Asinh(Operation):
    """out = arsinh x.  dx = grad / √(x² + 1)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.arcsinh(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * rsqrt(x * x + 1)


class Acosh(Operation):
    """out = arcosh x.  dx = grad / √(x² - 1)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.arccosh(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * rsqrt(x * x - 1)


class Atanh(Operation):
    """out = artanh x.  dx = grad / (1 - x²)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.arctanh(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad / (1 - x * x)


class Sigmoid(Operation):
    """out = 1 / (1 + e⁻ˣ).  dx = grad · out · (1 - out)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = logistic(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return grad * (out * (1 - out))


class Erf(Operation):
    """out = 2/√π ∫₀ˣ e^(-t²) dt.  dx = grad · 2/√π · e^(-x²)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return special.erf(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * (2 / math.sqrt(math.pi) * exp(-(x * x)))


class Erfc(Operation):
    """out = 1 - erf x.  dx = -grad · 2/√π · e^(-x²)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return special.erfc(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * (-2 / math.sqrt(math.pi) * exp(-(x * x)))


class Erfinv(Operation):
    """out = the y with erf(y) = x.  dx = grad · √π/2 · e^(out²)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        out = special.erfinv(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (out,) = ctx.saved_tensors
        return grad * (math.sqrt(math.pi) / 2 * exp(out * out))


class Lgamma(Operation):
    """out = ln |Γ(x)|.  dx = grad · ψ(x)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return special.lgamma(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * digamma(x)


def logistic(x: Array) -> Array:
    """1 / (1 + e⁻ˣ): where e⁻ˣ overflows to inf, this is 0, as it should be."""
    out = np.asarray(np.exp(-x))
    out += 1
    return np.reciprocal(out, out=out)


@public
def clone(input: Any, *, memory_format: Any = None) -> Tensor:
    """A copy in memory of its own. PyTorch: torch.clone."""
    return Clone.apply(input)


@public
def exp(input: Any) -> Tensor:
    """eˣ. PyTorch: torch.exp."""
    return Exp.apply(to_float(input))


@public
def log(input: Any) -> Tensor:
    """The natural logarithm: -inf at 0, nan below. PyTorch: torch.log."""
    return Log.apply(to_float(input))


@public
def sqrt(input: Any) -> Tensor:
    """√input, nan below 0. PyTorch: torch.sqrt."""
    return Sqrt.apply(to_float(input))


@public
def exp2(input: Any) -> Tensor:
    """2 to the power of input. PyTorch: torch.exp2."""
    return Exp2.apply(to_float(input))


@public
def expm1(input: Any) -> Tensor:
    """eˣ - 1, accurate near 0. PyTorch: torch.expm1."""
    return Expm1.apply(to_float(input))


@public
def log2(input: Any) -> Tensor:
    """The logarithm to base 2. PyTorch: torch.log2."""
    return Log2.apply(to_float(input))


@public
def log10(input: Any) -> Tensor:
    """The logarithm to base 10. PyTorch: torch.log10."""
    return Log10.apply(to_float(input))


@public
def log1p(input: Any) -> Tensor:
    """ln(1 + input), accurate near 0. PyTorch: torch.log1p."""
    return Log1p.apply(to_float(input))


@public
def rsqrt(input: Any) -> Tensor:
    """1 / √input. PyTorch: torch.rsqrt."""
    return Rsqrt.apply(to_float(input))


@public
def reciprocal(input: Any) -> Tensor:
    """1 / input. PyTorch: torch.reciprocal."""
    return Reciprocal.apply(to_float(input))


@public
def sin(input: Any) -> Tensor:
    """The sine of radians. PyTorch: torch.sin."""
    return Sin.apply(to_float(input))


@public
def cos(input: Any) -> Tensor:
    """The cosine of radians. PyTorch: torch.cos."""
    return Cos.apply(to_float(input))


@public
def tan(input: Any) -> Tensor:
    """The tangent of radians. PyTorch: torch.tan."""
    return Tan.apply(to_float(input))


@public(also="arcsin")
def asin(input: Any) -> Tensor:
    """The angle whose sine is input. PyTorch: torch.asin."""
    return Asin.apply(to_float(input))


@public(also="arccos")
def acos(input: Any) -> Tensor:
    """The angle whose cosine is input. PyTorch: torch.acos."""
    return Acos.apply(to_float(input))


@public(also="arctan")
def atan(input: Any) -> Tensor:
    """The angle whose tangent is input. PyTorch: torch.atan."""
    return Atan.apply(to_float(input))


@public
def sinh(input: Any) -> Tensor:
    """The hyperbolic sine. PyTorch: torch.sinh."""
    return Sinh.apply(to_float(input))


@public
def cosh(input: Any) -> Tensor:
    """The hyperbolic cosine. PyTorch: torch.cosh."""
    return Cosh.apply(to_float(input))


@public("minigrad", "functional")
def tanh(input: Any) -> Tensor:
    """The hyperbolic tangent. PyTorch: torch.tanh."""
    return Tanh.apply(to_float(input))


@public(also="arcsinh")
def asinh(input: Any) -> Tensor:
    """The inverse of sinh. PyTorch: torch.asinh."""
    return Asinh.apply(to_float(input))


@public(also="arccosh")
def acosh(input: Any) -> Tensor:
    """The inverse of cosh. PyTorch: torch.acosh."""
    return Acosh.apply(to_float(input))


@public(also="arctanh")
def atanh(input: Any) -> Tensor:
    """The inverse of tanh. PyTorch: torch.atanh."""
    return Atanh.apply(to_float(input))


@public("minigrad", "functional")
def sigmoid(input: Any) -> Tensor:
    """1 / (1 + e⁻ˣ), between 0 and 1. PyTorch: torch.sigmoid."""
    return Sigmoid.apply(to_float(input))


@public
def erf(input: Any) -> Tensor:
    """The error function. PyTorch: torch.erf."""
    return Erf.apply(to_float(input))


@public
def erfc(input: Any) -> Tensor:
    """1 - erf(input), accurate where erf is near 1. PyTorch: torch.erfc."""
    return Erfc.apply(to_float(input))


@public
def erfinv(input: Any) -> Tensor:
    """The inverse of erf: ±inf at ±1, nan beyond. PyTorch: torch.erfinv."""
    return Erfinv.apply(to_float(input))


@public
def lgamma(input: Any) -> Tensor:
    """The logarithm of the gamma function. PyTorch: torch.lgamma."""
    return Lgamma.apply(to_float(input))


class Digamma(Operation):
    """out = ψ(x), the derivative of ln Γ.  dx = grad · ψ'(x)"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return special.digamma(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * Trigamma.apply(x)


class Trigamma(Operation):
    """out = ψ'(x). It has no gradient in minigrad: PyTorch's is the next polygamma function"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        return special.trigamma(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        raise NotImplementedError("lgamma has no third derivative in minigrad, nor digamma a second")


@public
def digamma(input: Any) -> Tensor:
    """The derivative of lgamma. PyTorch: torch.digamma."""
    return Digamma.apply(to_float(input))


class Logit(Operation):
    """out = ln(x / (1 - x)).  dx = grad / (x (1 - x)), nan outside [0, 1]"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return np.log(x / (1 - x))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return where((x < 0) | (x > 1), math.nan, grad / (x * (1 - x)))


@public
def logit(input: Any, eps: float | None = None) -> Tensor:
    """ln(x / (1 - x)), the inverse of sigmoid; with eps, x is held within [eps, 1 - eps]. PyTorch: torch.logit."""
    x = to_float(input)
    if eps is not None:
        x = clamp(x, eps, 1 - eps)
    return Logit.apply(x)


# -- of two elements


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


class Hypot(Operation):
    """out = √(a² + b²).  da = grad · a / out, db = grad · b / out"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        out = np.hypot(a, b)
        ctx.save_for_backward(a, b, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b, out = ctx.saved_tensors
        return grad * (a / out), grad * (b / out)


class LogAddExp(Operation):
    """out = ln(eᵃ + eᵇ).  da = grad · σ(a - b), db = grad · σ(b - a)

    e^(a - out) would be the same with the rounding of out in it, which is large where a is.
    """

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.logaddexp(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        return grad * sigmoid(a - b), grad * sigmoid(b - a)


def _pair(op: type[Operation], a: Any, b: Any) -> Any:
    a, b = promote(a, b)
    a, b = (to_float(x) if isinstance(x, Variable) else x for x in (a, b))
    try:
        return op.apply(a, b)
    except ValueError:
        raise broadcast_error(a, b) from None


@public(also="arctan2")
def atan2(input: Any, other: Any) -> Tensor:
    """The angle of the point (other, input). PyTorch: torch.atan2."""
    return _pair(Atan2, input, other)


@public
def hypot(input: Any, other: Any) -> Tensor:
    """√(input² + other²). PyTorch: torch.hypot."""
    return _pair(Hypot, input, other)


@public
def logaddexp(input: Any, other: Any) -> Tensor:
    """ln(eᵃ + eᵇ) without overflow. PyTorch: torch.logaddexp."""
    return _pair(LogAddExp, input, other)


class Xlogy(Operation):
    """out = a · ln b, 0 where a is 0.  da = grad · ln b (0 where a = 0 and b ≤ 0), db = grad · a / b"""

    @staticmethod
    def forward(ctx: Any, a: Array, b: Array) -> Array:
        ctx.save_for_backward(a, b)
        return np.where((a == 0) & ~np.isnan(b), np.zeros((), a.dtype), a * np.log(b))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        a, b = ctx.saved_tensors
        return grad * where((a == 0) & (b <= 0), 0.0, log(b)), grad * (a / b)


@public
def xlogy(input: Any, other: Any) -> Tensor:
    """input · ln(other), 0 where input is 0. PyTorch: torch.xlogy."""
    a, b = (
        x if isinstance(x, Variable) else wrap(np.asarray(float(x), dtypes.default_numpy())) for x in (input, other)
    )
    a, b = promote(a, b)
    return Xlogy.apply(to_float(a), to_float(b))


@public
def copysign(input: Any, other: Any) -> Tensor:
    """|input| with the sign of other. PyTorch: torch.copysign."""
    signs = np.sign(np.copysign(1.0, getattr(other, "array", other)))
    x = to_float(input)
    return abs(x) * wrap(np.asarray(signs, x.array.dtype))


@public
def heaviside(input: Any, values: Any) -> Tensor:
    """0 below 0, 1 above, `values` at 0. No gradient. PyTorch: torch.heaviside."""
    return wrap(np.where(input.array == 0, values.array, input.array > 0).astype(input.array.dtype))  # 0 at nan


@public
def float_power(input: Any, exponent: Any) -> Tensor:
    """input ** exponent in float64. PyTorch: torch.float_power."""
    d = np.dtype(np.float64)
    return pow(*(cast(x, d) if isinstance(x, Variable) else x for x in (input, exponent)))


# -- of three


@public
def lerp(input: Any, end: Any, weight: Any) -> Tensor:
    """input + weight · (end - input). PyTorch: torch.lerp."""
    return input + weight * (end - input)


@public
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
    """input + value · tensor1 · tensor2. PyTorch: torch.addcmul."""
    product = tensor1 * tensor2
    return input + (product if value == 1 else value * product)


@public
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
    """input + value · tensor1 / tensor2. PyTorch: torch.addcdiv."""
    quotient = tensor1 / tensor2
    return input + (quotient if value == 1 else value * quotient)


# -- units, holes


@public
def rad2deg(input: Any) -> Tensor:
    """Radians to degrees. PyTorch: torch.rad2deg."""
    return to_float(input) * (180.0 / math.pi)


@public
def deg2rad(input: Any) -> Tensor:
    """Degrees to radians. PyTorch: torch.deg2rad."""
    return to_float(input) * (math.pi / 180.0)


class NanToNum(Operation):
    """out = x with nan and ±inf replaced.  dx = grad where x is finite, else 0"""

    @staticmethod
    def forward(ctx: Any, x: Array, nan: float, posinf: float | None, neginf: float | None) -> Array:
        ctx.finite = np.isfinite(x)
        return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        finite = ctx.finite if isinstance(grad, np.ndarray | np.generic) else wrap(ctx.finite)
        return where(finite, grad, 0.0), None, None, None


@public
def nan_to_num(
    input: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """nan as 0, ±inf as the largest finite values, or as given. PyTorch: torch.nan_to_num."""
    return NanToNum.apply(input, nan or 0.0, posinf, neginf)


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
def sinc(input: Any) -> Tensor:
    """sin(πx) / (πx), 1 at 0. PyTorch: torch.sinc."""
    return Sinc.apply(to_float(input))


# -- other names for the same

"""Operations that compute element by element, as NumPy. What stands here is explained in ../written.py."""

from __future__ import annotations

import math

from ...autograd.fused import Alias
from ...ops.activation import Celu, Elu, Gelu, Glu, LogSigmoid, Mish, Silu, Softplus
from ...ops.arithmetic import Abs, Add, Clone, Div, Fmod, Lerp, Mul, Remainder, Sign, Sub
from ...ops.choice import Clamp, ClampTensors, Copysign, Fmax, Fmin, Maximum, Minimum, NanToNum, Where
from ...ops.distances import AtLeast
from ...ops.dropout import Dropout
from ...ops.exponential import Exp2, Log2, Log10, LogAddExp, Logit, Xlogy
from ...ops.operands import Cast
from ...ops.piecewise import (
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyRelu,
    PreluKernel,
    Softshrink,
    Threshold,
)
from ...ops.power import Pow, Rsqrt
from ...ops.rounding import Ceil, Floor, Trunc
from ...ops.special import Erf, Erfc, PlainErf
from ...ops.trigonometry import (
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atan2,
    Atanh,
    Cosh,
    Hypot,
    Sinc,
    Sinh,
    Tan,
)
from ..emit import RULES
from ..program import Var
from ..written import Both, Call, NoText, by_settings, text

# -- of one element: the function, and its slope times the gradient

for _cls, _forward, _backward in RULES:
    text(_cls, f"out = {_forward}", f"dx = {_backward}")
text(Abs, "out = np.abs(x)", "dx = g * np.sign(x)")
text(Sign, "out = np.sign(x)", "dx = np.zeros_like(g)")
text(Floor, "out = np.floor(x)", "dx = np.zeros_like(g)")
text(Ceil, "out = np.ceil(x)", "dx = np.zeros_like(g)")
text(Trunc, "out = np.trunc(x)", "dx = np.zeros_like(g)")
text(Exp2, "out = np.exp2(x)", f"dx = g * (out * {math.log(2)!r})  # ln 2")
text(Log2, "out = np.log2(x)", f"dx = g / (x * {math.log(2)!r})  # ln 2")
text(Log10, "out = np.log10(x)", f"dx = g / (x * {math.log(10)!r})  # ln 10")
text(Logit, "out = np.log(x / (1 - x))", "dx = np.where((x < 0) | (x > 1), np.nan, g / (x * (1 - x)))")
text(Rsqrt, "out = 1 / np.sqrt(x)", "dx = -0.5 * g * (out * out * out)")
text(Tan, "out = np.tan(x)", "dx = g * (1 + out * out)")
text(Asin, "out = np.arcsin(x)", "dx = g / np.sqrt(1 - x * x)")
text(Acos, "out = np.arccos(x)", "dx = -g / np.sqrt(1 - x * x)")
text(Atan, "out = np.arctan(x)", "dx = g / (1 + x * x)")
text(Sinh, "out = np.sinh(x)", "dx = g * np.cosh(x)")
text(Cosh, "out = np.cosh(x)", "dx = g * np.sinh(x)")
text(Asinh, "out = np.arcsinh(x)", "dx = g / np.sqrt(x * x + 1)")
text(Acosh, "out = np.arccosh(x)", "dx = g / np.sqrt(x * x - 1)")
text(Atanh, "out = np.arctanh(x)", "dx = g / (1 - x * x)")
text(
    Sinc,
    "out = np.sinc(x)",
    """
    angle = np.pi * x
    dx = np.where(x == 0, 0, g * (np.cos(angle) * angle - np.sin(angle)) / (angle * np.where(x == 0, 1, x)))""",
)
text((Erf, PlainErf), "out = erf(x)", "dx = g * (2 / np.pi**0.5 * np.exp(-x * x))")
text(Erfc, "out = 1 - erf(x)", "dx = -g * (2 / np.pi**0.5 * np.exp(-x * x))")
text(NanToNum, "out = np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)", "dx = np.where(np.isfinite(x), g, 0)")
text((Alias,), "out = x[...]", "dx = g")
text(Cast, "out = x.astype(d)", "dx = g")
text(Clone, "out = x.copy()", "dx = g")
text(Dropout, "out = x * noise", "dx = g * noise")

# -- of two and three

text(Add, "out = a + b", "da = g\ndb = g")
text(Sub, "out = a - b", "da = g\ndb = -g")
text(Mul, "out = a * b", "da = g * b\ndb = g * a")
text(Div, "out = a / b", "da = g / b\ndb = -g * (a / b / b)")
text(Maximum, "out = np.maximum(a, b)", """
    half = np.where(a == b, g / 2, g)  # at a tie half to each
    da = np.where(a < b, 0, half)
    db = np.where(a > b, 0, half)""")  # fmt: skip
text(Minimum, "out = np.minimum(a, b)", """
    half = np.where(a == b, g / 2, g)  # at a tie half to each
    da = np.where(a > b, 0, half)
    db = np.where(a < b, 0, half)""")  # fmt: skip
text(Fmax, "out = np.fmax(a, b)", """
    first = (a >= b) | np.isnan(b)
    da = np.where(first, g, 0)
    db = np.where(first, 0, g)""")  # fmt: skip
text(Fmin, "out = np.fmin(a, b)", """
    first = (a <= b) | np.isnan(b)
    da = np.where(first, g, 0)
    db = np.where(first, 0, g)""")  # fmt: skip
text(Where, "out = np.where(condition, a, b)", "da = np.where(condition, g, 0)\ndb = np.where(condition, 0, g)")
text(Atan2, "out = np.arctan2(a, b)", "scale = g / (a * a + b * b)\nda = scale * b\ndb = -scale * a")
text(Hypot, "out = np.hypot(a, b)", "da = g * (a / out)\ndb = g * (b / out)")
text(LogAddExp, "out = np.logaddexp(a, b)", "da = g / (1 + np.exp(b - a))\ndb = g / (1 + np.exp(a - b))")
text(
    Xlogy,
    "out = np.where((a == 0) & ~np.isnan(b), 0, a * np.log(b))",
    "da = np.where((a == 0) & (b <= 0), 0, g * np.log(b))\ndb = g * (a / b)",
)
text(Remainder, "out = np.remainder(a, b)", "da = g\ndb = -g * np.floor(a / b)")
text(Fmod, "out = np.fmod(a, b)", "da = g\ndb = -g * np.trunc(a / b)")
text(Copysign, "out = np.copysign(a, b)", "da = g * np.where(a == 0, 0, np.sign(a * out))\ndb = np.zeros_like(out)")
text(
    Lerp,
    "difference = b - a\nout = np.where(np.abs(w) < 0.5, a + w * difference, b - difference * (1 - w))",
    "da = g * (1 - w)\ndb = g * w\ndw = g * difference",
)


@by_settings(Pow)
def _pow(c: Call) -> Both:
    if not isinstance(c.a, Var):
        if c.a <= 0:
            raise NoText
        return "out = np.power(a, b)", f"db = g * (out * {math.log(c.a)!r})  # ln a"
    if isinstance(c.b, Var):
        da = "da = np.where(b == 0, 0, g * (b * np.power(a, b - 1.0)))"
    else:
        da = f"da = g * (b * np.power(a, {float(c.b) - 1!r}))" if c.b else "da = np.zeros_like(g)"
    return "out = np.power(a, b)", f"{da}\ndb = g * np.where((a == 0) & (b >= 0), 0, out * np.log(a))"


@by_settings(Clamp)
def _clamp(c: Call) -> Both:
    inside = [f"(x {sign} {end})" for end, sign in (("low", ">="), ("high", "<=")) if getattr(c, end) is not None]
    return "out = np.clip(x, low, high)", f"dx = np.where({' & '.join(inside)}, g, 0)"


@by_settings(ClampTensors)
def _clamp_tensors(c: Call) -> Both:
    if c.low is None:
        return "out = np.minimum(x, high)", "dx = np.where(x <= high, g, 0)\ndhigh = np.where(x > high, g, 0)"
    if c.high is None:
        return "out = np.maximum(x, low)", "dx = np.where(x >= low, g, 0)\ndlow = np.where(x < low, g, 0)"
    return (
        "out = np.minimum(np.maximum(x, low), high)",
        """
        dx = np.where((x >= low) & (x <= high), g, 0)
        dlow = np.where((x < low) & (low < high), g, 0)
        dhigh = np.where((x > high) | (high < low), g, 0)""",
    )


text(AtLeast, "out = np.maximum(x, low)", "dx = g")

# -- activations

text(LeakyRelu, "out = np.where(x > 0, x, slope * x)", "dx = np.where(x > 0, g, slope * g)")
text(
    PreluKernel,
    "out = np.where(x > 0, x, w * x)",
    "dx = np.where(x > 0, g, w * g)\ndw = np.where(x >= 0, 0, x * g)",
)
text(Threshold, "out = np.where(x <= threshold, value, x)", "dx = np.where(x <= threshold, 0, g)")
text(Hardtanh, "out = np.clip(x, low, high)", "dx = np.where((x <= low) | (x >= high), 0, g)")
text(Hardshrink, "out = np.where(np.abs(x) <= lambd, 0, x)", "dx = np.where(np.abs(x) <= lambd, 0, g)")
text(Softshrink, "out = x - np.clip(x, -lambd, lambd)", "dx = np.where(np.abs(x) <= lambd, 0, g)")
text(Hardsigmoid, "out = np.clip(x + 3, 0, 6) / 6", f"dx = np.where((x > -3) & (x < 3), g * {Hardsigmoid.SIXTH!r}, 0)")
text(
    Hardswish,
    "out = x * np.clip(x + 3, 0, 6) / 6",
    "dx = np.where(x <= -3, 0, np.where(x < 3, g * (x / 3 + 0.5), g))",
)
text(
    (Elu, Celu),
    "out = np.where(x > 0, scale * x, scale * alpha * np.expm1(k * np.minimum(x, 0)))",
    "dx = g * np.where(x > 0, scale, scale * alpha * k * np.exp(k * np.minimum(x, 0)))",
)
text(
    Silu,
    "sigmoid = 1 / (1 + np.exp(-x))\nout = x * sigmoid",
    "dx = g * (sigmoid * (1 + x * (1 - sigmoid)))",
)
text(
    Softplus,
    "z = beta * x\nout = np.where(z > threshold, x, np.log1p(np.exp(np.minimum(z, threshold))) / beta)",
    "dx = np.where(z > threshold, g, g / (1 + np.exp(-z)))",
)
text(
    Mish,
    "t = np.tanh(np.log1p(np.exp(np.minimum(x, 20))) + np.maximum(x - 20, 0))\nout = x * t",
    "dx = g * (t + x * (1 - t * t) / (1 + np.exp(-x)))",
)
text(LogSigmoid, "out = np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))", "dx = g / (1 + np.exp(x))")


@by_settings(Gelu)
def _gelu(c: Call) -> Both:
    if c.approximate == "tanh":
        root, cube = repr(Gelu.ROOT), repr(Gelu.CUBE)
        return (
            f"t = np.tanh({root} * (x + {cube} * x * x * x))\nout = 0.5 * x * (1 + t)",
            f"dx = g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * {root} * (1 + 3 * {cube} * x * x))",
        )
    return "phi = 0.5 * (1 + erf(x / 2**0.5))  # the normal distribution up to x\nout = x * phi", (
        "density = np.exp(-0.5 * x * x) / (2 * np.pi) ** 0.5  # its slope\ndx = g * (phi + x * density)"
    )


@by_settings(Glu)
def _glu(c: Call) -> Both:
    half, before = c.x.shape[c.dim] // 2, ":, " * c.dim
    return (
        f"""
        a = x[{before}:{half}]
        gate = 1 / (1 + np.exp(-x[{before}{half}:]))
        out = a * gate""",
        "dx = np.concatenate([g * gate, g * a * gate * (1 - gate)], dim)",
    )

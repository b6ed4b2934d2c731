"""Smooth activations: curves in place of relu's kink, most of them through the exponential function.

What stands between the layers of a network makes it more than one matrix. Those made of pieces are in piecewise.py.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd.fused import Fused
from ..autograd.graph import Operation
from ..autograd.variable import Array, Operand
from ..public import public
from .checks import require_floating
from .choice import where
from .dims import normalize_dim
from .exponential import exp, sigmoid
from .mask import choose, keep
from .special import erf
from .trigonometry import tanh

if TYPE_CHECKING:
    from ..tensor import Tensor


class Elu(Operation):
    """out = scale · x where x > 0, else scale · alpha · (e^(k·x) - 1)

    dx = grad · scale where x > 0, else grad · scale · alpha · k · e^(k·x) (also at 0)
    """

    @staticmethod
    def forward(ctx: Any, x: Array, alpha: float, scale: float, k: float) -> Array:
        ctx.save_for_backward(x)
        ctx.constants = alpha, scale, k
        out = np.asarray(np.minimum(0, x))  # of two zeros the second: -0 stays
        out *= k
        np.expm1(out, out=out)
        out *= alpha * scale
        if not math.isfinite(alpha):
            np.copyto(out, 0, where=x > 0)
        positive = np.maximum(0, x)
        positive *= scale
        out += positive  # one of the two is 0
        if not 0 <= alpha < math.inf:
            np.copyto(out, x, where=x == 0)  # and zeros stay as they are, with their sign
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        alpha, scale, k = ctx.constants
        slope = exp(keep(x, x < 0) * k) * (alpha * scale * k)  # e^(k·x) alone would overflow where x > 0
        return grad * choose(x <= 0, slope, float(scale)), None, None, None


@public("functional", fits="alpha")
def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """input where positive, else alpha · (eˣ - 1). PyTorch: torch.nn.functional.elu. Source: Clevert et al. 2015."""
    require_floating(input, "elu", "elu_cpu")
    return Elu.apply(input, alpha, 1.0, 1.0)


SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@public("minigrad", "functional")
def selu(input: Tensor) -> Tensor:
    """scale · elu(input, alpha) with the constants that keep mean 0 and variance 1 from layer to layer.

    PyTorch: torch.nn.functional.selu. Source: Klambauer et al. 2017, "Self-Normalizing Neural Networks".
    """
    require_floating(input, "selu", "elu_cpu")
    return Elu.apply(input, SELU_ALPHA, SELU_SCALE, 1.0)


class Celu(Elu):
    """Elu with k = 1/alpha: its slope is continuous at 0"""


@public("minigrad", "functional", fits="alpha")
def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """input where positive, else alpha · (e^(x / alpha) - 1). PyTorch: torch.nn.functional.celu. Source: Barron 2017."""
    require_floating(input, "celu", "elu_cpu")
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return Celu.apply(input, alpha, 1.0, 1.0 / alpha)


class Gelu(Fused):
    """out = x · Φ(x), Φ the distribution function of the normal distribution.  dx = grad · (Φ(x) + x · φ(x))

    φ = Φ' is the normal density. approximate="tanh" puts (1 + tanh u) / 2, u = √(2/π) · (x + 0.044715 x³), for Φ.
    Compiled form, of float32 alone: kernels/elementwise.py.
    """

    compiled = "elementwise.Gelu"

    ROOT = math.sqrt(2 / math.pi)
    CUBE = 0.044715

    @staticmethod
    def definition(x: Any, approximate: str) -> Any:
        if approximate == "tanh":
            return 0.5 * x * (1 + tanh(Gelu.ROOT * (x + Gelu.CUBE * (x * x * x))))
        return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))

    @staticmethod
    def work(x: Array, approximate: str) -> int:
        return x.size if x.dtype == np.float32 else 0

    @staticmethod
    def forward(ctx: Any, x: Array, approximate: str) -> Array:
        if approximate == "tanh":
            curve = np.asarray(x * x)
            curve *= Gelu.ROOT * Gelu.CUBE
            curve += Gelu.ROOT
            curve *= x
            np.tanh(curve, out=curve)
        else:
            curve = np.asarray(erf(x * math.sqrt(0.5)))
        ctx.save_for_backward(x, curve)  # Φ = (1 + curve) / 2
        ctx.approximate = approximate
        out = np.asarray(curve + 1)
        out *= 0.5
        out *= x  # last: twice x may be too large
        return out

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, curve = ctx.saved_tensors
        slope = np.asarray(x * x)
        if ctx.approximate == "tanh":  # φ = (1 - tanh² u) · u' / 2
            slope *= 1.5 * Gelu.ROOT * Gelu.CUBE
            slope += 0.5 * Gelu.ROOT
            slope *= 1 - curve * curve
        else:
            slope *= -0.5
            np.exp(slope, out=slope)
            slope *= math.sqrt(0.5 / math.pi)
        slope *= x
        slope += 0.5 * curve + 0.5
        slope *= grad
        return slope, None


@public("functional")
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """input · Φ(input), the Gaussian error linear unit; approximate: "none" (exact) or "tanh".

    PyTorch: torch.nn.functional.gelu. Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units".
    """
    require_floating(input, "gelu", "GeluKernelImpl")
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, got {approximate!r}")
    return Gelu.apply(input, approximate)


class Silu(Operation):
    """out = x · σ(x).  dx = grad · σ(x) · (1 + x · (1 - σ(x)))"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return x * sigmoid(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        s = sigmoid(x)
        return grad * (s * (1 + x * (1 - s)))


@public("functional")
def silu(input: Tensor) -> Tensor:
    """input · σ(input), also called swish. PyTorch: torch.nn.functional.silu. Source: Elfwing et al. 2017."""
    require_floating(input, "silu", "silu_cpu")
    return Silu.apply(input)


class Softplus(Operation):
    """out = ln(1 + e^(beta·x)) / beta, or x where beta · x > threshold.  dx = grad · σ(beta · x), or grad there"""

    @staticmethod
    def values(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
        z = x * beta
        out = np.log1p(np.exp(np.minimum(z, threshold))) / beta
        return choose(z > threshold, x, out)

    @staticmethod
    def forward(ctx: Any, x: Array, beta: float, threshold: float) -> Array:
        ctx.save_for_backward(x)
        ctx.beta, ctx.threshold = beta, threshold
        return Softplus.values(x, beta, threshold)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        z = x * ctx.beta
        slope: Any = sigmoid(z)
        if not isinstance(slope, Array):  # the second derivative is PyTorch's at the threshold itself: 0
            slope = where(z < ctx.threshold, slope, slope.detach())
        return choose(z > ctx.threshold, grad, grad * slope), None, None


@public("functional", fits="beta threshold")
def softplus(input: Operand, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + e^(beta·x)) / beta, a smooth relu; linear where beta · x > threshold. PyTorch: torch.nn.functional.softplus."""
    require_floating(input, "softplus", "softplus_cpu")
    if threshold != threshold:  # nothing is above nan
        threshold = math.inf
    return Softplus.apply(input, beta, threshold)


class Mish(Operation):
    """out = x · tanh(s), s = ln(1 + eˣ).  dx = grad · (tanh(s) + x · (1 - tanh²(s)) · σ(x))"""

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return x * np.tanh(Softplus.values(x))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        t = tanh(softplus(x))
        return grad * (t + x * (1 - t * t) * sigmoid(x))


@public("functional")
def mish(input: Tensor) -> Tensor:
    """input · tanh(softplus(input)). PyTorch: torch.nn.functional.mish. Source: Misra 2019."""
    require_floating(input, "mish", "mish_cpu")
    return Mish.apply(input)


class LogSigmoid(Operation):
    """out = ln σ(x) = min(x, 0) - ln(1 + e^(-|x|)).  dx = grad · σ(-x)"""

    @staticmethod
    def values(x: Array) -> Array:
        return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))

    @staticmethod
    def forward(ctx: Any, x: Array) -> Array:
        ctx.save_for_backward(x)
        return LogSigmoid.values(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensors
        return grad * sigmoid(-x)


@public("functional")
def logsigmoid(input: Tensor) -> Tensor:
    """ln σ(input). PyTorch: torch.nn.functional.logsigmoid."""
    require_floating(input, "log_sigmoid", "log_sigmoid_cpu")
    return LogSigmoid.apply(input)


@public("functional")
def softsign(input: Tensor) -> Tensor:
    """input / (1 + |input|). PyTorch: torch.nn.functional.softsign."""
    return input / (input.abs() + 1)


@public("functional")
def tanhshrink(input: Tensor) -> Tensor:
    """input - tanh(input). PyTorch: torch.nn.functional.tanhshrink."""
    return input - tanh(input)


class Glu(Fused):
    """out = a · σ(b), a and b the halves of x along a dimension.  da = grad · σ(b), db = grad · a · σ(b) · (1 - σ(b))"""

    @staticmethod
    def definition(x: Any, dim: int) -> Any:
        half = x.shape[dim] // 2
        return x.narrow(dim, 0, half) * sigmoid(x.narrow(dim, half, half))

    @staticmethod
    def halves(x: Array, dim: int) -> tuple[Array, Array]:
        half = x.shape[dim] // 2
        before = (slice(None),) * dim
        return x[(*before, slice(half))], x[(*before, slice(half, None))]

    @staticmethod
    def forward(ctx: Any, x: Array, dim: int) -> Array:
        a, b = Glu.halves(x, dim)
        gate = sigmoid(b)
        ctx.save_for_backward(x, gate)
        ctx.dim = dim
        return a * gate

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, gate = ctx.saved_tensors
        a, _ = Glu.halves(x, ctx.dim)
        dx = np.empty(x.shape, x.dtype)
        da, db = Glu.halves(dx, ctx.dim)
        np.multiply(grad, gate, out=da)
        np.subtract(1, gate, out=db)
        db *= da
        db *= a
        return dx, None


@public("functional")
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a · σ(b), a and b the first and second half of input along dim. Source: Dauphin et al. 2016.

    PyTorch: torch.nn.functional.glu.
    """
    require_floating(input, "glu", "glu_cpu")
    if input.array.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    dim = normalize_dim(dim, input.array.ndim)
    n = input.array.shape[dim]
    if n % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {n}")
    return Glu.apply(input, dim)
